//! Which sessions a command is about.

use clap::Args;
use mx_room_key::ExportedSessionData;

/// All of the kinds that are given, and any of each kind.
#[derive(Args, Debug)]
pub(crate) struct Selection {
    /// Only sessions of this room; repeatable
    #[arg(long = "room", value_name = "ROOM_ID")]
    rooms: Vec<String>,
    /// Only the session with this ID; repeatable
    #[arg(long = "session", value_name = "SESSION_ID")]
    sessions: Vec<String>,
    /// Only sessions said to be from the device with this Curve25519 key; repeatable
    #[arg(long = "sender", value_name = "KEY")]
    senders: Vec<String>,
}

impl Selection {
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.sessions.is_empty() && self.senders.is_empty()
    }

    pub(super) fn has(&self, session: &ExportedSessionData<'_>) -> bool {
        let is_any = |of: &[String], text: &str| of.is_empty() || of.iter().any(|one| one == text);
        is_any(&self.rooms, session.room_id())
            && (self.sessions.is_empty() || is_any(&self.sessions, session.session_id().as_str()))
            && (self.senders.is_empty() || is_any(&self.senders, &session.session.sender_key.to_string()))
    }
}
