//! A user's device: its keys as the JSON that the client-server API takes, and the keys of others, verified.

use std::collections::BTreeMap;

use mx_canonical_json::Limits;
use mx_signing::{DeviceKeys, KeysClaimResponse, KeysQueryResponse, KeysUpload, SignedObject, Verified};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, Ed25519Signature, KeyId, UserId};
use rand_core::CryptoRng;
use serde_json::Value;
use signature::Signer;

use crate::{
    Failure,
    party::{Account, Implementation, NamedKey},
    room::RoomSessions,
    to_device::OlmChannel,
};

/// Where a device is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The user.
    pub user_id: String,
    /// One of the user's devices.
    pub device_id: String,
}

impl Address {
    fn parse(&self) -> Result<(UserId<'_>, DeviceId<'_>), Failure> {
        Ok((UserId::parse(&self.user_id)?, DeviceId::parse(&self.device_id)?))
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
    /// When the implementation's keys or signatures are malformed.
    pub fn device_keys(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.unsigned_device_keys()?.sign(&AccountSigner(&*self.account))?)?)
    }

    fn unsigned_device_keys(&self) -> Result<DeviceKeys, Failure> {
        let (user_id, device_id) = self.address.parse()?;
        let curve25519 = Curve25519PublicKey::from_base64(&self.account.curve25519_key())?;
        let ed25519 = Ed25519PublicKey::from_base64(&self.account.ed25519_key())?;
        Ok(DeviceKeys::new(user_id, device_id, curve25519, ed25519))
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
        let parse = |NamedKey { key_id, key }| -> Result<(String, Curve25519PublicKey), Failure> {
            Ok((key_id, Curve25519PublicKey::from_base64(&key)?))
        };
        let one_time_keys: Vec<_> =
            self.account.one_time_keys().into_iter().map(parse).collect::<Result<_, _>>()?;
        let one_time_keys: Vec<_> =
            one_time_keys.iter().map(|(key_id, key)| (key_id.as_str(), *key)).collect();
        let fallback_key = self.account.fallback_key().map(parse).transpose()?;
        let upload = KeysUpload {
            device_keys: Some(&self.unsigned_device_keys()?),
            one_time_keys: &one_time_keys,
            fallback_key: fallback_key.as_ref().map(|(key_id, key)| (key_id.as_str(), *key)),
        };
        let (user_id, device_id) = self.address.parse()?;
        Ok(serde_json::from_str(&upload.sign(&AccountSigner(&*self.account), user_id, device_id)?)?)
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
        let answer = answer.to_string();
        let (user_id, _) = of.parse()?;
        let response = KeysQueryResponse::parse(&answer)?;
        let mut devices = response.devices(user_id)?;
        let queried =
            devices.find(|device| device.device_id == of.device_id).ok_or("there is no such device")?;
        let device = self.verified_device(queried.text, &queried.keys?, of)?;
        self.known_devices.insert(of.clone(), device);
        Ok(())
    }

    /// Reads a device keys object, which must be signed by the Ed25519 key in it.
    pub(crate) fn verified_device_keys(
        &self,
        object: &Value,
        of: &Address,
    ) -> Result<VerifiedDevice, Failure> {
        let text = object.to_string();
        let (user_id, device_id) = of.parse()?;
        self.verified_device(&text, &DeviceKeys::verify(&text, user_id, device_id)?, of)
    }

    fn verified_device(
        &self,
        text: &str,
        keys: &Verified<DeviceKeys>,
        of: &Address,
    ) -> Result<VerifiedDevice, Failure> {
        let curve25519_key = keys.curve25519.ok_or("the device has no Curve25519 key")?.to_string();
        let device =
            VerifiedDevice { address: of.clone(), curve25519_key, ed25519_key: keys.ed25519.to_string() };
        self.verify_too(text, &device)?;
        Ok(device)
    }

    /// Takes a key from the answer of `POST /_matrix/client/v3/keys/claim`: its key ID, and the key itself.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not signed by that device.
    pub fn receive_claimed_key(&self, answer: &Value, of: &Address) -> Result<NamedKey, Failure> {
        let text = answer.to_string();
        let (user_id, device_id) = of.parse()?;
        let device = self.known_device(of)?;
        let ed25519 = Ed25519PublicKey::from_base64(&device.ed25519_key)?;
        let key = KeysClaimResponse::parse(&text)?.one_time_key(user_id, device_id, ed25519)?;
        let keys = answer["one_time_keys"][&of.user_id][&of.device_id].as_object();
        let (key_id, object) = keys.and_then(|keys| keys.iter().next()).ok_or("no key was handed out")?;
        self.verify_too(&object.to_string(), device)?;
        Ok(NamedKey { key_id: key_id.clone(), key: key.key.to_string() })
    }

    /// What was queried and verified.
    ///
    /// # Errors
    ///
    /// When the device was not queried.
    pub fn known_device(&self, address: &Address) -> Result<&VerifiedDevice, Failure> {
        Ok(self.known_devices.get(address).ok_or("the device was not queried")?)
    }

    /// Verifies with the implementation that plays this device what mx-signing has verified.
    fn verify_too(&self, text: &str, signer: &VerifiedDevice) -> Result<(), Failure> {
        let object = SignedObject::parse(text, &Limits::DEFAULT)?;
        let Address { user_id, device_id } = &signer.address;
        let signature = object.signature(user_id, KeyId::new("ed25519", device_id)?)?;
        let signed = object.canonical().as_bytes();
        Ok(self.implementation.verify(&signer.ed25519_key, signed, &signature.to_string())?)
    }
}

/// Signs with the device's Ed25519 key.
impl Signer<Ed25519Signature> for Device<'_> {
    fn try_sign(&self, message: &[u8]) -> Result<Ed25519Signature, signature::Error> {
        AccountSigner(&*self.account).try_sign(message)
    }
}

/// The Ed25519 key of an account, whoever holds it, for mx-signing.
struct AccountSigner<'a>(&'a dyn Account);

impl Signer<Ed25519Signature> for AccountSigner<'_> {
    fn try_sign(&self, message: &[u8]) -> Result<Ed25519Signature, signature::Error> {
        Ed25519Signature::from_base64(&self.0.sign(message)).map_err(|_| signature::Error::new())
    }
}
