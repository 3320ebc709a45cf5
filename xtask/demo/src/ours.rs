//! Our own crates as a party to a conversation.

use mx_megolm::{ExportedSessionKey, SessionKey};
use mx_olm::{MAX_MESSAGE_TEXT_LEN, MessageType, OlmMessageBuf, PublicOneTimeKey};
use mx_types::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature,
    base64::{TrailingBits, decode_to_vec, encode_to_string},
};
use rand_core::CryptoRng;

use crate::party::{self, GroupMessage, Implementation, NamedKey, OlmMessage, Refusal};

/// Our own crates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ours;

impl Implementation for Ours {
    fn name(&self) -> String {
        "mx-olm 0.1.0".into()
    }

    fn create_account(&self, rng: &mut dyn CryptoRng) -> Result<Box<dyn party::Account>, Refusal> {
        Ok(Box::new(Account(mx_olm::Account::new(rng).map_err(Refusal::from_error)?)))
    }

    fn create_group_session(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn party::OutboundGroupSession>, Refusal> {
        let session = mx_megolm::OutboundGroupSession::new(rng).map_err(Refusal::from_error)?;
        Ok(Box::new(OutboundGroupSession(session)))
    }

    fn receive_session_key(&self, session_key: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = SessionKey::from_base64(session_key).map_err(Refusal::from_error)?;
        Ok(Box::new(InboundGroupSession(mx_megolm::InboundGroupSession::new(&key))))
    }

    fn import_session_key(&self, exported: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = ExportedSessionKey::from_base64(exported).map_err(Refusal::from_error)?;
        Ok(Box::new(InboundGroupSession(mx_megolm::InboundGroupSession::import(&key))))
    }

    fn verify(&self, ed25519_key: &str, message: &[u8], signature: &str) -> Result<(), Refusal> {
        let key = Ed25519PublicKey::from_base64(ed25519_key).map_err(Refusal::from_error)?;
        let signature = Ed25519Signature::from_base64(signature).map_err(Refusal::from_error)?;
        mx_curve25519::verify(&key, message, &signature).map_err(Refusal::from_error)
    }
}

/// An account.
#[derive(Debug)]
pub struct Account(pub mx_olm::Account);

impl party::Account for Account {
    fn curve25519_key(&self) -> String {
        self.0.curve25519_key().to_string()
    }

    fn ed25519_key(&self) -> String {
        self.0.ed25519_key().to_string()
    }

    fn sign(&self, message: &[u8]) -> String {
        self.0.sign(message).to_string()
    }

    fn generate_one_time_keys(&mut self, rng: &mut dyn CryptoRng, count: usize) -> Result<(), Refusal> {
        for _ in 0..count {
            // Which key goes to make room matters to somebody who holds more than a hundred.
            let _ = self.0.one_time_keys_mut().generate(rng).map_err(Refusal::from_error)?;
        }
        Ok(())
    }

    fn generate_fallback_key(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Refusal> {
        self.0.one_time_keys_mut().generate_fallback(rng).map(drop).map_err(Refusal::from_error)
    }

    fn one_time_keys(&self) -> Vec<NamedKey> {
        self.0.one_time_keys().unpublished().map(named_key).collect()
    }

    fn fallback_key(&self) -> Option<NamedKey> {
        self.0.one_time_keys().unpublished_fallback().map(named_key)
    }

    fn mark_keys_as_published(&mut self) {
        self.0.one_time_keys_mut().mark_as_published();
    }

    fn create_outbound_session(
        &self,
        rng: &mut dyn CryptoRng,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Box<dyn party::Session>, Refusal> {
        let identity_key = curve25519_key(identity_key)?;
        let one_time_key = curve25519_key(one_time_key)?;
        let session = mx_olm::Session::outbound(rng, self.0.identity(), &identity_key, &one_time_key);
        Ok(Box::new(Session(session.map_err(Refusal::from_error)?)))
    }

    fn create_inbound_session(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Box<dyn party::Session>, Vec<u8>), Refusal> {
        let (session, plaintext) = self.inbound(identity_key, message)?;
        Ok((Box::new(session), plaintext))
    }
}

impl Account {
    /// [`party::Account::create_inbound_session`], with the type of the session.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn inbound(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Session, Vec<u8>), Refusal> {
        let message = decode(message)?;
        let mx_olm::OlmMessage::PreKey(message) = message.parse().map_err(Refusal::from_error)? else {
            return Err(Refusal("not a pre-key message".into()));
        };
        let mut out = vec![0; message.message().ciphertext().len()];
        let created = self.0.inbound_session(&curve25519_key(identity_key)?, &message, &mut out);
        let created = created.map_err(Refusal::from_error)?;
        Ok((Session(created.session), created.plaintext.to_vec()))
    }
}

/// One end of an Olm session.
#[derive(Debug)]
pub struct Session(pub mx_olm::Session);

impl party::Session for Session {
    fn session_id(&self) -> String {
        self.0.keys().session_id().to_string()
    }

    fn matches(&self, message: &OlmMessage) -> bool {
        let Ok(message) = decode(message) else { return false };
        matches!(message.parse(), Ok(mx_olm::OlmMessage::PreKey(message)) if self.0.matches(&message))
    }

    fn encrypt(&mut self, rng: &mut dyn CryptoRng, plaintext: &[u8]) -> Result<OlmMessage, Refusal> {
        let (message_type, bytes) = self.0.encrypt_to_vec(rng, plaintext).map_err(Refusal::from_error)?;
        let message_type = u8::from(message_type == MessageType::Normal);
        Ok(OlmMessage { message_type, body: encode_to_string(&bytes) })
    }

    fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, Refusal> {
        let message = decode(message)?;
        let message = message.parse().map_err(Refusal::from_error)?;
        self.0.decrypt_to_vec(&message).map_err(Refusal::from_error)
    }
}

/// The sending end of a Megolm session.
#[derive(Debug)]
pub struct OutboundGroupSession(pub mx_megolm::OutboundGroupSession);

impl party::OutboundGroupSession for OutboundGroupSession {
    fn session_id(&self) -> String {
        self.0.session_id().to_string()
    }

    fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    fn session_key(&self) -> String {
        self.0.session_key().to_base64_string().to_string()
    }

    fn encrypt(&mut self, plaintext: &[u8]) -> Result<String, Refusal> {
        let (bytes, _) = self.0.encrypt_to_vec(plaintext).map_err(Refusal::from_error)?;
        Ok(encode_to_string(&bytes))
    }
}

/// The receiving end of a Megolm session.
#[derive(Debug)]
pub struct InboundGroupSession(pub mx_megolm::InboundGroupSession);

impl party::InboundGroupSession for InboundGroupSession {
    fn session_id(&self) -> String {
        self.0.session_id().to_string()
    }

    fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    fn decrypt(&mut self, message: &str) -> Result<GroupMessage, Refusal> {
        let message = decode_to_vec(message, TrailingBits::Ignored).map_err(Refusal::from_error)?;
        let (plaintext, message_index) = self.0.decrypt_to_vec(&message).map_err(Refusal::from_error)?;
        Ok(GroupMessage { message_index, plaintext })
    }

    fn export_at(&mut self, message_index: u32) -> Result<String, Refusal> {
        let exported = self.0.export_at(message_index).map_err(Refusal::from_error)?;
        Ok(exported.to_base64_string().to_string())
    }
}

fn named_key(key: PublicOneTimeKey) -> NamedKey {
    NamedKey { key_id: key.id.to_string(), key: key.key.to_string() }
}

fn curve25519_key(text: &str) -> Result<Curve25519PublicKey, Refusal> {
    Curve25519PublicKey::from_base64(text).map_err(Refusal::from_error)
}

fn decode(message: &OlmMessage) -> Result<OlmMessageBuf, Refusal> {
    let message_type = MessageType::try_from(u64::from(message.message_type)).map_err(Refusal::from_error)?;
    OlmMessageBuf::from_base64(message_type, &message.body, MAX_MESSAGE_TEXT_LEN).map_err(Refusal::from_error)
}
