//! What to query next, and queries that fail.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use mx_types::UserId;
use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};

use crate::time::{BackOff, Timestamp, Wait};
use crate::tracker::{Tracked, Tracker, server_name};

/// One query, until it is answered, fails or is cancelled. Its number is the tracker's counter when it was sent; after a restart it means nothing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct QueryId(pub(crate) u64);

/// A query to be sent: `POST /_matrix/client/v3/keys/query`. Serialized, it is the body of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "it counts as sent"]
pub struct Query {
    /// What its response is taken under.
    pub id: QueryId,
    /// The users whose devices are asked for.
    pub users: Vec<String>,
    /// Milliseconds that our homeserver shall wait for other servers.
    pub timeout: u64,
}

/// A query on its way.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    wait: Wait,
    pub(crate) users: BTreeMap<String, Purpose>,
}

/// What a user is queried for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// To become current.
    Outdated,
    /// Out of band: because the caller wants the keys now.
    Wish,
}

impl Tracker {
    /// The next query to send, if there is one: ask until there is none. Queries whose time is over have failed.
    ///
    /// Users whom the caller wants to know about come first, then those whose lists have been outdated for longest. A user for whom a query
    /// is on its way is in no second one: nobody could tell which of the two the server has answered later.
    pub fn poll_query(&mut self, now: Timestamp) -> Option<Query> {
        self.expire(now);
        let free = |user_id: &str| !self.in_flight.contains_key(user_id);
        let mut users: Vec<_> = self.wishes.iter().filter(|user_id| free(user_id)).cloned().collect();
        let mut outdated: Vec<_> = self
            .users
            .iter()
            .filter(|(user_id, user)| {
                user.outdated
                    && free(user_id)
                    && !self.wishes.contains(*user_id)
                    && !self.is_backing_off(user_id, user, now)
            })
            .collect();
        outdated.sort_by_key(|(_, user)| user.invalidated_at);
        users.extend(outdated.into_iter().map(|(user_id, _)| user_id.clone()));
        users.truncate(self.config.users_per_query);
        if users.is_empty() {
            return None;
        }

        let id = QueryId(self.next());
        let purpose = |user_id: &String| match self.users.get(user_id) {
            Some(Tracked { outdated: true, .. }) => Purpose::Outdated,
            _ => Purpose::Wish,
        };
        let purposes = users.iter().map(|user_id| (user_id.clone(), purpose(user_id))).collect();
        for user_id in &users {
            self.in_flight.insert(user_id.clone(), id);
        }
        let wait = Wait::new(now, self.config.query_timeout);
        self.queries.insert(id, InFlight { wait, users: purposes });
        Some(Query { id, users, timeout: self.config.server_timeout })
    }

    /// When to call [`poll_query`](Self::poll_query) again, if nothing else happens.
    #[must_use]
    pub fn next_poll(&self, now: Timestamp) -> Option<Timestamp> {
        let expiries = self.queries.values().map(|query| query.wait.end());
        let wishes = self.wishes.iter().filter(|user_id| !self.in_flight.contains_key(*user_id)).map(|_| now);
        let outdated = self
            .users
            .iter()
            .filter(|(user_id, user)| user.outdated && !self.in_flight.contains_key(*user_id));
        let ends = outdated.map(|(user_id, user)| {
            let server = server_name(user_id).and_then(|server| self.servers.get(server));
            user.back_off.iter().chain(server).map(|back_off| back_off.wait.end()).max().unwrap_or(now)
        });
        expiries.chain(wishes).chain(ends).min().map(|time| time.max(now))
    }

    /// Queries a user's keys as soon as possible, whoever it is and whatever is being waited for. If a query is on its way for the user, its
    /// response is the answer.
    ///
    /// What comes of it is in an [`Outcome`](crate::Outcome) or in [`unanswered`](Self::unanswered).
    pub fn wish(&mut self, user_id: UserId<'_>) {
        self.wishes.insert(user_id.as_str().into());
    }

    /// The users who were asked for with [`wish`](Self::wish) or because of a hint, and of whom nothing was learnt: since the last call.
    pub fn unanswered(&mut self) -> Vec<String> {
        core::mem::take(&mut self.unanswered)
    }

    /// Ends all waiting after failures: the network is back.
    pub fn retry_now(&mut self) {
        self.servers.clear();
        self.users.values_mut().for_each(|user| user.back_off = None);
    }

    /// A query has failed as a whole: its users are queried again later.
    pub fn on_failure(&mut self, now: Timestamp, id: QueryId) {
        let Some(query) = self.queries.remove(&id) else { return };
        for (user_id, purpose) in query.users {
            if !self.lands(&user_id, id) {
                continue;
            }
            self.disappoint(&user_id);
            if purpose == Purpose::Outdated {
                self.back_off(&user_id, now);
            }
        }
    }

    /// A query was cancelled, or was never sent: its users are queried again at once.
    pub fn forget(&mut self, id: QueryId) {
        if let Some(query) = self.queries.remove(&id) {
            for user_id in query.users.keys() {
                self.lands(user_id, id);
            }
        }
    }

    /// Ends the flight of a user's query. Says whether it is the one that counts.
    pub(crate) fn lands(&mut self, user_id: &str, id: QueryId) -> bool {
        let counts = self.in_flight.get(user_id) == Some(&id);
        if counts {
            self.in_flight.remove(user_id);
        }
        counts
    }

    /// A wish for the user was not fulfilled.
    pub(crate) fn disappoint(&mut self, user_id: &str) {
        self.unanswered.extend(self.wishes.take(user_id));
    }

    /// Waits before the user is queried again.
    pub(crate) fn back_off(&mut self, user_id: &str, now: Timestamp) {
        let next = self.next_back_off(self.users.get(user_id).and_then(|user| user.back_off), now);
        if let Some(user) = self.users.get_mut(user_id) {
            user.back_off = Some(next);
        }
    }

    pub(crate) fn next_back_off(&self, previous: Option<BackOff>, now: Timestamp) -> BackOff {
        BackOff::next(previous, now, self.config.first_back_off, self.config.longest_back_off)
    }

    /// Counts as failed what was never answered, and shortens waits that a clock that went back has made longer.
    fn expire(&mut self, now: Timestamp) {
        self.queries.values_mut().for_each(|query| query.wait.not_after(now));
        self.servers.values_mut().for_each(|back_off| back_off.wait.not_after(now));
        self.users.values_mut().filter_map(|user| user.back_off.as_mut()).for_each(|back_off| {
            back_off.wait.not_after(now);
        });
        let over = self.queries.iter().filter(|(_, query)| query.wait.is_over(now));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.on_failure(now, id));
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct AllDevices<'a>(&'a [String]);

        impl Serialize for AllDevices<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut users = serializer.serialize_map(Some(self.0.len()))?;
                for user_id in self.0 {
                    users.serialize_entry(user_id, &[(); 0])?;
                }
                users.end()
            }
        }

        let mut body = serializer.serialize_struct("Query", 2)?;
        body.serialize_field("device_keys", &AllDevices(&self.users))?;
        body.serialize_field("timeout", &self.timeout)?;
        body.end()
    }
}
