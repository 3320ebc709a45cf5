//! A room with encrypted events, and the key files of those who were in it.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "each suite uses a part")]

use core::num::NonZeroU32;

use mx_megolm::{ExportedSessionKey, InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId, base64::encode_to_string};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Value, json};

/// A sender's session in a room.
#[derive(Debug)]
pub struct Sender {
    pub room_id: &'static str,
    outbound: OutboundGroupSession,
    inbound: InboundGroupSession,
    /// For IDs and times of events.
    count: u32,
}

impl Sender {
    pub fn new(seed: u8, room_id: &'static str) -> Self {
        Self::seeded([seed; 32], room_id)
    }

    pub fn seeded(seed: [u8; 32], room_id: &'static str) -> Self {
        let outbound = OutboundGroupSession::new(&mut ChaCha20Rng::from_seed(seed)).unwrap();
        let inbound = InboundGroupSession::new(&outbound.session_key());
        Self { room_id, outbound, inbound, count: 0 }
    }

    pub fn session_id(&self) -> String {
        self.outbound.session_id().to_string()
    }

    /// An event with a message in it.
    pub fn say(&mut self, body: &str) -> Value {
        self.send(&json!({
            "type": "m.room.message", "room_id": self.room_id, "content": { "msgtype": "m.text", "body": body },
        }))
    }

    /// An event with any plaintext.
    pub fn send(&mut self, plaintext: &Value) -> Value {
        let (message, _) = self.outbound.encrypt_to_vec(plaintext.to_string().as_bytes()).unwrap();
        self.count += 1;
        json!({
            "type": "m.room.encrypted",
            "event_id": format!("${}:{}", self.count, &self.session_id()[..5]),
            "room_id": self.room_id,
            "sender": "@alice:example.org",
            "origin_server_ts": 1_700_000_000_000_u64 + u64::from(self.count),
            "content": {
                "algorithm": "m.megolm.v1.aes-sha2",
                "session_id": self.session_id(),
                "sender_key": "not read",
                "device_id": "NOTREAD",
                "ciphertext": encode_to_string(&message),
            },
        })
    }

    /// The entry of a key file: the session from `index` on, for its room or another.
    pub fn exported(&mut self, index: u32, room_id: &'static str) -> ExportedSessionData<'static> {
        of(self.inbound.export_at(index).unwrap(), room_id)
    }
}

/// A key that somebody made up for a session: another ratchet beside the same public key.
pub fn forged(session: &ExportedSessionData<'_>, room_id: &'static str) -> ExportedSessionData<'static> {
    let mut bytes = *session.session.session_key.as_bytes();
    bytes[20] ^= 1;
    of(ExportedSessionKey::from_bytes(&bytes).unwrap(), room_id)
}

fn of(key: ExportedSessionKey, room_id: &'static str) -> ExportedSessionData<'static> {
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    ExportedSessionData::new(RoomId::parse(room_id).unwrap(), BackedUpSessionData::new(key, sender_key))
}

/// A key file under [`PASSPHRASE`].
pub fn key_file<'s>(sessions: impl IntoIterator<Item = &'s ExportedSessionData<'s>>) -> Vec<u8> {
    let mut rng = ChaCha20Rng::from_seed([99; 32]);
    mx_key_export::write(&mut rng, PASSPHRASE, NonZeroU32::new(10).unwrap(), sessions).unwrap()
}

pub const PASSPHRASE: &str = "correct horse";
