use alloc::string::String;
use core::fmt;

use crate::flow_key::Place;

/// A message that came, as it came. Whoever gives it in has decrypted it, and has put it through the checks of an envelope.
///
/// There may be the secret of a code in the content: `Debug` leaves it out.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The user who has sent it, as the server, or the decrypted event, says.
    pub sender: &'a str,
    /// The type of the event.
    pub event_type: &'a str,
    /// Its content: JSON, decrypted, not serialised anew.
    pub content: &'a str,
    /// The way that it took.
    pub via: Via<'a>,
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sender, event_type, content: _, via } = self;
        let mut debug = f.debug_struct("Incoming");
        debug
            .field("sender", sender)
            .field("event_type", event_type)
            .field("via", via)
            .finish_non_exhaustive()
    }
}

/// The way that a message took.
#[derive(Clone, Copy, Debug)]
pub enum Via<'a> {
    /// To this device.
    ToDevice {
        /// The device whose Olm session it came through, of the sender, known by its keys; `None` for plaintext.
        olm_sender: Option<&'a str>,
    },
    /// In a room, in the order of the timeline.
    Room {
        /// The room.
        room_id: &'a str,
        /// The ID of the event.
        event_id: &'a str,
        /// When the server took it, in milliseconds since 1970.
        origin_server_ts: u64,
        /// Whether this very device has sent it.
        from_this_device: bool,
        /// The content of the `m.room.encrypted` that it came in, for the `m.relates_to` that stands there.
        encrypted: Option<&'a str>,
    },
}

impl Via<'_> {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::ToDevice { .. } => Place::ToDevice,
            Self::Room { room_id, .. } => Place::Room { room_id: (*room_id).into() },
        }
    }

    pub(crate) const fn olm_sender(&self) -> Option<&str> {
        match self {
            Self::ToDevice { olm_sender } => *olm_sender,
            Self::Room { .. } => None,
        }
    }
}

/// A message that waits.
pub(crate) struct Kept {
    sender: String,
    event_type: String,
    content: String,
    via: KeptVia,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

enum KeptVia {
    ToDevice { olm_sender: Option<String> },
    Room { room_id: String, event_id: String, origin_server_ts: u64 },
}

impl Kept {
    pub(crate) fn new(message: &Incoming<'_>) -> Self {
        Self {
            sender: message.sender.into(),
            event_type: message.event_type.into(),
            content: message.content.into(),
            via: match message.via {
                Via::ToDevice { olm_sender } => KeptVia::ToDevice { olm_sender: olm_sender.map(Into::into) },
                Via::Room { room_id, event_id, origin_server_ts, .. } => {
                    KeptVia::Room { room_id: room_id.into(), event_id: event_id.into(), origin_server_ts }
                }
            },
        }
    }

    pub(crate) fn message(&self) -> Incoming<'_> {
        Incoming {
            sender: &self.sender,
            event_type: &self.event_type,
            content: &self.content,
            via: match &self.via {
                KeptVia::ToDevice { olm_sender } => Via::ToDevice { olm_sender: olm_sender.as_deref() },
                KeptVia::Room { room_id, event_id, origin_server_ts } => Via::Room {
                    room_id,
                    event_id,
                    origin_server_ts: *origin_server_ts,
                    from_this_device: false,
                    encrypted: None,
                },
            },
        }
    }
}
