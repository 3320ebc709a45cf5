use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::event::Event;
use crate::flow_key::FlowKey;

/// What a call has brought. If [`save`](Self::save) is set, save a pickle first; then send the messages, in their order.
#[derive(Debug, Default)]
#[must_use = "messages must be sent, events shown, keys queried, and the state saved"]
pub struct Step {
    /// What to send.
    pub messages: Vec<Outgoing>,
    /// What to show.
    pub events: Vec<Event>,
    /// Users whose keys must be queried, however new their lists are; then call
    /// [`keys_changed`](crate::Verifications::keys_changed).
    pub queries: Vec<String>,
    /// Whether what [`pickle_to_vec`](crate::Verifications::pickle_to_vec) saves is another than before.
    pub save: bool,
}

/// A message to be sent. There may be the secret of a code in a content: `Debug` leaves it out.
#[derive(Clone, Eq, PartialEq)]
pub enum Outgoing {
    /// To devices of a user, the same to each. Through Olm or in plaintext.
    ToDevice {
        /// The user.
        user_id: String,
        /// The devices.
        device_ids: Vec<String>,
        /// The type of the event.
        event_type: &'static str,
        /// Its content: JSON, which is not to be changed.
        content: String,
    },
    /// In the room of a flow. If it is encrypted there, all devices of the other user must get its key, unverified ones too: use a
    /// Megolm session of this flow alone, and `m.relates_to` stands outside of the ciphertext.
    Room {
        /// The flow.
        flow: FlowKey,
        /// The type of the event.
        event_type: &'static str,
        /// Its content: JSON, which is not to be changed.
        content: String,
    },
    /// The request in a room: an `m.room.message`. When it is sent, say so by
    /// [`request_sent`](crate::Verifications::request_sent).
    RoomRequest {
        /// The name for it until it has an ID.
        request: RequestId,
        /// The room.
        room_id: String,
        /// The user whom it asks.
        user_id: String,
        /// Its content: JSON, which is not to be changed.
        content: String,
    },
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToDevice { user_id, device_ids, event_type, content: _ } => {
                let mut debug = f.debug_struct("ToDevice");
                debug
                    .field("user_id", user_id)
                    .field("device_ids", device_ids)
                    .field("event_type", event_type);
                debug.finish_non_exhaustive()
            }
            Self::Room { flow, event_type, content: _ } => {
                let mut debug = f.debug_struct("Room");
                debug.field("flow", flow).field("event_type", event_type).finish_non_exhaustive()
            }
            Self::RoomRequest { request, room_id, user_id, content: _ } => {
                let mut debug = f.debug_struct("RoomRequest");
                debug.field("request", request).field("room_id", room_id).field("user_id", user_id);
                debug.finish_non_exhaustive()
            }
        }
    }
}

/// The name of a request in a room that was not sent yet.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub(crate) u64);
