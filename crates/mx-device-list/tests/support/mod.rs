//! Devices, responses and a store for the tests. Objects are put together as JSON and signed here, not by the crate.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test may fail, and not each uses all of it"
)]

use core::convert::Infallible;
use std::collections::BTreeMap;

use mx_canonical_json::{Limits, canonicalize};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_device_list::{
    Changes, Config, DeviceList, DeviceLists, Event, Flags, Known, Outcome, OwnDevice, Query, QueryId, Step,
    Timestamp, Tracker, What, Write,
};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, UserId};
use serde_json::{Map, Value, json};

pub(crate) const ALICE: &str = "@alice:example.org";
pub(crate) const BOB: &str = "@bob:elsewhere.org";
pub(crate) const CAROL: &str = "@carol:elsewhere.org";

pub(crate) fn user(id: &str) -> UserId<'_> {
    UserId::parse(id).unwrap()
}

pub(crate) fn device(id: &str) -> DeviceId<'_> {
    DeviceId::parse(id).unwrap()
}

/// The key of a seed made of a name.
pub(crate) fn key(name: &str) -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&seed(name))
}

pub(crate) fn seed(name: &str) -> [u8; 32] {
    let mut seed = [0x33; 32];
    // Not the first byte, of which X25519 ignores some bits.
    for (byte, from) in seed.iter_mut().skip(1).zip(name.bytes()) {
        *byte = from;
    }
    seed
}

pub(crate) fn curve25519(name: &str) -> mx_types::Curve25519PublicKey {
    Curve25519SecretKey::from_secret_bytes(&seed(name)).public_key()
}

/// The object of a device before it is signed, with the keys of `name`.
pub(crate) fn unsigned(user_id: &str, device_id: &str, name: &str) -> Value {
    json!({
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            format!("curve25519:{device_id}"): curve25519(name).to_string(),
            format!("ed25519:{device_id}"): key(name).public_key().to_string(),
        },
    })
}

/// Adds the signature of the key of `name`, under the user and device of the object.
pub(crate) fn signed(mut object: Value, name: &str) -> Value {
    let text = canonicalize(&object.to_string(), &Limits::DEFAULT).unwrap();
    let signature = key(name).sign(text.as_bytes()).to_string();
    let user_id = object["user_id"].as_str().unwrap_or(BOB).to_owned();
    let device_id = object["device_id"].as_str().unwrap_or("D").to_owned();
    object["signatures"] = json!({ user_id: { format!("ed25519:{device_id}"): signature } });
    object
}

pub(crate) fn device_keys(user_id: &str, device_id: &str, name: &str) -> Value {
    signed(unsigned(user_id, device_id, name), name)
}

/// A response with the devices of users.
pub(crate) fn response(users: &[(&str, &[(&str, Value)])]) -> String {
    let users: Map<_, _> = users
        .iter()
        .map(|(user_id, devices)| {
            let devices: Map<_, _> =
                devices.iter().map(|(device_id, object)| ((*device_id).to_owned(), object.clone())).collect();
            ((*user_id).to_owned(), Value::Object(devices))
        })
        .collect();
    json!({ "device_keys": users }).to_string()
}

pub(crate) fn this_device() -> OwnDevice {
    OwnDevice::new(user(ALICE), device("THIS"), key("this").public_key(), curve25519("this"))
}

/// What is on disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) lists: BTreeMap<String, DeviceList>,
    pub(crate) flags: BTreeMap<String, Flags>,
    pub(crate) next_batch: usize,
}

impl Store {
    pub(crate) fn save(&mut self, changes: &Changes<'_>) {
        changes.writes().for_each(|write| self.write(write));
    }

    pub(crate) fn write(&mut self, write: Write<'_>) {
        match write {
            Write::List(list) => {
                self.lists.insert(list.user_id().to_owned(), list.clone());
            }
            Write::Flags { user_id, flags } => {
                let flags = Flags::from_byte(flags.to_byte()).unwrap();
                self.flags.insert(user_id.to_owned(), flags);
            }
        }
    }

    pub(crate) fn known(&self, user_id: UserId<'_>) -> Result<Known, Infallible> {
        let list = self.lists.get(user_id.as_str()).cloned();
        Ok(Known { list, signing_keys: Vec::new() })
    }

    pub(crate) fn restart(&self, config: Config) -> Tracker {
        let flags = self.flags.iter().map(|(user_id, flags)| (user(user_id), *flags));
        Tracker::new(this_device(), config, flags)
    }
}

/// A tracker with its store, a clock and a memory. Our own list is current, so that only others are queried.
pub(crate) struct World {
    pub(crate) tracker: Tracker,
    pub(crate) store: Store,
    pub(crate) memory: SignatureMemory,
    pub(crate) now: Timestamp,
    pub(crate) config: Config,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::DEFAULT)
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut store = Store::default();
        store.flags.insert(ALICE.to_owned(), Flags { tracked: true, outdated: false });
        let tracker = store.restart(config);
        Self { tracker, store, memory: SignatureMemory::default(), now: Timestamp(1_000_000), config }
    }

    pub(crate) fn save<T>(&mut self, step: Step<'_, T>) -> T {
        let (changes, sealed) = step.split();
        self.store.save(&changes);
        sealed.release(changes).unwrap()
    }

    pub(crate) fn track(&mut self, user_id: &str) {
        let step = self.tracker.track([user(user_id)]);
        self.save(step);
    }

    pub(crate) fn changed(&mut self, user_id: &str) {
        let lists = DeviceLists { changed: vec![user_id.into()], left: vec![] };
        let step = self.tracker.receive_lists(&lists, |_| true, ());
        self.save(step);
    }

    pub(crate) fn left(&mut self, user_id: &str) {
        let lists = DeviceLists { changed: vec![], left: vec![user_id.into()] };
        let step = self.tracker.receive_lists(&lists, |_| false, ());
        self.save(step);
    }

    pub(crate) fn poll(&mut self) -> Option<Query> {
        self.tracker.poll_query(self.now)
    }

    pub(crate) fn respond<'t>(&mut self, id: QueryId, body: &'t str) -> Outcome<'t> {
        let response = KeysQueryResponse::parse(body).unwrap();
        let Self { tracker, store, memory, now, .. } = self;
        let Ok(step) = tracker.on_response(*now, id, &response, memory, |user_id| store.known(user_id));
        self.save(step)
    }

    /// Queries the user and answers with the body.
    pub(crate) fn query(&mut self, user_id: &str, body: &str) -> Vec<Event> {
        self.tracker.wish(user(user_id));
        let query = self.poll().unwrap();
        self.respond(query.id, body).events
    }

    pub(crate) fn restart(&mut self) {
        self.tracker = self.store.restart(self.config);
    }

    pub(crate) fn outdated(&self, user_id: &str) -> bool {
        let flags = self.tracker.flags(user(user_id));
        assert!(flags.tracked, "{user_id} is tracked");
        flags.outdated
    }

    pub(crate) fn device_ids(&self, user_id: &str) -> Vec<String> {
        let list = self.store.lists.get(user_id);
        list.iter().flat_map(|list| list.devices()).map(|device| device.device_id().to_owned()).collect()
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now = Timestamp(self.now.0 + millis);
    }
}

/// Events in short: user, device, and what.
pub(crate) fn told(events: &[Event]) -> Vec<(&str, Option<&str>, What)> {
    events.iter().map(|event| (event.user_id.as_str(), event.device_id.as_deref(), event.what)).collect()
}
