//! What commands report: named values in an order, from which both the text and the JSON are made.

use core::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// Named values in the order in which they were put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Vec<(&'static str, Value)>);

impl Record {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub(crate) fn followed_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The value as text, empty where there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| text(value)).unwrap_or_default()
    }

    /// One line for each value, with the name before it.
    pub(crate) fn to_text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut lines = String::new();
        for (name, value) in &self.0 {
            let _ = writeln!(lines, "{:<width$}  {}", name.replace('_', " "), text(value));
        }
        lines
    }

    /// One line of JSON.
    pub(crate) fn to_json(&self) -> String {
        printable_json(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// Text from a file, fit for a terminal: control characters, with which it could rewrite what stands on the
/// screen, are spelt out, and so are the marks that turn the direction of text.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// The same for JSON, with its own escapes: it says what it said. In valid JSON such characters stand in strings only.
pub(crate) fn printable_json(json: &str) -> String {
    let mut printable = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) && !c.is_ascii_whitespace() {
            let _ = write!(printable, "\\u{:04x}", u32::from(c));
        } else {
            printable.push(c);
        }
    }
    printable
}

/// All of them have four digits.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_say_the_same_in_the_same_order() {
        let record = Record::new()
            .with("room_id", "!a:b")
            .with("sessions", 3)
            .with("all", true)
            .with("none", Value::Null);
        assert_eq!(record.to_json(), r#"{"room_id":"!a:b","sessions":3,"all":true,"none":null}"#);
        assert_eq!(record.to_text(), "room id   !a:b\nsessions  3\nall       yes\nnone      \n");
        assert_eq!(record.text("sessions"), "3");
        assert_eq!(record.text("absent"), "");
    }

    #[test]
    fn text_of_a_file_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d");
        assert_eq!(printable("größe \u{1f600}"), "größe \u{1f600}");
        let record = Record::new().with("why", "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}b");
        assert_eq!(record.to_json(), r#"{"why":"a\u001b[2J\u009b2J\u007f\u202eb"}"#);
    }
}
