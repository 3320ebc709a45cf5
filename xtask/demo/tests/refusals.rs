//! What the devices of the demonstration refuse, whoever the server favours.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use getrandom::{SysRng, rand_core::UnwrapErr};
use mx_demo::{
    device::{Address, Device},
    ours::Ours,
    party::Implementation as _,
    server::Server,
};
use mx_signing::{DeviceKeys, KeysUpload};
use mx_types::{Curve25519PublicKey, DeviceId, UserId};
use serde_json::{Value, json};

const NOTE: &str = "org.example.note";
const ROOM: &str = "!room:example.org";

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A device whose keys are at the server.
fn device(server: &mut Server, user_id: &str, device_id: &str) -> Device<'static> {
    let mut device = Device::new(&mut rng(), &Ours, user_id, device_id).unwrap();
    let body = device.keys_upload_body(&mut rng(), 3).unwrap();
    server.upload_keys(user_id, device_id, &body).unwrap();
    device.keys_uploaded();
    device
}

/// Opens an Olm session from one device to an address.
fn open(server: &mut Server, from: &mut Device<'_>, to: &Address) {
    from.receive_queried_device(&server.query_keys(&to.user_id), to).unwrap();
    let claimed = server.claim_key(&to.user_id, &to.device_id);
    let key = from.receive_claimed_key(&claimed, to).unwrap();
    from.open_olm_session(&mut rng(), to, &key.key).unwrap();
}

fn send(from: &mut Device<'_>, to: &Address, event_type: &str, content: &Value) -> Value {
    let (content, _) = from.encrypt_to_device(&mut rng(), to, event_type, content).unwrap();
    json!({ "type": "m.room.encrypted", "sender": from.address.user_id, "content": content })
}

fn alice_and_bob() -> (Device<'static>, Device<'static>) {
    let mut server = Server::default();
    let mut alice = device(&mut server, "@alice:example.org", "PHONE");
    let bob = device(&mut server, "@bob:example.org", "LAPTOP");
    open(&mut server, &mut alice, &bob.address);
    (alice, bob)
}

fn refusal<T: core::fmt::Debug>(result: Result<T, mx_demo::Failure>) -> String {
    result.unwrap_err().to_string()
}

// EVT-4
#[test]
fn the_server_cannot_change_the_sender() {
    let (mut alice, mut bob) = alice_and_bob();
    let mut event = send(&mut alice, &bob.address, NOTE, &json!({}));
    event["sender"] = "@mallory:example.org".into();
    assert!(refusal(bob.receive_to_device(&event)).contains("another sender"));
}

// EVT-4, EVT-9: Mallory publishes Bob's Curve25519 keys as her own and hands on to Bob what Alice sends her.
#[test]
fn attack_043_unknown_key_share() {
    let mut server = Server::default();
    let mut alice = device(&mut server, "@alice:example.org", "PHONE");
    let mut bob = device(&mut server, "@bob:example.org", "LAPTOP");
    let bobs_keys =
        server.query_keys("@bob:example.org")["device_keys"]["@bob:example.org"]["LAPTOP"].clone();
    let bobs_one_time_key =
        server.claim_key("@bob:example.org", "LAPTOP")["one_time_keys"]["@bob:example.org"]["LAPTOP"]
            .as_object()
            .and_then(|keys| keys.values().next().cloned())
            .unwrap();
    let key = |text: &Value| Curve25519PublicKey::from_base64(text.as_str().unwrap()).unwrap();

    let mallory = mx_olm::Account::<8, 8>::new(&mut rng()).unwrap();
    let user_id = UserId::parse("@mallory:example.org").unwrap();
    let device_id = DeviceId::parse("EVIL").unwrap();
    let stolen = key(&bobs_keys["keys"]["curve25519:LAPTOP"]);
    let upload = KeysUpload {
        device_keys: Some(&DeviceKeys::new(user_id, device_id, stolen, mallory.ed25519_key())),
        one_time_keys: &[("AAAAAQ", key(&bobs_one_time_key["key"]))],
        fallback_key: None,
    };
    let body = upload.sign(&mallory, user_id, device_id).unwrap();
    server.upload_keys("@mallory:example.org", "EVIL", &serde_json::from_str(&body).unwrap()).unwrap();

    let to = Address { user_id: "@mallory:example.org".into(), device_id: "EVIL".into() };
    open(&mut server, &mut alice, &to);
    let event = send(&mut alice, &to, NOTE, &json!({ "body": "for Mallory" }));
    assert!(refusal(bob.receive_to_device(&event)).contains("another user"));
}

// OTK-9
#[test]
fn attack_056_a_claimed_key_that_another_device_signed() {
    let mut server = Server::default();
    let mut alice = device(&mut server, "@alice:example.org", "PHONE");
    let bob = device(&mut server, "@bob:example.org", "LAPTOP");
    device(&mut server, "@mallory:example.org", "EVIL");
    alice.receive_queried_device(&server.query_keys("@bob:example.org"), &bob.address).unwrap();
    let mallorys = server.claim_key("@mallory:example.org", "EVIL");
    let key = &mallorys["one_time_keys"]["@mallory:example.org"]["EVIL"];
    let answer = json!({ "one_time_keys": { "@bob:example.org": { "LAPTOP": key } } });
    refusal(alice.receive_claimed_key(&answer, &bob.address));
}

// EVT-2, EVT-10: nothing that is not a message for this device touches a session.
#[test]
fn malformed_events_leave_the_session_usable() {
    let (mut alice, mut bob) = alice_and_bob();
    let event = send(&mut alice, &bob.address, NOTE, &json!({}));
    let change = |pointer: &str, value: Value| {
        let mut event = event.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let key = event["content"]["ciphertext"].as_object().unwrap().keys().next().unwrap().replace('/', "~1");
    for malformed in [
        change("/content/algorithm", "m.olm.v2".into()),
        change("/content/sender_key", json!(7)),
        change("/content/ciphertext", json!({})),
        change(&format!("/content/ciphertext/{key}/type"), json!("0")),
        change(&format!("/content/ciphertext/{key}/type"), json!(2)),
        change(&format!("/content/ciphertext/{key}/type"), json!(1)),
        change(&format!("/content/ciphertext/{key}/body"), json!("AwoA")),
    ] {
        refusal(bob.receive_to_device(&malformed));
    }
    assert_eq!(bob.receive_to_device(&event).unwrap().event_type, NOTE);
    refusal(bob.receive_to_device(&event));
}

/// Alice's session for the room, at Bob's: the first event in it.
fn room_event(alice: &mut Device<'_>, bob: &mut Device<'_>) -> Value {
    let room_key = alice.create_room_session(&mut rng(), ROOM).unwrap();
    let received =
        bob.receive_to_device(&send(alice, &bob.address.clone(), "m.room_key", &room_key)).unwrap();
    bob.receive_room_key(&received).unwrap();
    let content = alice.encrypt_room_event(ROOM, "m.room.message", &json!({ "body": "hello" })).unwrap();
    json!({ "event_id": "$1", "room_id": ROOM, "sender": alice.address.user_id, "content": content })
}

// MEG-51, MEG-52, MEG-58
#[test]
fn a_room_event_is_bound_to_room_sender_and_index() {
    let (mut alice, mut bob) = alice_and_bob();
    let event = room_event(&mut alice, &mut bob);
    let changed = |name: &str, value: &str| {
        let mut event = event.clone();
        event[name] = value.into();
        event
    };
    refusal(bob.receive_room_event(&changed("room_id", "!other:example.org")));
    assert!(
        refusal(bob.receive_room_event(&changed("sender", "@mallory:example.org"))).contains("somebody else")
    );
    assert_eq!(bob.receive_room_event(&event).unwrap().content["body"], "hello");
    assert_eq!(bob.receive_room_event(&event).unwrap().message_index, 0, "the same event may be read again");
    assert!(refusal(bob.receive_room_event(&changed("event_id", "$2"))).contains("already used by $1"));
}

// MEG-44, MEG-45
#[test]
fn a_room_key_is_what_it_says() {
    let (mut alice, mut bob) = alice_and_bob();
    let room_key = alice.create_room_session(&mut rng(), ROOM).unwrap();
    let session_key = room_key["session_key"].as_str().unwrap();
    let exported = Ours.receive_session_key(session_key).unwrap().export_at(0).unwrap();
    let other = alice.create_room_session(&mut rng(), ROOM).unwrap();
    for (name, value) in [
        ("session_id", other["session_id"].clone()),
        ("session_key", exported.into()),
        ("algorithm", "m.megolm.v2".into()),
    ] {
        let mut changed = room_key.clone();
        changed[name] = value;
        let event = send(&mut alice, &bob.address, "m.room_key", &changed);
        let received = bob.receive_to_device(&event).unwrap();
        refusal(bob.receive_room_key(&received));
    }
}

#[test]
fn a_session_is_replaced_after_a_hundred_messages() {
    let (mut alice, _) = alice_and_bob();
    assert!(alice.needs_new_room_session(ROOM));
    alice.create_room_session(&mut rng(), ROOM).unwrap();
    for _ in 0..100 {
        assert!(!alice.needs_new_room_session(ROOM));
        alice.encrypt_room_event(ROOM, "m.room.message", &json!({ "body": "hello" })).unwrap();
    }
    assert!(alice.needs_new_room_session(ROOM));
}
