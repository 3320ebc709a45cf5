//! Why an object cannot be signed, and why a signature is not taken.

use core::fmt;

use mx_canonical_json::{CanonicalizeError, SerializeError};
use mx_types::InvalidIdentifier;

/// Why an object was not signed. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignError {
    /// The text is not an object that has a canonical form.
    Json(CanonicalizeError),
    /// The value has no canonical form.
    Value(SerializeError),
    /// The algorithm of the key ID is not `ed25519`.
    UnsupportedAlgorithm,
    /// `signatures`, or the entity's member in it, is there but is not an object.
    SignaturesNotAnObject,
    /// An identifier cannot be part of the object.
    Identifier(InvalidIdentifier),
    /// Two one-time keys to be uploaded have the same key ID.
    DuplicateKeyId,
    /// The device keys are those of another user or device.
    OtherDevice,
    /// The signer failed.
    Signer,
    /// The signer's key is not the one that the object names as its own.
    WrongKey,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::UnsupportedAlgorithm => f.write_str("algorithm of the key ID is not ed25519"),
            Self::SignaturesNotAnObject => {
                f.write_str("signatures, or the entity's member of it, is not an object")
            }
            Self::Identifier(error) => error.fmt(f),
            Self::DuplicateKeyId => f.write_str("two one-time keys have the same key ID"),
            Self::OtherDevice => f.write_str("device keys name another user or device"),
            Self::Signer => f.write_str("signer failed"),
            Self::WrongKey => f.write_str("signer's key is not the one that the object names"),
        }
    }
}

impl core::error::Error for SignError {}

impl From<CanonicalizeError> for SignError {
    fn from(error: CanonicalizeError) -> Self {
        Self::Json(error)
    }
}

impl From<InvalidIdentifier> for SignError {
    fn from(error: InvalidIdentifier) -> Self {
        Self::Identifier(error)
    }
}

/// Why there is no valid signature of an entity under a key ID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The algorithm of the key ID is not `ed25519`.
    UnsupportedAlgorithm,
    /// The object has no signature of that entity under that key ID.
    NoSignature,
    /// What stands in the place of the signature is not 64 bytes in Base64.
    MalformedSignature,
    /// The signature is not one of this object by this key.
    InvalidSignature,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsupportedAlgorithm => "algorithm of the key ID is not ed25519",
            Self::NoSignature => "object has no signature of the entity under the key ID",
            Self::MalformedSignature => "signature is not 64 bytes in Base64",
            Self::InvalidSignature => "signature does not verify",
        })
    }
}

impl core::error::Error for VerifyError {}
