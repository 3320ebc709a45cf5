//! A file encrypted, and decrypted as a whole and piece by piece, as its description in Base64 has it.

use core::hint::black_box;

use mx_attachment::{AttachmentInfo, AttachmentKey};

use firmware::entropy::Entropy;

pub fn run(rng: &mut Entropy) -> Option<()> {
    let mut file = black_box([1; 100]);
    let info = AttachmentKey::generate(rng).ok()?.encrypt_in_place(&mut file);
    black_box((info.secret_key(), info.iv(), info.sha256()));

    let read = AttachmentInfo::from_base64(black_box("k"), black_box("iv"), black_box("sha256")).ok()?;
    let mut decryptor = read.decryptor();
    black_box(decryptor.update(&mut black_box(file)).expose_unverified());
    decryptor.finish().ok()?;
    black_box(info.decrypt_in_place(&mut file).ok()?);
    Some(())
}
