//! Secret storage: keys, their descriptions and secrets of one side, opened by the other.

use core::num::NonZeroU32;

use matrix_sdk_crypto::{
    secret_storage::{AesHmacSha2EncryptedData, SecretStorageKey as TheirKey},
    store::types::CrossSigningKeyExport,
};
use mx_cross_signing::{OwnState, SecretSource, Usage};
use mx_secret_storage::{
    KeyCheck, KeyDerivation, KeyDescription, MASTER, MAX_ITERATIONS, Secret, SecretStorageKey, StoredSecret,
    generate_key_id,
};
use mx_types::base64::encode_to_string;
use rand_chacha::ChaCha20Rng;
use ruma::events::{
    EventContentFromType as _,
    secret::request::SecretName,
    secret_storage::{key::SecretStorageKeyEventContent, secret::SecretEventContent},
};
use serde_json::{Value, json, value::RawValue};

use super::{
    below, block_on,
    differences::Differences,
    identities::{Homeserver, Ours, Theirs},
    random_bytes,
};
use crate::{
    differences::Verdict,
    report::{Failure, Outcome, Report, expect},
};

const KEYS: usize = 40;
const PASSPHRASE: &str = "correct horse, „Batterie“ staple";
const ALICE: &str = "@alice:example.org";

/// They make keys and encrypt, we read: by recovery key, and by a passphrase with their 500,000 rounds.
pub fn to_us(rng: &mut ChaCha20Rng) -> Outcome {
    for number in 0..=KEYS {
        let by_passphrase = number == KEYS;
        let theirs = if by_passphrase { TheirKey::new_from_passphrase(PASSPHRASE) } else { TheirKey::new() };
        let description = serde_json::to_string(theirs.event_content())?;
        let recovery_key = theirs.to_base58();
        let typed = if by_passphrase { PASSPHRASE } else { &recovery_key };
        let key = open_ours(&description, typed)?;
        expect(*key.to_representation() == recovery_key, "another recovery key")?;
        expect(open_ours(&description, &TheirKey::new().to_base58()).is_err(), "another key opens theirs")?;

        let text = random_text(rng);
        let name = SecretName::from(["m.cross_signing.master", "org.example.secret"][below(rng, 2)]);
        let encrypted = theirs.encrypt(text.clone().into_bytes(), &name);
        let content = json!({ "encrypted": { theirs.key_id(): encrypted } }).to_string();
        let stored = StoredSecret::parse(name.as_str(), &content)?;
        expect(secret_of(&stored, theirs.key_id(), &key)? == text, "another secret")?;
        let elsewhere = StoredSecret::parse("m.cross_signing.other", &content)?;
        expect(elsewhere.decrypt(theirs.key_id(), &key).is_err(), "a secret under another name")?;
    }
    Ok(format!("{} keys, one of a passphrase, a secret of each", KEYS + 1))
}

/// We make keys and encrypt, they read.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    for number in 0..KEYS {
        let rounds = NonZeroU32::new([1, 2, 10_000][number % 3]).ok_or("no rounds")?;
        let derivation = KeyDerivation::new(rng, PASSPHRASE, rounds)?;
        let info = derivation.info().clone();
        let by_passphrase = number % 2 == 0;
        let key = if by_passphrase { derivation.finish() } else { SecretStorageKey::generate(rng)? };
        let mut description = KeyDescription::new(rng, &key)?.with_name("a name");
        if by_passphrase {
            description = description.with_passphrase(&info);
        }
        let description = description.to_json();
        let recovery_key = key.to_representation();
        let theirs = open_theirs(&description, &recovery_key)?;
        expect(theirs.to_base58() == *recovery_key, "another recovery key")?;
        if by_passphrase {
            let theirs = open_theirs(&description, PASSPHRASE)?;
            expect(theirs.to_base58() == *recovery_key, "another key of the passphrase")?;
            expect(open_theirs(&description, "another").is_err(), "another passphrase opens ours")?;
        }

        let (key_id, text) = (generate_key_id(rng)?, random_text(rng));
        let mut stored = StoredSecret::new(MASTER);
        let another = SecretStorageKey::generate(rng)?;
        stored.encrypt(rng, "another key", &another, &secret(&text)?)?;
        stored.encrypt(rng, &key_id, &key, &secret(&text)?)?;
        let decrypted = decrypt_theirs(&theirs, &stored.to_json(), &key_id, MASTER)?;
        expect(decrypted == text.as_bytes(), "another secret")?;
        let elsewhere = decrypt_theirs(&theirs, &stored.to_json(), &key_id, "m.cross_signing.other");
        expect(elsewhere.is_err(), "a secret under another name")?;
    }
    Ok(format!("{KEYS} keys, half of them of passphrases, a secret of each"))
}

/// Cross-signing keys: made by their machine, stored with their key, taken by ours, stored with ours, taken by another machine.
pub fn signing_keys(rng: &mut ChaCha20Rng) -> Outcome {
    let mut server = Homeserver::default();
    let first = Theirs::log_in(&mut server, ALICE, "FIRST")?;
    first.bootstrap(&mut server)?;
    let export = block_on(first.machine.export_cross_signing_keys())?.ok_or("no private keys")?;
    let their_key = TheirKey::new();
    let description = serde_json::to_string(their_key.event_content())?;
    let key = open_ours(&description, &their_key.to_base58())?;

    let (mut laptop, _) = Ours::log_in(rng, &mut server, ALICE, "LAPTOP")?;
    laptop.query(&server, &[ALICE])?;
    let our_key = SecretStorageKey::generate(rng)?;
    let our_description = KeyDescription::new(rng, &our_key)?.to_json();
    let mut account_data = Vec::new();
    let seeds = [&export.master_key, &export.self_signing_key, &export.user_signing_key];
    for (usage, seed) in Usage::ALL.into_iter().zip(seeds) {
        let name = usage.secret_name();
        let encrypted =
            their_key.encrypt(seed.clone().ok_or("no seed")?.into_bytes(), &SecretName::from(name));
        let content = json!({ "encrypted": { their_key.key_id(): encrypted } }).to_string();
        let mut stored = StoredSecret::parse(name, &content)?;
        let (keys, own) = (&mut laptop.keys, &mut laptop.own);
        stored
            .decrypt(their_key.key_id(), &key)?
            .validate(|secret| keys.import(own, SecretSource::SecretStorage, name, secret.as_str()))?;
        // The same account data gets an entry for our key beside theirs.
        stored.encrypt(rng, "ours", &our_key, &secret(&laptop.keys.export(&laptop.own, usage)?)?)?;
        account_data.push(stored.to_json());
    }
    expect(laptop.own_state() == OwnState::Verified, "the own identity is not verified with its key")?;

    let last = Theirs::log_in(&mut server, ALICE, "LAST")?;
    last.query(&server, &[ALICE])?;
    let opened = open_theirs(&our_description, &our_key.to_representation())?;
    let mut seeds = Vec::new();
    for (usage, content) in Usage::ALL.into_iter().zip(&account_data) {
        let decrypted = decrypt_theirs(&opened, content, "ours", usage.secret_name())?;
        let theirs = decrypt_theirs(&their_key, content, their_key.key_id(), usage.secret_name())?;
        expect(decrypted == theirs, "another secret under our key")?;
        seeds.push(Some(String::from_utf8(decrypted)?));
    }
    let mut seeds = seeds.into_iter();
    let mut next = || seeds.next().flatten();
    let (master_key, self_signing_key, user_signing_key) = (next(), next(), next());
    let export = CrossSigningKeyExport { master_key, self_signing_key, user_signing_key };
    expect(block_on(last.machine.import_cross_signing_keys(export))?.is_complete(), "not all keys")?;
    last.query(&server, &[ALICE])?;
    expect(last.own_state()? == OwnState::Verified, "the own identity is not verified for them")?;
    Ok("three keys, from one machine over us to another".to_owned())
}

/// Descriptions, recovery keys and secrets at the edge of the specification, and beyond.
pub fn differences(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let derivation = KeyDerivation::new(rng, PASSPHRASE, NonZeroU32::MIN)?;
    let info = derivation.info().clone();
    let key = derivation.finish();
    let good: Value =
        serde_json::from_str(&KeyDescription::new(rng, &key)?.with_passphrase(&info).to_json())?;
    let recovery_key = key.to_representation();
    let other = SecretStorageKey::generate(rng)?.to_representation();
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(parent)) = changed.pointer_mut(parent) {
            match value {
                Value::Null => drop(parent.remove(name)),
                value => drop(parent.insert(name.to_owned(), value)),
            }
        }
        changed
    };
    let padded = |member: &str| format!("{}{}", good[member].as_str().unwrap_or_default(), "=".repeat(2));
    let grouped = recovery_key.replace(' ', "\u{a0}\t\n");
    let short = recovery_key.get(..recovery_key.len() - 1).unwrap_or_default();
    let leading = format!("1{}", &*recovery_key);
    let lower = recovery_key.to_lowercase();
    let long_iv = format!("{}{}", good["iv"].as_str().unwrap_or_default().get(..21).unwrap_or_default(), {
        // The last of 22 characters has four bits that count; then 16 bytes more.
        let last = good["iv"].as_str().and_then(|iv| iv.chars().next_back()).unwrap_or('A');
        format!("{last}{}", "A".repeat(21))
    });
    let (recovery_key, other): (&str, &str) = (&recovery_key, &other);
    for (requirement, name, accepted, description, typed) in [
        ("SSS-3", "a storage key, by its recovery key", true, good.clone(), recovery_key),
        ("SSS-3", "a storage key, by its passphrase", true, good.clone(), PASSPHRASE),
        ("SSS-3", "another recovery key", false, good.clone(), other),
        ("SSS-3", "another passphrase", false, good.clone(), "another"),
        (
            "SSS-1",
            "key description of another algorithm",
            false,
            with("/algorithm", "x".into()),
            recovery_key,
        ),
        (
            "SSS-4",
            "any key as surely right, for a description without mac",
            false,
            with("/mac", Value::Null),
            other,
        ),
        (
            "SSS-4",
            "key description with an iv that is no Base64",
            false,
            with("/iv", "*".into()),
            recovery_key,
        ),
        ("SSS-6", "key description with a padded iv", true, with("/iv", padded("iv").into()), recovery_key),
        (
            "SSS-6",
            "key description with an iv of 32 bytes, of which 16 count",
            true,
            with("/iv", long_iv.into()),
            recovery_key,
        ),
        (
            "SSS-6",
            "key description with an iv of 15 bytes",
            false,
            with("/iv", "A".repeat(20).into()),
            recovery_key,
        ),
        (
            "SSS-10",
            "passphrase of an unknown algorithm; its recovery key",
            true,
            with("/passphrase/algorithm", "x".into()),
            recovery_key,
        ),
        (
            "SSS-10",
            "passphrase of an unknown algorithm, typed",
            false,
            with("/passphrase/algorithm", "x".into()),
            PASSPHRASE,
        ),
        (
            "SSS-10",
            "passphrase without iterations; its recovery key",
            true,
            with("/passphrase/iterations", Value::Null),
            recovery_key,
        ),
        (
            "SSS-12",
            "passphrase for a key of 128 bits",
            false,
            with("/passphrase/bits", 128.into()),
            PASSPHRASE,
        ),
        (
            "SSS-13",
            "passphrase with 0 iterations",
            false,
            with("/passphrase/iterations", 0.into()),
            PASSPHRASE,
        ),
        (
            "SSS-13",
            "passphrase with 2^32 + 1 iterations",
            false,
            with("/passphrase/iterations", ((1_u64 << 32) + 1).into()),
            PASSPHRASE,
        ),
        ("REC-3", "recovery key with white space of all kinds", true, good.clone(), &grouped),
        ("REC-3", "recovery key without its last character", false, good.clone(), short),
        ("REC-3", "recovery key behind a 1", false, good.clone(), &leading),
        ("REC-3", "recovery key in small letters", false, good.clone(), &lower),
    ] {
        let description = description.to_string();
        let ours = || open_ours(&description, typed).map(drop);
        d.case(report, (requirement, name), accepted, &ours, &|| open_theirs(&description, typed).map(drop));
    }
    secrets(d, report, rng, &key)
}

/// Account data of secrets.
fn secrets(
    d: &mut Differences,
    report: &mut Report,
    rng: &mut ChaCha20Rng,
    key: &SecretStorageKey,
) -> Verdict {
    let description = KeyDescription::new(rng, key)?.to_json();
    let theirs = open_theirs(&description, &key.to_representation())?;
    let mut stored = StoredSecret::new(MASTER);
    stored.encrypt(rng, "id", key, &secret("a secret")?)?;
    let good: Value = serde_json::from_str(&stored.to_json())?;
    let with = |member: &str, change: &dyn Fn(&str) -> Value| {
        let mut changed = good.clone();
        let value = &mut changed["encrypted"]["id"][member];
        *value = change(value.as_str().unwrap_or_default());
        changed
    };
    let padding = |text: &str| "=".repeat((4 - text.len() % 4) % 4);
    let mut beside = good.clone();
    beside["encrypted"]["bad"] = json!(3);
    let mut unknown = good.clone();
    unknown["encrypted"]["id"]["later"] = json!([1]);
    let long_iv = |iv: &str| format!("{iv}{}", "A".repeat(21)).into();
    for (requirement, name, accepted, content, secret_name) in [
        ("SSS-21", "a secret", true, good.clone(), MASTER),
        ("SSS-21", "a secret under another name", false, good.clone(), "m.cross_signing.other"),
        ("SSS-20", "a secret beside an entry that is no object", true, beside, MASTER),
        ("SSS-20", "a secret with a member that nobody knows", true, unknown, MASTER),
        ("SSS-20", "a secret without iv", false, with("iv", &|_| Value::Null), MASTER),
        (
            "SSS-6",
            "a secret with padded Base64",
            true,
            with("mac", &|mac| format!("{mac}{}", padding(mac)).into()),
            MASTER,
        ),
        ("SSS-6", "a secret with an iv of 32 bytes, of which 16 count", true, with("iv", &long_iv), MASTER),
        ("SSS-6", "a secret with an iv of 15 bytes", false, with("iv", &|_| "A".repeat(20).into()), MASTER),
        ("SSS-23", "a secret with half a mac", false, with("mac", &|mac| mac[..22].into()), MASTER),
        ("SSS-23", "a secret with another ciphertext", false, with("ciphertext", &|_| "AAAA".into()), MASTER),
    ] {
        let content = content.to_string();
        let ours = || {
            let stored = StoredSecret::parse(secret_name, &content)?;
            expect(secret_of(&stored, "id", key)? == "a secret", "another secret")
        };
        let theirs = || {
            let decrypted = decrypt_theirs(&theirs, &content, "id", secret_name)?;
            expect(decrypted == b"a secret", "another secret")
        };
        d.case(report, (requirement, name), accepted, &ours, &theirs);
    }
    Ok(())
}

/// The key that was typed, if the description says that it is this one.
fn open_ours(description: &str, typed: &str) -> Result<SecretStorageKey, Failure> {
    let unlocked = KeyDescription::parse(description)?.unlock(typed, MAX_ITERATIONS)?.finish()?;
    expect(unlocked.check == KeyCheck::Valid, "nobody can say whether it is this key")?;
    Ok(unlocked.key)
}

fn open_theirs(description: &str, typed: &str) -> Result<TheirKey, Failure> {
    let content = RawValue::from_string(description.to_owned())?;
    let content = SecretStorageKeyEventContent::from_parts("m.secret_storage.key.id", &content)?;
    Ok(TheirKey::from_account_data(typed, content)?)
}

fn secret_of(stored: &StoredSecret, key_id: &str, key: &SecretStorageKey) -> Result<String, Failure> {
    stored.decrypt(key_id, key)?.validate(|secret| Ok(secret.as_str().to_owned()))
}

/// The account data of a secret, read with ruma's types.
fn decrypt_theirs(key: &TheirKey, content: &str, key_id: &str, name: &str) -> Result<Vec<u8>, Failure> {
    let content: SecretEventContent = serde_json::from_str(content)?;
    let entry = content.encrypted.get(key_id).ok_or("no entry for the key")?;
    let encrypted: AesHmacSha2EncryptedData = serde_json::from_str(entry.json().get())?;
    Ok(key.decrypt(&encrypted, &SecretName::from(name))?)
}

fn secret(text: &str) -> Result<Secret, Failure> {
    Ok(Secret::new(text.to_owned().into())?)
}

/// A secret as there are some: Base64 of a key, or any text.
fn random_text(rng: &mut ChaCha20Rng) -> String {
    match below(rng, 3) {
        0 => "„Geheimnis“ 🔑".repeat(below(rng, 200)),
        _ => {
            let len = if below(rng, 2) == 0 { 32 } else { below(rng, 3_000) };
            encode_to_string(&random_bytes(rng, len))
        }
    }
}
