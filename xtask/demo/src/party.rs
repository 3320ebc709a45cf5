//! What a conversation needs of an implementation of Olm and Megolm.
//!
//! Keys, messages and session keys cross these traits in the form in which Matrix carries them: unpadded Base64.
//! Ours implements them in [`crate::ours`], vodozemac and libolm in `xtask/peers`.

use core::fmt;

use rand_core::CryptoRng;

/// What an implementation says when it refuses something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal(pub String);

impl Refusal {
    /// Keeps the words of an implementation's own error.
    pub fn from_error(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Refusal {}

/// An Olm message as `m.room.encrypted` carries it: `{"type": …, "body": …}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OlmMessage {
    /// 0 is a pre-key message, 1 a normal message.
    pub message_type: u8,
    /// Unpadded Base64.
    pub body: String,
}

/// A key as `/keys/upload` wants it, before it is signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedKey {
    /// The part after `signed_curve25519:`.
    pub key_id: String,
    /// The public Curve25519 key in unpadded Base64.
    pub key: String,
}

/// An implementation of Olm and Megolm.
pub trait Implementation {
    /// Name and version, for people.
    fn name(&self) -> String;

    /// Whether it checks MAC and signature of a Megolm message, not over the bytes that came, but over what it would
    /// write for the fields that it found in them.
    fn authenticates_fields(&self) -> bool {
        false
    }

    /// A new account with identity keys and nothing else.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    fn create_account(&self, rng: &mut dyn CryptoRng) -> Result<Box<dyn Account>, Refusal>;

    /// A new group session at message index 0.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    fn create_group_session(&self, rng: &mut dyn CryptoRng)
    -> Result<Box<dyn OutboundGroupSession>, Refusal>;

    /// The receiving end of a group session, from the session sharing format of `m.room_key`.
    ///
    /// # Errors
    ///
    /// When the key is malformed or its signature does not verify.
    fn receive_session_key(&self, session_key: &str) -> Result<Box<dyn InboundGroupSession>, Refusal>;

    /// The receiving end of a group session, from the session export format.
    ///
    /// # Errors
    ///
    /// When the key is malformed.
    fn import_session_key(&self, exported: &str) -> Result<Box<dyn InboundGroupSession>, Refusal>;

    /// Checks an Ed25519 signature.
    ///
    /// # Errors
    ///
    /// When key or signature are malformed, or the signature is not valid.
    fn verify(&self, ed25519_key: &str, message: &[u8], signature: &str) -> Result<(), Refusal>;
}

/// The long-term keys of one device.
pub trait Account {
    /// The Curve25519 identity key.
    fn curve25519_key(&self) -> String;

    /// The Ed25519 device key, also called the fingerprint.
    fn ed25519_key(&self) -> String;

    /// Signs with the Ed25519 device key; 86 characters.
    fn sign(&self, message: &[u8]) -> String;

    /// Adds one-time keys.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    fn generate_one_time_keys(&mut self, rng: &mut dyn CryptoRng, count: usize) -> Result<(), Refusal>;

    /// Adds a fallback key; the present one becomes the previous one.
    ///
    /// # Errors
    ///
    /// When the implementation refuses.
    fn generate_fallback_key(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Refusal>;

    /// The one-time keys not yet published.
    fn one_time_keys(&self) -> Vec<NamedKey>;

    /// The fallback key, when not yet published.
    fn fallback_key(&self) -> Option<NamedKey>;

    /// Remembers that the server has the keys.
    fn mark_keys_as_published(&mut self);

    /// Starts a session with a device whose one-time key was claimed.
    ///
    /// # Errors
    ///
    /// When a key is refused.
    fn create_outbound_session(
        &self,
        rng: &mut dyn CryptoRng,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Box<dyn Session>, Refusal>;

    /// Starts a session from the pre-key message that a device sent, and decrypts that message. The one-time key is
    /// used up when that worked.
    ///
    /// # Errors
    ///
    /// When the message is malformed, names a key that the account has not, or does not decrypt.
    fn create_inbound_session(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Box<dyn Session>, Vec<u8>), Refusal>;
}

/// One end of an Olm session.
pub trait Session {
    /// The same at both ends.
    fn session_id(&self) -> String;

    /// Whether a pre-key message belongs to this session.
    fn matches(&self, message: &OlmMessage) -> bool;

    /// Encrypts one message and advances.
    ///
    /// # Errors
    ///
    /// When the session can send no more.
    fn encrypt(&mut self, rng: &mut dyn CryptoRng, plaintext: &[u8]) -> Result<OlmMessage, Refusal>;

    /// Decrypts one message.
    ///
    /// # Errors
    ///
    /// When the message is malformed, forged, a replay or too far ahead.
    fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, Refusal>;
}

/// The sending end of a Megolm session.
pub trait OutboundGroupSession {
    /// The Ed25519 key of the session.
    fn session_id(&self) -> String;

    /// The index of the next message.
    fn message_index(&self) -> u32;

    /// The session sharing format at the present index.
    fn session_key(&self) -> String;

    /// Encrypts one message and advances.
    ///
    /// # Errors
    ///
    /// When the session can send no more.
    fn encrypt(&mut self, plaintext: &[u8]) -> Result<String, Refusal>;
}

/// A decrypted Megolm message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupMessage {
    /// Where in the session it stood, for replay detection.
    pub message_index: u32,
    /// What it said.
    pub plaintext: Vec<u8>,
}

/// The receiving end of a Megolm session.
pub trait InboundGroupSession {
    /// The Ed25519 key of the session.
    fn session_id(&self) -> String;

    /// The first message that can be read.
    fn first_known_index(&self) -> u32;

    /// Decrypts one message.
    ///
    /// # Errors
    ///
    /// When the message is malformed, forged, or from before the first known index.
    fn decrypt(&mut self, message: &str) -> Result<GroupMessage, Refusal>;

    /// The session export format from `message_index` on.
    ///
    /// # Errors
    ///
    /// When that is before the first known index.
    fn export_at(&mut self, message_index: u32) -> Result<String, Refusal>;
}
