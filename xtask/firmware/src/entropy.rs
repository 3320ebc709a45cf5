//! Stands where a microcontroller has its generator of random numbers.

use core::{convert::Infallible, hint::black_box};

use rand_core::{TryCryptoRng, TryRng};

/// Counts, in a way that the compiler cannot see through. No key of it leaves the image.
#[derive(Debug)]
pub struct Entropy(u32);

impl Entropy {
    #[must_use]
    pub fn new() -> Self {
        Self(black_box(1))
    }
}

impl Default for Entropy {
    fn default() -> Self {
        Self::new()
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = black_box(self.0.wrapping_add(1));
        Ok(self.0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            [*byte, ..] = self.try_next_u32()?.to_le_bytes();
        }
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}
