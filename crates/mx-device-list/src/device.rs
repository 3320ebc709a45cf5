//! A device, as it is stored.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_canonical_json::Limits;
use mx_signing::{DeviceKeys, DeviceKeysError, QueriedDevice, SignedObject};
use serde::Deserialize;

use crate::time::Timestamp;

/// Bytes that the signatures of a device cover, at most.
pub const MAX_OBJECT_LEN: usize = 65_536;

/// A device of a user: what it says about itself, signed by itself, and what is remembered of it.
///
/// How far to trust it is not known here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    pub(crate) keys: DeviceKeys,
    pub(crate) object: String,
    pub(crate) is_dehydrated: bool,
    pub(crate) is_deleted: bool,
    pub(crate) first_seen: Timestamp,
    pub(crate) no_olm_sent: bool,
    pub(crate) wedgings: u32,
}

/// The member by which MSC3814 marks a dehydrated device.
#[derive(Deserialize)]
struct Dehydrated {
    #[serde(default)]
    dehydrated: bool,
}

impl Device {
    /// Takes a device of a response, as one that was never seen.
    pub(crate) fn receive(device: &QueriedDevice<'_>, now: Timestamp) -> Result<Self, DeviceRefused> {
        let keys = device.keys.as_ref().map_err(|error| DeviceRefused::Keys(*error))?;
        let object = SignedObject::parse(device.text, &Limits::DEFAULT)
            .map_err(|error| DeviceRefused::Keys(DeviceKeysError::Json(error)))?;
        let len = object.canonical().len();
        if len > MAX_OBJECT_LEN {
            return Err(DeviceRefused::TooLong { len });
        }
        let is_dehydrated =
            serde_json::from_str(object.canonical()).is_ok_and(|Dehydrated { dehydrated }| dehydrated);
        Ok(Self {
            keys: DeviceKeys::clone(keys),
            object: object.canonical().to_owned(),
            is_dehydrated,
            is_deleted: false,
            first_seen: now,
            no_olm_sent: false,
            wedgings: 0,
        })
    }

    /// What is remembered of the same device from before.
    pub(crate) const fn remembering(mut self, before: &Self) -> Self {
        self.first_seen = before.first_seen;
        self.no_olm_sent = before.no_olm_sent;
        self.wedgings = before.wedgings;
        self
    }

    /// Its keys.
    #[must_use]
    pub const fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// Its ID.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.keys.device_id
    }

    /// The text that signatures on the device's keys cover, with the members that nobody here knows.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Whether it says that it is a dehydrated device.
    #[must_use]
    pub const fn is_dehydrated(&self) -> bool {
        self.is_dehydrated
    }

    /// Whether it is gone. Nothing is encrypted for it; messages that came from it are still its.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// When it was first seen with this Ed25519 key.
    #[must_use]
    pub const fn first_seen(&self) -> Timestamp {
        self.first_seen
    }

    /// Whether it was told that there is no Olm session with it (`m.no_olm`), which is told once.
    #[must_use]
    pub const fn no_olm_sent(&self) -> bool {
        self.no_olm_sent
    }

    /// Records whether it was told.
    pub const fn set_no_olm_sent(&mut self, sent: bool) {
        self.no_olm_sent = sent;
    }

    /// How often a new Olm session had to be opened because the one before was wedged.
    #[must_use]
    pub const fn wedgings(&self) -> u32 {
        self.wedgings
    }

    /// Counts a wedged session.
    pub const fn count_wedging(&mut self) {
        self.wedgings = self.wedgings.saturating_add(1);
    }
}

/// Why a device of a response is not taken. What was stored of it stays as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeviceRefused {
    /// Its keys are not taken.
    Keys(DeviceKeysError),
    /// The device has another Ed25519 key than before: alert the user.
    Ed25519Changed,
    /// It has the ID of this device and other keys: the server lies. Alert the user.
    NotThisDevice,
    /// Its key is a cross-signing key of its user.
    IsSigningKey,
    /// What signatures cover is longer than [`MAX_OBJECT_LEN`].
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for DeviceRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => error.fmt(f),
            Self::Ed25519Changed => f.write_str("device had another Ed25519 key before"),
            Self::NotThisDevice => f.write_str("response has other keys for this device than its own"),
            Self::IsSigningKey => f.write_str("key of the device is a cross-signing key of its user"),
            Self::TooLong { len } => write!(f, "object has {len} bytes, at most {MAX_OBJECT_LEN} are taken"),
        }
    }
}

impl core::error::Error for DeviceRefused {}
