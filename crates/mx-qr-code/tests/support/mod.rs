//! Keys and generators.
#![allow(dead_code, clippy::unwrap_used, reason = "tests, of which each uses a part of this")]

use core::fmt;

use mx_types::Ed25519PublicKey;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{SeedableRng, TryCryptoRng, TryRng},
};

/// Public keys; of the first two the secret halves are 32 bytes of 1 and of 2.
pub(crate) const TEXTS: [&str; 4] = [
    "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w",
    "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q",
    "a1MgL5JpHjbNJ2f5IxHYiqL2MQUbNu/8pCWAGgzS6AQ",
    "vVJ8+G4HpB+0zDMOQlTnW379h9A2Qt9vVnYlm4auvE0",
];

pub(crate) fn keys() -> [Ed25519PublicKey; 4] {
    TEXTS.map(|text| Ed25519PublicKey::from_base64(text).unwrap())
}

pub(crate) fn key(bytes: &[u8; 32]) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(*bytes).unwrap()
}

pub(crate) fn rng() -> ChaCha20Rng {
    rng_of(1)
}

pub(crate) fn rng_of(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A generator that fails.
pub(crate) struct FailingRng;

impl TryRng for FailingRng {
    type Error = fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, fmt::Error> {
        Err(fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }
}

impl TryCryptoRng for FailingRng {}
