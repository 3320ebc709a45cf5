//! Copies of sessions in several files, in memory that does not grow with them: some sessions at a time, chosen by chance,
//! and the files are read as often as that takes.

use core::hash::BuildHasher as _;
use std::{collections::HashMap, hash::RandomState};

use mx_megolm::{Comparison, GroupSessionId, InboundGroupSession};
use mx_room_key::ExportedSessionData;

use crate::{
    failure::Failure,
    key_file::{self, KeyFile},
};

use super::refused::Refused;

/// Which sessions are looked at in which reading of the files.
#[derive(Debug)]
pub(super) struct Passes {
    /// By chance, so that no file can have all its sessions in one pass.
    hasher: RandomState,
    count: u64,
}

impl Passes {
    /// Enough for files of so many bytes together.
    pub(super) fn for_files(bytes: u64) -> Self {
        let sessions = bytes / FEWEST_BYTES_OF_A_SESSION;
        Self { hasher: RandomState::new(), count: sessions.div_ceil(SESSIONS_AT_ONCE).max(1) }
    }

    pub(super) const fn all(&self) -> core::ops::Range<u64> {
        0..self.count
    }

    fn has(&self, pass: u64, room_id: &str, session_id: &GroupSessionId) -> bool {
        self.count == 1 || self.hasher.hash_one((room_id, session_id)) % self.count == pass
    }

    /// Hands out the sessions of a file that belong to a pass. Entries that are none are named in the first one.
    pub(super) fn read(
        &self,
        pass: u64,
        file: &mut KeyFile,
        refused: &mut Refused<'_>,
        mut take: impl FnMut(ExportedSessionData<'static>),
    ) -> Result<(), Failure> {
        let name = file.name().to_owned();
        let mut sessions = file.sessions()?;
        while let Some(session) = sessions.next_session().map_err(|error| key_file::failure(&name, &error))? {
            match session {
                Ok(session) if self.has(pass, session.room_id(), &session.session_id()) => {
                    take(session.into_owned());
                }
                Ok(_) => {}
                Err(error) if pass == 0 => refused.note(&error),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Half a kilobyte each.
const SESSIONS_AT_ONCE: u64 = 80_000;

/// Of Base64. The session key alone has 220 characters in the JSON, and no session is without the names of its members.
const FEWEST_BYTES_OF_A_SESSION: u64 = 540;

/// The best copy of each session so far, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Copies {
    places: HashMap<(String, GroupSessionId), usize>,
    #[expect(clippy::vec_box, reason = "session keys stay where they are when the list grows")]
    held: Vec<Box<Held>>,
}

/// The best copy of a session.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) session: ExportedSessionData<'static>,
    /// The number of the file that it is from.
    pub(super) file: usize,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// There was none before.
    New,
    /// It begins earlier.
    Better,
    /// It begins no earlier.
    NoBetter,
    /// It is not the session that is held, which is of this file, but has its ID.
    Unconnected { held: usize },
}

impl Copies {
    pub(super) fn take(&mut self, session: ExportedSessionData<'static>, file: usize) -> Taken {
        let id = (session.room_id().to_owned(), session.session_id());
        let Some(held) = self.places.get(&id).and_then(|place| self.held.get_mut(*place)) else {
            self.places.insert(id, self.held.len());
            self.held.push(Box::new(Held { session, file }));
            return Taken::New;
        };
        let comparison = compare(&session, &held.session);
        if comparison == Comparison::Unconnected {
            return Taken::Unconnected { held: held.file };
        }
        // Neither file is to be believed more: what one of them does not allow is not allowed.
        let shared_history = session.session.shared_history && held.session.session.shared_history;
        let taken = if comparison == Comparison::Better {
            **held = Held { session, file };
            Taken::Better
        } else {
            Taken::NoBetter
        };
        held.session.session.shared_history = shared_history;
        taken
    }

    pub(super) fn remove(&mut self, session: &ExportedSessionData<'_>) -> Option<Box<Held>> {
        let place = self.places.remove(&(session.room_id().to_owned(), session.session_id()))?;
        let last = self.held.len().checked_sub(1)?;
        let removed = (place <= last).then(|| self.held.swap_remove(place))?;
        if place < last
            && let Some(moved) = self.held.get(place)
        {
            let id = (moved.session.room_id().to_owned(), moved.session.session_id());
            self.places.insert(id, place);
        }
        Some(removed)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().map(|held| &**held)
    }
}

/// How a copy relates to another one of the same ID.
pub(super) fn compare(copy: &ExportedSessionData<'_>, other: &ExportedSessionData<'_>) -> Comparison {
    let session = |data: &ExportedSessionData<'_>| InboundGroupSession::import(&data.session.session_key);
    session(copy).compare(&session(other))
}
