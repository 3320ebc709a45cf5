use crate::flow_key::FlowKey;
use crate::state::FlowState;
use crate::verifications::Verifications;

/// An ID that is not to be used again for a while.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) key: FlowKey,
    pub(crate) past: Past,
    pub(crate) until: u64,
}

/// What there was under an ID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Past {
    /// A verification that is over.
    Over(FlowState),
    /// Nothing, and a message was answered with `m.unknown_transaction`.
    Answered,
    /// Nothing, but it was cancelled: the request may come yet.
    CancelledEarly,
}

impl Verifications {
    pub(crate) fn past(&self, key: &FlowKey) -> Option<Past> {
        self.remembered.iter().find(|remembered| remembered.key == *key).map(|remembered| remembered.past)
    }

    /// Whether a verification with the same user has the same ID and takes another way.
    pub(crate) fn is_known_elsewhere(&self, flow: &FlowKey) -> bool {
        let live = self.flows.iter().map(|flow| &flow.facts.key);
        let over = self.remembered.iter().filter(|remembered| matches!(remembered.past, Past::Over(_)));
        live.chain(over.map(|remembered| &remembered.key))
            .any(|key| key.place != flow.place && key.user_id == flow.user_id && key.id == flow.id)
    }

    pub(crate) fn remember(&mut self, now: u64, key: FlowKey, past: Past) {
        self.remembered.retain(|remembered| remembered.key != key);
        let limits = &self.config.limits;
        let is_over = |remembered: &Remembered| matches!(remembered.past, Past::Over(_));
        if matches!(past, Past::Over(_)) {
            let count = self.remembered.iter().filter(|remembered| is_over(remembered)).count();
            if count >= limits.remembered
                && let Some(oldest) = self.remembered.iter().position(is_over)
            {
                self.remembered.remove(oldest);
            }
        } else if !self.has_room_for(past) {
            return;
        }
        let until = now.saturating_add(limits.remember_ms);
        self.remembered.push(Remembered { key, past, until });
    }

    /// Whether one more ID that nobody knows can be remembered.
    pub(crate) fn has_room_for(&self, past: Past) -> bool {
        let count = self.remembered.iter().filter(|remembered| remembered.past == past).count();
        count < self.config.limits.remembered_unknown
    }
}
