use alloc::string::String;
use alloc::vec::Vec;

use mx_types::Ed25519PublicKey;

/// What was verified: keys as they were when the verification began, which are those that are stored now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// The user.
    pub user_id: String,
    /// The ID and the Ed25519 key of the device.
    pub device: Option<(String, Ed25519PublicKey)>,
    /// The master signing key of the user.
    pub master_signing_key: Option<Ed25519PublicKey>,
    /// What is to be done about it: all of it, in this order.
    pub consequences: Vec<Consequence>,
}

/// What follows from a verification. In all of them: if the object that is stored has another key by now, nothing is done.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Consequence {
    /// Our own master signing key is verified on this device: record that, ask for the secrets that are missing, and sign the key with
    /// this device.
    TrustOwnMaster {
        /// The key.
        master_signing_key: Ed25519PublicKey,
    },
    /// Sign another device of ours with the self-signing key, and upload that. Without that key: trust it on this device.
    SignOwnDevice {
        /// The device.
        device_id: String,
        /// Its key.
        ed25519: Ed25519PublicKey,
    },
    /// Sign the master signing key of another user with our user-signing key, and upload that.
    SignUser {
        /// The user.
        user_id: String,
        /// The key.
        master_signing_key: Ed25519PublicKey,
    },
    /// Only a device of another user was verified: trust it on this device, sign nothing, and say that the user is not verified.
    TrustDevice {
        /// The user.
        user_id: String,
        /// The device.
        device_id: String,
        /// Its key.
        ed25519: Ed25519PublicKey,
    },
}

impl Verified {
    pub(crate) fn new(
        user_id: &str,
        is_own_user: bool,
        device: Option<(String, Ed25519PublicKey)>,
        master_signing_key: Option<Ed25519PublicKey>,
    ) -> Self {
        let user_id = String::from(user_id);
        let mut consequences = Vec::new();
        if let Some(master_signing_key) = master_signing_key {
            consequences.push(if is_own_user {
                Consequence::TrustOwnMaster { master_signing_key }
            } else {
                Consequence::SignUser { user_id: user_id.clone(), master_signing_key }
            });
        }
        if let Some((device_id, ed25519)) = device.clone() {
            if is_own_user {
                consequences.push(Consequence::SignOwnDevice { device_id, ed25519 });
            } else if master_signing_key.is_none() {
                consequences.push(Consequence::TrustDevice { user_id: user_id.clone(), device_id, ed25519 });
            }
        }
        Self { user_id, device, master_signing_key, consequences }
    }

    /// Whether another user's device was verified and the user was not. That is deprecated, and stays on this device.
    #[must_use]
    pub fn is_device_only(&self) -> bool {
        matches!(self.consequences.as_slice(), [Consequence::TrustDevice { .. }])
    }
}
