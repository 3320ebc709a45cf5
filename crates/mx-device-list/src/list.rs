//! The devices of one user.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use mx_pickle::Generation;
use mx_signing::{DeviceRefused, KnownDevice, OLM, QueriedDevice};
use mx_types::{Curve25519PublicKey, DeviceId, UserId};

use crate::device::Device;
use crate::event::{Event, What};
use crate::time::Timestamp;
use crate::tracker::OwnDevice;

/// Deleted devices of one user that are remembered.
pub const MAX_FORMER_DEVICES: usize = 1024;

/// The devices of one user: those that there are, and those that there were.
///
/// Stored state: see [`DeviceList::pickle_to_vec`].
#[derive(Clone, Debug)]
pub struct DeviceList {
    pub(crate) user_id: String,
    pub(crate) devices: BTreeMap<String, Device>,
    /// Deleted ones, the latest last. A device ID can come several times, with different Ed25519 keys.
    pub(crate) former: Vec<Device>,
    pub(crate) generation: Generation,
}

/// What a response makes of a list.
pub(crate) struct Updated {
    pub(crate) list: DeviceList,
    pub(crate) is_changed: bool,
    /// In the order of device IDs.
    pub(crate) events: Vec<Event>,
}

impl DeviceList {
    /// An empty list.
    pub(crate) fn new(user_id: UserId<'_>) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            devices: BTreeMap::new(),
            former: Vec::new(),
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The devices that there are, in the order of their IDs.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// Those with which an Olm session can be opened.
    pub fn olm_devices(&self) -> impl Iterator<Item = &Device> {
        self.devices().filter(|device| device.keys.supports(OLM))
    }

    /// A device that there is.
    #[must_use]
    pub fn device(&self, device_id: DeviceId<'_>) -> Option<&Device> {
        self.devices.get(device_id.as_str())
    }

    /// A device that there is, to record something about it. Save the list then.
    #[must_use]
    pub fn device_mut(&mut self, device_id: DeviceId<'_>) -> Option<&mut Device> {
        self.devices.get_mut(device_id.as_str())
    }

    /// Devices that were deleted, the latest last.
    #[must_use]
    pub fn former(&self) -> &[Device] {
        &self.former
    }

    /// The devices that name a key for Olm, deleted ones included. Anybody can name anybody's key: a message is from one of them only
    /// if it names that one's Ed25519 key, too.
    pub fn with_curve25519(&self, key: Curve25519PublicKey) -> impl Iterator<Item = &Device> {
        self.devices().chain(&self.former).filter(move |device| device.keys.curve25519 == Some(key))
    }

    /// The list after a response.
    pub(crate) fn update<'t>(
        &self,
        queried: impl Iterator<Item = QueriedDevice<'t>>,
        signing_keys: &BTreeSet<[u8; 32]>,
        this_device: Option<&OwnDevice>,
        now: Timestamp,
    ) -> Updated {
        let mut list = self.clone();
        let mut events = Vec::new();
        let mut missing: BTreeSet<_> = self.devices.keys().map(String::as_str).collect();
        let mut saw_this_device = false;
        for queried in queried {
            let this_device = this_device.filter(|this| this.device_id == queried.device_id);
            saw_this_device |= this_device.is_some();
            missing.remove(queried.device_id.as_str());
            let what = match self.judge(&queried, signing_keys, this_device, now) {
                Ok(device) => list.insert(device),
                Err(refused) => Some(What::DeviceRefused(refused)),
            };
            if let Some(what) = what {
                events.push(self.event(&queried.device_id, what));
            }
        }
        if let Some(this) = this_device.filter(|_| !saw_this_device) {
            missing.remove(this.device_id.as_str());
            events.push(self.event(&this.device_id, What::ThisDeviceMissing));
        }
        for device_id in missing {
            if let Some(device) = list.devices.remove(device_id) {
                let curve25519 = device.keys.curve25519;
                events.push(self.event(device_id, What::DeviceDeleted { curve25519 }));
                list.bury(device);
            }
        }
        events.sort_by(|a, b| a.device_id.cmp(&b.device_id));
        let is_changed = list.devices != self.devices || list.former != self.former;
        Updated { list, is_changed, events }
    }

    fn judge(
        &self,
        queried: &QueriedDevice<'_>,
        signing_keys: &BTreeSet<[u8; 32]>,
        this_device: Option<&OwnDevice>,
        now: Timestamp,
    ) -> Result<Device, DeviceRefused> {
        let known = KnownDevice {
            own_ed25519: this_device.map(|this| this.ed25519),
            own_curve25519: this_device.map(|this| this.curve25519),
            stored_ed25519: self.devices.get(&queried.device_id).map(|stored| stored.keys.ed25519),
        };
        let taken = queried.receive(&known, |key| signing_keys.contains(key.as_bytes()))?;
        Ok(Device::first(taken, now))
    }

    /// Takes a device that was judged; says what is different.
    fn insert(&mut self, device: Device) -> Option<What> {
        let curve25519 = device.keys.curve25519;
        let device_id = device.keys.device_id.clone();
        if let Some(stored) = self.devices.get_mut(&device_id) {
            if stored.object == device.object {
                return None;
            }
            let other_curve25519 = stored.keys.curve25519 != curve25519;
            *stored = device.remembering(stored);
            return Some(What::DeviceChanged { curve25519, other_curve25519 });
        }
        let before = self.former.iter().position(|former| {
            former.keys.device_id == device_id && former.keys.ed25519 == device.keys.ed25519
        });
        let before = before.map(|index| self.former.remove(index));
        let returned = before.is_some();
        let device = match before {
            Some(before) => device.remembering(&before),
            None => device,
        };
        self.devices.insert(device_id, device);
        Some(What::DeviceNew { curve25519, returned })
    }

    /// Keeps a device that is gone: messages that it sent are still its.
    fn bury(&mut self, mut device: Device) {
        device.is_deleted = true;
        self.former.push(device);
        if self.former.len() > MAX_FORMER_DEVICES {
            self.former.remove(0);
        }
    }

    fn event(&self, device_id: &str, what: What) -> Event {
        Event { user_id: self.user_id.clone(), device_id: Some(device_id.to_owned()), what }
    }
}
