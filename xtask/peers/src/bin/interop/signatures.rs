//! Ed25519 signatures both ways.

use mx_demo::party::Implementation;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::report::{Outcome, expect};

/// `signer` signs, `verifier` verifies, and refuses the same over another message, by another key, or cut short.
pub fn signatures(
    signer: &dyn Implementation,
    verifier: &dyn Implementation,
    rng: &mut ChaCha20Rng,
) -> Outcome {
    const COUNT: u32 = 100;
    let other = signer.create_account(rng)?.ed25519_key();
    for _ in 0..COUNT {
        let account = signer.create_account(rng)?;
        let mut message = vec![0; 1 + rng.next_u32() as usize % 500];
        rng.fill_bytes(&mut message);
        let (key, signature) = (account.ed25519_key(), account.sign(&message));
        verifier.verify(&key, &message, &signature)?;
        expect(verifier.verify(&other, &message, &signature).is_err(), "verified under another key")?;
        expect(verifier.verify(&key, &message, &signature[1..]).is_err(), "a signature cut short verified")?;
        message[0] ^= 1;
        expect(verifier.verify(&key, &message, &signature).is_err(), "verified over another message")?;
    }
    Ok(format!("{COUNT} keys"))
}
