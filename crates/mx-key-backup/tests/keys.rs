//! Decryption keys: their forms, and old passphrases.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_key_backup::{
    AuthData, BackupDecryptionKey, KeyRepresentationError, MAX_ITERATIONS, MalformedObject, PassphraseError,
    SecretError, SecretForm,
};
use mx_types::base64::{self, DecodeError};
use support::{key, rng};

// BAK-1
#[test]
fn the_public_key_is_x25519_of_the_bytes_as_they_are() {
    let bytes = [0xff; 32];
    let key = BackupDecryptionKey::from_bytes(&bytes);
    assert_eq!(*key.as_bytes(), bytes, "stored unclamped");
    let auth_data = AuthData::new(key.public_key());
    let text = format!("{{\"public_key\":\"{}\"}}", key.public_key());
    assert_eq!(auth_data.as_str(), text);
    assert_eq!(key.public_key().to_string().len(), 43, "unpadded");
    let (one, other) =
        (BackupDecryptionKey::generate(&mut rng(1)), BackupDecryptionKey::generate(&mut rng(2)));
    assert_ne!(one.unwrap().as_bytes(), other.unwrap().as_bytes());
}

// BAK-5
#[test]
fn a_secret_is_base64_padded_or_not_or_decimal_numbers() {
    let decimal = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let key = key();
    let unpadded = key.to_base64();
    assert_eq!(unpadded.len(), 43);
    let texts = [
        (unpadded.to_string(), SecretForm::Base64),
        (format!("{}=", *unpadded), SecretForm::Base64),
        (decimal(key.as_bytes()), SecretForm::LegacyDecimal),
    ];
    for (text, form) in texts {
        let (read, found) = BackupDecryptionKey::from_secret(&text).unwrap();
        assert_eq!((read.as_bytes(), found), (key.as_bytes(), form));
    }
    for bytes in [&[0; 32][..], &[255; 32]] {
        let (read, _) = BackupDecryptionKey::from_secret(&decimal(bytes)).unwrap();
        assert_eq!(read.as_bytes(), bytes);
    }

    let error = |text: &str| BackupDecryptionKey::from_secret(text).unwrap_err();
    assert_eq!(error(&base64::encode_to_string(&[1; 31])), SecretError::Length);
    assert_eq!(error(&base64::encode_to_string(&[1; 33])), SecretError::Length);
    assert_eq!(error(&format!(" {}", *unpadded)), SecretError::Length);
    assert_eq!(error(""), SecretError::Length);
    assert_eq!(error("A"), SecretError::Base64(DecodeError::InvalidLength));
    assert_eq!(error(&format!("-{}", &unpadded[1..])), SecretError::Base64(DecodeError::InvalidCharacter));
    assert_eq!(error(&decimal(&[1; 31])), SecretError::Length);
    assert_eq!(error(&decimal(&[1; 33])), SecretError::Length);
    for wrong in ["256", "-1", "+1", "", " 1", "1.0", "0x1", "1e1"] {
        let text = format!("{wrong},{}", decimal(&[1; 31]));
        assert_eq!(error(&text), SecretError::Decimal, "{wrong}");
    }
}

// BAK-5
#[test]
fn attack_145_a_mistyped_key_is_refused() {
    let key = key();
    let shown = key.to_key_representation();
    assert_eq!(shown.len(), 59);
    for spaced in [shown.to_string(), shown.replace(' ', ""), shown.replace(' ', "  \n")] {
        let read = BackupDecryptionKey::from_key_representation(&spaced).unwrap();
        assert_eq!(read.as_bytes(), key.as_bytes());
    }
    let error = |text: &str| BackupDecryptionKey::from_key_representation(text).map(drop).unwrap_err();
    let vectors = [
        ("EsTpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRk", KeyRepresentationError::Parity),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRk", KeyRepresentationError::Prefix),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr2r9S9", KeyRepresentationError::Length),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr0OIl", KeyRepresentationError::Alphabet),
        ("", KeyRepresentationError::Length),
    ];
    for (text, expected) in vectors {
        assert_eq!(error(text), expected);
    }
    // Behind the key nothing may stand: matrix-rust-sdk's reader of backup keys does not look (REC-4).
    assert_eq!(error(&format!("{}1", *shown)), KeyRepresentationError::Length);
    assert_eq!(error(&format!("1{}", *shown)), KeyRepresentationError::Length);
    assert_eq!(error(&shown[..57]), KeyRepresentationError::Length);
}

#[test]
fn attack_008_no_key_without_randomness() {
    struct Broken(Option<u8>);
    impl rand_core::TryRng for Broken {
        type Error = core::fmt::Error;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            out.fill(self.0.ok_or(core::fmt::Error)?);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Broken {}
    for broken in [None, Some(0)] {
        assert!(BackupDecryptionKey::generate(&mut Broken(broken)).is_err());
        let backup = support::trusted(&key());
        let error = backup.encrypt_bytes(&mut Broken(broken), b"session").unwrap_err();
        assert_eq!(error, mx_key_backup::EncryptError::RandomnessFailed);
    }
}

fn passphrase_data(members: &str) -> AuthData {
    let text = format!("{{\"public_key\":\"{}\"{members}}}", key().public_key());
    AuthData::parse(&text).unwrap()
}

// BAK-6: SSS-54's known answer, of an independent program; the salt is its text.
#[test]
fn the_key_of_an_old_backup_follows_from_its_passphrase() {
    let data = passphrase_data(r#","private_key_salt":"MmMsAlty","private_key_iterations":1000"#);
    let info = data.passphrase().unwrap().unwrap();
    assert_eq!((info.salt(), info.iterations()), ("MmMsAlty", 1000));
    let mut derivation = info.derive("passphrase", MAX_ITERATIONS).unwrap();
    while derivation.step(100) > 0 {}
    assert_eq!(*derivation.finish().to_base64(), "uexBtnrv4YSeGXlBXnnYbMj716qT9G0o/PFrYaf9zlw");
    let whole = info.derive("passphrase", 1000).unwrap().finish();
    assert_eq!(*whole.to_base64(), "uexBtnrv4YSeGXlBXnnYbMj716qT9G0o/PFrYaf9zlw");
    assert_eq!(passphrase_data("").passphrase(), Ok(None));
}

#[test]
fn attack_137_iterations_and_bits_are_bounded_before_any_work() {
    let error = |iterations: &str| {
        let members = format!(r#","private_key_salt":"salt","private_key_iterations":{iterations}"#);
        match passphrase_data(&members).passphrase() {
            Ok(info) => info.unwrap().derive("x", MAX_ITERATIONS).map(drop).unwrap_err(),
            Err(error) => error,
        }
    };
    let too_many = |iterations| PassphraseError::TooManyIterations { iterations, limit: MAX_ITERATIONS };
    let before = std::time::Instant::now();
    assert_eq!(error("0"), PassphraseError::NoIterations);
    assert_eq!(error("10000001"), too_many(10_000_001));
    assert_eq!(error("4294967295"), too_many(u32::MAX));
    assert_eq!(error("4294967296"), too_many(u32::MAX));
    assert_eq!(error("9007199254740991"), too_many(u32::MAX));
    let wrong_type = |member| PassphraseError::Object(MalformedObject::WrongType { member });
    assert_eq!(error("-1"), wrong_type("private_key_iterations"));
    assert_eq!(error("\"1000\""), wrong_type("private_key_iterations"));
    assert_eq!(
        passphrase_data(r#","private_key_iterations":1"#).passphrase(),
        Err(PassphraseError::Object(MalformedObject::Missing { member: "private_key_salt" }))
    );
    assert_eq!(
        passphrase_data(r#","private_key_salt":"""#).passphrase(),
        Err(PassphraseError::Object(MalformedObject::Missing { member: "private_key_iterations" }))
    );
    for bits in [8, 255, 1_000_000_000] {
        let members =
            format!(r#","private_key_salt":"","private_key_iterations":1,"private_key_bits":{bits}"#);
        assert_eq!(passphrase_data(&members).passphrase(), Err(PassphraseError::Bits { bits }));
    }
    let members = r#","private_key_salt":"","private_key_iterations":1,"private_key_bits":256"#;
    assert!(passphrase_data(members).passphrase().unwrap().is_some());
    assert!(before.elapsed().as_millis() < 100);
}

#[test]
fn attack_068_keys_are_not_printed() {
    let key = key();
    let printed = format!("{key:?} {key:#?} {:?}", BackupDecryptionKey::from_secret("1,2").unwrap_err());
    assert!(printed.contains(&key.public_key().to_string()));
    let secret = key.as_bytes();
    let forms = [
        secret.map(|byte| format!("{byte:02x}")).concat(),
        key.to_base64().to_string(),
        secret.map(|byte| byte.to_string()).join(", "),
        key.to_key_representation().replace(' ', ""),
    ];
    for form in forms {
        for run in form.as_bytes().windows(8) {
            assert!(!printed.as_bytes().windows(8).any(|window| window == run), "{printed}");
        }
    }
}
