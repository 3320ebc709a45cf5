//! Megolm: room events, and the room keys that travel over Olm.

use std::collections::BTreeMap;

use mx_megolm::ExportedSessionKey;
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, RoomId};
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{
    Failure,
    device::{Address, Device},
    fail,
    party::{InboundGroupSession, OutboundGroupSession},
    to_device::ToDeviceEvent,
};

const ALGORITHM: &str = "m.megolm.v1.aes-sha2";

const RELATION: &str = "m.relates_to";

/// Messages before a session is replaced: the default `rotation_period_msgs` of `m.room.encryption`.
const ROTATION_PERIOD_MSGS: u32 = 100;

/// The group sessions of a device.
#[derive(Default)]
pub(crate) struct RoomSessions {
    outbound: BTreeMap<String, Box<dyn OutboundGroupSession>>,
    /// By room and session ID.
    inbound: BTreeMap<(String, String), RoomKey>,
}

struct RoomKey {
    session: Box<dyn InboundGroupSession>,
    /// The device that sent the key over Olm: the one who speaks in this session.
    owner: Address,
    sender_key: String,
    sender_ed25519_key: String,
    /// Which event used which message index, to tell a replay from a second look at the same event.
    events: BTreeMap<u32, String>,
}

/// A room event, decrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomEvent {
    /// The type inside, such as `m.room.message`.
    pub event_type: String,
    /// The content inside.
    pub content: Value,
    /// The device that spoke.
    pub sender: Address,
    /// Where in its session the event stands.
    pub message_index: u32,
}

impl Device<'_> {
    /// Whether a new session is due before the next event in this room.
    #[must_use]
    pub fn needs_new_room_session(&self, room_id: &str) -> bool {
        self.rooms.outbound.get(room_id).is_none_or(|session| session.message_index() >= ROTATION_PERIOD_MSGS)
    }

    /// Starts a new group session: the content of the `m.room_key` event that shares it.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    pub fn create_room_session(&mut self, rng: &mut dyn CryptoRng, room_id: &str) -> Result<Value, Failure> {
        let session = self.implementation.create_group_session(rng)?;
        let content = json!({
            "algorithm": ALGORITHM,
            "room_id": room_id,
            "session_id": session.session_id(),
            "session_key": session.session_key(),
            "shared_history": false,
        });
        // One's own events are read with a copy of the key that the others get.
        let room_key = RoomKey {
            session: self.implementation.receive_session_key(&session.session_key())?,
            owner: self.address.clone(),
            sender_key: self.account.curve25519_key(),
            sender_ed25519_key: self.account.ed25519_key(),
            events: BTreeMap::new(),
        };
        self.rooms.inbound.insert((room_id.to_owned(), session.session_id()), room_key);
        self.rooms.outbound.insert(room_id.to_owned(), session);
        Ok(content)
    }

    /// Forgets the group session that this device speaks in. What was said in it can still be read.
    pub fn discard_room_session(&mut self, room_id: &str) {
        self.rooms.outbound.remove(room_id);
    }

    /// Takes a room key that arrived over Olm: its session ID.
    ///
    /// # Errors
    ///
    /// When it is no room key, is malformed, or carries another session than it names.
    pub fn receive_room_key(&mut self, event: &ToDeviceEvent) -> Result<String, Failure> {
        let content = &event.content;
        if event.event_type != "m.room_key" || content["algorithm"] != ALGORITHM {
            return fail("not a Megolm room key");
        }
        let room_id = content["room_id"].as_str().ok_or("the room key names no room")?;
        let session_key = content["session_key"].as_str().ok_or("the room key has no session key")?;
        let session = self.implementation.receive_session_key(session_key)?;
        let session_id = session.session_id();
        if content["session_id"] != session_id.as_str() {
            return fail("the room key carries another session than it names");
        }
        let place = (room_id.to_owned(), session_id.clone());
        if self.rooms.inbound.contains_key(&place) {
            return fail("the room key is already here");
        }
        let room_key = RoomKey {
            session,
            owner: event.sender.clone(),
            sender_key: event.sender_key.clone(),
            sender_ed25519_key: event.sender_ed25519_key.clone(),
            events: BTreeMap::new(),
        };
        self.rooms.inbound.insert(place, room_key);
        Ok(session_id)
    }

    /// All group sessions that this device can read, each from its first known index on, as a key export has them.
    ///
    /// # Errors
    ///
    /// When the implementation exports what is no session.
    pub fn export_room_keys(&mut self) -> Result<Vec<ExportedSessionData<'static>>, Failure> {
        let export = |((room_id, _), key): (&(String, String), &mut RoomKey)| -> Result<_, Failure> {
            let session_key = key.session.export_at(key.session.first_known_index())?;
            let session_key = ExportedSessionKey::from_base64(&session_key)?;
            let sender_key = Curve25519PublicKey::from_base64(&key.sender_key)?;
            let mut data = BackedUpSessionData::new(session_key, sender_key);
            data.sender_claimed_ed25519 = Some(Ed25519PublicKey::from_base64(&key.sender_ed25519_key)?);
            Ok(ExportedSessionData::new(RoomId::parse(room_id)?, data).into_owned())
        };
        self.rooms.inbound.iter_mut().map(export).collect()
    }

    /// Encrypts an event for a room: the content of an `m.room.encrypted` event. What the event refers to stays outside.
    ///
    /// # Errors
    ///
    /// When the room has no session yet.
    pub fn encrypt_room_event(
        &mut self,
        room_id: &str,
        event_type: &str,
        content: &Value,
    ) -> Result<Value, Failure> {
        let mut content = content.clone();
        let relation = content.as_object_mut().and_then(|content| content.remove(RELATION));
        let plaintext = json!({ "type": event_type, "content": content, "room_id": room_id }).to_string();
        let session = self.rooms.outbound.get_mut(room_id).ok_or("the room has no session")?;
        let ciphertext = session.encrypt(plaintext.as_bytes())?;
        let mut encrypted = json!({
            "algorithm": ALGORITHM,
            "ciphertext": ciphertext,
            "session_id": session.session_id(),
            "sender_key": self.account.curve25519_key(),
            "device_id": self.address.device_id,
        });
        if let Some(relation) = relation {
            encrypted[RELATION] = relation;
        }
        Ok(encrypted)
    }

    /// Decrypts an `m.room.encrypted` room event.
    ///
    /// # Errors
    ///
    /// When the session is not known or another user's, the event does not decrypt, names another room inside, or is
    /// a replay.
    pub fn receive_room_event(&mut self, event: &Value) -> Result<RoomEvent, Failure> {
        let content = &event["content"];
        if content["algorithm"] != ALGORITHM {
            return fail("unsupported algorithm");
        }
        let text = |value: &Value, what: &str| match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("the event has no {what}")),
        };
        let room_id = text(&event["room_id"], "room")?;
        let event_id = text(&event["event_id"], "event ID")?;
        let session_id = text(&content["session_id"], "session ID")?;
        let ciphertext = text(&content["ciphertext"], "ciphertext")?;
        let room_key = self.rooms.inbound.get_mut(&(room_id.clone(), session_id));
        let room_key = room_key.ok_or("the room key has not arrived")?;
        if event["sender"] != room_key.owner.user_id.as_str() {
            return fail("the event was sent by somebody else than the owner of the session");
        }
        let decrypted = room_key.session.decrypt(&ciphertext)?;
        let plaintext: Value = serde_json::from_slice(&decrypted.plaintext)?;
        if plaintext["room_id"] != room_id.as_str() {
            return fail("the event was encrypted for another room");
        }
        let first = room_key.events.entry(decrypted.message_index).or_insert_with(|| event_id.clone());
        if *first != event_id {
            return fail(format!("message index {} was already used by {first}", decrypted.message_index));
        }
        Ok(RoomEvent {
            event_type: text(&plaintext["type"], "type inside")?,
            content: plaintext["content"].clone(),
            sender: room_key.owner.clone(),
            message_index: decrypted.message_index,
        })
    }
}
