use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_aes_sha2::ctr_hmac::CtrHmacKeys;
use mx_types::key_representation::{self, KeyRepresentationError};
use mx_types::{RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A secret storage key: 32 bytes, which open all secrets that are encrypted with it. Wiped when dropped.
pub struct SecretStorageKey(Zeroizing<[u8; 32]>);

impl SecretStorageKey {
    /// Draws a key. Show its [representation](Self::to_representation) to the user: nobody else has it.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut key = Zeroizing::new([0; 32]);
        fill_random(rng, key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// Takes the bytes of a key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// Reads a key as it was shown to the user: `EsTc LW2K ...`. White space may stand anywhere in it.
    ///
    /// # Errors
    ///
    /// [`KeyRepresentationError`].
    pub fn from_representation(text: &str) -> Result<Self, KeyRepresentationError> {
        key_representation::decode(text).map(Self)
    }

    /// The key as it is shown to the user: 48 characters in groups of four.
    #[must_use]
    pub fn to_representation(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new([0; key_representation::LEN]);
        Zeroizing::new(key_representation::encode(&self.0, &mut out).to_owned())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `AES key (32) ‖ HMAC key (32) = HKDF-SHA-256(salt = 0, ikm = key, info, 64)`. `info` is the name of a secret, and
    /// empty for the check of the key.
    pub(crate) fn keys_for(&self, info: &str) -> CtrHmacKeys {
        CtrHmacKeys::expand(self.0.as_slice(), info.as_bytes())
    }
}

// Its bytes are.
impl ZeroizeOnDrop for SecretStorageKey {}

impl fmt::Debug for SecretStorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretStorageKey").finish_non_exhaustive()
    }
}

/// Draws the ID of a new key: 32 letters and digits.
///
/// # Errors
///
/// [`RandomnessFailed`].
pub fn generate_key_id<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<String, RandomnessFailed> {
    random_text(rng)
}

/// 32 letters and digits with five random bits each. Not Base64: key IDs become part of paths of URLs.
pub(crate) fn random_text<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<String, RandomnessFailed> {
    let mut bytes = [0; 32];
    fill_random(rng, &mut bytes)?;
    // 0 to 31 are the digits of base 32: 0 to 9 and a to v.
    Ok(bytes.into_iter().filter_map(|byte| char::from_digit(u32::from(byte) % 32, 32)).collect())
}

/// 16 random bytes of which bit 63 is zero, counted from the end of the IV: software that counts in 64 bits comes to the same
/// keystream then.
pub(crate) fn random_iv<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<[u8; 16], RandomnessFailed> {
    let mut iv = [0; 16];
    fill_random(rng, &mut iv)?;
    iv[8] &= 0x7f;
    Ok(iv)
}
