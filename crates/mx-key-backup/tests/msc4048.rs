//! MSC4048, as far as its text goes. There is no other implementation to compare with.
#![cfg(feature = "unstable-msc4048")]

mod support;

use mx_key_backup::{
    BackupDecryptionKey, KeySource, ServerBackup, TrustAnchors, UntrustedBackup,
    msc4048::{ALGORITHM, Authenticity, BackupMacError, BackupMacKey, MAC_SECRET_NAME, TrustedMsc4048Backup},
};
use mx_types::SessionId;
use serde_json::{Value, json};
use support::{alice, answer, by_key, first_hand, key, rng, room, session_data, trusted};

fn msc4048_answer(key: &BackupDecryptionKey) -> String {
    let auth_data = format!("{{\"public_key\":\"{}\"}}", key.public_key());
    answer(&auth_data).replace(mx_key_backup::ALGORITHM, ALGORITHM)
}

// B48-1, B48-2, B48-5: computed by an independent program from the proposal's text.
#[test]
fn own_vector() {
    let mac_key = BackupMacKey::of(&key());
    assert_eq!(MAC_SECRET_NAME, "org.matrix.msc4048.mac");
    let hex = "b8277387d6100ba60c51c970fd4207c672a5b8e0013207d1116c16fa551ab6e6";
    let bytes: Vec<_> = (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    assert_eq!(*mac_key.to_base64(), mx_types::base64::encode_to_string(&bytes));
    assert!(BackupMacKey::from_secret(&mac_key.to_base64()).is_ok());
    let session_data = r#"{"mac":"KwWv4fMNNHA","ephemeral":"Z13VdO13iTELPS52gfN5C0ZsdzsVIf7PNld5WDcepS8","ciphertext":"RCiGOfwiW9PgDJwpXkANfe5C8Yg6og3wC1gWENEzhjOsCRYmMwVRTKqz0+rhsfE1","unsigned":{"x":1.5},"signatures":{}}"#;
    let authenticated: Value = serde_json::from_str(&mac_key.authenticate(session_data).unwrap()).unwrap();
    assert_eq!(
        authenticated["unsigned"],
        json!({"org.matrix.msc4048.backup_mac": "+5Pg+9Cy343BdsXhV1cBaaPgfaoI7qSyLfk0ZVobeUs"})
    );
    assert_eq!(authenticated["signatures"], json!({}));
    mac_key.verify(&authenticated.to_string()).unwrap();
}

// B48-3, B48-4
#[test]
fn a_session_is_stored_and_restored_with_its_word() {
    let (key, mac_key) = (key(), BackupMacKey::of(&key()));
    let backup = ServerBackup::parse(&msc4048_answer(&key)).unwrap();
    assert!(matches!(backup.trust(&by_key(&key)), Err(UntrustedBackup::Unusable(_))), "not of version 1");
    let v1 = support::server_backup(&mx_key_backup::AuthData::new(key.public_key()));
    assert!(TrustedMsc4048Backup::new(&v1, &by_key(&key)).is_err(), "nor the other way round");
    let nothing =
        TrustAnchors { user_id: alice(), master_signing_key: None, devices: &[], decryption_key: None };
    assert!(TrustedMsc4048Backup::new(&backup, &nothing).is_err());
    let other = BackupDecryptionKey::from_bytes(&[1; 32]);
    let anchors = TrustAnchors { decryption_key: Some((&other, KeySource::TypedIn)), ..nothing };
    assert!(TrustedMsc4048Backup::new(&backup, &anchors).is_err());

    let backup = TrustedMsc4048Backup::new(&backup, &by_key(&key)).unwrap();
    let data = session_data(1);
    let id = data.session_id();
    let id = SessionId::parse(id.as_str()).unwrap();
    let words = [
        Authenticity::Authenticated,
        Authenticity::UNDEFINED,
        Authenticity::LEGACY_V1,
        Authenticity::FORWARDED,
        Authenticity::Unauthenticated("org.example \"x\"".into()),
    ];
    for word in words {
        let json = backup.encrypt_session_data(&mut rng(1), &mac_key, &data, &word).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        assert!(value.get("mac").is_none());
        let authentic = mac_key.verify(&json).unwrap();
        let (session, found) = key.decrypt_msc4048(room(), id, &authentic).unwrap();
        assert_eq!((session.data().session_id(), found), (data.session_id(), word));
        let entry = format!("{{\"session_data\":{json}}}");
        assert!(mac_key.verify_entry(entry.as_bytes()).is_ok());

        // Each character that the MAC covers, changed.
        for member in ["ciphertext", "ephemeral"] {
            let text = value[member].as_str().unwrap();
            for index in 0..text.len() {
                let mut changed = text.as_bytes().to_vec();
                changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
                let mut value = value.clone();
                value[member] = String::from_utf8(changed).unwrap().into();
                assert_eq!(mac_key.verify(&value.to_string()).unwrap_err(), BackupMacError::Mismatch);
            }
        }
        let mut more = value.clone();
        more["new"] = 1.into();
        assert_eq!(mac_key.verify(&more.to_string()).unwrap_err(), BackupMacError::Mismatch);
        assert_eq!(
            BackupMacKey::of(&other).verify(&json).unwrap_err(),
            BackupMacError::Mismatch,
            "under another key"
        );
        let mut without = value.clone();
        without.as_object_mut().unwrap().remove("unsigned");
        assert_eq!(mac_key.verify(&without.to_string()).unwrap_err(), BackupMacError::Missing);
        for mac in ["", "AAAA", "+5Pg+9Cy3401"] {
            let mut value = value.clone();
            value["unsigned"]["org.matrix.msc4048.backup_mac"] = mac.into();
            assert!(matches!(mac_key.verify(&value.to_string()).unwrap_err(), BackupMacError::Base64(_)));
        }
    }
}

// B48-3: both MACs in a backup of version 1.
#[test]
fn an_entry_of_version_1_may_have_both_macs() {
    let mac_key = BackupMacKey::of(&key());
    let data = session_data(1);
    let encrypted = trusted(&key()).encrypt_session_data(&mut rng(1), &data).unwrap();
    let both = mac_key.authenticate(&encrypted.emit()).unwrap();
    assert_eq!(mx_key_backup::EncryptedSessionData::parse(both.as_bytes()).unwrap(), encrypted);
    assert!(mac_key.verify(&both).is_ok());
}

// B48-4
#[test]
fn only_what_came_first_hand_from_its_first_index_on_is_authenticated() {
    let session = first_hand(1, room(), 5);
    assert_eq!(Authenticity::of(&session), Authenticity::Authenticated);
    let restored = |index| {
        let earlier = first_hand(1, room(), index);
        let entry = trusted(&key()).encrypt(&mut rng(1), &earlier).unwrap();
        let id = earlier.session_id();
        let id = SessionId::parse(id.as_str()).unwrap();
        key().decrypt(room(), id, &entry.session_data).unwrap().into_room_key()
    };
    assert_eq!(Authenticity::of(&restored(0)), Authenticity::LEGACY_V1);
    let mut merged = first_hand(1, room(), 5);
    merged.merge(restored(0)).unwrap();
    assert_eq!(Authenticity::of(&merged), Authenticity::LEGACY_V1, "its beginning is of a backup");
}

#[test]
fn attack_068_the_mac_key_is_not_printed() {
    let mac_key = BackupMacKey::of(&key());
    assert_eq!(format!("{mac_key:?}"), "BackupMacKey { .. }");
}
