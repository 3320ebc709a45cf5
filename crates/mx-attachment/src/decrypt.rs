use core::{fmt, mem};

use mx_aes_sha2::{Sha256, ctr_sha256::CtrSha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::AttachmentInfo;

/// Decrypts one file piece by piece. How it is cut makes no difference. Wiped when dropped.
///
/// Until [`Decryptor::finish`] has said [`Verified`], the pieces can be anything that somebody on the way wrote.
/// Put them where nobody reads them yet, such as a file under a temporary name.
pub struct Decryptor {
    cipher: CtrSha256,
    expected: [u8; 32],
}

impl Decryptor {
    pub(crate) fn new(info: &AttachmentInfo) -> Self {
        Self { cipher: CtrSha256::new(info.keystream()), expected: *info.sha256() }
    }

    /// Decrypts the next piece in place. Fastest in multiples of 128 bytes.
    pub fn update<'p>(&mut self, piece: &'p mut [u8]) -> Unverified<'p> {
        self.cipher.decrypt(piece);
        Unverified(piece)
    }

    /// The file is at its end: was it the one that was meant?
    ///
    /// # Errors
    ///
    /// [`HashMismatch`]: throw away all that came out of [`Decryptor::update`].
    pub fn finish(self) -> Result<Verified, HashMismatch> {
        Verified::if_same(self.cipher.finish(), self.expected)
    }
}

// Its cipher is; the hash is no secret.
impl ZeroizeOnDrop for Decryptor {}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").finish_non_exhaustive()
    }
}

/// Plaintext of which nobody knows yet whether it is the file's.
///
/// [`Unverified::expose_unverified`] gives it out. Where that is not called, the piece is wiped, so that the buffer
/// that was decrypted in place does not give it out either.
#[must_use = "the plaintext is wiped unless `expose_unverified` takes it"]
pub struct Unverified<'p>(&'p mut [u8]);

impl<'p> Unverified<'p> {
    /// The plaintext, to be held back until [`Decryptor::finish`] has said [`Verified`].
    #[must_use]
    pub fn expose_unverified(mut self) -> &'p mut [u8] {
        mem::take(&mut self.0)
    }
}

impl Drop for Unverified<'_> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Unverified<'_> {}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").finish_non_exhaustive()
    }
}

/// Compares the hash of a file that comes piece by piece, without decrypting it.
///
/// For a file in a place where nobody else writes: verify it whole, then decrypt it, with a [`Decryptor`] or at any
/// position through [`hazmat`](crate::hazmat).
#[derive(Debug)]
pub struct Verifier {
    hash: Sha256,
    expected: [u8; 32],
}

impl Verifier {
    pub(crate) const fn new(expected: [u8; 32]) -> Self {
        Self { hash: Sha256::new(), expected }
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
    }

    /// The file is at its end: was it the one that was meant?
    ///
    /// # Errors
    ///
    /// [`HashMismatch`].
    pub fn finish(self) -> Result<Verified, HashMismatch> {
        Verified::if_same(self.hash.finish(), self.expected)
    }
}

/// Says that the whole file had the hash that its description names.
///
/// Only [`Decryptor::finish`] and [`Verifier::finish`] make one: a function that publishes a file can ask for it.
#[derive(Debug)]
pub struct Verified(());

impl Verified {
    fn if_same(found: [u8; 32], expected: [u8; 32]) -> Result<Self, HashMismatch> {
        if found == expected { Ok(Self(())) } else { Err(HashMismatch) }
    }
}

/// The file is not the one that its description names: damaged, cut, or another. Nothing of it was decrypted, or what
/// was decrypted is to be thrown away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HashMismatch;

impl fmt::Display for HashMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file does not have the SHA-256 that its description names")
    }
}

impl core::error::Error for HashMismatch {}
