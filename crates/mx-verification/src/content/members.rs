//! Members of an object, of those that somebody asks for. What nobody asks for may be anything, and is not stored.
//!
//! Not through `mx-json`, which refuses what is nested deeply: a content that is must still name the flow that it ends.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use mx_types::base64::{self, TrailingBits};
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Error};

use super::malformed::Fault;

/// The JSON of some members of an object.
pub(crate) struct Members<'t>(Vec<(&'static str, Value<'t>)>);

#[derive(Clone, Copy)]
enum Value<'t> {
    Once(&'t str),
    /// Nobody knows which of them counts.
    Twice,
}

/// How many entries there may be, and how many bytes in each.
#[derive(Clone, Copy)]
pub(crate) struct Max {
    pub(crate) count: usize,
    pub(crate) text_len: usize,
}

impl<'t> Members<'t> {
    /// Looks for the members with these names.
    pub(crate) fn read(text: &'t str, names: &[&'static str]) -> Result<Self, Fault> {
        let mut found = Vec::<(&'static str, Value<'t>)>::new();
        let read = each_member(text, |name, value| {
            let Some(name) = names.iter().find(|known| **known == name) else { return };
            match found.iter_mut().find(|(earlier, _)| earlier == name) {
                Some((_, earlier)) => *earlier = Value::Twice,
                None => found.push((name, Value::Once(value.get()))),
            }
        });
        read.map_err(|_| Fault::NotAnObject)?;
        Ok(Self(found))
    }

    /// The JSON of one.
    pub(crate) fn get(&self, field: &'static str) -> Result<&'t str, Fault> {
        match self.0.iter().find(|(name, _)| *name == field) {
            None => Err(Fault::Missing { field }),
            Some((_, Value::Twice)) => Err(Fault::Twice { field }),
            Some((_, Value::Once(value))) => Ok(value),
        }
    }

    pub(crate) fn text(&self, field: &'static str, max: usize) -> Result<String, Fault> {
        text(self.get(field)?, field, max)
    }

    /// An integer that is not negative, up to 2^53 - 1.
    pub(crate) fn integer(&self, field: &'static str) -> Result<u64, Fault> {
        let integer = typed(self.get(field)?, field)?;
        if integer > mx_canonical_json::MAX_INTEGER.unsigned_abs() {
            return Err(Fault::Invalid { field });
        }
        Ok(integer)
    }

    /// A list of texts.
    pub(crate) fn texts(&self, field: &'static str, max: Max) -> Result<Vec<String>, Fault> {
        let (mut count, mut texts) = (0_usize, Ok(Vec::new()));
        let read = each_item(self.get(field)?, |value| {
            count += 1;
            if count <= max.count {
                push(&mut texts, text(value.get(), field, max.text_len));
            }
        });
        read.map_err(|_| Fault::Mistyped { field })?;
        if count > max.count { Err(Fault::TooMany { field, max: max.count }) } else { texts }
    }

    /// A list of texts with something in it.
    pub(crate) fn some_texts(&self, field: &'static str, max: Max) -> Result<Vec<String>, Fault> {
        let texts = self.texts(field, max)?;
        if texts.is_empty() { Err(Fault::Empty { field }) } else { Ok(texts) }
    }

    /// The texts in an object, with their names. Where one name stands there twice, it is given twice.
    pub(crate) fn named_texts(&self, field: &'static str, max: Max) -> Result<Vec<(String, String)>, Fault> {
        let (mut count, mut texts) = (0_usize, Ok(Vec::new()));
        let read = each_member(self.get(field)?, |name, value| {
            count += 1;
            if count <= max.count {
                let name = within(name.into_owned(), field, max.text_len);
                let value = text(value.get(), field, max.text_len);
                push(&mut texts, name.and_then(|name| Ok((name, value?))));
            }
        });
        read.map_err(|_| Fault::Mistyped { field })?;
        if count > max.count { Err(Fault::TooMany { field, max: max.count }) } else { texts }
    }
}

/// A text that is Base64 of 32 public bytes.
pub(crate) fn base64_of_32(text: String, field: &'static str, bits: TrailingBits) -> Result<String, Fault> {
    match base64::decode_array::<32>(&text, bits) {
        Ok(_) => Ok(text),
        Err(_) => Err(Fault::Invalid { field }),
    }
}

fn text(value: &str, field: &'static str, max: usize) -> Result<String, Fault> {
    within(typed(value, field)?, field, max)
}

fn typed<'t, T: Deserialize<'t>>(value: &'t str, field: &'static str) -> Result<T, Fault> {
    serde_json::from_str(value).map_err(|_| Fault::Mistyped { field })
}

fn within(text: String, field: &'static str, max: usize) -> Result<String, Fault> {
    if text.len() > max { Err(Fault::TooLong { field, max }) } else { Ok(text) }
}

/// Keeps the first error.
fn push<T>(list: &mut Result<Vec<T>, Fault>, item: Result<T, Fault>) {
    match (list.as_mut(), item) {
        (Ok(items), Ok(item)) => items.push(item),
        (Ok(_), Err(fault)) => *list = Err(fault),
        (Err(_), _) => {}
    }
}

/// Calls `f` with the name and the JSON of each member of an object.
fn each_member<'t>(text: &'t str, f: impl FnMut(Cow<'t, str>, &'t RawValue)) -> Result<(), Error> {
    let mut deserializer = Deserializer::from_str(text);
    deserializer.deserialize_any(EachMember(f))?;
    deserializer.end()
}

/// Calls `f` with the JSON of each item of a list.
fn each_item<'t>(text: &'t str, f: impl FnMut(&'t RawValue)) -> Result<(), Error> {
    let mut deserializer = Deserializer::from_str(text);
    deserializer.deserialize_any(EachItem(f))?;
    deserializer.end()
}

struct EachMember<F>(F);

impl<'t, F: FnMut(Cow<'t, str>, &'t RawValue)> Visitor<'t> for EachMember<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = members.next_entry()? {
            self.0(name, value);
        }
        Ok(())
    }
}

struct EachItem<F>(F);

impl<'t, F: FnMut(&'t RawValue)> Visitor<'t> for EachItem<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            self.0(item);
        }
        Ok(())
    }
}

/// Borrowed where there is no escape in it.
#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);
