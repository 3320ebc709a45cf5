use core::fmt;

/// Why a text is not the JSON object that is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MalformedObject {
    /// Not JSON.
    Syntax {
        /// The byte at which it ceases to be JSON.
        position: usize,
    },
    /// More than 127 containers within each other.
    TooDeep {
        /// The byte at which the one too many is opened.
        position: usize,
    },
    /// More bytes than such an object may have.
    TooLong {
        /// Bytes that there are.
        len: usize,
        /// Bytes that may be.
        limit: usize,
    },
    /// Another JSON value.
    NotAnObject,
    /// A member that must be there is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member that is read by its name is there more than once.
    Repeated {
        /// Its name.
        member: &'static str,
    },
    /// The name of some member is no Unicode, in an object of which all are read.
    NotUnicode,
    /// Some member is there more than once, in an object of which all are read.
    Ambiguous,
    /// A member has a value of another type than it must have, or is text and no Unicode.
    WrongType {
        /// Its name.
        member: &'static str,
    },
}

impl fmt::Display for MalformedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { position } => write!(f, "not JSON at byte {position}"),
            Self::TooDeep { position } => write!(f, "JSON is nested too deeply at byte {position}"),
            Self::TooLong { len, limit } => write!(f, "object has {len} bytes where {limit} are allowed"),
            Self::NotAnObject => f.write_str("not a JSON object"),
            Self::Missing { member } => write!(f, "{member} is missing"),
            Self::Repeated { member } => write!(f, "{member} is there more than once"),
            Self::NotUnicode => f.write_str("the name of a member is no Unicode"),
            Self::Ambiguous => f.write_str("a member of the object is there more than once"),
            Self::WrongType { member } => write!(f, "{member} is of the wrong type"),
        }
    }
}

impl core::error::Error for MalformedObject {}
