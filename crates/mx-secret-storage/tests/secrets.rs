//! Secrets in account data.

use mx_cross_signing::Usage;
use mx_secret_storage::{
    DecryptError, EncryptedSecret, EncryptedSecretError, InvalidKeySecret, MASTER, MAX_ENTRIES,
    MAX_SECRET_LEN, MAX_STORED_SECRET_LEN, MEGOLM_BACKUP_V1, MalformedObject, ReadSecretError, SELF_SIGNING,
    Secret, SecretStorageKey, SecretTooLong, StoredSecret, StoredSecretError, USER_SIGNING,
};
use mx_types::base64::{DecodeError, TrailingBits, decode_to_vec, encode_to_string};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn key(byte: u8) -> SecretStorageKey {
    SecretStorageKey::from_bytes(&[byte; 32])
}

fn secret(text: &str) -> Secret {
    Secret::new(Zeroizing::new(text.to_owned())).expect("is short")
}

fn stored(content: &str) -> StoredSecret {
    StoredSecret::parse(MASTER, content).expect("is account data of a secret")
}

#[track_caller]
fn assert_opens(stored: &StoredSecret, key_id: &str, key: &SecretStorageKey, expected: &str) {
    let text = stored.decrypt(key_id, key).expect("opens");
    assert_eq!(text.name(), stored.name());
    let text = text.validate(|secret| Ok::<_, ()>(secret.as_str().to_owned()));
    assert_eq!(text.as_deref(), Ok(expected));
}

/// Changes the JSON of a good entry and reads it.
fn changed(from: &str, to: &str) -> Result<EncryptedSecret, EncryptedSecretError> {
    let entry = r#"{"ciphertext":"c2VjcmV0","iv":"AAAAAAAAAAAAAAAAAAAAAA","mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert!(EncryptedSecret::parse(entry).is_ok());
    let json = entry.replacen(from, to, 1);
    assert_ne!(json, entry);
    EncryptedSecret::parse(&json)
}

// SSS-20
#[test]
fn an_entry_is_added_and_the_others_stay() {
    let mut rng = rng();
    let foreign = r#"{"encrypted":{"other":{"iv":1.5,"x":[]},"third":null},"x.y":{"a":1e400}}"#;
    let mut secret_of_all = stored(foreign);
    secret_of_all.encrypt(&mut rng, "ours", &key(1), &secret("s3cret")).expect("is possible");
    let written = secret_of_all.to_json();
    assert!(written.contains(r#""other":{"iv":1.5,"x":[]},"ours":{"ciphertext":"#), "{written}");
    assert!(written.ends_with(r#","third":null},"x.y":{"a":1e400}}"#), "{written}");
    assert!(!written.contains('='), "unpadded: {written}");

    let read = stored(&written);
    assert_eq!(read.key_ids().collect::<Vec<_>>(), ["other", "ours", "third"]);
    assert_opens(&read, "ours", &key(1), "s3cret");
}

#[test]
fn an_entry_is_replaced_and_removed_alone() {
    let mut rng = rng();
    let mut both = StoredSecret::new(MASTER);
    both.encrypt(&mut rng, "a", &key(1), &secret("old")).expect("is possible");
    both.encrypt(&mut rng, "b", &key(2), &secret("old")).expect("is possible");
    both.encrypt(&mut rng, "a", &key(1), &secret("new")).expect("is possible");
    assert_opens(&both, "a", &key(1), "new");
    assert_opens(&both, "b", &key(2), "old");
    assert!(both.remove("b") && !both.remove("b"));
    assert_eq!(both.decrypt("b", &key(2)).err(), Some(ReadSecretError::NotEncryptedWithThisKey));
    assert!(both.remove("a"));
    assert_eq!(both.to_json(), "{}");
}

// SSS-20
#[test]
fn what_is_not_there_is_told_apart() {
    let read = |content: &str| stored(content).decrypt("id", &key(1)).err();
    assert_eq!(StoredSecret::new(MASTER).decrypt("id", &key(1)).err(), Some(ReadSecretError::NotStored));
    assert_eq!(read("{}"), Some(ReadSecretError::NotStored));
    assert_eq!(read(r#"{"encrypted":{}}"#), Some(ReadSecretError::NotStored));
    assert_eq!(read(r#"{"encrypted":{"x":{}}}"#), Some(ReadSecretError::NotEncryptedWithThisKey));
    let missing = EncryptedSecretError::Object(MalformedObject::Missing { member: "iv" });
    assert_eq!(read(r#"{"encrypted":{"id":{}}}"#), Some(ReadSecretError::Malformed(missing)));
}

#[test]
fn account_data_that_is_none_is_refused() {
    let refused = |content: &str| match StoredSecret::parse(MASTER, content) {
        Err(StoredSecretError::Object(error)) => error,
        other => panic!("{other:?}"),
    };
    for encrypted in ["null", "[]", "\"\"", "1"] {
        let content = format!(r#"{{"encrypted":{encrypted}}}"#);
        assert_eq!(refused(&content), MalformedObject::WrongType { member: "encrypted" });
    }
    assert_eq!(refused(r#"{"encrypted":{"a":1,"a":1}}"#), MalformedObject::Ambiguous);
    assert_eq!(refused(r#"{"encrypted":{},"encrypted":{}}"#), MalformedObject::Ambiguous);
    assert_eq!(refused("[]"), MalformedObject::NotAnObject);
    let len = MAX_STORED_SECRET_LEN + 1;
    assert_eq!(refused(&" ".repeat(len)), MalformedObject::TooLong { len, limit: MAX_STORED_SECRET_LEN });
}

#[test]
fn the_number_of_keys_is_bounded() {
    let mut rng = rng();
    let entries = |count: usize| {
        let entries: Vec<_> = (0..count).map(|id| format!(r#""{id}":{{}}"#)).collect();
        format!(r#"{{"encrypted":{{{}}}}}"#, entries.join(","))
    };
    let mut full = stored(&entries(MAX_ENTRIES));
    let before = full.to_json();
    let refused = full.encrypt(&mut rng, "x", &key(1), &secret("a"));
    assert_eq!((refused, full.to_json()), (Err(StoredSecretError::TooManyEntries), before));
    full.encrypt(&mut rng, "0", &key(1), &secret("a")).expect("takes the place of another");
    let too_many = StoredSecret::parse(MASTER, &entries(MAX_ENTRIES + 1)).err();
    assert_eq!(too_many, Some(StoredSecretError::TooManyEntries));
}

// SSS-6 SSS-20
#[test]
fn a_malformed_entry_says_what_is_wrong() {
    let object = |error| Some(EncryptedSecretError::Object(error));
    for member in ["iv", "ciphertext", "mac"] {
        let missing = changed(&format!(r#""{member}""#), r#""x""#).err();
        assert_eq!(missing, object(MalformedObject::Missing { member }));
        let wrong = changed(&format!(r#""{member}":"#), &format!(r#""{member}":null,"x":"#)).err();
        assert_eq!(wrong, object(MalformedObject::WrongType { member }));
        let twice = changed("{", &format!(r#"{{"{member}":"AAAA","#)).err();
        assert_eq!(twice, object(MalformedObject::Ambiguous));
    }
    let length = |expected, found| DecodeError::UnexpectedLength { expected, found };
    let short_iv = changed(r#""iv":"AAA"#, r#""iv":""#).err();
    assert_eq!(short_iv, Some(EncryptedSecretError::Iv(length(16, 14))));
    let long_iv = changed(r#""iv":""#, &format!(r#""iv":"{}"#, "A".repeat(44))).err();
    assert_eq!(long_iv, Some(EncryptedSecretError::Iv(length(16, 49))));
    let short_mac = changed(r#""mac":"AAAA"#, r#""mac":""#).err();
    assert_eq!(short_mac, Some(EncryptedSecretError::Mac(length(32, 29))));
    let no_base64 = changed("c2VjcmV0", "c2Vj-mV0").err();
    assert_eq!(no_base64, Some(EncryptedSecretError::Ciphertext(DecodeError::InvalidCharacter)));
    assert!(changed("c2VjcmV0", "").is_ok(), "an empty secret is one");
    assert!(changed(r#""iv":""#, r#""iv":"AAAA"#).expect("is taken").has_long_iv());
    assert!(changed("{", r#"{"x":[1.5],"#).is_ok());
}

#[test]
fn nothing_that_was_cut_off_is_read() {
    let mut whole = StoredSecret::new(MASTER);
    whole.encrypt(&mut rng(), "é", &key(1), &secret("a")).expect("is possible");
    let (json, entry) = (whole.to_json(), whole.entry("é").expect("is there").to_json());
    for (end, _) in json.char_indices() {
        assert!(StoredSecret::parse(MASTER, &json[..end]).is_err(), "{}", &json[..end]);
    }
    for (end, _) in entry.char_indices() {
        assert!(EncryptedSecret::parse(&entry[..end]).is_err(), "{}", &entry[..end]);
    }
}

/// One bit of the ciphertext or the MAC.
#[test]
fn nothing_that_was_changed_is_opened() {
    let json = key(1).encrypt(&mut rng(), MASTER, &secret("s3cret")).expect("is possible").to_json();
    for name in ["ciphertext", "mac"] {
        let (before, after) = json.split_once(&format!(r#""{name}":""#)).expect("is there");
        let (value, after) = after.split_once('"').expect("is a string");
        let bytes = decode_to_vec(value, TrailingBits::Refused).expect("is Base64");
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = format!(r#"{before}"{name}":"{}"{after}"#, encode_to_string(&changed));
            let changed = EncryptedSecret::parse(&changed).expect("is one");
            assert_eq!(key(1).decrypt(MASTER, &changed).err(), Some(DecryptError::Authentication));
        }
    }
}

#[test]
fn secrets_are_of_bounded_length() {
    let mut rng = rng();
    let longest = "a".repeat(MAX_SECRET_LEN);
    let mut stored = StoredSecret::new("org.example");
    stored.encrypt(&mut rng, "id", &key(1), &secret(&longest)).expect("is possible");
    let read = StoredSecret::parse("org.example", &stored.to_json()).expect("was written by us");
    assert_opens(&read, "id", &key(1), &longest);

    let longer = Secret::new(Zeroizing::new(longest + "a")).err();
    assert_eq!(longer, Some(SecretTooLong { len: MAX_SECRET_LEN + 1 }));
    let base64 = "A".repeat(MAX_SECRET_LEN / 3 * 4 + 3);
    assert_eq!(changed("c2VjcmV0", &base64).err(), Some(EncryptedSecretError::TooLong));
}

// SSS-29 SSS-2
#[test]
fn the_chosen_key_is_tried_first_then_the_default_key() {
    let stored = stored(r#"{"encrypted":{"a":{},"b":{},"c":{}}}"#);
    let order = |chosen, default_key| stored.keys_to_try(chosen, default_key).collect::<Vec<_>>();
    assert_eq!(order(None, None), ["a", "b", "c"]);
    assert_eq!(order(None, Some("b")), ["b", "a", "c"]);
    assert_eq!(order(Some("c"), Some("b")), ["c", "b", "a"]);
    assert_eq!(order(Some("b"), Some("b")), ["b", "a", "c"]);
    assert_eq!(order(Some("x"), Some("y")), ["a", "b", "c"]);
}

// SSS-25
#[test]
fn names_are_those_of_cross_signing_and_of_the_backup() {
    for usage in Usage::ALL {
        assert!([MASTER, SELF_SIGNING, USER_SIGNING].contains(&usage.secret_name()));
    }
    assert_eq!(MEGOLM_BACKUP_V1, "m.megolm_backup.v1");
}

// SSS-24 SSS-27
#[test]
fn a_key_is_written_unpadded_and_read_both_ways() {
    let written = Secret::from_key(&[7; 32]);
    assert_eq!(written.as_str().len(), 43);
    for text in [written.as_str().to_owned(), format!("{}=", written.as_str())] {
        assert_eq!(*secret(&text).key().expect("is a key"), [7; 32]);
    }
    let length = |found| DecodeError::UnexpectedLength { expected: 32, found };
    let cases = [
        ("A".repeat(42), length(31)),
        ("A".repeat(44), length(33)),
        (String::new(), length(0)),
        ("A".repeat(42) + "B", DecodeError::InvalidCharacter),
        ("A".repeat(42) + "-", DecodeError::InvalidCharacter),
        ("A".repeat(43) + "==", DecodeError::InvalidPadding),
        (" ".to_owned() + &"A".repeat(43), length(33)),
    ];
    for (text, error) in cases {
        assert_eq!(secret(&text).key().err(), Some(InvalidKeySecret(error)), "{text}");
    }
}

// SSS-23 SSS-26
#[test]
fn another_key_or_name_opens_nothing() {
    let mut rng = rng();
    let encrypted = key(1).encrypt(&mut rng, MASTER, &secret("a")).expect("is possible");
    assert_eq!(key(2).decrypt(MASTER, &encrypted).err(), Some(DecryptError::Authentication));
    assert_eq!(key(1).decrypt(SELF_SIGNING, &encrypted).err(), Some(DecryptError::Authentication));
    assert_eq!(key(1).decrypt("", &encrypted).err(), Some(DecryptError::Authentication));
    assert!(key(1).decrypt(MASTER, &encrypted).is_ok());
}

#[test]
fn nothing_secret_is_shown() {
    let mut stored = StoredSecret::new(MASTER);
    stored.encrypt(&mut rng(), "id", &key(1), &secret("s3cret")).expect("is possible");
    let decrypted = stored.decrypt("id", &key(1)).expect("opens");
    assert_eq!(format!("{decrypted:?}"), r#"UnvalidatedSecret { name: "m.cross_signing.master", .. }"#);
    assert_eq!(format!("{:?}", secret("s3cret")), "Secret { .. }");
}

proptest! {
    #[test]
    fn any_text_under_any_name_comes_back(name in ".*", key_id in ".*", text in ".*", seed: [u8; 32]) {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut stored = StoredSecret::new(&name);
        stored.encrypt(&mut rng, &key_id, &key(1), &secret(&text)).expect("is possible");
        let read = StoredSecret::parse(&name, &stored.to_json()).expect("was written by us");
        let decrypted = read.decrypt(&key_id, &key(1)).expect("opens");
        prop_assert_eq!(decrypted.validate(|secret| Ok::<_, ()>(secret.as_str().to_owned())), Ok(text));
        prop_assert_eq!(read.to_json(), stored.to_json());
    }
}
