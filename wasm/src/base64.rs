//! Base64 as it stands in events.

use mx_types::base64::{TrailingBits, decode_to_vec};
use wasm_bindgen::prelude::*;

use crate::failure::thrown;

/// The bytes of a ciphertext.
pub(crate) fn ciphertext(text: &str) -> Result<Vec<u8>, JsValue> {
    decode_to_vec(text, TrailingBits::Ignored).map_err(thrown)
}
