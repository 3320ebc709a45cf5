//! What a response to a query means.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use mx_signing::{KeysQueryResponse, QueryError, SignatureMemory};
use mx_types::UserId;

use crate::answer::{Known, SigningKeyObjects};
use crate::event::{Event, UserRefused, What};
use crate::flags::Flags;
use crate::list::{DeviceList, Updated};
use crate::query::{Purpose, QueryId};
use crate::step::{Changes, Step};
use crate::time::Timestamp;
use crate::tracker::{Tracker, server_name};

/// What a response brought.
#[derive(Clone, Debug, Default)]
pub struct Outcome<'t> {
    /// The users whose part of the response counts, in their order.
    pub users: Vec<Answered<'t>>,
    /// What happened, in the order of users, and of devices of a user; what is about a user comes before the user's devices.
    pub events: Vec<Event>,
}

/// A user whose part of the response counts.
#[derive(Clone, Debug)]
pub struct Answered<'t> {
    /// The user.
    pub user_id: String,
    /// The list of a user who is not tracked: it is not stored, and nobody follows it.
    pub untracked: Option<(DeviceList, SigningKeyObjects<'t>)>,
}

/// What the response says of a user.
enum Part<'t> {
    Present(Updated, SigningKeyObjects<'t>),
    /// Nothing.
    Absent,
    /// Nothing that could be taken.
    Refused(UserRefused),
}

impl Tracker {
    /// Takes the response to a query. `known` gives what is stored of a user.
    ///
    /// Only what the query asked for is looked at, and of that only users for whom this is the query that counts: one from before the
    /// user was not tracked for a while, one that has failed or was forgotten, and one from before a restart are void.
    ///
    /// A body that [`KeysQueryResponse::parse`] refuses is a failure: [`on_failure`](Self::on_failure).
    ///
    /// # Errors
    ///
    /// Those of `known`. Nothing has changed then, and the query is still on its way.
    pub fn on_response<'t, E>(
        &mut self,
        now: Timestamp,
        id: QueryId,
        response: &KeysQueryResponse<'t>,
        memory: &mut SignatureMemory,
        mut known: impl FnMut(UserId<'_>) -> Result<Known, E>,
    ) -> Result<Step<'t, Outcome<'t>>, E> {
        let Some(query) = self.queries.get(&id) else {
            return Ok(Step::new(self.changes(), Outcome::default()));
        };
        let Ok(failures) = response.failures() else {
            self.on_failure(now, id);
            return Ok(Step::new(self.changes(), Outcome::default()));
        };
        let failures: BTreeSet<_> = failures.map(ToOwned::to_owned).collect();
        let mut parts = Vec::new();
        for (user_id, purpose) in &query.users {
            if self.in_flight.get(user_id) == Some(&id) {
                let part = self.judge(now, user_id, response, memory, &mut known)?;
                parts.push((user_id.clone(), *purpose, part));
            }
        }

        // Nothing fails from here on.
        self.queries.remove(&id);
        let mut changes = self.changes();
        let mut outcome = Outcome::default();
        let mut servers = BTreeMap::new();
        for (user_id, purpose, part) in parts {
            self.lands(&user_id, id);
            let server =
                server_name(&user_id).filter(|server| Some(*server) != server_name(&self.own.user_id));
            let has_failed = server_name(&user_id).is_some_and(|server| failures.contains(server));
            if let Some(server) = server {
                let is_present = matches!(part, Part::Present(..));
                if has_failed || is_present {
                    servers.insert(server.to_owned(), has_failed);
                }
            }
            let waits_for_server = has_failed && server.is_some();
            match part {
                Part::Present(updated, keys) => {
                    let clears = purpose == Purpose::Outdated && !has_failed;
                    self.wishes.remove(&user_id);
                    self.apply(&user_id, clears.then_some(id), updated, keys, &mut changes, &mut outcome);
                    if has_failed && !waits_for_server {
                        self.back_off(&user_id, now);
                    }
                }
                Part::Absent => {
                    self.disappoint(&user_id);
                    if purpose == Purpose::Outdated && !waits_for_server {
                        self.back_off(&user_id, now);
                    }
                }
                Part::Refused(refused) => {
                    self.disappoint(&user_id);
                    let what = What::UserRefused(refused);
                    let event = Event { user_id: user_id.clone(), device_id: None, what };
                    self.report(&user_id, Vec::from([event]), &mut outcome);
                    if purpose == Purpose::Outdated {
                        self.back_off(&user_id, now);
                    }
                }
            }
        }
        for (server, has_failed) in servers {
            let before = self.servers.remove(&server);
            if has_failed {
                self.servers.insert(server, self.next_back_off(before, now));
            }
        }
        Ok(Step::new(changes, outcome))
    }

    fn judge<'t, E>(
        &self,
        now: Timestamp,
        user_id: &str,
        response: &KeysQueryResponse<'t>,
        memory: &mut SignatureMemory,
        known: &mut impl FnMut(UserId<'_>) -> Result<Known, E>,
    ) -> Result<Part<'t>, E> {
        let count = response.user_count();
        if count > self.config.max_users {
            return Ok(Part::Refused(UserRefused::TooManyUsers { count }));
        }
        // Users are tracked and wished for by valid IDs only.
        let Ok(user_id) = UserId::parse(user_id) else { return Ok(Part::Absent) };
        match response.device_count(user_id) {
            Err(QueryError::NoAnswer) => return Ok(Part::Absent),
            Err(_) => return Ok(Part::Refused(UserRefused::Malformed)),
            Ok(count) if count > self.config.max_devices => {
                return Ok(Part::Refused(UserRefused::TooManyDevices { count }));
            }
            Ok(_) => {}
        }
        let Known { list, signing_keys } = known(user_id)?;
        let list = list.unwrap_or_else(|| DeviceList::new(user_id));
        let keys = SigningKeyObjects::read(response, user_id);
        let signing_keys =
            signing_keys.into_iter().chain(keys.claimed()).map(|key| *key.as_bytes()).collect();
        let this_device = Some(&self.own).filter(|own| own.user_id == user_id.as_str());
        let devices = response.devices_with(memory, user_id).into_iter().flatten();
        Ok(Part::Present(list.update(devices, &signing_keys, this_device, now), keys))
    }

    /// Takes what a response says of a user. The query `clears` the flag, unless the list was invalidated after it was sent.
    fn apply<'t>(
        &mut self,
        user_id: &str,
        clears: Option<QueryId>,
        updated: Updated,
        keys: SigningKeyObjects<'t>,
        changes: &mut Changes<'t>,
        outcome: &mut Outcome<'t>,
    ) {
        let mut answered = Answered { user_id: user_id.to_owned(), untracked: None };
        if let Some(user) = self.users.get_mut(user_id) {
            if updated.is_changed {
                changes.list(updated.list);
            }
            if let Some(QueryId(sent_at)) = clears {
                user.back_off = None;
                if user.invalidated_at < sent_at {
                    user.outdated = false;
                    changes.flags(user_id, Flags { tracked: true, outdated: false });
                }
            }
            changes.signing_keys(keys);
        } else {
            answered.untracked = Some((updated.list, keys));
        }
        self.report(user_id, updated.events, outcome);
        outcome.users.push(answered);
    }

    /// Reports events, except for complaints that the response before had, too.
    fn report(&mut self, user_id: &str, mut events: Vec<Event>, outcome: &mut Outcome<'_>) {
        if let Some(user) = self.users.get_mut(user_id) {
            let complaints = events.iter().filter(|event| event.what.is_complaint()).cloned().collect();
            let before = core::mem::replace(&mut user.complaints, complaints);
            events.retain(|event| !before.contains(event));
        }
        outcome.events.append(&mut events);
    }
}
