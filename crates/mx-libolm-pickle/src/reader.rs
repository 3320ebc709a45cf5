use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey};
use zeroize::Zeroizing;

use crate::{Field, LibolmPickleError};

/// What is left of a plaintext. Integers are big-endian; there are no tags and no padding.
pub(crate) struct Reader<'p> {
    rest: &'p [u8],
}

impl<'p> Reader<'p> {
    pub(crate) const fn new(plaintext: &'p [u8]) -> Self {
        Self { rest: plaintext }
    }

    pub(crate) fn bytes<const N: usize>(&mut self, field: Field) -> Result<&'p [u8; N], LibolmPickleError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(LibolmPickleError::Ended { field })?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn secret<const N: usize>(
        &mut self,
        field: Field,
    ) -> Result<Zeroizing<[u8; N]>, LibolmPickleError> {
        let mut secret = Zeroizing::new([0; N]);
        secret.copy_from_slice(self.bytes::<N>(field)?);
        Ok(secret)
    }

    pub(crate) fn u32(&mut self, field: Field) -> Result<u32, LibolmPickleError> {
        self.bytes(field).map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(crate) fn u8(&mut self, field: Field) -> Result<u8, LibolmPickleError> {
        self.bytes(field).map(|[byte]| *byte)
    }

    /// libolm writes 0 and 1 and takes everything but 0 for 1.
    pub(crate) fn flag(&mut self, field: Field) -> Result<bool, LibolmPickleError> {
        self.u8(field).map(|byte| byte != 0)
    }

    /// How many items follow, at most `limit`.
    pub(crate) fn count(&mut self, field: Field, limit: usize) -> Result<usize, LibolmPickleError> {
        let count = self.u32(field)?;
        within(field, count, limit)
    }

    pub(crate) fn curve25519_key(&mut self, field: Field) -> Result<Curve25519PublicKey, LibolmPickleError> {
        Curve25519PublicKey::from_bytes(*self.bytes(field)?)
            .map_err(|error| LibolmPickleError::InvalidKey { field, error })
    }

    pub(crate) fn ed25519_key(&mut self, field: Field) -> Result<Ed25519PublicKey, LibolmPickleError> {
        Ed25519PublicKey::from_bytes(*self.bytes(field)?)
            .map_err(|error| LibolmPickleError::InvalidKey { field, error })
    }

    /// A public half and its secret half. The former is computed and must be the same.
    pub(crate) fn curve25519_pair(&mut self, field: Field) -> Result<Curve25519SecretKey, LibolmPickleError> {
        let public = self.curve25519_key(field)?;
        let key = Curve25519SecretKey::from_secret_bytes(self.bytes(field)?);
        if key.public_key() == public { Ok(key) } else { Err(LibolmPickleError::PublicKeyMismatch { field }) }
    }

    /// A public half and the SHA-512 of the seed, clamped or not: vodozemac up to 0.10 did not.
    pub(crate) fn ed25519_pair(&mut self, field: Field) -> Result<Ed25519SecretKey, LibolmPickleError> {
        let public = self.ed25519_key(field)?;
        let key = Ed25519SecretKey::from_expanded(self.bytes(field)?);
        if key.public_key() == public { Ok(key) } else { Err(LibolmPickleError::PublicKeyMismatch { field }) }
    }

    pub(crate) const fn end(&self) -> Result<(), LibolmPickleError> {
        match self.rest.len() {
            0 => Ok(()),
            len => Err(LibolmPickleError::TrailingBytes { len }),
        }
    }
}

/// Checks a number of items before there is room made for them.
pub(crate) fn within(field: Field, count: impl Into<u32>, limit: usize) -> Result<usize, LibolmPickleError> {
    let count = count.into();
    match usize::try_from(count) {
        Ok(items) if items <= limit => Ok(items),
        _ => Err(LibolmPickleError::TooMany { field, count, limit }),
    }
}
