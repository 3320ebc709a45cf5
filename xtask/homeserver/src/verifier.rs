//! A device that verifies others, as a client composes it: mx-verification in the middle, its keys from the lists, its
//! messages over the server, and what follows from it signed and uploaded.

use std::{
    borrow::Cow,
    collections::VecDeque,
    time::{Duration, Instant},
};

use mx_cross_signing::SigningKeys;
use mx_demo::{device::Address, trust};
use mx_pickle::{Generation, PickleKey};
use mx_types::{DeviceId, RoomId, UserId};
use mx_verification::{
    Cancelled, Config, Emoji, Event, FlowKey, Incoming, Outgoing, Place, Step, Time, Verifications, Verified,
    Via, What,
};
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    Failure,
    client::{Client, Heard},
    clock, ensure, fail, identities,
    lists::Lists,
};

/// What is waited for has to come by then.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How messages travel.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Envelope {
    Plain,
    /// Through Olm to devices, through Megolm in rooms.
    Encrypted,
}

pub(crate) struct Verifier<'c> {
    pub(crate) client: &'c mut Client,
    keys: &'c SigningKeys,
    envelope: Envelope,
    verifications: Verifications,
    pickle_key: PickleKey,
    pickle: Vec<u8>,
    /// The verification that the user has before the eyes.
    flow: Option<FlowKey>,
    events: VecDeque<Event>,
}

impl<'c> Verifier<'c> {
    pub(crate) fn new(
        rng: &mut dyn CryptoRng,
        client: &'c mut Client,
        keys: &'c SigningKeys,
        envelope: Envelope,
    ) -> Result<Self, Failure> {
        let (user_id, device_id, ed25519) = own(client)?;
        let verifications = Verifications::new(user_id, device_id, ed25519, Config::DEFAULT);
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Ok(Self {
            client,
            keys,
            envelope,
            verifications,
            pickle_key: PickleKey::new(&key),
            pickle: Vec::new(),
            flow: None,
            events: VecDeque::new(),
        })
    }

    /// Asks other devices of the user.
    pub(crate) fn ask_devices(
        &mut self,
        rng: &mut dyn CryptoRng,
        device_ids: &[&str],
    ) -> Result<(), Failure> {
        let Client { session, lists, .. } = &*self.client;
        let user_id = UserId::parse(&session.user_id)?;
        let asked = self.verifications.request_to_device(rng, clock::time(), lists, user_id, device_ids);
        let (flow, step) = asked?;
        self.flow = Some(flow);
        self.carry_out(rng, step)
    }

    /// Asks another user.
    pub(crate) fn ask_in_room(
        &mut self,
        rng: &mut dyn CryptoRng,
        room_id: &str,
        user_id: &str,
    ) -> Result<(), Failure> {
        let (room_id, user_id) = (RoomId::parse(room_id)?, UserId::parse(user_id)?);
        let asked = self.verifications.request_in_room(clock::time(), &self.client.lists, room_id, user_id);
        let (_, step) = asked?;
        self.carry_out(rng, step)
    }

    pub(crate) fn accept(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.act(rng, |verifications, rng, time, lists, flow| {
            Ok(verifications.accept(rng, time, lists, flow)?)
        })
    }

    pub(crate) fn start_sas(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.act(rng, |verifications, rng, time, _, flow| Ok(verifications.start_sas(rng, time, flow)?))
    }

    /// The bytes of the code that is displayed.
    pub(crate) fn show_qr(&mut self, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, Failure> {
        let flow = self.flow.as_ref().ok_or("nothing is being verified")?;
        let code = self.verifications.show_qr(rng, &self.client.lists, flow)?;
        Ok(code.to_vec())
    }

    /// The user has scanned this.
    pub(crate) fn scan(&mut self, rng: &mut dyn CryptoRng, code: &[u8]) -> Result<(), Failure> {
        self.act(rng, |verifications, _, time, lists, flow| Ok(verifications.scan(time, lists, flow, code)?))
    }

    /// The user says that the short strings are the same, or that the other device says that it has scanned the code.
    pub(crate) fn confirm(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.act(rng, |verifications, _, time, lists, flow| Ok(verifications.confirm(time, lists, flow)?))
    }

    pub(crate) fn cancel(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.act(rng, |verifications, _, time, _, flow| Ok(verifications.cancel(time, flow)?))
    }

    fn act(
        &mut self,
        rng: &mut dyn CryptoRng,
        act: impl FnOnce(&mut Verifications, &mut dyn CryptoRng, Time, &Lists, &FlowKey) -> Result<Step, Failure>,
    ) -> Result<(), Failure> {
        let flow = self.flow.as_ref().ok_or("nothing is being verified")?;
        let step = act(&mut self.verifications, rng, clock::time(), &self.client.lists, flow)?;
        self.carry_out(rng, step)
    }

    /// The program ends, and begins again with what it had saved.
    pub(crate) fn restart(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        let (user_id, device_id, ed25519) = own(self.client)?;
        let (config, oldest) = (Config::DEFAULT, Generation::NEVER_PICKLED);
        let (time, key) = (clock::time(), &self.pickle_key);
        let restored =
            Verifications::from_pickle(user_id, device_id, ed25519, config, time, key, oldest, &self.pickle);
        let (verifications, step) = restored?;
        self.verifications = verifications;
        self.events.clear(); // nobody has seen them
        self.carry_out(rng, step)
    }

    /// Listens until there is something to show, which must be what `pick` takes.
    pub(crate) fn hears<T>(
        &mut self,
        rng: &mut dyn CryptoRng,
        expected: &str,
        pick: impl FnOnce(What) -> Option<T>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let event = loop {
            if let Some(event) = self.events.pop_front() {
                break event;
            }
            if start.elapsed() > LONGEST_WAIT {
                return fail(format!("{} has waited too long for {expected}", self.device_id()));
            }
            self.listen(rng)?;
        };
        let Event { flow, what } = event;
        self.flow = Some(flow);
        let heard = format!("{what:?}");
        pick(what).ok_or_else(|| format!("{} hears {heard}, not {expected}", self.device_id()).into())
    }

    pub(crate) fn hears_request(&mut self, rng: &mut dyn CryptoRng, from: &str) -> Result<(), Failure> {
        let is = |what| matches!(what, What::Requested { device_id, .. } if device_id == from).then_some(());
        self.hears(rng, "a request", is)
    }

    /// Hears that both are ready, and gives whether this device vouches for its user.
    pub(crate) fn hears_ready(&mut self, rng: &mut dyn CryptoRng, of: &str) -> Result<bool, Failure> {
        self.hears(rng, "that both are ready", |what| match what {
            What::Ready { device_id, vouches_for_own_user, .. } if device_id == of => {
                Some(vouches_for_own_user)
            }
            _ => None,
        })
    }

    pub(crate) fn hears_emoji(&mut self, rng: &mut dyn CryptoRng) -> Result<[Emoji; 7], Failure> {
        self.hears(rng, "emoji to compare", |what| match what {
            What::ShortString { emoji, decimal: Some(_) } => emoji,
            _ => None,
        })
    }

    /// Hears that the other side has cancelled with this code.
    pub(crate) fn hears_cancel(&mut self, rng: &mut dyn CryptoRng, code: &str) -> Result<(), Failure> {
        self.hears(rng, &format!("a cancellation with {code}"), |what| match what {
            What::Cancelled(Cancelled::ByThem { code: Some(received), .. }) => {
                (received == code).then_some(())
            }
            _ => None,
        })
    }

    /// Hears that this side has cancelled with this code.
    pub(crate) fn hears_own_cancel(&mut self, rng: &mut dyn CryptoRng, code: &str) -> Result<(), Failure> {
        self.hears(rng, &format!("its own cancellation with {code}"), |what| match what {
            What::Cancelled(Cancelled::ByUs(reason)) => (reason.code() == code).then_some(()),
            _ => None,
        })
    }

    /// Hears that something was verified, and does what follows: records it, signs, uploads. What the server then shows to somebody who
    /// asks for the first time must be the trust that is computed here.
    pub(crate) fn hears_verified(&mut self, rng: &mut dyn CryptoRng) -> Result<Verified, Failure> {
        let verified = self.hears(rng, "that it is verified", |what| match what {
            What::Verified(verified) => Some(verified),
            _ => None,
        })?;
        for consequence in &verified.consequences {
            let Client { lists: Lists { own, identities, .. }, device, .. } = &mut *self.client;
            let upload = trust::record(own, self.keys, identities, device, consequence)?;
            if !upload.is_empty() {
                identities::send(self.client, upload)?;
            }
        }
        identities::is_shown(self.client, UserId::parse(&verified.user_id)?)?;
        Ok(verified)
    }

    pub(crate) fn hears_done(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.hears(rng, "that both are done", |what| matches!(what, What::Done).then_some(()))?;
        ensure(self.verifications.flows().next().is_none(), "a verification that is over is still there")
    }

    /// Listens once: there must be nothing to show.
    pub(crate) fn hears_nothing(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        self.listen(rng)?;
        let heard = format!("{} hears {:?}, which is not for it", self.device_id(), self.events);
        ensure(self.events.is_empty() && self.verifications.flows().next().is_none(), &heard)
    }

    /// Goes on answering by itself until the other side has something to show.
    pub(crate) fn answers_until(
        &mut self,
        rng: &mut dyn CryptoRng,
        other: &mut Verifier<'_>,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        while other.events.is_empty() {
            if start.elapsed() > LONGEST_WAIT {
                return fail(format!("{} has waited too long for {}", other.device_id(), self.device_id()));
            }
            self.listen(rng)?;
            other.listen(rng)?;
        }
        Ok(())
    }

    fn device_id(&self) -> &str {
        &self.client.session.device_id
    }

    /// One `/sync`, and everything in it.
    fn listen(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Failure> {
        let mut heard = Heard::default();
        self.client.listen(&mut heard)?;
        for user_id in &heard.news.queried {
            self.keys_changed(rng, user_id)?;
        }
        for event in &heard.to_device {
            self.receive_to_device(rng, event.get())?;
        }
        for (room_id, event) in &heard.timeline {
            self.receive_in_room(rng, room_id, event.get())?;
        }
        let step = self.verifications.tick(clock::time());
        self.carry_out(rng, step)
    }

    fn receive_to_device(&mut self, rng: &mut dyn CryptoRng, text: &str) -> Result<(), Failure> {
        let event: ServerEvent<'_> = serde_json::from_str(text)?;
        if event.event_type != ENCRYPTED {
            let via = Via::ToDevice { olm_sender: None };
            return self.receive(rng, &event.incoming(via));
        }
        let event = self.client.device.receive_to_device(&serde_json::from_str(text)?)?;
        if event.event_type == "m.room_key" {
            return self.client.device.receive_room_key(&event).map(drop);
        }
        let Address { user_id, device_id } = &event.sender;
        let message = Incoming {
            sender: user_id,
            event_type: &event.event_type,
            content: &event.content.to_string(),
            via: Via::ToDevice { olm_sender: Some(device_id) },
        };
        self.receive(rng, &message)
    }

    fn receive_in_room(&mut self, rng: &mut dyn CryptoRng, room_id: &str, text: &str) -> Result<(), Failure> {
        let event: ServerEvent<'_> = serde_json::from_str(text)?;
        let via = Via::Room {
            room_id,
            event_id: event.event_id.as_deref().ok_or("an event in a room has no ID")?,
            origin_server_ts: event.origin_server_ts.ok_or("an event in a room has no time")?,
            // The server says that to the device alone that has sent it.
            from_this_device: event.unsigned.transaction_id.is_some(),
            encrypted: (event.event_type == ENCRYPTED).then_some(event.content.get()),
        };
        if event.event_type != ENCRYPTED {
            return self.receive(rng, &event.incoming(via));
        }
        let mut encrypted: Value = serde_json::from_str(text)?;
        encrypted["room_id"] = room_id.into();
        let decrypted = self.client.device.receive_room_event(&encrypted)?;
        let message = Incoming {
            sender: &event.sender,
            event_type: &decrypted.event_type,
            content: &decrypted.content.to_string(),
            via,
        };
        self.receive(rng, &message)
    }

    fn receive(&mut self, rng: &mut dyn CryptoRng, message: &Incoming<'_>) -> Result<(), Failure> {
        let step = self.verifications.receive(rng, clock::time(), &self.client.lists, message)?;
        self.carry_out(rng, step)
    }

    fn keys_changed(&mut self, rng: &mut dyn CryptoRng, user_id: &str) -> Result<(), Failure> {
        let (lists, user_id) = (&self.client.lists, UserId::parse(user_id)?);
        let step = self.verifications.keys_changed(rng, clock::time(), lists, user_id)?;
        self.carry_out(rng, step)
    }

    /// Saves, sends, shows, and queries what is to be queried.
    fn carry_out(&mut self, rng: &mut dyn CryptoRng, step: Step) -> Result<(), Failure> {
        let Step { messages, events, queries, save, .. } = step;
        if save {
            self.pickle = self.verifications.pickle_to_vec(rng, &self.pickle_key)?;
        }
        for message in messages {
            self.send(rng, message)?;
        }
        for event in &events {
            if let (true, Place::Room { room_id }) = (is_end(&event.what), &event.flow.place) {
                self.client.device.discard_room_session(room_id);
            }
        }
        self.events.extend(events);
        if queries.is_empty() {
            return Ok(());
        }
        queries.iter().try_for_each(|user_id| self.client.lists.wish(user_id))?;
        let mut heard = Heard::default();
        self.client.refresh(&mut heard.news)?;
        heard.news.queried.iter().try_for_each(|user_id| self.keys_changed(rng, user_id))
    }

    fn send(&mut self, rng: &mut dyn CryptoRng, message: Outgoing) -> Result<(), Failure> {
        match message {
            Outgoing::ToDevice { user_id, device_ids, event_type, content } => {
                let device_ids: Vec<_> = device_ids.iter().map(String::as_str).collect();
                if self.envelope == Envelope::Plain {
                    return self.client.send_as_it_is(&user_id, &device_ids, event_type, &content);
                }
                let content = serde_json::from_str(&content)?;
                device_ids.into_iter().try_for_each(|device_id| {
                    let to = Address { user_id: user_id.clone(), device_id: device_id.to_owned() };
                    self.send_through_olm(rng, &to, event_type, &content)
                })
            }
            Outgoing::Room { flow, event_type, content } => {
                let Place::Room { room_id } = &flow.place else { return fail("the flow is in no room") };
                self.send_in_room(rng, room_id, &flow.user_id, event_type, &content).map(drop)
            }
            Outgoing::RoomRequest { request, room_id, user_id, content } => {
                let event_id = self.send_in_room(rng, &room_id, &user_id, "m.room.message", &content)?;
                let lists = &self.client.lists;
                let sent = self.verifications.request_sent(rng, clock::time(), lists, request, &event_id);
                let (flow, step) = sent?;
                self.flow = Some(flow);
                self.carry_out(rng, step)
            }
        }
    }

    fn send_through_olm(
        &mut self,
        rng: &mut dyn CryptoRng,
        to: &Address,
        event_type: &str,
        content: &Value,
    ) -> Result<(), Failure> {
        if !self.client.device.has_olm_session(to)? {
            let key = self.client.claim(to)?.key.to_string();
            self.client.device.open_olm_session(rng, to, &key)?;
        }
        self.client.send_to_device(rng, to, event_type, content)
    }

    /// Sends an event, and gives its ID. If it is encrypted, then with a session of this verification alone, whose key all devices of the
    /// other user get.
    fn send_in_room(
        &mut self,
        rng: &mut dyn CryptoRng,
        room_id: &str,
        user_id: &str,
        event_type: &str,
        content: &str,
    ) -> Result<String, Failure> {
        if self.envelope == Envelope::Plain {
            return self.client.send_to_room(room_id, event_type, content);
        }
        if self.client.device.needs_new_room_session(room_id) {
            let room_key = self.client.device.create_room_session(rng, room_id)?;
            let devices = self.client.lists.device_ids(user_id).into_iter().map(str::to_owned);
            for device_id in devices.collect::<Vec<_>>() {
                let to = Address { user_id: user_id.to_owned(), device_id };
                self.send_through_olm(rng, &to, "m.room_key", &room_key)?;
            }
        }
        let content = serde_json::from_str(content)?;
        let encrypted = self.client.device.encrypt_room_event(room_id, event_type, &content)?;
        self.client.send_to_room(room_id, ENCRYPTED, &encrypted.to_string())
    }
}

const ENCRYPTED: &str = "m.room.encrypted";

/// Who verifies.
fn own(client: &Client) -> Result<(UserId<'_>, DeviceId<'_>, mx_types::Ed25519PublicKey), Failure> {
    let session = &client.session;
    let (user_id, device_id) = (UserId::parse(&session.user_id)?, DeviceId::parse(&session.device_id)?);
    Ok((user_id, device_id, client.lists.own.ed25519()))
}

/// Whether nothing comes of that verification any more.
const fn is_end(what: &What) -> bool {
    matches!(
        what,
        What::Done | What::PeerDidNotConfirm | What::Cancelled(_) | What::Dismissed | What::Elsewhere
    )
}

/// An event as the server shows it.
#[derive(Deserialize)]
struct ServerEvent<'e> {
    #[serde(rename = "type", borrow)]
    event_type: Cow<'e, str>,
    #[serde(borrow)]
    sender: Cow<'e, str>,
    #[serde(borrow)]
    content: &'e RawValue,
    #[serde(borrow)]
    event_id: Option<Cow<'e, str>>,
    origin_server_ts: Option<u64>,
    #[serde(default)]
    unsigned: Unsigned,
}

#[derive(Default, Deserialize)]
struct Unsigned {
    transaction_id: Option<String>,
}

impl ServerEvent<'_> {
    fn incoming<'a>(&'a self, via: Via<'a>) -> Incoming<'a> {
        Incoming { sender: &self.sender, event_type: &self.event_type, content: self.content.get(), via }
    }
}
