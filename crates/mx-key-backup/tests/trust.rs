//! `auth_data`: reading, signing, and why a backup is trusted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_curve25519::Ed25519SecretKey;
use mx_key_backup::{
    ALGORITHM, Anchor, AuthData, AuthDataError, BackupDecryptionKey, Doubt, KeySource, MAX_AUTH_DATA_LEN,
    MalformedObject, NewBackup, Problem, ServerBackup, TrustAnchors, UntrustedBackup, VersionError,
};
use mx_signing::VerifyError;
use mx_types::{DeviceId, InvalidKey, UserId};
use serde_json::{Value, json};
use support::{alice, answer, by_key, key, server_backup};

fn msk() -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&[1; 32])
}

fn device() -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&[2; 32])
}

fn phone() -> DeviceId<'static> {
    DeviceId::parse("PHONE").unwrap()
}

fn nothing() -> TrustAnchors<'static> {
    TrustAnchors { user_id: alice(), master_signing_key: None, devices: &[], decryption_key: None }
}

fn signed() -> AuthData {
    let auth_data = AuthData::new(key().public_key());
    let auth_data = auth_data.sign_by_master_signing_key(&msk(), msk().public_key(), alice()).unwrap();
    auth_data.sign_by_device(&device(), alice(), phone()).unwrap()
}

fn doubts(backup: &ServerBackup, anchors: &TrustAnchors<'_>) -> Vec<Doubt> {
    let error = backup.trust(anchors).unwrap_err();
    let UntrustedBackup::NoGround(doubts) = error else { unreachable!("{error}") };
    doubts
}

// BAK-2
#[test]
fn auth_data_is_signed_and_unknown_members_are_kept_and_covered() {
    let text = format!(
        r#"{{"public_key":"{}","org.example.new":{{"a":1}},"unsigned":{{"age":1.5}},"signatures":{{"@alice:example.org":{{"ed25519:OLD":"x"}}}}}}"#,
        key().public_key()
    );
    let auth_data = AuthData::parse(&text).unwrap();
    assert_eq!(auth_data.as_str(), text, "kept as it came");
    let auth_data = auth_data.sign_by_device(&device(), alice(), phone()).unwrap();
    let value: Value = serde_json::from_str(auth_data.as_str()).unwrap();
    assert_eq!(value["org.example.new"], json!({"a": 1}));
    assert_eq!(value["unsigned"], json!({"age": 1.5}));
    assert_eq!(value["signatures"]["@alice:example.org"]["ed25519:OLD"], "x");

    let devices = [(phone(), device().public_key())];
    let anchors = TrustAnchors { devices: &devices, ..nothing() };
    assert!(server_backup(&auth_data).trust(&anchors).is_ok());
    let mut changed = value.clone();
    changed["org.example.new"]["a"] = 2.into();
    let backup = ServerBackup::parse(&answer(&changed.to_string())).unwrap();
    assert_eq!(doubts(&backup, &anchors)[0].problem, Problem::Signature(VerifyError::InvalidSignature));
    let mut without = value;
    without.as_object_mut().unwrap().remove("org.example.new");
    let backup = ServerBackup::parse(&answer(&without.to_string())).unwrap();
    assert_eq!(doubts(&backup, &anchors)[0].problem, Problem::Signature(VerifyError::InvalidSignature));
}

// BAK-3
#[test]
fn a_backup_is_trusted_by_each_of_three_grounds_alone() {
    let backup = server_backup(&signed());
    let devices = [(phone(), device().public_key())];
    let of_msk = Anchor::MasterSigningKey(msk().public_key());
    let of_device = Anchor::Device { device_id: "PHONE".into(), key: device().public_key() };

    let anchors = TrustAnchors { master_signing_key: Some(msk().public_key()), ..nothing() };
    let trusted = backup.trust(&anchors).unwrap();
    assert_eq!((trusted.grounds(), trusted.doubts()), (&[of_msk.clone()][..], &[][..]));
    assert_eq!((trusted.version(), trusted.public_key()), ("7", key().public_key()));

    let trusted = backup.trust(&TrustAnchors { devices: &devices, ..nothing() }).unwrap();
    assert_eq!(trusted.grounds(), core::slice::from_ref(&of_device));

    let key = key();
    for source in
        [KeySource::Generated, KeySource::TypedIn, KeySource::SecretStorage, KeySource::SecretSharing]
    {
        let anchors = TrustAnchors { decryption_key: Some((&key, source)), ..nothing() };
        assert_eq!(backup.trust(&anchors).unwrap().grounds(), [Anchor::DecryptionKey(source)]);
    }

    // All of them, and the key of another backup: sessions can be stored, but not restored.
    let other = BackupDecryptionKey::from_bytes(&[3; 32]);
    let anchors = TrustAnchors {
        master_signing_key: Some(msk().public_key()),
        devices: &devices,
        decryption_key: Some((&other, KeySource::SecretStorage)),
        ..nothing()
    };
    let trusted = backup.trust(&anchors).unwrap();
    assert_eq!(trusted.grounds(), [of_msk, of_device]);
    assert_eq!(
        trusted.doubts(),
        [Doubt { anchor: Anchor::DecryptionKey(KeySource::SecretStorage), problem: Problem::OtherPublicKey }]
    );
}

// BAK-3
#[test]
fn attack_134_nothing_is_encrypted_for_a_key_that_nothing_trusted_vouches_for() {
    // That this does not even compile without trust, the documentation of `TrustedBackup` shows.
    let attacker = BackupDecryptionKey::from_bytes(&[66; 32]);
    let (key, devices) = (key(), [(phone(), device().public_key())]);
    let anchors = TrustAnchors {
        master_signing_key: Some(msk().public_key()),
        devices: &devices,
        decryption_key: Some((&key, KeySource::SecretStorage)),
        ..nothing()
    };
    let foreign = Ed25519SecretKey::from_seed(&[9; 32]);
    let bob = UserId::parse("@bob:example.org").unwrap();
    let unsigned = AuthData::new(attacker.public_key());
    // By a key that is not ours, under our names; by our keys, but for somebody else; by a device that is not verified.
    let as_msk = unsigned.sign_by_master_signing_key(&foreign, msk().public_key(), alice()).unwrap();
    let as_device = unsigned.sign_by_device(&foreign, alice(), phone()).unwrap();
    let of_bob = unsigned.sign_by_master_signing_key(&msk(), msk().public_key(), bob).unwrap();
    let elsewhere = DeviceId::parse("OTHER").unwrap();
    let of_other_device = unsigned.sign_by_device(&device(), alice(), elsewhere).unwrap();
    // Our signatures, and the attacker's key in the place of ours.
    let mut exchanged: Value = serde_json::from_str(signed().as_str()).unwrap();
    exchanged["public_key"] = attacker.public_key().to_string().into();
    let exchanged = AuthData::parse(&exchanged.to_string()).unwrap();
    for auth_data in [&unsigned, &as_msk, &as_device, &of_bob, &of_other_device, &exchanged] {
        let backup = server_backup(auth_data);
        let doubts = doubts(&backup, &anchors);
        assert_eq!(doubts.len(), 3, "each is named: {doubts:?}");
        assert_eq!(doubts[2].problem, Problem::OtherPublicKey);
    }
    // Nor for a right one, where nothing is trusted yet.
    let error = server_backup(&signed()).trust(&nothing()).unwrap_err();
    assert_eq!(error, UntrustedBackup::NoGround(Vec::new()));
    assert_eq!(error.to_string(), "backup is not trusted: there is nothing yet that could vouch for it");
    let error = server_backup(&as_msk).trust(&anchors).unwrap_err().to_string();
    assert!(error.contains("master signing key: ") && error.contains("device PHONE: "), "{error}");
}

#[test]
fn attack_006_public_keys_of_small_order_are_no_public_keys() {
    for (bytes, error) in [
        ([0; 32], InvalidKey::SmallOrder),
        ([0xff; 32], InvalidKey::NonCanonical),
        (core::array::from_fn(|i| u8::from(i == 0)), InvalidKey::SmallOrder),
    ] {
        let text = format!("{{\"public_key\":\"{}\"}}", mx_types::base64::encode_to_string(&bytes));
        assert_eq!(AuthData::parse(&text).unwrap_err(), AuthDataError::PublicKey(error));
        let backup = ServerBackup::parse(&answer(&text)).unwrap();
        let error = backup.trust(&by_key(&key())).unwrap_err();
        assert!(matches!(error, UntrustedBackup::Unusable(AuthDataError::PublicKey(_))));
    }
}

// BAK-4
#[test]
fn a_backup_of_an_unknown_algorithm_is_kept_and_not_used() {
    let text = r#"{"algorithm":"org.example.v9","auth_data":{"x": 1.5},"version":"1","etag":"e","count":0}"#;
    let backup = ServerBackup::parse(text).unwrap();
    assert_eq!(backup.algorithm(), "org.example.v9");
    assert_eq!(backup.auth_data().unwrap_err(), AuthDataError::UnknownAlgorithm);
    let error = backup.trust(&by_key(&key())).unwrap_err();
    assert_eq!(error, UntrustedBackup::Unusable(AuthDataError::UnknownAlgorithm));
    let update = backup.update(&AuthData::new(key().public_key())).unwrap_err();
    assert_eq!(update, VersionError::AuthData(AuthDataError::UnknownAlgorithm));
}

// BAK-1, BAK-32
#[test]
fn a_backup_is_made_described_and_signed_once_more() {
    let body: Value = serde_json::from_str(&NewBackup::new(signed()).body()).unwrap();
    assert_eq!(body["algorithm"], ALGORITHM);
    assert_eq!(body["auth_data"]["public_key"], key().public_key().to_string());
    assert_eq!(body["auth_data"]["signatures"]["@alice:example.org"].as_object().unwrap().len(), 2);
    assert_eq!(NewBackup::version(r#"{"version":"9"}"#).unwrap(), "9");
    assert_eq!(NewBackup::version(r#"{"version":""}"#), Err(VersionError::EmptyVersion));
    assert!(NewBackup::version("[]").is_err());

    let backup = server_backup(&AuthData::new(key().public_key()));
    assert_eq!((backup.version(), backup.etag(), backup.count()), ("7", "0", 3));
    let update: Value = serde_json::from_str(&backup.update(&signed()).unwrap()).unwrap();
    assert_eq!((&update["algorithm"], &update["version"]), (&ALGORITHM.into(), &"7".into()));
    assert_eq!(update["auth_data"], body["auth_data"]);
    let other = AuthData::new(BackupDecryptionKey::from_bytes(&[3; 32]).public_key());
    assert_eq!(backup.update(&other).unwrap_err(), VersionError::OtherPublicKey);
}

#[test]
fn each_fault_of_an_answer_has_a_name() {
    let good: Value = serde_json::from_str(&answer(signed().as_str())).unwrap();
    for member in ["algorithm", "auth_data", "version", "etag", "count"] {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(member);
        let missing = VersionError::Object(MalformedObject::Missing { member });
        assert_eq!(ServerBackup::parse(&without.to_string()), Err(missing));
        let mut wrong = good.clone();
        wrong[member] = json!([]);
        let wrong_type = VersionError::Object(MalformedObject::WrongType { member });
        assert_eq!(ServerBackup::parse(&wrong.to_string()), Err(wrong_type));
        let twice = good.to_string().replacen('{', &format!("{{\"{member}\":1,"), 1);
        let repeated = VersionError::Object(MalformedObject::Repeated { member });
        assert_eq!(ServerBackup::parse(&twice), Err(repeated));
    }
    let mut empty = good.clone();
    empty["version"] = "".into();
    assert_eq!(ServerBackup::parse(&empty.to_string()), Err(VersionError::EmptyVersion));

    let error = |text: &str| AuthData::parse(text).unwrap_err();
    assert!(matches!(error("[]"), AuthDataError::Json(_)));
    assert!(matches!(error(r#"{"public_key":"x","public_key":"x"}"#), AuthDataError::Json(_)));
    assert!(matches!(error(r#"{"public_key":"x","a":1.5}"#), AuthDataError::Json(_)));
    assert_eq!(error("{}"), AuthDataError::Object(MalformedObject::Missing { member: "public_key" }));
    let wrong_type = MalformedObject::WrongType { member: "public_key" };
    assert_eq!(error(r#"{"public_key":1}"#), AuthDataError::Object(wrong_type));
    assert!(matches!(error(r#"{"public_key":"AA"}"#), AuthDataError::PublicKey(InvalidKey::Base64(_))));
    let long = format!(r#"{{"public_key":"{}"}}"#, "A".repeat(MAX_AUTH_DATA_LEN));
    assert!(matches!(error(&long), AuthDataError::Json(_)));
    // Signatures of a wrong form are as good as none.
    for signatures in ["1", "{\"@alice:example.org\":1}", "{\"@alice:example.org\":{\"ed25519:PHONE\":1}}"] {
        let text = format!(r#"{{"public_key":"{}","signatures":{signatures}}}"#, key().public_key());
        let backup = ServerBackup::parse(&answer(&text)).unwrap();
        let devices = [(phone(), device().public_key())];
        let doubts = doubts(&backup, &TrustAnchors { devices: &devices, ..nothing() });
        assert!(matches!(doubts[0].problem, Problem::Signature(_)));
        assert!(backup.trust(&by_key(&key())).is_ok());
    }
}
