//! Whose lists are followed, and which of them are outdated.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, UserId};

use crate::config::Config;
use crate::event::Event;
use crate::flags::Flags;
use crate::query::{InFlight, QueryId};
use crate::step::{Changes, Step};
use crate::sync::DeviceLists;
use crate::time::{BackOff, Timestamp, Wait};

/// This device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnDevice {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) ed25519: Ed25519PublicKey,
    pub(crate) curve25519: Curve25519PublicKey,
}

impl OwnDevice {
    /// With the keys of its account.
    #[must_use]
    pub fn new(
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        ed25519: Ed25519PublicKey,
        curve25519: Curve25519PublicKey,
    ) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            device_id: device_id.as_str().to_owned(),
            ed25519,
            curve25519,
        }
    }
}

/// Whose lists are followed, which of them are outdated, and which queries are on their way.
///
/// Only the [`Flags`] of users survive a restart; queries do not.
#[derive(Clone, Debug)]
pub struct Tracker {
    pub(crate) own: OwnDevice,
    pub(crate) config: Config,
    /// Counts invalidations and queries together, so that it is known which of two came first.
    pub(crate) counter: u64,
    pub(crate) steps: u64,
    pub(crate) users: BTreeMap<String, Tracked>,
    /// The one query that counts for a user.
    pub(crate) in_flight: BTreeMap<String, QueryId>,
    pub(crate) queries: BTreeMap<QueryId, InFlight>,
    /// Users whose keys the caller wants now.
    pub(crate) wishes: BTreeSet<String>,
    pub(crate) unanswered: Vec<String>,
    /// Servers that could not be reached.
    pub(crate) servers: BTreeMap<String, BackOff>,
    /// Users who are not tracked, and about whom something unauthenticated was heard.
    hints: BTreeMap<String, Wait>,
}

/// A user whose list is followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) outdated: bool,
    pub(crate) invalidated_at: u64,
    pub(crate) back_off: Option<BackOff>,
    /// Complaints of the last response.
    pub(crate) complaints: Vec<Event>,
    hint: Option<Wait>,
}

/// Users who are not tracked and about whom hints are counted. More at a time are not listened to.
const MAX_HINTED_USERS: usize = 1024;

impl Tracker {
    /// From the flags that are stored: none at first. Our own user is always tracked.
    pub fn new<'a>(
        own: OwnDevice,
        config: Config,
        stored: impl IntoIterator<Item = (UserId<'a>, Flags)>,
    ) -> Self {
        let own_user = (own.user_id.clone(), Tracked { outdated: true, ..Tracked::default() });
        let mut users = BTreeMap::from([own_user]);
        for (user_id, flags) in stored {
            if flags.tracked {
                let user = Tracked { outdated: flags.outdated, ..Tracked::default() };
                users.insert(user_id.as_str().to_owned(), user);
            }
        }
        Self {
            own,
            config,
            counter: 0,
            steps: 0,
            users,
            in_flight: BTreeMap::new(),
            queries: BTreeMap::new(),
            wishes: BTreeSet::new(),
            unanswered: Vec::new(),
            servers: BTreeMap::new(),
            hints: BTreeMap::new(),
        }
    }

    /// The users whose lists are followed, with whether the list is outdated, in their order.
    pub fn users(&self) -> impl Iterator<Item = (&str, bool)> {
        self.users.iter().map(|(user_id, user)| (user_id.as_str(), user.outdated))
    }

    /// A user's flags.
    #[must_use]
    pub fn flags(&self, user_id: UserId<'_>) -> Flags {
        let user = self.users.get(user_id.as_str());
        user.map_or(Flags::UNTRACKED, |user| Flags { tracked: true, outdated: user.outdated })
    }

    /// Follows the lists of users: all with whom an encrypted room is shared.
    pub fn track<'a>(&mut self, users: impl IntoIterator<Item = UserId<'a>>) -> Step<'static, ()> {
        let mut changes = self.changes();
        for user_id in users {
            let user_id = user_id.as_str();
            if !self.users.contains_key(user_id) {
                self.users.insert(user_id.to_owned(), Tracked::default());
                self.invalidate(user_id, &mut changes);
            }
        }
        Step::new(changes, ())
    }

    /// Takes `device_lists` of a `/sync` response or a response to `/keys/changes`, and whatever must not be stored before it:
    /// `next_batch`. If it were stored first, a crash in between would lose what the lists say.
    ///
    /// `/keys/changes` is asked when the next `/sync` does not go on from the token that is stored. If that fails, use
    /// [`mark_all_outdated`](Self::mark_all_outdated).
    ///
    /// A user who is in `left` stays tracked where `shares_room` knows of an encrypted room that we share: servers are sometimes wrong.
    pub fn receive_lists<T>(
        &mut self,
        lists: &DeviceLists<'_>,
        mut shares_room: impl FnMut(&str) -> bool,
        next_batch: T,
    ) -> Step<'static, T> {
        let mut changes = self.changes();
        for user_id in &lists.changed {
            self.invalidate(user_id, &mut changes);
        }
        for user_id in &lists.left {
            if **user_id != self.own.user_id && self.users.contains_key(&**user_id) && !shares_room(user_id) {
                self.users.remove(&**user_id);
                self.in_flight.remove(&**user_id);
                changes.flags(user_id, Flags::UNTRACKED);
            }
        }
        Step::new(changes, next_batch)
    }

    /// Marks a user's list as outdated because of something that hints at it: a message from an unknown device, a
    /// one-time key with a wrong signature. Anybody can cause that, so it is done once in a while only; of a user who is not
    /// tracked the keys are queried once, for the caller.
    pub fn mark_outdated(&mut self, now: Timestamp, user_id: UserId<'_>) -> Step<'static, ()> {
        let mut changes = self.changes();
        let user_id = user_id.as_str();
        let wait = Wait::new(now, self.config.hint_interval);
        if let Some(user) = self.users.get_mut(user_id) {
            if passed(&mut user.hint, now) {
                user.hint = Some(wait);
                self.invalidate(user_id, &mut changes);
            }
        } else {
            if self.hints.len() >= MAX_HINTED_USERS {
                self.hints.retain(|_, wait| {
                    wait.not_after(now);
                    !wait.is_over(now)
                });
            }
            let mut before = self.hints.get(user_id).copied();
            let has_room = before.is_some() || self.hints.len() < MAX_HINTED_USERS;
            if has_room && passed(&mut before, now) {
                self.hints.insert(user_id.to_owned(), wait);
                self.wishes.insert(user_id.to_owned());
            }
        }
        Step::new(changes, ())
    }

    /// Marks all lists as outdated: after a migration, when `/keys/changes` fails, or on suspicion.
    pub fn mark_all_outdated(&mut self) -> Step<'static, ()> {
        let mut changes = self.changes();
        let users: Vec<_> = self.users.keys().cloned().collect();
        for user_id in users {
            self.invalidate(&user_id, &mut changes);
        }
        Step::new(changes, ())
    }

    /// Until when to wait before encrypting for a user: only while nothing is known of the user's devices and a query is pending, and not
    /// for long. `since` is when the waiting began.
    #[must_use]
    pub fn wait_for_first_list(
        &self,
        user_id: UserId<'_>,
        knows_devices: bool,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let user_id = user_id.as_str();
        let user = self.users.get(user_id).filter(|user| user.outdated && !knows_devices)?;
        let is_pending = self.in_flight.contains_key(user_id) || !self.is_backing_off(user_id, user, now);
        let wait = Wait::new(since, self.config.first_list_wait);
        (is_pending && !wait.is_over(now)).then(|| wait.end())
    }

    /// The changes of the next step.
    pub(crate) const fn changes<'t>(&mut self) -> Changes<'t> {
        self.steps += 1;
        Changes::new(self.steps)
    }

    /// The next number of an invalidation or a query.
    pub(crate) const fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn invalidate(&mut self, user_id: &str, changes: &mut Changes<'_>) {
        let number = self.next();
        if let Some(user) = self.users.get_mut(user_id) {
            user.invalidated_at = number;
            if !user.outdated {
                user.outdated = true;
                changes.flags(user_id, Flags { tracked: true, outdated: true });
            }
        }
    }

    pub(crate) fn is_backing_off(&self, user_id: &str, user: &Tracked, now: Timestamp) -> bool {
        let server = server_name(user_id).and_then(|server| self.servers.get(server));
        user.back_off.iter().chain(server).any(|back_off| !back_off.wait.is_over(now))
    }
}

/// Whether a wait is over, if there is one.
fn passed(wait: &mut Option<Wait>, now: Timestamp) -> bool {
    wait.as_mut().is_none_or(|wait| {
        wait.not_after(now);
        wait.is_over(now)
    })
}

/// The name of a user's server.
pub(crate) fn server_name(user_id: &str) -> Option<&str> {
    user_id.split_once(':').map(|(_, server_name)| server_name)
}
