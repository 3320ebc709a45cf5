//! The states and events of a user: each event in each state.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_device_list::{Config, QueryId, What};
use serde_json::json;
use support::{BOB, World, device_keys, response, user};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Untracked.
    U,
    /// Outdated, idle.
    O,
    /// Outdated, query in flight.
    Q,
    /// As `Q`, invalidated again after sending.
    Again,
    /// Current.
    C,
    /// Outdated while a query out of band is in flight, which began when the list was current.
    OutdatedWhileWished,
    /// Current, a query out of band in flight.
    CurrentWhileWished,
}

use State::{Again, C, CurrentWhileWished, O, OutdatedWhileWished, Q, U};

/// Brings Bob into a state. The list that is stored has the device `OLD`.
fn bring(state: State) -> (World, Option<QueryId>) {
    // Without waits between tries, so that the table shows in the next query what was decided.
    let config = Config { first_back_off: 0, hint_interval: 0, max_devices: 1, ..Config::DEFAULT };
    let mut world = World::with(config);
    world.track(BOB);
    let query = world.poll().unwrap();
    world.respond(query.id, &response(&[(BOB, &[("OLD", device_keys(BOB, "OLD", "old"))])]));
    assert_eq!(world.device_ids(BOB), ["OLD"]);
    let mut id = None;
    match state {
        C => {}
        U => world.left(BOB),
        O => world.changed(BOB),
        Q | Again => {
            world.changed(BOB);
            id = world.poll().map(|query| query.id);
            if state == Again {
                world.changed(BOB);
            }
        }
        OutdatedWhileWished | CurrentWhileWished => {
            world.tracker.wish(user(BOB));
            id = world.poll().map(|query| query.id);
            if state == OutdatedWhileWished {
                world.changed(BOB);
            }
        }
    }
    // An outdated list for which a query out of band is in flight looks like one that was invalidated again.
    let shown = if state == OutdatedWhileWished { Again } else { state };
    assert_eq!(state_of(&mut world, id), shown);
    (world, id)
}

/// The state, as it shows: the flags, whether the query in flight is void, and whether its answer would clear the flag.
fn state_of(world: &mut World, id: Option<QueryId>) -> State {
    let flags = world.tracker.flags(user(BOB));
    if !flags.tracked {
        return U;
    }
    let mut probe = World {
        tracker: world.tracker.clone(),
        store: world.store.clone(),
        memory: mx_signing::SignatureMemory::default(),
        now: world.now,
        config: world.config,
    };
    let in_flight = id.filter(|id| {
        let body = response(&[(BOB, &[])]);
        !probe.respond(*id, &body).users.is_empty()
    });
    if in_flight.is_none() {
        return if flags.outdated { O } else { C };
    }
    match (flags.outdated, probe.outdated(BOB)) {
        (true, false) => Q,
        (true, true) => Again,
        (false, false) => CurrentWhileWished,
        (false, true) => panic!("a response has invalidated the list"),
    }
}

fn new_list() -> String {
    response(&[(BOB, &[("NEW", device_keys(BOB, "NEW", "new"))])])
}

fn failing(body: &str) -> String {
    let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["failures"] = json!({ "elsewhere.org": {} });
    body.to_string()
}

/// A test of one row: the state before, the state after, and whether `NEW` is stored then.
#[track_caller]
fn row(event: impl Fn(&mut World, Option<QueryId>), expected: &[(State, State, bool)]) {
    for (before, after, applied) in expected {
        let (mut world, id) = bring(*before);
        event(&mut world, id);
        assert_eq!(state_of(&mut world, id), *after, "from {before:?}");
        let stored = if *applied { ["NEW"] } else { ["OLD"] };
        assert_eq!(world.device_ids(BOB), stored, "from {before:?}");
        // What is outdated and not on its way is what is queried.
        let is_queried = world.poll().is_some_and(|query| query.users.iter().any(|user_id| user_id == BOB));
        assert_eq!(is_queried, *after == O, "from {before:?}");
    }
}

// DL-3
#[test]
fn track() {
    let after = [(U, O, false), (O, O, false), (Q, Q, false), (Again, Again, false), (C, C, false)];
    row(|world, _| world.track(BOB), &after);
}

// DL-14, DL-15
#[test]
fn mark_outdated() {
    let after = [(O, O, false), (Q, Again, false), (Again, Again, false), (C, O, false)];
    row(
        |world, _| {
            let step = world.tracker.mark_outdated(world.now, user(BOB));
            world.save(step);
        },
        &after,
    );
    row(
        |world, _| {
            let step = world.tracker.mark_all_outdated();
            world.save(step);
        },
        &[(U, U, false), (O, O, false), (Q, Again, false), (Again, Again, false), (C, O, false)],
    );
    let (mut world, _) = bring(U);
    let step = world.tracker.mark_outdated(world.now, user(BOB));
    world.save(step);
    assert_eq!(state_of(&mut world, None), U);
}

// DL-10
#[test]
fn changed() {
    let after = [(U, U, false), (O, O, false), (Q, Again, false), (Again, Again, false), (C, O, false)];
    row(|world, _| world.changed(BOB), &after);
}

// DL-11
#[test]
fn left() {
    let after = [(U, U, false), (O, U, false), (Q, U, false), (Again, U, false), (C, U, false)];
    row(|world, _| world.left(BOB), &after);
    // The response that comes then is ignored.
    row(
        |world, id| {
            world.left(BOB);
            if let Some(id) = id {
                world.respond(id, &new_list());
            }
        },
        &after,
    );
}

// DL-21
#[test]
fn query_sent() {
    let (mut world, _) = bring(O);
    let query = world.poll().unwrap();
    assert_eq!(state_of(&mut world, Some(query.id)), Q);
    for state in [Q, Again, C, U] {
        let (mut world, _) = bring(state);
        assert_eq!(world.poll(), None, "{state:?}");
    }
}

// DL-20, DL-21
#[test]
fn response_with_the_user() {
    let answer = |world: &mut World, id: Option<QueryId>| {
        // In the states without a query of their own it is the one from before.
        let id = id.unwrap_or_else(|| old_id(world));
        world.respond(id, &new_list());
    };
    row(answer, &[(U, U, false), (O, O, false), (Q, C, true), (Again, O, true), (C, C, false)]);
}

/// The ID of a query that was answered or failed long ago.
fn old_id(world: &mut World) -> QueryId {
    let mut other = World::new();
    other.track(BOB);
    let id = other.poll().unwrap().id;
    assert!(world.respond(id, &new_list()).users.is_empty());
    id
}

// DL-26
#[test]
fn response_out_of_band() {
    let answer = |world: &mut World, id: Option<QueryId>| {
        let outcome_is_there = !world.respond(id.unwrap(), &new_list()).users.is_empty();
        assert!(outcome_is_there);
    };
    row(answer, &[(OutdatedWhileWished, O, true), (CurrentWhileWished, C, true)]);

    // Of a user who is not tracked the caller alone learns.
    let (mut world, _) = bring(U);
    world.tracker.wish(user(BOB));
    let query = world.poll().unwrap();
    let body = new_list();
    let outcome = world.respond(query.id, &body);
    let (list, _) = outcome.users[0].untracked.as_ref().unwrap();
    assert_eq!(list.devices().map(|device| device.device_id()).collect::<Vec<_>>(), ["NEW"]);
    assert_eq!(world.device_ids(BOB), ["OLD"]);
    assert_eq!(state_of(&mut world, None), U);
}

// DL-40
#[test]
fn response_with_an_entry_that_is_refused_as_a_whole() {
    for entry in [json!(3), json!([]), json!({ "D": {}, "E": {} })] {
        let answer = |world: &mut World, id: Option<QueryId>| {
            let body = json!({ "device_keys": { BOB: entry } }).to_string();
            let events = world.respond(id.unwrap(), &body).events;
            assert!(matches!(events[0].what, What::UserRefused(_)));
        };
        row(answer, &[(Q, O, false), (Again, O, false)]);
    }
}

// DL-23
#[test]
fn response_without_the_user() {
    let answer = |world: &mut World, id: Option<QueryId>| {
        world.respond(id.unwrap(), &response(&[]));
    };
    row(answer, &[(Q, O, false), (Again, O, false)]);
}

// DL-23, DL-28
#[test]
fn failures() {
    let answer = |world: &mut World, id: Option<QueryId>| {
        world.respond(id.unwrap(), &failing(&response(&[])));
    };
    row(answer, &[(Q, O, false), (Again, O, false)]);
    row(|world, id| world.tracker.on_failure(world.now, id.unwrap()), &[(Q, O, false), (Again, O, false)]);
    // Present all the same: that counts for the data, and not for the flag.
    let answer = |world: &mut World, id: Option<QueryId>| {
        world.respond(id.unwrap(), &failing(&new_list()));
    };
    row(answer, &[(Q, O, true), (Again, O, true)]);
}

// DL-1, DL-27
#[test]
fn restart() {
    let after = [(U, U, false), (O, O, false), (Q, O, false), (Again, O, false), (C, C, false)];
    row(|world, _| world.restart(), &after);
    // What was in flight is void.
    row(
        |world, id| {
            world.restart();
            if let Some(id) = id {
                world.respond(id, &new_list());
            }
        },
        &after,
    );
}
