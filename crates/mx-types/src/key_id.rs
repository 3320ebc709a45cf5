use core::fmt;

use crate::InvalidIdentifier;
use crate::identifier::{MAX_IDENTIFIER_LEN, check_opaque};

/// A key ID: an algorithm, a colon, and a name, as `ed25519:JLAFKJWSCS` or `signed_curve25519:AAAAAQ`.
///
/// The name of a device key is the device ID, that of a cross-signing key its public key in Base64; they share one
/// namespace, so a key must never be looked up by this alone.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId<'a> {
    algorithm: &'a str,
    name: &'a str,
}

impl<'a> KeyId<'a> {
    /// Takes a key ID apart at its first colon.
    ///
    /// # Errors
    ///
    /// An [`InvalidIdentifier`].
    pub fn parse(text: &'a str) -> Result<Self, InvalidIdentifier> {
        check_opaque(text)?;
        let (algorithm, name) = text.split_once(':').ok_or(InvalidIdentifier::NoAlgorithm)?;
        Self::new(algorithm, name)
    }

    /// Puts a key ID together.
    ///
    /// # Errors
    ///
    /// An [`InvalidIdentifier`]; [`InvalidIdentifier::NoAlgorithm`] for an algorithm with a colon in it.
    pub fn new(algorithm: &'a str, name: &'a str) -> Result<Self, InvalidIdentifier> {
        check_opaque(algorithm)?;
        check_opaque(name)?;
        if algorithm.contains(':') {
            return Err(InvalidIdentifier::NoAlgorithm);
        }
        let len = algorithm.len() + 1 + name.len();
        if len > MAX_IDENTIFIER_LEN {
            return Err(InvalidIdentifier::TooLong { len });
        }
        Ok(Self { algorithm, name })
    }

    /// What stands before the first colon.
    #[must_use]
    pub const fn algorithm(&self) -> &'a str {
        self.algorithm
    }

    /// What stands behind the first colon.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }
}

impl fmt::Display for KeyId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.name)
    }
}

impl<'a> TryFrom<&'a str> for KeyId<'a> {
    type Error = InvalidIdentifier;

    fn try_from(text: &'a str) -> Result<Self, InvalidIdentifier> {
        Self::parse(text)
    }
}
