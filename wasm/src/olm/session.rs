use js_sys::{JsString, Uint8Array};
use mx_olm::{MAX_MESSAGE_TEXT_LEN, MessageType, OlmMessage, OlmMessageBuf};
use mx_types::base64::encode_to_string;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    failure::{coded, thrown},
    object::{object, secret_bytes, secret_text},
    pickle_key::PickleKey,
    random::WebCrypto,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** An Olm message, as it stands in the content of an event. */
export interface OlmCiphertext {
    type: 0 | 1;
    body: string;
}
";

/// A session with another device. **Save its pickle before a message that it encrypted is sent.**
#[wasm_bindgen]
#[derive(Debug)]
pub struct OlmSession(mx_olm::Session);

impl OlmSession {
    pub(crate) const fn new(session: mx_olm::Session) -> Self {
        Self(session)
    }
}

#[wasm_bindgen]
impl OlmSession {
    /// Reads a pickle, unless it is older than `oldestAcceptable`.
    #[wasm_bindgen(js_name = fromPickle)]
    pub fn from_pickle(
        key: &PickleKey,
        pickle: &[u8],
        oldest_acceptable: Option<u64>,
    ) -> Result<Self, JsValue> {
        key.read(mx_olm::Session::from_pickle, pickle, oldest_acceptable).map(Self)
    }

    /// The state, encrypted.
    pub fn pickle(&mut self, key: &PickleKey) -> Result<Vec<u8>, JsValue> {
        key.write(self.0.pickle_len(), |rng, key, out| self.0.pickle(rng, key, out).map(drop))
    }

    /// The session ID, which both sides compute.
    #[wasm_bindgen(getter, js_name = sessionId)]
    #[must_use]
    pub fn session_id(&self) -> String {
        encode_to_string(self.0.keys().session_id().as_bytes())
    }

    /// Whether the other side has answered.
    #[wasm_bindgen(getter, js_name = hasReceived)]
    #[must_use]
    pub fn has_received(&self) -> bool {
        self.0.has_received()
    }

    /// Whether a message of type 0 is of this session: then this session alone may decrypt it.
    pub fn matches(&self, body: &str) -> Result<bool, JsValue> {
        match message(0, body)?.parse().map_err(thrown)? {
            OlmMessage::PreKey(message) => Ok(self.0.matches(&message)),
            OlmMessage::Normal(_) => Ok(false),
        }
    }

    /// Encrypts a text.
    #[wasm_bindgen(unchecked_return_type = "OlmCiphertext")]
    pub fn encrypt(&mut self, plaintext: String) -> Result<JsValue, JsValue> {
        let plaintext = Zeroizing::new(plaintext);
        self.encrypt_plaintext(plaintext.as_bytes())
    }

    /// Encrypts bytes.
    #[wasm_bindgen(js_name = encryptBytes, unchecked_return_type = "OlmCiphertext")]
    pub fn encrypt_bytes(&mut self, plaintext: Vec<u8>) -> Result<JsValue, JsValue> {
        self.encrypt_plaintext(&Zeroizing::new(plaintext))
    }

    /// Decrypts. A failed call changes nothing.
    pub fn decrypt(&mut self, message_type: u8, body: &str) -> Result<JsString, JsValue> {
        secret_text(self.decrypt_to_vec(message_type, body)?)
    }

    /// The same for plaintext that is no text.
    #[wasm_bindgen(js_name = decryptBytes)]
    pub fn decrypt_bytes(&mut self, message_type: u8, body: &str) -> Result<Uint8Array, JsValue> {
        Ok(secret_bytes(self.decrypt_to_vec(message_type, body)?))
    }

    fn encrypt_plaintext(&mut self, plaintext: &[u8]) -> Result<JsValue, JsValue> {
        let (message_type, bytes) = self.0.encrypt_to_vec(&mut WebCrypto, plaintext).map_err(thrown)?;
        let number = u8::from(message_type == MessageType::Normal);
        Ok(object([("type", number.into()), ("body", encode_to_string(&bytes).into())]))
    }

    fn decrypt_to_vec(&mut self, message_type: u8, body: &str) -> Result<Vec<u8>, JsValue> {
        let message = message(message_type, body)?;
        self.0.decrypt_to_vec(&message.parse().map_err(thrown)?).map_err(thrown)
    }
}

fn message(message_type: u8, body: &str) -> Result<OlmMessageBuf, JsValue> {
    let message_type = match message_type {
        0 => MessageType::PreKey,
        1 => MessageType::Normal,
        _ => return Err(coded("UnknownMessageType", "the type of an Olm message is 0 or 1")),
    };
    OlmMessageBuf::from_base64(message_type, body, MAX_MESSAGE_TEXT_LEN).map_err(thrown)
}
