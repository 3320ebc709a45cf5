use core::fmt;

use crate::Text;

/// A value of which the grammar was checked. There may be a secret in it: it is not printed.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// An object, with its braces.
    Object(&'a [u8]),
    /// An array, with its brackets.
    Array(&'a [u8]),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// `null`.
    Null,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Bool(_) => "Bool(..)",
            Self::Object(_) => "Object(..)",
            Self::Array(_) => "Array(..)",
            Self::Number(_) => "Number(..)",
            Self::Null => "Null",
        })
    }
}
