//! A generator that gives the private keys of a vector.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// Gives out these bytes in this order; the image ends when more are drawn.
pub struct Script<const N: usize> {
    bytes: [[u8; 32]; N],
    drawn: usize,
}

impl<const N: usize> Script<N> {
    pub const fn new(bytes: [[u8; 32]; N]) -> Self {
        Self { bytes, drawn: 0 }
    }
}

impl<const N: usize> TryRng for Script<N> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.drawn + out.len();
        out.copy_from_slice(&self.bytes.as_flattened()[self.drawn..end]);
        self.drawn = end;
        Ok(())
    }
}

impl<const N: usize> TryCryptoRng for Script<N> {}
