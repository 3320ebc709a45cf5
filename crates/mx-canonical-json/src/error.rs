//! Why a text has no canonical form.

use core::fmt;

/// Why a text has no canonical form. Offsets count bytes from the start of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CanonicalizeError {
    /// The text is longer than [`Limits::len`](crate::Limits::len). Nothing of it was looked at.
    TooLong {
        /// The length of the text in bytes.
        len: usize,
        /// The bytes that were allowed.
        max: usize,
    },
    /// More containers are open than [`Limits::depth`](crate::Limits::depth).
    TooDeep {
        /// Where the surplus container opens.
        offset: usize,
    },
    /// The bytes are no UTF-8 (unpaired surrogates encoded as bytes included).
    InvalidUtf8 {
        /// The first byte that is not part of a character.
        offset: usize,
    },
    /// The text is not JSON: a surplus comma, `01`, `NaN`, a raw control character in a string, a byte-order mark,
    /// a second value, and so on.
    Syntax {
        /// The byte that cannot stand there.
        offset: usize,
    },
    /// The text ends before its value does; an empty text, too.
    UnexpectedEnd {
        /// The length of the text.
        offset: usize,
    },
    /// A `\u` escape is one half of a surrogate pair without the other.
    UnpairedSurrogate {
        /// The backslash of the escape.
        offset: usize,
    },
    /// One object has the same key twice, perhaps spelled differently.
    DuplicateKey {
        /// The opening quotation mark of the later one.
        offset: usize,
    },
    /// A number with a fraction or an exponent where only integers are taken, or one that is not an integer.
    Float {
        /// The first character of the number.
        offset: usize,
    },
    /// An integer below [`MIN_INTEGER`](crate::MIN_INTEGER) or above [`MAX_INTEGER`](crate::MAX_INTEGER).
    IntegerOutOfRange {
        /// The first character of the number.
        offset: usize,
    },
    /// `-0`, under [`Numbers::Canonical`](crate::Numbers::Canonical).
    NegativeZero {
        /// The minus sign.
        offset: usize,
    },
    /// The text is JSON, but not an object, where an object is needed.
    NotAnObject,
}

impl fmt::Display for CanonicalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, max } => write!(f, "text of {len} bytes is longer than {max} bytes"),
            Self::TooDeep { offset } => write!(f, "containers are nested too deeply at byte {offset}"),
            Self::InvalidUtf8 { offset } => write!(f, "invalid UTF-8 at byte {offset}"),
            Self::Syntax { offset } => write!(f, "not JSON at byte {offset}"),
            Self::UnexpectedEnd { offset } => write!(f, "text ends too early, after {offset} bytes"),
            Self::UnpairedSurrogate { offset } => write!(f, "unpaired surrogate at byte {offset}"),
            Self::DuplicateKey { offset } => {
                write!(f, "key occurs twice in its object, again at byte {offset}")
            }
            Self::Float { offset } => write!(f, "number at byte {offset} is not an integer"),
            Self::IntegerOutOfRange { offset } => write!(f, "integer at byte {offset} is out of range"),
            Self::NegativeZero { offset } => write!(f, "negative zero at byte {offset}"),
            Self::NotAnObject => f.write_str("text is not an object"),
        }
    }
}

impl core::error::Error for CanonicalizeError {}
