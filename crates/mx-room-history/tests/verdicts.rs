//! Each verdict, and what a file cannot make a reader believe.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_room_history::{EventReader, Judge, MAX_COPIES, NeededSessions, Offered, Verdict, VerdictCounts};
use serde_json::{Value, json};
use support::{OTHER, ROOM, Sender, assert_verdicts, judged, lines};

// ENV-50, ENV-59, EXP-27
#[test]
fn every_event_gets_its_verdict_and_says_why() {
    let (mut alice, mut bob, mut carol) = (Sender::new(1), Sender::new(2), Sender::new(3));
    let early = alice.say("early");
    let mut good = alice.say("good");
    good["content"]["m.relates_to"] = json!({ "event_id": "$x" });
    let mut damaged = alice.say("damaged");
    let text = damaged["content"]["ciphertext"].as_str().unwrap().to_owned();
    let other = if &text[90..91] == "A" { "B" } else { "A" };
    damaged["content"]["ciphertext"] = json!(format!("{}{other}{}", &text[..90], &text[91..]));
    let mut without = |member: &str| {
        let mut event = alice.say("x");
        event["content"].as_object_mut().unwrap().remove(member);
        event
    };
    let (no_algorithm, no_session, no_ciphertext) =
        (without("algorithm"), without("session_id"), without("ciphertext"));
    let mut no_room = alice.say("x");
    no_room.as_object_mut().unwrap().remove("room_id");
    let mut olm = alice.say("x");
    olm["content"]["algorithm"] = json!("m.olm.v1.curve25519-aes-sha2");
    let mut long = alice.say("x");
    long["room_id"] = json!("!".repeat(256));
    let array = alice.send(&json!([1]));
    let redacted = json!({ "type": "m.room.encrypted", "content": {} });
    let clear = json!({ "type": "m.room.name", "content": { "name": "n" }, "z": 12 });
    let events = [
        early,
        good,
        damaged,
        bob.say("x"),
        carol.say("x"),
        no_algorithm,
        no_session,
        no_ciphertext,
        no_room,
        olm,
        long,
        array,
        redacted,
        clear,
        json!(1),
    ];
    let expected = [
        "index before the first known one",
        "decrypted",
        "bad MAC or signature",
        "no key",
        "wrong room",
        "malformed",
        "malformed",
        "malformed",
        "malformed",
        "other algorithm",
        "malformed",
        "malformed",
        "redacted",
        "not encrypted",
    ];
    let keys = vec![alice.key(1, ROOM), carol.key(0, OTHER)];
    let said = assert_verdicts(&events[..14], keys, &expected);
    let reasons = [
        "message index 0 is before the first known index 1",
        "",
        "signature of the message is invalid",
        "",
        "the key file has this session for another room only",
        "content has no algorithm",
        "content has no session_id",
        "content has no ciphertext",
        "the event does not name its room",
        "m.olm.v1.curve25519-aes-sha2",
        "room_id or session_id is longer than 255 bytes",
        "plaintext: not a JSON object",
        "",
        "",
    ];
    for (line, why) in said.iter().zip(reasons) {
        assert_eq!(line["why"].as_str().unwrap_or_default(), why, "{line}");
    }
    let event = &said[1]["event"];
    assert_eq!((&event["type"], &event["content"]["body"]), (&json!("m.room.message"), &json!("good")));
    assert_eq!(
        (&event["content"]["m.relates_to"]["event_id"], &event["sender"]),
        (&json!("$x"), &json!("@alice:example.org"))
    );
    let (said, _) = judged("1\n{\"type\":", Vec::new(), None);
    assert!(said.iter().all(|line| line["verdict"] == "malformed"), "{said:?}");
    assert!(said[0]["event"].is_null() && said[0]["why"] == "not a JSON object", "{said:?}");
}

// MEG-51, ENV-51, ENV-52
#[test]
fn attack_079_a_message_is_of_the_room_that_its_plaintext_and_its_key_are_of() {
    let mut alice = Sender::new(1);
    let mut moved = alice.say("for one room");
    moved["room_id"] = json!(OTHER);
    // A file may name any room for a session.
    for room in [ROOM, OTHER] {
        let key = alice.key(0, room);
        assert_verdicts(core::slice::from_ref(&moved), vec![key], &["wrong room"]);
    }
    let mut there = alice.send(&json!({ "type": "a", "room_id": OTHER, "content": {} }));
    there["room_id"] = json!(OTHER);
    let nowhere = alice.send(&json!({ "type": "a", "content": {} }));
    let (key, also) = (alice.key(0, ROOM), alice.key(0, OTHER));
    assert_verdicts(&[there.clone(), nowhere.clone()], vec![key], &["wrong room", "wrong room"]);
    assert_verdicts(&[there, nowhere], vec![also], &["decrypted", "wrong room"]);

    // The room that is given is that of events that name none, and of no other.
    let mut without = alice.say("x");
    without.as_object_mut().unwrap().remove("room_id");
    let file = lines(&[without, moved]);
    for (room, expected) in [(ROOM, "decrypted"), (OTHER, "wrong room")] {
        let (said, offered) = judged(&file, vec![alice.key(0, ROOM)], Some(room));
        assert_eq!(
            (said[0]["verdict"].as_str(), said[1]["verdict"].as_str()),
            (Some(expected), Some("wrong room"))
        );
        assert_eq!(offered, [if room == ROOM { Offered::Kept } else { Offered::OtherRoom }]);
    }
}

// MEG-52, ENV-54, ENV-55
#[test]
fn attack_080_a_message_stands_in_one_event_and_a_broken_copy_does_not_use_it_up() {
    let mut alice = Sender::new(1);
    let first = alice.say("pay Bob");
    let with = |member: &str, value: Value| {
        let mut copy = first.clone();
        copy[member] = value;
        copy
    };
    let mut anonymous = alice.say("no ID");
    anonymous.as_object_mut().unwrap().remove("event_id");
    let events = [
        with("room_id", json!(OTHER)),
        first.clone(),
        first.clone(),
        with("event_id", json!("$other")),
        with("origin_server_ts", json!(77)),
        with("sender", json!("@mallory:example.org")),
        anonymous.clone(),
        anonymous,
    ];
    let expected = [
        "wrong room",
        "decrypted",
        "decrypted",
        "replayed index",
        "replayed index",
        "decrypted",
        "decrypted",
        "replayed index",
    ];
    let said = assert_verdicts(&events, vec![alice.key(0, ROOM)], &expected);
    assert!(said[3]["why"].as_str().unwrap().contains(first["event_id"].as_str().unwrap()), "{}", said[3]);
    assert_eq!(said[5]["claimed_sender"], "@mallory:example.org");
}

// EXP-27
#[test]
fn attack_142_what_a_file_decrypts_is_never_authenticated() {
    let mut alice = Sender::new(1);
    let events = [alice.say("one"), json!({ "type": "a", "content": {} })];
    let said = assert_verdicts(&events, vec![alice.key(0, ROOM)], &["decrypted", "not encrypted"]);
    assert_eq!((&said[0]["authenticated"], said[1].get("authenticated")), (&json!(false), None));
    assert_eq!(said[0]["claimed_sender"], "@alice:example.org");
}

// EXP-26, EXP-29
#[test]
fn made_up_keys_do_not_shut_out_the_genuine_one_and_are_not_kept_without_end() {
    let mut alice = Sender::new(1);
    let events = [alice.say("one"), alice.say("two"), alice.say("three")];
    let keys = vec![alice.made_up_key(1), alice.key(2, ROOM), alice.key(1, ROOM), alice.made_up_key(1)];
    let expected = ["index before the first known one", "decrypted", "decrypted"];
    // The copy that knows the index says more; the forged one knows it, and fails.
    let (said, offered) = judged(&lines(&events), keys, None);
    assert_eq!(offered, [Offered::Kept; 4]);
    assert_eq!(said[0]["verdict"], "bad MAC or signature");
    assert_eq!((&said[1]["verdict"], &said[2]["verdict"]), (&json!(expected[1]), &json!(expected[2])));

    let made_up =
        (1..=u8::try_from(MAX_COPIES).unwrap()).map(|which| alice.made_up_key(which)).collect::<Vec<_>>();
    let mut keys = made_up;
    keys.extend([alice.key(0, ROOM), Sender::new(2).key(0, ROOM)]);
    let (said, offered) = judged(&lines(&events), keys, None);
    assert_eq!(offered[..MAX_COPIES], [Offered::Kept; MAX_COPIES]);
    assert_eq!(offered[MAX_COPIES..], [Offered::TooManyCopies, Offered::NotNeeded]);
    assert!(said.iter().all(|line| line["verdict"] == "bad MAC or signature"), "{said:?}");
}

#[test]
fn only_what_is_needed_is_kept_and_copies_are_merged() {
    let (mut alice, mut bob) = (Sender::new(1), Sender::new(2));
    let event = alice.say("a word").to_string();
    let mut needed = NeededSessions::new(None);
    needed.add_event(event.as_bytes()).unwrap();
    for other in [
        "",
        "7",
        "{}",
        r#"{"type":"m.room.encrypted","content":{}}"#,
        r#"{"type":"m.room.encrypted","content":7}"#,
    ] {
        needed.add_event(other.as_bytes()).unwrap();
    }
    assert_eq!(needed.offer(bob.key(0, ROOM)), Offered::NotNeeded);
    assert_eq!(
        (needed.offer(alice.key(1, ROOM)), needed.offer(alice.key(0, ROOM))),
        (Offered::Kept, Offered::Kept)
    );
    assert_eq!(needed.kept(), 1);
    let mut judge = Judge::new(needed);
    let mut events = EventReader::new(event.as_bytes()).unwrap();
    let judged = judge.judge(&events.next_event().unwrap().unwrap());
    assert_eq!((judged.verdict, judged.message_index), (Verdict::Decrypted, Some(0)));
    // What it was, and what it says, stay out of logs.
    let shown = format!("{judged:?} {judge:?}");
    assert!(!shown.contains("a word") && !shown.contains("body"), "{shown}");
}

#[test]
fn counts_go_by_verdict_in_order() {
    let mut counts = VerdictCounts::default();
    assert!(counts.is_good() && counts.total() == 0);
    for verdict in [Verdict::Redacted, Verdict::Decrypted, Verdict::Redacted] {
        counts.count(verdict);
    }
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Verdict::Decrypted, 1), (Verdict::Redacted, 2)]);
    assert!(counts.is_good() && counts.total() == 3);
    counts.count(Verdict::Malformed);
    assert!(!counts.is_good());
    for verdict in Verdict::ALL {
        let mut counts = VerdictCounts::default();
        counts.count(verdict);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(verdict, 1)]);
    }
}
