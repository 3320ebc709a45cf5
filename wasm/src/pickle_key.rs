//! The key of stored state.

use mx_pickle::{Generation, PickleError, UnpickleError};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{failure::thrown, object::array, random::WebCrypto};

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
}

impl PickleKey {
    /// `from_pickle` of any type; `oldest_acceptable` is what the caller has seen stored, or nothing.
    pub(crate) fn read<T>(
        &self,
        from_pickle: fn(&mx_pickle::PickleKey, Generation, &[u8]) -> Result<T, UnpickleError>,
        pickle: &[u8],
        oldest_acceptable: Option<u64>,
    ) -> Result<T, JsValue> {
        let oldest = oldest_acceptable.map_or(Generation::NEVER_PICKLED, Generation::from);
        from_pickle(&self.0, oldest, pickle).map_err(thrown)
    }

    /// `pickle` of any type, which takes `len` bytes.
    pub(crate) fn write(
        &self,
        len: usize,
        pickle: impl FnOnce(&mut WebCrypto, &mx_pickle::PickleKey, &mut [u8]) -> Result<(), PickleError>,
    ) -> Result<Vec<u8>, JsValue> {
        let mut out = vec![0; len];
        pickle(&mut WebCrypto, &self.0, &mut out).map_err(thrown)?;
        Ok(out)
    }
}
