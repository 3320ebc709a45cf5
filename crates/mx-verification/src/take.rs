//! What a message does, to a flow or as the first of one.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec;

use mx_types::RandomnessFailed;
use rand_core::TryCryptoRng;

use crate::complete::Lookup;
use crate::content::{Content, Malformed};
use crate::event::What;
use crate::flow::{Facts, Flow, Seen, State};
use crate::flow_key::{FlowKey, Place};
use crate::incoming::{Incoming, Via};
use crate::keys::Keys;
use crate::methods::Listed;
use crate::reason::{self, Reason};
use crate::remembered::Past;
use crate::request::{Known, TheirRequest};
use crate::sender::Sender;
use crate::state::FlowState;
use crate::time::Time;
use crate::verifications::Verifications;

/// A message that was read.
pub(crate) struct Arrived<'m> {
    /// As it came.
    pub(crate) message: &'m Incoming<'m>,
    /// What it says.
    pub(crate) read: Result<Content, Malformed>,
    /// What it is remembered by.
    pub(crate) seen: Seen,
}

impl Verifications {
    /// Takes the first message of what may become a flow.
    pub(crate) fn receive_first(
        &mut self,
        time: Time,
        keys: &impl Keys,
        key: &FlowKey,
        arrived: Arrived<'_>,
    ) {
        let Arrived { message, read, seen } = arrived;
        let now = time.monotonic_ms;
        if self.is_known_elsewhere(key) {
            return;
        }
        if self.is_asking(key) && !matches!(read, Ok(Content::RoomRequest { .. })) {
            return self.hold_for_request(now, key, message);
        }
        let Ok(content) = read else { return };
        let olm_sender = message.via.olm_sender();
        let sender = olm_sender.or(content.device()).map(ToOwned::to_owned);
        if sender.as_deref() != content.device() && content.device().is_some() {
            return;
        }
        let (known, is_request) = match (content, message.via) {
            (Content::Request { from_device, methods, timestamp: sent }, _) => {
                let request = TheirRequest { from_device: &from_device, methods: &methods, sent, seen };
                (self.receive_request(time, keys, key, request), true)
            }
            (Content::RoomRequest { from_device, methods, to }, Via::Room { origin_server_ts: sent, .. })
                if to == self.user_id =>
            {
                let request = TheirRequest { from_device: &from_device, methods: &methods, sent, seen };
                (self.receive_request(time, keys, key, request), true)
            }
            (Content::Start(start), Via::ToDevice { .. }) => {
                (self.receive_first_start(now, keys, key, start, seen), false)
            }
            (Content::Cancel { .. }, Via::ToDevice { .. }) => {
                return self.remember(now, key.clone(), Past::CancelledEarly);
            }
            (_, Via::ToDevice { .. }) => return self.answer_unknown(now, key, sender),
            // History that is read again is full of them.
            (_, Via::Room { .. }) => return,
        };
        if known == Known::No
            && let Some(device_id) = sender
        {
            self.hold(now, keys, key, message, &device_id, is_request);
        }
    }

    /// Tells a device that what it goes on with is not known here; once.
    fn answer_unknown(&mut self, now: u64, key: &FlowKey, sender: Option<String>) {
        let Some(device_id) = sender else { return };
        if self.past(key).is_some() || !self.has_room_for(Past::Answered) {
            return;
        }
        let reason = Reason::UnknownTransaction;
        self.send_cancel(key, vec![device_id], reason.code(), &reason.to_string());
        self.remember(now, key.clone(), Past::Answered);
    }

    /// Takes a message of a flow.
    pub(crate) fn receive_in<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        mut flow: Flow,
        arrived: Arrived<'_>,
    ) -> Result<(), RandomnessFailed> {
        let Arrived { message, read, seen } = arrived;
        let now = time.monotonic_ms;
        if flow.facts.seen.contains(&seen) {
            self.flows.push(flow);
            return Ok(());
        }
        match flow.facts.sender(message.via.olm_sender(), &read) {
            Sender::Peer => {}
            Sender::Other => {
                self.flows.push(flow);
                return Ok(());
            }
            Sender::TooLate { device_id } => {
                self.tell_too_late(&mut flow.facts, device_id);
                self.flows.push(flow);
                return Ok(());
            }
            Sender::Stranger => {
                self.cancel_flow(now, flow, Reason::UnexpectedMessage);
                return Ok(());
            }
        }
        if let (State::Sent, Ok(Content::Ready { from_device, .. })) = (&flow.state, &read)
            && matches!(
                self.look_up(keys, &flow.facts.key.user_id, from_device),
                Lookup::Outdated | Lookup::Unknown
            )
        {
            let key = flow.facts.key.clone();
            self.flows.push(flow);
            self.hold(now, keys, &key, message, from_device, false);
            return Ok(());
        }
        flow.facts.see(seen);
        flow.facts.used = now;
        let Ok(content) = read else {
            self.cancel_flow(now, flow, Reason::InvalidMessage);
            return Ok(());
        };
        match content {
            Content::Cancel { code, reason } => {
                self.receive_cancel(now, flow, message.via.olm_sender(), code, reason);
            }
            Content::Start(start) => {
                let key = flow.facts.key.clone();
                if let Err(error) = self.receive_start(rng, now, keys, flow, start) {
                    // It was not taken.
                    if let Some(flow) = self.flows.iter_mut().find(|flow| flow.facts.key == key) {
                        flow.facts.seen.pop();
                    }
                    return Err(error);
                }
            }
            Content::Ready { from_device, methods } if matches!(flow.state, State::Sent) => {
                self.receive_ready(now, keys, flow, from_device, &methods);
            }
            Content::Request { .. } | Content::RoomRequest { .. } | Content::Ready { .. } => {
                self.cancel_flow(now, flow, Reason::UnexpectedMessage);
            }
            content @ (Content::Accept(_) | Content::Key { .. } | Content::Mac(_) | Content::Done) => {
                self.receive_rest(now, keys, flow, &content);
            }
        }
        Ok(())
    }

    /// What belongs to a method.
    fn receive_rest(&mut self, now: u64, keys: &impl Keys, flow: Flow, content: &Content) {
        let Flow { facts, state } = flow;
        match (state, content) {
            (State::Sas(sas), _) => self.receive_sas(now, keys, facts, sas, content),
            (State::WaitDone, Content::Done) => self.end(now, facts, What::Done, FlowState::Done),
            (state @ (State::Scanned { .. } | State::Reciprocated(_)), _) => {
                self.receive_qr(now, keys, facts, state, content);
            }
            (state, _) => self.cancel_flow(now, Flow { facts, state }, Reason::UnexpectedMessage),
        }
    }

    /// A device answers our request: it is the one.
    fn receive_ready(
        &mut self,
        now: u64,
        keys: &impl Keys,
        flow: Flow,
        from_device: String,
        methods: &[String],
    ) {
        let Flow { mut facts, .. } = flow;
        let reason = match self.look_up(keys, &facts.key.user_id, &from_device) {
            Lookup::Found(pinned) => {
                facts.pinned = Some(pinned);
                facts.theirs = Listed::of_names(methods);
                facts.methods().is_empty().then_some(Reason::UnknownMethod)
            }
            Lookup::Ambiguous => Some(Reason::DeviceIdIsSigningKey),
            Lookup::Outdated | Lookup::Unknown => Some(Reason::UnknownDevice),
        };
        if let Some(reason) = reason {
            return self.fail(now, facts, reason);
        }
        let mut others = facts.asked.clone();
        others.retain(|device_id| *device_id != from_device);
        facts.peer_device = Some(from_device);
        if facts.key.place == Place::ToDevice {
            self.send_cancel(&facts.key, others, reason::ACCEPTED, &Reason::Accepted.to_string());
        }
        self.step.save = true;
        self.ready(facts);
    }

    /// A second device has answered our request, before it was told of the first, or because it was not.
    fn tell_too_late(&mut self, facts: &mut Facts, device_id: String) {
        if !facts.too_late.contains(&device_id) {
            facts.too_late.push(device_id.clone());
            let reason = Reason::Accepted;
            self.send_cancel(&facts.key, vec![device_id], reason.code(), &reason.to_string());
        }
    }
}
