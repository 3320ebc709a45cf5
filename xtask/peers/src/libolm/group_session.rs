//! Both ends of a Megolm session.

use mx_demo::party::{self, GroupMessage, Refusal};
use rand_core::CryptoRng;

use super::{
    ffi::*,
    object::{Object, text},
    random,
};

/// libolm's `OlmOutboundGroupSession`.
pub struct OutboundGroupSession(Object<OlmOutboundGroupSession>);

impl OutboundGroupSession {
    /// A new session at index 0.
    pub fn new(rng: &mut dyn CryptoRng) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        // SAFETY: the session is initialised.
        let mut seed = random(rng, unsafe { olm_init_outbound_group_session_random_length(this.0.as_ptr()) });
        // SAFETY: the slice lives through the call, with the length given.
        this.0.check(unsafe {
            olm_init_outbound_group_session(this.0.as_mut_ptr(), seed.as_mut_ptr(), seed.len())
        })?;
        Ok(this)
    }

    /// The pickle in Base64.
    pub fn pickle(&self, key: &[u8]) -> Result<String, Refusal> {
        self.0.pickle(key)
    }

    /// A session from its pickle.
    pub fn from_pickle(pickle: &str, key: &[u8]) -> Result<Self, Refusal> {
        Object::from_pickle(pickle, key).map(Self)
    }
}

impl party::OutboundGroupSession for OutboundGroupSession {
    fn session_id(&self) -> String {
        // SAFETY: the session is initialised.
        let mut out = vec![0; unsafe { olm_outbound_group_session_id_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        unsafe { olm_outbound_group_session_id(self.0.as_mut_ptr(), out.as_mut_ptr(), out.len()) };
        text(out).unwrap_or_default()
    }

    fn message_index(&self) -> u32 {
        // SAFETY: the session is initialised.
        unsafe { olm_outbound_group_session_message_index(self.0.as_mut_ptr()) }
    }

    fn session_key(&self) -> String {
        // SAFETY: the session is initialised.
        let mut out = vec![0; unsafe { olm_outbound_group_session_key_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        unsafe { olm_outbound_group_session_key(self.0.as_mut_ptr(), out.as_mut_ptr(), out.len()) };
        text(out).unwrap_or_default()
    }

    fn encrypt(&mut self, plaintext: &[u8]) -> Result<String, Refusal> {
        // SAFETY: the session is initialised.
        let length = unsafe { olm_group_encrypt_message_length(self.0.as_ptr(), plaintext.len()) };
        let mut out = vec![0; length];
        let (plaintext_ptr, out_ptr) = (plaintext.as_ptr(), out.as_mut_ptr());
        // SAFETY: both slices live through the call, with the lengths given.
        self.0.check(unsafe {
            olm_group_encrypt(self.0.as_mut_ptr(), plaintext_ptr, plaintext.len(), out_ptr, out.len())
        })?;
        text(out)
    }
}

/// libolm's `OlmInboundGroupSession`.
pub struct InboundGroupSession(Object<OlmInboundGroupSession>);

impl InboundGroupSession {
    /// From the session sharing format.
    pub fn new(session_key: &str) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        // SAFETY: the slice lives through the call, with the length given.
        this.0.check(unsafe {
            olm_init_inbound_group_session(this.0.as_mut_ptr(), session_key.as_ptr(), session_key.len())
        })?;
        Ok(this)
    }

    /// From the session export format.
    pub fn import(exported: &str) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        let exported = exported.as_bytes().to_vec(); // the header says that it may be overwritten
        // SAFETY: the slice lives through the call, with the length given.
        this.0.check(unsafe {
            olm_import_inbound_group_session(this.0.as_mut_ptr(), exported.as_ptr(), exported.len())
        })?;
        Ok(this)
    }

    /// The pickle in Base64.
    pub fn pickle(&self, key: &[u8]) -> Result<String, Refusal> {
        self.0.pickle(key)
    }

    /// A session from its pickle.
    pub fn from_pickle(pickle: &str, key: &[u8]) -> Result<Self, Refusal> {
        Object::from_pickle(pickle, key).map(Self)
    }
}

impl party::InboundGroupSession for InboundGroupSession {
    fn session_id(&self) -> String {
        // SAFETY: the session is initialised.
        let mut out = vec![0; unsafe { olm_inbound_group_session_id_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        unsafe { olm_inbound_group_session_id(self.0.as_mut_ptr(), out.as_mut_ptr(), out.len()) };
        text(out).unwrap_or_default()
    }

    fn first_known_index(&self) -> u32 {
        // SAFETY: the session is initialised.
        unsafe { olm_inbound_group_session_first_known_index(self.0.as_ptr()) }
    }

    fn decrypt(&mut self, message: &str) -> Result<GroupMessage, Refusal> {
        let mut body = message.as_bytes().to_vec();
        // SAFETY: the slice lives through the call, with the length given; libolm overwrites it.
        let length = self.0.check(unsafe {
            olm_group_decrypt_max_plaintext_length(self.0.as_mut_ptr(), body.as_mut_ptr(), body.len())
        })?;
        let mut plaintext = vec![0; length];
        let mut message_index = 0;
        body.copy_from_slice(message.as_bytes());
        // SAFETY: both slices live through the call, with the lengths given, and so does the index.
        let length = self.0.check(unsafe {
            olm_group_decrypt(
                self.0.as_mut_ptr(),
                body.as_mut_ptr(),
                body.len(),
                plaintext.as_mut_ptr(),
                plaintext.len(),
                &raw mut message_index,
            )
        })?;
        plaintext.truncate(length);
        Ok(GroupMessage { message_index, plaintext })
    }

    fn export_at(&mut self, message_index: u32) -> Result<String, Refusal> {
        // SAFETY: the session is initialised.
        let mut out = vec![0; unsafe { olm_export_inbound_group_session_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        self.0.check(unsafe {
            olm_export_inbound_group_session(self.0.as_mut_ptr(), out.as_mut_ptr(), out.len(), message_index)
        })?;
        text(out)
    }
}
