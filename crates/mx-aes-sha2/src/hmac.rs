use core::{fmt, slice::from_ref};

use sha2::block_api::compress256;
use zeroize::ZeroizeOnDrop;

use crate::{
    sha256::{BLOCK, INITIAL, Sha256, State, finish, finish_hash, sha256, to_bytes},
    wipe::wipe,
};

/// A key of HMAC-SHA-256 (RFC 2104), kept as the two states of SHA-256 that follow from it.
///
/// Making the key costs two compressions, and each message shorter than 56 bytes two more. A ratchet that asks
/// several things of one key (`HMAC(C, 0x01)` and `HMAC(C, 0x02)`) pays for the key once. Wiped when dropped.
///
/// ```
/// let key = mx_aes_sha2::HmacKey::new(&[0; 32]);
/// let (message_key, next_chain_key) = (key.mac(&[0x01]), key.mac(&[0x02]));
/// # assert_ne!(message_key, next_chain_key);
/// ```
pub struct HmacKey {
    inner: State,
    outer: State,
}

impl HmacKey {
    /// The key of zeros: the zero salt of HKDF. Written down, because every message key begins with it.
    pub(crate) const ZERO: Self = Self {
        inner: [
            0xf454_dead,
            0x9725_214f,
            0x90da_f2a0,
            0xdf12_28ea,
            0x64e5_750f,
            0xa392_4181,
            0x824a_932b,
            0xf8e0_4e32,
        ],
        outer: [
            0xd385_480f,
            0x7abb_6477,
            0x37c9_c538,
            0x5dd8_2467,
            0x8e04_3a72,
            0x7534_34b0,
            0xdeb8_2818,
            0x361d_45a6,
        ],
    };

    /// Takes a key of any length. One that is longer than 64 bytes stands for its hash.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            let mut hash = sha256(&[key]);
            if let Some(start) = block.first_chunk_mut() {
                *start = hash;
            }
            wipe(&mut hash);
        } else if let Some(start) = block.get_mut(..key.len()) {
            start.copy_from_slice(key);
        }
        Self::of_block(block)
    }

    /// The key of `key` followed by zeros.
    #[inline]
    fn of_block(mut block: [u8; BLOCK]) -> Self {
        let mut key = Self { inner: INITIAL, outer: INITIAL };
        for byte in &mut block {
            *byte ^= INNER_PADDING;
        }
        compress256(&mut key.inner, from_ref(&block));
        for byte in &mut block {
            *byte ^= INNER_PADDING ^ OUTER_PADDING;
        }
        compress256(&mut key.outer, from_ref(&block));
        wipe(&mut block);
        key
    }

    /// The MAC of `message`.
    ///
    /// As a MAC to send or to compare use [`Tag`](crate::Tag); this is for what is derived by HMAC.
    #[must_use]
    #[inline]
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        let mut state = self.inner;
        finish(&mut state, message, (BLOCK + message.len()) as u64);
        self.finish(&mut state)
    }

    /// The MAC of a message of one byte, which is all that a ratchet asks for: [`HmacKey::mac`] of it, faster.
    #[must_use]
    #[cfg_attr(not(sha2_backend_soft = "compact"), inline)]
    #[cfg_attr(sha2_backend_soft = "compact", inline(never))]
    pub fn mac_byte(&self, byte: u8) -> [u8; 32] {
        self.mac_block(&byte_block(byte))
    }

    /// [`HmacKey::mac_byte`] of each of these bytes. No MAC waits for another, so processors compute them side by side.
    ///
    /// ```
    /// # use mx_aes_sha2::HmacKey;
    /// let (mut message_key, mut next_chain_key) = ([0; 32], [0; 32]);
    /// HmacKey::new(&[0; 32]).mac_bytes([0x01, 0x02], [&mut message_key, &mut next_chain_key]);
    /// # assert_eq!(next_chain_key, HmacKey::new(&[0; 32]).mac_byte(0x02));
    /// ```
    #[inline]
    pub fn mac_bytes<const N: usize>(&self, bytes: [u8; N], macs: [&mut [u8; 32]; N]) {
        #[cfg(sha2_backend_soft = "compact")]
        for (byte, mac) in bytes.into_iter().zip(macs) {
            *mac = self.mac_byte(byte);
        }
        #[cfg(not(sha2_backend_soft = "compact"))]
        self.mac_bytes_side_by_side(bytes, macs);
    }

    #[cfg(not(sha2_backend_soft = "compact"))]
    #[inline]
    fn mac_bytes_side_by_side<const N: usize>(&self, bytes: [u8; N], macs: [&mut [u8; 32]; N]) {
        let mut states = [self.inner; N];
        for (state, byte) in states.iter_mut().zip(bytes) {
            compress256(state, &[byte_block(byte)]);
        }
        for (state, mac) in states.iter_mut().zip(macs) {
            *mac = self.finish(state);
        }
    }

    /// The MAC of a message that is one block with the padding of SHA-256.
    #[inline]
    pub(crate) fn mac_block(&self, block: &[u8; BLOCK]) -> [u8; 32] {
        let mut state = self.inner;
        compress256(&mut state, from_ref(block));
        self.finish(&mut state)
    }

    /// Starts the MAC of a message that comes piece by piece.
    #[must_use]
    pub const fn start(&self) -> Hmac<'_> {
        Hmac { key: self, inner: Sha256::resume(self.inner, BLOCK as u64) }
    }

    /// The outer hash. The inner one is wiped.
    #[inline]
    fn finish(&self, inner: &mut State) -> [u8; 32] {
        let mut state = self.outer;
        finish_hash(&mut state, inner);
        let mac = to_bytes(&state);
        wipe(inner);
        wipe(&mut state);
        mac
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey").finish_non_exhaustive()
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        wipe(&mut self.inner);
        wipe(&mut self.outer);
    }
}

impl ZeroizeOnDrop for HmacKey {}

/// HMAC-SHA-256 of bytes that come piece by piece.
pub struct Hmac<'k> {
    key: &'k HmacKey,
    inner: Sha256,
}

impl Hmac<'_> {
    /// Appends `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// Appends the whole blocks of `bytes` and says how many bytes that was. All before were whole blocks, too.
    #[cfg(not(aes_backend_soft = "compact"))]
    pub(crate) fn update_blocks(&mut self, bytes: &[u8]) -> usize {
        self.inner.update_blocks(bytes)
    }

    /// The MAC of what came so far.
    pub(crate) fn so_far(&self) -> [u8; 32] {
        Self { key: self.key, inner: self.inner.fork() }.finish()
    }

    /// The MAC.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        let mut state = self.key.outer;
        let mut hash = self.inner.finish();
        finish(&mut state, &hash, (BLOCK + hash.len()) as u64);
        wipe(&mut hash);
        to_bytes(&state)
    }
}

impl fmt::Debug for Hmac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hmac").finish_non_exhaustive()
    }
}

/// The block of a message of one byte: the byte, one bit, zeros, and the length in bits with the key's block before.
pub(crate) const fn byte_block(byte: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[0] = byte;
    block[1] = 0x80;
    [block[62], block[63]] = 520_u16.to_be_bytes();
    block
}

/// "ipad" and "opad" of RFC 2104.
pub(crate) const INNER_PADDING: u8 = 0x36;
pub(crate) const OUTER_PADDING: u8 = 0x5c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_message_of_one_byte() {
        for byte in 0..=u8::MAX {
            let key = HmacKey::new(&[byte.wrapping_mul(7); 32]);
            assert_eq!(key.mac_byte(byte), key.mac(&[byte]));
            let (mut first, mut second) = ([0; 32], [0; 32]);
            key.mac_bytes([byte, 2], [&mut first, &mut second]);
            assert_eq!([first, second], [key.mac(&[byte]), key.mac(&[2])]);
        }
    }

    #[test]
    fn the_key_of_zeros_is_what_new_makes_of_nothing() {
        for zeros in [&[][..], &[0; 32], &[0; 64]] {
            let key = HmacKey::new(zeros);
            assert_eq!((key.inner, key.outer), (HmacKey::ZERO.inner, HmacKey::ZERO.outer));
        }
    }
}
