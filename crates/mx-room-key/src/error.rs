use core::fmt;

use mx_megolm::SessionKeyError;
use mx_types::{InvalidIdentifier, InvalidKey};

use crate::{MEGOLM, MalformedObject};

/// Why an object was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ParseError {
    /// Not an object with the members that it must have.
    Object(MalformedObject),
    /// The session is not one of `m.megolm.v1.aes-sha2`.
    Algorithm,
    /// An identifier cannot be one.
    Identifier {
        /// The member that it is in.
        member: &'static str,
        /// What is wrong with it.
        error: InvalidIdentifier,
    },
    /// A public key is none.
    Key {
        /// The member that it is in.
        member: &'static str,
        /// What is wrong with it.
        error: InvalidKey,
    },
    /// The session key is none, or not one in the format that belongs here.
    SessionKey(SessionKeyError),
    /// The session ID is not the public key in the session key.
    SessionId,
    /// A list has too many elements, or a text too many bytes.
    TooLong {
        /// The member that it is.
        member: &'static str,
        /// How many it has.
        len: usize,
        /// How many are read.
        limit: usize,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::Algorithm => write!(f, "algorithm is not {MEGOLM}"),
            Self::Identifier { member, error } => write!(f, "{member}: {error}"),
            Self::Key { member, error } => write!(f, "{member}: {error}"),
            Self::SessionKey(error) => write!(f, "session_key: {error}"),
            Self::SessionId => f.write_str("session_id is not the public key of the session key"),
            Self::TooLong { member, len, limit } => {
                write!(f, "{member} has a length of {len}, at most {limit} is read")
            }
        }
    }
}

impl core::error::Error for ParseError {}

impl From<MalformedObject> for ParseError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl From<SessionKeyError> for ParseError {
    fn from(error: SessionKeyError) -> Self {
        Self::SessionKey(error)
    }
}
