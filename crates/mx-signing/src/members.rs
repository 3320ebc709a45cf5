//! The members of an object as texts, none of them looked into.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::String;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, by key, with the text of each value as it stands. An object that has a key twice is
/// refused, so that there is one reading of it.
///
/// The values are only skipped, and without recursion: what is wrong in one of them does not touch the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<'t>(BTreeMap<String, &'t RawValue>);

impl<'t> Members<'t> {
    /// Reads an object; nothing if the text is not one.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'t str> {
        self.0.get(key).map(|value| value.get())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'t str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.get()))
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (String, &'t str)> {
        self.0.into_iter().map(|(key, value)| (key, value.get()))
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
                let mut members = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    match members.entry(key) {
                        Entry::Vacant(entry) => entry.insert(value),
                        Entry::Occupied(_) => return Err(A::Error::custom("duplicate key")),
                    };
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Says that a server's answer is not the object that the request gives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MalformedResponse;

impl fmt::Display for MalformedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("response is malformed")
    }
}

impl core::error::Error for MalformedResponse {}

/// Reads a response and gives the object that is its member `name`.
pub(crate) fn parse_response<'t>(text: &'t str, name: &str) -> Result<Members<'t>, MalformedResponse> {
    let response = Members::parse(text).ok_or(MalformedResponse)?;
    response.get(name).and_then(Members::parse).ok_or(MalformedResponse)
}
