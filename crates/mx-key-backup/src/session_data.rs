use alloc::{string::String, vec::Vec};
use core::fmt;

use mx_json::{MalformedObject, Value, required::string};
use mx_types::{
    Curve25519PublicKey, InvalidKey,
    base64::{self, DecodeError, TrailingBits},
};

/// A session as the server has it: `session_data` of an entry, encrypted.
///
/// Nothing here is authenticated. The MAC covers no byte of the ciphertext, and whoever knows the public key of a backup
/// can make such an object.
///
/// Client-server API, "Backup algorithm: m.megolm_backup.v1.curve25519-aes-sha2".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncryptedSessionData {
    /// The public key that was made for this session alone.
    pub ephemeral: Curve25519PublicKey,
    /// AES-256-CBC of the session's JSON.
    pub ciphertext: Vec<u8>,
    /// The first 8 bytes of the HMAC of nothing.
    pub mac: [u8; 8],
}

impl EncryptedSessionData {
    /// Reads the object. Members that the specification does not name are passed over.
    ///
    /// # Errors
    ///
    /// [`SessionDataError`].
    pub fn parse(json: &[u8]) -> Result<Self, SessionDataError> {
        let [ephemeral, ciphertext, mac] = mx_json::members(json, &["ephemeral", "ciphertext", "mac"])?;
        let ephemeral = ephemeral_key(ephemeral)?;
        let ciphertext = ciphertext_bytes(ciphertext)?;
        // A MAC has eight bytes, and there is no shorter one.
        let mac = base64::decode_array(string(mac, "mac")?.as_bytes(), TrailingBits::Ignored)
            .map_err(|error| SessionDataError::Base64 { member: "mac", error })?;
        Ok(Self { ephemeral, ciphertext, mac })
    }

    /// The object: unpadded Base64, which needs no escapes.
    #[must_use]
    pub fn emit(&self) -> String {
        let ephemeral = base64::encode_to_string(self.ephemeral.as_bytes());
        let ciphertext = base64::encode_to_string(&self.ciphertext);
        let mac = base64::encode_to_string(&self.mac);
        let parts = [
            "{\"ciphertext\":\"",
            &ciphertext,
            "\",\"ephemeral\":\"",
            &ephemeral,
            "\",\"mac\":\"",
            &mac,
            "\"}",
        ];
        parts.concat()
    }
}

pub(crate) fn ephemeral_key(value: Option<Value<'_>>) -> Result<Curve25519PublicKey, SessionDataError> {
    let text = string(value, "ephemeral")?;
    Curve25519PublicKey::from_base64(&text).map_err(SessionDataError::Ephemeral)
}

pub(crate) fn ciphertext_bytes(value: Option<Value<'_>>) -> Result<Vec<u8>, SessionDataError> {
    let text = string(value, "ciphertext")?;
    base64::decode_to_vec(&text, TrailingBits::Ignored)
        .map_err(|error| SessionDataError::Base64 { member: "ciphertext", error })
}

/// Why an object is not an encrypted session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionDataError {
    /// Not an object with the members that it must have.
    Object(MalformedObject),
    /// A member is not Base64, or not of as many bytes as it must have.
    Base64 {
        /// Its name.
        member: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The ephemeral key is no public key: of another length, of small order, or in a second encoding.
    Ephemeral(InvalidKey),
}

impl fmt::Display for SessionDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::Base64 { member, error } => write!(f, "{member}: {error}"),
            Self::Ephemeral(error) => write!(f, "ephemeral: {error}"),
        }
    }
}

impl core::error::Error for SessionDataError {}

impl From<MalformedObject> for SessionDataError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}
