use alloc::string::{String, ToString};
use alloc::vec::Vec;

use mx_types::{Ed25519PublicKey, UserId};

/// What the client has stored of users' keys: device lists, and cross-signing keys.
pub trait Keys {
    /// What is stored of a user. Of nobody known: [`UserKeys::UNKNOWN`].
    fn user(&self, user_id: UserId<'_>) -> UserKeys;

    /// Whether this device has verified the master signing key of our own user that is stored now.
    fn own_master_is_trusted(&self) -> bool;
}

/// What is stored of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserKeys {
    /// Whether the list must be queried before it may be used.
    pub is_outdated: bool,
    /// IDs and Ed25519 keys of the devices, without those that are blacklisted or dehydrated.
    pub devices: Vec<(String, Ed25519PublicKey)>,
    /// The master signing key of a usable identity.
    pub master_signing_key: Option<Ed25519PublicKey>,
    /// The self-signing key.
    pub self_signing_key: Option<Ed25519PublicKey>,
    /// The user-signing key; only known of our own user.
    pub user_signing_key: Option<Ed25519PublicKey>,
}

impl UserKeys {
    /// Nothing, and to be queried.
    pub const UNKNOWN: Self = Self {
        is_outdated: true,
        devices: Vec::new(),
        master_signing_key: None,
        self_signing_key: None,
        user_signing_key: None,
    };

    pub(crate) fn device(&self, device_id: &str) -> Option<Ed25519PublicKey> {
        self.devices.iter().find(|(id, _)| id == device_id).map(|(_, key)| *key)
    }

    /// Whether the ID of a device is a cross-signing key of its user, padded or not: then nobody can tell what a key ID means.
    pub(crate) fn device_id_is_signing_key(&self) -> bool {
        let keys = [self.master_signing_key, self.self_signing_key, self.user_signing_key];
        keys.into_iter().flatten().any(|key| self.has_device_named(&key))
    }

    /// Whether the ID of a device is this key.
    pub(crate) fn has_device_named(&self, key: &Ed25519PublicKey) -> bool {
        let name = key.to_string();
        self.devices.iter().any(|(id, _)| id.trim_end_matches('=') == name)
    }
}
