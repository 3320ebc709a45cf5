use core::fmt;

use mx_types::Curve25519PublicKey;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A Curve25519 key pair that can agree on secrets: ours in memory, or one inside a secure element.
pub trait KeyAgreement {
    /// The public half.
    fn public_key(&self) -> Curve25519PublicKey;

    /// X25519 with another's public key.
    ///
    /// # Errors
    ///
    /// [`KeyAgreementError::NonContributory`], which [`SharedSecret::from_bytes`] finds, and
    /// [`KeyAgreementError::Unavailable`] from hardware.
    fn diffie_hellman(&self, their_key: &Curve25519PublicKey) -> Result<SharedSecret, KeyAgreementError>;
}

/// What both sides of an X25519 agreement know: 32 bytes, never all zero, wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// Takes what an X25519 implementation computed, for implementations of [`KeyAgreement`].
    ///
    /// # Errors
    ///
    /// [`KeyAgreementError::NonContributory`] when all 32 bytes are zero: then the other key was of small order and
    /// everybody knows the result. The check takes the same time for every secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyAgreementError> {
        let secret = Self(bytes);
        if bool::from(secret.0.ct_eq(&[0; 32])) {
            return Err(KeyAgreementError::NonContributory);
        }
        Ok(secret)
    }

    /// The 32 bytes, to be put into a key derivation at once.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").finish_non_exhaustive()
    }
}

/// Why two keys did not agree on a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyAgreementError {
    /// The result is zero: the other key contributes nothing.
    NonContributory,
    /// The hardware that holds the key did not answer.
    Unavailable,
}

impl fmt::Display for KeyAgreementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonContributory => "the shared secret is non-contributory: the other key is of small order",
            Self::Unavailable => "the secret key is not available",
        })
    }
}

impl core::error::Error for KeyAgreementError {}
