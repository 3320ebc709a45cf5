//! The rooms of a file, counted.

use std::collections::BTreeMap;

use mx_room_key::ExportedSessionData;

use crate::{record::Record, table::Column};

/// Rooms that are counted one by one. A user has thousands; a hostile file has as many as it has sessions.
const MAX_ROOMS: usize = 50_000;

/// Counts for each room, and for all together.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: BTreeMap<String, Room>,
    total: Room,
    /// Sessions of rooms for which there was no place.
    elsewhere: u64,
}

#[derive(Clone, Copy, Debug)]
struct Room {
    sessions: u64,
    from_the_beginning: u64,
    lowest: u32,
    highest: u32,
    shareable: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { sessions: 0, from_the_beginning: 0, lowest: u32::MAX, highest: 0, shareable: 0 }
    }
}

impl Room {
    fn count(&mut self, index: u32, shareable: bool) {
        self.sessions += 1;
        self.from_the_beginning += u64::from(index == 0);
        self.lowest = self.lowest.min(index);
        self.highest = self.highest.max(index);
        self.shareable += u64::from(shareable);
    }

    fn record(&self) -> Record {
        let index = |index: u32| if self.sessions == 0 { serde_json::Value::Null } else { index.into() };
        Record::new()
            .with("sessions", self.sessions)
            .with("from_index_0", self.from_the_beginning)
            .with("lowest_index", index(self.lowest))
            .with("highest_index", index(self.highest))
            .with("shared_history", self.shareable)
    }
}

impl Rooms {
    pub(super) fn count(&mut self, session: &ExportedSessionData<'_>) {
        let (index, shareable) =
            (session.session.session_key.first_known_index(), session.session.shared_history);
        self.total.count(index, shareable);
        if let Some(room) = self.rooms.get_mut(session.room_id()) {
            room.count(index, shareable);
        } else if self.rooms.len() < MAX_ROOMS {
            self.rooms.entry(session.room_id().to_owned()).or_default().count(index, shareable);
        } else {
            self.elsewhere += 1;
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.rooms
            .iter()
            .map(|(room_id, room)| Record::new().with("room_id", room_id.as_str()).followed_by(room.record()))
    }

    /// All rooms together.
    pub(super) fn total(&self) -> Record {
        let record = Record::new().with("rooms", self.rooms.len());
        let record =
            if self.elsewhere > 0 { record.with("sessions_of_more_rooms", self.elsewhere) } else { record };
        record.followed_by(self.total.record())
    }
}

pub(super) const COLUMNS: &[Column] = &[
    Column { name: "room_id", width: 40 },
    Column { name: "sessions", width: 8 },
    Column { name: "from_index_0", width: 12 },
    Column { name: "lowest_index", width: 12 },
    Column { name: "highest_index", width: 13 },
    Column { name: "shared_history", width: 14 },
];
