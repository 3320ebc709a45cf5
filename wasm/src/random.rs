//! Randomness, from the Web Crypto API.

use core::fmt;

use rand_core::{TryCryptoRng, TryRng};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Browsers and Node.js have it, in workers, too.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(out: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// The generator of the platform.
#[derive(Debug)]
pub(crate) struct WebCrypto;

/// There is no `crypto.getRandomValues`, or it failed.
#[derive(Debug)]
pub(crate) struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("crypto.getRandomValues failed")
    }
}

impl core::error::Error for Unavailable {}

impl TryRng for WebCrypto {
    type Error = Unavailable;

    fn try_next_u32(&mut self) -> Result<u32, Unavailable> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Unavailable> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Unavailable> {
        for part in out.chunks_mut(MAX_LEN) {
            get_random_values(part).map_err(|_| Unavailable)?;
        }
        Ok(())
    }
}

impl TryCryptoRng for WebCrypto {}

/// More is refused in one call.
const MAX_LEN: usize = 65_536;
