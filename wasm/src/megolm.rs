//! Group sessions.

use js_sys::JsString;
use mx_megolm::{ExportedSessionKey, SessionKey};
use mx_types::base64::encode_to_string;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    base64::ciphertext,
    failure::thrown,
    object::{object, secret_bytes, secret_text},
    pickle_key::PickleKey,
    random::WebCrypto,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** A decrypted message. The same index in another event is a replay: to notice it is the caller's. */
export interface DecryptedMessage<T> {
    plaintext: T;
    messageIndex: number;
}
";

/// The sender's side of a Megolm session. **Save its pickle before a message that it encrypted is sent.**
#[wasm_bindgen]
#[derive(Debug)]
pub struct OutboundGroupSession(mx_megolm::OutboundGroupSession);

#[wasm_bindgen]
impl OutboundGroupSession {
    /// Begins a session.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self, JsValue> {
        mx_megolm::OutboundGroupSession::new(&mut WebCrypto).map(Self).map_err(thrown)
    }

    /// Reads a pickle, unless it is older than `oldestAcceptable`.
    #[wasm_bindgen(js_name = fromPickle)]
    pub fn from_pickle(
        key: &PickleKey,
        pickle: &[u8],
        oldest_acceptable: Option<u64>,
    ) -> Result<Self, JsValue> {
        key.read(mx_megolm::OutboundGroupSession::from_pickle, pickle, oldest_acceptable).map(Self)
    }

    /// The state, encrypted.
    pub fn pickle(&mut self, key: &PickleKey) -> Result<Vec<u8>, JsValue> {
        key.write(self.0.pickle_len(), |rng, key, out| self.0.pickle(rng, key, out).map(drop))
    }

    /// The session ID.
    #[wasm_bindgen(getter, js_name = sessionId)]
    #[must_use]
    pub fn session_id(&self) -> String {
        self.0.session_id().as_str().to_owned()
    }

    /// The index of the next message.
    #[wasm_bindgen(getter, js_name = messageIndex)]
    #[must_use]
    pub fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    /// What an `m.room_key` carries: everything from the next message on can be read with it.
    #[wasm_bindgen(js_name = sessionKey)]
    #[must_use]
    pub fn session_key(&self) -> JsString {
        let mut text = Zeroizing::new([0; SessionKey::BASE64_LEN]);
        self.0.session_key().to_base64(&mut text).into()
    }

    /// Encrypts; the result is the `ciphertext` of the event.
    pub fn encrypt(&mut self, plaintext: String) -> Result<String, JsValue> {
        let plaintext = Zeroizing::new(plaintext);
        self.encrypt_plaintext(plaintext.as_bytes())
    }

    /// The same for bytes.
    #[wasm_bindgen(js_name = encryptBytes)]
    pub fn encrypt_bytes(&mut self, plaintext: Vec<u8>) -> Result<String, JsValue> {
        self.encrypt_plaintext(&Zeroizing::new(plaintext))
    }

    fn encrypt_plaintext(&mut self, plaintext: &[u8]) -> Result<String, JsValue> {
        Ok(encode_to_string(&self.0.encrypt_to_vec(plaintext).map_err(thrown)?.0))
    }
}

/// A receiver's side of a Megolm session.
#[wasm_bindgen]
#[derive(Debug)]
pub struct InboundGroupSession(mx_megolm::InboundGroupSession);

impl InboundGroupSession {
    pub(crate) const fn new(session: mx_megolm::InboundGroupSession) -> Self {
        Self(session)
    }
}

#[wasm_bindgen]
impl InboundGroupSession {
    /// Of the `session_key` of an `m.room_key`, which its owner has signed.
    #[wasm_bindgen(js_name = fromSessionKey)]
    pub fn from_session_key(key: String) -> Result<Self, JsValue> {
        let key = Zeroizing::new(key);
        let key = SessionKey::from_base64(&key).map_err(thrown)?;
        Ok(Self(mx_megolm::InboundGroupSession::new(&key)))
    }

    /// Of the `session_key` of a key export, a backup or a forwarded key: nothing proves whose session it is.
    #[wasm_bindgen(js_name = fromExportedKey)]
    pub fn from_exported_key(key: String) -> Result<Self, JsValue> {
        let key = Zeroizing::new(key);
        let key = ExportedSessionKey::from_base64(&key).map_err(thrown)?;
        Ok(Self(mx_megolm::InboundGroupSession::import(&key)))
    }

    /// Reads a pickle, unless it is older than `oldestAcceptable`.
    #[wasm_bindgen(js_name = fromPickle)]
    pub fn from_pickle(
        key: &PickleKey,
        pickle: &[u8],
        oldest_acceptable: Option<u64>,
    ) -> Result<Self, JsValue> {
        key.read(mx_megolm::InboundGroupSession::from_pickle, pickle, oldest_acceptable).map(Self)
    }

    /// The state, encrypted.
    pub fn pickle(&mut self, key: &PickleKey) -> Result<Vec<u8>, JsValue> {
        let len = mx_megolm::InboundGroupSession::PICKLE_LEN;
        key.write(len, |rng, key, out| self.0.pickle(rng, key, out).map(drop))
    }

    /// The session ID.
    #[wasm_bindgen(getter, js_name = sessionId)]
    #[must_use]
    pub fn session_id(&self) -> String {
        self.0.session_id().as_str().to_owned()
    }

    /// The first message that can be read.
    #[wasm_bindgen(getter, js_name = firstKnownIndex)]
    #[must_use]
    pub fn first_known_index(&self) -> u32 {
        self.0.first_known_index()
    }

    /// From which message on its owner has signed the session; `undefined` if it came in the export format.
    #[wasm_bindgen(getter, js_name = verifiedFrom)]
    #[must_use]
    pub fn verified_from(&self) -> Option<u32> {
        self.0.verified_from()
    }

    /// Decrypts the `ciphertext` of an event. A failed call changes nothing.
    #[wasm_bindgen(unchecked_return_type = "DecryptedMessage<string>")]
    pub fn decrypt(&mut self, message: &str) -> Result<JsValue, JsValue> {
        let (plaintext, index) = self.0.decrypt_to_vec(&ciphertext(message)?).map_err(thrown)?;
        Ok(object([("plaintext", secret_text(plaintext)?.into()), ("messageIndex", index.into())]))
    }

    /// The same for plaintext that is no text.
    #[wasm_bindgen(js_name = decryptBytes, unchecked_return_type = "DecryptedMessage<Uint8Array>")]
    pub fn decrypt_bytes(&mut self, message: &str) -> Result<JsValue, JsValue> {
        let (plaintext, index) = self.0.decrypt_to_vec(&ciphertext(message)?).map_err(thrown)?;
        Ok(object([("plaintext", secret_bytes(plaintext).into()), ("messageIndex", index.into())]))
    }

    /// The session in the export format, from `index` on.
    #[wasm_bindgen(js_name = exportAt)]
    pub fn export_at(&mut self, index: u32) -> Result<JsString, JsValue> {
        let mut text = Zeroizing::new([0; ExportedSessionKey::BASE64_LEN]);
        Ok(self.0.export_at(index).map_err(thrown)?.to_base64(&mut text).into())
    }

    /// Gives up what is before `index`.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, index: u32) -> Result<(), JsValue> {
        self.0.advance_to(index).map_err(thrown)
    }
}
