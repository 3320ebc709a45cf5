//! Olm: messages from device to device, as the contents of `m.room.encrypted` events.

use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{
    Failure,
    device::{Address, Device},
    fail,
    party::{OlmMessage, Session},
};

const ALGORITHM: &str = "m.olm.v1.curve25519-aes-sha2";

/// An Olm session and the identity key at its other end.
pub(crate) struct OlmChannel {
    their_curve25519_key: String,
    session: Box<dyn Session>,
    /// Counts up: the session that received last is the one to send with.
    last_used: u64,
}

/// An event that arrived over Olm, with everything checked that the specification wants checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ToDeviceEvent {
    /// The type inside, such as `m.room_key`.
    pub event_type: String,
    /// The content inside.
    pub content: Value,
    /// Whose it is: the user named by the event, and the device that the keys belong to.
    pub sender: Address,
    /// The Curve25519 key it came from.
    pub sender_key: String,
    /// The Ed25519 key of the device that the Curve25519 key belongs to.
    pub sender_ed25519_key: String,
    /// The session it came over.
    pub session_id: String,
    /// Whether the message opened that session.
    pub opened_session: bool,
}

impl Device<'_> {
    /// Opens an Olm session with a device, from a key claimed for it.
    ///
    /// # Errors
    ///
    /// When the device is not known, or a key is refused.
    pub fn open_olm_session(
        &mut self,
        rng: &mut dyn CryptoRng,
        with: &Address,
        one_time_key: &str,
    ) -> Result<String, Failure> {
        let their_curve25519_key = self.known_device(with)?.curve25519_key.clone();
        let session = self.account.create_outbound_session(rng, &their_curve25519_key, one_time_key)?;
        let session_id = session.session_id();
        let last_used = self.next_use();
        self.channels.push(OlmChannel { their_curve25519_key, session, last_used });
        Ok(session_id)
    }

    /// Whether there is an Olm session with a device.
    ///
    /// # Errors
    ///
    /// When the device is not known.
    pub fn has_olm_session(&self, with: &Address) -> Result<bool, Failure> {
        let key = &self.known_device(with)?.curve25519_key;
        Ok(self.channels.iter().any(|channel| channel.their_curve25519_key == *key))
    }

    /// Encrypts an event for one device: the content of an `m.room.encrypted` event, and the length of the plaintext.
    ///
    /// # Errors
    ///
    /// When there is no session with that device.
    pub fn encrypt_to_device(
        &mut self,
        rng: &mut dyn CryptoRng,
        to: &Address,
        event_type: &str,
        content: &Value,
    ) -> Result<(Value, usize), Failure> {
        let device = self.known_device(to)?.clone();
        let plaintext = json!({
            "type": event_type,
            "content": content,
            "sender": self.address.user_id,
            "recipient": to.user_id,
            "recipient_keys": { "ed25519": device.ed25519_key },
            "keys": { "ed25519": self.account.ed25519_key() },
            "sender_device_keys": self.device_keys()?,
        })
        .to_string();
        let own_key = self.account.curve25519_key();
        let with_device =
            self.channels.iter_mut().filter(|c| c.their_curve25519_key == device.curve25519_key);
        let channel = with_device.max_by_key(|channel| channel.last_used).ok_or("there is no Olm session")?;
        let message = channel.session.encrypt(rng, plaintext.as_bytes())?;
        let content = json!({
            "algorithm": ALGORITHM,
            "sender_key": own_key,
            "ciphertext": { device.curve25519_key: { "type": message.message_type, "body": message.body } },
        });
        Ok((content, plaintext.len()))
    }

    /// Decrypts an `m.room.encrypted` to-device event.
    ///
    /// # Errors
    ///
    /// When it is not for this device, does not decrypt, or its plaintext does not say who sent it to whom.
    pub fn receive_to_device(&mut self, event: &Value) -> Result<ToDeviceEvent, Failure> {
        let content = &event["content"];
        if content["algorithm"] != ALGORITHM {
            return fail("unsupported algorithm");
        }
        let sender = event["sender"].as_str().ok_or("the event has no sender")?;
        let sender_key = content["sender_key"].as_str().ok_or("the event has no sender key")?;
        let message = &content["ciphertext"][self.account.curve25519_key()];
        let message_type = match message["type"].as_u64() {
            Some(0) => 0,
            Some(1) => 1,
            _ => return fail("the event is not for this device, or of an unknown message type"),
        };
        let body = message["body"].as_str().ok_or("the event has no ciphertext")?.to_owned();
        let (plaintext, session_id, opened_session) =
            self.decrypt_olm(sender_key, &OlmMessage { message_type, body })?;
        let plaintext: Value = serde_json::from_slice(&plaintext)?;
        let sender = self.check_plaintext(&plaintext, sender, sender_key)?;
        Ok(ToDeviceEvent {
            event_type: plaintext["type"].as_str().ok_or("the plaintext has no type")?.to_owned(),
            content: plaintext["content"].clone(),
            sender,
            sender_key: sender_key.to_owned(),
            sender_ed25519_key: plaintext["keys"]["ed25519"].as_str().unwrap_or_default().to_owned(),
            session_id,
            opened_session,
        })
    }

    /// Finds or makes the session that a message belongs to: plaintext, session ID, and whether the session is new.
    fn decrypt_olm(
        &mut self,
        sender_key: &str,
        message: &OlmMessage,
    ) -> Result<(Vec<u8>, String, bool), Failure> {
        let use_number = self.next_use();
        let mut from_sender: Vec<_> =
            self.channels.iter_mut().filter(|channel| channel.their_curve25519_key == sender_key).collect();
        if message.message_type == 0 {
            // A pre-key message of a session that exists is tried with that session and no other.
            let Some(channel) = from_sender.into_iter().find(|channel| channel.session.matches(message))
            else {
                let (session, plaintext) = self.account.create_inbound_session(sender_key, message)?;
                let session_id = session.session_id();
                let their_curve25519_key = sender_key.to_owned();
                self.channels.push(OlmChannel { their_curve25519_key, session, last_used: use_number });
                return Ok((plaintext, session_id, true));
            };
            let plaintext = channel.session.decrypt(message)?;
            channel.last_used = use_number;
            return Ok((plaintext, channel.session.session_id(), false));
        }
        from_sender.sort_by_key(|channel| core::cmp::Reverse(channel.last_used));
        for channel in from_sender {
            if let Ok(plaintext) = channel.session.decrypt(message) {
                channel.last_used = use_number;
                return Ok((plaintext, channel.session.session_id(), false));
            }
        }
        fail("no session decrypts the message")
    }

    /// The five checks of "Validation of incoming decrypted events"; what comes out is who really sent it.
    fn check_plaintext(&self, plaintext: &Value, sender: &str, sender_key: &str) -> Result<Address, Failure> {
        if plaintext["sender"] != sender {
            return fail("the plaintext names another sender than the event");
        }
        if plaintext["recipient"] != self.address.user_id.as_str() {
            return fail("the plaintext is meant for another user");
        }
        if plaintext["recipient_keys"]["ed25519"] != self.account.ed25519_key().as_str() {
            return fail("the plaintext is meant for another device");
        }
        let device_keys = &plaintext["sender_device_keys"];
        let device_id = device_keys["device_id"].as_str().ok_or("the plaintext lacks sender_device_keys")?;
        let address = Address { user_id: sender.to_owned(), device_id: device_id.to_owned() };
        let device = self.verified_device_keys(device_keys, &address)?;
        if device.curve25519_key != sender_key {
            return fail("the message came from another Curve25519 key than the sending device's");
        }
        if plaintext["keys"]["ed25519"] != device.ed25519_key.as_str() {
            return fail("the plaintext names another Ed25519 key than the sending device's");
        }
        Ok(address)
    }

    fn next_use(&self) -> u64 {
        self.channels.iter().map(|channel| channel.last_used).max().unwrap_or(0) + 1
    }
}
