//! Decrypting at any position, which no hash has covered.
//!
//! Whoever stored the file can flip bits of its plaintext here, and nothing says so. It is sound where the whole
//! file was verified before, by a [`Verifier`](crate::Verifier), and nobody could write to it since: a film in a
//! private cache, an image in external flash.

use core::fmt;

use mx_aes_sha2::ctr_sha256::Keystream;
use zeroize::ZeroizeOnDrop;

use crate::AttachmentInfo;

/// Decrypts pieces of one file in any order, unverified. Wiped when dropped.
pub struct RandomAccess {
    keystream: Keystream,
}

impl RandomAccess {
    /// The file that `info` describes.
    #[must_use]
    pub fn new(info: &AttachmentInfo) -> Self {
        Self { keystream: info.keystream() }
    }

    /// Decrypts in place a piece that begins `position` bytes after the beginning of the file.
    pub fn decrypt_at(&mut self, position: u64, piece: &mut [u8]) {
        self.keystream.seek(position);
        self.keystream.apply(piece);
    }
}

// Its keystream is.
impl ZeroizeOnDrop for RandomAccess {}

impl fmt::Debug for RandomAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomAccess").finish_non_exhaustive()
    }
}
