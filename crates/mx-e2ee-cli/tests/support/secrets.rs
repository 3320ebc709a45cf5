//! Secret storage as account data, made with our own crates.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "each suite uses a part")]

use core::num::NonZeroU32;

use mx_secret_storage::{KeyDerivation, KeyDescription, Secret, SecretStorageKey, StoredSecret};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Map, Value, json};

use crate::identity::key;

/// Account data, and how to open it.
#[derive(Clone, Debug)]
pub struct Storage {
    pub account_data: Map<String, Value>,
    pub recovery_key: String,
}

pub const PASSPHRASE: &str = "correct horse battery staple";
pub const KEY_ID: &str = "default";

impl Storage {
    /// With one key, which is the default one.
    pub fn new() -> Self {
        let mut storage = Self { account_data: Map::new(), recovery_key: String::new() };
        let key = storage.key(KEY_ID, 1);
        storage.account_data.insert("m.secret_storage.default_key".to_owned(), json!({ "key": KEY_ID }));
        storage.recovery_key = key.to_representation().to_string();
        storage
    }

    /// The same with a key that is made from [`PASSPHRASE`].
    pub fn with_passphrase() -> Self {
        let mut storage = Self::new();
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let derivation = KeyDerivation::new(&mut rng, PASSPHRASE, NonZeroU32::new(10).unwrap()).unwrap();
        let info = derivation.info().clone();
        let key = derivation.finish();
        let description = KeyDescription::new(&mut rng, &key).unwrap().with_passphrase(&info);
        storage.describe(KEY_ID, &description);
        storage.recovery_key = key.to_representation().to_string();
        storage
    }

    /// One more key.
    pub fn key(&mut self, key_id: &str, seed: u8) -> SecretStorageKey {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let key = SecretStorageKey::generate(&mut rng).unwrap();
        self.describe(key_id, &KeyDescription::new(&mut rng, &key).unwrap());
        key
    }

    fn describe(&mut self, key_id: &str, description: &KeyDescription) {
        let content = serde_json::from_str(&description.to_json()).unwrap();
        self.account_data.insert(format!("m.secret_storage.key.{key_id}"), content);
    }

    /// The private keys of an identity with this prefix.
    pub fn identity(self, prefix: &str) -> Self {
        let names = [("master", "m"), ("self_signing", "s"), ("user_signing", "u")];
        names.into_iter().fold(self, |storage, (secret, role)| {
            storage.secret(&format!("m.cross_signing.{secret}"), &format!("{prefix}-{role}"))
        })
    }

    /// The private key of a name as the secret of another.
    pub fn secret(self, secret: &str, name: &str) -> Self {
        let key = SecretStorageKey::from_representation(&self.recovery_key).unwrap();
        self.secret_with(KEY_ID, &key, secret, name)
    }

    /// The same, encrypted with another key of secret storage only.
    pub fn secret_with(mut self, key_id: &str, with: &SecretStorageKey, secret: &str, name: &str) -> Self {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let mut stored = StoredSecret::new(secret);
        let seed = Secret::from_key(key(name).seed().unwrap());
        stored.encrypt(&mut rng, key_id, with, &seed).unwrap();
        self.account_data.insert(secret.to_owned(), serde_json::from_str(&stored.to_json()).unwrap());
        self
    }

    pub fn text(&self) -> String {
        Value::from(self.account_data.clone()).to_string()
    }
}
