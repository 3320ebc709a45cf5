//! `verify` through a homeserver: messages, keys that are asked for anew, signatures.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
#![allow(clippy::std_instead_of_alloc, reason = "a host")]

#[path = "support/identity.rs"]
mod identity;
#[path = "support/secrets.rs"]
mod secrets;
#[path = "support/server.rs"]
mod server;
#[path = "support/sides.rs"]
mod sides;
mod support;

use std::sync::{Arc, Mutex};

use identity::{ALICE, Answer, BOB, alice_and_bob, public};
use secrets::Storage;
use serde_json::{Map, Value, json};
use server::{Request, Response, Server, ok, refused};
use sides::{Side, compare};
use support::{Folder, run};

/// What a homeserver has of the two.
struct State {
    keys: Value,
    account_data: Map<String, Value>,
    /// Messages by device. They stay, as they do while nobody says that he has them.
    to_device: Vec<(String, String, Value)>,
}

/// A homeserver. Tokens are `USER DEVICE` with a `/` between them.
struct Homeserver {
    server: Server,
    state: Arc<Mutex<State>>,
    folder: Folder,
}

impl Homeserver {
    fn start(answer: &Answer) -> Self {
        let state = Arc::new(Mutex::new(State {
            keys: answer.0.clone(),
            account_data: Storage::new().identity("a").account_data,
            to_device: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| respond(&mut shared.lock().unwrap(), request));
        Self { server, state, folder: Folder::new() }
    }

    fn side(&self, user_id: &str, device_id: &str) -> String {
        let token = self.folder.write(&format!("token-{device_id}"), format!("{user_id}/{device_id}\n"));
        format!("--homeserver {} --token-file {token} --fingerprint {}", self.server.url, public(device_id))
    }

    fn alice(&self) -> String {
        format!("{} --own {ALICE}={}", self.side(ALICE, "PHONE"), public("a-m"))
    }

    fn bob(&self) -> String {
        format!("{} --own {BOB}={}", self.side(BOB, "LAPTOP"), public("b-m"))
    }

    /// Bob waits, Alice asks.
    fn both(&self) -> [Side; 2] {
        let mut b = Side::start(&format!("{} --wait {ALICE}", self.bob()));
        b.wait("waiting");
        [Side::start(&format!("{} {BOB}", self.alice())), b]
    }

    fn paths(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|request| request.path).collect()
    }
}

fn respond(state: &mut State, request: &Request) -> Response {
    let Some((user_id, device_id)) = request.token.as_deref().and_then(|token| token.split_once('/')) else {
        return refused(401, "M_MISSING_TOKEN", "none");
    };
    let path = request.path.strip_prefix("/_matrix/client/v3/").unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<_> = path.split('/').collect();
    match segments.as_slice() {
        ["account", "whoami"] => ok(&json!({ "user_id": user_id, "device_id": device_id })),
        ["keys", "query"] => ok(&state.keys),
        ["sync"] => {
            // Who names a beginning says that he has all before it.
            if query.contains("since") {
                state.to_device.clear();
            }
            let events = state.to_device.iter().filter(|(device, ..)| device == device_id);
            let events: Vec<_> = events.map(|(_, _, event)| event.clone()).collect();
            ok(&json!({ "next_batch": "s1", "to_device": { "events": events } }))
        }
        ["sendToDevice", event_type, transaction_id] => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            for (_, devices) in body["messages"].as_object().unwrap() {
                for (device, content) in devices.as_object().unwrap() {
                    let id = format!("{user_id}{device_id}{transaction_id}");
                    let event = json!({ "sender": user_id, "type": event_type, "content": content });
                    if !state.to_device.iter().any(|(to, known, _)| (to, known) == (device, &id)) {
                        state.to_device.push((device.clone(), id, event));
                    }
                }
            }
            ok(&json!({}))
        }
        ["keys", "signatures", "upload"] => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            for (user_id, objects) in body.as_object().unwrap() {
                for (id, object) in objects.as_object().unwrap() {
                    let place = match state.keys["device_keys"][user_id].get_mut(id) {
                        Some(device) => device,
                        None => &mut state.keys["master_keys"][user_id],
                    };
                    for (by, signatures) in object["signatures"].as_object().unwrap() {
                        for (key_id, signature) in signatures.as_object().unwrap() {
                            identity::put(place, by, key_id, signature.as_str().unwrap());
                        }
                    }
                }
            }
            ok(&json!({ "failures": {} }))
        }
        ["user", _, "account_data", event_type] => match state.account_data.get(*event_type) {
            Some(content) => ok(content),
            None => refused(404, "M_NOT_FOUND", "none"),
        },
        _ => refused(404, "M_UNRECOGNIZED", path),
    }
}

// VER-30, VER-40, VER-84
#[test]
fn two_users_verify_each_other_and_no_message_is_taken_from_their_clients() {
    let answer = alice_and_bob().cross_signed(BOB, "TABLET", "b-s");
    let homeserver = Homeserver::start(&answer);
    let room_key = json!({ "sender": BOB, "type": "m.room.encrypted", "content": { "a": 1 } });
    homeserver.state.lock().unwrap().to_device.push(("PHONE".to_owned(), "x".to_owned(), room_key.clone()));
    let [mut a, mut b] = homeserver.both();
    assert_eq!(a.wait("asked")["device_ids"], json!(["LAPTOP", "TABLET"]));
    compare(&mut a, &mut b);
    assert_eq!(a.end(0)["master_signing_key"], public("b-m"));
    assert_eq!(b.end(0)["master_signing_key"], public("a-m"));
    let state = homeserver.state.lock().unwrap();
    assert_eq!(state.to_device[0].2, room_key);
    let to_tablet: Vec<_> = state.to_device.iter().filter(|(to, ..)| to == "TABLET").collect();
    assert_eq!(to_tablet.last().unwrap().2["content"]["code"], "m.accepted");
    assert!(homeserver.paths().iter().all(|path| !path.contains("since")));
    assert!(
        homeserver.paths().iter().filter(|path| path.contains("/sync")).all(|path| path.contains("filter="))
    );
}

// VER-30, VER-81
#[test]
fn what_is_left_of_an_earlier_verification_disturbs_none() {
    let homeserver = Homeserver::start(&alice_and_bob());
    let [mut a, mut b] = homeserver.both();
    compare(&mut a, &mut b);
    a.end(0);
    b.end(0);
    // Who has asked before the other one came is heard; who has given up is not.
    let mut a = Side::start(&format!("{} {BOB}", homeserver.alice()));
    a.wait("asked");
    a.signal("-INT");
    a.end(130);
    let mut a = Side::start(&format!("{} {BOB}", homeserver.alice()));
    a.wait("asked");
    let mut b = Side::start(&format!("{} {ALICE}", homeserver.bob()));
    compare(&mut a, &mut b);
    a.end(0);
    b.end(0);
}

// XS-40, XS-41
#[test]
fn what_was_verified_is_signed_sent_and_shown() {
    let answer = Answer::new()
        .identity(ALICE, "a")
        .cross_signed(ALICE, "PHONE", "a-s")
        .device(ALICE, "NEW")
        .identity(BOB, "b")
        .cross_signed(BOB, "LAPTOP", "b-s");
    let homeserver = Homeserver::start(&answer);
    let recovery_key = Storage::new().recovery_key;
    for (peer, other) in [(BOB, homeserver.bob()), (ALICE, homeserver.side(ALICE, "NEW"))] {
        let mut b = Side::start(&format!("{other} --wait {ALICE}"));
        b.wait("waiting");
        let args = homeserver.side(ALICE, "PHONE");
        let mut a = Side::start(&format!("{args} --sign --recovery-key-fd 0 {peer}"));
        a.answer(&recovery_key);
        compare(&mut a, &mut b);
        assert_eq!(a.end(0)["signed"], "and sent; the server shows it");
        b.end(0);
    }
    let keys = homeserver.state.lock().unwrap().keys.clone();
    let by = |name| format!("ed25519:{}", public(name));
    assert!(keys["master_keys"][BOB]["signatures"][ALICE].get(by("a-u")).is_some());
    assert!(keys["device_keys"][ALICE]["NEW"]["signatures"][ALICE].get(by("a-s")).is_some());
}

// VER-84
#[test]
fn a_key_that_changes_meanwhile_ends_it() {
    let homeserver = Homeserver::start(&alice_and_bob());
    let [mut a, mut b] = homeserver.both();
    a.wait("compare");
    b.wait("compare");
    let other = Answer::new().identity(BOB, "z");
    for member in ["master_keys", "self_signing_keys"] {
        homeserver.state.lock().unwrap().keys[member][BOB] = other.0[member][BOB].clone();
    }
    a.answer("1 2 3");
    let end = a.end(1);
    assert_eq!(end["result"], "not verified");
    b.end(1);
}

#[test]
fn what_the_server_refuses_or_cannot_show_is_said() {
    let homeserver = Homeserver::start(&alice_and_bob());
    let args = format!("verify --answer-fd 0 {} {BOB}", homeserver.alice());
    let start = |args: &str| run(args.split_whitespace());
    start(&args.replace(ALICE, "@carol:example.org")).assert_says(1, &["the access token is that of @alice"]);
    start(&format!("{args} --device LAPTOP")).assert_says(1, &["device PHONE, not of LAPTOP"]);
    start(&format!("{args} --exchange x")).assert_says(2, &["--exchange"]);
    // A server that lies about the own device.
    homeserver.state.lock().unwrap().keys["device_keys"][ALICE]["PHONE"] = identity::device(ALICE, "TABLET");
    start(&args).assert_says(1, &["with the fingerprint"]);
    // More messages than a server shows.
    let homeserver = Homeserver::start(&alice_and_bob());
    for _ in 0..100 {
        let event = json!({ "sender": BOB, "type": "m.room.encrypted", "content": {} });
        homeserver.state.lock().unwrap().to_device.push(("PHONE".to_owned(), "x".to_owned(), event));
    }
    let args = format!("verify --answer-fd 0 {} {BOB}", homeserver.alice());
    start(&args).assert_says(1, &["100 messages wait", "fetch them first"]);
    let gone = args.replace(&homeserver.server.url, &Server::gone().url);
    start(&gone).assert_says(3, &["127.0.0.1:9"]);
}
