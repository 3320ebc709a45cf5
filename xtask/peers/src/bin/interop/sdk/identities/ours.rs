//! A device that runs our crates.

use mx_cross_signing::{
    Device, Identities, KeySource as _, KeyStorage, OwnIdentity, OwnState, SignaturesUpload, SigningKeys,
    Subject, TrustLevel, Update, UserIdentity, UserState, Verification, verify_own_device, verify_user,
};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_signing::{DeviceKeys, KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use rand_chacha::ChaCha20Rng;

use super::homeserver::Homeserver;
use crate::report::{Failure, expect, failure};

#[derive(Debug)]
pub struct Ours {
    pub own: OwnIdentity,
    pub store: Identities,
    pub keys: SigningKeys,
    memory: SignatureMemory,
}

impl Ours {
    /// What there is to know of a device, whoever runs it.
    pub fn watching(user_id: &str, device_id: &str, ed25519: Ed25519PublicKey) -> Result<Self, Failure> {
        let user_id = UserId::parse(user_id)?;
        Ok(Self {
            own: OwnIdentity::new(user_id, DeviceId::parse(device_id)?, ed25519),
            store: Identities::default(),
            keys: SigningKeys::none(user_id, KeyStorage::Secure),
            memory: SignatureMemory::default(),
        })
    }

    /// A new device, which uploads its keys.
    pub fn log_in(
        rng: &mut ChaCha20Rng,
        server: &mut Homeserver,
        user_id: &str,
        device_id: &str,
    ) -> Result<(Self, Ed25519SecretKey), Failure> {
        let ed25519 = Ed25519SecretKey::generate(rng)?;
        let curve25519 = Curve25519SecretKey::generate(rng)?.public_key();
        let ours = Self::watching(user_id, device_id, ed25519.public_key())?;
        let (user, device) = (UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        let device_keys = DeviceKeys::new(user, device, curve25519, ed25519.public_key()).sign(&ed25519)?;
        server.upload_device(user_id, &device_keys)?;
        Ok((ours, ed25519))
    }

    /// Makes an identity, uploads it, and signs this device with it.
    pub fn bootstrap(
        &mut self,
        rng: &mut ChaCha20Rng,
        server: &mut Homeserver,
        ed25519: &Ed25519SecretKey,
    ) -> Result<(), Failure> {
        let (user_id, device_id) = (self.own.user_id().to_owned(), self.own.device_id().to_owned());
        self.keys = SigningKeys::generate(rng, UserId::parse(&user_id)?, KeyStorage::Secure)?;
        let upload = self.keys.device_signing_upload(Some((DeviceId::parse(&device_id)?, ed25519)))?;
        server.upload_signing_keys(&user_id, &upload.body(None)?)?;
        self.own.adopt(self.keys.identity().ok_or("not all keys")?)?;
        self.store.refresh(&self.own);
        self.query(server, &[&user_id])?;
        self.sign_device(server, &device_id)
    }

    pub fn query(&mut self, server: &Homeserver, users: &[&str]) -> Result<Update, Failure> {
        self.receive(&server.query(self.own.user_id(), users), users)
    }

    pub fn receive(&mut self, body: &str, users: &[&str]) -> Result<Update, Failure> {
        let asked = users.iter().map(|user_id| UserId::parse(user_id)).collect::<Result<Vec<_>, _>>()?;
        let response = KeysQueryResponse::parse(body)?;
        Ok(self.store.receive(&mut self.memory, &mut self.own, &response, &asked))
    }

    /// The user says that the present own identity is theirs.
    pub fn verify_own(&mut self) -> Result<(), Failure> {
        let msk = self.own.identity().ok_or("no own identity")?.master_signing_key().clone();
        self.own.verify(&msk)?;
        self.store.refresh(&self.own);
        Ok(())
    }

    /// Verifies another user as they are now, and uploads that.
    pub fn verify(&mut self, server: &mut Homeserver, user_id: &str) -> Result<(), Failure> {
        let id = UserId::parse(user_id)?;
        let devices: Vec<_> = self.store.devices(id).map(|device| device.device_id().to_owned()).collect();
        let user = self.store.user_mut(id).ok_or("no identity")?;
        let msk = user.identity().master_signing_key().clone();
        let devices = devices.iter().map(String::as_str);
        let verification = verify_user(&self.own, &self.keys, user, &msk, devices)?;
        self.upload(server, verification)
    }

    /// Verifies another device of ours, or signs this one, and uploads that.
    pub fn sign_device(&mut self, server: &mut Homeserver, device_id: &str) -> Result<(), Failure> {
        let user_id = self.own.user_id().to_owned();
        let device = self.device(&user_id, device_id)?.ok_or("no device")?;
        let stored = self.store.device_mut(UserId::parse(&user_id)?, DeviceId::parse(device_id)?);
        let stored = stored.ok_or("no device")?;
        let verification = verify_own_device(&self.own, &self.keys, stored, &device)?;
        self.upload(server, verification)
    }

    fn upload(&self, server: &mut Homeserver, verification: Verification) -> Result<(), Failure> {
        let Verification::Signed(mut upload) = verification else { return failure("nothing was signed") };
        let response = server.upload_signatures(self.own.user_id(), &upload.body())?;
        expect(upload.answered(&response)?.is_empty(), "the server refuses a signature of ours")?;
        expect(upload == SignaturesUpload::default(), "something is left to be uploaded")
    }

    pub fn user(&self, user_id: &str) -> Result<Option<UserIdentity>, Failure> {
        let Ok(user) = self.store.user(UserId::parse(user_id)?);
        Ok(user.map(|user| user.into_owned()))
    }

    pub fn user_mut(&mut self, user_id: &str) -> Result<&mut UserIdentity, Failure> {
        Ok(self.store.user_mut(UserId::parse(user_id)?).ok_or("no identity")?)
    }

    pub fn user_state(&self, user_id: &str) -> Result<Option<UserState>, Failure> {
        Ok(self.user(user_id)?.map(|user| user.state(&self.own)))
    }

    pub fn own_state(&self) -> OwnState {
        self.own.state()
    }

    pub fn device(&self, user_id: &str, device_id: &str) -> Result<Option<Device>, Failure> {
        let Ok(device) = self.store.device(UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        Ok(device.map(|device| device.into_owned()))
    }

    pub fn level(&self, user_id: &str, device_id: &str) -> Result<Option<TrustLevel>, Failure> {
        let Ok(subject) = Subject::load(&self.store, UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        Ok(subject.map(|subject| subject.trust(&self.own).level))
    }
}
