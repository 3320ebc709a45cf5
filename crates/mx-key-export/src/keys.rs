use core::{fmt, num::NonZeroU32};

use mx_aes_sha2::{Pbkdf2Sha512, ctr_hmac::CtrHmacKeys};
use mx_types::{RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;

use crate::header::Header;

/// The keys of a file, in the making: PBKDF2-HMAC-SHA-512 of the passphrase, in steps as small as the caller wants.
///
/// ```
/// # use mx_key_export::{ExportKeys, KeyDerivation};
/// # fn show(remaining: u32) {}
/// fn finish(mut derivation: KeyDerivation) -> ExportKeys {
///     while derivation.step(10_000) > 0 {
///         show(derivation.remaining()); // of `derivation.rounds()`; or yield to others
///     }
///     derivation.finish()
/// }
/// ```
pub struct KeyDerivation {
    derivation: Pbkdf2Sha512,
    salt: [u8; 16],
    rounds: NonZeroU32,
}

impl KeyDerivation {
    /// Begins the derivation for a new file, with a salt of its own. `rounds` are [`DEFAULT_ROUNDS`] if nothing speaks
    /// for another number.
    ///
    /// # Errors
    ///
    /// [`NewKeysError`]; an empty passphrase is refused, as it protects nothing.
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        passphrase: &str,
        rounds: NonZeroU32,
    ) -> Result<Self, NewKeysError> {
        if passphrase.is_empty() {
            return Err(NewKeysError::EmptyPassphrase);
        }
        let mut salt = [0; 16];
        fill_random(rng, &mut salt).map_err(|RandomnessFailed| NewKeysError::RandomnessFailed)?;
        Ok(Self::begin(passphrase, salt, rounds))
    }

    /// Begins the derivation for a file that has this header.
    pub(crate) fn of_file(passphrase: &str, header: &Header) -> Self {
        Self::begin(passphrase, header.salt, header.rounds)
    }

    fn begin(passphrase: &str, salt: [u8; 16], rounds: NonZeroU32) -> Self {
        Self { derivation: Pbkdf2Sha512::new(passphrase.as_bytes(), &salt, rounds), salt, rounds }
    }

    /// Does `rounds` more, or those that remain, and says how many remain then.
    pub fn step(&mut self, rounds: u32) -> u32 {
        self.derivation.step(rounds)
    }

    /// How many rounds remain.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.derivation.remaining()
    }

    /// How many rounds there are.
    #[must_use]
    pub const fn rounds(&self) -> u32 {
        self.rounds.get()
    }

    /// The keys, after the rounds that remain.
    #[must_use]
    pub fn finish(self) -> ExportKeys {
        let keys = CtrHmacKeys::from_bytes(&self.derivation.finish());
        ExportKeys { keys, salt: self.salt, rounds: self.rounds }
    }
}

impl fmt::Debug for KeyDerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDerivation").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

/// The keys of a file: `AES key (32) ‖ HMAC key (32)`, and the salt and rounds that led to them. Wiped when dropped.
///
/// A program that opens one file again and again, or writes it again, keeps these and not the passphrase.
pub struct ExportKeys {
    pub(crate) keys: CtrHmacKeys,
    pub(crate) salt: [u8; 16],
    pub(crate) rounds: NonZeroU32,
}

impl fmt::Debug for ExportKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportKeys").finish_non_exhaustive()
    }
}

/// The rounds of a new file where nothing speaks for another number. The specification asks for 100,000 or more.
pub const DEFAULT_ROUNDS: NonZeroU32 = NonZeroU32::new(500_000).expect("500,000 is not zero");

/// The rounds that are done for a file of somebody else where nothing speaks for another limit: some seconds.
pub const MAX_ROUNDS: u32 = 10_000_000;

/// Why keys for a new file were not made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewKeysError {
    /// The passphrase is empty.
    EmptyPassphrase,
    /// The generator gave no salt.
    RandomnessFailed,
}

impl fmt::Display for NewKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPassphrase => f.write_str("an empty passphrase protects nothing"),
            Self::RandomnessFailed => RandomnessFailed.fmt(f),
        }
    }
}

impl core::error::Error for NewKeysError {}
