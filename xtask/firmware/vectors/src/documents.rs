//! Documents of docs/vectors, and the device keys of matrix-sdk-crypto.

use alloc::{format, string::ToString as _};

use mx_canonical_json::{Limits, canonicalize};
use mx_key_backup::{BackupDecryptionKey, EncryptedSessionData};
use mx_key_export::KeyExport;
use mx_secret_storage::{
    KeyCheck, KeyDescription, PassphraseError, SecretStorageKey, StoredSecret, UnlockError,
};
use mx_signing::DeviceKeys;
use mx_types::{DeviceId, UserId};

use crate::{
    heap,
    runner::Runner,
    value::{Value, check},
    vectors::{CANONICAL_JSON, DEVICE_KEYS, KEY_BACKUP, KEY_EXPORTS, SECRET_STORAGE},
};

/// Rounds of PBKDF2 that are done; one vector asks for 500,000, which takes minutes here.
const MAX_ROUNDS: u32 = 10_000;

pub fn run(runner: &mut Runner) {
    heap::init();
    for (group, file, test) in [
        ("canonical JSON", &CANONICAL_JSON, canonical_json as fn(&_) -> _),
        ("key backups", &KEY_BACKUP, key_backup),
        ("key exports", &KEY_EXPORTS, key_export),
        ("secret storage", &SECRET_STORAGE, secret_storage),
    ] {
        for vector in file.list("vectors").unwrap_or_default() {
            runner.run(group, vector.text("name").unwrap_or_default(), || test(vector));
        }
    }
    let Value::List(devices) = &DEVICE_KEYS else { return };
    for device in *devices {
        runner.run("device keys", device.text("device_id").unwrap_or_default(), || device_keys(device));
    }
}

fn canonical_json(vector: &Value) -> Option<()> {
    let made = canonicalize(vector.text("input")?, &Limits::DEFAULT);
    match vector.text("output") {
        Some(output) => check(made.ok()? == output),
        None => check(made.is_err() && vector.text("refused").is_some()),
    }
}

fn key_backup(vector: &Value) -> Option<()> {
    let (key, _) = BackupDecryptionKey::from_secret(vector.text("private_key")?).ok()?;
    check(key.public_key().to_string() == vector.text("public_key")?)?;
    let data = EncryptedSessionData::parse(vector.text("session_data")?.as_bytes()).ok()?;
    check(key.decrypt_bytes(&data)?.as_slice() == vector.text("plaintext")?.as_bytes())
}

fn key_export(vector: &Value) -> Option<()> {
    let body = vector.text("body")?;
    let file = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    let mut file = KeyExport::from_slice(file.as_bytes()).ok()?;
    let keys = file.derive(vector.text("passphrase")?, MAX_ROUNDS).ok()?.finish();
    check(file.plaintext_to_vec(&keys).ok()?.as_slice() == vector.text("plaintext")?.as_bytes())
}

fn secret_storage(vector: &Value) -> Option<()> {
    let key = vector.text("recovery_key").map(|text| SecretStorageKey::from_representation(text).ok());
    let key = match key {
        Some(key) => Some(key?),
        None => None,
    };
    if let Some(description) = vector.text("description") {
        let description = KeyDescription::parse(description).ok()?;
        if let Some(key) = &key {
            check(description.check(key) == KeyCheck::Valid)?;
        }
        if let Some(passphrase) = vector.text("passphrase") {
            match description.unlock(passphrase, MAX_ROUNDS) {
                Ok(unlocking) => check(unlocking.finish().ok()?.check == KeyCheck::Valid)?,
                Err(error) => {
                    let passphrase =
                        matches!(error, UnlockError::Passphrase(PassphraseError::TooManyIterations { .. }));
                    check(passphrase && key.is_some())?;
                }
            }
        }
    }
    let Some(secret) = vector.get("secret") else { return Some(()) };
    let content = format!(r#"{{"encrypted":{{"id":{}}}}}"#, secret.text("encrypted")?);
    let stored = StoredSecret::parse(secret.text("name")?, &content).ok()?;
    let opened = stored.decrypt("id", &key?).ok()?;
    let text = opened.validate(|secret| Ok::<_, ()>(secret.as_str().to_string()));
    check(text.ok()? == secret.text("plaintext")?)
}

/// The signature is right, and no longer is with another key in the object.
fn device_keys(device: &Value) -> Option<()> {
    let (user_id, device_id) = (device.text("user_id")?, device.text("device_id")?);
    let (user_id, device_id) = (UserId::parse(user_id).ok()?, DeviceId::parse(device_id).ok()?);
    let object = device.text("object")?;
    let keys = DeviceKeys::verify(object, user_id, device_id).ok()?;
    let key = keys.curve25519?.to_string();
    check(object.contains(&key))?;
    let other = object.replace(&key, "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ");
    check(DeviceKeys::verify(&other, user_id, device_id).is_err())
}
