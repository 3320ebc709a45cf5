use alloc::{borrow::ToOwned, string::String, vec::Vec};

use mx_json::{
    check_len,
    required::{array, string},
};
use mx_megolm::GroupSessionId;
use mx_types::RoomId;
use zeroize::Zeroizing;

use crate::{
    BackedUpSessionData, MAX_SESSION_DATA_LEN, MalformedObject, ParseError, Withheld,
    emit::{self, Emitter},
    room_key_event::emit_begin,
    session_data::{MEMBERS, room_and_session},
};

/// The longest bundle that is read, in bytes.
pub const MAX_BUNDLE_LEN: usize = 64 << 20;

/// The most entries that a bundle may have, in both lists together.
pub const MAX_BUNDLE_ENTRIES: usize = 100_000;

/// The history of a room for somebody who was invited to it: what `m.room_key_bundle` refers to.
///
/// The room is the one that the invited user joined, not one that the bundle names. Whoever made the bundle vouches
/// for it alone: keep with each session who that was.
#[derive(Debug)]
pub struct RoomKeyBundle {
    room_id: String,
    /// Sessions. They are shareable, by being in a bundle.
    pub room_keys: Vec<BackedUpSessionData>,
    /// What is left out, and why.
    pub withheld: Vec<Withheld>,
}

/// A bundle as it was received, and what was left out of it.
#[derive(Debug)]
pub struct ReceivedBundle {
    /// What can be used of it.
    pub bundle: RoomKeyBundle,
    /// Entries that are not what they must be.
    pub refused: Vec<RefusedEntry>,
    /// How many entries are of other rooms. They are ignored.
    pub of_other_rooms: usize,
    /// How many entries withhold a session that the bundle has. They are ignored.
    pub withheld_and_shared: usize,
}

/// An entry of a bundle that was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusedEntry {
    /// The list that it is in.
    pub list: BundleList,
    /// Its place in the list, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: ParseError,
}

/// The lists of a bundle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BundleList {
    /// `room_keys`.
    RoomKeys,
    /// `withheld`.
    Withheld,
}

impl RoomKeyBundle {
    /// A bundle for a room, with nothing in it.
    #[must_use]
    pub fn new(room_id: RoomId<'_>) -> Self {
        Self { room_id: room_id.as_str().to_owned(), room_keys: Vec::new(), withheld: Vec::new() }
    }

    /// Reads the bundle for the room to which its maker has invited us. What is wrong with an entry leaves the others
    /// as they are.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for what is no bundle, or too large a one.
    pub fn parse(json: &[u8], room_id: RoomId<'_>) -> Result<ReceivedBundle, ParseError> {
        check_len(json, MAX_BUNDLE_LEN)?;
        let [room_keys, withheld] = mx_json::members(json, &["room_keys", "withheld"])?;
        let room_keys = array(room_keys, "room_keys")?;
        let withheld = withheld.map(|_| array(withheld, "withheld")).transpose()?.unwrap_or_default();
        // Counted before anything is allocated, so that the vectors do not grow: they would leave keys behind.
        let counts = (mx_json::elements(room_keys).count(), mx_json::elements(withheld).count());
        let (len, limit) = (counts.0 + counts.1, MAX_BUNDLE_ENTRIES);
        if len > limit {
            return Err(ParseError::TooLong { member: "room_keys and withheld", len, limit });
        }

        let mut received = ReceivedBundle {
            bundle: Self::new(room_id),
            refused: Vec::new(),
            of_other_rooms: 0,
            withheld_and_shared: 0,
        };
        received.bundle.room_keys.reserve_exact(counts.0);
        for (index, entry) in mx_json::elements(room_keys).enumerate() {
            match room_key(entry, room_id) {
                Ok(Some(session)) => received.bundle.room_keys.push(session),
                Ok(None) => received.of_other_rooms += 1,
                Err(reason) => received.refuse(BundleList::RoomKeys, index, reason),
            }
        }
        let shared = received.bundle.shared();
        for (index, entry) in mx_json::elements(withheld).enumerate() {
            match withheld_session(entry, room_id) {
                Ok(Some(withheld)) if is_in(&shared, &withheld) => received.withheld_and_shared += 1,
                Ok(Some(withheld)) => received.bundle.withheld.push(withheld),
                Ok(None) => received.of_other_rooms += 1,
                Err(reason) => received.refuse(BundleList::Withheld, index, reason),
            }
        }
        Ok(received)
    }

    /// The room whose history it is.
    #[must_use]
    pub fn room_id(&self) -> &str {
        &self.room_id
    }

    /// The JSON, in a vector that is wiped when dropped. A session in both lists is written to the first only, and
    /// what is withheld in other rooms not at all.
    #[must_use]
    pub fn emit_to_vec(&self) -> Zeroizing<Vec<u8>> {
        let shared = self.shared();
        emit::emit_to_vec(|out| {
            out.raw("{\"room_keys\":[");
            list(out, &self.room_keys, |out, session| {
                emit_begin(out, &self.room_id, &session.session_id());
                session.write_keys(out);
                out.raw("}");
            });
            out.raw("],\"withheld\":[");
            let here = |withheld: &&Withheld| withheld.room_id() == Some(self.room_id.as_str());
            let withheld = self.withheld.iter().filter(here).filter(|withheld| !is_in(&shared, withheld));
            list(out, withheld, |out, withheld| withheld.write(out));
            out.raw("]}");
        })
    }

    /// The IDs of the sessions, in order.
    fn shared(&self) -> Vec<GroupSessionId> {
        let mut ids = Vec::from_iter(self.room_keys.iter().map(BackedUpSessionData::session_id));
        ids.sort_unstable();
        ids
    }
}

impl ReceivedBundle {
    fn refuse(&mut self, list: BundleList, index: usize, reason: ParseError) {
        self.refused.push(RefusedEntry { list, index, reason });
    }
}

fn is_in(shared: &[GroupSessionId], withheld: &Withheld) -> bool {
    let session_id = withheld.session_id().unwrap_or_default();
    shared.binary_search_by(|id| id.as_str().cmp(session_id)).is_ok()
}

/// `None` for a session of another room.
fn room_key(entry: &[u8], room_id: RoomId<'_>) -> Result<Option<BackedUpSessionData>, ParseError> {
    check_len(entry, MAX_SESSION_DATA_LEN)?;
    let members = mx_json::members(entry, &MEMBERS)?;
    let [_, entry_room_id, ..] = members;
    if string(entry_room_id, "room_id")? != room_id.as_str() {
        return Ok(None);
    }
    let (_, session) = room_and_session(&members)?;
    // A bundle does not say how it came to a session, and has no session that must not be shared.
    Ok(Some(BackedUpSessionData { forwarding_chain: Vec::new(), shared_history: true, ..session }))
}

/// `None` for a session of another room.
fn withheld_session(entry: &[u8], room_id: RoomId<'_>) -> Result<Option<Withheld>, ParseError> {
    let withheld = Withheld::parse(entry)?;
    let entry_room_id = withheld.room_id().ok_or(MalformedObject::Missing { member: "room_id" })?;
    Ok((entry_room_id == room_id.as_str()).then_some(withheld))
}

fn list<T>(out: &mut Emitter<'_>, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Emitter<'_>, T)) {
    for (index, item) in items.into_iter().enumerate() {
        out.raw(if index == 0 { "" } else { "," });
        write(out, item);
    }
}
