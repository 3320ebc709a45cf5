//! A device, as it is stored.

use alloc::borrow::ToOwned;
use alloc::string::String;

use mx_signing::{DeviceKeys, TakenDevice};

use crate::time::Timestamp;

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

impl Device {
    /// A device of a response that was taken, as one that was never seen.
    pub(crate) fn first(taken: TakenDevice<'_>, now: Timestamp) -> Self {
        Self {
            object: taken.object.canonical().to_owned(),
            keys: taken.keys,
            is_dehydrated: taken.is_dehydrated,
            is_deleted: false,
            first_seen: now,
            no_olm_sent: false,
            wedgings: 0,
        }
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
