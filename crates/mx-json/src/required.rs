//! Members that must be there, by the type that they must have.
//!
//! Each function takes the value as [`members`](crate::members) gives it, and the member's name for the error:
//! [`MalformedObject::Missing`] or [`MalformedObject::WrongType`].

use alloc::borrow::Cow;
use core::str;

use crate::{MalformedObject, Text, Value};

/// A string, as it stands.
///
/// # Errors
///
/// It is not there, or of another type.
pub fn text<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Text<'a>, MalformedObject> {
    match required(value, member)? {
        Value::Text(text) => Ok(text),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

/// A string. Not for a secret: [`Text::with_secret`] is.
///
/// # Errors
///
/// It is not there, of another type, or no Unicode.
pub fn string<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Cow<'a, str>, MalformedObject> {
    text(value, member)?.to_str().ok_or(MalformedObject::WrongType { member })
}

/// An object, with its braces.
///
/// # Errors
///
/// It is not there, or of another type.
pub fn object<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<&'a [u8], MalformedObject> {
    match required(value, member)? {
        Value::Object(object) => Ok(object),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

/// An array, with its brackets.
///
/// # Errors
///
/// It is not there, or of another type.
pub fn array<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<&'a [u8], MalformedObject> {
    match required(value, member)? {
        Value::Array(array) => Ok(array),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

/// `true` or `false`.
///
/// # Errors
///
/// It is not there, or of another type.
pub fn boolean(value: Option<Value<'_>>, member: &'static str) -> Result<bool, MalformedObject> {
    match required(value, member)? {
        Value::Bool(value) => Ok(value),
        _ => Err(MalformedObject::WrongType { member }),
    }
}

/// An integer of canonical JSON that is not negative: no fraction, no exponent, at most 2^53 - 1.
///
/// # Errors
///
/// It is not there, of another type, or another number.
pub fn count(value: Option<Value<'_>>, member: &'static str) -> Result<u64, MalformedObject> {
    let Value::Number(digits) = required(value, member)? else {
        return Err(MalformedObject::WrongType { member });
    };
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.filter(|number| *number < 1 << 53).ok_or(MalformedObject::WrongType { member })
}

fn required<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Value<'a>, MalformedObject> {
    value.ok_or(MalformedObject::Missing { member })
}
