//! AES-256-CTR, authenticated by the whole HMAC-SHA-256: key export, secret storage, sealed state.
//!
//! The counter is all 128 bits of the IV, big-endian: it carries from the low half into the high half.

use core::fmt;

use cbc::cipher::KeyInit;
#[cfg(not(aes_backend_soft = "compact"))]
use ctr::cipher::{InnerIvInit, StreamCipher, StreamCipherSeek};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{AuthenticationFailed, HmacKey, Tag, block::Aes256Enc, hkdf_sha256, hmac::Hmac};

/// The AES key, expanded, and the MAC key. One pair may serve many messages, each with an IV of its own.
/// Wiped when dropped.
pub struct CtrHmacKeys {
    aes: Aes256Enc,
    hmac_key: HmacKey,
}

impl CtrHmacKeys {
    /// Takes `AES key (32) ‖ HMAC key (32)`, as PBKDF2 makes them for a key export.
    #[must_use]
    pub fn from_bytes(keys: &[u8; 64]) -> Self {
        let (aes_key, hmac_key) = keys.split_at(32);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(aes_key);
        Self { aes: Aes256Enc::new((&*key).into()), hmac_key: HmacKey::new(hmac_key) }
    }

    /// `AES key (32) ‖ HMAC key (32) = HKDF(salt = 0, ikm, info, 64)`; secret storage has the secret's name as `info`.
    #[must_use]
    pub fn expand(ikm: &[u8], info: &[u8]) -> Self {
        Self::from_bytes(&hkdf_sha256::<64>(&[], ikm, info))
    }

    /// The keystream that starts with counter `iv`. The caller never uses one `iv` twice with one key.
    #[must_use]
    pub fn keystream(&self, iv: &[u8; 16]) -> Keystream<'_> {
        #[cfg(aes_backend_soft = "compact")]
        let keystream = Ctr::new(&self.aes, iv);
        #[cfg(not(aes_backend_soft = "compact"))]
        let keystream = Ctr::from_core(ctr::CtrCore::inner_iv_init(&self.aes, iv.into()));
        Keystream { keystream }
    }

    /// The HMAC of `bytes`.
    pub fn mac(&self, bytes: &[u8]) -> Tag<32> {
        Tag::of(self.hmac_key.mac(bytes))
    }

    /// Checks the MAC of `bytes` that came with them, in constant time.
    ///
    /// # Errors
    ///
    /// [`AuthenticationFailed`] if it is another.
    pub fn verify_mac(&self, bytes: &[u8], tag: &[u8; 32]) -> Result<(), AuthenticationFailed> {
        self.mac(bytes).verify(tag)
    }

    /// Starts the MAC of bytes that come piece by piece.
    #[must_use]
    pub const fn start_mac(&self) -> Mac<'_> {
        Mac(self.hmac_key.start())
    }
}

// All its parts are.
impl ZeroizeOnDrop for CtrHmacKeys {}

impl fmt::Debug for CtrHmacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrHmacKeys").finish_non_exhaustive()
    }
}

#[cfg(aes_backend_soft = "compact")]
type Ctr<'k> = crate::one_block_ctr::OneBlockCtr<'k>;
#[cfg(not(aes_backend_soft = "compact"))]
type Ctr<'k> = ctr::Ctr128BE<&'k Aes256Enc>;

/// A keystream at a position. Encrypting and decrypting are the same.
pub struct Keystream<'k> {
    keystream: Ctr<'k>,
}

impl Keystream<'_> {
    /// Encrypts or decrypts `bytes` in place and moves on by their length. Fastest in multiples of 128 bytes.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        self.keystream.apply_keystream(bytes);
    }

    /// Moves to `position`, in bytes from the start.
    pub fn seek(&mut self, position: u64) {
        self.keystream.seek(position);
    }
}

impl fmt::Debug for Keystream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystream").finish_non_exhaustive()
    }
}

/// The MAC of bytes that come piece by piece.
#[derive(Debug)]
pub struct Mac<'k>(Hmac<'k>);

impl Mac<'_> {
    /// Appends `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The MAC of what came so far, or the beginning of it; more may come.
    pub fn so_far<const N: usize>(&self) -> Tag<N> {
        Tag::of(self.0.so_far())
    }

    /// The MAC.
    pub fn finish(self) -> Tag<32> {
        Tag::of(self.0.finish())
    }
}
