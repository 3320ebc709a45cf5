//! The room, encrypted: each side has the other's Megolm session, and `m.relates_to` stands outside of the ciphertext (VER-3).

use core::iter;

use matrix_sdk_crypto::{
    DecryptionSettings, EncryptionSettings, OlmMachine, TrustRequirement, olm::ExportedRoomKey,
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::RoomKey;
use mx_types::base64::encode_to_string;
use rand_chacha::ChaCha20Rng;
use ruma::RoomId;
use serde_json::{Value, json};

use super::{
    super::{
        block_on, room,
        room_keys::{SENDER_KEY, exported},
    },
    net::{Message, ROOM},
};
use crate::report::{Failure, expect};

pub struct EncryptedRoom {
    ours: OutboundGroupSession,
}

impl EncryptedRoom {
    /// Their machine gets our session.
    pub fn new(rng: &mut ChaCha20Rng, machine: &OlmMachine) -> Result<Self, Failure> {
        let ours = OutboundGroupSession::new(rng)?;
        let data = exported(&mut InboundGroupSession::new(&ours.session_key()), ROOM)?.emit_to_vec();
        let key: ExportedRoomKey = serde_json::from_slice(&data)?;
        block_on(machine.store().import_exported_room_keys(vec![key], |_, _| ()))?;
        Ok(Self { ours })
    }

    /// A message of ours, through their machine's decryption: the event as they have it then.
    pub fn to_them(
        &mut self,
        machine: &OlmMachine,
        message: &Message,
        event_id: &str,
    ) -> Result<Value, Failure> {
        // The relation stands outside only: it is their decryption that must put it back.
        let mut content = message.content.clone();
        let relation = content.as_object_mut().ok_or("no object")?.remove("m.relates_to");
        let plaintext = json!({ "type": message.event_type, "room_id": ROOM, "content": content });
        let (ciphertext, _) = self.ours.encrypt_to_vec(plaintext.to_string().as_bytes())?;
        let mut content = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": encode_to_string(&ciphertext),
            "session_id": self.ours.session_id().to_string(),
            "sender_key": SENDER_KEY,
            "device_id": message.sender.1,
        });
        if let Some(relation) = relation {
            content["m.relates_to"] = relation;
        }
        let event = serde_json::from_value(json!({
            "type": "m.room.encrypted",
            "event_id": event_id,
            "room_id": ROOM,
            "sender": message.sender.0,
            "origin_server_ts": ruma::MilliSecondsSinceUnixEpoch::now().get(),
            "content": content,
        }))?;
        let settings = DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };
        let decrypted = block_on(machine.decrypt_room_event(&event, &RoomId::parse(ROOM)?, &settings))?;
        Ok(serde_json::from_str(decrypted.event.json().get())?)
    }

    /// A message of theirs: its content as we decrypt it, without the relation that they leave inside, too, and the cleartext.
    pub fn to_us(&self, machine: &OlmMachine, message: &Message) -> Result<(Value, Value), Failure> {
        let room_id = RoomId::parse(ROOM)?;
        block_on(machine.share_room_key(&room_id, iter::empty(), EncryptionSettings::default()))?;
        let content = serde_json::from_value(message.content.clone())?;
        let encrypted = block_on(machine.encrypt_room_event_raw(&room_id, &message.event_type, &content))?;
        let cleartext: Value = serde_json::from_str(encrypted.content.json().get())?;
        let relation = &message.content["m.relates_to"];
        expect(cleartext["m.relates_to"] == *relation, "their relation does not stand outside")?;
        let keys = block_on(machine.store().export_room_keys(|_| true))?;
        let key = keys.into_iter().find(|key| cleartext["session_id"] == key.session_id);
        let key = serde_json::to_vec(&key.ok_or("no session of theirs")?)?;
        let key = mx_room_key::ExportedSessionData::parse(&key)?;
        let event = json!({ "content": cleartext });
        let plaintext = room::decrypt(&mut [RoomKey::from_file(key)], &event)?;
        expect(plaintext["type"] == message.event_type.as_str(), "another type")?;
        let mut content = plaintext["content"].clone();
        content.as_object_mut().ok_or("no object")?.remove("m.relates_to");
        Ok((content, cleartext))
    }
}
