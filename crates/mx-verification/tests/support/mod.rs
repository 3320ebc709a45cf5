//! Devices, what they have stored of each other, and messages between them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    dead_code,
    reason = "tests, of which each uses a part"
)]

pub(crate) mod table;

use std::collections::BTreeMap;

use mx_curve25519::Ed25519SecretKey;
use mx_types::{DeviceId, Ed25519PublicKey, RoomId, UserId};
pub(crate) use mx_verification::Verifications;
use mx_verification::{
    ActError, Cancelled, Config, Event, FlowKey, FlowState, Incoming, Keys, Outgoing, Place, Step, Time,
    UserKeys, Verified, Via, What,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

pub(crate) const ALICE: &str = "@alice:example.org";
pub(crate) const BOB: &str = "@bob:example.org";
pub(crate) const MALLORY: &str = "@mallory:example.org";
pub(crate) const ROOM: &str = "!room:example.org";
/// What the calendar says when the clocks begin.
pub(crate) const EPOCH: u64 = 1_700_000_000_000;
pub(crate) const MINUTE: u64 = 60_000;

/// The key of this name: any text gives one.
pub(crate) fn key(name: &str) -> Ed25519PublicKey {
    let mut seed = [0; 32];
    seed[..name.len().min(32)].copy_from_slice(&name.as_bytes()[..name.len().min(32)]);
    Ed25519SecretKey::from_seed(&seed).public_key()
}

/// What a device has stored of the users.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) users: BTreeMap<String, UserKeys>,
    pub(crate) trusted: bool,
}

impl Keys for Store {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        self.users.get(user_id.as_str()).cloned().unwrap_or(UserKeys::UNKNOWN)
    }

    fn own_master_is_trusted(&self) -> bool {
        self.trusted
    }
}

impl Store {
    /// Alice with two devices, Bob with three; both with identities that this device trusts as far as it can.
    pub(crate) fn new() -> Self {
        let user = |user_id: &str, devices: &[&str]| UserKeys {
            is_outdated: false,
            devices: devices.iter().map(|device_id| ((*device_id).to_owned(), key(device_id))).collect(),
            master_signing_key: Some(key(&format!("master {user_id}"))),
            self_signing_key: Some(key(&format!("self {user_id}"))),
            user_signing_key: None,
        };
        let users = [
            (ALICE.to_owned(), user(ALICE, &["A1", "A2"])),
            (BOB.to_owned(), user(BOB, &["B1", "B2", "B3"])),
            (MALLORY.to_owned(), user(MALLORY, &["M1"])),
        ];
        Self { users: users.into(), trusted: true }
    }

    pub(crate) fn user_mut(&mut self, user_id: &str) -> &mut UserKeys {
        self.users.get_mut(user_id).unwrap()
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) sender: String,
    pub(crate) from_device: String,
    pub(crate) event_type: String,
    pub(crate) content: String,
    pub(crate) way: Way,
}

#[derive(Clone, Debug)]
pub(crate) enum Way {
    ToDevice { user_id: String, device_ids: Vec<String>, olm: bool },
    Room { event_id: String, sent: u64 },
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.content).unwrap()
    }

    /// `ready`, or `cancel m.user`, with the devices that it goes to.
    pub(crate) fn short(&self) -> String {
        let name = match self.event_type.strip_prefix("m.key.verification.") {
            Some("cancel") => self.json()["code"].as_str().unwrap().to_owned(),
            Some(name) => name.to_owned(),
            None => "request".to_owned(),
        };
        match &self.way {
            Way::ToDevice { device_ids, .. } => format!("{name} {}", device_ids.join(",")),
            Way::Room { .. } => name,
        }
    }
}

pub(crate) struct Client {
    pub(crate) user_id: &'static str,
    pub(crate) device_id: &'static str,
    pub(crate) machine: Verifications,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) store: Store,
    pub(crate) now: u64,
    /// Messages that are not delivered yet.
    pub(crate) out: Vec<Message>,
    pub(crate) events: Vec<Event>,
    pub(crate) queries: Vec<String>,
    pub(crate) saves: usize,
    sent: usize,
}

impl Client {
    pub(crate) fn new(user_id: &'static str, device_id: &'static str) -> Self {
        Self::with(user_id, device_id, Config::DEFAULT)
    }

    pub(crate) fn with(user_id: &'static str, device_id: &'static str, config: Config) -> Self {
        let machine = Verifications::new(
            UserId::parse(user_id).unwrap(),
            DeviceId::parse(device_id).unwrap(),
            key(device_id),
            config,
        );
        let seed: Vec<u8> = format!("{user_id}{device_id}").bytes().chain([0; 32]).take(32).collect();
        Self {
            user_id,
            device_id,
            machine,
            rng: ChaCha20Rng::from_seed(seed.try_into().unwrap()),
            store: Store::new(),
            now: 1000,
            out: Vec::new(),
            events: Vec::new(),
            queries: Vec::new(),
            saves: 0,
            sent: 0,
        }
    }

    pub(crate) fn time(&self) -> Time {
        Time { monotonic_ms: self.now, unix_ms: EPOCH + self.now }
    }

    pub(crate) fn apply(&mut self, step: Step) {
        self.events.extend(step.events);
        self.queries.extend(step.queries);
        self.saves += usize::from(step.save);
        for outgoing in step.messages {
            let (event_type, content, way) = match outgoing {
                Outgoing::ToDevice { user_id, device_ids, event_type, content } => {
                    (event_type, content, Way::ToDevice { user_id, device_ids, olm: false })
                }
                Outgoing::Room { event_type, content, .. } => (event_type, content, self.room_way()),
                Outgoing::RoomRequest { request, content, .. } => {
                    let way = self.room_way();
                    let Way::Room { event_id, .. } = &way else { unreachable!() };
                    let time = self.time();
                    let sent = self.machine.request_sent(&mut self.rng, time, &self.store, request, event_id);
                    let (_, step) = sent.unwrap();
                    self.out.push(Message {
                        sender: self.user_id.into(),
                        from_device: self.device_id.into(),
                        event_type: "m.room.message".into(),
                        content,
                        way,
                    });
                    self.apply(step);
                    continue;
                }
            };
            self.out.push(Message {
                sender: self.user_id.into(),
                from_device: self.device_id.into(),
                event_type: event_type.into(),
                content,
                way,
            });
        }
    }

    fn room_way(&mut self) -> Way {
        self.sent += 1;
        Way::Room { event_id: format!("${}{}", self.device_id, self.sent), sent: EPOCH + self.now }
    }

    /// Takes a message, if it is for this device.
    pub(crate) fn receive(&mut self, message: &Message) {
        let via = match &message.way {
            Way::ToDevice { user_id, device_ids, olm } => {
                if user_id != self.user_id || !device_ids.iter().any(|id| id == self.device_id) {
                    return;
                }
                Via::ToDevice { olm_sender: olm.then_some(message.from_device.as_str()) }
            }
            Way::Room { event_id, sent } => Via::Room {
                room_id: ROOM,
                event_id,
                origin_server_ts: *sent,
                from_this_device: message.sender == self.user_id && message.from_device == self.device_id,
                encrypted: None,
            },
        };
        let incoming = Incoming {
            sender: &message.sender,
            event_type: &message.event_type,
            content: &message.content,
            via,
        };
        let time = self.time();
        let step = self.machine.receive(&mut self.rng, time, &self.store, &incoming).unwrap();
        self.apply(step);
    }

    pub(crate) fn request_to_device(&mut self, user_id: &str, device_ids: &[&str]) -> FlowKey {
        let time = self.time();
        let user_id = UserId::parse(user_id).unwrap();
        let (flow, step) =
            self.machine.request_to_device(&mut self.rng, time, &self.store, user_id, device_ids).unwrap();
        self.apply(step);
        flow
    }

    pub(crate) fn request_in_room(&mut self, user_id: &str) -> FlowKey {
        let time = self.time();
        let (room, user) = (RoomId::parse(ROOM).unwrap(), UserId::parse(user_id).unwrap());
        let (_, step) = self.machine.request_in_room(time, &self.store, room, user).unwrap();
        self.apply(step);
        // Whatever is cancelled for it goes before it.
        let id = format!("${}{}", self.device_id, self.sent);
        FlowKey { place: Place::Room { room_id: ROOM.into() }, user_id: user_id.into(), id }
    }

    pub(crate) fn accept(&mut self, flow: &FlowKey) -> Result<(), ActError> {
        let time = self.time();
        let step = self.machine.accept(&mut self.rng, time, &self.store, flow)?;
        self.apply(step);
        Ok(())
    }

    pub(crate) fn start_sas(&mut self, flow: &FlowKey) -> Result<(), ActError> {
        let time = self.time();
        let step = self.machine.start_sas(&mut self.rng, time, flow)?;
        self.apply(step);
        Ok(())
    }

    pub(crate) fn show_qr(&mut self, flow: &FlowKey) -> Result<Vec<u8>, ActError> {
        Ok(self.machine.show_qr(&mut self.rng, &self.store, flow)?.to_vec())
    }

    pub(crate) fn scan(&mut self, flow: &FlowKey, code: &[u8]) -> Result<(), ActError> {
        let time = self.time();
        let step = self.machine.scan(time, &self.store, flow, code)?;
        self.apply(step);
        Ok(())
    }

    pub(crate) fn confirm(&mut self, flow: &FlowKey) -> Result<(), ActError> {
        let time = self.time();
        let step = self.machine.confirm(time, &self.store, flow)?;
        self.apply(step);
        Ok(())
    }

    pub(crate) fn mismatch(&mut self, flow: &FlowKey) -> Result<(), ActError> {
        let step = self.machine.mismatch(self.time(), flow)?;
        self.apply(step);
        Ok(())
    }

    pub(crate) fn cancel(&mut self, flow: &FlowKey) -> Result<(), ActError> {
        let step = self.machine.cancel(self.time(), flow)?;
        self.apply(step);
        Ok(())
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.tick();
    }

    pub(crate) fn tick(&mut self) {
        let step = self.machine.tick(self.time());
        self.apply(step);
    }

    pub(crate) fn keys_changed(&mut self, user_id: &str) {
        let time = self.time();
        let user_id = UserId::parse(user_id).unwrap();
        let step = self.machine.keys_changed(&mut self.rng, time, &self.store, user_id).unwrap();
        self.apply(step);
    }

    pub(crate) fn state(&self, flow: &FlowKey) -> Option<FlowState> {
        self.machine.state(flow)
    }

    /// What was verified, if something was.
    pub(crate) fn verified(&self) -> Option<&Verified> {
        self.events.iter().find_map(|event| match &event.what {
            What::Verified(verified) => Some(verified),
            _ => None,
        })
    }

    /// The code that it was cancelled with, by us or by them.
    pub(crate) fn cancel_code(&self) -> Option<String> {
        self.events.iter().find_map(|event| match &event.what {
            What::Cancelled(Cancelled::ByUs(reason)) => Some(format!("us {}", reason.code())),
            What::Cancelled(Cancelled::ByThem { code, .. }) => {
                Some(format!("them {}", code.clone().unwrap_or_default()))
            }
            _ => None,
        })
    }

    pub(crate) fn short_string(&self) -> Option<([u16; 3], [u8; 7])> {
        self.events.iter().find_map(|event| match &event.what {
            What::ShortString { decimal: Some(decimal), emoji: Some(emoji) } => {
                Some((*decimal, emoji.map(|emoji| emoji.index())))
            }
            _ => None,
        })
    }

    /// The messages that were sent, in short; they are not delivered any more.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        self.out.drain(..).map(|message| message.short()).collect()
    }
}

/// The same flow as the other side names it.
pub(crate) fn at(client: &Client, flow: &FlowKey) -> FlowKey {
    FlowKey { user_id: client.user_id.into(), ..flow.clone() }
}

/// Delivers everything to everybody, in order, until nothing is on its way.
pub(crate) fn deliver(clients: &mut [&mut Client]) {
    while let Some(from) = clients.iter().position(|client| !client.out.is_empty()) {
        let message = clients[from].out.remove(0);
        for client in clients.iter_mut() {
            client.receive(&message);
        }
    }
}

pub(crate) fn alice() -> Client {
    Client::new(ALICE, "A1")
}

pub(crate) fn bob() -> Client {
    Client::new(BOB, "B1")
}

/// Alice and Bob, ready. The names of the flow at Alice's and at Bob's.
pub(crate) fn ready(in_room: bool) -> (Client, Client, FlowKey, FlowKey) {
    let (mut a, mut b) = (alice(), bob());
    let at_a = if in_room { a.request_in_room(BOB) } else { a.request_to_device(BOB, &["B1"]) };
    let at_b = at(&a, &at_a);
    deliver(&mut [&mut a, &mut b]);
    b.accept(&at_b).unwrap();
    deliver(&mut [&mut a, &mut b]);
    (a, b, at_a, at_b)
}
