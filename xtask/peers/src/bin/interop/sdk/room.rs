//! A room: events and key files of their machine's for us, and ours for their machine.

use core::{iter, num::NonZeroU32};
use std::fs;

use matrix_sdk_crypto::{
    DecryptionSettings, EncryptionSettings, OlmMachine, TrustRequirement, decrypt_room_key_export,
    encrypt_room_key_export, olm::ExportedRoomKey,
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::RoomKey;
use mx_types::base64::{TrailingBits, decode_to_vec, encode_to_string};
use rand_chacha::ChaCha20Rng;
use ruma::{DeviceId, OwnedRoomId, RoomId, UserId, events::room::history_visibility::HistoryVisibility};
use serde_json::{Value, json};

use super::{
    below, block_on,
    room_keys::{SENDER_KEY, exported},
    tool::Tool,
};
use crate::report::{Failure, Outcome, expect};

/// A device that runs their machine, and what it sent to its room.
pub struct Room {
    pub machine: OlmMachine,
    pub room_id: OwnedRoomId,
    /// `m.room.encrypted`, as a server hands them out.
    pub events: Vec<Value>,
    /// What was in them.
    pub bodies: Vec<String>,
}

pub const USER_ID: &str = "@alice:example.org";
pub const ROOM_ID: &str = "!matrix-sdk:example.org";

impl Room {
    /// Sends `count` messages, with a new session every few.
    pub fn encrypted_by_them(count: usize) -> Result<Self, Failure> {
        let machine = machine()?;
        let room_id = RoomId::parse(ROOM_ID)?;
        let (mut events, mut bodies) = (Vec::new(), Vec::new());
        for number in 0..count {
            let settings = EncryptionSettings {
                rotation_period_msgs: 7,
                history_visibility: match number / 20 % 2 {
                    0 => HistoryVisibility::Shared,
                    _ => HistoryVisibility::Joined,
                },
                ..EncryptionSettings::default()
            };
            block_on(machine.share_room_key(&room_id, iter::empty(), settings))?;
            let body = format!("message {number}, with „quotes“ and {}", "a tail ".repeat(number % 40));
            let content = json!({ "msgtype": "m.text", "body": body });
            let content = serde_json::from_value(content)?;
            let encrypted = block_on(machine.encrypt_room_event_raw(&room_id, "m.room.message", &content))?;
            events.push(event(number, serde_json::from_str(encrypted.content.json().get())?));
            bodies.push(body);
        }
        Ok(Self { machine, room_id, events, bodies })
    }

    /// Their key export with every session, written by them.
    pub fn key_file(&self, passphrase: &str, rounds: u32) -> Result<String, Failure> {
        Ok(encrypt_room_key_export(&self.keys()?, passphrase, rounds)?)
    }

    pub fn keys(&self) -> Result<Vec<ExportedRoomKey>, Failure> {
        Ok(block_on(self.machine.store().export_room_keys(|_| true))?)
    }
}

pub fn machine() -> Result<OlmMachine, Failure> {
    let user_id = UserId::parse(USER_ID)?;
    Ok(block_on(OlmMachine::new(&user_id, <&DeviceId>::from("THEIRDEVICE"))))
}

pub fn event(number: usize, content: Value) -> Value {
    json!({
        "type": "m.room.encrypted",
        "event_id": format!("$event{number}"),
        "room_id": ROOM_ID,
        "sender": USER_ID,
        "origin_server_ts": 1_700_000_000_000_u64 + number as u64,
        "content": content,
    })
}

const MESSAGES: usize = 60;

/// Their machine encrypts and exports its keys to a file; each event is read by our libraries with the session data
/// of that file.
pub fn to_us(_: &mut ChaCha20Rng) -> Outcome {
    let room = Room::encrypted_by_them(MESSAGES)?;
    let read = mx_key_export::read(room.key_file("theirs", 10)?.as_bytes(), "theirs")?;
    expect(read.refused.is_empty(), "we refuse sessions of theirs")?;
    let mut sessions: Vec<_> = read.sessions.into_iter().map(RoomKey::from_file).collect();
    for (event, body) in room.events.iter().zip(&room.bodies) {
        let plaintext = decrypt(&mut sessions, event)?;
        expect(plaintext["content"]["body"] == body.as_str(), "another body")?;
        expect(plaintext["room_id"] == ROOM_ID, "another room")?;
    }
    Ok(format!("{MESSAGES} events of {} sessions", sessions.len()))
}

/// Our session encrypts; their machine imports its data as we write it, and reads the events.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    const SESSIONS: usize = 5;
    let machine = machine()?;
    let room_id = RoomId::parse(ROOM_ID)?;
    let (mut events, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS {
        let mut outbound = OutboundGroupSession::new(rng)?;
        let skipped = below(rng, 300);
        for _ in 0..skipped {
            outbound.encrypt_to_vec(b"before the first index that is shared")?;
        }
        let mut inbound = InboundGroupSession::new(&outbound.session_key());
        for _ in 0..MESSAGES / SESSIONS {
            let plaintext = json!({
                "type": "m.room.message",
                "room_id": ROOM_ID,
                "content": { "msgtype": "m.text", "body": format!("message {}", events.len()) },
            });
            let (message, _) = outbound.encrypt_to_vec(plaintext.to_string().as_bytes())?;
            let content = json!({
                "algorithm": "m.megolm.v1.aes-sha2",
                "ciphertext": encode_to_string(&message),
                "session_id": outbound.session_id().to_string(),
                "sender_key": SENDER_KEY,
                "device_id": "OURDEVICE",
            });
            events.push(event(events.len(), content));
        }
        keys.push(exported(&mut inbound, ROOM_ID)?);
    }
    let file = mx_key_export::write(rng, "ours", NonZeroU32::MIN, &keys)?;
    let keys = decrypt_room_key_export(&*file, "ours")?;
    let imported = block_on(machine.store().import_exported_room_keys(keys, |_, _| ()))?;
    expect(imported.imported_count == SESSIONS, "they did not import every session")?;
    let settings = DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };
    for (number, event) in events.iter().enumerate() {
        let event = serde_json::from_value(event.clone())?;
        let decrypted = block_on(machine.decrypt_room_event(&event, &room_id, &settings))?;
        let plaintext: Value = serde_json::from_str(decrypted.event.json().get())?;
        expect(plaintext["content"]["body"] == format!("message {number}"), "another body")?;
    }
    Ok(format!("{} events of {SESSIONS} sessions", events.len()))
}

/// Their machine encrypts and writes the key file; `mx-e2ee` reads both.
pub fn to_tool(tool: &Tool, _: &mut ChaCha20Rng) -> Outcome {
    const PASSPHRASE: &str = "a pass phrase of theirs";
    let room = Room::encrypted_by_them(MESSAGES)?;
    fs::write(tool.path("keys.txt"), room.key_file(PASSPHRASE, 1_000)?)?;
    let lines: String = room.events.iter().map(|event| format!("{event}\n")).collect();
    fs::write(tool.path("room.jsonl"), lines)?;
    let read = tool.run(&["events", "decrypt", "--keys", "keys.txt", "room.jsonl"], PASSPHRASE)?;
    let lines: Vec<Value> = read.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    expect(lines.len() == room.bodies.len(), "another number of events")?;
    for (line, body) in lines.iter().zip(&room.bodies) {
        expect(line["verdict"] == "decrypted", "an event was not decrypted")?;
        expect(line["event"]["content"]["body"] == body.as_str(), "another body")?;
    }
    tool.run(&["keys", "verify", "keys.txt"], PASSPHRASE)?;
    Ok(format!("{MESSAGES} events, their key file"))
}

/// Decrypts an event with the session that it names.
pub fn decrypt(sessions: &mut [RoomKey], event: &Value) -> Result<Value, Failure> {
    let content = &event["content"];
    let named = |key: &&mut RoomKey| content["session_id"] == key.session_id().to_string();
    let key = sessions.iter_mut().find(named).ok_or("no session data for an event")?;
    let ciphertext = content["ciphertext"].as_str().ok_or("no ciphertext")?;
    let message = decode_to_vec(ciphertext, TrailingBits::Ignored)?;
    let mut out = vec![0; message.len()];
    Ok(serde_json::from_slice(key.decrypt(&message, &mut out)?.plaintext)?)
}
