//! What stands beside the devices of a user: in the response, and in the store.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use mx_signing::KeysQueryResponse;
use mx_types::{Ed25519PublicKey, UserId};
use serde::Deserialize;

use crate::list::DeviceList;

/// What is stored of a user.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The list, if there is one: also of a user who was tracked before.
    pub list: Option<DeviceList>,
    /// The public keys of the user's identity. No device has one of them.
    pub signing_keys: Vec<Ed25519PublicKey>,
}

/// The objects of a user's cross-signing keys as a response has them. Nothing of them was judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKeyObjects<'t> {
    /// The user.
    pub user_id: String,
    /// The master signing key.
    pub master: Option<&'t str>,
    /// The self-signing key.
    pub self_signing: Option<&'t str>,
    /// The user-signing key. Only its owner gets it.
    pub user_signing: Option<&'t str>,
}

/// What makes a key of an object.
#[derive(Deserialize)]
struct SigningKey {
    keys: BTreeMap<String, Ed25519PublicKey>,
}

impl<'t> SigningKeyObjects<'t> {
    pub(crate) fn read(response: &KeysQueryResponse<'t>, user_id: UserId<'_>) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            master: response.master_key(user_id).ok(),
            self_signing: response.self_signing_key(user_id).ok(),
            user_signing: response.user_signing_key(user_id).ok(),
        }
    }

    /// The keys that these objects claim, signed or not: a device that has one of them is refused. A server that claims a device's key
    /// gains no more than if it left the device out.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = Ed25519PublicKey> {
        [self.master, self.self_signing, self.user_signing]
            .into_iter()
            .flatten()
            .filter_map(|text| serde_json::from_str::<SigningKey>(text).ok())
            .flat_map(|object| object.keys.into_values())
    }
}
