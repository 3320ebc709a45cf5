use alloc::{borrow::ToOwned as _, string::String};

use mx_room_key::RoomKey;

use crate::path::{Keys, keys_path, version_path};

/// A deletion on the server, which the user has asked for. It is for all devices of the user.
///
/// Send `DELETE` to [`path`](Self::path), and after a 200 let [`mark`](Self::mark) see every session.
#[derive(Clone, Debug)]
pub struct Deletion {
    path: String,
    /// Nothing: those of all rooms.
    room_id: Option<String>,
    /// Nothing: all of the room.
    session_id: Option<String>,
}

impl Deletion {
    /// The user wants the backup and all that is in it deleted.
    #[must_use]
    pub fn of_backup_by_user(version: &str) -> Self {
        Self { path: version_path(version), room_id: None, session_id: None }
    }

    /// The user wants these keys deleted, and to keep the backup.
    #[must_use]
    pub fn of_keys_by_user(version: &str, keys: Keys<'_>) -> Self {
        let (room_id, session_id) = match keys {
            Keys::All => (None, None),
            Keys::OfRoom(room_id) => (Some(room_id), None),
            Keys::OfSession(room_id, session_id) => (Some(room_id), Some(session_id)),
        };
        Self {
            path: keys_path(keys, version),
            room_id: room_id.map(|room_id| room_id.as_str().to_owned()),
            session_id: session_id.map(|session_id| session_id.as_str().to_owned()),
        }
    }

    /// Where to send the request.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Marks the session as not backed up if it was deleted. Says whether it was.
    pub fn mark(&self, room_key: &mut RoomKey) -> bool {
        let of_room = self.room_id.as_deref().is_none_or(|room_id| room_id == room_key.room_id());
        let deleted =
            of_room && self.session_id.as_deref().is_none_or(|id| id == room_key.session_id().as_str());
        if deleted {
            room_key.set_backed_up(false);
        }
        deleted
    }
}
