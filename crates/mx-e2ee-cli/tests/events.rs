//! `events decrypt`: every verdict, the forms in which events come, and what goes wrong with files.

#![cfg(unix)]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/room.rs"]
mod room;
mod support;

use std::path::Path;

use room::{PASSPHRASE, Sender, forged, key_file};
use serde_json::{Value, json};
use support::{Done, Folder, run, shell};

const ROOM: &str = "!room:example.org";
const OTHER: &str = "!other:example.org";

/// Runs the tool with the passphrase on descriptor 3. The arguments are those of a shell.
fn decrypt(folder: &Folder, arguments: &str) -> Done {
    let pass = folder.write("pass", format!("{PASSPHRASE}\n"));
    let line = format!(
        "cd \"$1\"; {{ \"$TOOL\" events decrypt --keys keys --passphrase-fd 3 {arguments}; }} 3<\"$0\""
    );
    let folder = folder.path("");
    shell(&line, &[Path::new(&pass), &folder])
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

#[track_caller]
fn assert_verdicts(done: &Done, expected: &[&str]) {
    let verdicts: Vec<_> =
        done.lines().iter().map(|line| line["verdict"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verdicts, expected, "{}", done.text());
}

// ENV-50, MEG-50, EXP-27
#[test]
fn attack_142_decrypted_events_say_that_nothing_proves_their_sender() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let mut related = alice.say("two");
    related["content"]["m.relates_to"] = json!({ "event_id": "$x", "rel_type": "m.thread" });
    let events =
        [alice.say("one"), related, json!({ "type": "m.room.name", "content": { "name": "n" }, "z": 1 })];
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    folder.write("events", lines(&events));
    let done = decrypt(&folder, "events").assert_code(0);
    assert_verdicts(&done, &["decrypted", "decrypted", "not encrypted"]);
    let said = done.lines();
    let event = &said[0]["event"];
    assert_eq!((&event["type"], &event["content"]["body"]), (&json!("m.room.message"), &json!("one")));
    assert_eq!(
        (&event["sender"], &event["origin_server_ts"]),
        (&events[0]["sender"], &events[0]["origin_server_ts"])
    );
    assert_eq!((&said[0]["at"], &said[0]["message_index"]), (&json!("line 1"), &json!(1)));
    assert_eq!(said[1]["event"]["content"]["m.relates_to"]["event_id"], "$x");
    assert_eq!(said[2]["event"], events[2]);
    assert!(said[..2].iter().all(|line| line["authenticated"] == json!(false)));
    assert!(done.stderr.contains("unauthenticated"), "{}", done.stderr);
    assert!(
        done.stderr.contains("2  decrypted") && done.stderr.contains("1  not encrypted"),
        "{}",
        done.stderr
    );
}

// ENV-59
#[test]
fn every_verdict_is_given_and_nothing_is_left_out() {
    let folder = Folder::new();
    let (mut alice, mut bob, mut carol) = (Sender::new(1, ROOM), Sender::new(2, ROOM), Sender::new(3, OTHER));
    let early = alice.say("before the first known index");
    let good = alice.say("good");
    let mut bad_signature = alice.say("bad signature");
    let ciphertext = bad_signature["content"]["ciphertext"].as_str().unwrap().to_owned();
    let flipped = if ciphertext.ends_with('A') { "B" } else { "A" };
    bad_signature["content"]["ciphertext"] =
        json!(format!("{}{flipped}{}", &ciphertext[..90], &ciphertext[91..]));
    let no_key = bob.say("no key");
    let mut of_other_room = carol.say("this key is for the other room");
    of_other_room["room_id"] = json!(ROOM);
    let mut moved = alice.send(&json!({ "type": "m.room.message", "room_id": OTHER, "content": {} }));
    moved["origin_server_ts"] = json!(7);
    let without_room = alice.send(&json!({ "type": "m.room.message", "content": {} }));
    let no_event = alice.send(&json!([1]));
    let mut short = alice.say("cut");
    short["content"]["ciphertext"] = json!("AwgAEhAcbh6U");
    let mut olm = alice.say("olm");
    olm["content"] = json!({ "algorithm": "m.olm.v1.curve25519-aes-sha2", "ciphertext": { "k": { "type": 1, "body": "" } } });
    let redacted = json!({ "type": "m.room.encrypted", "event_id": "$r", "room_id": ROOM, "content": {} });
    folder.write("keys", key_file([&alice.exported(1, ROOM), &carol.exported(0, OTHER)]));
    let events = [
        early,
        good,
        bad_signature,
        no_key,
        of_other_room,
        moved,
        without_room,
        no_event,
        short,
        olm,
        redacted,
    ];
    folder.write("events", lines(&events) + "{\"type\":\nnot json\n");
    let done = decrypt(&folder, "events").assert_code(1);
    assert_verdicts(
        &done,
        &[
            "index before the first known one",
            "decrypted",
            "bad MAC or signature",
            "no key",
            "wrong room",
            "wrong room",
            "wrong room",
            "malformed",
            "malformed",
            "other algorithm",
            "redacted",
            "malformed",
            "malformed",
        ],
    );
    let said = done.lines();
    assert!(said[0]["why"].as_str().unwrap().contains("0 is before the first known index 1"), "{}", said[0]);
    assert!(said[4]["why"].as_str().unwrap().contains("another room only"), "{}", said[4]);
    assert!(said[5]["why"].as_str().unwrap().contains(OTHER), "{}", said[5]);
    assert!(
        said[11]["at"] == "line 12" && said[11]["why"].as_str().unwrap().contains("column"),
        "{}",
        said[11]
    );
    assert_eq!(said[12]["at"], "line 13");
    // What was not decrypted is there as it came, without a plaintext of anything.
    for (line, event) in said.iter().zip(&events) {
        assert!(line["event"] == *event || line["verdict"] == "decrypted", "{line}");
    }
    assert!(done.stderr.contains("13  events in all"), "{}", done.stderr);
}

// MEG-52, ENV-54, ENV-55
#[test]
fn attack_080_a_message_in_two_events_is_a_replay_and_an_event_that_comes_twice_is_none() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let first = alice.say("pay Bob");
    let with = |member: &str, value: Value| {
        let mut copy = first.clone();
        copy[member] = value;
        copy
    };
    let mut without_id = first.clone();
    without_id.as_object_mut().unwrap().remove("event_id");
    let mut bad_room = with("event_id", json!("$9"));
    bad_room["room_id"] = json!(OTHER);
    let mut anonymous = alice.say("no id");
    anonymous.as_object_mut().unwrap().remove("event_id");
    let events = [
        // A copy that fails another check does not use the index up.
        bad_room,
        first.clone(),
        first.clone(),
        with("event_id", json!("$2")),
        with("origin_server_ts", json!(1)),
        without_id,
        with("sender", json!("@mallory:example.org")),
        anonymous.clone(),
        anonymous,
    ];
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    folder.write("events", lines(&events));
    let done = decrypt(&folder, "events").assert_code(1);
    assert_verdicts(
        &done,
        &[
            "wrong room",
            "decrypted",
            "decrypted",
            "replayed index",
            "replayed index",
            "replayed index",
            // The same event, as far as anybody can tell; its sender is a claim either way.
            "decrypted",
            "decrypted",
            "replayed index",
        ],
    );
    let said = done.lines();
    assert!(said[3]["why"].as_str().unwrap().contains(first["event_id"].as_str().unwrap()), "{}", said[3]);
    assert_eq!(said[3]["event"]["type"], "m.room.encrypted");
}

// MEG-51, ENV-51, ENV-52
#[test]
fn attack_079_a_session_decrypts_in_its_own_room_only() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let mut event = alice.say("for this room");
    event["room_id"] = json!(OTHER);
    folder.write("events", lines(&[event.clone()]));
    // A file may name any room for a session: the plaintext names its own.
    for keys in [vec![alice.exported(0, ROOM)], vec![alice.exported(0, OTHER)]] {
        folder.write("keys", key_file(&keys));
        assert_verdicts(&decrypt(&folder, "events").assert_code(1), &["wrong room"]);
    }
    // The plaintext agrees with the event, but the key is for another room; or it names no room at all.
    let mut there = alice.send(&json!({ "type": "m.room.message", "room_id": OTHER, "content": {} }));
    there["room_id"] = json!(OTHER);
    let nowhere = alice.send(&json!({ "type": "m.room.message", "content": {} }));
    folder.write("events", lines(&[there, nowhere]));
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    assert_verdicts(&decrypt(&folder, "events").assert_code(1), &["wrong room", "wrong room"]);

    event.as_object_mut().unwrap().remove("room_id");
    folder.write("events", lines(&[event]));
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    let done = decrypt(&folder, "events").assert_code(1);
    assert!(done.lines()[0]["why"].as_str().unwrap().contains("--room"), "{}", done.text());
    assert_verdicts(&decrypt(&folder, "--room '!room:example.org' events").assert_code(0), &["decrypted"]);
    assert_verdicts(&decrypt(&folder, "--room '!other:example.org' events").assert_code(1), &["wrong room"]);
    decrypt(&folder, "--room room events").assert_says(2, &["--room"]);
}

// EXP-29
#[test]
fn a_made_up_key_in_the_file_does_not_shut_out_the_genuine_one() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let events = [alice.say("one"), alice.say("two")];
    folder.write("events", lines(&events));
    let (genuine, late) = (alice.exported(0, ROOM), alice.exported(1, ROOM));
    let forged = forged(&genuine, ROOM);
    folder.write("keys", key_file([&forged, &late, &genuine]));
    assert_verdicts(&decrypt(&folder, "events").assert_code(0), &["decrypted", "decrypted"]);
    folder.write("keys", key_file([&forged]));
    assert_verdicts(&decrypt(&folder, "events").assert_code(1), &["bad MAC or signature"; 2]);
}

#[test]
fn events_come_in_lines_arrays_exports_and_pipes() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let events = [alice.say("one"), alice.say("two")];
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    let pretty = serde_json::to_string_pretty(&json!({ "room_name": "r", "messages": events })).unwrap();
    let forms = [
        lines(&events),
        json!(events).to_string(),
        pretty,
        json!({ "start": "a", "chunk": events }).to_string(),
    ];
    for form in forms {
        folder.write("events", &form);
        let done = decrypt(&folder, "events").assert_code(0);
        assert_eq!(done.lines().len(), 2, "{form}");
        assert_eq!(done.lines()[1]["event"]["content"]["body"], "two");
        assert_eq!(decrypt(&folder, "<events").assert_code(0).text(), done.text());
        assert_eq!(decrypt(&folder, "- <events").assert_code(0).text(), done.text());
    }
    let pass = folder.path("pass");
    let line = "cd \"$1\"; cat events | \"$TOOL\" events decrypt --keys keys --passphrase-fd 3 3<\"$0\"";
    assert_eq!(shell(line, &[&pass, &folder.path("")]).assert_code(0).lines().len(), 2);
    let line = "cd \"$1\"; cat keys | \"$TOOL\" events decrypt --keys - --passphrase-fd 3 events 3<\"$0\"";
    assert_eq!(shell(line, &[&pass, &folder.path("")]).assert_code(0).lines().len(), 2);
    folder.write("events", "[{\"type\":\"x\",\"content\":{}},{\"ty");
    let done = decrypt(&folder, "events").assert_code(1);
    assert!(done.lines()[1]["why"].as_str().unwrap().contains("cut off"), "{}", done.text());
    folder.write("events", "");
    assert!(decrypt(&folder, "events").assert_code(0).stderr.contains("0  events in all"));
}

#[test]
fn the_output_may_be_a_file_and_the_summary_json() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    folder.write("events", lines(&[alice.say("one")]));
    let done = decrypt(&folder, "--json -o clear events").assert_code(0);
    assert_eq!(done.stderr, "");
    let summary = &done.lines()[0];
    assert_eq!((&summary["events"], &summary["verdicts"]["decrypted"]), (&json!(1), &json!(1)));
    assert_eq!((&summary["keys_used"], &summary["authenticated"]), (&json!(1), &json!(false)));
    assert!(String::from_utf8(folder.read("clear")).unwrap().contains("\"body\":\"one\""));
    decrypt(&folder, "-o clear events").assert_says(2, &["clear exists"]);
    decrypt(&folder, "--force -o clear events").assert_code(0);
    assert_eq!(folder.names(), ["clear", "events", "keys", "pass"]);
    decrypt(&folder, "events >/dev/full").assert_says(3, &["cannot write standard output"]);
    folder.write("events", lines(&vec![json!({ "type": "x", "content": {} }); 10_000]));
    let done = decrypt(&folder, "events | head -n 1").assert_code(0);
    assert_eq!((done.lines().len(), done.stderr.as_str()), (1, ""));
}

// EXP-8, EXP-24
#[test]
fn key_files_and_passphrases_that_are_wrong_say_so() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    let keys = key_file([&alice.exported(0, ROOM)]);
    folder.write("events", lines(&[alice.say("one")]));
    let with_pass = |pass: &[u8]| {
        folder.write("pass", pass);
        let line = "\"$TOOL\" events decrypt --keys \"$1\" --passphrase-fd 3 \"$2\" 3<\"$0\"";
        shell(line, &[&folder.path("pass"), &folder.path("keys"), &folder.path("events")])
    };
    folder.write("keys", &keys);
    with_pass(b"wrong\n").assert_says(1, &["keys: wrong passphrase, or the file was damaged"]);
    with_pass(b"correct horse").assert_code(0);
    with_pass(b"correct horse\r\nmore\n").assert_code(0);
    with_pass(b"\xff\n").assert_says(1, &["not UTF-8"]);
    with_pass(&[b'x'; 5_000]).assert_says(1, &["more than 4096 bytes"]);
    folder.write("keys", &keys[..keys.len() / 2]);
    with_pass(b"correct horse\n").assert_says(1, &["cut off"]);
    folder.write("keys", "hello");
    with_pass(b"correct horse\n").assert_says(1, &["no key export"]);
    folder.write("keys", &keys);

    let (keys, events) = (folder.text_path("keys"), folder.text_path("events"));
    run(["events", "decrypt", "--keys", &keys, "--passphrase-fd", "9", &events])
        .assert_says(2, &["9 is not open"]);
    run(["events", "decrypt", "--keys", &keys, "--passphrase-fd", "x", &events])
        .assert_says(2, &["is a number"]);
    run(["events", "decrypt", "--keys", "-", "-"]).assert_says(2, &["both come from standard input"]);
    run(["events", "decrypt", &events]).assert_says(2, &["--keys"]);
    run(["events", "decrypt", "--keys", "/nowhere", &events]).assert_says(3, &["cannot open /nowhere"]);
    // Without a terminal nobody can be asked.
    let line = "setsid -w \"$TOOL\" events decrypt --keys \"$0\" \"$1\"";
    if cfg!(target_os = "linux") {
        shell(line, &[keys.as_ref(), events.as_ref()])
            .assert_says(2, &["at the terminal", "--passphrase-fd"]);
    }
}

// ATT-8, ATT-20
#[test]
fn attachments_are_decrypted_beside_the_downloads() {
    let folder = Folder::new();
    let mut alice = Sender::new(1, ROOM);
    std::fs::create_dir_all(folder.path("media/example.org")).unwrap();
    let file = |name: &str, plaintext: &str| -> Value {
        let input = folder.write("plain", plaintext);
        let (out, info, url) = (
            folder.text_path(name),
            folder.text_path("info"),
            format!("mxc://example.org/{}", name.rsplit('/').next().unwrap()),
        );
        run(["media", "encrypt", "--force", "--url", &url, "--info", &info, &input, &out]).assert_code(0);
        serde_json::from_slice(&folder.read("info")).unwrap()
    };
    let (photo, small, damaged, missing) = (
        file("media/photo", "a photograph"),
        file("media/example.org/small", "a thumbnail"),
        file("media/damaged", "text"),
        file("elsewhere", "x"),
    );
    folder.write("media/damaged", "other");
    let mut evil = missing.clone();
    evil["url"] = json!("mxc://example.org/../../pass");
    let mut message = |file: &Value, thumbnail: &Value| {
        let content = json!({ "msgtype": "m.image", "body": "x", "file": file, "info": { "thumbnail_file": thumbnail } });
        alice.send(&json!({ "type": "m.room.message", "room_id": ROOM, "content": content }))
    };
    let events = [
        message(&photo, &small),
        message(&damaged, &Value::Null),
        message(&missing, &evil),
        message(&photo, &Value::Null),
    ];
    folder.write("events", lines(&events));
    folder.write("keys", key_file([&alice.exported(0, ROOM)]));
    let done = decrypt(&folder, "--media media events").assert_code(1);
    assert_verdicts(&done, &["decrypted"; 4]);
    let said = done.lines();
    let verdict = |line: usize, at: usize| said[line]["attachments"][at]["verdict"].as_str().unwrap();
    assert_eq!((verdict(0, 0), verdict(0, 1)), ("decrypted", "decrypted"));
    assert_eq!((verdict(1, 0), verdict(2, 0), verdict(2, 1)), ("refused", "not found", "refused"));
    assert_eq!(verdict(3, 0), "decrypted");
    assert_eq!(folder.read("media/photo.decrypted"), b"a photograph");
    assert_eq!(folder.read("media/example.org/small.decrypted"), b"a thumbnail");
    assert!(!folder.path("media/damaged.decrypted").exists());
    assert!(done.stderr.contains("3  attachments decrypted, 1 not found, 2 refused"), "{}", done.stderr);
    // What is there from the last time is not replaced.
    let done = decrypt(&folder, "--media media events").assert_code(1);
    assert!(done.lines()[0]["attachments"][0]["why"].as_str().unwrap().contains("--force"));
    decrypt(&folder, "--force --media media events").assert_code(1);
    decrypt(&folder, "--media nowhere events").assert_says(2, &["nowhere is no folder"]);
}
