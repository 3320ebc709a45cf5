//! The sessions that the events need, out of a key file.

use mx_room_history::{MAX_COPIES, NeededSessions, Offered};

use crate::{
    failure::{self, Failure},
    key_file::{self, KeyFile},
};

/// What the key file had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) entries: u64,
    pub(super) malformed: u64,
    pub(super) used: usize,
}

/// Reads the whole file and keeps what is needed. What is no session is said and passed over.
pub(super) fn load(file: &mut KeyFile, needed: &mut NeededSessions) -> Result<Counts, Failure> {
    let name = file.name().to_owned();
    let mut sessions = file.sessions()?;
    let mut told = 0;
    while let Some(session) = sessions.next_session().map_err(|error| key_file::failure(&name, &error))? {
        match session {
            Ok(session) => {
                let id = session.session_id();
                if needed.offer(session) == Offered::TooManyCopies {
                    failure::warn(format!(
                        "more than {MAX_COPIES} different keys for session {id}; one is passed over"
                    ));
                }
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
    Ok(Counts { entries: counts.entries, malformed: counts.refused, used: needed.kept() })
}

/// Malformed entries that are named one by one; more are counted.
const MAX_TOLD: u64 = 10;
