//! Objects of a key backup as they come: what is read and written again is the same, answers in any pieces give the same
//! entries, and what serde_json takes for an answer is read to its end.

#![no_main]

use embedded_io::{ErrorType, Read};
use libfuzzer_sys::fuzz_target;
use mx_key_backup::{
    AuthData, BackupDecryptionKey, BackupPreference, EncryptedSessionData, KeyBackupData, KeySource,
    KeysAnswer, NewBackup, ServerBackup, TrustAnchors, msc4048::BackupMacKey,
};
use mx_types::{RoomId, SessionId, UserId};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let key = BackupDecryptionKey::from_bytes(&[7; 32]);
    if let Ok(session) = EncryptedSessionData::parse(data) {
        assert_eq!(EncryptedSessionData::parse(session.emit().as_bytes()), Ok(session.clone()));
        let _ = key.decrypt_bytes(&session);
    }
    if let Ok(entry) = KeyBackupData::parse(data) {
        assert_eq!(KeyBackupData::parse(entry.emit().as_bytes()), Ok(entry.clone()));
        assert!(!entry.replaces(&entry));
    }
    let _ = BackupPreference::parse(data);
    if let Ok(text) = str::from_utf8(data) {
        let anchors = TrustAnchors {
            user_id: UserId::parse("@a:b").expect("is a user ID"),
            master_signing_key: Some(mx_curve25519::Ed25519SecretKey::from_seed(&[1; 32]).public_key()),
            devices: &[],
            decryption_key: Some((&key, KeySource::TypedIn)),
        };
        if let Ok(backup) = ServerBackup::parse(text)
            && let Ok(trusted) = backup.trust(&anchors)
        {
            // Nobody can sign here.
            assert_eq!(trusted.public_key(), key.public_key());
        }
        if let Ok(auth_data) = AuthData::parse(text) {
            let _ = auth_data.passphrase();
            let body = NewBackup::new(auth_data).body();
            assert!(serde_json::from_str::<Value>(&body).is_ok());
        }
        let _ = NewBackup::version(text);
        if let Ok((key, _)) = BackupDecryptionKey::from_secret(text) {
            let (again, _) =
                BackupDecryptionKey::from_secret(&key.to_base64()).expect("what was written is read");
            assert_eq!(again.as_bytes(), key.as_bytes());
        }
        let mac_key = BackupMacKey::of(&key);
        assert!(mac_key.verify(text).is_err());
        if let Ok(authenticated) = mac_key.authenticate(text) {
            assert!(serde_json::from_str::<Value>(&authenticated).is_ok());
        }
    }

    let (pieces, text) =
        data.split_first().map_or((1, data), |(pieces, text)| (usize::from(*pieces) + 1, text));
    let room_id = RoomId::parse("!a:b").expect("is a room ID");
    let session_id = SessionId::parse("s").expect("is a session ID");
    let whole = entries(KeysAnswer::of_all(text), &key);
    assert_eq!(entries(KeysAnswer::of_all(Pieces(text, pieces)), &key), whole);
    let of_room = entries(KeysAnswer::of_room(text, room_id), &key);
    assert_eq!(entries(KeysAnswer::of_room(Pieces(text, pieces), room_id), &key), of_room);
    let of_session = entries(KeysAnswer::of_session(text, room_id, session_id), &key);
    assert!(of_session.0.len() <= 1);
    // What is an answer to others is one to us, session by session.
    let Ok(Value::Object(answer)) = serde_json::from_slice(text) else { return };
    assert!(of_session.1.is_none(), "an object is an entry, good or not");
    let once = |name: &str| text.windows(name.len()).filter(|window| *window == name.as_bytes()).count() <= 1;
    let Some(Value::Object(rooms)) = answer.get("rooms") else { return };
    if rooms.is_empty() && once("rooms") {
        assert_eq!(whole, (Vec::new(), None));
    }
});

type Entries = (Vec<(String, Option<String>, Option<Vec<u8>>)>, Option<String>);

/// All entries, and how the answer ended, if not well.
fn entries<R: Read<Error = core::convert::Infallible>>(
    mut answer: KeysAnswer<R>,
    key: &BackupDecryptionKey,
) -> Entries {
    let mut entries = Vec::new();
    loop {
        match answer.next_entry() {
            Ok(Some(entry)) => {
                assert_eq!(entry.position(), entries.len() as u64);
                assert!(entry.decrypt(key).is_err(), "nothing was encrypted for this key");
                let _ = entry.data();
                entries.push((
                    entry.room_id().to_owned(),
                    entry.session_id().map(str::to_owned),
                    entry.json().ok().map(<[u8]>::to_vec),
                ));
            }
            Ok(None) => return (entries, None),
            Err(error) => return (entries, Some(error.to_string())),
        }
    }
}

struct Pieces<'t>(&'t [u8], usize);

impl ErrorType for Pieces<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let len = self.0.len().min(buffer.len()).min(self.1);
        let (now, rest) = self.0.split_at(len);
        buffer[..len].copy_from_slice(now);
        self.0 = rest;
        Ok(len)
    }
}
