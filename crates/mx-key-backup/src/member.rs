//! How a member becomes a value.

use alloc::borrow::Cow;
use core::str;

use mx_room_key::json::{MalformedObject, Text, Value};

pub(crate) fn required<'a>(
    value: Option<Value<'a>>,
    member: &'static str,
) -> Result<Value<'a>, MalformedObject> {
    value.ok_or(MalformedObject::Missing { member })
}

pub(crate) fn text<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Text<'a>, MalformedObject> {
    match required(value, member)? {
        Value::Text(text) => Ok(text),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

pub(crate) fn string<'a>(
    value: Option<Value<'a>>,
    member: &'static str,
) -> Result<Cow<'a, str>, MalformedObject> {
    text(value, member)?.to_str().ok_or(MalformedObject::WrongType { member })
}

pub(crate) fn object<'a>(
    value: Option<Value<'a>>,
    member: &'static str,
) -> Result<&'a [u8], MalformedObject> {
    match required(value, member)? {
        Value::Object(object) => Ok(object),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

pub(crate) fn boolean(value: Option<Value<'_>>, member: &'static str) -> Result<bool, MalformedObject> {
    match required(value, member)? {
        Value::Bool(value) => Ok(value),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

/// An integer of canonical JSON that is not negative: no fraction, no exponent, at most 2^53 - 1.
pub(crate) fn count(value: Option<Value<'_>>, member: &'static str) -> Result<u64, MalformedObject> {
    let Value::Number(digits) = required(value, member)? else {
        return Err(MalformedObject::WrongType { member });
    };
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.filter(|number| *number < 1 << 53).ok_or(MalformedObject::WrongType { member })
}
