//! What was checked, and what was not, told on standard error.

use mx_secret_storage::KeyCheck;
use serde_json::{Value, json};

use crate::{
    failure,
    identity::secret_storage::Opened,
    record::{Record, printable},
};

/// As text each check is told when it is done: whoever is asked for the recovery key has seen the fingerprint. As JSON
/// all are in one line, at the end.
#[derive(Debug)]
pub(super) struct Said {
    /// Nothing as text.
    lines: Option<Vec<Value>>,
}

impl Said {
    pub(super) fn new(json: bool) -> Self {
        Self { lines: json.then(Vec::new) }
    }

    /// Something that was checked.
    pub(super) fn that(&mut self, text: impl AsRef<str>) {
        self.say(true, text.as_ref());
    }

    /// Something that was not, and should be.
    pub(super) fn unchecked(&mut self, text: impl AsRef<str>) {
        self.say(false, text.as_ref());
    }

    fn say(&mut self, is_checked: bool, text: &str) {
        match &mut self.lines {
            Some(lines) => lines.push(json!({ "checked": is_checked, "what": text })),
            None => {
                let mark = if is_checked { "checked    " } else { "NOT CHECKED" };
                failure::tell(&format!("{mark}  {}\n", printable(text)));
            }
        }
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

    pub(super) fn end(self) {
        if let Some(lines) = self.lines {
            failure::tell(&(Record::new().with("checks", lines).to_json() + "\n"));
        }
    }
}
