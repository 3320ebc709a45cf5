//! AES-256-CBC with PKCS#7 padding, authenticated by HMAC-SHA-256: Olm and Megolm messages, key backup, libolm's
//! pickles.
//!
//! Formats differ in what the MAC covers, so decrypting and verifying are two calls. Receivers call
//! [`CbcHmacKeys::verify_mac`] before [`CbcHmacKeys::decrypt_in_place`].

use core::fmt;

use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use mx_types::BufferTooSmall;
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::{
    AuthenticationFailed, HmacKey, Tag,
    block::{Aes256Dec, Aes256Enc},
    hkdf::hkdf_sha256_to,
    wipe::wipe,
};

/// The AES key, MAC key and IV of one message. Wiped when dropped.
pub struct CbcHmacKeys {
    aes_key: [u8; 32],
    hmac_key: HmacKey,
    iv: [u8; BLOCK],
}

impl CbcHmacKeys {
    /// Takes `AES key (32) ‖ HMAC key (32) ‖ IV (16)`.
    #[must_use]
    pub fn from_bytes(keys: &[u8; 80]) -> Self {
        let (aes_key, rest) = keys.split_at(32);
        let (hmac_key, iv) = rest.split_at(32);
        let mut parts = Self { aes_key: [0; 32], hmac_key: HmacKey::new(hmac_key), iv: [0; BLOCK] };
        parts.aes_key.copy_from_slice(aes_key);
        parts.iv.copy_from_slice(iv);
        parts
    }

    /// `AES key (32) ‖ HMAC key (32) ‖ IV (16) = HKDF(salt = 0, ikm, info, 80)`.
    ///
    /// `info` is `OLM_KEYS`, `MEGOLM_KEYS`, `Pickle` or, in key backup, empty.
    #[must_use]
    pub fn expand(ikm: &[u8], info: &[u8]) -> Self {
        let mut keys = [0; 80];
        hkdf_sha256_to(&[], ikm, info, &mut keys);
        let parts = Self::from_bytes(&keys);
        wipe(&mut keys);
        parts
    }

    /// Encrypts the first `plaintext_len` bytes of `buffer` in place and returns the ciphertext, which is
    /// [`padded_len`]`(plaintext_len)` bytes long and starts where the plaintext did.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] if `buffer` has no room for the padding. Nothing was written then.
    pub fn encrypt_in_place<'b>(
        &self,
        buffer: &'b mut [u8],
        plaintext_len: usize,
    ) -> Result<&'b mut [u8], BufferTooSmall> {
        let buffer = pad(buffer, 0, plaintext_len)?;
        self.encrypt_blocks(buffer);
        Ok(buffer)
    }

    fn encrypt_blocks(&self, buffer: &mut [u8]) {
        let aes = Aes256Enc::new(&self.aes_key.into());
        cbc::Encryptor::<&Aes256Enc>::inner_iv_init(&aes, &self.iv.into())
            .encrypt_blocks(Array::slice_as_chunks_mut(buffer).0);
    }

    /// Encrypts the end of a message and returns the first 8 bytes of the HMAC of all of it.
    ///
    /// The message is the first `start + `[`padded_len`]`(plaintext_len)` bytes of `buffer`; the plaintext begins at
    /// `start`. The same as [`CbcHmacKeys::encrypt_in_place`] and [`CbcHmacKeys::mac`], but done at once: encrypting
    /// waits for itself, block by block, and in that time processors can hash what was encrypted before.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] if `buffer` has no room for the padding. Nothing was written then.
    pub fn encrypt_and_mac(
        &self,
        buffer: &mut [u8],
        start: usize,
        plaintext_len: usize,
    ) -> Result<Tag<8>, BufferTooSmall> {
        let message = pad(buffer, start, plaintext_len)?;
        Ok(self.encrypt_and_mac_padded(message, start))
    }

    #[cfg(aes_backend_soft = "compact")]
    fn encrypt_and_mac_padded(&self, message: &mut [u8], start: usize) -> Tag<8> {
        self.encrypt_blocks(message.get_mut(start..).unwrap_or_default());
        self.mac(message)
    }

    #[cfg(not(aes_backend_soft = "compact"))]
    fn encrypt_and_mac_padded(&self, message: &mut [u8], start: usize) -> Tag<8> {
        let aes = Aes256Enc::new(&self.aes_key.into());
        let mut cbc = cbc::Encryptor::<&Aes256Enc>::inner_iv_init(&aes, &self.iv.into());
        let mut mac = self.hmac_key.start();
        let (mut encrypted, mut hashed) = (start, 0);
        while let Some((done, todo)) =
            message.split_at_mut_checked(encrypted).filter(|(_, todo)| !todo.is_empty())
        {
            let now = todo.len().min(STEP);
            cbc.encrypt_blocks(Array::slice_as_chunks_mut(todo.get_mut(..now).unwrap_or_default()).0);
            hashed += mac.update_blocks(done.get(hashed..).unwrap_or_default());
            encrypted += now;
        }
        mac.update(message.get(hashed..).unwrap_or_default());
        Tag::of(mac.finish())
    }

    /// Decrypts `buffer` in place and returns the plaintext, which starts where the ciphertext did.
    ///
    /// All of the padding is looked at, in constant time.
    ///
    /// # Errors
    ///
    /// [`AuthenticationFailed`] if the length is zero or not a multiple of 16, or the padding is not PKCS#7.
    /// `buffer` is wiped then: no plaintext of a refused message remains.
    pub fn decrypt_in_place<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], AuthenticationFailed> {
        let (blocks, rest) = Array::slice_as_chunks_mut(buffer);
        if !rest.is_empty() {
            wipe(buffer);
            return Err(AuthenticationFailed);
        }
        let aes = Aes256Dec::new(&self.aes_key.into());
        cbc::Decryptor::<&Aes256Dec>::inner_iv_init(&aes, &self.iv.into()).decrypt_blocks(blocks);
        match unpadded_len(buffer) {
            Some(len) => buffer.get_mut(..len).ok_or(AuthenticationFailed),
            None => {
                wipe(buffer);
                Err(AuthenticationFailed)
            }
        }
    }

    /// The first 8 bytes of the HMAC of `bytes`.
    pub fn mac(&self, bytes: &[u8]) -> Tag<8> {
        Tag::of(self.hmac_key.mac(bytes))
    }

    /// The whole HMAC of `bytes`.
    pub fn full_mac(&self, bytes: &[u8]) -> Tag<32> {
        Tag::of(self.hmac_key.mac(bytes))
    }

    /// Checks the MAC of `bytes` that came with them, in constant time.
    ///
    /// # Errors
    ///
    /// [`AuthenticationFailed`] if it is another.
    pub fn verify_mac(&self, bytes: &[u8], tag: &[u8; 8]) -> Result<(), AuthenticationFailed> {
        self.mac(bytes).verify(tag)
    }
}

/// Bytes of ciphertext for `plaintext_len` bytes: PKCS#7 always adds 1 to 16.
///
/// ```
/// # use mx_aes_sha2::cbc_hmac::padded_len;
/// assert_eq!([padded_len(0), padded_len(15), padded_len(16)], [16, 16, 32]);
/// ```
#[must_use]
pub const fn padded_len(plaintext_len: usize) -> usize {
    // A length near usize::MAX has no buffer; saturating makes that BufferTooSmall and not an overflow.
    (plaintext_len / BLOCK).saturating_add(1).saturating_mul(BLOCK)
}

/// The first `start + padded_len(plaintext_len)` bytes of `buffer`, with the padding written.
fn pad(buffer: &mut [u8], start: usize, plaintext_len: usize) -> Result<&mut [u8], BufferTooSmall> {
    let needed = start.saturating_add(padded_len(plaintext_len));
    let buffer = buffer.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    let padding = padded_len(plaintext_len) - plaintext_len;
    for byte in buffer.iter_mut().rev().take(padding) {
        #[expect(clippy::cast_possible_truncation, reason = "the padding has 1 to 16 bytes")]
        {
            *byte = padding as u8;
        }
    }
    Ok(buffer)
}

/// The length of `padded` without its PKCS#7 padding, `None` if there is no such padding. Constant time but for
/// the answer: differences are gathered, and looked at once.
fn unpadded_len(padded: &[u8]) -> Option<usize> {
    let last_block: &[u8; BLOCK] = padded.last_chunk()?;
    let padding = u32::from(*last_block.last()?);
    // Not zero unless 1 <= padding <= 16.
    let mut wrong = padding.wrapping_sub(1) >> 4;
    for (from_the_end, byte) in (0_u32..).zip(last_block.iter().rev()) {
        // The sign of the difference says whether the byte is one of the padding.
        let is_padding = (from_the_end.wrapping_sub(padding) >> 31).wrapping_neg();
        wrong |= is_padding & (u32::from(*byte) ^ padding);
    }
    bool::from(wrong.ct_eq(&0)).then(|| padded.len() - padding as usize)
}

impl fmt::Debug for CbcHmacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CbcHmacKeys").finish_non_exhaustive()
    }
}

impl Drop for CbcHmacKeys {
    fn drop(&mut self) {
        wipe(&mut self.aes_key);
        wipe(&mut self.iv);
    }
}

impl ZeroizeOnDrop for CbcHmacKeys {}

/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Bytes that are encrypted at a time while those before are hashed: as many as SHA-256 takes at once.
#[cfg(not(aes_backend_soft = "compact"))]
const STEP: usize = 64;
