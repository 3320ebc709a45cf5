use core::fmt;

use mx_aes_sha2::ctr_hmac::CtrHmacKeys;
use zeroize::Zeroize;

use crate::{
    Generation,
    seal::{HEADER_LEN, MAC_LEN, NONCE_LEN},
};

/// Writes a state into the caller's buffer and seals it there.
///
/// The writing methods cannot fail: [`Writer::finish`] reports whether what was written is as long as was
/// announced. A writer that is dropped before wipes what it wrote.
#[must_use = "nothing is sealed before `finish`"]
pub struct Writer<'k, 'o> {
    keys: &'k CtrHmacKeys,
    /// Header, state, MAC. Empty once finished.
    out: &'o mut [u8],
    nonce: [u8; NONCE_LEN],
    generation: Generation,
    /// Bytes of state written, or that would have been.
    written: usize,
}

impl<'k, 'o> Writer<'k, 'o> {
    pub(crate) const fn new(
        keys: &'k CtrHmacKeys,
        out: &'o mut [u8],
        nonce: [u8; NONCE_LEN],
        generation: Generation,
    ) -> Self {
        Self { keys, out, nonce, generation, written: 0 }
    }

    /// The generation of this pickle.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Writes 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// Writes four bytes, big-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Writes the number of items that follow, as a [`Writer::u32`]. (One beyond that has no room in any buffer.)
    pub fn count(&mut self, items: usize) {
        self.u32(u32::try_from(items).unwrap_or(u32::MAX));
    }

    /// Writes `bytes` as they are; the reader knows how many there are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.written.saturating_add(bytes.len());
        if let Some(free) = self.state().get_mut(..end).and_then(|state| state.get_mut(end - bytes.len()..)) {
            free.copy_from_slice(bytes);
        }
        self.written = end;
    }

    /// Encrypts and authenticates, and returns the pickle.
    ///
    /// # Errors
    ///
    /// [`PickleError::WrongLength`] if the state has another length than was announced: a mistake in the type that
    /// was to be pickled. The buffer is wiped then.
    pub fn finish(mut self) -> Result<&'o [u8], PickleError> {
        let announced = self.state().len();
        if self.written != announced {
            return Err(PickleError::WrongLength { announced, written: self.written });
        }
        let (keys, nonce) = (self.keys, self.nonce);
        keys.keystream(&nonce).apply(self.state());
        let out = core::mem::take(&mut self.out);
        if let Some((authenticated, mac)) = out.split_last_chunk_mut::<MAC_LEN>() {
            *mac = *keys.mac(authenticated).as_bytes();
        }
        Ok(out)
    }

    /// The room of the state.
    fn state(&mut self) -> &mut [u8] {
        let end = self.out.len().saturating_sub(MAC_LEN);
        self.out.get_mut(HEADER_LEN..end).unwrap_or_default()
    }
}

impl Drop for Writer<'_, '_> {
    fn drop(&mut self) {
        self.out.zeroize();
    }
}

impl fmt::Debug for Writer<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// A state was not pickled; it is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PickleError {
    /// The buffer has no room for the pickle.
    BufferTooSmall {
        /// Bytes that are needed.
        needed: usize,
    },
    /// There was no randomness for the nonce.
    RandomnessFailed,
    /// The state was pickled 2^64 - 1 times.
    GenerationsExhausted,
    /// The type wrote another number of bytes than it had announced.
    WrongLength {
        /// Bytes announced.
        announced: usize,
        /// Bytes written.
        written: usize,
    },
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => write!(f, "the pickle needs a buffer of {needed} bytes"),
            Self::RandomnessFailed => f.write_str("no randomness for the nonce of the pickle"),
            Self::GenerationsExhausted => f.write_str("the state was pickled too often"),
            Self::WrongLength { announced, written } => {
                write!(f, "{announced} bytes of state were announced and {written} written")
            }
        }
    }
}

impl core::error::Error for PickleError {}
