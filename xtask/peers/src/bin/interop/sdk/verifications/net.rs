//! What lies between the devices: a server that knows their keys, to-device messages, one room. All messages are noted; any can be
//! changed, lost or made up.

use std::{
    collections::VecDeque,
    time::{SystemTime, UNIX_EPOCH},
};

use matrix_sdk_crypto::types::requests::OutgoingVerificationRequest;
use mx_types::UserId;
use mx_verification::{FlowKey, Incoming, Outgoing, Step, Time, Verifications, Via, What};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::{
    super::identities::Homeserver,
    encrypted::EncryptedRoom,
    ours::{Known, OurDevice},
    theirs::TheirDevice,
};
use crate::report::Failure;

pub const ROOM: &str = "!verification:example.org";

pub struct Net {
    pub server: Homeserver,
    pub ours: Vec<OurDevice>,
    pub theirs: Vec<TheirDevice>,
    /// All messages that were sent.
    pub log: Vec<Message>,
    /// What is done to messages when they are sent.
    pub change: Option<Change>,
    /// Whether our devices hear that to-device messages came through Olm.
    pub through_olm: bool,
    /// The device to which every message comes twice.
    pub twice: Option<Address>,
    /// How the room is encrypted, if it is. Then there is one device of each side.
    pub encrypted: Option<EncryptedRoom>,
    pub rng: ChaCha20Rng,
    /// What our devices' clocks have gone on.
    pub clock_ms: u64,
    on_the_way: VecDeque<Message>,
    events: u64,
}

pub type Change = Box<dyn FnMut(&mut Message)>;

#[derive(Clone, Debug)]
pub struct Message {
    pub sender: Address,
    pub to: To,
    pub event_type: String,
    pub content: Value,
}

/// User and device.
pub type Address = (String, String);

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum To {
    Device(Address),
    Room { event_id: String },
}

impl Net {
    pub fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self {
            server: Homeserver::default(),
            ours: Vec::new(),
            theirs: Vec::new(),
            log: Vec::new(),
            change: None,
            through_olm: rng.next_u32().is_multiple_of(2),
            twice: None,
            encrypted: None,
            rng: ChaCha20Rng::from_seed(seed),
            clock_ms: 0,
            on_the_way: VecDeque::new(),
            events: 0,
        }
    }

    /// Our devices' time. Theirs is the system's.
    pub fn time(&self) -> Time {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        Time { monotonic_ms: self.clock_ms, unix_ms: now as u64 + self.clock_ms }
    }

    /// The ID of the next event in the room.
    pub fn next_event(&mut self) -> String {
        self.events += 1;
        format!("$event{}:example.org", self.events)
    }

    pub fn post(&mut self, mut message: Message) {
        if let Some(change) = &mut self.change {
            change(&mut message);
        }
        self.log.push(message.clone());
        self.on_the_way.push_back(message);
    }

    /// Delivers, until nobody has anything more to say.
    pub fn run(&mut self) -> Result<(), Failure> {
        while let Some(message) = self.on_the_way.pop_front() {
            self.deliver(&message)?;
        }
        Ok(())
    }

    /// Whatever is on its way is lost.
    pub fn lose(&mut self) {
        self.on_the_way.clear();
    }

    /// Takes out what is on its way.
    pub fn take_all(&mut self) -> Vec<Message> {
        self.on_the_way.drain(..).collect()
    }

    fn deliver(&mut self, message: &Message) -> Result<(), Failure> {
        let goes_to = |address: &Address| match &message.to {
            To::Device(to) => to == address,
            To::Room { .. } => true,
        };
        for index in 0..self.ours.len() {
            if goes_to(&self.ours[index].address) {
                for _ in 0..self.times(&self.ours[index].address) {
                    self.deliver_to_us(index, message)?;
                }
            }
        }
        for index in 0..self.theirs.len() {
            if goes_to(&self.theirs[index].address) {
                for _ in 0..self.times(&self.theirs[index].address) {
                    let requests = self.deliver_to_them(index, message)?;
                    for request in requests {
                        self.send_theirs(index, request)?;
                    }
                    self.pump(index)?;
                }
            }
        }
        Ok(())
    }

    fn times(&self, address: &Address) -> usize {
        if self.twice.as_ref() == Some(address) { 2 } else { 1 }
    }

    fn deliver_to_them(
        &mut self,
        index: usize,
        message: &Message,
    ) -> Result<Vec<OutgoingVerificationRequest>, Failure> {
        let theirs = &self.theirs[index];
        let event = match (&mut self.encrypted, &message.to) {
            (Some(room), To::Room { event_id }) if message.sender != theirs.address => {
                Some(room.to_them(&theirs.theirs.machine, message, event_id)?)
            }
            _ => None,
        };
        theirs.receive(message, event)
    }

    fn deliver_to_us(&mut self, index: usize, message: &Message) -> Result<(), Failure> {
        let (mut content, mut cleartext) = (message.content.clone(), None);
        if let (Some(room), To::Room { .. }) = (&self.encrypted, &message.to)
            && message.sender == self.theirs[0].address
        {
            let (decrypted, outside) = room.to_us(&self.theirs[0].theirs.machine, message)?;
            (content, cleartext) = (decrypted, Some(outside.to_string()));
        }
        let via = match &message.to {
            To::Device(_) => Via::ToDevice { olm_sender: self.through_olm.then_some(&message.sender.1) },
            To::Room { event_id } => Via::Room {
                room_id: ROOM,
                event_id,
                origin_server_ts: self.time().unix_ms,
                from_this_device: message.sender == self.ours[index].address,
                encrypted: cleartext.as_deref(),
            },
        };
        let content = content.to_string();
        let incoming =
            Incoming { sender: &message.sender.0, event_type: &message.event_type, content: &content, via };
        self.act(index, |flows, rng, time, known| flows.receive(rng, time, known, &incoming))
    }

    /// Does something with a device of ours, and what follows from it.
    pub fn act<E: core::error::Error + 'static>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Verifications, &mut ChaCha20Rng, Time, &Known<'_>) -> Result<Step, E>,
    ) -> Result<(), Failure> {
        self.act_for(index, |flows, rng, time, known| act(flows, rng, time, known).map(|step| ((), step)))
    }

    /// As [`Self::act`], for what gives something.
    pub fn act_for<T, E: core::error::Error + 'static>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Verifications, &mut ChaCha20Rng, Time, &Known<'_>) -> Result<(T, Step), E>,
    ) -> Result<T, Failure> {
        let time = self.time();
        let device = &mut self.ours[index];
        let (given, step) = act(&mut device.flows, &mut self.rng, time, &Known(&device.identities))?;
        self.take(index, step)?;
        Ok(given)
    }

    /// Does what a step says.
    pub fn take(&mut self, index: usize, step: Step) -> Result<(), Failure> {
        if step.save {
            self.ours[index].save(&mut self.rng)?;
        }
        for message in step.messages {
            self.send_ours(index, message)?;
        }
        for event in step.events {
            if let What::Verified(verified) = &event.what {
                self.ours[index].verified(&mut self.server, verified)?;
            }
            self.ours[index].events.push(event.what);
        }
        for user_id in step.queries {
            self.query(index, &user_id)?;
        }
        Ok(())
    }

    /// One of our devices asks the server for a user's keys.
    pub fn query(&mut self, index: usize, user_id: &str) -> Result<(), Failure> {
        self.ours[index].identities.query(&self.server, &[user_id])?;
        self.act(index, |flows, rng, time, known| {
            let user_id = UserId::parse(user_id).expect("a user ID of the server's");
            flows.keys_changed(rng, time, known, user_id)
        })
    }

    fn send_ours(&mut self, index: usize, message: Outgoing) -> Result<(), Failure> {
        let sender = self.ours[index].address.clone();
        match message {
            Outgoing::ToDevice { user_id, device_ids, event_type, content } => {
                let content: Value = serde_json::from_str(&content)?;
                for device_id in device_ids {
                    self.post(Message {
                        sender: sender.clone(),
                        to: To::Device((user_id.clone(), device_id)),
                        event_type: event_type.to_owned(),
                        content: content.clone(),
                    });
                }
            }
            Outgoing::Room { event_type, content, .. } => {
                let content = serde_json::from_str(&content)?;
                self.post_to_room(sender, event_type, content);
            }
            Outgoing::RoomRequest { request, content, .. } => {
                let content = serde_json::from_str(&content)?;
                let event_id = self.post_to_room(sender, "m.room.message", content);
                let flow = self.act_for(index, |flows, rng, time, known| {
                    flows.request_sent(rng, time, known, request, &event_id)
                })?;
                self.ours[index].asked_in_room = Some(flow);
            }
        }
        Ok(())
    }

    /// Puts an event into the room: its ID.
    pub fn post_to_room(&mut self, sender: Address, event_type: &str, content: Value) -> String {
        let event_id = self.next_event();
        let to = To::Room { event_id: event_id.clone() };
        self.post(Message { sender, to, event_type: event_type.to_owned(), content });
        event_id
    }

    /// A message of a flow that its sender's implementation would not send.
    pub fn make_up(
        &mut self,
        sender: &Address,
        to: &Address,
        flow: &FlowKey,
        event_type: &str,
        content: Value,
    ) {
        let (event_type, mut content) = (format!("m.key.verification.{event_type}"), content);
        if flow.place == mx_verification::Place::ToDevice {
            content["transaction_id"] = flow.id.as_str().into();
            self.post(Message { sender: sender.clone(), to: To::Device(to.clone()), event_type, content });
        } else {
            content["m.relates_to"] = json!({ "rel_type": "m.reference", "event_id": flow.id });
            self.post_to_room(sender.clone(), &event_type, content);
        }
    }

    /// The codes of the cancels that a device has sent, with the devices that they went to, if not to the room.
    pub fn cancels(&self, sender: &Address) -> Vec<(String, Option<String>)> {
        let sent = self
            .log
            .iter()
            .filter(|message| message.sender == *sender && message.event_type == "m.key.verification.cancel");
        sent.map(|message| {
            let code = message.content["code"].as_str().unwrap_or_default().to_owned();
            let device = match &message.to {
                To::Device((_, device_id)) => Some(device_id.clone()),
                To::Room { .. } => None,
            };
            (code, device)
        })
        .collect()
    }
}
