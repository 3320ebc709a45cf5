//! A user's device: its keys as the JSON that the client-server API takes, and the keys of others, verified.

use std::collections::BTreeMap;

use mx_canonical_json::{CanonicalObject, Limits};
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use crate::{
    Failure, fail,
    party::{Account, Implementation, NamedKey},
    room::RoomSessions,
    server::SIGNED_CURVE25519,
    to_device::OlmChannel,
};

/// The algorithms that every device here supports.
const ALGORITHMS: [&str; 2] = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"];

/// Where a device is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The user.
    pub user_id: String,
    /// One of the user's devices.
    pub device_id: String,
}

impl Address {
    /// The key ID under which this device signs.
    fn signing_key_id(&self) -> String {
        format!("ed25519:{}", self.device_id)
    }
}

/// What is known of another device, after its signature was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedDevice {
    /// Where it is.
    pub address: Address,
    /// Its identity key.
    pub curve25519_key: String,
    /// The key that it signs with.
    pub ed25519_key: String,
}

/// A device and all that it stores.
pub struct Device<'i> {
    /// Where it is.
    pub address: Address,
    pub(crate) implementation: &'i dyn Implementation,
    pub(crate) account: Box<dyn Account>,
    pub(crate) channels: Vec<OlmChannel>,
    pub(crate) rooms: RoomSessions,
    known_devices: BTreeMap<Address, VerifiedDevice>,
}

/// Says who it is and nothing of what it holds.
impl core::fmt::Debug for Device<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Device").field("address", &self.address).finish_non_exhaustive()
    }
}

impl<'i> Device<'i> {
    /// A new device with a new account.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    pub fn new(
        rng: &mut dyn CryptoRng,
        implementation: &'i dyn Implementation,
        user_id: &str,
        device_id: &str,
    ) -> Result<Self, Failure> {
        Ok(Self {
            address: Address { user_id: user_id.to_owned(), device_id: device_id.to_owned() },
            implementation,
            account: implementation.create_account(rng)?,
            channels: Vec::new(),
            rooms: RoomSessions::default(),
            known_devices: BTreeMap::new(),
        })
    }

    /// The device keys object, signed.
    ///
    /// # Errors
    ///
    /// Never for the identifiers used here.
    pub fn device_keys(&self) -> Result<Value, Failure> {
        let Address { user_id, device_id } = &self.address;
        let keys = json!({
            format!("curve25519:{device_id}"): self.account.curve25519_key(),
            format!("ed25519:{device_id}"): self.account.ed25519_key(),
        });
        self.signed(json!({
            "user_id": user_id,
            "device_id": device_id,
            "algorithms": ALGORITHMS,
            "keys": keys,
        }))
    }

    /// New one-time keys and a fallback key, as the body of `POST /_matrix/client/v3/keys/upload`.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    pub fn keys_upload_body(
        &mut self,
        rng: &mut dyn CryptoRng,
        one_time_keys: usize,
    ) -> Result<Value, Failure> {
        self.account.generate_one_time_keys(rng, one_time_keys)?;
        self.account.generate_fallback_key(rng)?;
        let signed_key = |NamedKey { key_id, key }, object: Value| -> Result<(String, Value), Failure> {
            let mut object = object;
            object["key"] = key.into();
            Ok((format!("{SIGNED_CURVE25519}:{key_id}"), self.signed(object)?))
        };
        let one_time_keys = self.account.one_time_keys().into_iter().map(|key| signed_key(key, json!({})));
        let fallback_key = self.account.fallback_key().into_iter();
        let fallback_key = fallback_key.map(|key| signed_key(key, json!({ "fallback": true })));
        Ok(json!({
            "device_keys": self.device_keys()?,
            "one_time_keys": one_time_keys.collect::<Result<Map<_, _>, _>>()?,
            "fallback_keys": fallback_key.collect::<Result<Map<_, _>, _>>()?,
        }))
    }

    /// Remembers that the server has what [`Self::keys_upload_body`] returned.
    pub fn keys_uploaded(&mut self) {
        self.account.mark_keys_as_published();
    }

    /// Takes another device's keys from the answer of `POST /_matrix/client/v3/keys/query`.
    ///
    /// # Errors
    ///
    /// When the object is not that device's, lacks a key, or is not signed by the device itself.
    pub fn receive_queried_device(&mut self, answer: &Value, of: &Address) -> Result<(), Failure> {
        let object = &answer["device_keys"][&of.user_id][&of.device_id];
        let device = self.verified_device_keys(object, of)?;
        self.known_devices.insert(of.clone(), device);
        Ok(())
    }

    /// Reads a device keys object, which must be signed by the Ed25519 key in it.
    pub(crate) fn verified_device_keys(
        &self,
        object: &Value,
        of: &Address,
    ) -> Result<VerifiedDevice, Failure> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if object["user_id"] != of.user_id.as_str() || object["device_id"] != of.device_id.as_str() {
            return fail("the device keys are another device's");
        }
        let key = |algorithm: &str| text(&object["keys"][format!("{algorithm}:{}", of.device_id)]);
        let curve25519_key = key("curve25519").ok_or("the device has no Curve25519 key")?;
        let ed25519_key = key("ed25519").ok_or("the device has no Ed25519 key")?;
        let device = VerifiedDevice { address: of.clone(), curve25519_key, ed25519_key };
        self.verify(object, &device)?;
        Ok(device)
    }

    /// Takes a key from the answer of `POST /_matrix/client/v3/keys/claim`: its key ID, and the key itself.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not signed by that device.
    pub fn receive_claimed_key(&self, answer: &Value, of: &Address) -> Result<NamedKey, Failure> {
        let keys = answer["one_time_keys"][&of.user_id][&of.device_id].as_object();
        let (key_id, object) = keys.and_then(|keys| keys.iter().next()).ok_or("no key was handed out")?;
        if !key_id.starts_with("signed_curve25519:") {
            return fail(format!("{key_id} is not a signed key"));
        }
        self.verify(object, self.known_device(of)?)?;
        let key = object["key"].as_str().ok_or("the claimed object has no key")?;
        Ok(NamedKey { key_id: key_id.clone(), key: key.to_owned() })
    }

    /// What was queried and verified.
    ///
    /// # Errors
    ///
    /// When the device was not queried.
    pub fn known_device(&self, address: &Address) -> Result<&VerifiedDevice, Failure> {
        Ok(self.known_devices.get(address).ok_or("the device was not queried")?)
    }

    /// Adds this device's signature to an object.
    fn signed(&self, mut object: Value) -> Result<Value, Failure> {
        let signature = self.account.sign(signed_part(&object)?.as_bytes());
        let Address { user_id, .. } = &self.address;
        object["signatures"] = json!({ user_id: { self.address.signing_key_id(): signature } });
        Ok(object)
    }

    /// Checks a device's signature of an object.
    fn verify(&self, object: &Value, signer: &VerifiedDevice) -> Result<(), Failure> {
        let signature = &object["signatures"][&signer.address.user_id][signer.address.signing_key_id()];
        let signature = signature.as_str().ok_or("the object is not signed by the device")?;
        Ok(self.implementation.verify(&signer.ed25519_key, signed_part(object)?.as_bytes(), signature)?)
    }
}

/// The canonical JSON of all but `signatures` and `unsigned`.
fn signed_part(object: &Value) -> Result<String, Failure> {
    let text = object.to_string();
    Ok(CanonicalObject::parse(&text, &["signatures", "unsigned"], &Limits::DEFAULT)?.into_string())
}
