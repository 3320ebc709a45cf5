//! vodozemac, the Rust library that most Matrix clients use today.

use mx_demo::party::{self, GroupMessage, Implementation, NamedKey, OlmMessage, Refusal};
use rand_core::CryptoRng;
use vodozemac::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, megolm, olm};

/// vodozemac as a party to a conversation. It draws its randomness from the system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vodozemac;

impl Implementation for Vodozemac {
    fn name(&self) -> String {
        format!("vodozemac {}", vodozemac::VERSION)
    }

    fn authenticates_fields(&self) -> bool {
        true
    }

    fn create_account(&self, _rng: &mut dyn CryptoRng) -> Result<Box<dyn party::Account>, Refusal> {
        Ok(Box::new(Account(olm::Account::new())))
    }

    fn create_group_session(
        &self,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn party::OutboundGroupSession>, Refusal> {
        Ok(Box::new(OutboundGroupSession(megolm::GroupSession::new(megolm::SessionConfig::version_1()))))
    }

    fn receive_session_key(&self, session_key: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = megolm::SessionKey::from_base64(session_key).map_err(Refusal::from_error)?;
        let session = megolm::InboundGroupSession::new(&key, megolm::SessionConfig::version_1());
        Ok(Box::new(InboundGroupSession(session)))
    }

    fn import_session_key(&self, exported: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = megolm::ExportedSessionKey::from_base64(exported).map_err(Refusal::from_error)?;
        let session = megolm::InboundGroupSession::import(&key, megolm::SessionConfig::version_1());
        Ok(Box::new(InboundGroupSession(session)))
    }

    fn verify(&self, ed25519_key: &str, message: &[u8], signature: &str) -> Result<(), Refusal> {
        let key = Ed25519PublicKey::from_base64(ed25519_key).map_err(Refusal::from_error)?;
        let signature = Ed25519Signature::from_base64(signature).map_err(Refusal::from_error)?;
        key.verify(message, &signature).map_err(Refusal::from_error)
    }
}

/// An account.
pub struct Account(pub olm::Account);

impl party::Account for Account {
    fn curve25519_key(&self) -> String {
        self.0.curve25519_key().to_base64()
    }

    fn ed25519_key(&self) -> String {
        self.0.ed25519_key().to_base64()
    }

    fn sign(&self, message: &[u8]) -> String {
        self.0.sign(message).to_base64()
    }

    fn generate_one_time_keys(&mut self, _rng: &mut dyn CryptoRng, count: usize) -> Result<(), Refusal> {
        self.0.generate_one_time_keys(count);
        Ok(())
    }

    fn generate_fallback_key(&mut self, _rng: &mut dyn CryptoRng) -> Result<(), Refusal> {
        self.0.generate_fallback_key();
        Ok(())
    }

    fn one_time_keys(&self) -> Vec<NamedKey> {
        let mut keys: Vec<_> = self.0.one_time_keys().into_iter().collect();
        keys.sort_by_key(|(key_id, _)| *key_id);
        keys.into_iter().map(named_key).collect()
    }

    fn fallback_key(&self) -> Option<NamedKey> {
        self.0.fallback_key().into_iter().next().map(named_key)
    }

    fn mark_keys_as_published(&mut self) {
        self.0.mark_keys_as_published();
    }

    fn create_outbound_session(
        &self,
        _rng: &mut dyn CryptoRng,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Box<dyn party::Session>, Refusal> {
        let identity_key = curve25519_key(identity_key)?;
        let one_time_key = curve25519_key(one_time_key)?;
        let config = olm::SessionConfig::version_1();
        let session = self.0.create_outbound_session(config, identity_key, one_time_key);
        Ok(Box::new(Session(session.map_err(Refusal::from_error)?)))
    }

    fn create_inbound_session(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Box<dyn party::Session>, Vec<u8>), Refusal> {
        let olm::OlmMessage::PreKey(message) = olm_message(message)? else {
            return Err(Refusal("not a pre-key message".into()));
        };
        let config = olm::SessionConfig::version_1();
        let created = self.0.create_inbound_session(config, curve25519_key(identity_key)?, &message);
        let created = created.map_err(Refusal::from_error)?;
        Ok((Box::new(Session(created.session)), created.plaintext))
    }
}

/// One end of an Olm session.
pub struct Session(pub olm::Session);

impl party::Session for Session {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn matches(&self, message: &OlmMessage) -> bool {
        let message = olm_message(message);
        matches!(message, Ok(olm::OlmMessage::PreKey(m)) if m.session_keys() == self.0.session_keys())
    }

    fn encrypt(&mut self, _rng: &mut dyn CryptoRng, plaintext: &[u8]) -> Result<OlmMessage, Refusal> {
        let (message_type, body) = self.0.encrypt(plaintext).map_err(Refusal::from_error)?.to_parts();
        Ok(OlmMessage { message_type: u8::from(message_type != 0), body: vodozemac::base64_encode(body) })
    }

    fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, Refusal> {
        self.0.decrypt(&olm_message(message)?).map_err(Refusal::from_error)
    }
}

/// The sending end of a Megolm session.
pub struct OutboundGroupSession(pub megolm::GroupSession);

impl party::OutboundGroupSession for OutboundGroupSession {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    fn session_key(&self) -> String {
        self.0.session_key().to_base64()
    }

    fn encrypt(&mut self, plaintext: &[u8]) -> Result<String, Refusal> {
        Ok(self.0.encrypt(plaintext).to_base64())
    }
}

/// The receiving end of a Megolm session.
pub struct InboundGroupSession(pub megolm::InboundGroupSession);

impl party::InboundGroupSession for InboundGroupSession {
    fn session_id(&self) -> String {
        self.0.session_id()
    }

    fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    fn decrypt(&mut self, message: &str) -> Result<GroupMessage, Refusal> {
        let message = megolm::MegolmMessage::from_base64(message).map_err(Refusal::from_error)?;
        let decrypted = self.0.decrypt(&message).map_err(Refusal::from_error)?;
        Ok(GroupMessage { message_index: decrypted.message_index, plaintext: decrypted.plaintext })
    }

    fn export_at(&mut self, message_index: u32) -> Result<String, Refusal> {
        let exported = self.0.export_at(message_index);
        Ok(exported.ok_or_else(|| Refusal("before the first known index".into()))?.to_base64())
    }
}

fn named_key((key_id, key): (vodozemac::KeyId, Curve25519PublicKey)) -> NamedKey {
    NamedKey { key_id: key_id.to_base64(), key: key.to_base64() }
}

fn curve25519_key(text: &str) -> Result<Curve25519PublicKey, Refusal> {
    Curve25519PublicKey::from_base64(text).map_err(Refusal::from_error)
}

fn olm_message(message: &OlmMessage) -> Result<olm::OlmMessage, Refusal> {
    let body = vodozemac::base64_decode(&message.body).map_err(Refusal::from_error)?;
    olm::OlmMessage::from_parts(usize::from(message.message_type), &body).map_err(Refusal::from_error)
}
