//! Requests, ours and theirs, and the verifications that begin without one.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_types::{MAX_IDENTIFIER_LEN, RoomId, UserId, fill_random};
use rand_core::TryCryptoRng;

use crate::complete::Lookup;
use crate::content::{Content, Start, StartMethod};
use crate::error::RequestError;
use crate::event::What;
use crate::flow::{Facts, Flow, Seen, State};
use crate::flow_key::{FlowKey, Place};
use crate::keys::Keys;
use crate::methods::Listed;
use crate::reason::Reason;
use crate::remembered::Past;
use crate::sas::Sas;
use crate::state::FlowState;
use crate::step::{Outgoing, RequestId, Step};
use crate::time::Time;
use crate::verifications::Verifications;

/// A request of ours in a room, until it has an ID.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) request: RequestId,
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) begun: u64,
    ours: Listed,
    /// Whether the other side's request counts, which came meanwhile.
    withdrawn: bool,
}

impl Verifications {
    /// Asks devices of a user, all in one request: another user's, or others of our own. Our own verifications with them end. Leave
    /// out dehydrated devices.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub fn request_to_device<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        user_id: UserId<'_>,
        device_ids: &[&str],
    ) -> Result<(FlowKey, Step), RequestError> {
        let now = self.expire(time);
        let user_id = user_id.as_str();
        let mut asked: Vec<String> = device_ids.iter().map(|device_id| (*device_id).to_owned()).collect();
        asked.retain(|device_id| !(self.is_own_user(user_id) && *device_id == self.device_id));
        asked.sort();
        asked.dedup();
        match asked.len() {
            0 => return Err(RequestError::NoDevices),
            count if count > self.config.limits.devices => {
                return Err(RequestError::TooManyDevices { count });
            }
            _ => {}
        }
        if self.is_ambiguous(keys, user_id) {
            return Err(RequestError::DeviceIdIsSigningKey);
        }
        let mut id = [0; 16];
        fill_random(rng, &mut id)?;
        let with_them = |flow: &Flow| {
            flow.facts.key.user_id == user_id && asked.iter().any(|device_id| flow.is_with(device_id))
        };
        self.begin(now, with_them)?;

        let key = FlowKey {
            place: Place::ToDevice,
            user_id: user_id.to_owned(),
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let mut facts = Facts::new(key.clone(), now);
        facts.is_ours = true;
        facts.asked = asked;
        facts.ours = self.able(keys, user_id);
        let request = Content::Request {
            from_device: self.device_id.clone(),
            methods: facts.ours.names(),
            timestamp: time.unix_ms,
        };
        self.send(now, &mut facts, &request);
        self.step.save = true;
        self.keep(facts, State::Sent);
        Ok((key, self.take_step()))
    }

    /// Asks another user, in a room that the two share, a direct chat. Our own verifications with the user end.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub fn request_in_room(
        &mut self,
        time: Time,
        keys: &impl Keys,
        room_id: RoomId<'_>,
        user_id: UserId<'_>,
    ) -> Result<(RequestId, Step), RequestError> {
        let now = self.expire(time);
        let user_id = user_id.as_str();
        if self.is_own_user(user_id) {
            return Err(RequestError::OwnUserInRoom);
        }
        if self.is_ambiguous(keys, user_id) {
            return Err(RequestError::DeviceIdIsSigningKey);
        }
        self.begin(now, |flow| flow.facts.key.user_id == user_id)?;

        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        let ours = self.able(keys, user_id);
        let content = Content::RoomRequest {
            from_device: self.device_id.clone(),
            methods: ours.names(),
            to: user_id.to_owned(),
        };
        let (room_id, user_id) = (room_id.as_str().to_owned(), user_id.to_owned());
        let unsent = Unsent {
            request,
            room_id: room_id.clone(),
            user_id: user_id.clone(),
            ours,
            begun: now,
            withdrawn: false,
        };
        self.unsent.push(unsent);
        let key = FlowKey {
            place: Place::Room { room_id: room_id.clone() },
            user_id: user_id.clone(),
            id: String::new(),
        };
        let content = content.emit(key.flow_id());
        self.step.messages.push(Outgoing::RoomRequest { request, room_id, user_id, content });
        Ok((request, self.take_step()))
    }

    /// The request in a room was sent: its event has this ID. Answers that came before are taken now.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub fn request_sent<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        request: RequestId,
        event_id: &str,
    ) -> Result<(FlowKey, Step), RequestError> {
        let now = self.expire(time);
        if !(1..=MAX_IDENTIFIER_LEN).contains(&event_id.len()) {
            return Err(RequestError::EventId);
        }
        let place = self.unsent.iter().position(|unsent| unsent.request == request);
        let unsent = self.unsent.remove(place.ok_or(RequestError::UnknownRequest)?);
        let place = Place::Room { room_id: unsent.room_id };
        let key = FlowKey { place, user_id: unsent.user_id, id: event_id.to_owned() };
        let mut facts = Facts::new(key.clone(), unsent.begun);
        facts.used = now;
        facts.is_ours = true;
        facts.ours = unsent.ours;
        facts.see(Seen::Event(event_id.to_owned()));
        self.step.save = true;
        if unsent.withdrawn {
            self.fail(now, facts, Reason::CrossingRequest);
        } else {
            self.keep(facts, State::Sent);
            // Where the generator fails, they wait on.
            let _ = self.release(rng, time, keys, &key);
        }
        Ok((key, self.take_step()))
    }

    /// The request in a room could not be sent: it is forgotten.
    pub fn request_failed(&mut self, request: RequestId) {
        self.unsent.retain(|unsent| unsent.request != request);
    }

    /// Whether we have asked this user in this room, and the ID of that is not known yet.
    pub(crate) fn is_asking(&self, key: &FlowKey) -> bool {
        self.unsent.iter().any(|unsent| {
            matches!(&key.place, Place::Room { room_id } if *room_id == unsent.room_id)
                && unsent.user_id == key.user_id
        })
    }

    /// Ends our own verifications with those who are asked, and makes room for one more.
    fn begin(&mut self, now: u64, with_them: impl Fn(&Flow) -> bool) -> Result<(), RequestError> {
        let going_on =
            self.flows.iter().filter(|flow| !with_them(flow) && !matches!(flow.state, State::WaitDone));
        if going_on.count().saturating_add(self.unsent.len()) >= self.config.limits.flows {
            return Err(RequestError::TooManyFlows);
        }
        for key in self.keys_of(with_them) {
            self.end_by(now, &key, Reason::User);
        }
        self.make_room(now);
        Ok(())
    }

    /// Ends a flow, if it is still there; one that only waits for `done`, without a word.
    fn end_by(&mut self, now: u64, key: &FlowKey, reason: Reason) {
        match self.take_flow(key) {
            Some(Flow { facts, state: State::WaitDone }) => self.close(now, facts),
            Some(flow) => self.cancel_flow(now, flow, reason),
            None => {}
        }
    }

    fn keys_of(&self, wanted: impl Fn(&Flow) -> bool) -> Vec<FlowKey> {
        self.flows.iter().filter(|flow| wanted(flow)).map(|flow| flow.facts.key.clone()).collect()
    }

    /// Takes a request, if it is not too old, and its device is known.
    pub(crate) fn receive_request(
        &mut self,
        time: Time,
        keys: &impl Keys,
        key: &FlowKey,
        request: TheirRequest<'_>,
    ) -> Known {
        let limits = self.config.limits;
        let age = time.unix_ms.saturating_sub(request.sent);
        if age > limits.request_age_ms || request.sent.saturating_sub(time.unix_ms) > limits.request_ahead_ms
        {
            return Known::Yes;
        }
        match self.look_up(keys, &key.user_id, request.from_device) {
            Lookup::Outdated | Lookup::Unknown => return Known::No,
            // Refused, with a warning, when it is accepted.
            Lookup::Found(_) | Lookup::Ambiguous => {}
        }
        let now = time.monotonic_ms;
        if !self.admit(now, key, request.from_device) {
            return Known::Yes;
        }
        let mut facts = Facts::new(key.clone(), now);
        facts.peer_device = Some(request.from_device.to_owned());
        facts.theirs = Listed::of_names(request.methods);
        facts.see(request.seen);
        let methods = self.able(keys, &key.user_id).common(facts.theirs);
        self.show(&facts, What::Requested { device_id: request.from_device.to_owned(), methods });
        let left = limits.request_age_ms.saturating_add(request.sent).saturating_sub(time.unix_ms);
        let until = now.saturating_add(left.min(limits.prompt_ms));
        self.step.save = true;
        self.keep(facts, State::Requested { until });
        Known::Yes
    }

    /// Takes a start without a request, as old clients send it, if its device is known.
    pub(crate) fn receive_first_start(
        &mut self,
        now: u64,
        keys: &impl Keys,
        key: &FlowKey,
        start: Start,
        seen: Seen,
    ) -> Known {
        let StartMethod::Sas(offer) = &start.method else {
            self.refuse(now, key, &start.from_device, Reason::UnknownMethod);
            return Known::Yes;
        };
        let lookup = self.look_up(keys, &key.user_id, &start.from_device);
        if matches!(lookup, Lookup::Outdated | Lookup::Unknown) {
            return Known::No;
        }
        if !self.admit(now, key, &start.from_device) {
            return Known::Yes;
        }
        let mut facts = Facts::new(key.clone(), now);
        facts.peer_device = Some(start.from_device.clone());
        facts.without_request = true;
        facts.see(seen);
        match (self.choose(offer), lookup) {
            (Err(reason), _) => self.fail(now, facts, reason),
            (Ok(choice), Lookup::Found(pinned)) => {
                facts.pinned = Some(pinned);
                facts.ours = Listed { sas: true, ..Listed::default() };
                facts.theirs = facts.ours;
                self.show(&facts, What::StartedWithoutRequest { device_id: start.from_device.clone() });
                self.step.save = true;
                self.keep(facts, State::Sas(Sas::StartReceived { choice, start }));
            }
            (Ok(_), _) => self.fail(now, facts, Reason::DeviceIdIsSigningKey),
        }
        Known::Yes
    }

    /// Whether an attempt of a device to verify counts: there must be no other with it, and room. A request of ours that crosses it
    /// counts if our names come first.
    fn admit(&mut self, now: u64, key: &FlowKey, device_id: &str) -> bool {
        let user_id = key.user_id.as_str();
        let with_it = |flow: &Flow| flow.facts.key.user_id == user_id && flow.is_with(device_id);
        for key in self.keys_of(|flow| with_it(flow) && matches!(flow.state, State::WaitDone)) {
            self.end_by(now, &key, Reason::User);
        }
        let going_on = self.keys_of(|flow| with_it(flow) && !matches!(flow.state, State::Sent));
        let sent = self.keys_of(|flow| with_it(flow) && matches!(flow.state, State::Sent));
        let unsent = self.unsent.iter().any(|unsent| unsent.user_id == user_id && !unsent.withdrawn);
        if !going_on.is_empty() {
            for key in going_on.iter().chain(&sent) {
                self.end_by(now, key, Reason::SeveralAttempts);
            }
            self.withdraw(user_id);
            self.refuse(now, key, device_id, Reason::SeveralAttempts);
            return false;
        }
        if !sent.is_empty() || unsent {
            if self.counts_against(user_id, device_id) {
                self.remember(now, key.clone(), Past::Over(FlowState::Cancelled));
                return false;
            }
            for key in &sent {
                self.end_by(now, key, Reason::CrossingRequest);
            }
            self.withdraw(user_id);
        }
        self.make_room(now)
    }

    fn withdraw(&mut self, user_id: &str) {
        for unsent in self.unsent.iter_mut().filter(|unsent| unsent.user_id == user_id) {
            unsent.withdrawn = true;
        }
    }

    /// Cancels what has not become a flow.
    pub(crate) fn refuse(&mut self, now: u64, key: &FlowKey, device_id: &str, reason: Reason) {
        self.send_cancel(key, vec![device_id.to_owned()], reason.code(), &format!("{reason}"));
        self.remember(now, key.clone(), Past::Over(FlowState::Cancelled));
        self.step.save = true;
    }
}

/// A request that came.
pub(crate) struct TheirRequest<'r> {
    pub(crate) from_device: &'r str,
    pub(crate) methods: &'r [String],
    /// When it was sent, in milliseconds since 1970.
    pub(crate) sent: u64,
    pub(crate) seen: Seen,
}

/// Whether the device that a message is from is known. If not, the message waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub(crate) enum Known {
    Yes,
    No,
}

impl Flow {
    /// Whether the device takes part. A request to a room asks all devices.
    pub(crate) fn is_with(&self, device_id: &str) -> bool {
        match &self.facts.peer_device {
            Some(peer_device) => peer_device == device_id,
            None if self.facts.key.place == Place::ToDevice => {
                self.facts.asked.iter().any(|asked| asked == device_id)
            }
            None => true,
        }
    }
}
