//! Keys from passphrases: `m.pbkdf2`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::num::NonZeroU32;

use mx_aes_sha2::Pbkdf2Sha512;
use mx_types::RandomnessFailed;
use rand_core::TryCryptoRng;

use crate::key::{SecretStorageKey, random_text};
use mx_json::MalformedObject;

use crate::object::{Kept, MAX_OBJECT_LEN, Members, json_text, object, text};

/// The rounds of a new key where nothing speaks for another number.
pub const DEFAULT_ITERATIONS: NonZeroU32 = NonZeroU32::new(500_000).expect("500,000 is not zero");

/// The rounds that are done for a key description where nothing speaks for another limit: some seconds. The server
/// could have written any number.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// How a key is made from a passphrase: the member `passphrase` of a key description.
///
/// The key is the first 32 bytes of PBKDF2-HMAC-SHA-512(passphrase, salt, iterations). The salt is the text as it stands
/// there; it is not decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassphraseInfo {
    salt: String,
    iterations: NonZeroU32,
}

impl PassphraseInfo {
    /// The salt: a text.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The rounds.
    #[must_use]
    pub const fn iterations(&self) -> NonZeroU32 {
        self.iterations
    }

    /// Begins the derivation. `max_iterations` is [`MAX_ITERATIONS`] if nothing speaks for another number.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::TooManyIterations`], before any work.
    pub fn derivation(
        &self,
        passphrase: &str,
        max_iterations: u32,
    ) -> Result<KeyDerivation, PassphraseError> {
        let iterations = self.iterations.get();
        if iterations > max_iterations {
            let iterations = iterations.into();
            return Err(PassphraseError::TooManyIterations { iterations, max: max_iterations });
        }
        let derivation = Pbkdf2Sha512::new(passphrase.as_bytes(), self.salt.as_bytes(), self.iterations);
        Ok(KeyDerivation { derivation, info: self.clone() })
    }

    /// Reads the JSON text of the member `passphrase`.
    pub(crate) fn parse(json: &str) -> Result<Self, PassphraseError> {
        let members = Members::parse(json, MAX_OBJECT_LEN).map_err(PassphraseError::Object)?;
        let algorithm = members.get("algorithm").and_then(text);
        if algorithm.as_deref() != Some(PBKDF2) {
            return Err(PassphraseError::UnsupportedAlgorithm);
        }
        let salt = members.get("salt").and_then(text).filter(|salt| !salt.is_empty());
        let salt = salt.ok_or(PassphraseError::Salt)?;
        let iterations = members.get("iterations").and_then(|json| json.parse::<u64>().ok());
        let iterations =
            iterations.filter(|iterations| *iterations > 0).ok_or(PassphraseError::Iterations)?;
        if members.get("bits").is_some_and(|json| json != "256") {
            return Err(PassphraseError::Bits);
        }
        let too_many = PassphraseError::TooManyIterations { iterations, max: u32::MAX };
        let iterations = u32::try_from(iterations).ok().and_then(NonZeroU32::new).ok_or(too_many)?;
        Ok(Self { salt, iterations })
    }

    pub(crate) fn to_json(&self) -> String {
        let members: [(&str, String); 4] = [
            ("algorithm", json_text(PBKDF2)),
            ("salt", json_text(&self.salt)),
            ("iterations", alloc::format!("{}", self.iterations)),
            ("bits", "256".to_owned()),
        ];
        object(&members.into_iter().map(|(name, json)| (name.to_owned(), json)).collect::<Kept>())
    }
}

/// A key in the making, in steps as small as the caller wants. Dropping it stops the work.
///
/// ```
/// # use mx_secret_storage::{KeyDerivation, SecretStorageKey};
/// # fn show(remaining: u32) {}
/// fn finish(mut derivation: KeyDerivation) -> SecretStorageKey {
///     while derivation.step(10_000) > 0 {
///         show(derivation.remaining()); // of `derivation.info().iterations()`; or yield to others
///     }
///     derivation.finish()
/// }
/// ```
pub struct KeyDerivation {
    derivation: Pbkdf2Sha512,
    info: PassphraseInfo,
}

impl KeyDerivation {
    /// Begins the derivation of a new key, with a salt of its own. [`info`](Self::info) belongs into its description.
    ///
    /// # Errors
    ///
    /// [`NewPassphraseError`]; an empty passphrase is refused, as it protects nothing.
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        passphrase: &str,
        iterations: NonZeroU32,
    ) -> Result<Self, NewPassphraseError> {
        if passphrase.is_empty() {
            return Err(NewPassphraseError::EmptyPassphrase);
        }
        if iterations.get() > MAX_ITERATIONS {
            return Err(NewPassphraseError::TooManyIterations { max: MAX_ITERATIONS });
        }
        let salt = random_text(rng).map_err(|RandomnessFailed| NewPassphraseError::RandomnessFailed)?;
        let derivation = Pbkdf2Sha512::new(passphrase.as_bytes(), salt.as_bytes(), iterations);
        Ok(Self { derivation, info: PassphraseInfo { salt, iterations } })
    }

    /// The salt and the rounds.
    #[must_use]
    pub const fn info(&self) -> &PassphraseInfo {
        &self.info
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

    /// The key, after the rounds that remain. Any passphrase gives one: see [`KeyDescription::check`](crate::KeyDescription::check).
    #[must_use]
    pub fn finish(self) -> SecretStorageKey {
        let output = self.derivation.finish();
        let (key, _) = output.split_at(32);
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        bytes.copy_from_slice(key);
        SecretStorageKey::from_bytes(&bytes)
    }
}

impl fmt::Debug for KeyDerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDerivation").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

const PBKDF2: &str = "m.pbkdf2";

/// Why no key is made from a passphrase. The key itself, as it was shown to the user, still opens the secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The member `passphrase` is not the object that it must be.
    Object(MalformedObject),
    /// Its algorithm is not `m.pbkdf2`.
    UnsupportedAlgorithm,
    /// The salt is missing, empty or no text.
    Salt,
    /// The number of rounds is missing, or is not a whole number of at least 1.
    Iterations,
    /// There are more rounds than may be done. None was done.
    TooManyIterations {
        /// The rounds that were asked for.
        iterations: u64,
        /// The most that may be.
        max: u32,
    },
    /// The key would not have 256 bits.
    Bits,
}

impl fmt::Display for PassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key can be made from a passphrase, use the key itself: ")?;
        match self {
            Self::Object(error) => write!(f, "passphrase: {error}"),
            Self::UnsupportedAlgorithm => f.write_str("algorithm is not m.pbkdf2"),
            Self::Salt => f.write_str("salt is missing, empty or no text"),
            Self::Iterations => f.write_str("iterations is missing or not a whole number from 1 on"),
            Self::TooManyIterations { iterations, max } => {
                write!(f, "{iterations} iterations are asked for, and at most {max} allowed")
            }
            Self::Bits => f.write_str("bits is not 256"),
        }
    }
}

impl core::error::Error for PassphraseError {}

/// Why the derivation of a new key was not begun.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NewPassphraseError {
    /// The passphrase is empty.
    EmptyPassphrase,
    /// There are more rounds than others will do.
    TooManyIterations {
        /// The most that may be.
        max: u32,
    },
    /// The generator gave no salt.
    RandomnessFailed,
}

impl fmt::Display for NewPassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPassphrase => f.write_str("an empty passphrase protects nothing"),
            Self::TooManyIterations { max } => write!(f, "at most {max} iterations are allowed"),
            Self::RandomnessFailed => RandomnessFailed.fmt(f),
        }
    }
}

impl core::error::Error for NewPassphraseError {}
