//! The object of a cross-signing key.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_signing::{MAX_OBJECT_LEN, SignedObject};
use mx_types::{Ed25519PublicKey, UserId};
use serde::Deserialize;
use serde_json::Value;

use crate::role::{Master, Role, SelfSigning, UserSigning};

/// The identity of a user.
pub type MasterSigningKey = CrossSigningKey<Master>;
/// The key that signs a user's own devices.
pub type SelfSigningKey = CrossSigningKey<SelfSigning>;
/// The key that signs the master signing keys of other users.
pub type UserSigningKey = CrossSigningKey<UserSigning>;

/// The public object of a cross-signing key, of one role.
///
/// Client-server API, "Cross-signing". A value of this type was read, no more: whose key it is, its signatures say. Two are
/// equal if user and key are; members that this crate does not know, which a signature covers as well, are kept but not
/// compared.
#[derive(Clone, Debug)]
pub struct CrossSigningKey<R> {
    user_id: String,
    key: Ed25519PublicKey,
    /// In canonical form, without `signatures` and `unsigned`.
    object: String,
    role: PhantomData<R>,
}

/// The object as it comes. `keys` and `usage` are checked for having one entry afterwards.
#[derive(Deserialize)]
struct Received {
    keys: BTreeMap<String, String>,
    usage: Vec<String>,
    user_id: String,
}

impl<R: Role> CrossSigningKey<R> {
    /// The object of a new key.
    #[must_use]
    pub fn new(user_id: UserId<'_>, key: Ed25519PublicKey) -> Self {
        let (usage, user) = (R::USAGE.as_str(), Value::from(user_id.as_str()));
        let object =
            format!(r#"{{"keys":{{"ed25519:{key}":"{key}"}},"usage":["{usage}"],"user_id":{user}}}"#);
        Self { user_id: user_id.as_str().to_owned(), key, object, role: PhantomData }
    }

    /// Reads the object of the user's key; its signatures are not looked at.
    ///
    /// # Errors
    ///
    /// A [`KeyObjectError`].
    pub fn parse(text: &str, user_id: UserId<'_>) -> Result<Self, KeyObjectError> {
        let object = SignedObject::parse(text, &Limits::DEFAULT).map_err(KeyObjectError::Json)?;
        Self::read(&object, user_id)
    }

    pub(crate) fn read(object: &SignedObject<'_>, user_id: UserId<'_>) -> Result<Self, KeyObjectError> {
        let object = object.canonical();
        if object.len() > MAX_OBJECT_LEN {
            return Err(KeyObjectError::TooLong { len: object.len() });
        }
        let received: Received = serde_json::from_str(object).map_err(|_| KeyObjectError::Malformed)?;
        if received.user_id != user_id.as_str() {
            return Err(KeyObjectError::OtherUser);
        }
        match received.usage.as_slice() {
            [usage] if usage == R::USAGE.as_str() => {}
            _ => return Err(KeyObjectError::WrongUsage),
        }
        let mut keys = received.keys.iter();
        let (Some((id, key)), None) = (keys.next(), keys.next()) else {
            return Err(KeyObjectError::NotOneKey);
        };
        let name = id.strip_prefix("ed25519:").ok_or(KeyObjectError::UnsupportedAlgorithm)?;
        let key = Ed25519PublicKey::from_base64(key).map_err(|_| KeyObjectError::InvalidKey)?;
        if name != key.to_string() {
            return Err(KeyObjectError::OtherKeyId);
        }
        Ok(Self { user_id: received.user_id, key, object: object.to_owned(), role: PhantomData })
    }

    /// The user whose key it says to be.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.key
    }

    /// The text that signatures on the object cover: canonical, without `signatures` and `unsigned`.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }
}

/// As [`CrossSigningKey::eq`] compares.
impl<R: Role> Eq for CrossSigningKey<R> {}

impl<R: Role> PartialEq for CrossSigningKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.user_id == other.user_id && self.key == other.key
    }
}

/// Why an object is not taken for a cross-signing key of the user and the role asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyObjectError {
    /// The text is not an object that has a canonical form.
    Json(CanonicalizeError),
    /// What signatures cover is longer than [`MAX_OBJECT_LEN`].
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// `user_id`, `usage` or `keys` is missing or of another form.
    Malformed,
    /// The object names another user.
    OtherUser,
    /// `usage` is not a list of just the role that was asked for.
    WrongUsage,
    /// `keys` has no entry, or several.
    NotOneKey,
    /// The key is not an Ed25519 key.
    UnsupportedAlgorithm,
    /// The ID of the key is not the key.
    OtherKeyId,
    /// The key is not 32 bytes in Base64, not in its canonical encoding, or of small order.
    InvalidKey,
}

impl fmt::Display for KeyObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::TooLong { len } => write!(f, "object has {len} bytes, at most {MAX_OBJECT_LEN} are taken"),
            Self::Malformed => f.write_str("object is not a cross-signing key"),
            Self::OtherUser => f.write_str("cross-signing key names another user"),
            Self::WrongUsage => f.write_str("cross-signing key is for another usage, or for several"),
            Self::NotOneKey => f.write_str("cross-signing key object does not have exactly one key"),
            Self::UnsupportedAlgorithm => f.write_str("algorithm of the cross-signing key is not ed25519"),
            Self::OtherKeyId => f.write_str("ID of the cross-signing key is not the key"),
            Self::InvalidKey => f.write_str("cross-signing key is invalid"),
        }
    }
}

impl core::error::Error for KeyObjectError {}
