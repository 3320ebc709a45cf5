//! Senders of a room, and what a judge says of what they sent.

use mx_megolm::{ExportedSessionKey, InboundGroupSession, OutboundGroupSession};
use mx_room_history::{EventReader, Judge, NeededSessions, Offered};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId, base64::encode_to_string};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};

pub(crate) const ROOM: &str = "!room:example.org";
pub(crate) const OTHER: &str = "!other:example.org";

pub(crate) type Key = ExportedSessionData<'static>;

/// A session, and how many messages it has sent.
pub(crate) struct Sender {
    outbound: OutboundGroupSession,
    inbound: InboundGroupSession,
    sent: u64,
}

impl Sender {
    pub(crate) fn new(seed: u8) -> Self {
        let outbound = OutboundGroupSession::new(&mut ChaCha20Rng::from_seed([seed; 32])).unwrap();
        let inbound = InboundGroupSession::new(&outbound.session_key());
        Self { outbound, inbound, sent: 0 }
    }

    /// A message to [`ROOM`].
    pub(crate) fn say(&mut self, body: &str) -> Value {
        self.send(&json!({ "type": "m.room.message", "room_id": ROOM, "content": { "body": body } }))
    }

    /// An event in [`ROOM`] with any plaintext.
    pub(crate) fn send(&mut self, plaintext: &Value) -> Value {
        let (message, _) = self.outbound.encrypt_to_vec(plaintext.to_string().as_bytes()).unwrap();
        self.sent += 1;
        let session_id = self.outbound.session_id();
        let content = json!({
            "algorithm": "m.megolm.v1.aes-sha2", "session_id": session_id.as_str(),
            "sender_key": "not read", "ciphertext": encode_to_string(&message),
        });
        json!({
            "type": "m.room.encrypted", "room_id": ROOM, "sender": "@alice:example.org", "content": content,
            "event_id": format!("${}-{}", self.sent, &session_id.as_str()[..4]), "origin_server_ts": self.sent,
        })
    }

    /// The session from an index on, as a file has it for a room.
    pub(crate) fn key(&mut self, index: u32, room_id: &'static str) -> Key {
        key(self.inbound.export_at(index).unwrap(), room_id)
    }

    /// A key that somebody made up beside the same public key.
    pub(crate) fn made_up_key(&mut self, which: u8) -> Key {
        let mut bytes = *self.inbound.export_at(0).unwrap().as_bytes();
        bytes[20] ^= which;
        key(ExportedSessionKey::from_bytes(&bytes).unwrap(), ROOM)
    }
}

fn key(key: ExportedSessionKey, room_id: &'static str) -> Key {
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    ExportedSessionData::new(RoomId::parse(room_id).unwrap(), BackedUpSessionData::new(key, sender_key))
}

/// What a judge with these keys says of a file, line by line, and what became of the keys.
pub(crate) fn judged(file: &str, keys: Vec<Key>, default_room: Option<&str>) -> (Vec<Value>, Vec<Offered>) {
    let mut needed = NeededSessions::new(default_room.map(|room| RoomId::parse(room).unwrap()));
    let mut events = EventReader::new(file.as_bytes()).unwrap();
    while let Some(found) = events.next_event().unwrap() {
        if let Ok(json) = found.json {
            needed.add_event(json).unwrap();
        }
    }
    let offered = keys.into_iter().map(|key| needed.offer(key)).collect();
    let mut judge = Judge::new(needed);
    let mut events = EventReader::new(file.as_bytes()).unwrap();
    let mut said = Vec::new();
    while let Some(found) = events.next_event().unwrap() {
        let judged = judge.judge(&found);
        let line: Value = serde_json::from_str(&judged.emit()).unwrap();
        assert_eq!(line["verdict"], judged.verdict.as_str());
        assert_eq!(line["why"].as_str().map(str::to_owned), judged.why.as_ref().map(ToString::to_string));
        assert_eq!(judged.content().is_some(), line["authenticated"] == json!(false));
        said.push(line);
    }
    (said, offered)
}

pub(crate) fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

#[track_caller]
pub(crate) fn assert_verdicts(events: &[Value], keys: Vec<Key>, expected: &[&str]) -> Vec<Value> {
    let (said, _) = judged(&lines(events), keys, None);
    let verdicts: Vec<_> = said.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, expected, "{said:#?}");
    // What was not decrypted is there as it came.
    for (line, event) in said.iter().zip(events) {
        assert!(line["verdict"] == "decrypted" || line["event"] == *event, "{line}");
    }
    said
}
