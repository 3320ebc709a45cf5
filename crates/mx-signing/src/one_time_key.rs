//! One-time keys and fallback keys, signed by their device.

use alloc::string::String;
use core::fmt;
use core::ops::Not;

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_types::{
    Curve25519PublicKey, DeviceId, Ed25519PublicKey, Ed25519Signature, InvalidIdentifier, KeyId, UserId,
};
use serde::{Deserialize, Serialize};
use signature::Signer;

use crate::error::{SignError, VerifyError};
use crate::object::{SignedObject, sign_value};
use crate::verified::Verified;

/// A one-time key or a fallback key of a device: a `KeyObject` of the client-server API, algorithm `signed_curve25519`.
///
/// Both members are covered by the signature. The key ID under which the object is uploaded is not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OneTimeKey {
    /// The public key.
    pub key: Curve25519PublicKey,
    /// Whether it is a fallback key, which the server may give to several.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub fallback: bool,
}

impl OneTimeKey {
    /// Gives the object that the device uploads, signed with the device's key.
    ///
    /// # Errors
    ///
    /// When the device ID cannot be part of a key ID, or the signer fails.
    pub fn sign<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        signer: &S,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<String, SignError> {
        sign_value(self, signer, user_id.as_str(), KeyId::new("ed25519", device_id.as_str())?)
    }

    /// Takes an object that was claimed from a device: it must be signed with the device's Ed25519 key, as the caller
    /// knows it from [`DeviceKeys`](crate::DeviceKeys).
    ///
    /// # Errors
    ///
    /// A [`OneTimeKeyError`].
    pub fn verify(
        text: &str,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        ed25519: Ed25519PublicKey,
    ) -> Result<Verified<Self>, OneTimeKeyError> {
        let object = SignedObject::parse(text, &Limits::DEFAULT).map_err(OneTimeKeyError::Json)?;
        let key_id = KeyId::new("ed25519", device_id.as_str()).map_err(OneTimeKeyError::Identifier)?;
        let verified =
            object.verify(user_id.as_str(), key_id, ed25519).map_err(OneTimeKeyError::Signature)?;
        verified.parse().map_err(|_| OneTimeKeyError::Malformed)
    }
}

/// Why an object is not taken for a key of the device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OneTimeKeyError {
    /// The text is not an object that has a canonical form.
    Json(CanonicalizeError),
    /// The device ID cannot be part of a key ID.
    Identifier(InvalidIdentifier),
    /// The device has not signed the object.
    Signature(VerifyError),
    /// The device has signed it, but `key` is missing or not a public key, or `fallback` is not a Boolean.
    Malformed,
}

impl fmt::Display for OneTimeKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Identifier(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
            Self::Malformed => f.write_str("object is not a one-time key"),
        }
    }
}

impl core::error::Error for OneTimeKeyError {}
