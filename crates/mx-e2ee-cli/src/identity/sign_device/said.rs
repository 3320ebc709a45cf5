//! What was checked, and what was not, told on standard error.

use mx_secret_storage::KeyCheck;
use serde_json::json;

use crate::{
    identity::secret_storage::Opened,
    record::{Record, printable},
};

#[derive(Debug, Default)]
pub(super) struct Said(Vec<Line>);

#[derive(Debug)]
struct Line {
    is_checked: bool,
    text: String,
}

impl Said {
    /// Something that was checked.
    pub(super) fn that(&mut self, text: impl Into<String>) {
        self.0.push(Line { is_checked: true, text: text.into() });
    }

    /// Something that was not, and should be.
    pub(super) fn unchecked(&mut self, text: impl Into<String>) {
        self.0.push(Line { is_checked: false, text: text.into() });
    }

    pub(super) fn opened(&mut self, opened: &Opened) {
        let key_id = &opened.key_id;
        match opened.check {
            KeyCheck::Valid => self.that(format!("what you gave opens key {key_id} of secret storage")),
            // The MAC of each secret tells it.
            _ => self.that(format!(
                "key {key_id} of secret storage has no check in its description: its secrets are checked"
            )),
        }
    }

    pub(super) fn to_text(&self, json: bool) -> String {
        if json {
            let lines = self.0.iter().map(|line| json!({ "checked": line.is_checked, "what": line.text }));
            return Record::new().with("checks", lines.collect::<Vec<_>>()).to_json() + "\n";
        }
        let lines = self.0.iter().map(|Line { is_checked, text }| {
            let mark = if *is_checked { "checked    " } else { "NOT CHECKED" };
            format!("{mark}  {}\n", printable(text))
        });
        lines.collect()
    }
}
