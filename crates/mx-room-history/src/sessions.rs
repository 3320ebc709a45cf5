//! The sessions that some events need, out of a key file.

use alloc::{borrow::ToOwned as _, collections::BTreeMap, string::String, vec, vec::Vec};
use core::fmt;

use mx_megolm::{Comparison, DecryptError, decrypt_buffer_len};
use mx_room_key::{ExportedSessionData, RoomKey};
use mx_types::RoomId;
use zeroize::Zeroizing;

use crate::{
    event::{Encrypted, Event},
    judge::address,
};

/// Which sessions events need, and those of them that were found.
///
/// First every event goes through [`NeededSessions::add_event`], then every session of a key file through
/// [`NeededSessions::offer`]. Of a large file only what is needed is kept.
#[derive(Debug, Default)]
pub struct NeededSessions {
    /// By session ID.
    sessions: BTreeMap<String, Session>,
    rooms: usize,
    /// The room of events that do not name theirs.
    default_room: Option<String>,
}

/// A session ID, under which a file may have keys for several rooms.
#[derive(Debug, Default)]
struct Session {
    /// Copies by room. Those that are no continuation of each other stand side by side: nothing in a file proves which
    /// of them is the session.
    rooms: BTreeMap<String, Vec<RoomKey>>,
    /// The file has a key under this ID, perhaps for another room.
    was_offered: bool,
}

/// What became of a session that was offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offered {
    /// It is needed, and kept.
    Kept,
    /// No event needs it.
    NotNeeded,
    /// Events need a session with this ID, but in another room: this one decrypts nothing.
    OtherRoom,
    /// It contradicts [`MAX_COPIES`] others with the same ID and room, and is passed over.
    TooManyCopies,
}

/// More than [`MAX_SESSIONS`] sessions are needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooManySessions;

impl fmt::Display for TooManySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the events name more than {MAX_SESSIONS} sessions; divide the file")
    }
}

impl core::error::Error for TooManySessions {}

/// Why a message was not decrypted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotDecrypted {
    NoKey,
    /// There is a key, but for another room.
    OtherRoom,
    Error(DecryptError),
}

impl NeededSessions {
    /// Needs nothing yet. Events that do not name their room, as answers of a server to one room's `/messages` do not,
    /// are taken to be of `default_room`.
    #[must_use]
    pub fn new(default_room: Option<RoomId<'_>>) -> Self {
        Self { default_room: default_room.map(|room| room.as_str().to_owned()), ..Self::default() }
    }

    /// Takes note of the session that an event names, if it is a message of Megolm. What is wrong with an event is said
    /// when it is judged.
    ///
    /// # Errors
    ///
    /// [`TooManySessions`].
    pub fn add_event(&mut self, json: &[u8]) -> Result<(), TooManySessions> {
        let Some(event) = Event::parse(json).ok().filter(Event::is_encrypted) else { return Ok(()) };
        let Ok(encrypted) = Encrypted::parse(&event) else { return Ok(()) };
        let Ok((room_id, session_id)) = address(&event, &encrypted, self.default_room.as_deref()) else {
            return Ok(());
        };
        let is_known = self.sessions.get(session_id).is_some_and(|known| known.rooms.contains_key(room_id));
        if is_known {
            return Ok(());
        }
        if self.rooms >= MAX_SESSIONS {
            return Err(TooManySessions);
        }
        self.rooms += 1;
        let session = self.sessions.entry(session_id.to_owned()).or_default();
        session.rooms.insert(room_id.to_owned(), Vec::new());
        Ok(())
    }

    /// Keeps a session of a file if an event needs it. Copies of one session are merged.
    pub fn offer(&mut self, data: ExportedSessionData<'_>) -> Offered {
        let Some(session) = self.sessions.get_mut(data.session_id().as_str()) else {
            return Offered::NotNeeded;
        };
        session.was_offered = true;
        let Some(copies) = session.rooms.get_mut(data.room_id()) else { return Offered::OtherRoom };
        let copy = RoomKey::from_file(data);
        let is_connected = |held: &RoomKey| held.session().compare(copy.session()) != Comparison::Unconnected;
        if let Some(at) = copies.iter().position(is_connected) {
            // Connected copies always merge.
            copies.get_mut(at).map(|held| held.merge(copy));
        } else if copies.len() < MAX_COPIES {
            copies.push(copy);
        } else {
            return Offered::TooManyCopies;
        }
        Offered::Kept
    }

    /// How many sessions were kept, merged ones counted once.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.sessions.values().flat_map(|session| session.rooms.values()).map(Vec::len).sum()
    }

    pub(crate) fn default_room(&self) -> Option<&str> {
        self.default_room.as_deref()
    }

    /// Decrypts by the session of this room and ID, and no other.
    pub(crate) fn decrypt(
        &mut self,
        room_id: &str,
        session_id: &str,
        message: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, u32), NotDecrypted> {
        let session = self.sessions.get_mut(session_id).filter(|session| session.was_offered);
        let session = session.ok_or(NotDecrypted::NoKey)?;
        let copies = session.rooms.get_mut(room_id).filter(|copies| !copies.is_empty());
        let mut out = Zeroizing::new(vec![0; decrypt_buffer_len(message.len())]);
        let mut error = None;
        for copy in copies.ok_or(NotDecrypted::OtherRoom)? {
            match copy.decrypt(message, &mut out) {
                Ok(decrypted) => {
                    let (len, index) = (decrypted.plaintext.len(), decrypted.message_index);
                    out.truncate(len);
                    return Ok((out, index));
                }
                Err(new) => error = Some(later(error, new)),
            }
        }
        Err(error.map_or(NotDecrypted::NoKey, NotDecrypted::Error))
    }
}

/// Of copies that both failed, one that knows the index says more than one that does not.
const fn later(old: Option<DecryptError>, new: DecryptError) -> DecryptError {
    match old {
        None | Some(DecryptError::UnknownMessageIndex(_)) => new,
        Some(old) => old,
    }
}

/// Different keys that are kept under one session ID and room: one of them is the session, the others are made up.
pub const MAX_COPIES: usize = 4;

/// Sessions that events of one file may need, each counted once for each room that it is named in.
pub const MAX_SESSIONS: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_needed_up_to_a_bound() {
        let event = |session: &str| {
            alloc::format!(
                r#"{{"type":"m.room.encrypted","room_id":"!r:a","content":{{"session_id":"{session}"}}}}"#
            )
        };
        let mut needed = NeededSessions { rooms: MAX_SESSIONS - 1, ..NeededSessions::new(None) };
        assert_eq!(needed.add_event(event("one").as_bytes()), Ok(()));
        assert_eq!(needed.add_event(event("two").as_bytes()), Err(TooManySessions));
        // What is known needs no more room.
        assert_eq!(needed.add_event(event("one").as_bytes()), Ok(()));
        assert_eq!((needed.sessions.len(), needed.kept()), (1, 0));
    }
}
