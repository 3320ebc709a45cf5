//! What went wrong elsewhere, through the public API.

use core::time::Duration;
use std::time::Instant;

use mx_cross_signing::{ImportError, KeyStorage, OwnIdentity, SecretSource, SigningKeys, Usage};
use mx_curve25519::Ed25519SecretKey;
use mx_secret_storage::{
    DecryptError, EncryptedSecret, EncryptedSecretError, KeyCheck, KeyDescription, KeyDescriptionError,
    KnownDevice, MASTER, MAX_ITERATIONS, MEGOLM_BACKUP_V1, OwnDeviceTrust, PassphraseError, ReadSecretError,
    SELF_SIGNING, Secret, SecretRefused, SecretSend, SecretSharing, SecretStorageKey, StoredSecret,
    UnlockError,
};
use mx_types::base64::{DecodeError, TrailingBits, decode_to_vec, encode_to_string};
use mx_types::key_representation::KeyRepresentationError;
use mx_types::{DeviceId, UserId};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

/// IV 00 01 .. 07 ff .. ff, key 07 .. 07, name "org.example": by AES-CTR and HKDF of Python's `cryptography` 48 (OpenSSL 3.0).
const CARRYING: &str = r#"{"iv":"AAECAwQFBgf//////////w","ciphertext":"0oyGZYnl7Dt06Yil2Yakf+Q+yMAi+imdl/L/k9lmYNM9xUtB7ppe1OWNQdEXQXNb","mac":"dZKc8zlclxZgJkXh4NN2RBclT3i4qzTUqTr4ywbyk5o"}"#;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn key(byte: u8) -> SecretStorageKey {
    SecretStorageKey::from_bytes(&[byte; 32])
}

fn secret(text: &str) -> Secret {
    Secret::new(Zeroizing::new(text.to_owned())).expect("is short")
}

/// The text of a member of a flat object.
fn member<'j>(json: &'j str, name: &str) -> &'j str {
    let (_, after) = json.split_once(&format!(r#""{name}":""#)).expect("is there");
    after.split_once('"').expect("is a string").0
}

fn iv_of(json: &str) -> [u8; 16] {
    let iv = decode_to_vec(member(json, "iv"), TrailingBits::Refused).expect("is Base64");
    iv.try_into().expect("has 16 bytes")
}

// SSS-6
#[test]
fn attack_009_padded_and_unpadded_base64_and_nothing_else() {
    let mut rng = rng();
    let text = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
    let json = key(1).encrypt(&mut rng, MASTER, &secret(text)).expect("is possible").to_json();
    let mut padded = json.clone();
    for name in ["iv", "mac", "ciphertext"] {
        let value = member(&json, name);
        let padding = "=".repeat((4 - value.len() % 4) % 4);
        padded = padded.replace(value, &format!("{value}{padding}"));
        for wrong in
            [format!("{value}===="), format!("{value}\\n"), format!("{value} "), format!("-_{value}")]
        {
            let refused = EncryptedSecret::parse(&json.replace(value, &wrong));
            assert!(refused.is_err(), "{name}: {wrong}");
        }
    }
    assert!(padded.matches('=').count() > 2);
    for json in [json, padded] {
        let encrypted = EncryptedSecret::parse(&json).expect("is read");
        assert!(key(1).decrypt(MASTER, &encrypted).is_ok());
    }
    // A key is stricter: bits that belong to no byte, another alphabet.
    for wrong in ["B", "C", "D", "-", "_", "\n"] {
        assert!(secret(&(text[..42].to_owned() + wrong)).key().is_err());
    }
    assert!(secret(text).key().is_ok() && secret(&format!("{text}=")).key().is_ok());
}

// SSS-5 SSS-28
#[test]
fn attack_018_bit_63_is_never_set_and_the_counter_has_128_bits() {
    let mut rng = rng();
    let (mut union, mut intersection) = ([0_u8; 16], [0xff_u8; 16]);
    for _ in 0..10_000 {
        let encrypted = key(1).encrypt(&mut rng, MASTER, &secret("a")).expect("is possible");
        for (at, byte) in iv_of(&encrypted.to_json()).into_iter().enumerate() {
            union[at] |= byte;
            intersection[at] &= byte;
        }
    }
    let mut expected = [0xff; 16];
    expected[8] = 0x7f;
    assert_eq!((union, intersection), (expected, [0; 16]));
    for _ in 0..100 {
        let description = KeyDescription::new(&mut rng, &key(1)).expect("is possible");
        assert_eq!(iv_of(&description.to_json())[8] & 0x80, 0);
    }

    // Foreign IVs are taken as they are; one whose low half is about to overflow carries into the upper one.
    let encrypted = EncryptedSecret::parse(CARRYING).expect("is read");
    let text = key(7).decrypt("org.example", &encrypted).expect("opens");
    let text = text.validate(|secret| Ok::<_, ()>(secret.as_str().to_owned()));
    assert_eq!(text.as_deref(), Ok("three blocks of sixteen bytes: the carry counts."));
}

// SSS-22 SSS-33
#[test]
fn attack_020_a_flipped_iv_passes_the_mac_and_not_the_import() {
    let mut rng = rng();
    let alice = UserId::parse("@alice:example.org").expect("is a user ID");
    let phone = Ed25519SecretKey::from_seed(&[1; 32]);
    let device_id = DeviceId::parse("PHONE").expect("is a device ID");
    let mut own = OwnIdentity::new(alice, device_id, phone.public_key());
    let keys = SigningKeys::generate(&mut rng, alice, KeyStorage::Secure).expect("is possible");
    own.adopt(keys.identity().expect("all three are there")).expect("is ours");
    let seed = secret(&keys.export(&own, Usage::Master).expect("is there"));
    let encrypted = key(1).encrypt(&mut rng, MASTER, &seed).expect("is possible").to_json();

    let mut import = |json: &str| {
        let encrypted = EncryptedSecret::parse(json).expect("is read");
        let secret = key(1).decrypt(MASTER, &encrypted).expect("the MAC does not cover the IV");
        let mut restored = SigningKeys::none(alice, KeyStorage::Secure);
        secret.validate(|secret| {
            restored.import(&mut own, SecretSource::SecretStorage, MASTER, secret.as_str())
        })
    };
    assert_eq!(import(&encrypted), Ok(Usage::Master));
    for bit in 0..128 {
        let mut flipped = iv_of(&encrypted);
        flipped[bit / 8] ^= 1 << (bit % 8);
        let json = encrypted.replace(member(&encrypted, "iv"), &encode_to_string(&flipped));
        let read = EncryptedSecret::parse(&json).expect("is read");
        match key(1).decrypt(MASTER, &read) {
            Err(error) => assert_eq!(error, DecryptError::NotText),
            Ok(_) => {
                assert!(matches!(import(&json), Err(ImportError::Base64(_) | ImportError::OtherKey { .. })));
            }
        }
    }
    // And if it were Base64, it would be another key.
    let other = secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let other = key(1).encrypt(&mut rng, MASTER, &other).expect("is possible").to_json();
    assert_eq!(import(&other), Err(ImportError::OtherKey { usage: Usage::Master }));
}

// SSS-12 SSS-13
#[test]
fn attack_137_parameters_of_the_server_are_refused_before_any_work() {
    let unlock = |passphrase: &str| {
        let content = format!(
            r#"{{"algorithm":"m.secret_storage.v1.aes-hmac-sha2","passphrase":{{"algorithm":"m.pbkdf2",{passphrase}}}}}"#
        );
        let description = KeyDescription::parse(&content).expect("is a description");
        let start = Instant::now();
        let error = description.unlock("passphrase", MAX_ITERATIONS).err();
        assert!(start.elapsed() < Duration::from_millis(100), "work was done");
        error
    };
    let too_many = |iterations| PassphraseError::TooManyIterations { iterations, max: MAX_ITERATIONS };
    let beyond = |iterations| PassphraseError::TooManyIterations { iterations, max: u32::MAX };
    let cases = [
        (r#""salt":"a","iterations":0"#, PassphraseError::Iterations),
        (r#""salt":"a","iterations":10000001"#, too_many(10_000_001)),
        (r#""salt":"a","iterations":4294967295"#, too_many(4_294_967_295)),
        (r#""salt":"a","iterations":9007199254740992"#, beyond(1 << 53)),
        (r#""salt":"a","iterations":100000000000000000000"#, PassphraseError::Iterations),
        (r#""salt":"a","iterations":1,"bits":8"#, PassphraseError::Bits),
        (r#""salt":"a","iterations":1,"bits":1000000000"#, PassphraseError::Bits),
        (r#""salt":"","iterations":1"#, PassphraseError::Salt),
    ];
    for (passphrase, error) in cases {
        assert_eq!(unlock(passphrase), Some(UnlockError::Passphrase(error)), "{passphrase}");
    }
    assert_eq!(unlock(r#""salt":"a","iterations":10000000"#), None);
    let renamed = r#"{"algorithm":"m.secret_storage.v2"}"#;
    assert_eq!(KeyDescription::parse(renamed).err(), Some(KeyDescriptionError::UnsupportedAlgorithm));
}

// SSS-21 SSS-23
#[test]
fn attack_138_swapped_records_and_swapped_key_ids_do_not_open() {
    let mut rng = rng();
    let (mut master, mut self_signing) = (StoredSecret::new(MASTER), StoredSecret::new(SELF_SIGNING));
    for (stored, text) in [(&mut master, "master"), (&mut self_signing, "self-signing")] {
        stored.encrypt(&mut rng, "a", &key(1), &secret(text)).expect("is possible");
        stored.encrypt(&mut rng, "b", &key(2), &secret(text)).expect("is possible");
    }
    let refused = Some(ReadSecretError::Decrypt(DecryptError::Authentication));
    let swapped = StoredSecret::parse(MASTER, &self_signing.to_json()).expect("is read");
    assert_eq!(swapped.decrypt("a", &key(1)).err(), refused);
    let (a, b) = (master.entry("a").expect("is there"), master.entry("b").expect("is there"));
    let swapped = format!(r#"{{"encrypted":{{"a":{},"b":{}}}}}"#, b.to_json(), a.to_json());
    let swapped = StoredSecret::parse(MASTER, &swapped).expect("is read");
    assert_eq!(swapped.decrypt("a", &key(1)).err(), refused);
    assert_eq!(swapped.decrypt("b", &key(2)).err(), refused);
    assert!(master.decrypt("a", &key(1)).is_ok());
}

/// The device LAPTOP has asked PHONE for the master signing key, and TABLET for the backup's key.
fn two_requests() -> (SecretSharing, String, String) {
    let mut rng = rng();
    let alice = UserId::parse("@alice:example.org").expect("is a user ID");
    let device = |id| DeviceId::parse(id).expect("is a device ID");
    let mut sharing = SecretSharing::new(alice, device("LAPTOP"));
    let one = sharing.request(&mut rng, MASTER, &[device("PHONE")]).expect("is possible");
    let other = sharing.request(&mut rng, MEGOLM_BACKUP_V1, &[device("TABLET")]).expect("is possible");
    (sharing, one.request_id, other.request_id)
}

fn sender<'a>(user_id: &'a str, device_id: &'a str, trust: OwnDeviceTrust) -> KnownDevice<'a> {
    let user_id = UserId::parse(user_id).expect("is a user ID");
    KnownDevice { user_id, device_id: DeviceId::parse(device_id).expect("is a device ID"), trust }
}

fn answer(request_id: &str) -> SecretSend {
    let content =
        format!(r#"{{"request_id":"{request_id}","secret":"right","name":"m.cross_signing.master"}}"#);
    SecretSend::parse(&content).expect("is an answer")
}

// SSS-31 SSS-33
#[test]
fn attack_139_secrets_of_strangers_and_secrets_nobody_asked_for() {
    use OwnDeviceTrust::{CrossSigned, NotVerified, VerifiedHere};
    const ALICE: &str = "@alice:example.org";
    let (mut sharing, one, other) = two_requests();
    let state = format!("{sharing:?}");
    let cases = [
        (sender("@mallory:example.org", "PHONE", CrossSigned), one.as_str(), SecretRefused::NotOwnUser),
        (sender(ALICE, "PHONE", CrossSigned), "another", SecretRefused::NotRequested),
        (sender(ALICE, "PHONE", CrossSigned), "", SecretRefused::NotRequested),
        (sender(ALICE, "TABLET", CrossSigned), &one, SecretRefused::NotAsked),
        (sender(ALICE, "PHONE", CrossSigned), &other, SecretRefused::NotAsked),
        (sender(ALICE, "LAPTOP", CrossSigned), &one, SecretRefused::NotAsked),
        (sender(ALICE, "PHONE", NotVerified), &one, SecretRefused::NotVerified),
    ];
    for (sender, request_id, refused) in cases {
        if request_id.is_empty() {
            assert!(SecretSend::parse(r#"{"request_id":"","secret":"right"}"#).is_err());
            continue;
        }
        assert_eq!(sharing.receive_secret(&sender, &answer(request_id)).err(), Some(refused));
        assert_eq!(format!("{sharing:?}"), state, "nothing has changed");
    }

    // The name is that of the request, whatever the answer says.
    let tablet = sender(ALICE, "TABLET", VerifiedHere);
    let received = sharing.receive_secret(&tablet, &answer(&other)).expect("was asked");
    assert_eq!(received.name(), MEGOLM_BACKUP_V1);
    // First answer only, and none once it was accepted.
    let again = sharing.receive_secret(&tablet, &answer(&other)).err();
    assert_eq!(again, Some(SecretRefused::AnsweredBefore));
    assert!(received.validate(&mut sharing, |_| Ok::<_, ()>(())).is_ok());
    let late = sharing.receive_secret(&tablet, &answer(&other)).err();
    assert_eq!(late, Some(SecretRefused::NotRequested));
    // What does not have the known public key is never handed out.
    let phone = sender(ALICE, "PHONE", CrossSigned);
    let received = sharing.receive_secret(&phone, &answer(&one)).expect("was asked");
    assert!(received.validate(&mut sharing, |secret| secret.key().map(drop)).is_err());
    assert_eq!(sharing.requests().count(), 1, "still open");
}

#[test]
fn attack_140_an_answer_closes_its_own_request_only() {
    let (mut sharing, one, other) = two_requests();
    let phone = sender("@alice:example.org", "PHONE", OwnDeviceTrust::CrossSigned);
    let received = sharing.receive_secret(&phone, &answer(&one)).expect("was asked");
    assert!(received.validate(&mut sharing, |_| Ok::<_, ()>(())).is_ok());
    assert_eq!(sharing.requests().collect::<Vec<_>>(), [(other.as_str(), MEGOLM_BACKUP_V1)]);
}

// REC-3 REC-6
#[test]
fn attack_145_a_mistyped_key_is_named_for_what_it_is() {
    let shown = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";
    let read = |text: &str| SecretStorageKey::from_representation(text).err();
    for good in
        [shown.to_owned(), shown.replace(' ', ""), shown.replace(' ', "  "), format!(" \t{shown}\n\u{a0}")]
    {
        assert_eq!(read(&good), None, "{good}");
    }
    assert_eq!(read(&shown.replace("UE4d", "UE4e")), Some(KeyRepresentationError::Parity));
    assert_eq!(read(&shown.replace("EsTc", "AATc")), Some(KeyRepresentationError::Prefix));
    assert_eq!(read(&shown[..shown.len() - 2]), Some(KeyRepresentationError::Length));
    assert_eq!(read(&format!("{shown}11")), Some(KeyRepresentationError::Length));
    for wrong in ["0", "O", "I", "l"] {
        assert_eq!(
            read(&shown.replace("UE4d", &format!("UE4{wrong}"))),
            Some(KeyRepresentationError::Alphabet)
        );
    }
    // And in the place where people type it.
    let description = KeyDescription::new(&mut rng(), &key(1)).expect("is possible");
    let typed = description.unlock(&shown.replace("UE4d", "UE4e"), MAX_ITERATIONS).err();
    assert_eq!(typed, Some(UnlockError::NotAKey(KeyRepresentationError::Parity)));
    assert_eq!(description.check(&key(1)), KeyCheck::Valid);
    let bad_iv = Some(EncryptedSecretError::Iv(DecodeError::InvalidLength));
    assert_eq!(EncryptedSecret::parse(r#"{"iv":"A","ciphertext":"","mac":""}"#).err(), bad_iv);
}
