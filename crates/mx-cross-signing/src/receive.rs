//! One response to `/keys/query`, judged as a whole.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use mx_signing::{DeviceRefused, KeysQueryResponse, QueriedDevice, QueryError, SignatureMemory, VerifyError};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use crate::device::{Device, LocalTrust};
use crate::event::Event;
use crate::identity::{Identity, IdentityError, Received};
use crate::key::MasterSigningKey;
use crate::own::OwnIdentity;
use crate::role::Usage;
use crate::signed::VerifiedSignature;
use crate::source::{Identities, KeySource};
use crate::user::UserIdentity;

/// Devices of one user that a response may have.
pub const DEFAULT_MAX_DEVICES: usize = 1024;

/// What a response has changed: to be stored in one transaction, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Update {
    /// Our own identity as it is now.
    pub own: OwnIdentity,
    /// Whether our own identity has changed.
    pub own_changed: bool,
    /// The other users whose identity has to be stored again.
    pub users: Vec<UserIdentity>,
    /// What the response says of the devices of each user who was asked for, in the order of user IDs.
    pub devices: Vec<UserDevices>,
    /// What happened, our own identity first, then in the order of user IDs.
    pub events: Vec<Event>,
    /// Whether our own identity became verified, or has another user-signing key: then [`UserIdentity::refresh`] is due for all users who are not in
    /// [`users`](Self::users), in the same transaction.
    pub refresh_all: bool,
}

/// What a response says of a user's devices.
#[derive(Clone, Debug)]
pub struct UserDevices {
    /// The user.
    pub user_id: String,
    /// The devices that were taken, in the order of their IDs. Stored ones that are not here and were not refused are gone.
    pub devices: Vec<ReceivedDevice>,
    /// The devices that were not taken, and why.
    pub refused: Vec<(String, DeviceRefused)>,
}

/// A device that was taken.
#[derive(Clone, Debug)]
pub struct ReceivedDevice {
    /// The device, with what was known of it before.
    pub device: Device,
    /// What is different from what was stored.
    pub change: DeviceChange,
}

/// What is different about a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceChange {
    /// It was not stored.
    New,
    /// Its object or its cross-signature is another.
    Changed,
    /// Nothing is.
    Unchanged,
}

/// Judges a response: identities first, our own before those of others, then states and latches, then devices.
///
/// Only the users in `asked` are looked at. A user whose entry is malformed, missing, or has more than `max_devices`
/// devices keeps what is stored, identity and devices. Nothing is stored here: the caller stores the [`Update`].
///
/// # Errors
///
/// Those of the source.
#[must_use = "what has changed must be stored"]
pub fn receive<S: KeySource + ?Sized>(
    memory: &mut SignatureMemory,
    own: &OwnIdentity,
    source: &S,
    response: &KeysQueryResponse<'_>,
    asked: &[UserId<'_>],
    max_devices: usize,
) -> Result<Update, S::Error> {
    let mut asked = asked.to_vec();
    asked.sort_unstable();
    asked.dedup();
    let mut update = Update {
        own: own.clone(),
        own_changed: false,
        users: Vec::new(),
        devices: Vec::new(),
        events: Vec::new(),
        refresh_all: false,
    };
    asked.retain(|user_id| match answered(response, *user_id, max_devices) {
        Ok(()) => true,
        Err(problem) => {
            update.events.push(Event::NoAnswer { user_id: user_id.as_str().to_owned(), problem });
            false
        }
    });

    if let Some(user_id) = asked.iter().find(|user_id| user_id.as_str() == own.user_id) {
        let received = Received::read(memory, response, *user_id, true);
        update.receive_own(received.map(|received| received.identity));
    }
    // Signatures that came before count from now on, whether our identity became verified or its key another.
    let usk = update.own.trusted_usk();
    update.refresh_all = usk.is_some() && usk != own.trusted_usk();
    for user_id in asked {
        let is_own = user_id.as_str() == own.user_id;
        let mut user = None;
        let mut msk_object = None;
        if !is_own {
            let stored = source.user(user_id)?;
            let received = Received::read(memory, response, user_id, false);
            user = update.receive_user(memory, stored.as_deref(), &received, user_id);
            msk_object = received.ok().map(|received| received.msk_object).filter(|object| {
                user.as_ref()
                    .is_some_and(|user| user.identity.master_signing_key().object() == object.canonical())
            });
        }

        let devices = response.devices_with(memory, user_id);
        let devices: Vec<_> = devices.into_iter().flatten().collect();
        let identity = if is_own {
            update.own.identity.clone()
        } else {
            user.as_ref().map(|user| user.identity.clone())
        };
        let mut all =
            UserDevices { user_id: user_id.as_str().to_owned(), devices: Vec::new(), refused: Vec::new() };
        for queried in &devices {
            let stored = match DeviceId::parse(&queried.device_id) {
                Ok(device_id) => source.device(user_id, device_id)?,
                Err(_) => None,
            };
            update.receive_device(memory, &mut all, queried, stored.as_deref(), identity.as_ref());
        }
        if let (Some(user), Some(object)) = (&mut user, &msk_object) {
            let verified = all.devices.iter().map(|received| &received.device);
            for device in verified.filter(|device| device.local_trust == LocalTrust::Verified) {
                if let Ok(device_id) = DeviceId::parse(device.device_id())
                    && let Ok(signature) = VerifiedSignature::by_device(
                        memory,
                        object,
                        user_id.as_str(),
                        device_id,
                        device.ed25519(),
                    )
                {
                    user.add_device_signature(signature.signer());
                }
            }
        }
        if let Some(user) = user {
            let stored = source.user(user_id)?;
            if stored.is_none_or(|stored| stored.encode() != user.encode()) {
                update.users.push(user);
            }
        }
        update.devices.push(all);
    }
    update.own_changed = own.encode() != update.own.encode();
    Ok(update)
}

impl Update {
    fn receive_own(&mut self, received: Result<Identity, IdentityError>) {
        let before = self.own.identity.clone();
        let user_id = self.own.user_id.clone();
        if let Err(error) = received.and_then(|identity| self.own.replace(identity)) {
            // Who never had an identity has lost none.
            if before.is_some() || !matches!(error, IdentityError::Missing { usage: Usage::Master }) {
                self.events.push(Event::IdentityKept { user_id, error });
            }
            return;
        }
        let after = self.own.identity.as_ref().map(|identity| identity.master_signing_key().public_key());
        let Some(after) = after else { return };
        let state = self.own.state();
        match before {
            None => self.events.push(Event::OwnIdentityNew { state }),
            Some(before) if before.master_signing_key().public_key() != after => {
                let from = before.master_signing_key().public_key();
                self.events.push(Event::OwnIdentityChanged { from, to: after, state });
            }
            Some(before) => {
                let now = self.own.identity.as_ref();
                for usage in [Usage::SelfSigning, Usage::UserSigning] {
                    if before.public_key(usage) != now.and_then(|now| now.public_key(usage)) {
                        self.events.push(Event::KeyReplaced { user_id: user_id.clone(), usage });
                    }
                }
            }
        }
    }

    fn receive_user(
        &mut self,
        memory: &mut SignatureMemory,
        stored: Option<&UserIdentity>,
        received: &Result<Received<'_>, IdentityError>,
        user_id: UserId<'_>,
    ) -> Option<UserIdentity> {
        let user_id = user_id.as_str().to_owned();
        let mut user = stored.cloned();
        let replaced = match received {
            Err(error) => Err(*error),
            Ok(received) => match &mut user {
                Some(user) => user.replace(received.identity.clone()),
                None => {
                    user = Some(UserIdentity::first(received.identity.clone()));
                    Ok(())
                }
            },
        };
        let mut user = match (user, replaced) {
            (Some(user), Ok(())) => user,
            (user, Err(error)) => {
                if user.is_some() || !matches!(error, IdentityError::Missing { usage: Usage::Master }) {
                    self.events.push(Event::IdentityKept { user_id, error });
                }
                let mut user = user?;
                user.refresh(&self.own);
                return Some(user);
            }
            (None, Ok(())) => return None,
        };
        if let Ok(received) = received {
            self.our_signature(memory, &mut user, received);
        }
        user.refresh(&self.own);

        let to = user.msk();
        let state = user.state(&self.own);
        match stored {
            None => self.events.push(Event::IdentityNew { user_id, state }),
            Some(before) if before.msk() != to => {
                self.events.push(Event::IdentityChanged { user_id, from: before.msk(), to, state });
            }
            Some(before) => {
                let usage = Usage::SelfSigning;
                if before.identity.public_key(usage) != user.identity.public_key(usage) {
                    self.events.push(Event::KeyReplaced { user_id: user_id.clone(), usage });
                }
                let from = before.state(&self.own);
                if from != state {
                    self.events.push(Event::StateChanged { user_id, from, to: state });
                }
            }
        }
        Some(user)
    }

    /// Takes our own signature on the user's master signing key, if it is there.
    fn our_signature(
        &mut self,
        memory: &mut SignatureMemory,
        user: &mut UserIdentity,
        received: &Received<'_>,
    ) {
        let usk: Option<Ed25519PublicKey> =
            self.own.identity.as_ref().and_then(|identity| identity.public_key(Usage::UserSigning));
        let Some(usk) = usk else { return };
        let object = &received.msk_object;
        match VerifiedSignature::by_signing_key(memory, object, &self.own.user_id, usk) {
            Ok(signature) => {
                let msk: MasterSigningKey = received.identity.master_signing_key().clone();
                user.add_signature(msk, signature);
            }
            Err(VerifyError::NoSignature) => {}
            Err(error) => {
                let user_id = user.user_id().to_owned();
                self.events.push(Event::InvalidSignature { user_id, device_id: None, error });
            }
        }
    }

    fn receive_device(
        &mut self,
        memory: &mut SignatureMemory,
        all: &mut UserDevices,
        queried: &QueriedDevice<'_>,
        stored: Option<&Device>,
        identity: Option<&Identity>,
    ) {
        let is_this = all.user_id == self.own.user_id && queried.device_id == self.own.device_id;
        let own_ed25519 = is_this.then_some(self.own.ed25519);
        match Device::receive(memory, queried, own_ed25519, stored, identity) {
            Ok(mut received) => {
                if is_this {
                    received.device.local_trust = LocalTrust::Verified;
                }
                let device_id = || received.device.device_id().to_owned();
                if let Some(error) = received.invalid_signature {
                    let (user_id, device_id) = (all.user_id.clone(), Some(device_id()));
                    self.events.push(Event::InvalidSignature { user_id, device_id, error });
                }
                if identity.is_some_and(|identity| identity.has_key_named(received.device.device_id())) {
                    let (user_id, device_id) = (all.user_id.clone(), device_id());
                    self.events.push(Event::DeviceIdIsSigningKey { user_id, device_id });
                }
                let change = match stored {
                    None => DeviceChange::New,
                    Some(stored) if stored.encode() != received.device.encode() => DeviceChange::Changed,
                    Some(_) => DeviceChange::Unchanged,
                };
                all.devices.push(ReceivedDevice { device: received.device, change });
            }
            Err(refused) => all.refused.push((queried.device_id.clone(), refused)),
        }
    }
}

impl Identities {
    /// [`receive`] into this memory: identities, latches and devices; devices that are gone are removed.
    pub fn receive(
        &mut self,
        memory: &mut SignatureMemory,
        own: &mut OwnIdentity,
        response: &KeysQueryResponse<'_>,
        asked: &[UserId<'_>],
    ) -> Update {
        let Ok(update) = receive(memory, own, self, response, asked, DEFAULT_MAX_DEVICES);
        *own = update.own.clone();
        for user in &update.users {
            self.insert_user(user.clone());
        }
        if update.refresh_all {
            self.refresh(own);
        }
        for user in &update.devices {
            let stays = |device_id: &str| {
                user.devices.iter().any(|received| received.device.device_id() == device_id)
                    || user.refused.iter().any(|(refused, _)| refused == device_id)
            };
            let is_own = user.user_id == own.user_id;
            let devices = self.devices.entry(user.user_id.clone()).or_default();
            devices.retain(|device_id, _| stays(device_id) || (is_own && *device_id == own.device_id));
            for received in &user.devices {
                if received.change != DeviceChange::Unchanged {
                    let device_id = received.device.device_id().to_owned();
                    devices.insert(device_id, received.device.clone());
                }
            }
        }
        update
    }
}

/// Why a response says nothing about a user. All that is stored stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The user is not in `device_keys`, or what stands there is malformed.
    Query(QueryError),
    /// The user has more devices than are taken.
    TooManyDevices {
        /// How many.
        count: usize,
    },
}

fn answered(
    response: &KeysQueryResponse<'_>,
    user_id: UserId<'_>,
    max_devices: usize,
) -> Result<(), NoAnswer> {
    match response.device_count(user_id) {
        Err(error) => Err(NoAnswer::Query(error)),
        Ok(count) if count > max_devices => Err(NoAnswer::TooManyDevices { count }),
        Ok(_) => Ok(()),
    }
}
