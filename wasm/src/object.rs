//! Plain objects and texts for JavaScript.

use js_sys::{JSON, JsString, Object, Reflect, Uint8Array};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::failure::{coded, thrown};

/// An object with these members.
pub(crate) fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Objects that were just made take any member.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// A value of Rust as one of JavaScript. Nothing secret: its JSON is not wiped.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    JSON::parse(&serde_json::to_string(value).map_err(|error| coded("Json", &error.to_string()))?)
}

/// A value of JavaScript as one of Rust.
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, JsValue> {
    let json = JSON::stringify(value)?;
    let json = json.as_string().ok_or_else(|| coded("Json", "a value that has no JSON"))?;
    serde_json::from_str(&json).map_err(|error| coded("Json", &error.to_string()))
}

/// Plaintext as bytes; what is left of it here is wiped.
pub(crate) fn secret_bytes(bytes: Vec<u8>) -> Uint8Array {
    Uint8Array::from(Zeroizing::new(bytes).as_slice())
}

/// Plaintext as text; what is left of it here is wiped. If it is none, the error has the bytes: their key may be gone.
pub(crate) fn secret_text(bytes: Vec<u8>) -> Result<JsString, JsValue> {
    let bytes = Zeroizing::new(bytes);
    str::from_utf8(&bytes).map(JsString::from).map_err(|_| {
        let error = coded("NotUtf8", "the plaintext is no text; the error has its bytes as `plaintext`");
        let _ = Reflect::set(&error, &"plaintext".into(), &Uint8Array::from(bytes.as_slice()));
        error
    })
}

/// Exactly so many bytes.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> Result<Zeroizing<[u8; N]>, JsValue> {
    let array = bytes.try_into().map(Zeroizing::new);
    array.map_err(|_| coded("WrongLength", &format!("{} bytes where {N} are wanted", bytes.len())))
}

/// A public key out of its Base64.
pub(crate) fn public_key<T, E>(text: &str, read: fn(&str) -> Result<T, E>) -> Result<T, JsValue>
where
    E: core::fmt::Debug + core::fmt::Display,
{
    read(text).map_err(thrown)
}
