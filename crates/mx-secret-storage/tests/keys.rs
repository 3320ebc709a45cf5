//! Keys, their descriptions, and what users type.

use core::num::NonZeroU32;

use mx_secret_storage::{
    DEFAULT_ITERATIONS, KeyCheck, KeyDerivation, KeyDescription, KeyDescriptionError, MAX_ITERATIONS,
    MAX_OBJECT_LEN, MalformedObject, NewPassphraseError, PassphraseError, SecretStorageKey, UnlockError,
    default_key_content, generate_key_id, key_event_type, parse_default_key,
};
use mx_types::RandomnessFailed;
use mx_types::base64::DecodeError;
use mx_types::key_representation::KeyRepresentationError;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const ALGORITHM: &str = r#""algorithm":"m.secret_storage.v1.aes-hmac-sha2""#;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn parse(members: &str) -> Result<KeyDescription, KeyDescriptionError> {
    KeyDescription::parse(&format!("{{{ALGORITHM}{members}}}"))
}

fn rounds(rounds: u32) -> NonZeroU32 {
    NonZeroU32::new(rounds).expect("is not zero")
}

/// A description of a key from "open sesame" with ten rounds.
fn from_passphrase() -> (SecretStorageKey, KeyDescription) {
    let mut rng = rng();
    let derivation = KeyDerivation::new(&mut rng, "open sesame", rounds(10)).expect("is possible");
    let info = derivation.info().clone();
    let key = derivation.finish();
    let description = KeyDescription::new(&mut rng, &key).expect("is possible").with_passphrase(&info);
    (key, KeyDescription::parse(&description.to_json()).expect("was written by us"))
}

// REC-1 REC-3
#[test]
fn a_key_is_shown_and_read_again() {
    let key = SecretStorageKey::generate(&mut rng()).expect("is possible");
    let shown = key.to_representation();
    assert!(shown.starts_with("Es") && shown.len() == 59);
    let read = SecretStorageKey::from_representation(&shown).expect("is a key");
    assert_eq!(read.as_bytes(), key.as_bytes());
}

// SSS-1 SSS-3 SSS-5 SSS-6
#[test]
fn a_description_is_written_with_its_check_unpadded() {
    let mut rng = rng();
    let key = SecretStorageKey::generate(&mut rng).expect("is possible");
    let json = KeyDescription::new(&mut rng, &key).expect("is possible").with_name("Alice \"A\"").to_json();
    assert!(!json.contains('='), "{json}");
    let read = KeyDescription::parse(&json).expect("was written by us");
    assert_eq!(read.name(), Some("Alice \"A\""));
    assert_eq!(read.check(&key), KeyCheck::Valid);
    assert_eq!(read.check(&SecretStorageKey::from_bytes(&[1; 32])), KeyCheck::Invalid);
    assert_eq!(read.passphrase(), Ok(None));
    assert_eq!(read.to_json(), json);
}

// SSS-1
#[test]
fn other_algorithms_are_refused() {
    let other = r#"{"algorithm":"m.secret_storage.v1.curve25519-aes-sha2","iv":"AAECAwQFBgcICQoLDA0ODw"}"#;
    assert_eq!(KeyDescription::parse(other).err(), Some(KeyDescriptionError::UnsupportedAlgorithm));
    let missing = KeyDescriptionError::Object(MalformedObject::Missing { member: "algorithm" });
    assert_eq!(KeyDescription::parse("{}").err(), Some(missing));
}

// SSS-4
#[test]
fn without_iv_or_mac_nobody_can_say() {
    let key = SecretStorageKey::from_bytes(&[1; 32]);
    let (iv, mac) = ("A".repeat(22), "A".repeat(43));
    for members in [String::new(), format!(r#","iv":"{iv}""#), format!(r#","mac":"{mac}""#)] {
        assert_eq!(parse(&members).expect("is a description").check(&key), KeyCheck::Unverifiable);
    }
    let both = parse(&format!(r#","iv":"{iv}","mac":"{mac}""#)).expect("is a description");
    assert_eq!(both.check(&key), KeyCheck::Invalid);
}

// SSS-4 SSS-6
#[test]
fn a_malformed_check_is_an_error_and_not_invalid() {
    let wrong = |member| KeyDescriptionError::Object(MalformedObject::WrongType { member });
    let length = |expected, found| DecodeError::UnexpectedLength { expected, found };
    let long = |bytes: usize| "A".repeat(bytes / 3 * 4 + [0, 2, 3][bytes % 3]);
    let cases = [
        (r#","iv":null"#.to_owned(), wrong("iv")),
        (r#","iv":1"#.to_owned(), wrong("iv")),
        (r#","mac":{}"#.to_owned(), wrong("mac")),
        (r#","iv":"MeowMeowMeow""#.to_owned(), KeyDescriptionError::Iv(length(16, 9))),
        (r#","iv":"""#.to_owned(), KeyDescriptionError::Iv(length(16, 0))),
        (format!(r#","iv":"{}""#, long(15)), KeyDescriptionError::Iv(length(16, 15))),
        (format!(r#","iv":"{}""#, long(49)), KeyDescriptionError::Iv(length(16, 49))),
        (
            r#","iv":"????????????????????????""#.to_owned(),
            KeyDescriptionError::Iv(DecodeError::InvalidCharacter),
        ),
        (format!(r#","mac":"{}""#, long(31)), KeyDescriptionError::Mac(length(32, 31))),
        (format!(r#","mac":"{}""#, long(33)), KeyDescriptionError::Mac(length(32, 33))),
        (r#","mac":"A""#.to_owned(), KeyDescriptionError::Mac(DecodeError::InvalidLength)),
    ];
    for (members, error) in cases {
        assert_eq!(parse(&members).err(), Some(error), "{members}");
    }
    for bytes in [16, 17, 48] {
        let description = parse(&format!(r#","iv":"{}""#, long(bytes))).expect("is taken");
        assert_eq!(description.has_long_iv(), bytes > 16);
    }
}

#[test]
fn unknown_members_are_kept_and_none_may_be_there_twice() {
    let description =
        parse(r#","x.y":[1.5,{"b":1,"a":null}],"name":"a","é":"\ud83d\ude00""#).expect("is taken");
    let json = description.with_name("b").to_json();
    assert_eq!(
        json,
        format!(r#"{{{ALGORITHM},"name":"b","x.y":[1.5,{{"b":1,"a":null}}],"é":"\ud83d\ude00"}}"#)
    );
    for twice in [r#","name":"a","name":"a""#, r#","x":1,"\u0078":2"#] {
        assert_eq!(parse(twice).err(), Some(KeyDescriptionError::Object(MalformedObject::Ambiguous)));
    }
}

#[test]
fn texts_that_are_no_object_are_refused_by_name() {
    let object = |text: &str| match KeyDescription::parse(text) {
        Err(KeyDescriptionError::Object(error)) => error,
        other => panic!("{other:?}"),
    };
    for text in ["[]", "\"algorithm\"", "null", "1"] {
        assert_eq!(object(text), MalformedObject::NotAnObject, "{text}");
    }
    assert_eq!(object(""), MalformedObject::Syntax { position: 0 });
    assert_eq!(object(" "), MalformedObject::Syntax { position: 1 });
    assert_eq!(object("{"), MalformedObject::Syntax { position: 1 });
    assert!(matches!(object("{} {}"), MalformedObject::Syntax { position: 3 }));
    assert!(matches!(object(r#"{"a":"\x"}"#), MalformedObject::Syntax { .. }));
    let long = " ".repeat(MAX_OBJECT_LEN + 1);
    assert_eq!(object(&long), MalformedObject::TooLong { len: long.len(), limit: MAX_OBJECT_LEN });
    let half = KeyDescriptionError::Object(MalformedObject::WrongType { member: "name" });
    assert_eq!(parse(r#","name":"\ud83d""#).err(), Some(half));
    // Members that nobody knows are kept, up to a depth that every reader takes.
    let deep = |depth| format!(r#","deep":{}{}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&deep(127)).is_ok());
    let refused = parse(&deep(128)).err();
    assert!(
        matches!(refused, Some(KeyDescriptionError::Object(MalformedObject::TooDeep { .. }))),
        "{refused:?}"
    );
}

#[test]
fn nothing_that_was_cut_off_is_read() {
    let (_, description) = from_passphrase();
    let json = description.with_name("é").to_json();
    for (end, _) in json.char_indices() {
        assert!(KeyDescription::parse(&json[..end]).is_err(), "{}", &json[..end]);
    }
    let json = default_key_content("é");
    for (end, _) in json.char_indices() {
        assert!(parse_default_key(&json[..end]).is_err(), "{}", &json[..end]);
    }
}

// SSS-10 SSS-12 SSS-13
#[test]
fn a_passphrase_block_that_is_not_understood_leaves_the_key_usable() {
    let key = SecretStorageKey::from_bytes(&[1; 32]);
    let block = |members: &str| format!(r#","passphrase":{members}"#);
    let pbkdf2 = |rest: &str| block(&format!(r#"{{"algorithm":"m.pbkdf2"{rest}}}"#));
    let cases = [
        (block("\"m.pbkdf2\""), PassphraseError::Object(MalformedObject::NotAnObject)),
        (
            pbkdf2(r#","salt":"a","iterations":1,"salt":"a""#),
            PassphraseError::Object(MalformedObject::Ambiguous),
        ),
        (block(r#"{"salt":"a","iterations":1}"#), PassphraseError::UnsupportedAlgorithm),
        (
            block(r#"{"algorithm":"m.argon2","salt":"a","iterations":1}"#),
            PassphraseError::UnsupportedAlgorithm,
        ),
        (pbkdf2(r#","iterations":1"#), PassphraseError::Salt),
        (pbkdf2(r#","salt":"","iterations":1"#), PassphraseError::Salt),
        (pbkdf2(r#","salt":1,"iterations":1"#), PassphraseError::Salt),
        (pbkdf2(r#","salt":"a""#), PassphraseError::Iterations),
        (pbkdf2(r#","salt":"a","iterations":0"#), PassphraseError::Iterations),
        (pbkdf2(r#","salt":"a","iterations":-5"#), PassphraseError::Iterations),
        (pbkdf2(r#","salt":"a","iterations":1.5"#), PassphraseError::Iterations),
        (pbkdf2(r#","salt":"a","iterations":"500000""#), PassphraseError::Iterations),
        (pbkdf2(r#","salt":"a","iterations":1,"bits":255"#), PassphraseError::Bits),
        (pbkdf2(r#","salt":"a","iterations":1,"bits":512"#), PassphraseError::Bits),
        (pbkdf2(r#","salt":"a","iterations":1,"bits":"256""#), PassphraseError::Bits),
    ];
    for (members, error) in cases {
        let description = parse(&members).expect("is a description all the same");
        assert_eq!(description.passphrase(), Err(error), "{members}");
        let typed = description.unlock("a passphrase", MAX_ITERATIONS).err();
        assert_eq!(typed, Some(UnlockError::Passphrase(error)));
        let unlocking = description.unlock(&key.to_representation(), MAX_ITERATIONS).expect("is a key");
        assert_eq!(unlocking.finish().expect("is a key").key.as_bytes(), key.as_bytes());
    }
    assert_eq!(parse(&block("null")).expect("is a description").passphrase(), Ok(None));
}

// SSS-11 SSS-13
#[test]
fn a_new_passphrase_has_a_salt_of_its_own_and_many_rounds() {
    let mut rng = rng();
    let derivation = KeyDerivation::new(&mut rng, "a", DEFAULT_ITERATIONS).expect("is possible");
    assert_eq!(derivation.info().salt().len(), 32);
    assert_eq!((derivation.info().iterations().get(), derivation.remaining()), (500_000, 499_999));
    let other = KeyDerivation::new(&mut rng, "a", DEFAULT_ITERATIONS).expect("is possible");
    assert_ne!(other.info().salt(), derivation.info().salt());

    let empty = KeyDerivation::new(&mut rng, "", DEFAULT_ITERATIONS).err();
    assert_eq!(empty, Some(NewPassphraseError::EmptyPassphrase));
    let too_many = KeyDerivation::new(&mut rng, "a", rounds(MAX_ITERATIONS + 1)).err();
    assert_eq!(too_many, Some(NewPassphraseError::TooManyIterations { max: MAX_ITERATIONS }));
}

#[test]
fn a_derivation_in_steps_gives_the_same_key() {
    let (key, description) = from_passphrase();
    let mut unlocking = description.unlock("open sesame", MAX_ITERATIONS).expect("is possible");
    let remaining: Vec<_> = (0..4).map(|_| unlocking.step(4)).collect();
    assert_eq!(remaining, [5, 1, 0, 0]);
    assert_eq!(unlocking.finish().expect("is it").key.as_bytes(), key.as_bytes());
}

// SSS-14
#[test]
fn what_is_typed_may_be_the_passphrase_or_the_key() {
    let (key, description) = from_passphrase();
    for typed in ["open sesame", &key.to_representation(), &key.to_representation().replace(' ', "")] {
        let unlocked =
            description.unlock(typed, MAX_ITERATIONS).expect("is possible").finish().expect("is it");
        assert_eq!((unlocked.key.as_bytes(), unlocked.check), (key.as_bytes(), KeyCheck::Valid));
    }
    let other = SecretStorageKey::from_bytes(&[1; 32]).to_representation();
    for typed in ["open", "", &other] {
        let unlocking = description.unlock(typed, MAX_ITERATIONS).expect("may be a passphrase");
        assert_eq!(unlocking.finish().err(), Some(UnlockError::WrongPassphrase), "{typed}");
    }
}

// SSS-14
#[test]
fn a_passphrase_that_reads_as_a_key_is_a_passphrase_all_the_same() {
    let mut rng = rng();
    let passphrase = SecretStorageKey::from_bytes(&[1; 32]).to_representation();
    let derivation = KeyDerivation::new(&mut rng, &passphrase, rounds(10)).expect("is possible");
    let info = derivation.info().clone();
    let key = derivation.finish();
    let description = KeyDescription::new(&mut rng, &key).expect("is possible").with_passphrase(&info);
    let unlocked = description.unlock(&passphrase, MAX_ITERATIONS).expect("is possible").finish();
    assert_eq!(unlocked.expect("is it").key.as_bytes(), key.as_bytes());
}

// SSS-4 SSS-14
#[test]
fn without_a_check_what_is_typed_is_unverifiable() {
    let key = SecretStorageKey::from_bytes(&[1; 32]);
    let description =
        parse(r#","passphrase":{"algorithm":"m.pbkdf2","salt":"a","iterations":1}"#).expect("is one");
    for typed in ["any passphrase", &key.to_representation()] {
        let unlocked =
            description.unlock(typed, MAX_ITERATIONS).expect("is possible").finish().expect("may be");
        assert_eq!(unlocked.check, KeyCheck::Unverifiable);
    }
}

#[test]
fn without_a_passphrase_only_the_key_opens() {
    let mut rng = rng();
    let key = SecretStorageKey::generate(&mut rng).expect("is possible");
    let description = KeyDescription::new(&mut rng, &key).expect("is possible");
    let refused = |typed: &str| description.unlock(typed, MAX_ITERATIONS).err();
    let other = SecretStorageKey::from_bytes(&[1; 32]).to_representation();
    assert_eq!(refused(&other), Some(UnlockError::WrongKey));
    assert_eq!(refused("0pen sesame"), Some(UnlockError::NotAKey(KeyRepresentationError::Alphabet)));
    assert_eq!(refused(""), Some(UnlockError::NotAKey(KeyRepresentationError::Length)));
}

// SSS-2
#[test]
fn the_default_key_is_named_by_its_id() {
    let id = "a\"b/日";
    assert_eq!(parse_default_key(&default_key_content(id)), Ok(Some(id.to_owned())));
    assert_eq!(parse_default_key("{}"), Ok(None));
    let wrong = MalformedObject::WrongType { member: "key" };
    for content in [r#"{"key":null}"#, r#"{"key":1}"#, r#"{"key":"\ud800"}"#] {
        assert_eq!(parse_default_key(content), Err(wrong), "{content}");
    }
    assert_eq!(parse_default_key(r#"{"key":"a","key":"a"}"#), Err(MalformedObject::Ambiguous));
    assert_eq!(parse_default_key("[]"), Err(MalformedObject::NotAnObject));
}

// SSS-2
#[test]
fn key_ids_are_letters_and_digits() {
    let mut rng = rng();
    let id = generate_key_id(&mut rng).expect("is possible");
    assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
    assert_ne!(generate_key_id(&mut rng), Ok(id.clone()));
    assert_eq!(key_event_type(&id), format!("m.secret_storage.key.{id}"));
}

#[test]
fn without_randomness_there_is_no_key() {
    struct Dead;
    impl rand_core::TryRng for Dead {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            out.fill(0);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Dead {}
    let key = SecretStorageKey::from_bytes(&[1; 32]);
    assert_eq!(SecretStorageKey::generate(&mut Dead).err(), Some(RandomnessFailed));
    assert_eq!(KeyDescription::new(&mut Dead, &key).err(), Some(RandomnessFailed));
    assert_eq!(generate_key_id(&mut Dead), Err(RandomnessFailed));
    let derivation = KeyDerivation::new(&mut Dead, "a", DEFAULT_ITERATIONS).err();
    assert_eq!(derivation, Some(NewPassphraseError::RandomnessFailed));
}

#[test]
fn nothing_secret_is_shown() {
    let (key, description) = from_passphrase();
    assert_eq!(format!("{key:?}"), "SecretStorageKey { .. }");
    let unlocking = description.unlock("open sesame", MAX_ITERATIONS).expect("is possible");
    let shown = format!("{unlocking:?}");
    assert!(shown.contains("KeyDerivation { remaining: 9, .. }") && !shown.contains("sesame"), "{shown}");
    let unlocked = unlocking.finish().expect("is it");
    assert_eq!(format!("{unlocked:?}"), "Unlocked { key: SecretStorageKey { .. }, check: Valid }");
}
