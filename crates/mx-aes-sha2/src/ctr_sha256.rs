//! AES-256-CTR and SHA-256 of the ciphertext, in one pass: encrypted attachments.
//!
//! There is no MAC. Whoever decrypts compares the hash with one that came authenticated, before anything is made
//! of the plaintext.

use core::{fmt, hint::black_box};

use cbc::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use zeroize::ZeroizeOnDrop;

use crate::{Sha256, block::Aes256Enc};

/// A keystream with a key of its own. Encrypting and decrypting are the same. Wiped when dropped.
pub struct Keystream(Flavor);

enum Flavor {
    Low64(ctr::Ctr64BE<Aes256Enc>),
    Whole128(ctr::Ctr128BE<Aes256Enc>),
}

impl Keystream {
    /// The keystream of `key` that starts with the block `counter`. The caller never uses the two for a second
    /// plaintext.
    #[must_use]
    pub fn new(key: &[u8; 32], counter: &[u8; 16], width: CounterWidth) -> Self {
        let (key, counter) = (key.into(), counter.into());
        Self(match width {
            CounterWidth::Low64 => Flavor::Low64(ctr::Ctr64BE::new(key, counter)),
            CounterWidth::Whole128 => Flavor::Whole128(ctr::Ctr128BE::new(key, counter)),
        })
    }

    /// Encrypts or decrypts `bytes` in place and moves on by their length. Fastest in multiples of 128 bytes.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        match &mut self.0 {
            Flavor::Low64(keystream) => keystream.apply_keystream(bytes),
            Flavor::Whole128(keystream) => keystream.apply_keystream(bytes),
        }
    }

    /// Moves to `position`, in bytes from the start.
    pub fn seek(&mut self, position: u64) {
        match &mut self.0 {
            Flavor::Low64(keystream) => keystream.seek(position),
            Flavor::Whole128(keystream) => keystream.seek(position),
        }
    }
}

// Both flavors are.
impl ZeroizeOnDrop for Keystream {}

impl fmt::Debug for Keystream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystream").finish_non_exhaustive()
    }
}

/// How much of the counter block counts. The same for all plaintexts below 2^68 bytes whose low half starts at zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CounterWidth {
    /// The last 64 bits, which wrap around without a carry.
    Low64,
    /// All 128 bits.
    Whole128,
}

/// A [`Keystream`] and the hash of the ciphertext, which is worked on in pieces that stay in the nearest cache:
/// each is encrypted and hashed before the next. How the caller cuts the bytes makes no difference.
pub struct CtrSha256 {
    keystream: Keystream,
    hash: Sha256,
}

impl CtrSha256 {
    /// Starts with the hash of nothing.
    #[must_use]
    pub const fn new(keystream: Keystream) -> Self {
        Self { keystream, hash: Sha256::new() }
    }

    /// Encrypts `bytes` in place and hashes what came out.
    pub fn encrypt(&mut self, bytes: &mut [u8]) {
        let mut pieces = bytes.chunks_mut(PIECE).peekable();
        while let Some(piece) = pieces.next() {
            self.keystream.apply(piece);
            // AES is fast enough to wait for memory, hashing is not: it leaves time to fetch what AES needs next.
            let mut ahead = pieces.peek().map_or(&[][..], |next| next).chunks(PART);
            for part in piece.chunks(PART) {
                fetch(ahead.next().unwrap_or_default());
                self.hash.update(part);
            }
        }
    }

    /// Hashes `bytes` and decrypts them in place.
    pub fn decrypt(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(PIECE) {
            self.hash.update(piece);
            self.keystream.apply(piece);
        }
    }

    /// The hash of the whole ciphertext.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.hash.finish()
    }
}

// Both its parts are.
impl ZeroizeOnDrop for CtrSha256 {}

impl fmt::Debug for CtrSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrSha256").finish_non_exhaustive()
    }
}

/// Reads a byte of each line of the cache, which brings the lines there.
fn fetch(bytes: &[u8]) {
    for line in bytes.chunks(64) {
        black_box(line.first().copied());
    }
}

/// Bytes that are encrypted before they are hashed: well below the nearest cache of any processor that has one.
const PIECE: usize = 4096;

/// Bytes that are hashed while as many of the next piece are fetched.
const PART: usize = 512;
