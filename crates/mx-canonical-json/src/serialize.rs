//! Canonical text of `serde` values.
//!
//! The serializer writes JSON with canonical strings and integers; order, duplicates and limits are then those of
//! [`canonicalize`], so that there is one implementation of each rule.

use alloc::string::String;
use core::fmt;

use serde::ser::{self, Serialize};

use crate::canonicalize::canonicalize;
use crate::error::CanonicalizeError;
use crate::limits::{Limits, MAX_INTEGER, MIN_INTEGER};
use crate::serialize_key::Key;
use crate::string::{push_char, push_string};

/// Gives the canonical form of a value.
///
/// Structs and maps become objects, sequences, tuples and bytes arrays, `None` and units `null`, enums what `serde_json`
/// makes of them.
///
/// ```
/// use mx_canonical_json::{Limits, to_canonical};
///
/// #[derive(serde::Serialize)]
/// struct Profile { name: &'static str, age: u8 }
///
/// let canonical = to_canonical(&Profile { name: "John", age: 42 }, &Limits::DEFAULT)?;
/// assert_eq!(canonical, r#"{"age":42,"name":"John"}"#);
/// # Ok::<(), mx_canonical_json::SerializeError>(())
/// ```
///
/// # Errors
///
/// When the value has a float, an integer out of range, a key that is not a string or occurs twice, or exceeds `limits`.
pub fn to_canonical<T: Serialize + ?Sized>(value: &T, limits: &Limits) -> Result<String, SerializeError> {
    let mut text = Text { out: String::new(), limits, depth: 0 };
    value.serialize(&mut text)?;
    match canonicalize(&text.out, limits) {
        Ok(canonical) => Ok(canonical),
        Err(CanonicalizeError::DuplicateKey { .. }) => Err(SerializeError::DuplicateKey),
        Err(_) => Err(SerializeError::Custom),
    }
}

/// Why a value has no canonical form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SerializeError {
    /// The text would be longer than [`Limits::len`].
    TooLong {
        /// The bytes that were allowed.
        max: usize,
    },
    /// The value has more containers in each other than [`Limits::depth`].
    TooDeep {
        /// The containers that were allowed.
        max: usize,
    },
    /// The value has a float, be it an integer's value or not.
    Float,
    /// The value has an integer below [`MIN_INTEGER`] or above [`MAX_INTEGER`].
    IntegerOutOfRange,
    /// A map has a key that is not a string.
    KeyNotString,
    /// A map or a struct has the same key twice.
    DuplicateKey,
    /// The value's own `Serialize` failed, or it is one of `serde_json`'s private types for raw text and
    /// numbers of any size.
    Custom,
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max } => write!(f, "text is longer than {max} bytes"),
            Self::TooDeep { max } => write!(f, "value has more than {max} containers in each other"),
            Self::Float => f.write_str("value has a float"),
            Self::IntegerOutOfRange => f.write_str("integer is out of range"),
            Self::KeyNotString => f.write_str("key of a map is not a string"),
            Self::DuplicateKey => f.write_str("key occurs twice in its object"),
            Self::Custom => f.write_str("value cannot be serialised"),
        }
    }
}

impl core::error::Error for SerializeError {}

impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::Custom
    }
}

/// The JSON text so far.
pub(crate) struct Text<'l> {
    out: String,
    limits: &'l Limits,
    depth: usize,
}

impl Text<'_> {
    /// After each piece: a value that never ends must not fill the memory.
    fn check_len(&self) -> Result<(), SerializeError> {
        let max = self.limits.len;
        if self.out.len() > max { Err(SerializeError::TooLong { max }) } else { Ok(()) }
    }

    fn push(&mut self, text: &str) -> Result<(), SerializeError> {
        self.out.push_str(text);
        self.check_len()
    }

    pub(crate) fn string(&mut self, value: &str) -> Result<(), SerializeError> {
        push_string(&mut self.out, value);
        self.check_len()
    }

    fn integer(&mut self, value: impl TryInto<i64>) -> Result<(), SerializeError> {
        match value.try_into() {
            Ok(value @ MIN_INTEGER..=MAX_INTEGER) => {
                fmt::Write::write_fmt(&mut self.out, format_args!("{value}"))
                    .map_err(|_| SerializeError::Custom)?;
                self.check_len()
            }
            _ => Err(SerializeError::IntegerOutOfRange),
        }
    }

    fn open(&mut self, bracket: char) -> Result<(), SerializeError> {
        let max = self.limits.depth;
        if self.depth >= max {
            return Err(SerializeError::TooDeep { max });
        }
        self.depth += 1;
        self.out.push(bracket);
        self.check_len()
    }

    fn close(&mut self, bracket: char) -> Result<(), SerializeError> {
        self.depth -= 1;
        self.out.push(bracket);
        self.check_len()
    }

    /// Starts the object around the content of an enum's variant.
    fn variant(&mut self, variant: &str) -> Result<(), SerializeError> {
        self.open('{')?;
        self.string(variant)?;
        self.push(":")
    }
}

/// A container whose elements are being written.
pub(crate) struct Elements<'t, 'l> {
    text: &'t mut Text<'l>,
    first: bool,
    close: char,
    /// Whether it is the content of an enum's variant, in an object of its own.
    in_variant: bool,
}

impl<'t, 'l> Elements<'t, 'l> {
    fn array(text: &'t mut Text<'l>) -> Result<Self, SerializeError> {
        text.open('[')?;
        Ok(Self { text, first: true, close: ']', in_variant: false })
    }

    fn object(text: &'t mut Text<'l>) -> Result<Self, SerializeError> {
        text.open('{')?;
        Ok(Self { text, first: true, close: '}', in_variant: false })
    }

    fn separate(&mut self) -> Result<(), SerializeError> {
        if core::mem::replace(&mut self.first, false) { Ok(()) } else { self.text.push(",") }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.separate()?;
        value.serialize(&mut *self.text)
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), SerializeError> {
        self.separate()?;
        self.text.string(key)?;
        self.text.push(":")?;
        value.serialize(&mut *self.text)
    }

    fn close(self) -> Result<(), SerializeError> {
        self.text.close(self.close)?;
        if self.in_variant { self.text.close('}') } else { Ok(()) }
    }
}

macro_rules! integers {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, value: $type) -> Result<(), SerializeError> {
            self.integer(value)
        })*
    };
}

impl<'t, 'l> ser::Serializer for &'t mut Text<'l> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeMap = Elements<'t, 'l>;
    type SerializeSeq = Elements<'t, 'l>;
    type SerializeStruct = Elements<'t, 'l>;
    type SerializeStructVariant = Elements<'t, 'l>;
    type SerializeTuple = Elements<'t, 'l>;
    type SerializeTupleStruct = Elements<'t, 'l>;
    type SerializeTupleVariant = Elements<'t, 'l>;

    fn serialize_bool(self, value: bool) -> Result<(), SerializeError> {
        self.push(if value { "true" } else { "false" })
    }

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_f32(self, _: f32) -> Result<(), SerializeError> {
        Err(SerializeError::Float)
    }

    fn serialize_f64(self, _: f64) -> Result<(), SerializeError> {
        Err(SerializeError::Float)
    }

    fn serialize_char(self, value: char) -> Result<(), SerializeError> {
        self.out.push('"');
        push_char(&mut self.out, value);
        self.push("\"")
    }

    fn serialize_str(self, value: &str) -> Result<(), SerializeError> {
        self.string(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerializeError> {
        let mut array = Elements::array(self)?;
        for byte in value {
            array.element(byte)?;
        }
        array.close()
    }

    fn serialize_none(self) -> Result<(), SerializeError> {
        self.push("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerializeError> {
        self.push("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerializeError> {
        self.push("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerializeError> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.close('}')
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'t, 'l>, SerializeError> {
        Elements::array(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'t, 'l>, SerializeError> {
        Elements::array(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'t, 'l>, SerializeError> {
        Elements::array(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'t, 'l>, SerializeError> {
        self.variant(variant)?;
        Ok(Elements { in_variant: true, ..Elements::array(self)? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Elements<'t, 'l>, SerializeError> {
        Elements::object(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Elements<'t, 'l>, SerializeError> {
        // These stand for a text that only serde_json itself knows how to write.
        if name.starts_with("$serde_json::private::") {
            return Err(SerializeError::Custom);
        }
        Elements::object(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'t, 'l>, SerializeError> {
        self.variant(variant)?;
        Ok(Elements { in_variant: true, ..Elements::object(self)? })
    }
}

/// The traits of one shape: they differ in their names only.
macro_rules! elements {
    ($($shape:ident: $method:ident($($key:ident: $type:ty)?) as $write:ident;)*) => {
        $(impl ser::$shape for Elements<'_, '_> {
            type Ok = ();
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), SerializeError> {
                self.$write($($key,)? value)
            }

            fn end(self) -> Result<(), SerializeError> {
                self.close()
            }
        })*
    };
}

elements! {
    SerializeSeq: serialize_element() as element;
    SerializeTuple: serialize_element() as element;
    SerializeTupleStruct: serialize_field() as element;
    SerializeTupleVariant: serialize_field() as element;
    SerializeStruct: serialize_field(key: &'static str) as member;
    SerializeStructVariant: serialize_field(key: &'static str) as member;
}

impl ser::SerializeMap for Elements<'_, '_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        self.separate()?;
        key.serialize(Key(self.text))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.text.push(":")?;
        value.serialize(&mut *self.text)
    }

    fn end(self) -> Result<(), SerializeError> {
        self.close()
    }
}
