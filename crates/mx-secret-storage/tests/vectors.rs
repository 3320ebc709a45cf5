//! Known answers of mautrix-go and matrix-sdk-crypto, and of an independent program in Python (the requirements' symmetric-kat).

use mx_secret_storage::{
    EncryptedSecret, KeyCheck, KeyDescription, MASTER, MAX_ITERATIONS, MEGOLM_BACKUP_V1, SecretStorageKey,
    StoredSecret,
};
use mx_types::base64::{encode_secret, encoded_len};

fn key(representation: &str) -> SecretStorageKey {
    SecretStorageKey::from_representation(representation).expect("is a key")
}

fn description(members: &str) -> KeyDescription {
    let content = format!(r#"{{"algorithm":"m.secret_storage.v1.aes-hmac-sha2"{members}}}"#);
    KeyDescription::parse(&content).expect("is a key description")
}

fn checked(iv: &str, mac: &str) -> KeyDescription {
    description(&format!(r#","iv":"{iv}","mac":"{mac}""#))
}

#[track_caller]
fn assert_decrypts(key: &SecretStorageKey, name: &str, encrypted: &str, expected: &str) {
    let content = format!(r#"{{"encrypted":{{"id":{encrypted}}}}}"#);
    let stored = StoredSecret::parse(name, &content).expect("is a stored secret");
    let text =
        stored.decrypt("id", key).expect("opens").validate(|secret| Ok::<_, ()>(secret.as_str().to_owned()));
    assert_eq!(text.as_deref(), Ok(expected));
}

// SSS-50 SSS-3 SSS-11 SSS-21
#[test]
fn a_passphrase_a_key_its_check_and_a_secret_of_mautrix() {
    let shown = "EsTE s92N EtaX s2h6 VQYF 9Kao tHYL mkyL GKMh isZb KJ4E tvoC";
    let description = description(
        r#","passphrase":{"algorithm":"m.pbkdf2","salt":"y863BOoqOadgDp8S3FtHXikDJEalsQ7d","iterations":500000},
           "iv":"xxkTK0L4UzxgAFkQ6XPwsw","mac":"MEhooO0ZhFJNxUhvRMSxBnJfL20wkLgle3ocY0ee/eA""#,
    );
    let unlocking = description.unlock("correct horse battery staple", MAX_ITERATIONS).expect("is possible");
    assert_eq!(unlocking.remaining(), 499_999);
    let unlocked = unlocking.finish().expect("is the passphrase");
    assert_eq!(unlocked.check, KeyCheck::Valid);
    assert_eq!(unlocked.key.to_representation().as_str(), shown);
    assert_eq!(description.check(&key(shown)), KeyCheck::Valid);
    assert_decrypts(
        &key(shown),
        MASTER,
        r#"{"iv":"BpKP9nQJTE9jrsAssoxPqQ==","ciphertext":"fNRiiiidezjerTgV+G6pUtmeF3izzj5re/mVvY0hO2kM6kYGrxLuIu2ej80=","mac":"/gWGDGMyOLmbJp+aoSLh5JxCs0AdS6nAhjzpe+9G2Q0="}"#,
        "aPl/0ZIu7Pa4K7iQ0k0GUphOeh1wO56Ge3669/65W28=",
    );
}

// SSS-51 SSS-24
#[test]
fn a_second_secret_of_mautrix_is_a_padded_key() {
    let key = key("EsUG Ddi6 e1Cm F4um g38u JN72 d37v Q2ry qCf2 rKgL E2MQ ZQz6");
    let entry = r#"{"iv":"zxT/W5LpZ0Q819pfju6hZw==","ciphertext":"Fx16KlJ9vkd3Dd6CafIq5spaH5QmK5BALMzbtFbQznG2j1VARKK+klc4/Qo=","mac":"0DABPNIZsP9iTOh1o6EM0s7BfHHXb96dN7Eca88jq2E"}"#;
    assert_decrypts(&key, MASTER, entry, "Ec8eZDyvVkO3EDsEG6ej5c0cCHnX7PINqFXZjnaTV2s=");
    let secret = key.decrypt(MASTER, &EncryptedSecret::parse(entry).expect("is one")).expect("opens");
    let seed = secret.validate(|secret| secret.key()).expect("is a key");
    assert_eq!(seed[..4], [0x11, 0xcf, 0x1e, 0x64]);
}

// SSS-52 SSS-6
#[test]
fn key_checks_of_mautrix_with_ivs_of_16_and_32_bytes() {
    let key = key("EsUC xSxt XJgQ dz19 8WBZ rHdE GZo7 ybsn EFmG Y5HY MDAG GNWe");
    let mac = "7k6OruQlWg0UmQjxGZ0ad4Q6DdwkgnoI7G6X3IjBYtI=";
    let short = checked("O0BOvTqiIAYjC+RMcyHfWw==", mac);
    assert_eq!((short.check(&key), short.has_long_iv()), (KeyCheck::Valid, false));
    let long = checked("O0BOvTqiIAYjC+RMcyHfW2f/gdxjceTxoYtNlpPduJ8=", mac);
    assert_eq!((long.check(&key), long.has_long_iv()), (KeyCheck::Valid, true));
    let other = SecretStorageKey::from_bytes(&[1; 32]);
    assert_eq!(short.check(&other), KeyCheck::Invalid);
}

// SSS-52
#[test]
fn key_checks_of_matrix_sdk_crypto() {
    let by_key = checked("xv5b6/p3ExEw++wTyfSHEg==", "ujBBbXahnTAMkmPUX2/0+VTfUh63pGyVRuBcDMgmJC8=");
    let key = key("EsTj 3yST y93F SLpB jJsz eAXc 2XzA ygD3 w69H fGaN TKBj jXEd");
    assert_eq!(by_key.check(&key), KeyCheck::Valid);

    let by_passphrase = description(
        r#","passphrase":{"algorithm":"m.pbkdf2","salt":"IuLnH7S85YtZmkkBJKwNUKxWF42g9O1H","iterations":10},
           "iv":"gH2iNpiETFhApvW6/FFEJQ","mac":"9Lw12m5SKDipNghdQXKjgpfdj1/K7HFI2brO+UWAGoM""#,
    );
    let unlocking = by_passphrase.unlock("It's a secret to everybody", MAX_ITERATIONS).expect("is possible");
    assert_eq!(unlocking.finish().expect("is the passphrase").check, KeyCheck::Valid);
}

// SSS-53. The salt of the vector is bytes that are no text, but for control characters: 00 to 0f.
#[test]
fn the_salt_is_taken_as_utf_8() {
    let salt = (0..16).map(|byte| format!("\\u{byte:04x}")).collect::<String>();
    let description = description(&format!(
        r#","passphrase":{{"algorithm":"m.pbkdf2","salt":"{salt}","iterations":1000,"bits":256}}"#
    ));
    let info = description.passphrase().expect("is understood").expect("is there");
    let derivation = info.derivation("Hello world", MAX_ITERATIONS).expect("is allowed");
    assert_eq!(base64(derivation.finish().as_bytes()), "ffk9YdbVE1cgqOWgDaec0lH+rJzO+MuCcxpIn3Z6D0E");
}

// SSS-54
#[test]
fn all_of_it_by_an_independent_program() {
    let bytes: [u8; 32] = core::array::from_fn(|i| i.try_into().expect("is below 32"));
    let key = SecretStorageKey::from_bytes(&bytes);
    let description = checked("AAECAwQFBgcICQoLDA0ODw", "ONrOSgDDUXMzIvXsfYBi1m8m075MdjPldfXCxIpU7IY");
    assert_eq!(description.check(&key), KeyCheck::Valid);
    assert_decrypts(
        &key,
        MEGOLM_BACKUP_V1,
        r#"{"iv":"AAECAwQFBgcICQoLDA0ODw","ciphertext":"rQsmgWtsAqDcOdfu2YB/Kxlt3dL81k6lArGpnaanoZy6x12axZCIZ0AKDA","mac":"3ytr2qtunj4xmVC22A5knePV5/PhQ+sYvHFNbXxocaQ"}"#,
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
    );
    let made = self::description(
        r#","passphrase":{"algorithm":"m.pbkdf2","salt":"MmMsAlty","iterations":1000,"bits":256}"#,
    );
    let info = made.passphrase().expect("is understood").expect("is there");
    let key = info.derivation("passphrase", MAX_ITERATIONS).expect("is allowed").finish();
    assert_eq!(base64(key.as_bytes()), "uexBtnrv4YSeGXlBXnnYbMj716qT9G0o/PFrYaf9zlw");
}

fn base64(bytes: &[u8]) -> String {
    let mut out = [0; encoded_len(32)];
    encode_secret(bytes, &mut out).expect("fits").to_owned()
}
