//! How many events got which verdict.

use core::fmt::Write as _;

use mx_room_history::{Verdict, VerdictCounts};
use serde_json::Value;

use super::{attachments, keys};
use crate::record::Record;

/// What is said at the end.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) verdicts: VerdictCounts,
    pub(super) keys: keys::Counts,
    pub(super) attachments: Option<attachments::Counts>,
}

impl Summary {
    pub(super) fn is_good(&self) -> bool {
        let attachments = self.attachments.unwrap_or_default();
        self.verdicts.is_good() && attachments.refused == 0 && attachments.not_found == 0
    }

    /// A table, or one line of JSON.
    pub(super) fn to_text(&self, json: bool) -> String {
        if json { self.to_json() } else { self.to_table() }
    }

    fn to_table(&self) -> String {
        let mut text = String::new();
        for (verdict, count) in self.verdicts.iter() {
            let _ = writeln!(text, "{count:>9}  {verdict}");
        }
        let _ = writeln!(text, "{:>9}  events in all", self.verdicts.total());
        if let Some(attachments::Counts { decrypted, not_found, refused }) = self.attachments {
            let _ = writeln!(
                text,
                "{decrypted:>9}  attachments decrypted, {not_found} not found, {refused} refused"
            );
        }
        let keys::Counts { entries, malformed, used } = self.keys;
        let _ = writeln!(
            text,
            "{used:>9}  keys used, of {entries} in the file; {malformed} of those are malformed"
        );
        if self.verdicts.iter().any(|(verdict, _)| verdict == Verdict::Decrypted) {
            text.push_str(
                "Keys from a file are unauthenticated: that a message is from its sender is what the server says, and the file.\n",
            );
        }
        text
    }

    fn to_json(&self) -> String {
        let verdicts = self.verdicts.iter().map(|(verdict, count)| (verdict.to_string(), Value::from(count)));
        let keys::Counts { entries, malformed, used } = self.keys;
        let mut record = Record::new()
            .with("events", self.verdicts.total())
            .with("verdicts", Value::Object(verdicts.collect()))
            .with("keys_used", used)
            .with("keys_in_file", entries)
            .with("malformed_keys", malformed)
            .with("authenticated", false);
        if let Some(attachments::Counts { decrypted, not_found, refused }) = self.attachments {
            record = record
                .with("attachments_decrypted", decrypted)
                .with("attachments_not_found", not_found)
                .with("attachments_refused", refused);
        }
        record.to_json() + "\n"
    }
}
