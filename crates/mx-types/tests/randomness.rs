//! Randomness that fails.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::{RandomnessFailed, fill_random};
use rand_core::{TryCryptoRng, TryRng};

/// Gives the same byte for ever, or fails after some bytes.
struct Stub {
    byte: u8,
    left: usize,
}

#[derive(Debug)]
struct Broken;

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("broken")
    }
}

impl core::error::Error for Broken {}

impl TryRng for Stub {
    type Error = Broken;

    fn try_next_u32(&mut self) -> Result<u32, Broken> {
        Err(Broken)
    }

    fn try_next_u64(&mut self) -> Result<u64, Broken> {
        Err(Broken)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Broken> {
        for byte in out {
            self.left = self.left.checked_sub(1).ok_or(Broken)?;
            *byte = self.byte;
        }
        Ok(())
    }
}

impl TryCryptoRng for Stub {}

#[test]
fn attack_008_no_key_from_a_generator_that_fails_or_gives_zeros() {
    let mut out = [0xaa; 32];
    assert_eq!(fill_random(&mut Stub { byte: 7, left: 31 }, &mut out), Err(RandomnessFailed));
    assert_eq!(out, [0; 32], "half a key is no key");
    out = [0xaa; 32];
    assert_eq!(fill_random(&mut Stub { byte: 0, left: 99 }, &mut out), Err(RandomnessFailed));
    assert_eq!(out, [0; 32]);
    // From eight bytes on zeros are no chance.
    for len in 1..=16 {
        let result = fill_random(&mut Stub { byte: 0, left: 99 }, &mut out[..len]);
        assert_eq!(result.is_ok(), len < 8, "{len}");
    }
    assert_eq!(fill_random(&mut Stub { byte: 7, left: 32 }, &mut out), Ok(()));
    assert_eq!(out, [7; 32]);
    assert_eq!(fill_random(&mut Stub { byte: 7, left: 0 }, &mut []), Ok(()));
    // A trait object is a generator, too.
    let stub: &mut dyn TryCryptoRng<Error = Broken> = &mut Stub { byte: 7, left: 1 };
    assert_eq!(fill_random(stub, &mut out), Err(RandomnessFailed));
}
