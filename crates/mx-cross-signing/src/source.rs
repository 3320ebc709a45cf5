//! Where stored identities and devices come from.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::convert::Infallible;

use mx_types::{DeviceId, UserId};

use crate::device::Device;
use crate::user::UserIdentity;

/// What this device has stored: a map, a database, flash. [`Identities`] is one in memory.
pub trait KeySource {
    /// Why a look-up failed, if it can.
    type Error;

    /// What is stored of another user's identity.
    ///
    /// # Errors
    ///
    /// When the look-up failed. A user of whom nothing is stored is `None`.
    fn user(&self, user_id: UserId<'_>) -> Result<Option<Cow<'_, UserIdentity>>, Self::Error>;

    /// What is stored of a device of any user, unless it was deleted.
    ///
    /// # Errors
    ///
    /// As [`KeySource::user`].
    fn device(
        &self,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Option<Cow<'_, Device>>, Self::Error>;
}

/// Identities and devices in memory.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    pub(crate) users: BTreeMap<String, UserIdentity>,
    pub(crate) devices: BTreeMap<String, BTreeMap<String, Device>>,
}

impl Identities {
    /// All users of whom an identity is stored.
    pub fn users(&self) -> impl Iterator<Item = &UserIdentity> {
        self.users.values()
    }

    /// A user, to pin or verify.
    pub fn user_mut(&mut self, user_id: UserId<'_>) -> Option<&mut UserIdentity> {
        self.users.get_mut(user_id.as_str())
    }

    /// The devices of a user.
    pub fn devices(&self, user_id: UserId<'_>) -> impl Iterator<Item = &Device> {
        self.devices.get(user_id.as_str()).into_iter().flat_map(BTreeMap::values)
    }

    /// A device, to record what the user says about it.
    pub fn device_mut(&mut self, user_id: UserId<'_>, device_id: DeviceId<'_>) -> Option<&mut Device> {
        self.devices.get_mut(user_id.as_str())?.get_mut(device_id.as_str())
    }

    /// Stores a user's identity.
    pub fn insert_user(&mut self, user: UserIdentity) {
        self.users.insert(user.user_id().to_string(), user);
    }

    /// Stores a device.
    pub fn insert_device(&mut self, device: Device) {
        let devices = self.devices.entry(device.user_id().to_string()).or_default();
        devices.insert(device.device_id().to_string(), device);
    }

    /// Removes a device that a complete answer about its user lacks.
    pub fn remove_device(&mut self, user_id: UserId<'_>, device_id: DeviceId<'_>) -> Option<Device> {
        self.devices.get_mut(user_id.as_str())?.remove(device_id.as_str())
    }

    /// Latches every user who is verified now: after our own identity became verified.
    pub fn refresh(&mut self, own: &crate::OwnIdentity) {
        for user in self.users.values_mut() {
            user.refresh(own);
        }
    }
}

impl KeySource for Identities {
    type Error = Infallible;

    fn user(&self, user_id: UserId<'_>) -> Result<Option<Cow<'_, UserIdentity>>, Infallible> {
        Ok(self.users.get(user_id.as_str()).map(Cow::Borrowed))
    }

    fn device(
        &self,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Option<Cow<'_, Device>>, Infallible> {
        let devices = self.devices.get(user_id.as_str());
        Ok(devices.and_then(|devices| devices.get(device_id.as_str())).map(Cow::Borrowed))
    }
}
