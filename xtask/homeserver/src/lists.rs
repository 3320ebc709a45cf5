//! What a device knows of users: their device lists, which it follows, and their identities. The store is memory;
//! everything is saved in the order that mx-device-list asks for.

use std::{collections::BTreeMap, convert::Infallible};

use mx_cross_signing::{Identities, KeySource as _, OwnIdentity, Subject, TrustLevel, Usage};
use mx_demo::trust;
use mx_device_list::{Changes, Config, DeviceList, DeviceLists, Flags, Known, OwnDevice, Tracker, Write};
use mx_signing::{DeviceKeys, KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::{Keys, UserKeys};

use crate::{Failure, clock, server::Session};

/// What answers to `/keys/query` have brought.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) devices: Vec<mx_device_list::Event>,
    pub(crate) identities: Vec<mx_cross_signing::Event>,
    /// The users about whom they were.
    pub(crate) queried: Vec<String>,
    /// The answers themselves.
    pub(crate) answers: Vec<String>,
}

pub(crate) struct Lists {
    own_device: OwnDevice,
    tracker: Tracker,
    lists: BTreeMap<String, DeviceList>,
    flags: BTreeMap<String, Flags>,
    /// The token of the last `/sync`.
    pub(crate) next_batch: Option<String>,
    /// This device's user.
    pub(crate) own: OwnIdentity,
    pub(crate) identities: Identities,
    memory: SignatureMemory,
}

impl Lists {
    /// Nothing is known yet but the device itself.
    pub(crate) fn new(own: &DeviceKeys) -> Result<Self, Failure> {
        let (user_id, device_id) = (UserId::parse(&own.user_id)?, DeviceId::parse(&own.device_id)?);
        let curve25519 = own.curve25519.ok_or("the device has no Curve25519 key")?;
        let own_device = OwnDevice::new(user_id, device_id, own.ed25519, curve25519);
        Ok(Self {
            tracker: Tracker::new(own_device.clone(), Config::DEFAULT, []),
            own_device,
            lists: BTreeMap::new(),
            flags: BTreeMap::new(),
            next_batch: None,
            own: OwnIdentity::new(user_id, device_id, own.ed25519),
            identities: Identities::default(),
            memory: SignatureMemory::default(),
        })
    }

    /// As if the program had ended and begun again: what is left is what was saved.
    pub(crate) fn restart(&mut self) -> Result<(), Failure> {
        let stored = self.flags.iter().map(|(user_id, flags)| Ok((UserId::parse(user_id)?, *flags)));
        let stored = stored.collect::<Result<Vec<_>, Failure>>()?;
        self.tracker = Tracker::new(self.own_device.clone(), Config::DEFAULT, stored);
        self.memory = SignatureMemory::default();
        Ok(())
    }

    /// Follows the lists of users with whom an encrypted room is shared.
    pub(crate) fn track<'u>(&mut self, users: impl IntoIterator<Item = &'u str>) -> Result<(), Failure> {
        let users = users.into_iter().map(UserId::parse).collect::<Result<Vec<_>, _>>()?;
        let (changes, sealed) = self.tracker.track(users).split();
        self.save(&changes);
        Ok(sealed.release(changes)?)
    }

    /// Takes what `/sync` or `/keys/changes` say of lists; the token is saved last.
    pub(crate) fn receive(
        &mut self,
        lists: &DeviceLists<'_>,
        shares_room: impl FnMut(&str) -> bool,
        next_batch: String,
    ) -> Result<(), Failure> {
        let (changes, sealed) = self.tracker.receive_lists(lists, shares_room, next_batch).split();
        self.save(&changes);
        self.next_batch = Some(sealed.release(changes)?);
        Ok(())
    }

    /// Queries what is outdated, until nothing is.
    pub(crate) fn refresh(&mut self, session: &Session) -> Result<News, Failure> {
        let mut news = News::default();
        while let Some(query) = self.tracker.poll_query(clock::now()) {
            let body = serde_json::to_string(&query)?;
            let answer = session.post("/_matrix/client/v3/keys/query", &body)?;
            let response = KeysQueryResponse::parse(&answer)?;
            let known = |user_id: UserId<'_>| {
                let list = self.lists.get(user_id.as_str()).cloned();
                Ok::<_, Infallible>(Known {
                    list,
                    signing_keys: signing_keys(&self.identities, &self.own, user_id),
                })
            };
            let Ok(step) =
                self.tracker.on_response(clock::now(), query.id, &response, &mut self.memory, known);
            let (changes, sealed) = step.split();
            self.save(&changes);
            let users = changes.cross_signing().iter().map(|keys| UserId::parse(&keys.user_id));
            let users = users.collect::<Result<Vec<_>, _>>()?;
            let update = self.identities.receive(&mut self.memory, &mut self.own, &response, &users);
            for user in update.devices {
                if let Some((device_id, refused)) = user.refused.first() {
                    return Err(format!("{} {device_id} is refused: {refused}", user.user_id).into());
                }
            }
            news.identities.extend(update.events);
            let outcome = sealed.release(changes)?;
            news.devices.extend(outcome.events);
            news.queried.extend(outcome.users.into_iter().map(|answered| answered.user_id));
            news.answers.push(answer);
        }
        Ok(news)
    }

    /// Queries a user's keys with the next [`refresh`](Self::refresh), however new what is stored may be.
    pub(crate) fn wish(&mut self, user_id: &str) -> Result<(), Failure> {
        self.tracker.wish(UserId::parse(user_id)?);
        Ok(())
    }

    fn save(&mut self, changes: &Changes<'_>) {
        for write in changes.writes() {
            match write {
                Write::List(list) => drop(self.lists.insert(list.user_id().to_owned(), list.clone())),
                Write::Flags { user_id, flags } => drop(self.flags.insert(user_id.to_owned(), flags)),
            }
        }
    }

    /// Whether a user's list is followed, and whether it is outdated: as the store has it.
    pub(crate) fn flags(&self, user_id: &str) -> Flags {
        self.flags.get(user_id).copied().unwrap_or(Flags::UNTRACKED)
    }

    /// A device that is there, by its keys.
    pub(crate) fn device(&self, user_id: &str, device_id: &str) -> Result<&DeviceKeys, Failure> {
        let list = self.lists.get(user_id).ok_or("the user's list was not queried")?;
        let device = list.device(DeviceId::parse(device_id)?);
        Ok(device.filter(|device| !device.is_deleted()).ok_or("there is no such device")?.keys())
    }

    /// The devices of a user that are there.
    pub(crate) fn device_ids(&self, user_id: &str) -> Vec<&str> {
        let devices = self.lists.get(user_id).into_iter().flat_map(DeviceList::devices);
        devices.map(|device| device.device_id()).collect()
    }

    /// How far a device is trusted.
    pub(crate) fn trust(&self, user_id: UserId<'_>, device_id: &str) -> Option<TrustLevel> {
        let Ok(subject) = Subject::load(&self.identities, user_id, DeviceId::parse(device_id).ok()?);
        Some(subject?.trust(&self.own).level)
    }
}

impl Keys for Lists {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        let Flags { tracked, outdated } = self.flags(user_id.as_str());
        trust::user_keys(&self.own, &self.identities, user_id, outdated || !tracked)
    }

    fn own_master_is_trusted(&self) -> bool {
        self.own.is_verified()
    }
}

/// The public keys of a user's identity.
fn signing_keys(identities: &Identities, own: &OwnIdentity, user_id: UserId<'_>) -> Vec<Ed25519PublicKey> {
    let Ok(user) = identities.user(user_id);
    let identity = match &user {
        Some(user) => Some(user.identity()),
        None => own.identity().filter(|identity| identity.user_id() == user_id.as_str()),
    };
    let usages = [Usage::Master, Usage::SelfSigning, Usage::UserSigning];
    usages.into_iter().filter_map(|usage| identity?.public_key(usage)).collect()
}
