//! What of an event and of its plaintext is read.

use alloc::{
    borrow::{Cow, ToOwned as _},
    format,
    string::{String, ToString as _},
};
use core::ops::Deref;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A string, borrowed from where it stands unless it has escapes in it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'t>(#[serde(borrow)] pub(crate) Cow<'t, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An event. Members that are there twice are errors, as are those of the wrong type.
#[derive(Debug, Deserialize)]
pub(crate) struct Event<'t> {
    #[serde(borrow, rename = "type")]
    pub(crate) event_type: Text<'t>,
    #[serde(borrow)]
    pub(crate) content: &'t RawValue,
    #[serde(borrow)]
    pub(crate) room_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub(crate) event_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub(crate) sender: Option<Text<'t>>,
    pub(crate) origin_server_ts: Option<i64>,
}

impl<'t> Event<'t> {
    pub(crate) fn parse(json: &'t [u8]) -> Result<Self, String> {
        object(json).map_err(|error| describe(&error))
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        &*self.event_type == "m.room.encrypted"
    }
}

/// The content of an `m.room.encrypted`. `sender_key` and `device_id` are not read: they prove nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Encrypted<'t> {
    #[serde(borrow)]
    pub(crate) algorithm: Option<Text<'t>>,
    #[serde(borrow)]
    pub(crate) session_id: Option<Text<'t>>,
    /// A string, if the algorithm is that of rooms.
    #[serde(borrow)]
    pub(crate) ciphertext: Option<&'t RawValue>,
    #[serde(borrow, rename = "m.relates_to")]
    pub(crate) relates_to: Option<&'t RawValue>,
}

impl<'t> Encrypted<'t> {
    pub(crate) fn parse(event: &Event<'t>) -> Result<Self, String> {
        object(event.content.get().as_bytes()).map_err(|error| format!("content: {}", describe(&error)))
    }

    /// Nothing is left: that is what redaction makes of the content.
    pub(crate) const fn is_redacted(&self) -> bool {
        self.algorithm.is_none() && self.ciphertext.is_none() && self.session_id.is_none()
    }
}

/// What was encrypted. It is not shown.
#[derive(Deserialize)]
pub(crate) struct Plaintext<'t> {
    #[serde(borrow, rename = "type")]
    pub(crate) event_type: &'t RawValue,
    #[serde(borrow)]
    pub(crate) content: &'t RawValue,
    #[serde(borrow)]
    pub(crate) room_id: Option<Text<'t>>,
}

impl<'t> Plaintext<'t> {
    pub(crate) fn parse(bytes: &'t [u8]) -> Result<Self, String> {
        let plaintext: Self = object(bytes).map_err(|error| format!("plaintext: {}", describe(&error)))?;
        if !plaintext.event_type.get().starts_with('"') || !plaintext.content.get().starts_with('{') {
            return Err("plaintext: `type` is no string, or `content` no object".to_owned());
        }
        Ok(plaintext)
    }
}

/// The error without the line that it counts, which is not that of the file.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) if error.line() == 1 => format!("{what} at column {}", error.column()),
        Some(what) => what.to_owned(),
        None => text,
    }
}

/// serde takes an array for a struct, too.
pub(crate) fn object<'t, T: Deserialize<'t>>(json: &'t [u8]) -> serde_json::Result<T> {
    let is_object = json.trim_ascii_start().first() == Some(&b'{');
    if !is_object {
        return Err(serde::de::Error::custom("not a JSON object"));
    }
    serde_json::from_slice(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_twice_and_other_types_are_errors() {
        for bad in [
            r#"{"type":"a","type":"b","content":{}}"#,
            r#"{"type":1,"content":{}}"#,
            r#"{"type":"a"}"#,
            r#"["a",{}]"#,
            r#"{"type":"a","content":{},"origin_server_ts":"1"}"#,
        ] {
            assert!(Event::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Plaintext::parse(br#"{"type":"a","content":[],"room_id":"!r"}"#).is_err());
        assert!(Plaintext::parse(br#"{"type":{},"content":{},"room_id":"!r"}"#).is_err());
    }

    #[test]
    fn texts_are_copied_for_their_escapes_alone() {
        let json = br#"{"type":"m.room.message","content":{},"sender":"@\u0061:b"}"#;
        let event = Event::parse(json).unwrap();
        assert!(matches!(event.event_type.0, Cow::Borrowed("m.room.message")));
        assert!(event.sender.is_some_and(|sender| matches!(&sender.0, Cow::Owned(text) if text == "@a:b")));
    }
}
