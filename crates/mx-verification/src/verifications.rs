use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use mx_pickle::Generation;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use crate::config::Config;
use crate::event::{Event, What};
use crate::flow::{Facts, Flow, State};
use crate::flow_key::FlowKey;
use crate::hold::Held;
use crate::remembered::{Past, Remembered};
use crate::request::Unsent;
use crate::state::FlowState;
use crate::step::Step;

/// All verifications of one device.
///
/// There is no clock, no store and no network in it: time and keys are arguments, messages go in and out. Call
/// [`tick`](Self::tick) when [`next_tick`](Self::next_tick) says, or every few seconds.
#[derive(Debug)]
pub struct Verifications {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) ed25519: Ed25519PublicKey,
    pub(crate) config: Config,
    pub(crate) flows: Vec<Flow>,
    /// Requests in rooms that have no ID yet.
    pub(crate) unsent: Vec<Unsent>,
    pub(crate) next_request: u64,
    pub(crate) held: Vec<Held>,
    pub(crate) remembered: Vec<Remembered>,
    /// What the next step has.
    pub(crate) step: Step,
    pub(crate) generation: Generation,
}

impl Verifications {
    /// Of this device, whose Ed25519 key is from its own account.
    #[must_use]
    pub fn new(
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        ed25519: Ed25519PublicKey,
        config: Config,
    ) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            device_id: device_id.as_str().to_owned(),
            ed25519,
            config,
            flows: Vec::new(),
            unsent: Vec::new(),
            next_request: 0,
            held: Vec::new(),
            remembered: Vec::new(),
            step: Step::default(),
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// Where a verification stands; `None` if there is none, or it was forgotten.
    #[must_use]
    pub fn state(&self, flow: &FlowKey) -> Option<FlowState> {
        let live = self.flows.iter().find(|live| live.facts.key == *flow);
        live.map(Flow::state).or(match self.past(flow) {
            Some(Past::Over(state)) => Some(state),
            _ => None,
        })
    }

    /// The verifications that are not over.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowKey, FlowState)> {
        self.flows.iter().map(|flow| (&flow.facts.key, flow.state()))
    }

    /// What a call has brought.
    pub(crate) fn take_step(&mut self) -> Step {
        mem::take(&mut self.step)
    }

    pub(crate) fn show(&mut self, facts: &Facts, what: What) {
        self.step.events.push(Event { flow: facts.key.clone(), what });
    }

    pub(crate) fn is_own_user(&self, user_id: &str) -> bool {
        self.user_id == user_id
    }

    /// Whether our start, or request, counts against that of the other device.
    pub(crate) fn counts_against(&self, user_id: &str, device_id: &str) -> bool {
        (self.user_id.as_str(), self.device_id.as_str()) < (user_id, device_id)
    }

    /// Takes a flow out. Whoever does puts it back, or ends it.
    pub(crate) fn take_flow(&mut self, key: &FlowKey) -> Option<Flow> {
        let place = self.flows.iter().position(|flow| flow.facts.key == *key)?;
        Some(self.flows.remove(place))
    }

    pub(crate) fn keep(&mut self, facts: Facts, state: State) {
        self.flows.push(Flow { facts, state });
    }

    /// Whether there is room for one more. One that only waits for `done` makes room.
    pub(crate) fn make_room(&mut self, now: u64) -> bool {
        if self.flows.len().saturating_add(self.unsent.len()) < self.config.limits.flows {
            return true;
        }
        let waiting = self.flows.iter().position(|flow| matches!(flow.state, State::WaitDone));
        let Some(waiting) = waiting else { return false };
        let flow = self.flows.remove(waiting);
        self.close(now, flow.facts);
        true
    }
}
