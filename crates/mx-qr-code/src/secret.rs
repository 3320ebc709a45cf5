use core::fmt;

use mx_types::{
    BufferTooSmall, RandomnessFailed,
    base64::{self, DecodeError},
    fill_random,
};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secret in a code, which whoever has scanned it sends back. From 8 to 64 bytes; wiped when dropped.
///
/// There is no `==`: [`verify`](Self::verify) compares in constant time.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ReciprocateSecret {
    /// With zeros behind it.
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl ReciprocateSecret {
    /// The shortest, in bytes. What is shorter could be guessed, and nothing would equal nothing.
    pub const MIN_LEN: usize = 8;
    /// The longest, in bytes.
    pub const MAX_LEN: usize = 64;
    /// The length of ours, in bytes.
    pub const GENERATED_LEN: usize = 16;
    /// The unpadded Base64 of the longest, in characters.
    pub const MAX_BASE64_LEN: usize = base64::encoded_len(Self::MAX_LEN);

    /// A fresh one of 16 bytes.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut secret = Self { bytes: [0; Self::MAX_LEN], len: Self::GENERATED_LEN };
        fill_random(rng, secret.bytes.get_mut(..Self::GENERATED_LEN).unwrap_or_default())?;
        Ok(secret)
    }

    /// Takes the bytes that stand in a code.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret::TooShort`] and [`InvalidSecret::TooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        let mut secret = Self { bytes: [0; Self::MAX_LEN], len: bytes.len() };
        let room = secret.bytes.get_mut(..bytes.len()).ok_or(InvalidSecret::TooLong { len: bytes.len() })?;
        room.copy_from_slice(bytes);
        secret.check()
    }

    /// Reads `secret` of an `m.key.verification.start`: Base64, padded or not.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`].
    pub fn from_base64(text: &str) -> Result<Self, InvalidSecret> {
        let mut secret = Self { bytes: [0; Self::MAX_LEN], len: 0 };
        secret.len = match base64::decode_secret(text, &mut secret.bytes) {
            Ok(bytes) => bytes.len(),
            Err(DecodeError::BufferTooSmall(BufferTooSmall { needed: len })) => {
                return Err(InvalidSecret::TooLong { len });
            }
            Err(error) => return Err(InvalidSecret::Base64(error)),
        };
        secret.check()
    }

    /// Writes the unpadded Base64 that an `m.key.verification.start` has to `out` and returns it.
    #[must_use]
    pub fn to_base64<'o>(&self, out: &'o mut [u8; Self::MAX_BASE64_LEN]) -> &'o str {
        base64::encode_secret(self.as_bytes(), out).unwrap_or_default()
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares with the secret that was received, in constant time.
    ///
    /// # Errors
    ///
    /// [`WrongSecret`]: somebody else has answered. Cancel with `m.key_mismatch`, and say that it may be an attack.
    pub fn verify(&self, received: &Self) -> Result<(), WrongSecret> {
        let same = self.bytes.ct_eq(&received.bytes) & self.len.ct_eq(&received.len);
        if bool::from(same) { Ok(()) } else { Err(WrongSecret) }
    }

    fn check(self) -> Result<Self, InvalidSecret> {
        if self.len < Self::MIN_LEN { Err(InvalidSecret::TooShort { len: self.len }) } else { Ok(self) }
    }
}

impl fmt::Debug for ReciprocateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReciprocateSecret").finish_non_exhaustive()
    }
}

/// Why something is no secret of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// Fewer than 8 bytes.
    TooShort {
        /// Its length in bytes.
        len: usize,
    },
    /// More than 64 bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Not Base64.
    Base64(DecodeError),
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len } => write!(f, "secret has {len} bytes where 8 are needed"),
            Self::TooLong { len } => write!(f, "secret has {len} bytes where 64 are allowed"),
            Self::Base64(error) => write!(f, "secret: {error}"),
        }
    }
}

impl core::error::Error for InvalidSecret {}

/// The secret that came back is not that of the code: whoever has sent it has not scanned it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WrongSecret;

impl WrongSecret {
    /// The code to cancel with.
    pub const CANCEL_CODE: &str = "m.key_mismatch";
}

impl fmt::Display for WrongSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the answer does not come from the device that has scanned the code; somebody may be attacking",
        )
    }
}

impl core::error::Error for WrongSecret {}
