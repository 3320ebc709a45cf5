use alloc::string::String;
use alloc::vec::Vec;

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

/// A message to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
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

/// The name of a request in a room that was not sent yet.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub(crate) u64);
