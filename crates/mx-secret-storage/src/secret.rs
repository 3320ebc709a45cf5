use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_types::base64::{DecodeError, decode_secret, decoded_len, encode_secret, encoded_len};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The private master signing key.
pub const MASTER: &str = "m.cross_signing.master";
/// The private self-signing key.
pub const SELF_SIGNING: &str = "m.cross_signing.self_signing";
/// The private user-signing key.
pub const USER_SIGNING: &str = "m.cross_signing.user_signing";
/// The private key of the key backup.
pub const MEGOLM_BACKUP_V1: &str = "m.megolm_backup.v1";

/// The longest secret, in bytes of its text.
pub const MAX_SECRET_LEN: usize = 65_536;

/// A secret: a text, most often the Base64 of a private key. Wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text.
    ///
    /// # Errors
    ///
    /// [`SecretTooLong`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, SecretTooLong> {
        let len = text.len();
        if len > MAX_SECRET_LEN { Err(SecretTooLong { len }) } else { Ok(Self(text)) }
    }

    /// A private key of 32 bytes, as unpadded Base64.
    #[must_use]
    pub fn from_key(key: &[u8; 32]) -> Self {
        let mut out = Zeroizing::new([0; encoded_len(32)]);
        let text = encode_secret(key, out.as_mut_slice()).unwrap_or_default();
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Of which the length was checked.
    pub(crate) const fn of(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The private key of 32 bytes that the text is the Base64 of, padded or not.
    ///
    /// # Errors
    ///
    /// [`InvalidKeySecret`].
    pub fn key(&self) -> Result<Zeroizing<[u8; 32]>, InvalidKeySecret> {
        let found = decoded_len(&self.0).map_err(InvalidKeySecret)?;
        let mut key = Zeroizing::new([0; 32]);
        if found != key.len() {
            return Err(InvalidKeySecret(DecodeError::UnexpectedLength { expected: key.len(), found }));
        }
        decode_secret(&self.0, key.as_mut_slice()).map_err(InvalidKeySecret)?;
        Ok(key)
    }
}

// Its text is.
impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// A secret that was decrypted, or was sent by another device, and that may be the wrong one all the same: a server can
/// change it unnoticed by its IV, a device can send anything.
///
/// There is no way to the text but [`validate`](Self::validate).
pub struct UnvalidatedSecret {
    name: String,
    secret: Secret,
}

impl UnvalidatedSecret {
    pub(crate) const fn new(name: String, secret: Secret) -> Self {
        Self { name, secret }
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hands the secret to `check`, which compares its public half with the public key that is known, and makes of it what it
    /// is to be used as. What comes out of `check` is what may be kept and used.
    ///
    /// # Errors
    ///
    /// That of `check`; the secret is wiped.
    pub fn validate<T, E>(self, check: impl FnOnce(&Secret) -> Result<T, E>) -> Result<T, E> {
        check(&self.secret)
    }
}

// Its secret is.
impl ZeroizeOnDrop for UnvalidatedSecret {}

impl fmt::Debug for UnvalidatedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnvalidatedSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Says that a text is longer than [`MAX_SECRET_LEN`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SecretTooLong {
    /// Its length in bytes.
    pub len: usize,
}

impl fmt::Display for SecretTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret has {} bytes, at most {MAX_SECRET_LEN} are allowed", self.len)
    }
}

impl core::error::Error for SecretTooLong {}

/// Says that a secret is not the Base64 of 32 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidKeySecret(pub DecodeError);

impl fmt::Display for InvalidKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret is not a private key: {}", self.0)
    }
}

impl core::error::Error for InvalidKeySecret {}
