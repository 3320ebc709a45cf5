//! One end of an Olm session.

use mx_demo::party::{self, OlmMessage, Refusal};
use rand_core::CryptoRng;

use super::{
    Account,
    ffi::*,
    object::{Object, text},
    random,
};

/// libolm's `OlmSession`.
pub struct Session(pub(super) Object<OlmSession>);

impl Session {
    /// Starts a session with a claimed one-time key.
    pub fn outbound(
        rng: &mut dyn CryptoRng,
        account: &Account,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        // SAFETY: the session is initialised.
        let mut seed = random(rng, unsafe { olm_create_outbound_session_random_length(this.0.as_ptr()) });
        // SAFETY: all slices live through the call, with the lengths given; both objects are initialised.
        this.0.check(unsafe {
            olm_create_outbound_session(
                this.0.as_mut_ptr(),
                account.0.as_ptr(),
                identity_key.as_ptr().cast(),
                identity_key.len(),
                one_time_key.as_ptr().cast(),
                one_time_key.len(),
                seed.as_mut_ptr().cast(),
                seed.len(),
            )
        })?;
        Ok(this)
    }

    /// Starts a session from a pre-key message, which is not decrypted yet.
    pub fn inbound(account: &Account, identity_key: &str, message: &OlmMessage) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        let mut body = message.body.as_bytes().to_vec(); // decoded in place
        // SAFETY: all slices live through the call, with the lengths given; both objects are initialised.
        this.0.check(unsafe {
            olm_create_inbound_session_from(
                this.0.as_mut_ptr(),
                account.0.as_mut_ptr(),
                identity_key.as_ptr().cast(),
                identity_key.len(),
                body.as_mut_ptr().cast(),
                body.len(),
            )
        })?;
        Ok(this)
    }

    /// Whether this end has decrypted anything.
    pub fn has_received_message(&self) -> bool {
        // SAFETY: the session is initialised.
        unsafe { olm_session_has_received_message(self.0.as_ptr()) != 0 }
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

impl party::Session for Session {
    fn session_id(&self) -> String {
        // SAFETY: the session is initialised.
        let mut out = vec![0; unsafe { olm_session_id_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        unsafe { olm_session_id(self.0.as_mut_ptr(), out.as_mut_ptr().cast(), out.len()) };
        text(out).unwrap_or_default()
    }

    fn matches(&self, message: &OlmMessage) -> bool {
        let mut body = message.body.as_bytes().to_vec();
        let body_ptr = body.as_mut_ptr().cast();
        // SAFETY: the slice lives through the call, with the length given.
        message.message_type == 0
            && unsafe { olm_matches_inbound_session(self.0.as_mut_ptr(), body_ptr, body.len()) } == 1
    }

    fn encrypt(&mut self, rng: &mut dyn CryptoRng, plaintext: &[u8]) -> Result<OlmMessage, Refusal> {
        // SAFETY: the session is initialised.
        let (message_type, random_length, length) = unsafe {
            (
                olm_encrypt_message_type(self.0.as_ptr()),
                olm_encrypt_random_length(self.0.as_ptr()),
                olm_encrypt_message_length(self.0.as_ptr(), plaintext.len()),
            )
        };
        let mut seed = random(rng, random_length);
        let mut out = vec![0; length];
        // SAFETY: all slices live through the call, with the lengths given.
        self.0.check(unsafe {
            olm_encrypt(
                self.0.as_mut_ptr(),
                plaintext.as_ptr().cast(),
                plaintext.len(),
                seed.as_mut_ptr().cast(),
                seed.len(),
                out.as_mut_ptr().cast(),
                out.len(),
            )
        })?;
        Ok(OlmMessage { message_type: u8::from(message_type != 0), body: text(out)? })
    }

    fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, Refusal> {
        let message_type = usize::from(message.message_type);
        let mut body = message.body.as_bytes().to_vec();
        let body_ptr = body.as_mut_ptr().cast();
        // SAFETY: the slice lives through the call, with the length given; libolm overwrites it.
        let length = self.0.check(unsafe {
            olm_decrypt_max_plaintext_length(self.0.as_mut_ptr(), message_type, body_ptr, body.len())
        })?;
        let mut plaintext = vec![0; length];
        body.copy_from_slice(message.body.as_bytes());
        // SAFETY: both slices live through the call, with the lengths given.
        let length = self.0.check(unsafe {
            olm_decrypt(
                self.0.as_mut_ptr(),
                message_type,
                body.as_mut_ptr().cast(),
                body.len(),
                plaintext.as_mut_ptr().cast(),
                plaintext.len(),
            )
        })?;
        plaintext.truncate(length);
        Ok(plaintext)
    }
}
