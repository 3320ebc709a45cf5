//! All interleavings of a tracker, a server and a store, within a budget of each kind of event, by breadth-first search.
//!
//! The server has one user whose list changes. It sends notices of that in the order in which things happen, and answers queries in any
//! order, each with the list that it has at that moment. Answers arrive in any order, too. The store writes one thing at a time, and the
//! process can die between any two writes; `next_batch` is one of them.

#![allow(
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod support;

use core::hash::{Hash, Hasher};
use std::collections::{HashSet, VecDeque};
use std::hash::DefaultHasher;

use mx_device_list::{Config, DeviceLists, Flags, QueryId, Sealed, Step, Timestamp, Tracker, Write};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use support::{BOB, Store, device_keys, response, user};

/// What the server says in `/sync`, with the version of the list at that moment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Notice {
    /// The list has become this version.
    Changed(usize),
    /// The last shared room was left.
    Left,
    /// A room is shared again: the caller tracks the user.
    Joined(usize),
}

/// A query that was sent, and the version that the server has answered with.
#[derive(Clone, Copy, Debug)]
struct Asked {
    id: QueryId,
    answer: Option<usize>,
}

/// What is still to be written, and what is known then.
#[derive(Clone, Debug)]
enum Pending {
    List(usize),
    Flags(Flags),
    NextBatch(usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Budget {
    queries: usize,
    changes: usize,
    failures: usize,
    restarts: usize,
    leaves: usize,
}

#[derive(Clone)]
struct World {
    tracker: Tracker,
    store: Store,
    /// Notices that the client has taken.
    synced: usize,
    pending: VecDeque<Pending>,
    version: usize,
    shares_room: bool,
    notices: Vec<Notice>,
    asked: Vec<Asked>,
    left: Budget,
}

/// The versions of the list, each with one device named for it.
struct Bodies(Vec<String>);

const CONFIG: Config =
    Config { first_back_off: 0, longest_back_off: 0, query_timeout: u64::MAX, ..Config::DEFAULT };

const NOW: Timestamp = Timestamp(7);

impl World {
    /// Bob is not tracked yet: the first notice says that a room is shared.
    fn new(budget: Budget) -> Self {
        let world = support::World::with(CONFIG);
        Self {
            tracker: world.tracker,
            store: world.store,
            synced: 0,
            pending: VecDeque::new(),
            version: 0,
            shares_room: true,
            notices: vec![Notice::Joined(0)],
            asked: Vec::new(),
            left: budget,
        }
    }

    /// Two worlds with the same key go on in the same way.
    fn key(&self) -> u64 {
        let Self { tracker, store, synced, pending, version, shares_room, notices, asked, left } = self;
        let stored =
            (store.flags.get(BOB).map(|flags| flags.to_byte()), self.stored_version(), store.next_batch);
        let mut hasher = DefaultHasher::new();
        format!("{tracker:?}{stored:?}{synced}{pending:?}{version}{shares_room}{notices:?}{asked:?}{left:?}")
            .hash(&mut hasher);
        hasher.finish()
    }

    fn stored_version(&self) -> Option<usize> {
        let list = self.store.lists.get(BOB)?;
        let device = list.devices().next()?;
        device.device_id().strip_prefix('V')?.parse().ok()
    }

    /// Splits a step into its writes; what is sealed comes after them.
    fn save<T>(&mut self, step: Step<'_, T>, next_batch: impl FnOnce(T) -> Option<usize>) {
        let (changes, sealed): (_, Sealed<T>) = step.split();
        for write in changes.writes() {
            let write = match write {
                Write::List(list) => {
                    // The list itself is kept at once and shown only when it is written: versions differ by one device.
                    let device = list.devices().next().unwrap().device_id().strip_prefix('V').unwrap();
                    Pending::List(device.parse().unwrap())
                }
                Write::Flags { user_id, flags } => {
                    assert_eq!(user_id, BOB);
                    Pending::Flags(flags)
                }
            };
            self.pending.push_back(write);
        }
        let next_batch = next_batch(sealed.release(changes).unwrap());
        self.pending.extend(next_batch.map(Pending::NextBatch));
    }

    /// Does the next write.
    fn write(&mut self, lists: &[mx_device_list::DeviceList]) {
        match self.pending.pop_front() {
            None => {}
            Some(Pending::List(version)) => self.store.write(Write::List(&lists[version])),
            Some(Pending::Flags(flags)) => self.store.write(Write::Flags { user_id: BOB, flags }),
            Some(Pending::NextBatch(next_batch)) => self.store.next_batch = next_batch,
        }
    }

    fn can_sync(&self) -> bool {
        self.pending.is_empty() && self.synced < self.notices.len()
    }

    /// One `/sync` response: everything that the server has said since.
    fn sync(&mut self) {
        let mut lists = DeviceLists::default();
        let mut joined = false;
        for notice in &self.notices[self.synced..] {
            match notice {
                Notice::Changed(_) => lists.changed.push(BOB.into()),
                Notice::Left => (joined, lists.left) = (false, vec![BOB.into()]),
                Notice::Joined(_) => joined = true,
            }
        }
        self.synced = self.notices.len();
        let next_batch = self.synced;
        let step = self.tracker.receive_lists(&lists, |_| false, next_batch);
        if joined {
            // The caller has learnt of the room from the same response: the token is stored after both.
            self.save(step, |_| None);
            let step = self.tracker.track([user(BOB)]);
            self.save(step, |()| Some(next_batch));
        } else {
            self.save(step, Some);
        }
    }

    fn poll(&mut self) -> bool {
        let Some(query) = self.tracker.poll_query(NOW) else { return false };
        assert_eq!(query.users, [BOB]);
        self.asked.push(Asked { id: query.id, answer: None });
        true
    }

    fn respond(&mut self, index: usize, bodies: &Bodies, memory: &mut SignatureMemory) {
        let Asked { id, answer } = self.asked.remove(index);
        let response = KeysQueryResponse::parse(&bodies.0[answer.unwrap()]).unwrap();
        let Self { tracker, store, .. } = self;
        let Ok(step) = tracker.on_response(NOW, id, &response, memory, |user_id| store.known(user_id));
        self.save(step, |_| None);
    }

    /// The process dies and starts again from what was written. Queries of the one before are answered to nobody.
    fn restart(&mut self) {
        self.asked.clear();
        self.tracker = self.store.restart(CONFIG);
        self.synced = self.store.next_batch;
        self.pending.clear();
    }

    /// What must hold in every state, of the tracker and of the store.
    fn check(&self) {
        let newest = |taken: usize| {
            self.notices[..taken]
                .iter()
                .filter_map(|notice| match notice {
                    Notice::Changed(version) | Notice::Joined(version) => Some(*version),
                    Notice::Left => None,
                })
                .max()
        };
        let flags = self.tracker.flags(user(BOB));
        if flags.tracked && !flags.outdated {
            // What is on its way to the store is what the tracker knows.
            let version = self.pending.iter().rev().find_map(|write| match write {
                Pending::List(version) => Some(*version),
                _ => None,
            });
            let version = version.or(self.stored_version());
            assert!(version >= newest(self.synced), "current with {version:?} after {:?}", self.notices);
        }
        if let Some(flags) = self.store.flags.get(BOB).filter(|flags| flags.tracked && !flags.outdated) {
            let (version, taken) = (self.stored_version(), self.store.next_batch);
            assert!(
                version >= newest(taken),
                "{flags:?} with {version:?} stored, {taken} of {:?}",
                self.notices
            );
        }
    }

    /// With nothing more going wrong, everything becomes current after a few steps, and then nothing is queried.
    fn settle(mut self, bodies: &Bodies, lists: &[mx_device_list::DeviceList], memory: &mut SignatureMemory) {
        for _ in 0..40 {
            self.check();
            if !self.pending.is_empty() {
                self.write(lists);
            } else if self.can_sync() {
                self.sync();
            } else if let Some(index) = (!self.asked.is_empty()).then_some(0) {
                let version = self.version;
                self.asked[index].answer.get_or_insert(version);
                self.respond(index, bodies, memory);
            } else if !self.poll() {
                let flags = self.tracker.flags(user(BOB));
                assert_eq!(flags.tracked, self.shares_room);
                if flags.tracked {
                    assert!(!flags.outdated, "nothing is queried, and it is outdated");
                    assert_eq!(self.stored_version(), Some(self.version));
                }
                return;
            }
        }
        unreachable!("it is queried for ever");
    }

    /// Every world that can come next.
    fn next(
        &self,
        bodies: &Bodies,
        lists: &[mx_device_list::DeviceList],
        memory: &mut SignatureMemory,
    ) -> Vec<Self> {
        let mut next = Vec::new();
        let mut with = |change: &mut dyn FnMut(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            next.push(world);
        };
        if !self.pending.is_empty() {
            with(&mut |world| world.write(lists));
        }
        if self.can_sync() {
            with(&mut |world| world.sync());
        }
        if self.left.queries > 0 && self.tracker.clone().poll_query(NOW).is_some() {
            with(&mut |world| {
                world.left.queries -= 1;
                world.poll();
            });
        }
        for index in 0..self.asked.len() {
            if self.asked[index].answer.is_none() {
                with(&mut |world| world.asked[index].answer = Some(world.version));
            } else if self.pending.is_empty() {
                with(&mut |world| world.respond(index, bodies, memory));
            }
            if self.left.failures > 0 {
                // The answer may still come, of a query that was given up.
                with(&mut |world| {
                    world.left.failures -= 1;
                    let id = world.asked[index].id;
                    world.tracker.on_failure(NOW, id);
                });
            }
        }
        if self.left.changes > 0 {
            with(&mut |world| {
                world.left.changes -= 1;
                world.version += 1;
                if world.shares_room {
                    world.notices.push(Notice::Changed(world.version));
                }
            });
        }
        if self.left.restarts > 0 {
            with(&mut |world| {
                world.left.restarts -= 1;
                world.restart();
            });
        }
        if self.left.leaves > 0 && self.shares_room {
            with(&mut |world| {
                world.left.leaves -= 1;
                world.shares_room = false;
                world.notices.push(Notice::Left);
            });
        }
        if !self.shares_room {
            with(&mut |world| {
                world.shares_room = true;
                world.notices.push(Notice::Joined(world.version));
            });
        }
        next
    }
}

/// How many states there are within the budget.
fn explore(budget: Budget) -> usize {
    let bodies: Vec<_> = (0..=budget.changes)
        .map(|version| {
            let device_id = format!("V{version}");
            response(&[(BOB, &[(&device_id, device_keys(BOB, &device_id, "bob"))])])
        })
        .collect();
    let lists: Vec<_> = bodies
        .iter()
        .map(|body| {
            let mut world = support::World::new();
            world.track(BOB);
            world.query(BOB, body);
            world.store.lists[BOB].clone()
        })
        .collect();
    let bodies = Bodies(bodies);
    let mut memory = SignatureMemory::default();
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([World::new(budget)]);
    seen.insert(queue[0].key());
    while let Some(world) = queue.pop_front() {
        world.check();
        world.clone().settle(&bodies, &lists, &mut memory);
        let next = world.next(&bodies, &lists, &mut memory);
        queue.extend(next.into_iter().filter(|world| seen.insert(world.key())));
    }
    seen.len()
}

// DL-1, DL-3, DL-4, DL-13, DL-20, DL-21, DL-27
#[test]
fn attack_127_responses_out_of_order_clear_the_flag() {
    let budget = Budget { queries: 2, changes: 2, failures: 1, restarts: 1, leaves: 1 };
    let states = explore(budget);
    // `cargo test -p mx-device-list --test exploration -- --nocapture`
    println!("{states} states with {budget:?}");
    assert_eq!(states, 243_849);
}
