//! What others have published, with its source: published.json.

use serde_json::Value;

use super::file;
use crate::report::Failure;

/// The vectors of one kind.
pub(super) fn of(kind: &str) -> Result<Vec<Value>, Failure> {
    let mut published: Value = serde_json::from_str(include_str!("published.json"))?;
    match published[kind].take() {
        Value::Array(vectors) => Ok(vectors),
        _ => Err(format!("no {kind} in published.json").into()),
    }
}

pub(super) fn attachments() -> Result<Value, Failure> {
    file(
        "Encrypted attachments. key, iv and hashes are as in an EncryptedFile; decrypting ciphertext_hex gives plaintext, UTF-8. Encrypting with \
         the same key and IV gives the same bytes.",
        "client-server API, Sending encrypted attachments",
        of("attachments")?,
    )
}

pub(super) fn key_exports() -> Result<Value, Failure> {
    file(
        "Key exports. body is the Base64 between the two header lines; with the passphrase it decrypts to plaintext, UTF-8. Only \
         the last two are lists of sessions.",
        "client-server API, Key exports",
        of("key_exports")?,
    )
}

pub(super) fn secret_storage() -> Result<Value, Failure> {
    file(
        "Secret storage. description is the content of m.secret_storage.key.<id>: recovery_key, and the key that passphrase leads \
         to, pass its check. secret.encrypted decrypts to secret.plaintext under secret.name.",
        "client-server API, Secret storage, m.secret_storage.v1.aes-hmac-sha2",
        of("secret_storage")?,
    )
}

pub(super) fn qr_codes() -> Result<Value, Failure> {
    file(
        "QR codes. bytes_hex is what a symbol holds; key1, key2 and secret are unpadded Base64. Where refused stands instead, the \
         code must be refused, for that reason.",
        "client-server API, QR code format",
        of("qr_codes")?,
    )
}
