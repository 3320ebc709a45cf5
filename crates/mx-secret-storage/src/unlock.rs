//! What a user types: a passphrase, or the key as it was shown.

use alloc::boxed::Box;
use core::fmt;

use mx_types::key_representation::KeyRepresentationError;

use crate::description::{KeyCheck, KeyDescription};
use crate::key::SecretStorageKey;
use crate::passphrase::{KeyDerivation, PassphraseError};

/// On the way from what the user typed to the key.
///
/// ```
/// # use mx_secret_storage::{KeyDescription, MAX_ITERATIONS, UnlockError, Unlocked};
/// # fn show(remaining: u32) {}
/// fn unlock(description: &KeyDescription, typed: &str) -> Result<Unlocked, UnlockError> {
///     let mut unlocking = description.unlock(typed, MAX_ITERATIONS)?;
///     while unlocking.step(10_000) > 0 {
///         show(unlocking.remaining());
///     }
///     unlocking.finish()
/// }
/// ```
#[derive(Debug)]
pub struct Unlocking<'d> {
    description: &'d KeyDescription,
    candidate: Candidate,
}

/// A key that may be the one.
#[derive(Debug)]
pub struct Unlocked {
    /// The key.
    pub key: SecretStorageKey,
    /// What the description says of it: [`KeyCheck::Valid`] or [`KeyCheck::Unverifiable`].
    pub check: KeyCheck,
}

#[derive(Debug)]
enum Candidate {
    Key(Unlocked),
    Derivation(Box<KeyDerivation>),
}

impl KeyDescription {
    /// Takes what the user typed for a passphrase or for the key itself, whichever opens this key.
    ///
    /// A text that can be read as a key is one, unless the description says that it is another. Everything else is a
    /// passphrase, if there can be one. `max_iterations` is [`MAX_ITERATIONS`](crate::MAX_ITERATIONS) if nothing speaks for
    /// another number.
    ///
    /// # Errors
    ///
    /// [`UnlockError`], before any work.
    pub fn unlock(&self, typed: &str, max_iterations: u32) -> Result<Unlocking<'_>, UnlockError> {
        let not_a_key = match SecretStorageKey::from_representation(typed) {
            Ok(key) => match self.check(&key) {
                KeyCheck::Invalid => UnlockError::WrongKey,
                check => {
                    let candidate = Candidate::Key(Unlocked { key, check });
                    return Ok(Unlocking { description: self, candidate });
                }
            },
            Err(error) => UnlockError::NotAKey(error),
        };
        let info = self.passphrase().map_err(UnlockError::Passphrase)?.ok_or(not_a_key)?;
        let derivation = info.derivation(typed, max_iterations).map_err(UnlockError::Passphrase)?;
        Ok(Unlocking { description: self, candidate: Candidate::Derivation(Box::new(derivation)) })
    }
}

impl Unlocking<'_> {
    /// Does `rounds` more of a key derivation, or those that remain, and says how many remain then.
    pub fn step(&mut self, rounds: u32) -> u32 {
        match &mut self.candidate {
            Candidate::Key(_) => 0,
            Candidate::Derivation(derivation) => derivation.step(rounds),
        }
    }

    /// How many rounds remain: none where the key itself was typed.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        match &self.candidate {
            Candidate::Key(_) => 0,
            Candidate::Derivation(derivation) => derivation.remaining(),
        }
    }

    /// The key, after the rounds that remain.
    ///
    /// # Errors
    ///
    /// [`UnlockError::WrongPassphrase`].
    pub fn finish(self) -> Result<Unlocked, UnlockError> {
        match self.candidate {
            Candidate::Key(unlocked) => Ok(unlocked),
            Candidate::Derivation(derivation) => {
                let key = derivation.finish();
                match self.description.check(&key) {
                    KeyCheck::Invalid => Err(UnlockError::WrongPassphrase),
                    check => Ok(Unlocked { key, check }),
                }
            }
        }
    }
}

/// Why what the user typed does not open a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnlockError {
    /// It is not the passphrase, nor the key.
    WrongPassphrase,
    /// It is not the key, and this key is not made from a passphrase.
    WrongKey,
    /// It cannot be read as a key, and this key is not made from a passphrase.
    NotAKey(KeyRepresentationError),
    /// It is not the key, and no key can be made from a passphrase.
    Passphrase(PassphraseError),
}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPassphrase => f.write_str("neither the passphrase nor the key"),
            Self::WrongKey => f.write_str("a key, but not this one"),
            Self::NotAKey(error) => error.fmt(f),
            Self::Passphrase(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UnlockError {}
