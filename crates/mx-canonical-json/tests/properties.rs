//! Properties over any document, and comparison with a slow model built on `serde_json`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "tests"
)]

use mx_canonical_json::{
    CanonicalObject, Limits, MAX_INTEGER, MIN_INTEGER, Numbers, canonicalize, canonicalize_bytes,
};
use proptest::prelude::*;
use serde_json::Value;

/// A document, with the order of members and doubled keys left to chance.
#[derive(Clone, Debug)]
enum Json {
    Literal(&'static str),
    Integer(i64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(Json::Literal),
        (MIN_INTEGER..=MAX_INTEGER).prop_map(Json::Integer),
        (-9_i64..=9).prop_map(Json::Integer),
        any_string().prop_map(Json::String),
    ];
    leaf.prop_recursive(5, 80, 8, |element| {
        prop_oneof![
            prop::collection::vec(element.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((any_string(), element), 0..8).prop_map(Json::Object),
        ]
    })
}

/// Strings in which everything special is common, and equal beginnings, too.
fn any_string() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::sample::select(vec!['a', 'b', 'z', 'A', '0', ' ', '_']),
        1 => prop::sample::select(vec!['"', '\\', '/', '\u{7f}', '\u{2028}', '\u{fb33}', '\u{ffff}', '\u{10000}', '\u{1f600}']),
        1 => (0..0x20_u8).prop_map(char::from),
        1 => any::<char>(),
    ];
    (0..3_usize, prop::collection::vec(character, 0..12))
        .prop_map(|(shared, tail)| "m.room.key.".chars().take(shared * 5).chain(tail).collect())
}

/// Decides, from a list of random numbers, how a document is written.
struct Style<'s>(std::iter::Cycle<std::slice::Iter<'s, u8>>);

impl Style<'_> {
    fn pick(&mut self, choices: u8) -> u8 {
        self.0.next().unwrap() % choices
    }

    fn space(&mut self, out: &mut String) {
        out.push_str(["", "", "", " ", "\n\t", " \r\n  "][usize::from(self.pick(6))]);
    }

    fn string(&mut self, out: &mut String, text: &str) {
        out.push('"');
        for character in text.chars() {
            let short = match character {
                '\u{8}' => Some('b'),
                '\t' => Some('t'),
                '\n' => Some('n'),
                '\u{c}' => Some('f'),
                '\r' => Some('r'),
                '"' | '\\' | '/' => Some(character),
                _ => None,
            };
            let must_escape = character < ' ' || matches!(character, '"' | '\\');
            match (short, self.pick(6)) {
                (Some(short), 1..=3) => out.extend(['\\', short]),
                (None, 1..) if !must_escape => out.push(character),
                (Some(_), 4) if !must_escape => out.push(character),
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let upper = self.pick(2) == 0;
                        *out += &if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
                    }
                }
            }
        }
        out.push('"');
    }

    fn write(&mut self, out: &mut String, value: &Json) {
        self.space(out);
        match value {
            Json::Literal(literal) => out.push_str(literal),
            Json::Integer(0) if self.pick(3) == 0 => out.push_str("-0"),
            Json::Integer(integer) => *out += &integer.to_string(),
            Json::String(text) => self.string(out, text),
            Json::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.write(out, element);
                }
                if elements.is_empty() {
                    self.space(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                let mut order: Vec<_> = members.iter().collect();
                for last in (1..order.len()).rev() {
                    order.swap(last, usize::from(self.pick(u8::MAX)) % (last + 1));
                }
                for (index, (key, value)) in order.into_iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.space(out);
                    self.string(out, key);
                    self.space(out);
                    out.push(':');
                    self.write(out, value);
                }
                if members.is_empty() {
                    self.space(out);
                }
                out.push('}');
            }
        }
        self.space(out);
    }
}

fn text(value: &Json, style: &[u8]) -> String {
    let mut out = String::new();
    Style(style.iter().cycle()).write(&mut out, value);
    out
}

fn has_duplicates(value: &Json) -> bool {
    match value {
        Json::Array(elements) => elements.iter().any(has_duplicates),
        Json::Object(members) => {
            let keys: std::collections::BTreeSet<_> = members.iter().map(|(key, _)| key).collect();
            keys.len() < members.len() || members.iter().any(|(_, value)| has_duplicates(value))
        }
        _ => false,
    }
}

fn without_duplicates(value: Json) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.into_iter().map(without_duplicates).collect()),
        Json::Object(members) => {
            let members: std::collections::BTreeMap<_, _> = members.into_iter().collect();
            Json::Object(members.into_iter().map(|(key, value)| (key, without_duplicates(value))).collect())
        }
        leaf => leaf,
    }
}

/// The model: a tree, sorted by characters, written with the grammar of the specification at hand.
fn model(value: &Json) -> String {
    fn string(text: &str) -> String {
        let escaped = text.chars().map(|character| match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(character)),
            other => other.to_string(),
        });
        format!("\"{}\"", escaped.collect::<String>())
    }
    match value {
        Json::Literal(literal) => (*literal).to_owned(),
        Json::Integer(integer) => integer.to_string(),
        Json::String(text) => string(text),
        Json::Array(elements) => format!("[{}]", elements.iter().map(model).collect::<Vec<_>>().join(",")),
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.chars().collect::<Vec<_>>());
            let members: Vec<_> =
                members.iter().map(|(key, value)| string(key) + ":" + &model(value)).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// The same of `serde_json`'s own reading; nothing where it sees a number that it cannot keep.
fn model_of_serde_json(text: &str) -> Option<String> {
    fn convert(value: Value) -> Option<Json> {
        Some(match value {
            Value::Null => Json::Literal("null"),
            Value::Bool(true) => Json::Literal("true"),
            Value::Bool(false) => Json::Literal("false"),
            // It reads `-0` as a float.
            Value::Number(number) if number.as_f64() == Some(0.0) => Json::Integer(0),
            Value::Number(number) => {
                Json::Integer(number.as_i64().filter(|value| (MIN_INTEGER..=MAX_INTEGER).contains(value))?)
            }
            Value::String(text) => Json::String(text),
            Value::Array(elements) => Json::Array(elements.into_iter().map(convert).collect::<Option<_>>()?),
            Value::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(key, value)| Some((key, convert(value)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }
    Some(model(&convert(serde_json::from_str(text).ok()?)?))
}

fn style() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    // JSON-2, JSON-3, JSON-7, JSON-8, JSON-10, JSON-13: whatever the order, the white space and the escapes
    #[test]
    fn canonical_form_is_that_of_the_model(value in json(), first in style(), second in style()) {
        let texts = [text(&value, &first), text(&value, &second)];
        for text in &texts {
            match canonicalize(text, &Limits::DEFAULT) {
                Ok(canonical) => {
                    prop_assert!(!has_duplicates(&value));
                    prop_assert_eq!(&canonical, &model(&value));
                    prop_assert_eq!(Some(canonical), model_of_serde_json(text));
                }
                Err(error) => prop_assert!(has_duplicates(&value), "{} in {}", error, text),
            }
        }
    }

    // JSON-13
    #[test]
    fn canonical_text_is_its_own_canonical_form(value in json().prop_map(without_duplicates), style in style()) {
        let canonical = canonicalize(&text(&value, &style), &Limits::DEFAULT).unwrap();
        for numbers in [Numbers::Canonical, Numbers::Integers, Numbers::ExactIntegers] {
            let limits = Limits { numbers, ..Limits::DEFAULT };
            prop_assert_eq!(canonicalize(&canonical, &limits), Ok(canonical.clone()));
        }
    }

    // JSON-16: what serde_json refuses is refused, and what it takes is taken unless one of our rules forbids it
    #[test]
    fn damaged_text_is_judged_as_by_serde_json(
        value in json(),
        style in style(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"{}[]:,\"\\ 0-.eu\xc3".to_vec())), 1..4),
    ) {
        let mut bytes = text(&value, &style).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let canonical = canonicalize_bytes(&bytes, &Limits::DEFAULT);
        let theirs = serde_json::from_slice::<Value>(&bytes);
        match canonical {
            Ok(canonical) => {
                prop_assert!(theirs.is_ok());
                prop_assert_eq!(Some(canonical), model_of_serde_json(str::from_utf8(&bytes).unwrap()));
            }
            Err(
                mx_canonical_json::CanonicalizeError::Syntax { .. }
                | mx_canonical_json::CanonicalizeError::UnexpectedEnd { .. }
                | mx_canonical_json::CanonicalizeError::UnpairedSurrogate { .. }
                | mx_canonical_json::CanonicalizeError::InvalidUtf8 { .. },
            ) => prop_assert!(theirs.is_err()),
            Err(_) => {}
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = canonicalize_bytes(&bytes, &Limits::DEFAULT);
    }

    // SIG-1: leaving members out in the same pass is taking them out before
    #[test]
    fn leaving_out_is_removing(
        members in prop::collection::vec((prop_oneof![any_string(), Just("unsigned".to_owned()), Just("signatures".to_owned())], json()), 0..8),
        style in style(),
    ) {
        let value = without_duplicates(Json::Object(members));
        let Json::Object(members) = value.clone() else { unreachable!() };
        let names = ["signatures", "unsigned"];
        let whole = text(&value, &style);
        let object = CanonicalObject::parse(&whole, &names, &Limits::DEFAULT).unwrap();

        let (apart, rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|(key, _)| names.contains(&key.as_str()));
        prop_assert_eq!(object.as_str(), model(&Json::Object(rest.clone())));
        for (key, value) in &rest {
            prop_assert_eq!(object.member(key).map(str::to_owned), Some(model(value)));
            prop_assert_eq!(object.left_out(key), None);
        }
        for (key, value) in &apart {
            prop_assert_eq!(object.member(key), None);
            let received = object.left_out(key).unwrap();
            prop_assert!(whole.contains(received));
            prop_assert_eq!(canonicalize(received, &Limits::DEFAULT).unwrap(), model(value));
        }
        let canonical: Vec<_> = apart.iter().map(|(key, value)| (key.as_str(), model(value))).collect();
        let back: Vec<_> = canonical.iter().map(|(key, value)| (*key, value.as_str())).collect();
        prop_assert_eq!(object.with_members(&back), model(&value));
        let again: Vec<_> = rest.iter().map(|(key, _)| (key.as_str(), "0")).collect();
        let replaced = rest.iter().map(|(key, _)| (key.clone(), Json::Integer(0))).collect();
        prop_assert_eq!(object.with_members(&again), model(&Json::Object(replaced)));
    }
}
