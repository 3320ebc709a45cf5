//! Reads JSON objects by their members, and writes them.

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::str;

use mx_canonical_json::CanonicalObject;
use mx_json::{MalformedObject, Text, Value, all_members, check_len};
use zeroize::Zeroizing;

/// The longest object that is read, in bytes of JSON, if nothing else is said.
pub const MAX_OBJECT_LEN: usize = 65_536;

/// The members of an object that are kept: the JSON text of each value, as it was.
pub(crate) type Kept = BTreeMap<String, String>;

/// The members of an object, by name, each value as it stands in the text. Nothing of a value is copied or unescaped: it
/// may be a secret.
pub(crate) struct Members<'t>(BTreeMap<String, &'t str>);

impl<'t> Members<'t> {
    pub(crate) fn parse(json: &'t str, limit: usize) -> Result<Self, MalformedObject> {
        check_len(json.as_bytes(), limit)?;
        let mut members = BTreeMap::new();
        for (name, value) in all_members(json.as_bytes())? {
            // A name that is no Unicode could not be written again as it was.
            let name = name.to_str().ok_or(MalformedObject::NotUnicode)?.into_owned();
            let value = str::from_utf8(value).map_err(|_| MalformedObject::NotUnicode)?;
            if members.insert(name, value).is_some() {
                return Err(MalformedObject::Ambiguous);
            }
        }
        Ok(Self(members))
    }

    /// The JSON text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'t str> {
        self.0.get(name).copied()
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
        self.0.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect()
    }
}

/// What a JSON text stands for that is a string.
pub(crate) fn text(json: &str) -> Option<String> {
    string(json)?.to_str().map(Cow::into_owned)
}

/// A text as a JSON string.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object of these members; their values are JSON.
pub(crate) fn object(members: &Kept) -> String {
    let members: alloc::vec::Vec<_> =
        members.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
    CanonicalObject::default().with_members(&members)
}

/// What a JSON text stands for that is a string and a secret.
fn secret_text(json: &str) -> Option<Zeroizing<String>> {
    string(json)?.with_secret(|text| Zeroizing::new(text.to_owned()))
}

fn string(json: &str) -> Option<Text<'_>> {
    if let Some(Value::Text(text)) = mx_json::value(json.as_bytes()) { Some(text) } else { None }
}
