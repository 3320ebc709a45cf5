//! Trust is computed for a device. This program is none.

use mx_cross_signing::OwnIdentity;
use mx_curve25519::Ed25519SecretKey;
use mx_types::{DeviceId, UserId};

use crate::failure::Failure;

/// What a user knows on a device that no answer can have, because its ID is too long to be part of a key ID.
pub(super) fn viewer(user_id: &str) -> Result<OwnIdentity, Failure> {
    let device_id = "-".repeat(mx_types::MAX_IDENTIFIER_LEN);
    let (Ok(user_id), Ok(device_id)) = (UserId::parse(user_id), DeviceId::parse(&device_id)) else {
        return Err(Failure::misused(format!("{user_id} is no user ID")));
    };
    Ok(OwnIdentity::new(user_id, device_id, Ed25519SecretKey::from_seed(&[0; 32]).public_key()))
}
