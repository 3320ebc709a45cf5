//! The contents of messages: what came in, read once, and what goes out, in canonical JSON.
//!
//! Client-server API, "Key verification framework" and the event types `m.key.verification.*`.

mod digest;
mod emit;
mod limits;
mod malformed;
mod members;
mod parse;
mod relation;
mod sas;
mod start;
#[cfg(test)]
mod start_tests;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use digest::digest;
pub(crate) use emit::{FlowId, emit_reciprocate};
pub use limits::MessageLimits;
pub(crate) use malformed::{Fault, Malformed};
pub(crate) use parse::parse;
pub use relation::with_relation;
pub(crate) use sas::{Accept, Mac};
pub(crate) use start::{SasOffer, Start, StartMethod};

/// A message that was read: every field is there, has its type and keeps the limits.
#[derive(Debug)]
pub(crate) struct Message {
    /// The ID of the flow that it belongs to: the transaction ID, or the ID of the event that it refers to. A request in a room
    /// has none in it: that of its own event becomes it.
    pub(crate) flow_id: Option<String>,
    pub(crate) content: Content,
}

/// What a message says.
#[derive(Debug)]
pub(crate) enum Content {
    /// `m.key.verification.request`, to a device. `timestamp` is in milliseconds since 1970.
    Request { from_device: String, methods: Vec<String>, timestamp: u64 },
    /// `m.room.message` with this `msgtype`, to a user in a room.
    RoomRequest { from_device: String, methods: Vec<String>, to: String },
    /// `m.key.verification.ready`
    Ready { from_device: String, methods: Vec<String> },
    /// `m.key.verification.start`
    Start(Start),
    /// `m.key.verification.accept`
    Accept(Accept),
    /// `m.key.verification.key`: the Base64 of 32 bytes, of which nothing else is known.
    Key { key: String },
    /// `m.key.verification.mac`
    Mac(Mac),
    /// `m.key.verification.done`
    Done,
    /// `m.key.verification.cancel`, which is honoured whatever is in it: `None` is what is missing or cannot be taken.
    Cancel { code: Option<String>, reason: Option<String> },
}

impl Content {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Request { .. } | Self::RoomRequest { .. } => Kind::Request,
            Self::Ready { .. } => Kind::Ready,
            Self::Start(_) => Kind::Start,
            Self::Accept(_) => Kind::Accept,
            Self::Key { .. } => Kind::Key,
            Self::Mac(_) => Kind::Mac,
            Self::Done => Kind::Done,
            Self::Cancel { .. } => Kind::Cancel,
        }
    }
}

/// How a message travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    ToDevice,
    Room,
}

/// Which message it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Request,
    Ready,
    Start,
    Accept,
    Key,
    Mac,
    Done,
    Cancel,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Request,
        Self::Ready,
        Self::Start,
        Self::Accept,
        Self::Key,
        Self::Mac,
        Self::Done,
        Self::Cancel,
    ];

    /// The type of the event.
    pub(crate) const fn event_type(self, transport: Transport) -> &'static str {
        match (self, transport) {
            (Self::Request, Transport::ToDevice) => REQUEST,
            (Self::Request, Transport::Room) => "m.room.message",
            (Self::Ready, _) => "m.key.verification.ready",
            (Self::Start, _) => "m.key.verification.start",
            (Self::Accept, _) => "m.key.verification.accept",
            (Self::Key, _) => "m.key.verification.key",
            (Self::Mac, _) => "m.key.verification.mac",
            (Self::Done, _) => "m.key.verification.done",
            (Self::Cancel, _) => "m.key.verification.cancel",
        }
    }

    fn of_event_type(event_type: &str, transport: Transport) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.event_type(transport) == event_type)
    }
}

/// The type of a request to a device, and the `msgtype` of one in a room.
const REQUEST: &str = "m.key.verification.request";
