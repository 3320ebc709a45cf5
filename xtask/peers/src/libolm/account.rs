//! An account.

use mx_demo::party::{self, NamedKey, OlmMessage, Refusal};
use rand_core::CryptoRng;
use serde_json::Value;

use super::{
    Session,
    ffi::*,
    object::{Object, text},
    random,
};

/// libolm's `OlmAccount`.
pub struct Account(pub(super) Object<OlmAccount>);

impl Account {
    /// A new account.
    pub fn new(rng: &mut dyn CryptoRng) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        // SAFETY: the account is initialised.
        let mut seed = random(rng, unsafe { olm_create_account_random_length(this.0.as_ptr()) });
        // SAFETY: the slice lives through the call, with the length given.
        this.0.check(unsafe {
            olm_create_account(this.0.as_mut_ptr(), seed.as_mut_ptr().cast(), seed.len())
        })?;
        Ok(this)
    }

    /// The pickle in Base64.
    pub fn pickle(&self, key: &[u8]) -> Result<String, Refusal> {
        self.0.pickle(key)
    }

    /// An account from its pickle.
    pub fn from_pickle(pickle: &str, key: &[u8]) -> Result<Self, Refusal> {
        Object::from_pickle(pickle, key).map(Self)
    }

    /// Forgets the one-time key that `session` used.
    pub fn remove_one_time_keys(&mut self, session: &Session) -> Result<(), Refusal> {
        // SAFETY: both are initialised.
        let result = unsafe { olm_remove_one_time_keys(self.0.as_mut_ptr(), session.0.as_mut_ptr()) };
        self.0.check(result).map(drop)
    }

    /// Calls one of the functions that write JSON.
    fn json(
        &self,
        length: unsafe extern "C" fn(*const OlmAccount) -> usize,
        write: unsafe extern "C" fn(*mut OlmAccount, *mut core::ffi::c_void, usize) -> usize,
    ) -> Result<Value, Refusal> {
        // SAFETY: the account is initialised.
        let mut out = vec![0; unsafe { length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        let result = unsafe { write(self.0.as_mut_ptr(), out.as_mut_ptr().cast(), out.len()) };
        out.truncate(self.0.check(result)?);
        serde_json::from_str(&text(out)?).map_err(Refusal::from_error)
    }

    fn identity_key(&self, algorithm: &str) -> String {
        let keys = self.json(olm_account_identity_keys_length, olm_account_identity_keys);
        keys.ok().and_then(|keys| Some(keys.get(algorithm)?.as_str()?.to_owned())).unwrap_or_default()
    }
}

impl party::Account for Account {
    fn curve25519_key(&self) -> String {
        self.identity_key("curve25519")
    }

    fn ed25519_key(&self) -> String {
        self.identity_key("ed25519")
    }

    fn sign(&self, message: &[u8]) -> String {
        // SAFETY: the account is initialised.
        let mut out = vec![0; unsafe { olm_account_signature_length(self.0.as_ptr()) }];
        let (message_ptr, out_ptr) = (message.as_ptr().cast(), out.as_mut_ptr().cast());
        // SAFETY: both slices live through the call, with the lengths given.
        unsafe { olm_account_sign(self.0.as_mut_ptr(), message_ptr, message.len(), out_ptr, out.len()) };
        text(out).unwrap_or_default()
    }

    fn generate_one_time_keys(&mut self, rng: &mut dyn CryptoRng, count: usize) -> Result<(), Refusal> {
        // SAFETY: the account is initialised.
        let length = unsafe { olm_account_generate_one_time_keys_random_length(self.0.as_ptr(), count) };
        let mut seed = random(rng, length);
        let seed_ptr = seed.as_mut_ptr().cast();
        // SAFETY: the slice lives through the call, with the length given.
        let result =
            unsafe { olm_account_generate_one_time_keys(self.0.as_mut_ptr(), count, seed_ptr, seed.len()) };
        self.0.check(result).map(drop)
    }

    fn generate_fallback_key(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Refusal> {
        // SAFETY: the account is initialised.
        let mut seed =
            random(rng, unsafe { olm_account_generate_fallback_key_random_length(self.0.as_ptr()) });
        let seed_ptr = seed.as_mut_ptr().cast();
        // SAFETY: the slice lives through the call, with the length given.
        let result = unsafe { olm_account_generate_fallback_key(self.0.as_mut_ptr(), seed_ptr, seed.len()) };
        self.0.check(result).map(drop)
    }

    fn one_time_keys(&self) -> Vec<NamedKey> {
        named_keys(self.json(olm_account_one_time_keys_length, olm_account_one_time_keys))
    }

    fn fallback_key(&self) -> Option<NamedKey> {
        let keys =
            self.json(olm_account_unpublished_fallback_key_length, olm_account_unpublished_fallback_key);
        named_keys(keys).pop()
    }

    fn mark_keys_as_published(&mut self) {
        // SAFETY: the account is initialised.
        unsafe { olm_account_mark_keys_as_published(self.0.as_mut_ptr()) };
    }

    fn create_outbound_session(
        &self,
        rng: &mut dyn CryptoRng,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Box<dyn party::Session>, Refusal> {
        Ok(Box::new(Session::outbound(rng, self, identity_key, one_time_key)?))
    }

    fn create_inbound_session(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Box<dyn party::Session>, Vec<u8>), Refusal> {
        let mut session = Session::inbound(self, identity_key, message)?;
        let plaintext = party::Session::decrypt(&mut session, message)?;
        self.remove_one_time_keys(&session)?;
        Ok((Box::new(session), plaintext))
    }
}

/// Keys by ID from `{"curve25519": {"AAAAAQ": "…"}}`.
fn named_keys(json: Result<Value, Refusal>) -> Vec<NamedKey> {
    let Ok(Value::Object(mut json)) = json else { return Vec::new() };
    let Some(Value::Object(keys)) = json.remove("curve25519") else { return Vec::new() };
    let named = |(key_id, key): (String, Value)| Some(NamedKey { key_id, key: key.as_str()?.to_owned() });
    keys.into_iter().filter_map(named).collect()
}
