//! What answers to `/keys/query` say of the two users, and what follows for them from a verification.

use std::collections::BTreeSet;

use mx_cross_signing::{
    Event, Identities, KeySource as _, KeyStorage, OwnIdentity, SecretSource, SignaturesUpload, SigningKeys,
    Usage, Verification, verify_own_device, verify_user,
};
use mx_secret_storage::UnvalidatedSecret;
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::{Consequence, Keys, UserKeys};

use crate::{failure::Failure, identity::own::Own};

/// The keys of the two users, as far as they pass their checks.
#[derive(Debug)]
pub(super) struct Book {
    own: OwnIdentity,
    store: Identities,
    memory: SignatureMemory,
    /// Of whom there was an answer.
    answered: BTreeSet<String>,
    signing: SigningKeys,
}

impl Book {
    /// Empty, on a device with this key.
    pub(super) fn new(own: &Own, device_id: &str, ed25519: Ed25519PublicKey) -> Result<Self, Failure> {
        let user_id = parse_user(&own.user_id)?;
        let device_id = DeviceId::parse(device_id)
            .map_err(|error| Failure::misused(format!("device {device_id}: {error}")))?;
        let mut identity = OwnIdentity::new(user_id, device_id, ed25519);
        if let Some(verified) = own.verified {
            identity = identity.with_verified(verified);
        }
        Ok(Self {
            own: identity,
            store: Identities::default(),
            memory: SignatureMemory::default(),
            answered: BTreeSet::new(),
            signing: SigningKeys::none(user_id, KeyStorage::Insecure),
        })
    }

    /// Takes an answer. What is in it and is not taken is refused: whoever leaves an identity unreadable would otherwise bring the
    /// users to verify devices only.
    pub(super) fn learn(&mut self, answer: &str, asked: &[&str]) -> Result<(), Failure> {
        let response = KeysQueryResponse::parse(answer)
            .map_err(|error| Failure::refused(format!("the answer to /keys/query: {error}")))?;
        let mut users = Vec::new();
        for user_id in asked {
            users.push(parse_user(user_id)?);
        }
        let update = self.store.receive(&mut self.memory, &mut self.own, &response, &users);
        for devices in &update.devices {
            self.answered.insert(devices.user_id.clone());
        }
        for event in &update.events {
            if let Event::IdentityKept { user_id, error } = event {
                return Err(Failure::refused(format!(
                    "the identity of {user_id} in the answer is not taken: {error}; see: mx-e2ee identity audit"
                )));
            }
        }
        Ok(())
    }

    /// Whether the answers are enough to begin with.
    pub(super) fn check(&self, peer: &str) -> Result<(), Failure> {
        let own = self.own.user_id();
        for user_id in [own, peer] {
            if !self.answered.contains(user_id) {
                return Err(Failure::refused(format!("the answer has no devices of {user_id}")));
            }
        }
        let (device_id, ed25519) = (self.own.device_id(), self.own.ed25519());
        let devices = self.keys_of(own).devices;
        if !devices.contains(&(device_id.to_owned(), ed25519)) {
            return Err(Failure::refused(format!(
                "the answer has no device {device_id} of {own} with the fingerprint {ed25519}: it is another device, \
                 or the server lies"
            )));
        }
        let others = self.keys_of(peer).devices.into_iter().filter(|(id, _)| peer != own || id != device_id);
        if others.count() == 0 {
            return Err(Failure::refused(format!("{peer} has no other device in the answer")));
        }
        match self.own.verified_master_signing_key() {
            Some(said) if !self.own.is_verified() => Err(Failure::refused(format!(
                "the answer does not have {said} as the master signing key of {own}"
            ))),
            _ => Ok(()),
        }
    }

    /// The devices to ask: those that were named, or all of the user.
    pub(super) fn devices_to_ask(&self, peer: &str, named: &[String]) -> Result<Vec<String>, Failure> {
        let devices = self.keys_of(peer).devices.into_iter().map(|(device_id, _)| device_id);
        let devices: Vec<_> =
            devices.filter(|id| peer != self.own.user_id() || id != self.own.device_id()).collect();
        if let Some(absent) = named.iter().find(|id| !devices.contains(id)) {
            return Err(Failure::refused(format!("{peer} has no other device {absent} in the answer")));
        }
        Ok(if named.is_empty() { devices } else { named.to_vec() })
    }

    pub(super) fn own_user_id(&self) -> &str {
        self.own.user_id()
    }

    pub(super) fn has_own_identity(&self) -> bool {
        self.own.identity().is_some()
    }

    pub(super) fn is_own_verified(&self) -> bool {
        self.own.is_verified()
    }

    /// Takes a private key out of secret storage, if it is that of our identity.
    pub(super) fn import(&mut self, secret: UnvalidatedSecret) -> Result<(), Failure> {
        let name = secret.name().to_owned();
        let source = SecretSource::SecretStorage;
        let imported =
            secret.validate(|secret| self.signing.import(&mut self.own, source, &name, secret.as_str()));
        imported.map(|_: Usage| ()).map_err(|error| {
            Failure::refused(format!(
                "{name} in secret storage: {error}; the identity was replaced after it was stored, or the server lies"
            ))
        })
    }

    /// Signs what a verification has as its consequence, if there is anything to sign.
    ///
    /// # Errors
    ///
    /// When another key stands there by now, or the private key is not here.
    pub(super) fn sign(&mut self, consequence: &Consequence) -> Result<Option<SignaturesUpload>, Failure> {
        let changed = || Failure::refused("the keys are others by now than those that were verified");
        let verification = match consequence {
            Consequence::SignUser { user_id, master_signing_key } => {
                let id = parse_user(user_id)?;
                let device_ids: Vec<_> =
                    self.store.devices(id).map(|device| device.device_id().to_owned()).collect();
                let user = self.store.user_mut(id).ok_or_else(changed)?;
                let msk = user.identity().master_signing_key().clone();
                if msk.public_key() != *master_signing_key {
                    return Err(changed());
                }
                let ids = device_ids.iter().map(String::as_str);
                verify_user(&self.own, &self.signing, user, &msk, ids).map_err(Failure::refused)?
            }
            Consequence::SignOwnDevice { device_id, ed25519 } => {
                let user_id = self.own.user_id().to_owned();
                let id = DeviceId::parse(device_id).map_err(Failure::refused)?;
                let device = self.store.device_mut(parse_user(&user_id)?, id).ok_or_else(changed)?;
                if device.ed25519() != *ed25519 {
                    return Err(changed());
                }
                let verified = device.clone();
                verify_own_device(&self.own, &self.signing, device, &verified).map_err(Failure::refused)?
            }
            Consequence::TrustOwnMaster { .. } | Consequence::TrustDevice { .. } => return Ok(None),
            _ => return Ok(None),
        };
        match verification {
            Verification::Signed(upload) => Ok(Some(upload)),
            Verification::Pending(why) => Err(Failure::refused(format!("cannot sign: {why:?}"))),
        }
    }

    /// Whether an answer shows the signature that a consequence asked for.
    pub(super) fn shows(&self, answer: &str, consequence: &Consequence) -> Result<bool, Failure> {
        let response = KeysQueryResponse::parse(answer)
            .map_err(|error| Failure::refused(format!("the answer to /keys/query: {error}")))?;
        let mut own = self.own.clone();
        let mut store = Identities::default();
        let mut receive =
            |user_id| store.receive(&mut SignatureMemory::default(), &mut own, &response, &[user_id]);
        Ok(match consequence {
            Consequence::SignUser { user_id, .. } => {
                let id = parse_user(user_id)?;
                let _ = receive(id);
                store.user_mut(id).is_some_and(|user| user.is_verified(&own))
            }
            Consequence::SignOwnDevice { device_id, .. } => {
                let (user_id, id) = (self.own.user_id().to_owned(), DeviceId::parse(device_id));
                let (user_id, id) = (parse_user(&user_id)?, id.map_err(Failure::refused)?);
                let _ = receive(user_id);
                let ssk = own.identity().and_then(|identity| identity.public_key(Usage::SelfSigning));
                let Ok(device) = store.device(user_id, id);
                device.and_then(|device| device.cross_signature()).map(|signature| signature.signer()) == ssk
                    && ssk.is_some()
            }
            _ => true,
        })
    }

    fn keys_of(&self, user_id: &str) -> UserKeys {
        UserId::parse(user_id).map_or(UserKeys::UNKNOWN, |user_id| self.user(user_id))
    }
}

impl Keys for Book {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        let Ok(stored) = self.store.user(user_id);
        let identity = if user_id.as_str() == self.own.user_id() {
            self.own.identity()
        } else {
            stored.as_deref().map(mx_cross_signing::UserIdentity::identity)
        };
        let key = |usage| identity.and_then(|identity| identity.public_key(usage));
        let devices = self.store.devices(user_id).filter(|device| !device.is_dehydrated());
        UserKeys {
            is_outdated: !self.answered.contains(user_id.as_str()),
            devices: devices.map(|device| (device.device_id().to_owned(), device.ed25519())).collect(),
            master_signing_key: key(Usage::Master),
            self_signing_key: key(Usage::SelfSigning),
            user_signing_key: key(Usage::UserSigning),
        }
    }

    fn own_master_is_trusted(&self) -> bool {
        self.own.is_verified()
    }
}

fn parse_user(user_id: &str) -> Result<UserId<'_>, Failure> {
    UserId::parse(user_id).map_err(|error| Failure::misused(format!("{user_id}: {error}")))
}
