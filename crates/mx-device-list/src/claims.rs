//! Devices of which no usable one-time key was to be had.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use mx_types::{DeviceId, UserId};

use crate::config::Config;
use crate::time::{BackOff, Timestamp};

/// Devices that are remembered; with more, the one whose wait ends first is forgotten.
const MAX_FAILING: usize = 1024;

/// Devices of which claiming a key failed, because there was none or its signature was wrong: they are asked again later and later.
///
/// What is claimed is verified by `mx_signing::KeysClaimResponse`, with the Ed25519 key in the device list.
#[derive(Clone, Debug)]
pub struct Claims {
    first: u64,
    longest: u64,
    failing: BTreeMap<(String, String), BackOff>,
}

impl Claims {
    /// Milliseconds that our homeserver is asked to wait for other servers.
    pub const TIMEOUT: u64 = 10_000;

    /// No device has failed yet.
    #[must_use]
    pub const fn new(config: &Config) -> Self {
        Self { first: config.first_back_off, longest: config.longest_back_off, failing: BTreeMap::new() }
    }

    /// Whether a key of the device may be claimed now.
    #[must_use]
    pub fn may_claim(&self, now: Timestamp, user_id: UserId<'_>, device_id: DeviceId<'_>) -> bool {
        self.failing.get(&name(user_id, device_id)).is_none_or(|back_off| back_off.wait.is_over(now))
    }

    /// No key was to be had.
    pub fn failed(&mut self, now: Timestamp, user_id: UserId<'_>, device_id: DeviceId<'_>) {
        let name = name(user_id, device_id);
        let before = self.failing.remove(&name);
        if self.failing.len() >= MAX_FAILING {
            let first = self.failing.iter().min_by_key(|(_, back_off)| back_off.wait.end());
            let first = first.map(|(name, _)| name.clone());
            first.and_then(|name| self.failing.remove(&name));
        }
        self.failing.insert(name, BackOff::next(before, now, self.first, self.longest));
    }

    /// A session was opened.
    pub fn succeeded(&mut self, user_id: UserId<'_>, device_id: DeviceId<'_>) {
        self.failing.remove(&name(user_id, device_id));
    }
}

fn name(user_id: UserId<'_>, device_id: DeviceId<'_>) -> (String, String) {
    (user_id.as_str().to_owned(), device_id.as_str().to_owned())
}
