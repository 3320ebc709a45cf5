//! Messages that wait: for the keys of the device that they are from, or for the ID of our request.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_types::{RandomnessFailed, UserId};
use rand_core::TryCryptoRng;

use crate::complete::Lookup;
use crate::flow_key::FlowKey;
use crate::incoming::{Incoming, Kept};
use crate::keys::Keys;
use crate::reason::Reason;
use crate::step::Step;
use crate::time::Time;
use crate::verifications::Verifications;

/// The messages of a flow that wait, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) key: FlowKey,
    pub(crate) until: u64,
    waits_for: WaitsFor,
    messages: Vec<Kept>,
}

#[derive(Debug)]
enum WaitsFor {
    /// The keys of the device that the first message is from.
    Device { device_id: String, is_request: bool, queried: bool },
    /// The ID of our request.
    Request,
}

impl Verifications {
    /// Takes a look again at the messages that wait for keys of a user, and gives up those that wait for a device which is not there.
    /// Call it after each `/keys/query` about that user, whatever has come of it.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`]. The messages wait on: call it again.
    pub fn keys_changed<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        user_id: UserId<'_>,
    ) -> Result<Step, RandomnessFailed> {
        self.expire(time);
        for held in self.held.iter_mut().filter(|held| held.key.user_id == user_id.as_str()) {
            if let WaitsFor::Device { queried, .. } = &mut held.waits_for {
                *queried = true;
            }
        }
        let waiting: Vec<FlowKey> = self.held.iter().map(|held| held.key.clone()).collect();
        for key in waiting {
            let Some(held) = self.held.iter().find(|held| held.key == key) else { continue };
            let WaitsFor::Device { device_id, queried, .. } = &held.waits_for else { continue };
            match self.look_up(keys, &key.user_id, device_id) {
                Lookup::Found(_) | Lookup::Ambiguous => self.release(rng, time, keys, &key)?,
                Lookup::Unknown if *queried => self.give_up(time.monotonic_ms, &key),
                Lookup::Unknown | Lookup::Outdated => {}
            }
        }
        Ok(self.take_step())
    }

    /// Whether messages of this flow wait: then all later ones do.
    pub(crate) fn is_held(&self, key: &FlowKey) -> bool {
        self.held.iter().any(|held| held.key == *key)
    }

    /// Puts a message behind those that wait, if there is room.
    pub(crate) fn hold_behind(&mut self, key: &FlowKey, message: &Incoming<'_>) {
        let limit = self.config.limits.held;
        if let Some(held) = self.held.iter_mut().find(|held| held.key == *key)
            && held.messages.len() <= limit
        {
            held.messages.push(Kept::new(message));
        }
    }

    /// Lets a message wait for the keys of the device that it is from, and has them queried.
    pub(crate) fn hold(
        &mut self,
        now: u64,
        keys: &impl Keys,
        key: &FlowKey,
        message: &Incoming<'_>,
        device_id: &str,
        is_request: bool,
    ) {
        let device_id = device_id.to_owned();
        if !self.hold_first(now, key, message, WaitsFor::Device { device_id, is_request, queried: false }) {
            return;
        }
        self.query(key.user_id.clone());
        if self.own_keys(keys).is_outdated {
            self.query(self.user_id.clone());
        }
    }

    /// Lets a message wait for the ID of our request, which it may be an answer to.
    pub(crate) fn hold_for_request(&mut self, now: u64, key: &FlowKey, message: &Incoming<'_>) {
        self.hold_first(now, key, message, WaitsFor::Request);
    }

    fn hold_first(&mut self, now: u64, key: &FlowKey, message: &Incoming<'_>, waits_for: WaitsFor) -> bool {
        let is_live = self.flows.iter().any(|flow| flow.facts.key == *key);
        // Of those that belong to no verification there are no more than there could be verifications.
        if !is_live && self.held.len() >= self.config.limits.flows {
            return false;
        }
        let until = now.saturating_add(self.config.limits.hold_ms);
        let messages = vec![Kept::new(message)];
        self.held.push(Held { key: key.clone(), until, waits_for, messages });
        true
    }

    fn query(&mut self, user_id: String) {
        if !self.step.queries.contains(&user_id) {
            self.step.queries.push(user_id);
        }
    }

    /// Takes the messages of a flow that wait, until one must wait again.
    pub(crate) fn release<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        key: &FlowKey,
    ) -> Result<(), RandomnessFailed> {
        let Some(mut held) = self.take_held(key) else { return Ok(()) };
        let messages = core::mem::take(&mut held.messages);
        let mut messages = messages.into_iter();
        while let Some(kept) = messages.next() {
            if let Err(error) = self.take_message(rng, time, keys, &kept.message()) {
                held.messages = [kept].into_iter().chain(messages).collect();
                self.held.push(held);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The keys are not there: a request was not seen, anything else ends its flow.
    pub(crate) fn give_up(&mut self, now: u64, key: &FlowKey) {
        let Some(held) = self.take_held(key) else { return };
        let WaitsFor::Device { device_id, is_request, .. } = held.waits_for else { return };
        if is_request {
            return;
        }
        match self.take_flow(key) {
            Some(flow) => self.cancel_flow(now, flow, Reason::UnknownDevice),
            None if self.past(key).is_none() => self.refuse(now, key, &device_id, Reason::UnknownDevice),
            None => {}
        }
    }

    fn take_held(&mut self, key: &FlowKey) -> Option<Held> {
        let place = self.held.iter().position(|held| held.key == *key)?;
        Some(self.held.remove(place))
    }
}
