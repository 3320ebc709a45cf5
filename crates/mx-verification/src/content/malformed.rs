use alloc::string::String;
use core::fmt;

use mx_canonical_json::CanonicalizeError;

use super::{Kind, Transport};

/// A message that cannot be taken, and what could be read of it all the same.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Malformed {
    pub(crate) kind: Kind,
    /// The flow to be cancelled.
    pub(crate) flow_id: Option<String>,
    /// Who it is from, where the message says so.
    pub(crate) from_device: Option<String>,
    pub(crate) fault: Fault,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Not JSON, or not an object.
    NotAnObject,
    Missing {
        field: &'static str,
    },
    /// The same member stands twice in the object.
    Twice {
        field: &'static str,
    },
    /// Of another type than it must have.
    Mistyped {
        field: &'static str,
    },
    Empty {
        field: &'static str,
    },
    TooLong {
        field: &'static str,
        max: usize,
    },
    TooMany {
        field: &'static str,
        max: usize,
    },
    /// Has the right type, but can be no identifier, or not Base64 of that many bytes.
    Invalid {
        field: &'static str,
    },
    /// The content of a `start` is longer than that.
    StartTooLong {
        max: usize,
    },
    /// The content of a `start` has no canonical form, so that nobody can commit to it.
    NotCanonical(CanonicalizeError),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind.event_type(Transport::ToDevice))?;
        match self.fault {
            Fault::NotAnObject => f.write_str("content is not a JSON object"),
            Fault::Missing { field } => write!(f, "`{field}` is missing"),
            Fault::Twice { field } => write!(f, "`{field}` stands there twice"),
            Fault::Mistyped { field } => write!(f, "`{field}` has the wrong type"),
            Fault::Empty { field } => write!(f, "`{field}` is empty"),
            Fault::TooLong { field, max } => write!(f, "`{field}` is longer than {max} bytes"),
            Fault::TooMany { field, max } => write!(f, "`{field}` has more than {max} entries"),
            Fault::Invalid { field } => write!(f, "`{field}` cannot be that"),
            Fault::StartTooLong { max } => write!(f, "content is longer than {max} bytes"),
            Fault::NotCanonical(error) => write!(f, "content has no canonical form: {error}"),
        }
    }
}
