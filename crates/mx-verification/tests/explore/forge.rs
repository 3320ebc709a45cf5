//! What the network makes up: it knows the flow, and speaks for any device.

use serde_json::{Map, Value, json};

use crate::device::{ALICE, BOB};
use crate::message::{Message, Way};

/// A key that belongs to nobody.
pub(crate) const FOREIGN_KEY: &str = "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ";
pub(crate) const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Of Bob to device 0, and of Alice to device 1: one of each kind that makes a difference.
pub(crate) fn to_both(id: &str) -> Vec<(u8, Message)> {
    let mut all = of(id, (BOB, "B1"));
    let to_alice = all.len();
    all.extend(of(id, (ALICE, "A1")));
    let places = (0..).map(|place: usize| u8::from(place >= to_alice));
    places.zip(all).collect()
}

/// The same as events of a room.
pub(crate) fn to_both_in_room(id: &str) -> Vec<(u8, Message)> {
    to_both(id).into_iter().map(|(to, message)| (to, in_room(message, id))).collect()
}

/// The same message as an event of a room.
pub(crate) fn in_room(message: Message, id: &str) -> Message {
    let mut content: Map<String, Value> = serde_json::from_str(&message.content).unwrap();
    content.remove("transaction_id");
    content.insert("m.relates_to".into(), json!({ "rel_type": "m.reference", "event_id": id }));
    let content = Value::Object(content).to_string();
    let event_id = Message::event_id(message.user_id, message.device_id, &message.event_type, &content);
    Message { content, way: Way::Room { event_id }, ..message }
}

pub(crate) fn of(id: &str, (user_id, device_id): (&'static str, &'static str)) -> Vec<Message> {
    kinds(device_id)
        .into_iter()
        .map(|(kind, fields)| message((user_id, device_id), kind, with_transaction(fields, id)))
        .collect()
}

pub(crate) fn message(
    (user_id, device_id): (&'static str, &'static str),
    kind: &str,
    content: Value,
) -> Message {
    Message {
        user_id,
        device_id,
        event_type: format!("m.key.verification.{kind}"),
        content: content.to_string(),
        way: Way::ToDevice { olm_sender: None },
    }
}

pub(crate) fn kinds(device_id: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("ready", json!({ "from_device": device_id, "methods": ["m.sas.v1"] })),
        ("start", sas_start(device_id)),
        ("start", json!({ "from_device": device_id, "method": "m.reciprocate.v1", "secret": ZEROS })),
        ("accept", accept(FOREIGN_KEY)),
        ("key", json!({ "key": FOREIGN_KEY })),
        ("mac", json!({ "mac": { format!("ed25519:{device_id}"): ZEROS }, "keys": ZEROS })),
        ("done", json!({})),
        ("cancel", json!({ "code": "m.user", "reason": "" })),
    ]
}

pub(crate) fn sas_start(device_id: &str) -> Value {
    json!({
        "from_device": device_id, "method": "m.sas.v1", "key_agreement_protocols": ["curve25519-hkdf-sha256"],
        "hashes": ["sha256"], "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
        "short_authentication_string": ["emoji", "decimal"],
    })
}

fn accept(commitment: &str) -> Value {
    json!({
        "key_agreement_protocol": "curve25519-hkdf-sha256", "hash": "sha256",
        "message_authentication_code": "hkdf-hmac-sha256.v2", "short_authentication_string": ["decimal", "emoji"],
        "commitment": commitment,
    })
}

pub(crate) fn with_transaction(content: Value, id: &str) -> Value {
    let mut content: Map<_, _> = content.as_object().unwrap().clone();
    content.insert("transaction_id".into(), id.into());
    content.into()
}
