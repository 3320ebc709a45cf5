//! How an event is written again once it is decrypted.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::event::{Plaintext, Text, object};

/// The event with the type and the content of its plaintext, on one line. A relation that stands outside of the
/// encryption, where servers look for it, goes into the content if there is none.
pub(crate) fn decrypted_event(
    event: &[u8],
    plaintext: &Plaintext<'_>,
    relates_to: Option<&RawValue>,
) -> serde_json::Result<Zeroizing<String>> {
    let members = object::<Members<'_>>(event)?.0;
    let (event_type, content) = (plaintext.event_type.get(), plaintext.content.get());
    // Never grows: what it left behind would not be wiped.
    let len = event.len() + event_type.len() + content.len() + relates_to.map_or(0, |raw| raw.get().len());
    let mut line = Zeroizing::new(String::with_capacity(len + NAMES_LEN));
    line.push('{');
    for (name, value) in &members {
        if !matches!(&**name, "type" | "content") {
            push_member(&mut line, name, value.get());
        }
    }
    push_member(&mut line, "type", event_type);
    match relates_to {
        None => push_member(&mut line, "content", content),
        Some(relates_to) => {
            let members = object::<Members<'_>>(content.as_bytes())?.0;
            push_name(&mut line, "content");
            line.push('{');
            for (name, value) in &members {
                push_member(&mut line, name, value.get());
            }
            if members.iter().all(|(name, _)| &**name != RELATES_TO) {
                push_member(&mut line, RELATES_TO, relates_to.get());
            }
            line.push('}');
        }
    }
    line.push('}');
    Ok(line)
}

const RELATES_TO: &str = "m.relates_to";

/// The names that are added, and what stands around them.
const NAMES_LEN: usize = 64;

fn push_member(line: &mut String, name: &str, value: &str) {
    push_name(line, name);
    push_on_one_line(line, value);
}

fn push_name(line: &mut String, name: &str) {
    if !line.ends_with('{') {
        line.push(',');
    }
    push_text(line, name);
    line.push(':');
}

/// A string as JSON has it.
pub(crate) fn push_text(line: &mut String, text: &str) {
    line.push_str(&serde_json::Value::from(text).to_string());
}

/// JSON without the white space between its tokens.
pub(crate) fn push_on_one_line(line: &mut String, json: &str) {
    let (mut in_string, mut is_escaped) = (false, false);
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
}

/// An event that was not decrypted, as it came, on one line.
pub(crate) fn as_it_came(json: &[u8]) -> Zeroizing<String> {
    let text: Cow<'_, str> = String::from_utf8_lossy(json);
    let mut line = Zeroizing::new(String::with_capacity(text.len()));
    push_on_one_line(&mut line, &text);
    line
}

/// The members of an object as they stand there: numbers keep their digits.
struct Members<'t>(Vec<(Text<'t>, &'t RawValue)>);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        let line = as_it_came(b"{\n \"a b\\\" \\\\\" : [ 1 ,\t\"x  y\" ]\r\n}");
        assert_eq!(*line, "{\"a b\\\" \\\\\":[1,\"x  y\"]}");
    }

    #[test]
    fn an_event_gets_type_and_content_and_keeps_the_rest_digit_by_digit() {
        let event = br#"{"type":"m.room.encrypted","content":{"x":1},"origin_server_ts":1e3,"z":12345678901234567890123}"#;
        let plaintext = br#"{"type":"m.room.message","content": {"body":"a b"},"room_id":"!r"}"#;
        let plaintext = Plaintext::parse(plaintext).unwrap();
        let plain = decrypted_event(event, &plaintext, None).unwrap();
        let expected = r#"{"origin_server_ts":1e3,"z":12345678901234567890123,"type":"m.room.message","content":{"body":"a b"}}"#;
        assert_eq!(*plain, expected);
        let relation = RawValue::from_string("{\"event_id\": \"$x\"}".to_string()).unwrap();
        let related = decrypted_event(event, &plaintext, Some(&relation)).unwrap();
        assert!(
            related.ends_with(r#""content":{"body":"a b","m.relates_to":{"event_id":"$x"}}}"#),
            "{}",
            *related
        );
    }

    #[test]
    fn a_relation_within_is_not_replaced_and_names_are_written_as_strings() {
        let plaintext =
            Plaintext::parse(br#"{"type":"a","content":{"\u006d.relates_to":1,"\"":2},"room_id":"!r"}"#);
        let relation = RawValue::from_string("2".to_string()).unwrap();
        let line = decrypted_event(b"{ \"x\" : 1 }", &plaintext.unwrap(), Some(&relation)).unwrap();
        assert_eq!(*line, r#"{"x":1,"type":"a","content":{"m.relates_to":1,"\"":2}}"#);
        // It had its whole length from the start.
        assert!(
            line.capacity()
                <= b"{ \"x\" : 1 }".len() + 3 + r#"{"\u006d.relates_to":1,"\"":2}"#.len() + 1 + NAMES_LEN
        );
    }
}
