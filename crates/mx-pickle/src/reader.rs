use core::fmt;

use mx_aes_sha2::ctr_hmac::Keystream;
use zeroize::optimization_barrier;

use crate::Generation;

/// Reads a state out of a pickle that was verified, without changing the pickle.
///
/// Only a window of 128 bytes is ever decrypted, which is what AES takes in parallel; it is wiped when the reader
/// is dropped.
pub struct Reader<'k, 'p> {
    keystream: Keystream<'k>,
    /// What is not decrypted yet.
    ciphertext: &'p [u8],
    window: [u8; WINDOW],
    /// Decrypted and not read: `window[next..end]`.
    next: usize,
    end: usize,
    layout: u8,
    generation: Generation,
}

impl<'k, 'p> Reader<'k, 'p> {
    pub(crate) fn new(
        keystream: Keystream<'k>,
        ciphertext: &'p [u8],
        layout: u8,
        generation: Generation,
    ) -> Self {
        Self { keystream, ciphertext, window: [0; WINDOW], next: 0, end: 0, layout, generation }
    }

    /// The layout in which the state was written, from 1 to the newest that is understood.
    #[must_use]
    pub const fn layout(&self) -> u8 {
        self.layout
    }

    /// The generation of the pickle.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Bytes that were not read yet.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.ciphertext.len() + (self.end - self.next)
    }

    /// Reads one byte.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`].
    #[inline]
    pub fn u8(&mut self) -> Result<u8, UnpickleError> {
        self.array().map(u8::from_be_bytes)
    }

    /// Reads 0 or 1. `field` names it in the error.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`]; [`UnpickleError::Invalid`] for any other byte.
    #[inline]
    pub fn bool(&mut self, field: &'static str) -> Result<bool, UnpickleError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UnpickleError::Invalid { field }),
        }
    }

    /// Reads four bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`].
    #[inline]
    pub fn u32(&mut self) -> Result<u32, UnpickleError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads eight bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`].
    #[inline]
    pub fn u64(&mut self) -> Result<u64, UnpickleError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads the number of items that follow, before anything is stored for them.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::TooMany`] if there are more than `limit`; [`UnpickleError::EndsEarly`].
    #[inline]
    pub fn count(&mut self, limit: usize) -> Result<usize, UnpickleError> {
        let count = self.u32()?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= limit)
            .ok_or(UnpickleError::TooMany { count, limit })
    }

    /// Reads `N` bytes. Secrets rather go to their place with [`Reader::bytes`].
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`].
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], UnpickleError> {
        let mut array = [0; N];
        self.bytes(&mut array)?;
        Ok(array)
    }

    /// Reads as many bytes as `out` has.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::EndsEarly`]. Nothing was written then.
    #[inline]
    pub fn bytes(&mut self, out: &mut [u8]) -> Result<(), UnpickleError> {
        // Whoever reads has a constant for an error so, and none of 24 bytes to hand on.
        if self.fill(out) { Ok(()) } else { Err(UnpickleError::EndsEarly) }
    }

    /// Whether there were as many bytes as `out` has.
    #[inline(never)]
    fn fill(&mut self, out: &mut [u8]) -> bool {
        if out.len() > self.remaining() {
            return false;
        }
        let mut missing = out;
        while !missing.is_empty() {
            if self.next == self.end {
                self.refill();
            }
            let decrypted = self.window.get(self.next..self.end).unwrap_or_default();
            let count = missing.len().min(decrypted.len());
            let (now, later) = missing.split_at_mut(count);
            now.copy_from_slice(decrypted.get(..count).unwrap_or_default());
            self.next += count;
            missing = later;
        }
        true
    }

    /// Ends reading.
    ///
    /// # Errors
    ///
    /// [`UnpickleError::TrailingBytes`] if something was not read.
    pub const fn finish(&self) -> Result<(), UnpickleError> {
        match self.remaining() {
            0 => Ok(()),
            count => Err(UnpickleError::TrailingBytes { count }),
        }
    }

    /// Decrypts the next window. Whoever calls has seen that there is something left.
    fn refill(&mut self) {
        let count = self.ciphertext.len().min(WINDOW);
        let (now, later) = self.ciphertext.split_at(count);
        if let Some(window) = self.window.get_mut(..count) {
            window.copy_from_slice(now);
            self.keystream.apply(window);
        }
        self.ciphertext = later;
        self.next = 0;
        self.end = count;
    }
}

impl Drop for Reader<'_, '_> {
    fn drop(&mut self) {
        self.window = [0; WINDOW];
        optimization_barrier(&self.window);
    }
}

impl fmt::Debug for Reader<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("layout", &self.layout)
            .field("generation", &self.generation)
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// A pickle was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnpickleError {
    /// Shorter than header and MAC.
    TooShort,
    /// The first byte is not that of a pickle, or of a newer format.
    UnknownFormat {
        /// The first byte.
        found: u8,
    },
    /// Another key, or any change to the pickle.
    Authentication,
    /// The pickle of another type.
    WrongType {
        /// The tag of the type asked for.
        expected: u8,
        /// The tag in the header.
        found: u8,
    },
    /// A layout of this type that this version does not know.
    UnknownLayout {
        /// The newest known layout.
        newest: u8,
        /// The layout in the header.
        found: u8,
    },
    /// An older copy than the one saved last. To use it would be to use its keys twice.
    Stale {
        /// The generation in the header.
        found: Generation,
        /// The oldest generation that the caller accepts.
        required: Generation,
    },
    /// The state ends within a field.
    EndsEarly,
    /// The state goes on after its last field.
    TrailingBytes {
        /// Bytes that are left.
        count: usize,
    },
    /// More items than the type keeps.
    TooMany {
        /// The number of items in the pickle.
        count: u32,
        /// The largest number accepted.
        limit: usize,
    },
    /// A field has a value that the type never writes.
    Invalid {
        /// The name of the field.
        field: &'static str,
    },
}

impl fmt::Display for UnpickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("pickle is too short"),
            Self::UnknownFormat { found } => write!(f, "pickle has the unknown format {found}"),
            Self::Authentication => f.write_str("pickle failed authentication"),
            Self::WrongType { expected, found } => {
                write!(f, "pickle is of type {found} and not of type {expected}")
            }
            Self::UnknownLayout { newest, found } => {
                write!(f, "pickle has layout {found}, the newest known is {newest}")
            }
            Self::Stale { found, required } => {
                let (found, required) = (found.get(), required.get());
                write!(f, "pickle is of generation {found}, older than the required {required}")
            }
            Self::EndsEarly => f.write_str("pickled state ends within a field"),
            Self::TrailingBytes { count } => write!(f, "pickled state has {count} bytes too many"),
            Self::TooMany { count, limit } => {
                write!(f, "pickled state has {count} items where {limit} are allowed")
            }
            Self::Invalid { field } => write!(f, "pickled state has an invalid {field}"),
        }
    }
}

impl core::error::Error for UnpickleError {}

/// Bytes decrypted at once: 8 blocks of AES.
const WINDOW: usize = 128;
