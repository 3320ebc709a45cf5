//! Signatures of others.

use mx_curve25519::{Ed25519PublicKey, Ed25519Signature, verify};
use wasm_bindgen::prelude::*;

use crate::{failure::thrown, object::public_key};

/// Verifies a signature of a text, strictly: nothing is returned, and `InvalidSignature` thrown. Of signed JSON the text is
/// its canonical form without `signatures` and `unsigned`. A device's key is `ed25519Key` of its account.
#[wasm_bindgen(js_name = ed25519Verify)]
pub fn ed25519_verify(key: &str, text: &str, signature: &str) -> Result<(), JsValue> {
    let key = public_key(key, Ed25519PublicKey::from_base64)?;
    let signature = Ed25519Signature::from_base64(signature).map_err(thrown)?;
    verify(&key, text.as_bytes(), &signature).map_err(thrown)
}
