//! Decryption under a known key, with a MAC that is right: any ciphertext, and any plaintext.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mx_key_backup::{
    AuthData, BackupDecryptionKey, DecryptError, EncryptedSessionData, KeySource, ServerBackup, TrustAnchors,
    TrustedBackup,
};
use mx_room_key::BackedUpSessionData;
use mx_types::{RoomId, SessionId, UserId};
use rand_core::SeedableRng as _;

static BACKUP: LazyLock<(BackupDecryptionKey, TrustedBackup)> = LazyLock::new(|| {
    let key = BackupDecryptionKey::from_bytes(&[7; 32]);
    let auth_data = AuthData::new(key.public_key());
    let answer = format!(
        "{{\"algorithm\":\"{}\",\"auth_data\":{},\"version\":\"1\",\"etag\":\"\",\"count\":0}}",
        mx_key_backup::ALGORITHM,
        auth_data.as_str()
    );
    let anchors = TrustAnchors {
        user_id: UserId::parse("@a:b").expect("is a user ID"),
        master_signing_key: None,
        devices: &[],
        decryption_key: Some((&key, KeySource::Generated)),
    };
    let trusted = ServerBackup::parse(&answer).expect("an answer").trust(&anchors).expect("our key");
    (key, trusted)
});

fuzz_target!(|data: &[u8]| {
    let (key, backup) = &*BACKUP;
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let room_id = RoomId::parse("!a:b").expect("is a room ID");

    // Any plaintext: what is a session is restored, under its own ID only.
    let encrypted = backup.encrypt_bytes(&mut rng, data).expect("random");
    assert_eq!(key.decrypt_bytes(&encrypted).as_deref().map(Vec::as_slice), Some(data));
    let other = SessionId::parse("other").expect("is a session ID");
    let session = BackedUpSessionData::parse(data);
    match key.decrypt(room_id, other, &encrypted).map(drop).expect_err("another session") {
        DecryptError::OtherSession => {
            let session_id = session.expect("read").session_id();
            let session_id = SessionId::parse(session_id.as_str()).expect("Base64");
            assert!(key.decrypt(room_id, session_id, &encrypted).is_ok());
        }
        error => assert!(session.is_err(), "{error}"),
    }

    // Any ciphertext, under a MAC that is right whatever it is.
    let changed = EncryptedSessionData { ciphertext: data.to_vec(), ..encrypted };
    match key.decrypt_bytes(&changed) {
        Some(plaintext) => assert!(plaintext.len() < data.len() && data.len().is_multiple_of(16)),
        None => assert_eq!(key.decrypt(room_id, other, &changed).map(drop), Err(DecryptError::Undecryptable)),
    }
});
