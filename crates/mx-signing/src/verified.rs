//! What a signature covers, once it was verified.

use core::fmt;
use core::ops::Deref;

use mx_types::Ed25519PublicKey;
use serde::Deserialize;

/// A value that was read from the very bytes that a signature covers, after it was verified.
///
/// Only this crate's verifying functions make one. Nothing of `signatures` and `unsigned` is in it.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    key: Ed25519PublicKey,
}

impl<T> Verified<T> {
    /// For what was verified with `key`.
    pub(crate) const fn new(value: T, key: Ed25519PublicKey) -> Self {
        Self { value, key }
    }

    /// The key that it was verified with. Whose key that is, the caller knew.
    #[must_use]
    pub const fn key(&self) -> Ed25519PublicKey {
        self.key
    }

    /// The value, without the mark.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<'t> Verified<&'t str> {
    /// Reads a value from the canonical text that was verified.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when the text does not have the form of a `T`.
    pub fn parse<T: Deserialize<'t>>(self) -> Result<Verified<T>, Malformed> {
        let value = serde_json::from_str(self.value).map_err(|_| Malformed)?;
        Ok(Verified { value, key: self.key })
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Says that an object, although signed, is not of the form that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("object is not of the form that was asked for")
    }
}

impl core::error::Error for Malformed {}
