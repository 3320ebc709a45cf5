use alloc::string::String;
use core::fmt;

use mx_curve25519::Curve25519SecretKey;
use mx_types::{
    Curve25519PublicKey, RandomnessFailed,
    base64::{self, DecodeError},
    key_representation::{self, KeyRepresentationError},
};
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The private key of a backup. Wiped when dropped.
///
/// Whoever has it reads all sessions in the backup. It belongs into secret storage under the name
/// [`SECRET_NAME`](crate::SECRET_NAME), and before a human as [`to_key_representation`](Self::to_key_representation).
///
/// Client-server API, "Server-side key backups", "Decryption key".
pub struct BackupDecryptionKey(Curve25519SecretKey);

impl BackupDecryptionKey {
    /// Draws a new key, for a new backup.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        Curve25519SecretKey::generate(rng).map(Self)
    }

    /// Takes the 32 bytes.
    #[must_use]
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        Self(Curve25519SecretKey::from_secret_bytes(key))
    }

    /// Reads what a human typed in: `EsTc LW2K …`.
    ///
    /// # Errors
    ///
    /// [`KeyRepresentationError`].
    pub fn from_key_representation(text: &str) -> Result<Self, KeyRepresentationError> {
        key_representation::decode(text).map(|key| Self::from_bytes(&key))
    }

    /// Reads the secret as secret storage or another device has it: Base64, padded or not; or, from clients that once
    /// stored it so, the bytes as decimal numbers with commas between them.
    ///
    /// If it is [`SecretForm::LegacyDecimal`], store it anew as [`to_base64`](Self::to_base64).
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn from_secret(text: &str) -> Result<(Self, SecretForm), SecretError> {
        let mut key = Zeroizing::new([0; 32]);
        let form = if text.contains(',') {
            legacy_decimal(text, &mut key)?;
            SecretForm::LegacyDecimal
        } else {
            match base64::decode_secret(text, &mut *key) {
                Ok(bytes) if bytes.len() == 32 => {}
                Ok(_) | Err(DecodeError::BufferTooSmall(_)) => return Err(SecretError::Length),
                Err(error) => return Err(SecretError::Base64(error)),
            }
            SecretForm::Base64
        };
        Ok((Self::from_bytes(&key), form))
    }

    /// The public key, to which sessions are encrypted.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.0.public_key()
    }

    /// The 32 bytes. They are the secret: wipe copies of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.secret_bytes()
    }

    /// The form in which it is shown to a human, in a string that is wiped when dropped.
    #[must_use]
    pub fn to_key_representation(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new([0; key_representation::LEN]);
        Zeroizing::new(String::from(key_representation::encode(self.as_bytes(), &mut out)))
    }

    /// The form in which it is a secret: unpadded Base64, in a string that is wiped when dropped.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new([0; 43]);
        Zeroizing::new(String::from(base64::encode_secret(self.as_bytes(), &mut *out).unwrap_or_default()))
    }

    pub(crate) const fn key_pair(&self) -> &Curve25519SecretKey {
        &self.0
    }
}

// All of it is.
impl ZeroizeOnDrop for BackupDecryptionKey {}

impl fmt::Debug for BackupDecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupDecryptionKey").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

/// 32 numbers with commas between them. Such secrets are the work of one migration, and few are left.
fn legacy_decimal(text: &str, key: &mut [u8; 32]) -> Result<(), SecretError> {
    if text.split(',').count() != key.len() {
        return Err(SecretError::Length);
    }
    for (byte, number) in key.iter_mut().zip(text.split(',')) {
        // `parse` would take a sign.
        let is_number = number.bytes().all(|digit| digit.is_ascii_digit());
        *byte = number.parse().ok().filter(|_| is_number).ok_or(SecretError::Decimal)?;
    }
    Ok(())
}

/// How a secret was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretForm {
    /// As it ought to be, padded or not.
    Base64,
    /// As decimal numbers. Store it anew as Base64.
    LegacyDecimal,
}

/// Why a secret is not a decryption key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecretError {
    /// It is not Base64.
    Base64(DecodeError),
    /// There are commas in it, and something that is no number from 0 to 255.
    Decimal,
    /// It is not 32 bytes.
    Length,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(error) => write!(f, "backup decryption key: {error}"),
            Self::Decimal => f.write_str("backup decryption key is not a list of bytes in decimal"),
            Self::Length => f.write_str("backup decryption key does not have 32 bytes"),
        }
    }
}

impl core::error::Error for SecretError {}
