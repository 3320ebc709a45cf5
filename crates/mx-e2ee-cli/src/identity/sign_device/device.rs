//! The device in the answer, the identity there, and the private keys that must fit it.

use mx_cross_signing::{
    Device, Event, Identities, KeySource as _, KeyStorage, OwnIdentity, OwnState, SecretSource,
    SignaturesUpload, SigningKeys, Usage, Verification, receive, verify_own_device,
};
use mx_secret_storage::UnvalidatedSecret;
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use super::said::Said;
use crate::{
    failure::Failure,
    identity::{own::Own, viewer::viewer},
};

/// A device of the user that was taken from the answer.
#[derive(Debug)]
pub(super) struct OwnDevice {
    own: OwnIdentity,
    keys: SigningKeys,
    device: Device,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Signing {
    Already,
    New(SignaturesUpload),
}

impl OwnDevice {
    /// Takes the user's identity and the device from the answer, if they are taken at all, and if the identity is the one that is
    /// known, where one is.
    pub(super) fn find(
        response: &KeysQueryResponse<'_>,
        own: &Own,
        device_id: &str,
        said: &mut Said,
    ) -> Result<Self, Failure> {
        let user_id = &own.user_id;
        let id = UserId::parse(user_id).map_err(|error| Failure::misused(format!("{user_id}: {error}")))?;
        let mut identity = viewer(user_id)?;
        if let Some(verified) = own.verified {
            identity = identity.with_verified(verified);
        }
        let mut store = Identities::default();
        let mut memory = SignatureMemory::default();
        let Ok(update) = receive(&mut memory, &identity, &store, response, &[id], usize::MAX);
        for event in &update.events {
            match event {
                Event::NoAnswer { .. } => {
                    return Err(Failure::refused(format!("the answer has no devices of {user_id}")));
                }
                Event::IdentityKept { error, .. } => {
                    return Err(Failure::refused(format!(
                        "the identity of {user_id} in the answer is not taken: {error}; see: mx-e2ee identity audit"
                    )));
                }
                _ => {}
            }
        }
        let identity = update.own;
        let Some(current) = identity.identity() else {
            return Err(Failure::refused(format!(
                "{user_id} has no cross-signing identity: create one first, with a client or `identity bootstrap`"
            )));
        };
        let msk = current.master_signing_key().public_key();
        said.that(format!("the self-signing key of {user_id} is signed by the master signing key {msk}"));
        match (identity.state(), own.verified) {
            (OwnState::VerificationViolation, Some(verified)) => {
                return Err(Failure::refused(format!(
                    "the master signing key of {user_id} in the answer is {msk}, and not {verified} as you say"
                )));
            }
            (OwnState::Verified, _) => said.that("that is the master signing key which you know"),
            _ => {}
        }

        for devices in update.devices {
            if let Some((_, why)) = devices.refused.iter().find(|(refused, _)| refused == device_id) {
                return Err(Failure::refused(format!(
                    "device {device_id} in the answer is not taken: {why}; see: mx-e2ee identity audit"
                )));
            }
            for received in devices.devices {
                store.insert_device(received.device);
            }
        }
        let id_of_device = DeviceId::parse(device_id)
            .map_err(|error| Failure::misused(format!("device {device_id}: {error}")))?;
        let Ok(device) = store.device(id, id_of_device);
        let device = device.map(|device| device.into_owned()).ok_or_else(|| {
            Failure::refused(format!("{user_id} has no device {device_id} with keys in the answer"))
        })?;
        if current.has_key_named(device_id) {
            return Err(Failure::refused(format!(
                "the ID of device {device_id} is one of the user's cross-signing keys: it must never be signed"
            )));
        }
        said.that(format!("device {device_id} is one of {user_id}, and has signed its own keys"));
        Ok(Self { keys: SigningKeys::none(id, KeyStorage::Insecure), own: identity, device })
    }

    /// Compares the device's key with what the device itself shows.
    pub(super) fn compare(
        &self,
        fingerprint: Option<Ed25519PublicKey>,
        said: &mut Said,
    ) -> Result<(), Failure> {
        let found = self.fingerprint();
        match fingerprint {
            Some(expected) if expected == found => {
                said.that(format!("its fingerprint is the one that you gave, {found}"));
                Ok(())
            }
            Some(expected) => Err(Failure::refused(format!(
                "device {} in the answer has the fingerprint {found}, and not {expected}: \
                 it is another device, or the server lies",
                self.device_id()
            ))),
            None => {
                said.unchecked(format!(
                    "that its key is {found} is the server's word: compare it with what the device shows, \
                     or give --fingerprint"
                ));
                Ok(())
            }
        }
    }

    /// Takes a private key out of secret storage, if it is that of the identity in the answer.
    pub(super) fn import(&mut self, secret: UnvalidatedSecret, said: &mut Said) -> Result<(), Failure> {
        let name = secret.name().to_owned();
        let source = SecretSource::SecretStorage;
        let imported =
            secret.validate(|secret| self.keys.import(&mut self.own, source, &name, secret.as_str()));
        let usage = imported.map_err(|error| {
            Failure::refused(format!(
                "{name} in secret storage: {error}; the identity was replaced after it was stored, or the server lies"
            ))
        })?;
        said.that(match usage {
            Usage::Master => "the private master signing key in secret storage is that of the answer",
            Usage::SelfSigning => "the private self-signing key in secret storage is that of the answer",
            Usage::UserSigning => "the private user-signing key in secret storage is that of the answer",
        });
        Ok(())
    }

    /// Signs the device, unless it is signed.
    pub(super) fn sign(&mut self, said: &mut Said) -> Result<Signing, Failure> {
        if !self.is_verified() {
            return Err(Failure::refused("nothing says that the master signing key of the answer is yours"));
        }
        if self.is_signed() {
            said.that("the device is already signed by the self-signing key: there is nothing to do");
            return Ok(Signing::Already);
        }
        let verified = self.device.clone();
        match verify_own_device(&self.own, &self.keys, &mut self.device, &verified) {
            Ok(Verification::Signed(upload)) => Ok(Signing::New(upload)),
            Ok(Verification::Pending(why)) => Err(Failure::refused(format!("cannot sign: {why:?}"))),
            Err(error) => Err(Failure::refused(format!("device {}: {error}", self.device_id()))),
        }
    }

    /// Whether the master signing key in the answer is known to be the user's.
    pub(super) fn is_verified(&self) -> bool {
        self.own.is_verified()
    }

    /// Whether the present self-signing key has signed the device.
    pub(super) fn is_signed(&self) -> bool {
        let ssk = self.own.identity().and_then(|identity| identity.public_key(Usage::SelfSigning));
        self.device.cross_signature().is_some_and(|signature| Some(signature.signer()) == ssk)
    }

    /// Whether another answer has the same device, signed.
    pub(super) fn is_shown_signed(&self, response: &KeysQueryResponse<'_>) -> bool {
        let Ok(id) = UserId::parse(self.own.user_id()) else { return false };
        let store = Identities::default();
        let mut memory = SignatureMemory::default();
        let Ok(update) = receive(&mut memory, &self.own, &store, response, &[id], usize::MAX);
        let mut devices = update.devices.into_iter().flat_map(|all| all.devices);
        devices.any(|received| {
            received.device.keys() == self.device.keys()
                && received.device.cross_signature().map(|signature| signature.signer())
                    == self.device.cross_signature().map(|signature| signature.signer())
        })
    }

    pub(super) fn device_id(&self) -> &str {
        self.device.device_id()
    }

    pub(super) const fn fingerprint(&self) -> Ed25519PublicKey {
        self.device.ed25519()
    }
}
