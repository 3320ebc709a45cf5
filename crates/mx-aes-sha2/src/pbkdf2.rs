use core::{fmt, num::NonZeroU32, slice::from_ref};

use sha2::block_api::compress512;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::wipe::wipe;

/// 64 bytes of PBKDF2-HMAC-SHA-512 (RFC 8018), in steps as small as the caller wants.
///
/// A derivation takes a quarter of a second and more, which is its point. Who has one thread shows progress, or serves
/// others, between steps; who drops this value stops the work. Wiped when dropped.
///
/// ```
/// use core::num::NonZeroU32;
/// use mx_aes_sha2::Pbkdf2Sha512;
///
/// let rounds = NonZeroU32::new(100_000).unwrap();
/// let mut derivation = Pbkdf2Sha512::new(b"passphrase", &[7; 16], rounds);
/// while derivation.step(10_000) > 0 {
///     // Show `derivation.remaining()` of `rounds`, yield, look whether somebody gave up.
/// }
/// let keys = derivation.finish();
/// # assert_eq!(keys[..4], [0xab, 0x41, 0x95, 0x3b]);
/// ```
///
/// Fewer bytes are the first of these: a key of 32 bytes is `&finish()[..32]`.
pub struct Pbkdf2Sha512 {
    /// The states after the blocks of the passphrase with "ipad" and "opad": HMAC's key.
    inner: State,
    outer: State,
    /// U(i) of RFC 8018 as a block to be hashed: 64 bytes behind which the padding of SHA-512 stands.
    block: [u8; BLOCK],
    /// The sum of U(1) to U(i).
    sum: State,
    remaining: u32,
}

impl Pbkdf2Sha512 {
    /// Does the first of so many `rounds`. The passphrase is taken as it is, without Unicode normalisation.
    #[must_use]
    pub fn new(passphrase: &[u8], salt: &[u8], rounds: NonZeroU32) -> Self {
        let mut key = [0; BLOCK];
        if passphrase.len() > BLOCK {
            let mut state = INITIAL;
            finish(&mut state, 0, passphrase, &[]);
            write(&state, &mut key);
            wipe(&mut state);
        } else if let Some(start) = key.get_mut(..passphrase.len()) {
            start.copy_from_slice(passphrase);
        }
        let mut derivation = Self {
            inner: INITIAL,
            outer: INITIAL,
            block: HASH_BLOCK,
            sum: INITIAL,
            remaining: rounds.get() - 1,
        };
        for (state, padding) in [(&mut derivation.inner, 0x36), (&mut derivation.outer, 0x5c)] {
            let mut padded = key;
            padded.iter_mut().for_each(|byte| *byte ^= padding);
            compress512(state, from_ref(&padded));
            wipe(&mut padded);
        }
        wipe(&mut key);
        // U(1) = HMAC(passphrase, salt || 1), the only block of output.
        derivation.sum = derivation.inner;
        finish(&mut derivation.sum, BLOCK, salt, &[0, 0, 0, 1]);
        write(&derivation.sum, &mut derivation.block);
        derivation.sum = derivation.outer;
        compress512(&mut derivation.sum, from_ref(&derivation.block));
        write(&derivation.sum, &mut derivation.block);
        derivation
    }

    /// Does `rounds` more, or those that remain, and says how many remain then.
    pub fn step(&mut self, rounds: u32) -> u32 {
        let rounds = rounds.min(self.remaining);
        let mut state = INITIAL;
        for _ in 0..rounds {
            state = self.inner;
            compress512(&mut state, from_ref(&self.block));
            write(&state, &mut self.block);
            state = self.outer;
            compress512(&mut state, from_ref(&self.block));
            write(&state, &mut self.block);
            for (sum, word) in self.sum.iter_mut().zip(&state) {
                *sum ^= word;
            }
        }
        wipe(&mut state);
        self.remaining -= rounds;
        self.remaining
    }

    /// How many rounds remain.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// The key, after the rounds that remain.
    #[must_use]
    pub fn finish(mut self) -> Zeroizing<[u8; 64]> {
        self.step(u32::MAX);
        let mut key = Zeroizing::new([0; 64]);
        write(&self.sum, key.as_mut_slice());
        key
    }
}

impl fmt::Debug for Pbkdf2Sha512 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pbkdf2Sha512").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

impl Drop for Pbkdf2Sha512 {
    fn drop(&mut self) {
        for state in [&mut self.inner, &mut self.outer, &mut self.sum] {
            wipe(state);
        }
        wipe(&mut self.block);
    }
}

impl ZeroizeOnDrop for Pbkdf2Sha512 {}

/// Ends the hash of `message` and the few bytes of `suffix`; `before` bytes, whole blocks, led to `state`.
fn finish(state: &mut State, before: usize, message: &[u8], suffix: &[u8]) {
    let (blocks, rest) = message.as_chunks();
    compress512(state, blocks);
    let mut last = [[0; BLOCK]; 2];
    let tail = rest.iter().chain(suffix).chain(&[0x80]);
    for (to, from) in last.as_flattened_mut().iter_mut().zip(tail) {
        *to = *from;
    }
    // The length in bits ends the first block that has room for it, 16 bytes behind the one bit.
    let used = usize::from(rest.len() + suffix.len() + 1 + 16 > BLOCK) + 1;
    let last = last.get_mut(..used).unwrap_or_default();
    let bits = (before + message.len() + suffix.len()) as u128 * 8;
    if let Some(end) = last.as_flattened_mut().last_chunk_mut() {
        *end = bits.to_be_bytes();
    }
    compress512(state, last);
    wipe(last.as_flattened_mut());
}

/// Writes the bytes of the hash to the start of `block`.
#[inline]
fn write(state: &State, block: &mut [u8]) {
    for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
}

/// The block of a hash of 64 bytes behind one block: one bit, zeros, and the length of both in bits.
const HASH_BLOCK: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[64] = 0x80;
    [block[126], block[127]] = 1536_u16.to_be_bytes();
    block
};

/// Bytes that the compression function of SHA-512 takes at once.
const BLOCK: usize = 128;

type State = [u64; 8];

/// H(0) of FIPS 180-4, section 5.3.5.
const INITIAL: State = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
