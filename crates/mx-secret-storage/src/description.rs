use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_types::RandomnessFailed;
use mx_types::base64::{DecodeError, encode_to_string};
use rand_core::TryCryptoRng;

use crate::encrypted::{Iv, decode_iv, decode_mac};
use crate::key::{SecretStorageKey, random_iv};
use mx_json::MalformedObject;

use crate::object::{Kept, MAX_OBJECT_LEN, Members, json_text, object};
use crate::passphrase::{PassphraseError, PassphraseInfo};

/// The one algorithm of secret storage.
pub const AES_HMAC_SHA2: &str = "m.secret_storage.v1.aes-hmac-sha2";

/// The type of the account data that describes the key of this ID.
#[must_use]
pub fn key_event_type(key_id: &str) -> String {
    ["m.secret_storage.key.", key_id].concat()
}

/// What account data says of a key: `m.secret_storage.key.<id>`. Nobody has signed it; the server can have written any of it.
///
/// Members that are not known are kept and written again.
#[derive(Clone, Debug)]
pub struct KeyDescription {
    name: Option<String>,
    passphrase: Option<Result<PassphraseInfo, PassphraseError>>,
    iv: Option<Iv>,
    check: Option<[u8; 32]>,
    members: Kept,
}

/// What a description says of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyCheck {
    /// It is the one that is described.
    Valid,
    /// It is not.
    Invalid,
    /// The description does not say. It may be the one: whether it is, the first secret will show. Encrypt nothing with it
    /// before.
    Unverifiable,
}

impl KeyDescription {
    /// Describes a key.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        key: &SecretStorageKey,
    ) -> Result<Self, RandomnessFailed> {
        let iv = random_iv(rng)?;
        let check = *key_check(key, &iv).as_bytes();
        let members = [
            ("algorithm", json_text(AES_HMAC_SHA2)),
            ("iv", json_text(&encode_to_string(&iv))),
            ("mac", json_text(&encode_to_string(&check))),
        ];
        Ok(Self {
            name: None,
            passphrase: None,
            iv: Some(Iv { bytes: iv, is_long: false }),
            check: Some(check),
            members: members.into_iter().map(|(name, json)| (name.to_owned(), json)).collect(),
        })
    }

    /// Reads the content of the account data.
    ///
    /// # Errors
    ///
    /// [`KeyDescriptionError`]. That no key can be made from a passphrase is none: see [`passphrase`](Self::passphrase).
    pub fn parse(content: &str) -> Result<Self, KeyDescriptionError> {
        let members = Members::parse(content, MAX_OBJECT_LEN)?;
        if members.text("algorithm")? != AES_HMAC_SHA2 {
            return Err(KeyDescriptionError::UnsupportedAlgorithm);
        }
        let is_there = |member| members.get(member).is_some_and(|json| json != "null");
        let name = if is_there("name") { members.optional_text("name")? } else { None };
        let passphrase = members.get("passphrase").filter(|json| *json != "null").map(PassphraseInfo::parse);
        let iv = members.optional_text("iv")?.map(|text| decode_iv(&text)).transpose();
        let check = members.optional_text("mac")?.map(|text| decode_mac(&text)).transpose();
        Ok(Self {
            name,
            passphrase,
            iv: iv.map_err(KeyDescriptionError::Iv)?,
            check: check.map_err(KeyDescriptionError::Mac)?,
            members: members.to_kept(),
        })
    }

    /// The same with a name for people.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.members.insert("name".to_owned(), json_text(name));
        self.name = Some(name.to_owned());
        self
    }

    /// The same with how the key was made from a passphrase.
    #[must_use]
    pub fn with_passphrase(mut self, info: &PassphraseInfo) -> Self {
        self.members.insert("passphrase".to_owned(), info.to_json());
        self.passphrase = Some(Ok(info.clone()));
        self
    }

    /// The content of the account data.
    #[must_use]
    pub fn to_json(&self) -> String {
        object(&self.members)
    }

    /// The name for people.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How the key is made from a passphrase, if it is made from one.
    ///
    /// # Errors
    ///
    /// [`PassphraseError`]: only the key itself opens the secrets then.
    pub fn passphrase(&self) -> Result<Option<&PassphraseInfo>, PassphraseError> {
        self.passphrase.as_ref().map(Result::as_ref).transpose().map_err(|error| *error)
    }

    /// Whether `key` is the key that is described, by the MAC of 32 encrypted zeros. In constant time.
    #[must_use]
    pub fn check(&self, key: &SecretStorageKey) -> KeyCheck {
        let (Some(iv), Some(expected)) = (&self.iv, &self.check) else {
            return KeyCheck::Unverifiable;
        };
        match key_check(key, &iv.bytes).verify(expected) {
            Ok(()) => KeyCheck::Valid,
            Err(_) => KeyCheck::Invalid,
        }
    }

    /// Whether the IV of the check is longer than the 16 bytes that count, as some software once wrote it.
    #[must_use]
    pub fn has_long_iv(&self) -> bool {
        self.iv.as_ref().is_some_and(|iv| iv.is_long)
    }
}

/// `HMAC-SHA-256(MAC key, AES-256-CTR(AES key, iv, 32 zeros))` under the keys of the empty name.
fn key_check(key: &SecretStorageKey, iv: &[u8; 16]) -> mx_aes_sha2::Tag<32> {
    let keys = key.keys_for("");
    let mut zeros = [0; 32];
    keys.keystream(iv).apply(&mut zeros);
    keys.mac(&zeros)
}

/// Why a content is not the description of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyDescriptionError {
    /// Not the object that it must be.
    Object(MalformedObject),
    /// The key is for another algorithm than [`AES_HMAC_SHA2`].
    UnsupportedAlgorithm,
    /// The IV of the check is not the Base64 of 16 to 48 bytes.
    Iv(DecodeError),
    /// The MAC of the check is not the Base64 of 32 bytes.
    Mac(DecodeError),
}

impl From<MalformedObject> for KeyDescriptionError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl fmt::Display for KeyDescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad key description: ")?;
        match self {
            Self::Object(error) => error.fmt(f),
            Self::UnsupportedAlgorithm => write!(f, "algorithm is not {AES_HMAC_SHA2}"),
            Self::Iv(error) => write!(f, "iv: {error}"),
            Self::Mac(error) => write!(f, "mac: {error}"),
        }
    }
}

impl core::error::Error for KeyDescriptionError {}
