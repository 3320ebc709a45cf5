//! Encrypted sessions, both ways, and what is wrong with them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_key_backup::{DecryptError, EncryptedSessionData, KeyBackupData, MalformedObject, SessionDataError};
use mx_room_key::{BackedUpSessionData, ParseError, Provenance, RoomKeyMerge, RoomKeyMergeError};
use mx_types::{
    InvalidKey, SessionId,
    base64::{self, DecodeError},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{first_hand, key, rng, room, session_data, trusted};

fn encrypted(plaintext: &[u8]) -> EncryptedSessionData {
    trusted(&key()).encrypt_bytes(&mut rng(3), plaintext).unwrap()
}

fn decrypt(data: &EncryptedSessionData, session_id: &str) -> Result<BackedUpSessionData, DecryptError> {
    let restored = key().decrypt(room(), SessionId::parse(session_id).unwrap(), data)?;
    assert_eq!(restored.room_id(), room());
    Ok(BackedUpSessionData::parse(&restored.data().emit_to_vec()).unwrap())
}

// BAK-10, BAK-13
#[test]
fn a_session_is_stored_and_restored() {
    let data = session_data(1);
    let encrypted = trusted(&key()).encrypt_session_data(&mut rng(2), &data).unwrap();
    let restored = decrypt(&encrypted, data.session_id().as_str()).unwrap();
    assert_eq!(restored.session_key.as_bytes(), data.session_key.as_bytes());
    assert_eq!(restored.sender_key, data.sender_key);
    assert_eq!(restored.sender_claimed_ed25519, data.sender_claimed_ed25519);

    let plaintext = key().decrypt_bytes(&encrypted).unwrap();
    let plaintext: Value = serde_json::from_slice(&plaintext).unwrap();
    let members: Vec<_> = plaintext.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "algorithm",
            "forwarding_curve25519_key_chain",
            "sender_claimed_keys",
            "sender_key",
            "session_key",
            "shared_history"
        ],
        "neither room nor session"
    );
}

// BAK-11
#[test]
fn each_session_has_an_ephemeral_key_of_its_own() {
    let (backup, mut rng) = (trusted(&key()), rng(4));
    let mut seen = Vec::new();
    for _ in 0..100 {
        let data = backup.encrypt_bytes(&mut rng, b"one plaintext").unwrap();
        assert!(!seen.contains(&data.ephemeral) && data.ephemeral != backup.public_key());
        seen.push(data.ephemeral);
        assert_eq!(*key().decrypt_bytes(&data).unwrap(), b"one plaintext");
    }
}

// BAK-20
#[test]
fn base64_is_written_unpadded_and_read_both_ways() {
    let data = encrypted(b"0123456789");
    let text = data.emit();
    assert!(!text.contains('='));
    assert_eq!(EncryptedSessionData::parse(text.as_bytes()).unwrap(), data);
    let mut padded: Value = serde_json::from_str(&text).unwrap();
    for (member, len) in [("ephemeral", 43), ("ciphertext", 22), ("mac", 11)] {
        let text = padded[member].as_str().unwrap().to_owned();
        assert_eq!(text.len(), len);
        padded[member] = format!("{text}{}", &"=="[..(4 - len % 4) % 4]).into();
    }
    assert_eq!(EncryptedSessionData::parse(padded.to_string().as_bytes()).unwrap(), data);
}

// BAK-16, BAK-17, BAK-19
#[test]
fn each_fault_that_is_public_has_a_name() {
    let good: Value = serde_json::from_str(&encrypted(b"{}").emit()).unwrap();
    let error = |member: &str, value: Value| {
        let mut changed = good.clone();
        changed[member] = value;
        EncryptedSessionData::parse(changed.to_string().as_bytes()).unwrap_err()
    };
    let base64 = |member, error| SessionDataError::Base64 { member, error };
    let length = |expected, found| DecodeError::UnexpectedLength { expected, found };
    // The MAC has eight bytes: vodozemac takes fewer.
    for len in [0, 1, 7, 9, 32] {
        let mac = base64::encode_to_string(&vec![0; len]);
        assert_eq!(error("mac", mac.into()), base64("mac", length(8, len)));
    }
    assert_eq!(error("mac", "AAAAAAAAAA-".into()), base64("mac", DecodeError::InvalidCharacter));
    assert_eq!(error("ciphertext", "A".into()), base64("ciphertext", DecodeError::InvalidLength));
    assert_eq!(error("ciphertext", "AA=".into()), base64("ciphertext", DecodeError::InvalidPadding));
    assert_eq!(error("ciphertext", "A A=".into()), base64("ciphertext", DecodeError::InvalidCharacter));
    let ephemeral = |text: &str| error("ephemeral", text.into());
    assert_eq!(ephemeral("AA"), SessionDataError::Ephemeral(InvalidKey::Base64(length(32, 1))));
    assert_eq!(ephemeral(&"A".repeat(43)), SessionDataError::Ephemeral(InvalidKey::SmallOrder));
    for member in ["ephemeral", "ciphertext", "mac"] {
        for value in [json!(1), json!(null), json!([]), json!({}), json!(true)] {
            let expected = SessionDataError::Object(MalformedObject::WrongType { member });
            assert_eq!(error(member, value), expected);
        }
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(
            EncryptedSessionData::parse(without.to_string().as_bytes()).unwrap_err(),
            SessionDataError::Object(MalformedObject::Missing { member })
        );
        let twice = good.to_string().replacen('{', &format!("{{\"{member}\":\"\","), 1);
        assert_eq!(
            EncryptedSessionData::parse(twice.as_bytes()).unwrap_err(),
            SessionDataError::Object(MalformedObject::Repeated { member })
        );
    }
    let mut more = good.clone();
    more["org.example.new"] = json!([{}]);
    assert!(EncryptedSessionData::parse(more.to_string().as_bytes()).is_ok());
}

// BAK-18
#[test]
fn a_session_must_be_the_one_that_it_is_filed_under_and_of_megolm() {
    let data = session_data(1);
    let id = data.session_id();
    let encrypt = |json: &Value| encrypted(json.to_string().as_bytes());
    let plain: Value = serde_json::from_slice(&data.emit_to_vec()).unwrap();
    assert!(decrypt(&encrypt(&plain), id.as_str()).is_ok());
    let other = session_data(2).session_id();
    assert_eq!(decrypt(&encrypt(&plain), other.as_str()).unwrap_err(), DecryptError::OtherSession);
    assert_eq!(decrypt(&encrypt(&plain), "x").unwrap_err(), DecryptError::OtherSession);

    let changed = |member: &str, value: Value| {
        let mut changed = plain.clone();
        changed[member] = value;
        decrypt(&encrypt(&changed), id.as_str()).unwrap_err()
    };
    let unknown = changed("algorithm", "m.megolm.v2.aes-sha2".into());
    assert_eq!(unknown, DecryptError::Session(ParseError::Algorithm));
    assert!(matches!(changed("session_key", "AQ".into()), DecryptError::Session(ParseError::SessionKey(_))));
    assert!(matches!(changed("sender_key", "AQ".into()), DecryptError::Session(ParseError::Key { .. })));
    let missing = ParseError::Object(MalformedObject::WrongType { member: "sender_key" });
    assert_eq!(changed("sender_key", json!(1)), DecryptError::Session(missing));
}

// BAK-30
#[test]
fn an_entry_has_four_members() {
    let session = first_hand(1, room(), 5);
    let entry = trusted(&key()).encrypt(&mut rng(1), &session).unwrap();
    assert_eq!((entry.first_message_index, entry.forwarded_count, entry.is_verified), (5, 0, false));
    let json: Value = serde_json::from_str(&entry.emit()).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 4);
    assert_eq!(KeyBackupData::parse(entry.emit().as_bytes()).unwrap(), entry);

    // What was imported counts as forwarded.
    let imported = key()
        .decrypt(room(), SessionId::parse(session.session_id().as_str()).unwrap(), &entry.session_data)
        .unwrap()
        .into_room_key();
    assert_eq!(trusted(&key()).encrypt(&mut rng(2), &imported).unwrap().forwarded_count, 1);

    for member in ["first_message_index", "forwarded_count", "is_verified", "session_data"] {
        let mut without = json.clone();
        without.as_object_mut().unwrap().remove(member);
        let missing = SessionDataError::Object(MalformedObject::Missing { member });
        assert_eq!(KeyBackupData::parse(without.to_string().as_bytes()), Err(missing));
        for value in [json!("0"), json!(null), json!(-1), json!(1.5), json!(9_007_199_254_740_992_u64)] {
            let mut changed = json.clone();
            changed[member] = value;
            let wrong = SessionDataError::Object(MalformedObject::WrongType { member });
            assert_eq!(KeyBackupData::parse(changed.to_string().as_bytes()), Err(wrong));
        }
    }
}

// BAK-31
#[test]
fn the_server_keeps_the_better_entry() {
    let session_data = encrypted(b"{}");
    let entry = |is_verified, first_message_index, forwarded_count| KeyBackupData {
        first_message_index,
        forwarded_count,
        is_verified,
        session_data: session_data.clone(),
    };
    // From the best to the worst.
    let order = [
        entry(true, 0, 0),
        entry(true, 0, 1),
        entry(true, 9, 0),
        entry(false, 0, 0),
        entry(false, 0, 9),
        entry(false, 1, 0),
        entry(false, 1, 1),
    ];
    for (i, one) in order.iter().enumerate() {
        for (j, other) in order.iter().enumerate() {
            assert_eq!(one.replaces(other), i < j, "{i} {j}");
        }
    }
}

// BAK-36
#[test]
fn a_restored_session_never_displaces_one_that_came_first_hand() {
    let restore = |session: &mx_room_key::RoomKey| {
        let entry = trusted(&key()).encrypt(&mut rng(1), session).unwrap();
        let id = session.session_id();
        let restored = key().decrypt(room(), SessionId::parse(id.as_str()).unwrap(), &entry.session_data);
        restored.unwrap().into_room_key()
    };
    // Connected, from earlier on: history is added and trust is not.
    let mut late = first_hand(1, room(), 10);
    let early = restore(&first_hand(1, room(), 0));
    assert_eq!(early.origin().provenance, Provenance::Backup);
    assert_eq!(early.trusted_from_index(), None);
    assert_eq!(late.merge(early), Ok(RoomKeyMerge::Extended));
    assert_eq!((late.first_known_index(), late.trusted_from_index()), (0, Some(10)));
    assert_eq!(late.origin_at(9).provenance, Provenance::Backup);

    // Another ratchet under the ID: somebody made it up.
    let mut held = first_hand(1, room(), 0);
    let mut forged = session_data(2).session_key.as_bytes().to_vec();
    let id = held.session_id();
    let public_key = held.to_backed_up().session_key.as_bytes()[133..].to_vec();
    forged[133..].copy_from_slice(&public_key);
    let forged = mx_megolm::ExportedSessionKey::from_bytes(&forged).unwrap();
    let data = BackedUpSessionData::new(forged, support::sender_key());
    let encrypted = trusted(&key()).encrypt_session_data(&mut rng(1), &data).unwrap();
    let forged = key().decrypt(room(), SessionId::parse(id.as_str()).unwrap(), &encrypted).unwrap();
    assert_eq!(held.merge(forged.into_room_key()), Err(RoomKeyMergeError::Unconnected));
    assert_eq!(held.trusted_from_index(), Some(0));
}

proptest! {
    #[test]
    fn any_bytes_are_encrypted_and_decrypted(plaintext: Vec<u8>, seed: [u8; 32]) {
        use rand_core::SeedableRng as _;
        let mut rng = rand_chacha::ChaCha20Rng::from_seed(seed);
        let data = trusted(&key()).encrypt_bytes(&mut rng, &plaintext).unwrap();
        prop_assert_eq!(data.ciphertext.len(), (plaintext.len() / 16 + 1) * 16);
        prop_assert_eq!(&*key().decrypt_bytes(&data).unwrap(), &plaintext);
        let again = EncryptedSessionData::parse(data.emit().as_bytes()).unwrap();
        prop_assert_eq!(again, data);
    }
}
