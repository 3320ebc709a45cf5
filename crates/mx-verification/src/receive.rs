//! What comes in, in the order of the tests that decide: flow, end, redelivery, device, cancel, form, state.

use alloc::borrow::ToOwned;

use mx_types::{RandomnessFailed, UserId};
use rand_core::TryCryptoRng;

use crate::content::{self, Content, Kind, Malformed, Message, digest, with_relation};
use crate::event::What;
use crate::flow::{Flow, Seen, State};
use crate::flow_key::{FlowKey, Place};
use crate::incoming::{Incoming, Via};
use crate::keys::Keys;
use crate::remembered::Past;
use crate::sender::device_named_in;
use crate::state::FlowState;
use crate::step::Step;
use crate::take::Arrived;
use crate::time::Time;
use crate::verifications::Verifications;

impl Verifications {
    /// Takes an event of any type, and does nothing about those that have nothing to do with verification.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`]. The message was not taken: give it in again.
    pub fn receive<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        message: &Incoming<'_>,
    ) -> Result<Step, RandomnessFailed> {
        self.expire(time);
        let content = match message.via {
            Via::Room { encrypted: Some(encrypted), .. } => with_relation(message.content, encrypted),
            _ => message.content.into(),
        };
        self.take_message(rng, time, keys, &Incoming { content: &content, ..*message })?;
        Ok(self.take_step())
    }

    pub(crate) fn take_message<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        message: &Incoming<'_>,
    ) -> Result<(), RandomnessFailed> {
        let Some((key, read)) = self.read(time, message) else { return Ok(()) };
        if self.is_held(&key) {
            self.hold_behind(&key, message);
            return Ok(());
        }
        match self.past(&key) {
            Some(Past::Over(_) | Past::CancelledEarly) => return Ok(()),
            Some(Past::Answered) | None => {}
        }
        let seen = match message.via {
            Via::ToDevice { .. } => Seen::ToDevice(digest(message.event_type, message.content)),
            Via::Room { event_id, .. } => Seen::Event(event_id.to_owned()),
        };
        let arrived = Arrived { message, read, seen };
        match self.take_flow(&key) {
            Some(flow) => self.receive_in(rng, time, keys, flow, arrived),
            None => {
                self.receive_first(time, keys, &key, arrived);
                Ok(())
            }
        }
    }

    /// Reads a message and finds out which flow it is of. `None`: it is of none that this device takes part in.
    fn read(&mut self, time: Time, message: &Incoming<'_>) -> Option<(FlowKey, Result<Content, Malformed>)> {
        UserId::parse(message.sender).ok()?;
        let place = message.via.place();
        let read = content::parse(
            message.event_type,
            message.content,
            place.transport(),
            &self.config.limits.messages,
        );
        let (flow_id, read) = match read {
            Ok(Some(Message { flow_id, content })) => (flow_id, Ok(content)),
            Ok(None) => return None,
            Err(malformed) => (malformed.flow_id.clone(), Err(malformed)),
        };
        let is_own_user = self.is_own_user(message.sender);
        let (id, user_id) = match message.via {
            Via::ToDevice { olm_sender } => {
                let from_here = |device_id: &str| is_own_user && device_id == self.device_id;
                if device_named_in(&read).is_some_and(from_here) || olm_sender.is_some_and(from_here) {
                    return None;
                }
                (flow_id?, message.sender)
            }
            Via::Room { event_id, from_this_device, .. } => {
                if is_own_user || from_this_device {
                    self.receive_own(time.monotonic_ms, &place, &flow_id?, &read, from_this_device);
                    return None;
                }
                // A request is named by its own event.
                let id =
                    if let Ok(Content::RoomRequest { .. }) = read { event_id.to_owned() } else { flow_id? };
                (id, message.sender)
            }
        };
        Some((FlowKey { place, user_id: user_id.to_owned(), id }, read))
    }

    /// An event of our own user in a room: of this device, or of another that goes on with a flow in its stead.
    fn receive_own(
        &mut self,
        now: u64,
        place: &Place,
        id: &str,
        read: &Result<Content, Malformed>,
        from_this_device: bool,
    ) {
        let flow =
            self.flows.iter_mut().find(|flow| flow.facts.key.place == *place && flow.facts.key.id == id);
        let (Some(flow), Ok(content)) = (flow, read) else { return };
        let kind = content.kind();
        if from_this_device {
            flow.facts.own_ready_seen |= kind == Kind::Ready;
            return;
        }
        if device_named_in(read) == Some(&self.device_id) {
            return;
        }
        let goes_on = match kind {
            // The first `ready` in the timeline counts, for all who read it: also if we have started meanwhile.
            Kind::Ready | Kind::Start => !flow.facts.is_ours && !flow.facts.own_ready_seen,
            Kind::Cancel | Kind::Done => true,
            _ => false,
        };
        let key = flow.facts.key.clone();
        if goes_on && let Some(Flow { facts, state }) = self.take_flow(&key) {
            match state {
                State::WaitDone => self.close(now, facts),
                _ => self.end(now, facts, What::Elsewhere, FlowState::Passive),
            }
        }
    }
}
