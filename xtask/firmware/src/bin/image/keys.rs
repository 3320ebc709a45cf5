//! Identity keys: generated, signed with, verified, agreed with.

use core::hint::black_box;

use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey, Ed25519Verifier, KeyAgreement as _};

use firmware::entropy::Entropy;

pub fn run(rng: &mut Entropy) -> Option<()> {
    let message = black_box(*b"22.5 C");
    let signing = Ed25519SecretKey::generate(rng).ok()?;
    let signature = signing.sign(&message);
    Ed25519Verifier::new(black_box(signing.public_key())).verify(&message, &black_box(signature)).ok()?;

    let (ours, theirs) = (Curve25519SecretKey::generate(rng).ok()?, Curve25519SecretKey::generate(rng).ok()?);
    black_box(ours.diffie_hellman(&black_box(theirs.public_key())).ok()?);
    Some(())
}
