use alloc::string::String;
use core::{fmt, num::NonZeroU32};

use mx_aes_sha2::Pbkdf2Sha512;
use mx_json::{
    MalformedObject,
    required::{count, string},
};

use crate::BackupDecryptionKey;

/// How the decryption key of an old backup follows from a passphrase: `private_key_salt` and `private_key_iterations` of
/// its `auth_data`.
///
/// Not in the specification, and no new backup is made so: the passphrase belongs to secret storage now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassphraseInfo {
    salt: String,
    iterations: NonZeroU32,
}

impl PassphraseInfo {
    /// Reads the members of `auth_data`; `None` if neither is there.
    pub(crate) fn read(auth_data: &[u8]) -> Result<Option<Self>, PassphraseError> {
        let [salt, iterations, bits] =
            mx_json::members(auth_data, &["private_key_salt", "private_key_iterations", "private_key_bits"])?;
        if salt.is_none() && iterations.is_none() {
            return Ok(None);
        }
        let salt = string(salt, "private_key_salt")?.into_owned();
        let wanted = count(iterations, "private_key_iterations")?;
        // More than that are too many in any case.
        let iterations = u32::try_from(wanted).unwrap_or(u32::MAX);
        let iterations = NonZeroU32::new(iterations).ok_or(PassphraseError::NoIterations)?;
        match bits.map(|bits| count(Some(bits), "private_key_bits")).transpose()? {
            None | Some(256) => Ok(Some(Self { salt, iterations })),
            Some(bits) => Err(PassphraseError::Bits { bits }),
        }
    }

    /// The salt: its UTF-8 bytes.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The iterations of PBKDF2. The server says how many: bound them.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations.get()
    }

    /// Begins the derivation: `PBKDF2-HMAC-SHA-512(passphrase, salt, iterations, 256)`.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::TooManyIterations`] if there are more than `limit`, before any work. Take
    /// [`MAX_ITERATIONS`] if you have no other.
    pub fn derive(&self, passphrase: &str, limit: u32) -> Result<PassphraseDerivation, PassphraseError> {
        let iterations = self.iterations.get();
        if iterations > limit {
            return Err(PassphraseError::TooManyIterations { iterations, limit });
        }
        let derivation = Pbkdf2Sha512::new(passphrase.as_bytes(), self.salt.as_bytes(), self.iterations);
        Ok(PassphraseDerivation(derivation))
    }
}

/// A derivation in steps. Wiped when dropped.
#[derive(Debug)]
pub struct PassphraseDerivation(Pbkdf2Sha512);

impl PassphraseDerivation {
    /// Does so many iterations more and says how many remain.
    pub fn step(&mut self, iterations: u32) -> u32 {
        self.0.step(iterations)
    }

    /// The key, after the iterations that remain. Whether the passphrase was right, the public key of the backup says.
    #[must_use]
    pub fn finish(self) -> BackupDecryptionKey {
        let derived = self.0.finish();
        let (key, _) = derived.split_first_chunk().unwrap_or((&[0; 32], &[]));
        BackupDecryptionKey::from_bytes(key)
    }
}

/// The most iterations that are sensible: some seconds.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// Why a passphrase gives no decryption key. The key itself can still be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// A member is missing or of the wrong type.
    Object(MalformedObject),
    /// A derivation of no iterations is asked for.
    NoIterations,
    /// A key of another length than 256 bits is asked for.
    Bits {
        /// The length in bits.
        bits: u64,
    },
    /// More iterations are asked for than the caller wants to do. Nothing was computed.
    TooManyIterations {
        /// How many are asked for.
        iterations: u32,
        /// How many would be done.
        limit: u32,
    },
}

impl fmt::Display for PassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::NoIterations => f.write_str("auth_data asks for a key derivation of no iterations"),
            Self::Bits { bits } => write!(f, "auth_data asks for a key of {bits} bits, it must have 256"),
            Self::TooManyIterations { iterations, limit } => {
                write!(f, "the key derivation has {iterations} iterations, at most {limit} are done")
            }
        }
    }
}

impl core::error::Error for PassphraseError {}

impl From<MalformedObject> for PassphraseError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}
