//! Who is tracked, what is queried when, and what is saved before what.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use core::fmt::Write as _;

use mx_device_list::{Config, DeviceLists, Flags, OtherStep, Timestamp, Write};
use mx_signing::KeysQueryResponse;
use serde_json::json;
use support::{ALICE, BOB, CAROL, World, device_keys, response, user};

fn bob() -> String {
    response(&[(BOB, &[("D", device_keys(BOB, "D", "d"))])])
}

// DL-1, DL-2
#[test]
fn own_user_is_always_tracked() {
    let mut world = World::new();
    world.store.flags.clear();
    world.restart();
    assert!(world.outdated(ALICE), "at first");
    world.left(ALICE);
    assert_eq!(world.poll().unwrap().users, [ALICE]);
    assert_eq!(world.tracker.users().collect::<Vec<_>>(), [(ALICE, true)]);
}

// DL-1
#[test]
fn flags_as_bytes() {
    for byte in 0..4 {
        assert_eq!(Flags::from_byte(byte).unwrap().to_byte(), byte);
    }
    assert!((4..=255).all(|byte| Flags::from_byte(byte).is_err()));
    assert_eq!(Flags::UNTRACKED.to_byte(), 2);
    assert_eq!(Flags { tracked: true, outdated: false }.to_byte(), 1);
}

// DL-10, DL-11, DL-12
#[test]
fn changed_and_left() {
    let mut world = World::new();
    world.track(BOB);
    world.track(CAROL);
    for (user_id, body) in [(BOB, bob()), (CAROL, response(&[(CAROL, &[])]))] {
        world.query(user_id, &body);
    }
    // As /keys/changes gives it; strangers are ignored.
    let lists = format!(
        r#"{{ "changed": ["{BOB}", "@x:y", "?"], "left": ["{BOB}", "{CAROL}", "@x:y"], "more": 1 }}"#
    );
    let lists: DeviceLists<'_> = serde_json::from_str(&lists).unwrap();
    let step = world.tracker.receive_lists(&lists, |user_id| user_id == BOB, "token");
    assert_eq!(world.save(step), "token");
    assert_eq!(world.tracker.users().collect::<Vec<_>>(), [(ALICE, false), (BOB, true)]);
    assert_eq!(world.store.flags[CAROL], Flags::UNTRACKED);
    assert!(world.store.lists.contains_key(BOB));

    // Whoever is tracked again is outdated, whatever is stored.
    world.left(BOB);
    world.restart();
    world.track(BOB);
    assert!(world.outdated(BOB));
    // The list that was kept still says which keys are known.
    let other = response(&[(BOB, &[("D", device_keys(BOB, "D", "mallory"))])]);
    assert_eq!(world.query(BOB, &other).len(), 1);
    assert_eq!(world.device_ids(BOB), ["D"]);

    for wrong in
        ["3", r#"{"changed":{}}"#, r#"{"changed":[3]}"#, r#"{"left":null}"#, r#"{"left":[],"left":[]}"#]
    {
        assert!(serde_json::from_str::<DeviceLists<'_>>(wrong).is_err(), "{wrong}");
    }
}

// DL-13
#[test]
fn attack_128_token_stored_before_the_flags() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &bob());
    let lists = DeviceLists { changed: vec![BOB.into()], left: vec![] };
    let step = world.tracker.receive_lists(&lists, |_| true, 17);
    let (changes, sealed) = step.split();
    assert!(!format!("{sealed:?}").contains("17"), "it cannot be read yet");
    let writes: Vec<_> = changes.writes().collect();
    let flags = Flags { tracked: true, outdated: true };
    assert!(matches!(writes[..], [Write::Flags { user_id: BOB, flags: f }] if f == flags));

    // Changes of another step do not release it.
    let (other, _) = world.tracker.mark_all_outdated().split();
    assert_eq!(sealed.release(other), Err(OtherStep));

    // The process dies before the flags are stored: the token of before is still the one to go on from.
    world.restart();
    assert!(!world.outdated(BOB));
    let step = world.tracker.receive_lists(&lists, |_| true, 17);
    assert_eq!(world.save(step), 17);
    world.restart();
    assert!(world.outdated(BOB));
}

// DL-1
#[test]
fn a_list_is_written_before_the_flag_that_it_clears() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    let body = bob();
    let body = KeysQueryResponse::parse(&body).unwrap();
    let store = &world.store;
    let Ok(step) =
        world.tracker.on_response(world.now, query.id, &body, &mut world.memory, |id| store.known(id));
    let (changes, _) = step.split();
    let writes: Vec<_> = changes.writes().collect();
    assert!(matches!(writes[..], [Write::List(_), Write::Flags { .. }]));
    assert!(!changes.is_empty());
}

// DL-14
#[test]
fn hints_are_counted() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &bob());
    let hint = |world: &mut World, user_id: &str| {
        let step = world.tracker.mark_outdated(world.now, user(user_id));
        world.save(step);
    };
    hint(&mut world, BOB);
    assert!(world.outdated(BOB));
    world.query(BOB, &bob());
    world.wait(59_999);
    hint(&mut world, BOB);
    assert!(!world.outdated(BOB), "once in a minute");
    world.wait(1);
    hint(&mut world, BOB);
    assert!(world.outdated(BOB));
    world.query(BOB, &bob());

    // Of a stranger the keys are queried once.
    hint(&mut world, CAROL);
    let query = world.poll().unwrap();
    assert_eq!(query.users, [CAROL]);
    world.respond(query.id, &response(&[(CAROL, &[])]));
    hint(&mut world, CAROL);
    assert_eq!(world.poll(), None);
    // A crowd of strangers is not listened to.
    for n in 0..2000 {
        hint(&mut world, &format!("@u{n}:y"));
    }
    let mut users = 0;
    while let Some(query) = world.poll() {
        users += query.users.len();
    }
    assert_eq!(users, 1023);
    world.wait(60_000);
    hint(&mut world, "@late:y");
    assert!(world.poll().unwrap().users.contains(&"@late:y".to_owned()));
}

// DL-22
#[test]
fn chunks_and_the_body_of_a_query() {
    let mut world = World::new();
    let users: Vec<_> = (0..600).map(|n| format!("@u{n:03}:y")).collect();
    let step = world.tracker.track(users.iter().map(|user_id| user(user_id)));
    world.save(step);
    world.changed("@u000:y");
    let queries: Vec<_> = core::iter::from_fn(|| world.poll()).collect();
    let sizes: Vec<_> = queries.iter().map(|query| query.users.len()).collect();
    assert_eq!(sizes, [250, 250, 100]);
    assert_eq!(queries[0].users[0], "@u001:y");
    assert_eq!(queries[2].users[99], "@u000:y", "outdated last, queried last");

    world.tracker.wish(user("@\u{e9}\"\\:y"));
    let query = world.poll().unwrap();
    let body: serde_json::Value = serde_json::from_str(&serde_json::to_string(&query).unwrap()).unwrap();
    assert_eq!(body, json!({ "device_keys": { "@\u{e9}\"\\:y": [] }, "timeout": 10_000 }));
}

// DL-23
#[test]
fn absent_user_is_left_alone_for_a_while() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &bob());
    world.changed(BOB);
    for wait in [15_000, 30_000, 60_000] {
        let query = world.poll().unwrap();
        world.respond(query.id, &response(&[]));
        assert_eq!(world.device_ids(BOB), ["D"], "absence deletes nothing");
        assert_eq!(world.tracker.next_poll(world.now), Some(Timestamp(world.now.0 + wait)));
        // A new invalidation does not shorten that, and does not touch other users of the server.
        world.changed(BOB);
        world.wait(wait - 1);
        assert_eq!(world.poll(), None);
        world.wait(1);
    }
    world.track(CAROL);
    assert_eq!(world.poll().unwrap().users, [BOB, CAROL]);
}

// DL-24, DL-28
#[test]
fn failing_servers() {
    let mut world = World::new();
    world.track(BOB);
    world.track("@z:example.org");
    let query = world.poll().unwrap();
    assert_eq!(query.users, [BOB, "@z:example.org"]);
    let failures = json!({ "elsewhere.org": {}, "example.org": {}, "x": {} });
    world.respond(query.id, &json!({ "device_keys": {}, "failures": failures }).to_string());
    // Users of that server wait, new ones too; of ours, each for itself.
    world.track(CAROL);
    world.track("@y:example.org");
    assert_eq!(world.poll().unwrap().users, ["@y:example.org"]);
    world.changed(BOB);
    world.wait(14_999);
    assert_eq!(world.poll(), None);
    // An explicit wish does not wait.
    world.tracker.wish(user(CAROL));
    let query = world.poll().unwrap();
    assert_eq!(query.users, [CAROL]);
    world.respond(query.id, &response(&[(CAROL, &[])]));
    assert!(!world.outdated(CAROL));
    // The server is back, for Bob as well.
    assert_eq!(world.poll().unwrap().users, [BOB]);
}

// DL-28
#[test]
fn failure_of_a_whole_query() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    world.changed(BOB);
    world.tracker.on_failure(world.now, query.id);
    assert!(world.outdated(BOB));
    world.changed(BOB);
    assert_eq!(world.poll(), None);
    assert_eq!(world.tracker.next_poll(world.now), Some(Timestamp(world.now.0 + 15_000)));
    world.tracker.retry_now();
    assert_eq!(world.tracker.next_poll(world.now), Some(world.now));
    let query = world.poll().unwrap();
    assert!(world.respond(query.id, &bob()).users.len() == 1);
    assert_eq!(world.tracker.next_poll(world.now), None);
}

// DL-27
#[test]
fn queries_time_out_and_are_forgotten() {
    let mut world = World::new();
    world.track(BOB);
    let first = world.poll().unwrap();
    world.wait(59_999);
    assert_eq!(world.poll(), None);
    assert_eq!(world.tracker.next_poll(world.now), Some(Timestamp(world.now.0 + 1)));
    world.wait(1);
    assert_eq!(world.poll(), None, "it has failed just now");
    world.wait(15_000);
    let second = world.poll().unwrap();
    assert!(world.respond(first.id, &bob()).users.is_empty(), "void");
    assert!(world.outdated(BOB));

    world.tracker.forget(second.id);
    let third = world.poll().unwrap();
    assert!(world.respond(second.id, &bob()).users.is_empty(), "void");
    assert_eq!(world.respond(third.id, &bob()).users.len(), 1);
    assert!(world.respond(third.id, &bob()).users.is_empty(), "answered");
    world.tracker.on_failure(world.now, third.id);
    world.tracker.forget(third.id);
    assert!(!world.outdated(BOB));
}

#[test]
fn clock_that_goes_back() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    world.now = Timestamp(5);
    assert_eq!(world.poll(), None);
    world.wait(60_000);
    assert_eq!(world.poll(), None);
    world.now = Timestamp(1);
    assert_eq!(world.poll(), None);
    world.wait(15_000);
    assert_ne!(world.poll().unwrap().id, query.id);
    // At the end of time nothing overflows.
    world.now = Timestamp(u64::MAX);
    world.poll();
    assert!(world.tracker.next_poll(world.now).is_some());
}

// DL-26
#[test]
fn wishes() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    // On its way already: that one is the answer.
    world.tracker.wish(user(BOB));
    assert_eq!(world.poll(), None);
    assert_eq!(world.respond(query.id, &bob()).users[0].user_id, BOB);
    assert_eq!(world.poll(), None);
    assert_eq!(world.tracker.unanswered(), [""; 0]);

    // One that fails is over.
    for body in [response(&[]), json!({ "device_keys": { BOB: 3 } }).to_string()] {
        world.tracker.wish(user(BOB));
        let query = world.poll().unwrap();
        world.respond(query.id, &body);
        assert_eq!(world.tracker.unanswered(), [BOB]);
        assert!(!world.outdated(BOB));
        assert_eq!((world.poll(), world.tracker.unanswered()), (None, vec![]));
    }
    world.tracker.wish(user(CAROL));
    let query = world.poll().unwrap();
    world.tracker.on_failure(world.now, query.id);
    assert_eq!(world.tracker.unanswered(), [CAROL]);

    // A user who is not tracked any more is asked for again: the answer to the query of before is void.
    world.changed(BOB);
    let query = world.poll().unwrap();
    world.tracker.wish(user(BOB));
    world.left(BOB);
    assert!(world.respond(query.id, &bob()).users.is_empty());
    let query = world.poll().unwrap();
    let body = bob();
    let outcome = world.respond(query.id, &body);
    assert!(outcome.users[0].untracked.is_some());
}

// DL-20
#[test]
fn answer_of_before_a_user_was_not_tracked_for_a_while() {
    let mut world = World::new();
    world.track(BOB);
    let before = world.poll().unwrap();
    world.left(BOB);
    world.track(BOB);
    let after = world.poll().unwrap();
    assert!(world.respond(before.id, &bob()).users.is_empty());
    assert!(world.outdated(BOB));
    world.respond(after.id, &response(&[(BOB, &[])]));
    assert!(!world.outdated(BOB));
    assert!(world.respond(before.id, &bob()).users.is_empty());
    assert_eq!(world.device_ids(BOB), [""; 0]);
}

#[test]
fn a_store_that_fails_changes_nothing() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    let before = format!("{:?}", world.tracker);
    let body = bob();
    let parsed = KeysQueryResponse::parse(&body).unwrap();
    let failed =
        world.tracker.on_response(world.now, query.id, &parsed, &mut world.memory, |_| Err("disk is gone"));
    assert_eq!(failed.err(), Some("disk is gone"));
    assert_eq!(format!("{:?}", world.tracker), before);
    assert_eq!(world.respond(query.id, &body).users.len(), 1);
}

// DL-25
#[test]
fn encrypting_waits_for_a_first_list_only() {
    let mut world = World::new();
    let since = world.now;
    let until = Some(Timestamp(since.0 + 5_000));
    let ask =
        |world: &World, knows: bool| world.tracker.wait_for_first_list(user(BOB), knows, since, world.now);
    assert_eq!(ask(&world, false), None, "not tracked");
    world.track(BOB);
    assert_eq!(ask(&world, false), until);
    assert_eq!(ask(&world, true), None, "some devices are known");
    let query = world.poll().unwrap();
    world.wait(4_999);
    assert_eq!(ask(&world, false), until);
    world.wait(1);
    assert_eq!(ask(&world, false), None, "long enough");
    world.tracker.on_failure(world.now, query.id);
    assert_eq!(
        world.tracker.wait_for_first_list(user(BOB), false, world.now, world.now),
        None,
        "nothing is pending"
    );
}

#[test]
fn errors_say_what_is_wrong() {
    let mut text = String::new();
    write!(text, "{} / {}", OtherStep, Flags::from_byte(4).unwrap_err()).unwrap();
    assert_eq!(
        text,
        "changes are those of another step; release what came with them / byte is not a user's flags"
    );
    assert_eq!(Config::default(), Config::DEFAULT);
}
