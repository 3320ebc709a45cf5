use core::{fmt, slice::from_ref};

use sha2::block_api::compress256;
use zeroize::ZeroizeOnDrop;

use crate::wipe::wipe;

/// The hash of the concatenated `parts` (FIPS 180-4).
///
/// ```
/// assert_eq!(mx_aes_sha2::sha256(&[b"a", b"bc"]), mx_aes_sha2::sha256(&[b"abc"]));
/// ```
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

/// SHA-256 of bytes that come piece by piece. Wiped when dropped.
///
/// It stands directly on the compression function: the hash of one short message, which is what a ratchet
/// consists of, never passes through a buffer.
pub struct Sha256 {
    state: State,
    /// Bytes compressed, without those that wait in `block`.
    compressed: u64,
    block: [u8; BLOCK],
    /// Bytes that wait in `block`, always fewer than a block.
    waiting: usize,
}

impl Sha256 {
    /// Starts the hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self::resume(INITIAL, 0)
    }

    /// Continues after `compressed` bytes, a multiple of the block, which led to `state`.
    pub(crate) const fn resume(state: State, compressed: u64) -> Self {
        Self { state, compressed, block: [0; BLOCK], waiting: 0 }
    }

    /// Appends `bytes`.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if self.waiting > 0 {
            let free = self.block.get_mut(self.waiting..).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(free.len()));
            if let Some(start) = free.get_mut(..now.len()) {
                start.copy_from_slice(now);
            }
            self.waiting += now.len();
            bytes = later;
            if self.waiting < BLOCK {
                return;
            }
            compress256(&mut self.state, from_ref(&self.block));
            self.compressed += BLOCK as u64;
        }
        let rest = bytes.get(self.update_blocks(bytes)..).unwrap_or_default();
        if let Some(start) = self.block.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.waiting = rest.len();
    }

    /// Appends the whole blocks of `bytes` and says how many bytes that was. Nothing may be waiting.
    pub(crate) fn update_blocks(&mut self, bytes: &[u8]) -> usize {
        let (blocks, rest) = bytes.as_chunks();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
        let len = bytes.len() - rest.len();
        self.compressed += len as u64;
        len
    }

    /// A second one, of the same bytes so far.
    pub(crate) const fn fork(&self) -> Self {
        Self { state: self.state, compressed: self.compressed, block: self.block, waiting: self.waiting }
    }

    /// The hash.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        let tail = self.block.get(..self.waiting).unwrap_or_default();
        finish(&mut self.state, tail, self.compressed + self.waiting as u64);
        to_bytes(&self.state)
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256").finish_non_exhaustive()
    }
}

impl Drop for Sha256 {
    fn drop(&mut self) {
        wipe(&mut self.state);
        wipe(&mut self.block);
    }
}

impl ZeroizeOnDrop for Sha256 {}

/// Compresses `tail`, the last bytes of a message of `len` bytes, and its padding. What came before the tail
/// is a multiple of the block.
#[inline]
pub(crate) fn finish(state: &mut State, tail: &[u8], len: u64) {
    let (blocks, rest) = tail.as_chunks();
    if !blocks.is_empty() {
        compress256(state, blocks);
    }
    let mut last = [0; BLOCK];
    if let Some((start, free)) = last.split_at_mut_checked(rest.len()) {
        start.copy_from_slice(rest);
        if let Some(end_of_message) = free.first_mut() {
            *end_of_message = 0x80;
        }
    }
    // The length of the message in bits ends the first block that has room for it.
    if rest.len() >= BLOCK - size_of::<u64>() {
        compress256(state, from_ref(&last));
        last = [0; BLOCK];
    }
    if let Some(end) = last.last_chunk_mut() {
        *end = (len * 8).to_be_bytes();
    }
    compress256(state, from_ref(&last));
    wipe(&mut last);
}

/// [`finish`] for a hash of 32 bytes behind one block, the outer hash of HMAC.
#[inline]
pub(crate) fn finish_hash(state: &mut State, hash: &State) {
    let mut last = HASH_BLOCK;
    if let Some(start) = last.first_chunk_mut() {
        *start = to_bytes(hash);
    }
    compress256(state, from_ref(&last));
    wipe(&mut last);
}

/// The block of a hash of 32 bytes, which is not in it yet: one bit, zeros, and the length in bits with the block before.
pub(crate) const HASH_BLOCK: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[32] = 0x80;
    [block[62], block[63]] = 768_u16.to_be_bytes();
    block
};

/// The state as the bytes of a hash.
#[inline]
pub(crate) fn to_bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// H(0) to H(7) of FIPS 180-4, section 6.2.
pub(crate) type State = [u32; 8];

/// Bytes that the compression function takes at once.
pub(crate) const BLOCK: usize = 64;

/// H(0) of FIPS 180-4, section 5.3.3.
pub(crate) const INITIAL: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
