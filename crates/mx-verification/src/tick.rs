//! What time brings.

use alloc::vec::Vec;

use crate::event::What;
use crate::flow::{Flow, State};
use crate::flow_key::FlowKey;
use crate::reason::Reason;
use crate::state::FlowState;
use crate::step::Step;
use crate::time::Time;
use crate::verifications::Verifications;

impl Verifications {
    /// Ends what has taken too long.
    pub fn tick(&mut self, time: Time) -> Step {
        self.expire(time);
        self.take_step()
    }

    /// When [`tick`](Self::tick) has something to do next, on the monotonic clock.
    #[must_use]
    pub fn next_tick(&self) -> Option<u64> {
        let flows = self.flows.iter().map(|flow| self.deadline(flow));
        let held = self.held.iter().map(|held| held.until);
        let remembered = self.remembered.iter().map(|remembered| remembered.until);
        let unsent =
            self.unsent.iter().map(|unsent| unsent.begun.saturating_add(self.config.limits.lifetime_ms));
        flows.chain(held).chain(remembered).chain(unsent).min()
    }

    /// Does that, and returns the time that waits are measured by. What it brings is in the next step.
    pub(crate) fn expire(&mut self, time: Time) -> u64 {
        let now = time.monotonic_ms;
        let late: Vec<FlowKey> =
            self.held.iter().filter(|held| held.until <= now).map(|held| held.key.clone()).collect();
        for key in late {
            self.give_up(now, &key);
        }
        let late = self.flows.iter().filter(|flow| self.deadline(flow) <= now);
        let late: Vec<FlowKey> = late.map(|flow| flow.facts.key.clone()).collect();
        for key in late {
            match self.take_flow(&key) {
                Some(Flow { facts, state: State::Requested { .. } }) => {
                    self.end(now, facts, What::Dismissed, FlowState::Passive);
                }
                Some(Flow { facts, state: State::WaitDone }) => self.close(now, facts),
                Some(Flow { facts, .. }) => self.fail(now, facts, Reason::Timeout),
                None => {}
            }
        }
        self.remembered.retain(|remembered| remembered.until > now);
        let lifetime = self.config.limits.lifetime_ms;
        self.unsent.retain(|unsent| unsent.begun.saturating_add(lifetime) > now);
        now
    }

    fn deadline(&self, flow: &Flow) -> u64 {
        let limits = &self.config.limits;
        let lifetime = flow.facts.begun.saturating_add(limits.lifetime_ms);
        let idle = flow.facts.used.saturating_add(limits.idle_ms);
        let until = if let State::Requested { until } = flow.state { until } else { u64::MAX };
        lifetime.min(idle).min(until)
    }
}
