//! Two devices, the server between them, and what happens told while it happens.

use std::io;

use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{
    Failure,
    device::{Address, Device},
    narrator::{Narrator, bytes, short},
    party::Implementation,
    room::RoomEvent,
    server::{SIGNED_CURVE25519, Server},
    to_device::ToDeviceEvent,
};

/// The room of the two alone, in which they verify each other.
pub const DIRECT_ROOM_ID: &str = "!direct:example.org";

/// The room that the two talk in.
pub const ROOM_ID: &str = "!demo:example.org";

/// Who acts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Always ours.
    Alice,
    /// Ours, or a peer.
    Bob,
}

impl Role {
    /// The name, for the story.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alice => "Alice",
            Self::Bob => "Bob",
        }
    }

    /// The one at the other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// Everything that takes part.
pub struct Stage<'s> {
    pub(crate) server: Server,
    alice: Device<'s>,
    bob: Device<'s>,
    pub(crate) rng: &'s mut dyn CryptoRng,
    pub(crate) narrator: Narrator<'s>,
}

impl core::fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stage").field("alice", &self.alice).field("bob", &self.bob).finish_non_exhaustive()
    }
}

impl<'s> Stage<'s> {
    /// Creates both accounts.
    ///
    /// # Errors
    ///
    /// When an implementation refuses.
    pub fn new(
        rng: &'s mut dyn CryptoRng,
        narrator: Narrator<'s>,
        alice: &'s dyn Implementation,
        bob: &'s dyn Implementation,
    ) -> Result<Self, Failure> {
        let alice = Device::new(rng, alice, "@alice:example.org", "ALICEPHONE")?;
        let bob = Device::new(rng, bob, "@bob:example.org", "BOBLAPTOP")?;
        Ok(Self { server: Server::default(), alice, bob, rng, narrator })
    }

    /// One of the two devices.
    pub fn device(&mut self, who: Role) -> &mut Device<'s> {
        match who {
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        }
    }

    pub(crate) fn address(&self, who: Role) -> Address {
        match who {
            Role::Alice => self.alice.address.clone(),
            Role::Bob => self.bob.address.clone(),
        }
    }

    pub(crate) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.narrator.chapter(title)
    }

    pub(crate) fn tell(&mut self, who: Role, what: &str) -> io::Result<()> {
        self.narrator.step(who.name(), what)
    }

    /// Says which keys the account has.
    pub(crate) fn introduce(&mut self, who: Role) -> Result<(), Failure> {
        let device = self.device(who);
        let (curve25519_key, ed25519_key) = (device.account.curve25519_key(), device.account.ed25519_key());
        let name = device.implementation.name();
        let what = format!(
            "creates an account with {name}: Curve25519 identity key {}, Ed25519 device key {}",
            short(&curve25519_key),
            short(&ed25519_key)
        );
        Ok(self.tell(who, &what)?)
    }

    /// Publishes device keys, one-time keys and a fallback key.
    pub(crate) fn upload_keys(&mut self, who: Role, one_time_keys: usize) -> Result<(), Failure> {
        let Address { user_id, device_id } = self.address(who);
        let rng = &mut *self.rng;
        let device = match who {
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        };
        let body = device.keys_upload_body(rng, one_time_keys)?;
        self.narrator.wire(&body)?;
        let answer = self.server.upload_keys(&user_id, &device_id, &body)?;
        self.narrator.wire(&answer)?;
        self.device(who).keys_uploaded();
        let size = |part: &Value| bytes(part.to_string().len());
        let what = format!(
            "uploads signed device keys ({}), {one_time_keys} signed one-time keys ({}) and a fallback key ({})",
            size(&body["device_keys"]),
            size(&body["one_time_keys"]),
            size(&body["fallback_keys"]),
        );
        Ok(self.tell(who, &what)?)
    }

    /// Looks up the other's device and checks its signature.
    pub(crate) fn query_keys(&mut self, who: Role) -> Result<(), Failure> {
        let other = self.address(who.other());
        self.narrator.wire(&json!({ "device_keys": { &other.user_id: [] } }))?;
        let answer = self.server.query_keys(&other.user_id);
        self.narrator.wire(&answer)?;
        self.device(who).receive_queried_device(&answer, &other)?;
        let size = bytes(answer.to_string().len());
        let what =
            format!("queries the devices of {} ({size}): {} signed itself", other.user_id, other.device_id);
        Ok(self.tell(who, &what)?)
    }

    /// Claims one of the other's keys and checks its signature: the key.
    pub(crate) fn claim_key(&mut self, who: Role) -> Result<String, Failure> {
        let other = self.address(who.other());
        let request = json!({ "one_time_keys": { &other.user_id: { &other.device_id: SIGNED_CURVE25519 } } });
        self.narrator.wire(&request)?;
        let answer = self.server.claim_key(&other.user_id, &other.device_id);
        self.narrator.wire(&answer)?;
        let claimed = self.device(who).receive_claimed_key(&answer, &other)?;
        let object = &answer["one_time_keys"][&other.user_id][&other.device_id][&claimed.key_id];
        let kind = if object["fallback"] == true { "fallback key" } else { "one-time key" };
        let size = bytes(object.to_string().len());
        let what = format!(
            "claims {kind} {} ({size}): its signature by {} verifies",
            claimed.key_id, other.device_id
        );
        self.tell(who, &what)?;
        Ok(claimed.key)
    }

    /// Opens an Olm session with a claimed key.
    pub(crate) fn open_olm_session(&mut self, who: Role, key: &str) -> Result<(), Failure> {
        let other = self.address(who.other());
        let rng = &mut *self.rng;
        let device = match who {
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        };
        let session_id = device.open_olm_session(rng, &other, key)?;
        Ok(self.tell(who, &format!("opens Olm session {}", short(&session_id)))?)
    }

    /// Encrypts an event for the other's device and leaves it at the server.
    pub(crate) fn send_to_device(
        &mut self,
        who: Role,
        event_type: &str,
        content: &Value,
        label: &str,
    ) -> Result<(), Failure> {
        let (own, other) = (self.address(who), self.address(who.other()));
        let rng = &mut *self.rng;
        let device = match who {
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        };
        let (content, plaintext_len) = device.encrypt_to_device(rng, &other, event_type, content)?;
        self.narrator.wire(&content)?;
        let message = content["ciphertext"].as_object().and_then(|messages| messages.values().next());
        let message = message.cloned().unwrap_or_default();
        let kind = if message["type"] == 0 { "pre-key" } else { "normal" };
        let what = format!(
            "sends {label} as a {kind} message: {} of Olm plaintext, {} of m.room.encrypted",
            bytes(plaintext_len),
            bytes(content.to_string().len())
        );
        self.server.send_to_device(&own.user_id, (&other.user_id, &other.device_id), content)?;
        Ok(self.tell(who, &what)?)
    }

    /// Fetches what waits at the server.
    pub(crate) fn sync(&mut self, who: Role) -> Vec<Value> {
        let Address { user_id, device_id } = self.address(who);
        self.server.sync_to_device(&user_id, &device_id)
    }

    /// Decrypts one event that arrived.
    pub(crate) fn receive_to_device(&mut self, who: Role, event: &Value) -> Result<ToDeviceEvent, Failure> {
        let received = self.device(who).receive_to_device(event)?;
        if received.opened_session {
            let from = &received.sender.device_id;
            let what =
                format!("opens the other end of Olm session {} with {from}", short(&received.session_id));
            self.tell(who, &what)?;
        }
        Ok(received)
    }

    /// Starts a group session and sends its key to the other.
    pub(crate) fn share_room_key(&mut self, who: Role, room_id: &str) -> Result<(), Failure> {
        let rng = &mut *self.rng;
        let device = match who {
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        };
        let content = device.create_room_session(rng, room_id)?;
        let session_id = content["session_id"].as_str().unwrap_or_default().to_owned();
        self.tell(who, &format!("creates Megolm session {} for {room_id}", short(&session_id)))?;
        self.send_to_device(who, "m.room_key", &content, "its m.room_key")?;
        for event in self.sync(who.other()) {
            let received = self.receive_to_device(who.other(), &event)?;
            let session_id = self.device(who.other()).receive_room_key(&received)?;
            let from = &received.sender.device_id;
            let what = format!("reads m.room_key from {from}: Megolm session {} stored", short(&session_id));
            self.tell(who.other(), &what)?;
        }
        Ok(())
    }

    /// Encrypts an event for the room, after sharing a new session where one is due: the event as all see it.
    pub(crate) fn send_to_room(
        &mut self,
        who: Role,
        room_id: &str,
        event_type: &str,
        content: &Value,
    ) -> Result<Value, Failure> {
        if self.device(who).needs_new_room_session(room_id) {
            self.share_room_key(who, room_id)?;
        }
        let content = self.device(who).encrypt_room_event(room_id, event_type, content)?;
        self.narrator.wire(&content)?;
        let user_id = self.address(who).user_id;
        Ok(self.server.send_to_room(&user_id, room_id, content)?)
    }

    /// Decrypts an event of the room.
    pub(crate) fn receive_room_event(&mut self, who: Role, event: &Value) -> Result<RoomEvent, Failure> {
        self.device(who).receive_room_event(event)
    }
}
