//! The keys of a device, signed by the device.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_types::{
    Curve25519PublicKey, DeviceId, Ed25519PublicKey, Ed25519Signature, InvalidIdentifier, KeyId, UserId,
};
use serde::{Deserialize, Serialize};
use signature::Signer;

use crate::error::{SignError, VerifyError};
use crate::members::Members;
use crate::memory::SignatureMemory;
use crate::object::{SignedObject, sign_value};
use crate::verified::Verified;

/// The algorithm name of Olm.
pub const OLM: &str = "m.olm.v1.curve25519-aes-sha2";

/// The algorithm name of Megolm.
pub const MEGOLM: &str = "m.megolm.v1.aes-sha2";

/// The keys of a device: what it uploads about itself, and what others see of it in `/keys/query`.
///
/// Client-server API, "Device keys".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceKeys {
    /// The user whose device it is.
    pub user_id: String,
    /// The device's ID.
    pub device_id: String,
    /// The algorithms that it supports: [`OLM`], [`MEGOLM`], and others.
    pub algorithms: Vec<String>,
    /// The identity key for Olm. Only a device that does not support Olm can lack it.
    pub curve25519: Option<Curve25519PublicKey>,
    /// The key that signs for the device; its text is the fingerprint that users compare.
    pub ed25519: Ed25519PublicKey,
}

/// The object as others see it.
#[derive(Serialize)]
struct Emitted<'a> {
    algorithms: &'a [String],
    device_id: DeviceId<'a>,
    keys: BTreeMap<String, String>,
    user_id: UserId<'a>,
}

/// The object as it comes. Members not named here are covered by the signature, but nobody has asked for them.
#[derive(Deserialize)]
struct Received<'t> {
    algorithms: Vec<String>,
    device_id: String,
    #[serde(borrow)]
    keys: Members<'t>,
    user_id: String,
}

impl DeviceKeys {
    /// The keys of a device that supports Olm and Megolm.
    #[must_use]
    pub fn new(
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        curve25519: Curve25519PublicKey,
        ed25519: Ed25519PublicKey,
    ) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            device_id: device_id.as_str().to_owned(),
            algorithms: [OLM, MEGOLM].map(ToOwned::to_owned).to_vec(),
            curve25519: Some(curve25519),
            ed25519,
        }
    }

    /// Gives the object that the device uploads as `device_keys`, signed with its own key.
    ///
    /// # Errors
    ///
    /// When an ID cannot be one, or the signer fails or has another key than [`ed25519`](Self::ed25519).
    pub fn sign<S: Signer<Ed25519Signature> + ?Sized>(&self, signer: &S) -> Result<String, SignError> {
        let user_id = UserId::parse(&self.user_id)?;
        let device_id = DeviceId::parse(&self.device_id)?;
        let ed25519_id = KeyId::new("ed25519", device_id.as_str())?;
        let mut keys = BTreeMap::from([(ed25519_id.to_string(), self.ed25519.to_string())]);
        if let Some(key) = self.curve25519 {
            keys.insert(KeyId::new("curve25519", device_id.as_str())?.to_string(), key.to_string());
        }
        let emitted = Emitted { algorithms: &self.algorithms, device_id, keys, user_id };
        let text = sign_value(&emitted, signer, user_id.as_str(), ed25519_id)?;

        let object = SignedObject::parse(&text, &Limits::DEFAULT)?;
        object.verify(user_id.as_str(), ed25519_id, self.ed25519).map_err(|_| SignError::WrongKey)?;
        Ok(text)
    }

    /// Takes the object of the device that was asked for: it must name that user and that device, and be signed with
    /// the Ed25519 key that it names.
    ///
    /// That is all it shows: whether the key is the user's is for cross-signing or the users themselves to say, and
    /// whether it is the key that the device had before is for the caller to see to.
    ///
    /// # Errors
    ///
    /// A [`DeviceKeysError`].
    pub fn verify(
        text: &str,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Verified<Self>, DeviceKeysError> {
        Self::read(text, user_id, device_id, |object, entity, key_id, key| {
            object.verify(entity, key_id, key).map(drop)
        })
    }

    /// [`verify`](Self::verify) of an object that may have been verified before.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_with(
        memory: &mut SignatureMemory,
        text: &str,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Verified<Self>, DeviceKeysError> {
        Self::read(text, user_id, device_id, |object, entity, key_id, key| {
            object.verify_with(memory, entity, key_id, key).map(drop)
        })
    }

    fn read(
        text: &str,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        verify: impl FnOnce(&SignedObject<'_>, &str, KeyId<'_>, Ed25519PublicKey) -> Result<(), VerifyError>,
    ) -> Result<Verified<Self>, DeviceKeysError> {
        let object = SignedObject::parse(text, &Limits::DEFAULT).map_err(DeviceKeysError::Json)?;
        let Received { algorithms, device_id: their_device_id, keys, user_id: their_user_id } =
            serde_json::from_str(object.canonical()).map_err(|_| DeviceKeysError::Malformed)?;
        if their_user_id != user_id.as_str() {
            return Err(DeviceKeysError::OtherUser);
        }
        if their_device_id != device_id.as_str() {
            return Err(DeviceKeysError::OtherDevice);
        }

        let ed25519_id = KeyId::new("ed25519", device_id.as_str()).map_err(DeviceKeysError::Identifier)?;
        let curve25519_id =
            KeyId::new("curve25519", device_id.as_str()).map_err(DeviceKeysError::Identifier)?;
        let ed25519 = keys.get(&ed25519_id.to_string()).ok_or(DeviceKeysError::NoEd25519Key)?;
        let ed25519 = serde_json::from_str(ed25519).map_err(|_| DeviceKeysError::InvalidKey)?;
        let curve25519 = match keys.get(&curve25519_id.to_string()) {
            Some(key) => Some(serde_json::from_str(key).map_err(|_| DeviceKeysError::InvalidKey)?),
            None if algorithms.iter().any(|algorithm| algorithm == OLM) => {
                return Err(DeviceKeysError::NoCurve25519Key);
            }
            None => None,
        };

        verify(&object, user_id.as_str(), ed25519_id, ed25519).map_err(DeviceKeysError::Signature)?;
        let keys =
            Self { user_id: their_user_id, device_id: their_device_id, algorithms, curve25519, ed25519 };
        Ok(Verified::new(keys, ed25519))
    }

    /// Whether the device supports an algorithm: [`OLM`] or [`MEGOLM`].
    #[must_use]
    pub fn supports(&self, algorithm: &str) -> bool {
        self.algorithms.iter().any(|supported| supported == algorithm)
    }
}

/// Why an object is not taken for the keys of the device that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeviceKeysError {
    /// The text is not an object that has a canonical form.
    Json(CanonicalizeError),
    /// The object lacks `user_id`, `device_id`, `algorithms` or `keys`, or one is of another form.
    Malformed,
    /// The device ID cannot be part of a key ID.
    Identifier(InvalidIdentifier),
    /// The object names another user than was asked for.
    OtherUser,
    /// The object names another device than was asked for.
    OtherDevice,
    /// There is no key `ed25519:` with the device's ID.
    NoEd25519Key,
    /// There is no key `curve25519:` with the device's ID, although the device supports Olm.
    NoCurve25519Key,
    /// One of these keys is not 32 bytes in Base64, not in its canonical encoding, or of small order.
    InvalidKey,
    /// The device has not signed the object.
    Signature(VerifyError),
}

impl fmt::Display for DeviceKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Malformed => f.write_str("object is not the keys of a device"),
            Self::Identifier(error) => error.fmt(f),
            Self::OtherUser => f.write_str("device keys name another user"),
            Self::OtherDevice => f.write_str("device keys name another device"),
            Self::NoEd25519Key => f.write_str("device has no Ed25519 key"),
            Self::NoCurve25519Key => f.write_str("device supports Olm but has no Curve25519 key"),
            Self::InvalidKey => f.write_str("key of the device is invalid"),
            Self::Signature(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DeviceKeysError {}
