//! The sessions that some events need, out of a key file.

use std::collections::{HashMap, HashSet};

use mx_megolm::{Comparison, DecryptError, decrypt_buffer_len};
use mx_room_key::RoomKey;
use zeroize::Zeroizing;

use crate::{
    failure::{self, Failure},
    key_file::{self, KeyFile},
};

/// Which sessions are needed: rooms by session ID.
#[derive(Debug, Default)]
pub(super) struct Needed(HashMap<String, HashSet<String>>);

impl Needed {
    pub(super) fn add(&mut self, room_id: &str, session_id: &str) {
        if !self.0.get(session_id).is_some_and(|rooms| rooms.contains(room_id)) {
            self.0.entry(session_id.to_owned()).or_default().insert(room_id.to_owned());
        }
    }
}

/// The sessions that were needed and found, by session and room.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    found: HashMap<String, Vec<Session>>,
    pub(super) counts: Counts,
}

/// What the key file had.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) entries: u64,
    pub(super) malformed: u64,
    pub(super) used: u64,
}

/// A session for a room. Copies of it that are no continuation of each other stand side by side: nothing in a file
/// proves which of them is the session.
#[derive(Debug)]
struct Session {
    room_id: String,
    copies: Vec<RoomKey>,
}

/// Why a message was not decrypted.
#[derive(Clone, Copy, Debug)]
pub(super) enum NotDecrypted {
    NoKey,
    /// There is a key, but for another room.
    OtherRoom,
    Error(DecryptError),
}

impl Sessions {
    /// Reads the whole file and keeps what is needed. What is no session is said and passed over.
    pub(super) fn load(file: &mut KeyFile, needed: &Needed) -> Result<Self, Failure> {
        let mut found = Self::default();
        let name = file.name().to_owned();
        let mut sessions = file.sessions()?;
        let mut told = 0;
        while let Some(session) = sessions.next_session().map_err(|error| key_file::failure(&name, &error))? {
            match session {
                Ok(session) => {
                    let id = session.session_id();
                    let Some(rooms) = needed.0.get(id.as_str()) else { continue };
                    // One for another room is kept only as that: it decrypts nothing.
                    let is_for_room = rooms.contains(session.room_id());
                    let copy = is_for_room.then(|| RoomKey::from_file(session));
                    found.add(id.as_str(), copy);
                }
                Err(error) if told < MAX_TOLD => {
                    told += 1;
                    failure::warn(format!("{name}: {error}; passed over"));
                }
                Err(_) => told += 1,
            }
        }
        if told > MAX_TOLD {
            failure::warn(format!("{name}: {} more entries are no sessions", told - MAX_TOLD));
        }
        let counts = sessions.counts();
        found.counts.entries = counts.entries;
        found.counts.malformed = counts.refused;
        found.counts.used = found.found.values().flatten().map(|session| session.copies.len() as u64).sum();
        Ok(found)
    }

    fn add(&mut self, id: &str, copy: Option<RoomKey>) {
        let sessions = self.found.entry(id.to_owned()).or_default();
        let Some(copy) = copy else { return };
        let Some(session) = sessions.iter_mut().find(|session| session.room_id == copy.room_id()) else {
            sessions.push(Session { room_id: copy.room_id().to_owned(), copies: vec![copy] });
            return;
        };
        let is_connected = |held: &RoomKey| held.session().compare(copy.session()) != Comparison::Unconnected;
        if let Some(at) = session.copies.iter().position(is_connected) {
            // Connected copies always merge.
            session.copies.get_mut(at).map(|held| held.merge(copy));
        } else if session.copies.len() < MAX_COPIES {
            session.copies.push(copy);
        } else {
            failure::warn(format!(
                "more than {MAX_COPIES} different keys for session {id}; one is passed over"
            ));
        }
    }

    /// Decrypts by the session of this room and ID, and no other.
    pub(super) fn decrypt(
        &mut self,
        room_id: &str,
        session_id: &str,
        message: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, u32), NotDecrypted> {
        let sessions = self.found.get_mut(session_id).ok_or(NotDecrypted::NoKey)?;
        let session = sessions.iter_mut().find(|session| session.room_id == room_id);
        let copies = &mut session.ok_or(NotDecrypted::OtherRoom)?.copies;
        let mut out = Zeroizing::new(vec![0; decrypt_buffer_len(message.len())]);
        let mut error = None;
        for copy in copies {
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

/// Different keys under one session ID: one of them is the session, the others are made up.
const MAX_COPIES: usize = 4;

/// Malformed entries that are named one by one; more are counted.
const MAX_TOLD: u64 = 10;
