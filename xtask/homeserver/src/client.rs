//! A device that is logged in: its keys, its Olm sessions, and what it hears from `/sync`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mx_demo::{
    device::{Address, Device},
    ours::Ours,
    to_device::ToDeviceEvent,
};
use mx_device_list::{Counts, DeviceLists, MissingCount, ServerKeys};
use mx_signing::{DeviceKeys, KeysClaimResponse, OneTimeKey};
use mx_types::{DeviceId, UserId};
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    Failure, fail,
    lists::{Lists, News},
    server::Session,
};

/// One-time keys that a device uploads at first: few, so that they are used up soon.
pub(crate) const ONE_TIME_KEYS: usize = 2;

/// What a `/sync` response has to come with in the end.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Milliseconds that the server holds a `/sync` open.
const SYNC_TIMEOUT: u32 = 250;

pub(crate) struct Client {
    pub(crate) session: Session,
    pub(crate) device: Device<'static>,
    pub(crate) lists: Lists,
    pub(crate) server_keys: ServerKeys,
    /// Who is in the one room.
    members: BTreeSet<String>,
    transactions: u32,
}

/// What was heard while something was waited for.
#[derive(Default)]
pub(crate) struct Heard {
    /// Users in `device_lists.changed`.
    pub(crate) changed: BTreeSet<String>,
    /// Users in `device_lists.left`.
    pub(crate) left: BTreeSet<String>,
    /// What `/keys/query` said then.
    pub(crate) news: News,
    /// Messages from other devices, as they came.
    pub(crate) to_device: Vec<Box<RawValue>>,
    /// Events of rooms with the rooms' IDs, as they came, in the order of the timelines.
    pub(crate) timeline: Vec<(String, Box<RawValue>)>,
    /// `device_one_time_keys_count` and `device_unused_fallback_key_types` of the last response.
    pub(crate) counts: Option<Counts>,
    pub(crate) unused_fallback_key_types: Option<Vec<String>>,
}

impl Client {
    /// A new device with new keys, uploaded.
    pub(crate) fn new(rng: &mut dyn CryptoRng, session: Session) -> Result<Self, Failure> {
        let device = Device::new(rng, &Ours, &session.user_id, &session.device_id)?;
        let (user_id, device_id) = (UserId::parse(&session.user_id)?, DeviceId::parse(&session.device_id)?);
        let own = DeviceKeys::verify(&device.device_keys()?.to_string(), user_id, device_id)?;
        let mut client = Self {
            lists: Lists::new(&own)?,
            device,
            session,
            server_keys: ServerKeys::default(),
            members: BTreeSet::new(),
            transactions: 0,
        };
        client.upload_keys(rng, ONE_TIME_KEYS)?;
        Ok(client)
    }

    /// Another device of the user.
    pub(crate) fn log_in_on(&self, rng: &mut dyn CryptoRng, device_id: &str) -> Result<Self, Failure> {
        Self::new(rng, self.session.log_in(device_id)?)
    }

    pub(crate) fn address(&self) -> Address {
        self.device.address.clone()
    }

    /// Uploads one-time keys and a new fallback key, and gives the number of one-time keys that the server then has.
    pub(crate) fn upload_keys(
        &mut self,
        rng: &mut dyn CryptoRng,
        one_time_keys: usize,
    ) -> Result<u64, Failure> {
        /// The answer's name for the counts is another one than `/sync` has (DL-60).
        #[derive(Deserialize)]
        struct Answer {
            one_time_key_counts: Counts,
        }
        let body = self.device.keys_upload_body(rng, one_time_keys)?;
        self.server_keys.upload_sent();
        let answer = self.session.post("/_matrix/client/v3/keys/upload", &body.to_string())?;
        let Answer { one_time_key_counts: counts } = serde_json::from_str(&answer)?;
        self.device.keys_uploaded();
        self.server_keys.upload_accepted(counts, true);
        Ok(counts.signed_curve25519.ok_or("the server did not count the one-time keys")?)
    }

    /// Claims a key of a device whose own keys were queried.
    pub(crate) fn claim(&self, of: &Address) -> Result<OneTimeKey, Failure> {
        let body = json!({
            "one_time_keys": { of.user_id.as_str(): { of.device_id.as_str(): "signed_curve25519" } },
            "timeout": 10_000,
        });
        let answer = self.session.post("/_matrix/client/v3/keys/claim", &body.to_string())?;
        let ed25519 = self.lists.device(&of.user_id, &of.device_id)?.ed25519;
        let (user_id, device_id) = (UserId::parse(&of.user_id)?, DeviceId::parse(&of.device_id)?);
        Ok(KeysClaimResponse::parse(&answer)?.one_time_key(user_id, device_id, ed25519)?.into_inner())
    }

    /// Sends an event to a device with which there is an Olm session.
    pub(crate) fn send_to_device(
        &mut self,
        rng: &mut dyn CryptoRng,
        to: &Address,
        event_type: &str,
        content: &Value,
    ) -> Result<(), Failure> {
        let (content, _) = self.device.encrypt_to_device(rng, to, event_type, content)?;
        self.send_as_it_is(&to.user_id, &[&to.device_id], "m.room.encrypted", &content.to_string())
    }

    /// Sends the same event to devices of a user, in plaintext.
    pub(crate) fn send_as_it_is(
        &mut self,
        user_id: &str,
        device_ids: &[&str],
        event_type: &str,
        content: &str,
    ) -> Result<(), Failure> {
        self.transactions += 1;
        let path = format!("/_matrix/client/v3/sendToDevice/{event_type}/{}", self.transactions);
        let content: &RawValue = serde_json::from_str(content)?;
        let devices: BTreeMap<_, _> = device_ids.iter().map(|device_id| (device_id, content)).collect();
        let body = BTreeMap::from([("messages", BTreeMap::from([(user_id, devices)]))]);
        self.session.put(&path, &serde_json::to_string(&body)?).map(drop)
    }

    /// Sends an event to a room as it is, and gives its ID.
    pub(crate) fn send_to_room(
        &mut self,
        room_id: &str,
        event_type: &str,
        content: &str,
    ) -> Result<String, Failure> {
        self.transactions += 1;
        let path = format!("/_matrix/client/v3/rooms/{room_id}/send/{event_type}/{}", self.transactions);
        let answer: Value = serde_json::from_str(&self.session.put(&path, content)?)?;
        Ok(answer["event_id"].as_str().ok_or("the server did not name the event")?.to_owned())
    }

    /// Waits for a message from another device and decrypts it.
    pub(crate) fn receive_to_device(&mut self) -> Result<ToDeviceEvent, Failure> {
        let heard = self.follow("a message to this device", |_, heard| !heard.to_device.is_empty())?;
        let [event] = heard.to_device.as_slice() else { return fail("more than one message came") };
        self.device.receive_to_device(&serde_json::from_str(event.get())?)
    }

    /// Follows `/sync`, and queries what is outdated, until `enough` is known or was heard.
    pub(crate) fn follow(
        &mut self,
        what: &str,
        enough: impl Fn(&Lists, &Heard) -> bool,
    ) -> Result<Heard, Failure> {
        let start = Instant::now();
        let mut heard = Heard::default();
        loop {
            self.listen(&mut heard)?;
            if enough(&self.lists, &heard) {
                return Ok(heard);
            }
            if start.elapsed() > LONGEST_WAIT {
                let (device_id, Heard { changed, left, .. }) = (&self.session.device_id, &heard);
                return fail(format!(
                    "{device_id} has waited too long for {what}; /sync named {changed:?} as changed and {left:?} as left"
                ));
            }
        }
    }

    /// Asks `/sync` once, and queries what is outdated then.
    pub(crate) fn listen(&mut self, heard: &mut Heard) -> Result<(), Failure> {
        self.sync(heard)?;
        self.refresh(&mut heard.news)
    }

    /// Queries what is outdated.
    pub(crate) fn refresh(&mut self, news: &mut News) -> Result<(), Failure> {
        let queried = self.lists.refresh(&self.session)?;
        for event in &queried.devices {
            match &event.what {
                mx_device_list::What::DeviceRefused(_)
                | mx_device_list::What::ThisDeviceMissing
                | mx_device_list::What::UserRefused(_) => {
                    return fail(format!("the answer to /keys/query is not what was uploaded: {event:?}"));
                }
                _ => {}
            }
        }
        // The Olm sessions keep keys of their own.
        for answer in &queried.answers {
            let answer: Value = serde_json::from_str(answer)?;
            for (user_id, devices) in answer["device_keys"].as_object().into_iter().flatten() {
                for device_id in devices.as_object().into_iter().flatten().map(|(device_id, _)| device_id) {
                    let of = Address { user_id: user_id.clone(), device_id: device_id.clone() };
                    self.device.receive_queried_device(&answer, &of)?;
                }
            }
        }
        news.devices.extend(queried.devices);
        news.identities.extend(queried.identities);
        news.queried.extend(queried.queried);
        news.answers.extend(queried.answers);
        Ok(())
    }

    fn sync(&mut self, heard: &mut Heard) -> Result<(), Failure> {
        let since = self.lists.next_batch.as_ref().map(|token| format!("&since={token}")).unwrap_or_default();
        let path = format!("/_matrix/client/v3/sync?timeout={SYNC_TIMEOUT}{since}");
        let answer = self.session.get(&path)?;
        let sync: Sync<'_> = serde_json::from_str(&answer)?;
        self.see_members(&sync.rooms)?;
        let (members, own) = (&self.members, self.session.user_id.as_str());
        let others = members.iter().map(String::as_str).filter(|user_id| *user_id != own);
        self.lists.track(others)?;
        let types = sync.device_unused_fallback_key_types.as_deref();
        self.server_keys.receive_sync(sync.device_one_time_keys_count, types, MissingCount::Zero);
        heard.counts = sync.device_one_time_keys_count;
        heard.unused_fallback_key_types = types.map(|types| types.iter().map(ToString::to_string).collect());
        heard.to_device.extend(sync.to_device.events);
        for (room_id, room) in sync.rooms.join {
            heard.timeline.extend(room.timeline.events.into_iter().map(|event| (room_id.clone(), event)));
        }
        let lists = sync.device_lists;
        heard.changed.extend(lists.changed.iter().map(ToString::to_string));
        heard.left.extend(lists.left.iter().map(ToString::to_string));
        self.lists.receive(&lists, |user_id| members.contains(user_id), sync.next_batch)
    }

    /// Asks `/keys/changes` about the time from one token to another.
    pub(crate) fn receive_changes(&mut self, from: &str, to: &str) -> Result<Vec<String>, Failure> {
        let answer = self.session.get(&format!("/_matrix/client/v3/keys/changes?from={from}&to={to}"))?;
        let lists: DeviceLists<'_> = serde_json::from_str(&answer)?;
        self.lists.receive(&lists, |user_id| self.members.contains(user_id), to.to_owned())?;
        Ok(lists.changed.iter().map(ToString::to_string).collect())
    }

    /// The token of a first `/sync`, which says nothing of device lists.
    pub(crate) fn first_sync(&self) -> Result<String, Failure> {
        let answer = self.session.get("/_matrix/client/v3/sync?timeout=0")?;
        let sync: Sync<'_> = serde_json::from_str(&answer)?;
        Ok(sync.next_batch)
    }

    fn see_members(&mut self, rooms: &Rooms) -> Result<(), Failure> {
        if !rooms.leave.is_empty() {
            self.members.clear();
        }
        for room in rooms.join.values() {
            for event in room.state.events.iter().chain(&room.timeline.events) {
                let event: Value = serde_json::from_str(event.get())?;
                let Some(user_id) = event["state_key"].as_str().filter(|_| event["type"] == "m.room.member")
                else {
                    continue;
                };
                if event["content"]["membership"] == "join" {
                    self.members.insert(user_id.to_owned());
                } else {
                    self.members.remove(user_id);
                }
            }
        }
        Ok(())
    }
}

/// What is read of a `/sync` response.
#[derive(Deserialize)]
struct Sync<'t> {
    next_batch: String,
    #[serde(borrow, default)]
    device_lists: DeviceLists<'t>,
    device_one_time_keys_count: Option<Counts>,
    #[serde(borrow)]
    device_unused_fallback_key_types: Option<Vec<Cow<'t, str>>>,
    #[serde(default)]
    to_device: Events,
    #[serde(default)]
    rooms: Rooms,
}

#[derive(Default, Deserialize)]
struct Events {
    #[serde(default)]
    events: Vec<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Rooms {
    #[serde(default)]
    join: BTreeMap<String, Room>,
    #[serde(default)]
    leave: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Room {
    #[serde(default)]
    state: Events,
    #[serde(default)]
    timeline: Events,
}
