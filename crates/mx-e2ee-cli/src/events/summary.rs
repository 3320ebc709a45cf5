//! How many events got which verdict.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use serde_json::Value;

use super::{attachments, judge::Verdict, sessions};
use crate::record::Record;

#[derive(Debug, Default)]
pub(super) struct Summary(BTreeMap<Verdict, u64>);

impl Summary {
    pub(super) fn count(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }

    pub(super) fn is_good(&self) -> bool {
        self.0.keys().all(|verdict| verdict.is_good())
    }

    /// A table, or one line of JSON.
    pub(super) fn to_text(
        &self,
        keys: sessions::Counts,
        attachments: Option<attachments::Counts>,
        json: bool,
    ) -> String {
        if json { self.to_json(keys, attachments) } else { self.to_table(keys, attachments) }
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    fn to_table(&self, keys: sessions::Counts, attachments: Option<attachments::Counts>) -> String {
        let mut text = String::new();
        for (verdict, count) in &self.0 {
            let _ = writeln!(text, "{count:>9}  {}", verdict.as_str());
        }
        let _ = writeln!(text, "{:>9}  events in all", self.total());
        if let Some(attachments::Counts { decrypted, not_found, refused }) = attachments {
            let _ = writeln!(
                text,
                "{decrypted:>9}  attachments decrypted, {not_found} not found, {refused} refused"
            );
        }
        let sessions::Counts { entries, malformed, used } = keys;
        let _ = writeln!(
            text,
            "{used:>9}  keys used, of {entries} in the file; {malformed} of those are malformed"
        );
        if self.0.contains_key(&Verdict::Decrypted) {
            text.push_str(
                "Keys from a file are unauthenticated: that a message is from its sender is what the server says, and the file.\n",
            );
        }
        text
    }

    fn to_json(&self, keys: sessions::Counts, attachments: Option<attachments::Counts>) -> String {
        let verdicts =
            self.0.iter().map(|(verdict, count)| (verdict.as_str().to_owned(), Value::from(*count)));
        let mut record = Record::new()
            .with("events", self.total())
            .with("verdicts", Value::Object(verdicts.collect()))
            .with("keys_used", keys.used)
            .with("keys_in_file", keys.entries)
            .with("malformed_keys", keys.malformed)
            .with("authenticated", false);
        if let Some(attachments::Counts { decrypted, not_found, refused }) = attachments {
            record = record
                .with("attachments_decrypted", decrypted)
                .with("attachments_not_found", not_found)
                .with("attachments_refused", refused);
        }
        record.to_json() + "\n"
    }
}
