use js_sys::Uint8Array;
use mx_curve25519::Curve25519PublicKey;
use mx_olm::{MAX_MESSAGE_TEXT_LEN, MessageType, OlmMessage, OlmMessageBuf, PublicOneTimeKey, UsedKey};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::session::OlmSession;
use crate::{
    failure::{coded, thrown},
    object::{object, public_key},
    pickle_key::PickleKey,
    random::WebCrypto,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** A one-time or fallback key. It is uploaded as `signed_curve25519:` and this ID, signed. */
export interface OneTimeKey {
    id: string;
    key: string;
}

/** A session that another device has begun with us, and its first message. */
export interface InboundOlmSession {
    session: OlmSession;
    /** Bytes, if it is no UTF-8. */
    plaintext: string | Uint8Array;
    used: OneTimeKey;
    /** The key stays, and should be replaced soon. */
    isFallback: boolean;
}
";

/// The keys of a device. **Save its pickle before its keys are uploaded, and whenever a session was begun with it.**
#[wasm_bindgen]
#[derive(Debug)]
pub struct OlmAccount(mx_olm::Account);

#[wasm_bindgen]
impl OlmAccount {
    /// Draws the keys of a new device.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self, JsValue> {
        mx_olm::Account::new(&mut WebCrypto).map(Self).map_err(thrown)
    }

    /// Reads a pickle, unless it is older than `oldestAcceptable`.
    #[wasm_bindgen(js_name = fromPickle)]
    pub fn from_pickle(
        key: &PickleKey,
        pickle: &[u8],
        oldest_acceptable: Option<u64>,
    ) -> Result<Self, JsValue> {
        key.read(mx_olm::Account::from_pickle, pickle, oldest_acceptable).map(Self)
    }

    /// The state, encrypted.
    pub fn pickle(&mut self, key: &PickleKey) -> Result<Vec<u8>, JsValue> {
        key.write(self.0.pickle_len(), |rng, key, out| self.0.pickle(rng, key, out).map(drop))
    }

    /// The Ed25519 key, called fingerprint when people compare it.
    #[wasm_bindgen(getter, js_name = ed25519Key)]
    #[must_use]
    pub fn ed25519_key(&self) -> String {
        self.0.ed25519_key().to_string()
    }

    /// The Curve25519 identity key.
    #[wasm_bindgen(getter, js_name = curve25519Key)]
    #[must_use]
    pub fn curve25519_key(&self) -> String {
        self.0.curve25519_key().to_string()
    }

    /// The signature of a text: of an object, its `canonicalJson` without `signatures` and `unsigned`.
    #[must_use]
    pub fn sign(&self, message: &str) -> String {
        self.0.sign(message.as_bytes()).to_string()
    }

    /// Draws a one-time key.
    #[wasm_bindgen(js_name = generateOneTimeKey, unchecked_return_type = "OneTimeKey")]
    pub fn generate_one_time_key(&mut self) -> Result<JsValue, JsValue> {
        let generated = self.0.one_time_keys_mut().generate(&mut WebCrypto).map_err(thrown)?;
        Ok(one_time_key(&generated.key))
    }

    /// Draws a fallback key; the one before it is kept until `forgetPreviousFallbackKey`.
    #[wasm_bindgen(js_name = generateFallbackKey, unchecked_return_type = "OneTimeKey")]
    pub fn generate_fallback_key(&mut self) -> Result<JsValue, JsValue> {
        let generated = self.0.one_time_keys_mut().generate_fallback(&mut WebCrypto).map_err(thrown)?;
        Ok(one_time_key(&generated.key))
    }

    /// Drops the fallback key before the present one.
    #[wasm_bindgen(js_name = forgetPreviousFallbackKey)]
    pub fn forget_previous_fallback_key(&mut self) {
        let _ = self.0.one_time_keys_mut().forget_previous_fallback();
    }

    /// One-time keys that are to be uploaded.
    #[wasm_bindgen(js_name = unpublishedOneTimeKeys, unchecked_return_type = "OneTimeKey[]")]
    #[must_use]
    pub fn unpublished_one_time_keys(&self) -> Vec<JsValue> {
        self.0.one_time_keys().unpublished().map(|key| one_time_key(&key)).collect()
    }

    /// The fallback key, if it is to be uploaded.
    #[wasm_bindgen(js_name = unpublishedFallbackKey, unchecked_return_type = "OneTimeKey | undefined")]
    #[must_use]
    pub fn unpublished_fallback_key(&self) -> JsValue {
        self.0.one_time_keys().unpublished_fallback().map_or(JsValue::UNDEFINED, |key| one_time_key(&key))
    }

    /// The server has them.
    #[wasm_bindgen(js_name = markAsPublished)]
    pub fn mark_as_published(&mut self) {
        self.0.one_time_keys_mut().mark_as_published();
    }

    /// Begins a session with another device, by its identity key and one of its one-time or fallback keys, whose signature
    /// was verified.
    #[wasm_bindgen(js_name = outboundSession)]
    pub fn outbound_session(&self, identity_key: &str, one_time_key: &str) -> Result<OlmSession, JsValue> {
        let identity_key = public_key(identity_key, Curve25519PublicKey::from_base64)?;
        let one_time_key = public_key(one_time_key, Curve25519PublicKey::from_base64)?;
        mx_olm::Session::outbound(&mut WebCrypto, self.0.identity(), &identity_key, &one_time_key)
            .map(OlmSession::new)
            .map_err(thrown)
    }

    /// Makes the session of a message of type 0 that no session `matches`. Failed, it changes nothing.
    #[wasm_bindgen(js_name = inboundSession, unchecked_return_type = "InboundOlmSession")]
    pub fn inbound_session(&mut self, identity_key: &str, body: &str) -> Result<JsValue, JsValue> {
        let identity_key = public_key(identity_key, Curve25519PublicKey::from_base64)?;
        let message =
            OlmMessageBuf::from_base64(MessageType::PreKey, body, MAX_MESSAGE_TEXT_LEN).map_err(thrown)?;
        let OlmMessage::PreKey(message) = message.parse().map_err(thrown)? else {
            return Err(coded("NotPreKey", "a session begins with a message of type 0"));
        };
        let mut out = Zeroizing::new(vec![0; message.message().ciphertext().len()]);
        let inbound = self.0.inbound_session(&identity_key, &message, &mut out).map_err(thrown)?;
        let (used, is_fallback) = match inbound.used {
            UsedKey::OneTime(key) => (key, false),
            UsedKey::Fallback(key) => (key, true),
        };
        // The one-time key is used up: a plaintext that is no text must not cost the session.
        let plaintext = str::from_utf8(inbound.plaintext)
            .map_or_else(|_| Uint8Array::from(inbound.plaintext).into(), JsValue::from);
        Ok(object([
            ("session", OlmSession::new(inbound.session).into()),
            ("plaintext", plaintext),
            ("used", one_time_key(&used)),
            ("isFallback", is_fallback.into()),
        ]))
    }
}

fn one_time_key(key: &PublicOneTimeKey) -> JsValue {
    object([("id", key.id.to_string().into()), ("key", key.key.to_string().into())])
}
