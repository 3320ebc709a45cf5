//! What is said of a session.

use mx_room_key::ExportedSessionData;

use crate::{record::Record, table::Column};

pub(super) fn record(session: &ExportedSessionData<'_>) -> Record {
    let data = &session.session;
    Record::new()
        .with("room_id", session.room_id())
        .with("session_id", session.session_id().as_str())
        .with("first_known_index", data.session_key.first_known_index())
        .with("shared_history", data.shared_history)
        .with("forwarded", data.forwarding_chain.len())
        .with("sender_key", data.sender_key.to_string())
}

pub(super) const COLUMNS: &[Column] = &[
    Column { name: "room_id", width: 40 },
    Column { name: "session_id", width: 43 },
    Column { name: "first_known_index", width: 17 },
    Column { name: "shared_history", width: 14 },
    Column { name: "forwarded", width: 9 },
    Column { name: "sender_key", width: 43 },
];
