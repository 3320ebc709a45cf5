//! Files of others: decrypted as a whole and in pieces, and encrypted again where our IVs can be theirs.

use mx_attachment::{AttachmentInfo, AttachmentKey};

use crate::{
    runner::Runner,
    script::Script,
    value::{Value, check, hex},
    vectors::ATTACHMENTS,
};

const MAX_LEN: usize = 64;

pub fn run(runner: &mut Runner) {
    let Value::List(vectors) = &ATTACHMENTS else { return };
    for (number, vector) in vectors.iter().enumerate() {
        runner.run("attachments", number, || file(vector));
    }
}

fn file(vector: &Value) -> Option<()> {
    let info =
        AttachmentInfo::from_base64(vector.text("k")?, vector.text("iv")?, vector.text("sha256")?).ok()?;
    let plaintext = vector.text("plaintext")?.as_bytes();
    let (mut ciphertext, mut buffer) = ([0; MAX_LEN], [0; MAX_LEN]);
    let ciphertext = &*hex(vector.text("ciphertext")?, &mut ciphertext)?;
    let buffer = buffer.get_mut(..ciphertext.len())?;

    buffer.copy_from_slice(ciphertext);
    check(info.decrypt_in_place(buffer).ok()? == plaintext)?;
    for len in 1..=ciphertext.len() {
        buffer.copy_from_slice(ciphertext);
        let mut decryptor = info.decryptor();
        let mut pieces = buffer.chunks_mut(len).zip(plaintext.chunks(len));
        check(pieces.all(|(piece, expected)| decryptor.update(piece).expose_unverified() == expected))?;
        decryptor.finish().ok()?;
    }
    let mut wrong = *info.sha256();
    wrong[31] ^= 1;
    let wrong = AttachmentInfo::from_parts(info.secret_key(), info.iv(), &wrong);
    buffer.copy_from_slice(ciphertext);
    check(wrong.decrypt_in_place(buffer).is_err() && buffer == ciphertext)?;

    if !info.counter_starts_at_zero() {
        return Some(());
    }
    let mut iv = [0; 32];
    iv[..8].copy_from_slice(&info.iv()[..8]);
    let mut encryptor =
        AttachmentKey::generate(&mut Script::new([*info.secret_key(), iv])).ok()?.into_encryptor();
    buffer.copy_from_slice(plaintext);
    encryptor.update(buffer);
    let found = encryptor.finish();
    check(buffer == ciphertext)?;
    check((found.secret_key(), found.iv(), found.sha256()) == (info.secret_key(), info.iv(), info.sha256()))
}
