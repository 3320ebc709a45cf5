//! Canonical JSON.

use mx_canonical_json::{Limits, canonicalize};
use wasm_bindgen::prelude::*;

use crate::failure::thrown;

/// The canonical form of a JSON text, strictly: duplicate keys, fractions, integers out of range and half surrogates
/// are errors.
#[wasm_bindgen(js_name = canonicalJson)]
pub fn canonical_json(text: &str) -> Result<String, JsValue> {
    canonicalize(text, &Limits::DEFAULT).map_err(thrown)
}
