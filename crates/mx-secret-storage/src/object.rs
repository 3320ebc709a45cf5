//! Reads JSON objects by their members, and writes them.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::fmt;

use mx_canonical_json::CanonicalObject;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, value::RawValue};
use zeroize::Zeroizing;

/// The longest object that is read, in bytes of JSON, if nothing else is said.
pub const MAX_OBJECT_LEN: usize = 65_536;

/// The members of an object that are kept: the JSON text of each value, as it was.
pub(crate) type Kept = BTreeMap<String, String>;

/// The members of an object, by name, each value as it stands in the text. Nothing of a value is copied or unescaped: it
/// may be a secret.
#[derive(Default)]
pub(crate) struct Members<'t> {
    values: BTreeMap<String, &'t RawValue>,
    repeated: bool,
}

impl<'t> Members<'t> {
    pub(crate) fn parse(json: &'t str, limit: usize) -> Result<Self, MalformedObject> {
        if json.len() > limit {
            return Err(MalformedObject::TooLong { len: json.len(), limit });
        }
        // Looked at first: an error of the parser would have a copy of a text in it that is no object.
        if !json.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
            return Err(MalformedObject::NotAnObject);
        }
        let members: Self = serde_json::from_str(json)
            .map_err(|error| MalformedObject::Syntax { line: error.line(), column: error.column() })?;
        if members.repeated { Err(MalformedObject::Repeated) } else { Ok(members) }
    }

    /// The JSON text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'t str> {
        self.values.get(name).map(|value| value.get())
    }

    /// A member that is a string, if it is there.
    pub(crate) fn optional_text(&self, member: &'static str) -> Result<Option<String>, MalformedObject> {
        self.get(member).map(|json| text(json).ok_or(MalformedObject::WrongType { member })).transpose()
    }

    /// A member that is a string.
    pub(crate) fn text(&self, member: &'static str) -> Result<String, MalformedObject> {
        self.optional_text(member)?.ok_or(MalformedObject::Missing { member })
    }

    /// A member that is a string and a secret: what is copied of it is wiped.
    pub(crate) fn secret_text(&self, member: &'static str) -> Result<Zeroizing<String>, MalformedObject> {
        let json = self.get(member).ok_or(MalformedObject::Missing { member })?;
        secret_text(json).ok_or(MalformedObject::WrongType { member })
    }

    /// All members.
    pub(crate) fn to_kept(&self) -> Kept {
        self.values.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry()? {
                    members.repeated |= members.values.insert(name, value).is_some();
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// What a JSON text stands for that is a string.
pub(crate) fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// A text as a JSON string.
pub(crate) fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// An object of these members; their values are JSON.
pub(crate) fn object(members: &Kept) -> String {
    let members: alloc::vec::Vec<_> =
        members.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
    CanonicalObject::default().with_members(&members)
}

/// What a JSON text stands for that is a string and a secret. The grammar of `json` was checked before.
fn secret_text(json: &str) -> Option<Zeroizing<String>> {
    let mut rest = json.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than what it stands for: the string does not grow.
    let mut out = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (character, after) = unescape(escape)?;
        out.push(character);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The character of an escape, of which the backslash was read, and what follows it. `None` for half of a surrogate pair.
fn unescape(escape: &str) -> Option<(char, &str)> {
    let mut characters = escape.chars();
    let character = match characters.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let (first, after) = code_unit(characters.as_str())?;
            let second = after.strip_prefix("\\u").and_then(code_unit);
            // One unit, or two that are a pair.
            let both = [Some(first), second.map(|(unit, _)| unit)];
            let character = char::decode_utf16(both.into_iter().flatten()).next()?.ok()?;
            let after = if character.len_utf16() == 2 { second?.1 } else { after };
            return Some((character, after));
        }
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    };
    Some((character, characters.as_str()))
}

fn code_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    Some((u16::from_str_radix(digits, 16).ok()?, after))
}

/// Why a text is not the JSON object that is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MalformedObject {
    /// More bytes than such an object may have; nothing was read.
    TooLong {
        /// Bytes that there are.
        len: usize,
        /// Bytes that may be.
        limit: usize,
    },
    /// Another JSON value, or nothing at all.
    NotAnObject,
    /// Not JSON.
    Syntax {
        /// The line, from 1, in which it ceases to be JSON.
        line: usize,
        /// The byte of that line, from 1.
        column: usize,
    },
    /// A member is there more than once.
    Repeated,
    /// A member that must be there is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member has a value of another type than it must have, or is text and no Unicode.
    WrongType {
        /// Its name.
        member: &'static str,
    },
}

impl fmt::Display for MalformedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, limit } => write!(f, "object has {len} bytes where {limit} are allowed"),
            Self::NotAnObject => f.write_str("not a JSON object"),
            Self::Syntax { line, column } => write!(f, "not JSON at line {line}, byte {column}"),
            Self::Repeated => f.write_str("a member of the object is there more than once"),
            Self::Missing { member } => write!(f, "{member} is missing"),
            Self::WrongType { member } => write!(f, "{member} is of the wrong type"),
        }
    }
}

impl core::error::Error for MalformedObject {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_secret_are_what_a_json_parser_makes_of_them() {
        let cases = [
            r#""""#,
            r#""plain""#,
            r#""a\/b\u002Bc\u002b""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e9\u65e5\ud83d\ude00x""#,
            r#""日本""#,
        ];
        for json in cases {
            assert_eq!(secret_text(json).map(|text| text.to_string()), text(json), "{json}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_no_text() {
        for json in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83d\n""#, r#""\ud83d\u0041""#, r#""\ud83dx""#] {
            assert_eq!(secret_text(json), None, "{json}");
            assert_eq!(text(json), None, "{json}");
        }
    }

    #[test]
    fn unescaping_does_not_reallocate() {
        let json = r#""\u65e5\ud83d\ude00\n""#;
        let unescaped = secret_text(json).expect("is a string");
        assert!(unescaped.capacity() >= unescaped.len() && unescaped.capacity() == json.len() - 2);
    }
}
