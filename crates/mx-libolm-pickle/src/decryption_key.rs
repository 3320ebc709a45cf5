use alloc::string::String;

use mx_curve25519::Curve25519SecretKey;

use crate::envelope::{open, seal};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Field, LibolmPickleError};

/// Reads libolm's pickle of a `PkDecryption`, which is a backup decryption key.
///
/// # Errors
///
/// A [`LibolmPickleError`].
pub fn read_decryption_key(
    pickle: &str,
    pickle_key: &[u8],
) -> Result<Curve25519SecretKey, LibolmPickleError> {
    let plaintext = open(pickle, pickle_key)?;
    let mut reader = Reader::new(&plaintext);
    let version = reader.u32(Field::Version)?;
    if version != VERSION {
        return Err(LibolmPickleError::UnsupportedVersion { version });
    }
    let key = reader.curve25519_pair(Field::DecryptionKey)?;
    reader.end()?;
    Ok(key)
}

/// Writes a pickle of a `PkDecryption` for libolm.
#[must_use]
pub fn write_decryption_key(key: &Curve25519SecretKey, pickle_key: &[u8]) -> String {
    let mut writer = Writer::new(VERSION);
    writer.curve25519_pair(key);
    seal(writer, pickle_key)
}

/// The only version.
const VERSION: u32 = 1;
