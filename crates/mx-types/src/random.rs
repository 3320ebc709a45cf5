use core::fmt;

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Fills `out` with random bytes from the caller's generator.
///
/// # Errors
///
/// [`RandomnessFailed`] when the generator reports a failure, or when everything it gave is zero: hardware
/// generators that are not clocked or not seeded read as zeros, and a key of zeros is no key. `out` is all
/// zeros then. (Eight or more honest bytes are all zero once in 2^64 times; shorter draws are not refused.)
pub fn fill_random<R: TryCryptoRng + ?Sized>(rng: &mut R, out: &mut [u8]) -> Result<(), RandomnessFailed> {
    if rng.try_fill_bytes(out).is_err() {
        out.zeroize();
        return Err(RandomnessFailed);
    }
    let union = out.iter().fold(0, |union, byte| union | byte);
    if out.len() >= 8 && bool::from(union.ct_eq(&0)) { Err(RandomnessFailed) } else { Ok(()) }
}

/// The random number generator failed or gave nothing but zeros; no key was made and nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RandomnessFailed;

impl fmt::Display for RandomnessFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random number generator failed or gave only zeros")
    }
}

impl core::error::Error for RandomnessFailed {}
