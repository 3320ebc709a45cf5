//! What an audit counted.

use super::{finding::Finding, signature::Judgement};
use crate::record::Record;

#[derive(Debug, Default)]
pub(super) struct Summary {
    users: u64,
    keys: u64,
    devices: u64,
    dropped: u64,
    valid: u64,
    failing: u64,
    of_no_use: u64,
    problems: u64,
}

impl Summary {
    pub(super) fn count(&mut self, finding: &Finding) {
        let dropped = match finding {
            Finding::Answer { .. } => false,
            Finding::User(_) => {
                self.users += 1;
                false
            }
            Finding::Key(key) => {
                self.keys += 1;
                key.dropped.is_some()
            }
            Finding::Device(device) => {
                self.devices += 1;
                device.dropped.is_some()
            }
        };
        self.dropped += u64::from(dropped);
        for signature in finding.object().into_iter().flat_map(|object| &object.signatures) {
            *match signature.judgement {
                Judgement::Valid => &mut self.valid,
                Judgement::Fails => &mut self.failing,
                Judgement::ProvesNothing => &mut self.of_no_use,
            } += 1;
        }
        self.problems += u64::from(!finding.is_good());
    }

    pub(super) const fn is_good(&self) -> bool {
        self.problems == 0
    }

    /// Some lines, or one of JSON.
    pub(super) fn to_text(&self, json: bool) -> String {
        let record = Record::new()
            .with("users", self.users)
            .with("keys", self.keys)
            .with("devices", self.devices)
            .with("dropped", self.dropped)
            .with("valid_signatures", self.valid)
            .with("failing_signatures", self.failing)
            .with("signatures_that_prove_nothing", self.of_no_use)
            .with("all_is_well", self.is_good());
        if json { record.to_json() + "\n" } else { record.to_text() }
    }
}
