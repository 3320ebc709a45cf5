//! The replay guard: one message of a session stands in one event.

use alloc::{
    borrow::ToOwned as _,
    boxed::Box,
    collections::{BTreeMap, btree_map::Entry},
    string::String,
};
use core::fmt;

use crate::event::Event;

/// The event in which each index of each session stood first. It goes by session, not by room, and forgets nothing.
#[derive(Debug, Default)]
pub(crate) struct Replays(BTreeMap<String, BTreeMap<u32, FirstSeen>>);

/// The event in which a message stood first: by this an event is told from another with the same message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FirstSeen {
    /// `event_id`, if it had one.
    pub event_id: Option<Box<str>>,
    /// `origin_server_ts` in milliseconds since 1970, if it had one.
    pub origin_server_ts: Option<i64>,
}

impl Replays {
    /// Takes note of a message that was found authentic and of this room. If it stood in another event before, that
    /// event is the error. The same event may come again.
    pub(crate) fn check(
        &mut self,
        session_id: &str,
        message_index: u32,
        event: &Event<'_>,
    ) -> Result<(), FirstSeen> {
        let new = FirstSeen::of(event);
        if !self.0.contains_key(session_id) {
            self.0.insert(session_id.to_owned(), BTreeMap::new());
        }
        let Some(indices) = self.0.get_mut(session_id) else { return Ok(()) };
        match indices.entry(message_index) {
            Entry::Vacant(vacant) => {
                vacant.insert(new);
                Ok(())
            }
            Entry::Occupied(first) if first.get().is_same_event(&new) => Ok(()),
            Entry::Occupied(first) => Err(first.get().clone()),
        }
    }
}

impl FirstSeen {
    fn of(event: &Event<'_>) -> Self {
        Self { event_id: event.event_id.as_deref().map(Box::from), origin_server_ts: event.origin_server_ts }
    }

    /// Whether it is known of both that they are one event. Of what has no ID or no time it is not.
    fn is_same_event(&self, other: &Self) -> bool {
        self.event_id.is_some() && self.origin_server_ts.is_some() && self == other
    }
}

impl fmt::Display for FirstSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.event_id, self.origin_server_ts) {
            (Some(event_id), Some(origin_server_ts)) => write!(f, "{event_id} of {origin_server_ts}"),
            (Some(event_id), None) => write!(f, "{event_id}"),
            (None, _) => f.write_str("one without an ID"),
        }
    }
}
