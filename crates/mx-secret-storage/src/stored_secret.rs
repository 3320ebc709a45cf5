//! A secret in account data: encrypted once for each key.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_types::RandomnessFailed;
use rand_core::TryCryptoRng;

use crate::encrypted::{DecryptError, EncryptedSecret, EncryptedSecretError};
use crate::key::SecretStorageKey;
use mx_json::MalformedObject;

use crate::object::{Kept, Members, object};
use crate::secret::{Secret, UnvalidatedSecret};

/// The longest account data of a secret that is read, in bytes of JSON.
pub const MAX_STORED_SECRET_LEN: usize = 1 << 20;

/// The most keys with which one secret may be encrypted.
pub const MAX_ENTRIES: usize = 256;

/// The account data of a secret, whose type is the secret's name. What is not known in it is kept and written again:
/// entries for other keys, whatever they are, and other members.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    name: String,
    entries: Kept,
    others: Kept,
}

impl StoredSecret {
    /// A secret of which there is no account data.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), entries: Kept::new(), others: Kept::new() }
    }

    /// Reads the content of the account data whose type is `name`. A content without `encrypted` holds no secret: that is how
    /// clients delete one.
    ///
    /// # Errors
    ///
    /// [`StoredSecretError`]. A bad entry is none before it is asked for.
    pub fn parse(name: &str, content: &str) -> Result<Self, StoredSecretError> {
        let members = Members::parse(content, MAX_STORED_SECRET_LEN)?;
        let entries = match members.get("encrypted") {
            None => Kept::new(),
            Some(json) => Members::parse(json, MAX_STORED_SECRET_LEN)
                .map_err(|error| match error {
                    MalformedObject::NotAnObject => MalformedObject::WrongType { member: "encrypted" },
                    error => error,
                })?
                .to_kept(),
        };
        if entries.len() > MAX_ENTRIES {
            return Err(StoredSecretError::TooManyEntries);
        }
        let mut others = members.to_kept();
        others.remove("encrypted");
        Ok(Self { name: name.to_owned(), entries, others })
    }

    /// The content of the account data.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = self.others.clone();
        if !self.entries.is_empty() {
            members.insert("encrypted".to_owned(), object(&self.entries));
        }
        object(&members)
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The IDs of the keys with which the secret is encrypted, whatever is written there.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The IDs of the keys with which the secret is encrypted, in the order in which to try them: the one that the user
    /// has chosen, then the default key, then the others.
    pub fn keys_to_try<'a>(
        &'a self,
        chosen: Option<&'a str>,
        default_key: Option<&'a str>,
    ) -> impl Iterator<Item = &'a str> {
        let first = chosen;
        let second = default_key.filter(move |id| Some(*id) != chosen);
        let is_other = move |id: &&str| Some(*id) != chosen && Some(*id) != default_key;
        let preferred = first.into_iter().chain(second).filter(|id| self.entries.contains_key(*id));
        preferred.chain(self.key_ids().filter(is_other))
    }

    /// The secret, encrypted with the key of this ID.
    ///
    /// # Errors
    ///
    /// [`ReadSecretError`], but not `Decrypt`.
    pub fn entry(&self, key_id: &str) -> Result<EncryptedSecret, ReadSecretError> {
        if self.entries.is_empty() {
            return Err(ReadSecretError::NotStored);
        }
        let entry = self.entries.get(key_id).ok_or(ReadSecretError::NotEncryptedWithThisKey)?;
        EncryptedSecret::parse(entry).map_err(ReadSecretError::Malformed)
    }

    /// Decrypts the secret with the key of this ID.
    ///
    /// # Errors
    ///
    /// [`ReadSecretError`].
    pub fn decrypt(
        &self,
        key_id: &str,
        key: &SecretStorageKey,
    ) -> Result<UnvalidatedSecret, ReadSecretError> {
        key.decrypt(&self.name, &self.entry(key_id)?).map_err(ReadSecretError::Decrypt)
    }

    /// Encrypts the secret with the key of this ID, too. What was encrypted with that key before is replaced; all other
    /// entries stay.
    ///
    /// If the secret is a new one, the other entries hold an old one: [`remove`](Self::remove) them.
    ///
    /// # Errors
    ///
    /// [`StoredSecretError::TooManyEntries`], [`StoredSecretError::RandomnessFailed`]. Nothing has changed then.
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key_id: &str,
        key: &SecretStorageKey,
        secret: &Secret,
    ) -> Result<(), StoredSecretError> {
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(key_id) {
            return Err(StoredSecretError::TooManyEntries);
        }
        let encrypted = key.encrypt(rng, &self.name, secret)?;
        self.entries.insert(key_id.to_owned(), encrypted.to_json());
        Ok(())
    }

    /// Removes what is encrypted with the key of this ID. Returns whether there was anything.
    pub fn remove(&mut self, key_id: &str) -> bool {
        self.entries.remove(key_id).is_some()
    }
}

/// Why account data of a secret was not read, or nothing was added to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoredSecretError {
    /// Not the object that it must be.
    Object(MalformedObject),
    /// It is encrypted with more than [`MAX_ENTRIES`] keys.
    TooManyEntries,
    /// There was no randomness.
    RandomnessFailed,
}

impl From<MalformedObject> for StoredSecretError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl From<RandomnessFailed> for StoredSecretError {
    fn from(_: RandomnessFailed) -> Self {
        Self::RandomnessFailed
    }
}

impl fmt::Display for StoredSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => write!(f, "bad account data of a secret: {error}"),
            Self::TooManyEntries => write!(f, "secret is encrypted with more than {MAX_ENTRIES} keys"),
            Self::RandomnessFailed => RandomnessFailed.fmt(f),
        }
    }
}

impl core::error::Error for StoredSecretError {}

/// Why a secret was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReadSecretError {
    /// The account data holds no secret.
    NotStored,
    /// The secret is not encrypted with this key.
    NotEncryptedWithThisKey,
    /// What is there for this key is no encrypted secret.
    Malformed(EncryptedSecretError),
    /// It was not decrypted.
    Decrypt(DecryptError),
}

impl fmt::Display for ReadSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStored => f.write_str("secret is not stored"),
            Self::NotEncryptedWithThisKey => f.write_str("secret is not encrypted with this key"),
            Self::Malformed(error) => error.fmt(f),
            Self::Decrypt(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReadSecretError {}
