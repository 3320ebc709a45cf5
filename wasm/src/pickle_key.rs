//! The key of stored state.

use mx_pickle::Generation;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::object::array;

/// The key under which accounts and sessions are stored. Call `free` when it is no longer needed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PickleKey(mx_pickle::PickleKey);

#[wasm_bindgen]
impl PickleKey {
    /// `key` is 32 random bytes; a password is none.
    #[wasm_bindgen(constructor)]
    pub fn new(key: Vec<u8>) -> Result<Self, JsValue> {
        let key = Zeroizing::new(key);
        Ok(Self(mx_pickle::PickleKey::new(&*array(&key)?)))
    }

    /// How often the state of this pickle had been stored. `undefined` if it is no pickle.
    #[wasm_bindgen(js_name = generationOf)]
    #[must_use]
    pub fn generation_of(pickle: &[u8]) -> Option<u64> {
        Generation::of(pickle).map(Generation::get)
    }

    pub(crate) const fn inner(&self) -> &mx_pickle::PickleKey {
        &self.0
    }
}

/// What a caller has seen stored, or nothing.
pub(crate) fn oldest(generation: Option<u64>) -> Generation {
    generation.map_or(Generation::NEVER_PICKLED, Generation::from)
}
