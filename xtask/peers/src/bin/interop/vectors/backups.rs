//! Sessions of key backups, which both peers decrypt.

use mx_peers::libolm;
use mx_types::base64::{TrailingBits, decode_array};
use serde_json::Value;
use vodozemac::pk_encryption::{Message, PkDecryption};

use super::{confirmed, file, peers, published, text_of};
use crate::report::{Failure, expect};

pub(super) fn make() -> Result<Value, Failure> {
    let mut vectors = published::of("key_backup")?;
    for vector in &mut vectors {
        let key: [u8; 32] = decode_array(text_of(vector, "private_key")?, TrailingBits::Ignored)?;
        let part = |name| text_of(&vector["session_data"], name).map(str::to_owned);
        let (ephemeral, ciphertext, mac) = (part("ephemeral")?, part("ciphertext")?, part("mac")?);
        let message = Message::from_base64(&ciphertext, &mac, &ephemeral)?;
        let secret = vodozemac::Curve25519SecretKey::from_slice(&key);
        let public_key = vodozemac::Curve25519PublicKey::from(&secret).to_base64();
        let by_vodozemac = PkDecryption::from_key(secret).decrypt(&message)?;
        let by_libolm = libolm::pk_decrypt(&key, &libolm::Encrypted { ephemeral, ciphertext, mac })?;
        let plaintext = text_of(vector, "plaintext")?.as_bytes();
        expect(by_vodozemac == plaintext && by_libolm == plaintext, "another plaintext")?;
        vector["public_key"] = public_key.into();
        for peer in peers() {
            confirmed(vector, peer.name());
        }
    }
    file(
        "Server-side key backups. private_key and public_key are those of the backup, in Base64; session_data decrypts to plaintext, UTF-8. \
         The MAC is that of nothing, as the specification has it.",
        "client-server API, Backup algorithm m.megolm_backup.v1.curve25519-aes-sha2",
        vectors,
    )
}
