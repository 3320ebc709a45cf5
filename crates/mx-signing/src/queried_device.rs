//! Which device of an answer is taken.

use alloc::string::String;
use core::fmt;

use mx_canonical_json::Limits;
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, UserId};
use serde::Deserialize;

use crate::device_keys::{DeviceKeys, DeviceKeysError};
use crate::memory::SignatureMemory;
use crate::object::SignedObject;
use crate::verified::Verified;

/// Bytes that the signatures on an object cover, at most, where the object is stored: a device's are some 500.
pub const MAX_OBJECT_LEN: usize = 65_536;

/// One device in an answer to `/keys/query`.
#[derive(Clone, Debug)]
pub struct QueriedDevice<'t> {
    /// The ID under which the server lists it.
    pub device_id: String,
    /// The object as it came, for the signatures of others on it ([`SignedObject`]) and its unauthenticated part.
    pub text: &'t str,
    /// Its keys, or why they are not taken.
    pub keys: Result<Verified<DeviceKeys>, DeviceKeysError>,
}

/// What is known of a device before an answer; nothing, by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownDevice {
    /// Of this very device, its Ed25519 key.
    pub own_ed25519: Option<Ed25519PublicKey>,
    /// Of this very device, its Curve25519 key, if whoever asks knows it.
    pub own_curve25519: Option<Curve25519PublicKey>,
    /// The Ed25519 key with which it is stored.
    pub stored_ed25519: Option<Ed25519PublicKey>,
}

/// A device that was taken, with what is to be stored of it.
#[derive(Clone, Debug)]
pub struct TakenDevice<'t> {
    /// What the device says about itself, signed by itself.
    pub keys: DeviceKeys,
    /// The object: what is signed, of at most [`MAX_OBJECT_LEN`] bytes, and the signatures of others.
    pub object: SignedObject<'t>,
    /// Whether it says that it is a dehydrated device (MSC3814). The device's signature covers that.
    pub is_dehydrated: bool,
}

/// The member by which MSC3814 marks a dehydrated device.
#[derive(Deserialize)]
struct Dehydrated {
    #[serde(default)]
    dehydrated: bool,
}

impl<'t> QueriedDevice<'t> {
    /// Reads the device that the server lists under an ID.
    pub(crate) fn read(
        memory: Option<&mut SignatureMemory>,
        user_id: UserId<'_>,
        device_id: String,
        text: &'t str,
    ) -> Self {
        let keys = match (DeviceId::parse(&device_id), memory) {
            (Ok(device_id), Some(memory)) => DeviceKeys::verify_with(memory, text, user_id, device_id),
            (Ok(device_id), None) => DeviceKeys::verify(text, user_id, device_id),
            (Err(error), _) => Err(DeviceKeysError::Identifier(error)),
        };
        Self { device_id, text, keys }
    }

    /// Takes the device, or says why not: its own object comes first, then whether it is the device that is known under the ID, then
    /// whether its key is one of its user's cross-signing keys.
    ///
    /// # Errors
    ///
    /// [`DeviceRefused`]. What is stored of the device stays as it is then.
    pub fn receive(
        &self,
        known: &KnownDevice,
        is_signing_key: impl FnOnce(Ed25519PublicKey) -> bool,
    ) -> Result<TakenDevice<'t>, DeviceRefused> {
        let keys = self.keys.as_ref().map_err(|error| DeviceRefused::Keys(*error))?;
        let object = SignedObject::parse(self.text, &Limits::DEFAULT)
            .map_err(|error| DeviceRefused::Keys(DeviceKeysError::Json(error)))?;
        let len = object.canonical().len();
        if len > MAX_OBJECT_LEN {
            return Err(DeviceRefused::TooLong { len });
        }

        let KnownDevice { own_ed25519, own_curve25519, stored_ed25519 } = *known;
        if own_ed25519.is_some_and(|own| own != keys.ed25519)
            || own_curve25519.is_some_and(|own| Some(own) != keys.curve25519)
        {
            return Err(DeviceRefused::NotThisDevice);
        }
        if stored_ed25519.is_some_and(|stored| stored != keys.ed25519) {
            return Err(DeviceRefused::Ed25519Changed);
        }
        if is_signing_key(keys.ed25519) {
            return Err(DeviceRefused::IsSigningKey);
        }

        let is_dehydrated =
            serde_json::from_str(object.canonical()).is_ok_and(|Dehydrated { dehydrated }| dehydrated);
        Ok(TakenDevice { keys: DeviceKeys::clone(keys), object, is_dehydrated })
    }
}

/// Why a device of an answer is not taken. What is stored of it stays as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeviceRefused {
    /// Its keys are not taken.
    Keys(DeviceKeysError),
    /// What signatures cover is longer than [`MAX_OBJECT_LEN`].
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It has the ID of this device and other keys: the server lies. Alert the user.
    NotThisDevice,
    /// The device has another Ed25519 key than before: alert the user.
    Ed25519Changed,
    /// Its key is a cross-signing key of its user.
    IsSigningKey,
}

impl fmt::Display for DeviceRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => error.fmt(f),
            Self::TooLong { len } => write!(f, "object has {len} bytes, at most {MAX_OBJECT_LEN} are taken"),
            Self::NotThisDevice => f.write_str("response has other keys for this device than its own"),
            Self::Ed25519Changed => f.write_str("device had another Ed25519 key before"),
            Self::IsSigningKey => f.write_str("key of the device is a cross-signing key of its user"),
        }
    }
}

impl core::error::Error for DeviceRefused {}
