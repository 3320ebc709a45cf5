//! What of an event and of its plaintext is read, and how an event is written again.

use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{record::printable_json, text::Text};

/// An event. Members that are there twice are errors, as are those of the wrong type.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'t> {
    #[serde(borrow, rename = "type")]
    pub(super) event_type: Text<'t>,
    #[serde(borrow)]
    pub(super) content: &'t RawValue,
    #[serde(borrow)]
    pub(super) room_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub(super) event_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub(super) sender: Option<Text<'t>>,
    pub(super) origin_server_ts: Option<i64>,
}

impl<'t> Event<'t> {
    pub(super) fn parse(json: &'t [u8]) -> Result<Self, String> {
        object(json).map_err(|error| describe(&error))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        &*self.event_type == "m.room.encrypted"
    }
}

/// The content of an `m.room.encrypted`. `sender_key` and `device_id` are not read: they prove nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Encrypted<'t> {
    #[serde(borrow)]
    pub(super) algorithm: Option<Text<'t>>,
    #[serde(borrow)]
    pub(super) session_id: Option<Text<'t>>,
    /// A string, if the algorithm is that of rooms.
    #[serde(borrow)]
    pub(super) ciphertext: Option<&'t RawValue>,
    #[serde(borrow, rename = "m.relates_to")]
    pub(super) relates_to: Option<&'t RawValue>,
}

impl<'t> Encrypted<'t> {
    pub(super) fn parse(event: &Event<'t>) -> Result<Self, String> {
        object(event.content.get().as_bytes()).map_err(|error| format!("content: {}", describe(&error)))
    }

    /// Nothing is left: that is what redaction makes of the content.
    pub(super) const fn is_redacted(&self) -> bool {
        self.algorithm.is_none() && self.ciphertext.is_none() && self.session_id.is_none()
    }
}

/// What was encrypted.
#[derive(Debug, Deserialize)]
pub(super) struct Plaintext<'t> {
    #[serde(borrow, rename = "type")]
    pub(super) event_type: &'t RawValue,
    #[serde(borrow)]
    pub(super) content: &'t RawValue,
    #[serde(borrow)]
    pub(super) room_id: Option<Text<'t>>,
}

impl<'t> Plaintext<'t> {
    pub(super) fn parse(bytes: &'t [u8]) -> Result<Self, String> {
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
fn object<'t, T: Deserialize<'t>>(json: &'t [u8]) -> serde_json::Result<T> {
    let is_object = json.trim_ascii_start().first() == Some(&b'{');
    if !is_object {
        return Err(serde::de::Error::custom("not a JSON object"));
    }
    serde_json::from_slice(json)
}

/// The event with the type and the content of its plaintext, on one line. A relation that stands outside of the
/// encryption, where servers look for it, goes into the content if there is none.
pub(super) fn decrypted_event(
    event: &[u8],
    plaintext: &Plaintext<'_>,
    relates_to: Option<&RawValue>,
) -> Result<String, serde_json::Error> {
    let mut members = object::<Members<'_>>(event)?.0;
    members.retain(|(name, _)| name != "type" && name != "content");
    let content = match relates_to {
        Some(relates_to) => {
            let mut content = object::<Members<'_>>(plaintext.content.get().as_bytes())?.0;
            if content.iter().all(|(name, _)| name != RELATES_TO) {
                content.push((RELATES_TO.to_owned(), relates_to));
            }
            join(&content)
        }
        None => plaintext.content.get().to_owned(),
    };
    let content = RawValue::from_string(content)?;
    members.push(("type".to_owned(), plaintext.event_type));
    members.push(("content".to_owned(), &content));
    Ok(on_one_line(&join(&members)))
}

const RELATES_TO: &str = "m.relates_to";

/// The members of an object as they stand there: numbers keep their digits.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

fn join(members: &[(String, &RawValue)]) -> String {
    let mut object = "{".to_owned();
    for (at, (name, value)) in members.iter().enumerate() {
        object.push_str(if at == 0 { "" } else { "," });
        object.push_str(&serde_json::to_string(name).unwrap_or_default());
        object.push(':');
        object.push_str(value.get());
    }
    object.push('}');
    object
}

/// JSON without the white space between its tokens, and nothing in it that steers a terminal.
pub(super) fn on_one_line(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        line.push(c);
    }
    printable_json(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        assert_eq!(
            on_one_line("{\n \"a b\\\" \\\\\" : [ 1 ,\t\"x  y\" ]\r\n}"),
            "{\"a b\\\" \\\\\":[1,\"x  y\"]}"
        );
    }

    #[test]
    fn what_steers_a_terminal_is_escaped_and_says_the_same() {
        let line = on_one_line("{\"body\": \"a\u{9b}2J\\u001b\u{202e}\"}");
        assert_eq!(line, r#"{"body":"a\u009b2J\u001b\u202e"}"#);
    }

    #[test]
    fn an_event_gets_type_and_content_and_keeps_the_rest_digit_by_digit() {
        let event = br#"{"type":"m.room.encrypted","content":{"x":1},"origin_server_ts":1e3,"z":12345678901234567890123}"#;
        let plaintext = br#"{"type":"m.room.message","content": {"body":"a b"},"room_id":"!r"}"#;
        let plaintext = Plaintext::parse(plaintext).unwrap();
        let plain = decrypted_event(event, &plaintext, None).unwrap();
        let expected = r#"{"origin_server_ts":1e3,"z":12345678901234567890123,"type":"m.room.message","content":{"body":"a b"}}"#;
        assert_eq!(plain, expected);
        let relation = RawValue::from_string("{\"event_id\": \"$x\"}".to_owned()).unwrap();
        let related = decrypted_event(event, &plaintext, Some(&relation)).unwrap();
        assert!(
            related.ends_with(r#""content":{"body":"a b","m.relates_to":{"event_id":"$x"}}}"#),
            "{related}"
        );
    }

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
}
