use core::fmt;

use mx_types::base64::DecodeError;

use crate::AttachmentInfo;

/// The description of an uploaded file, for `file` or `info.thumbnail_file` of an event's content.
///
/// It has the file's key in it, and belongs inside an encrypted event only. With the feature `serde` it is written
/// as the specification has it, and read strictly; [`UncheckedFile`](crate::UncheckedFile) is read first by those
/// who want the error by name, or some leniency.
#[derive(Debug)]
pub struct EncryptedFile<U> {
    /// The `mxc` URI of the ciphertext: any string type, which is neither parsed nor checked here.
    pub url: U,
    /// The rest.
    pub info: AttachmentInfo,
}

/// Why something is not the description of a file that can be decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidFile {
    /// `v` is not `v2`.
    UnsupportedVersion,
    /// `key.kty` is not `oct`.
    UnsupportedKeyType,
    /// `key.alg` is not `A256CTR`.
    UnsupportedAlgorithm,
    /// `key.ext` is not `true`.
    NotExtractable,
    /// `key.key_ops` lacks `encrypt` or `decrypt`.
    MissingKeyOperation,
    /// There is no `key`, or no `k` in it.
    MissingKey,
    /// `key.k` is not 32 bytes of URL-safe Base64.
    Key(DecodeError),
    /// There is no `iv`.
    MissingIv,
    /// `iv` is not 16 bytes of Base64.
    Iv(DecodeError),
    /// `hashes` names no `sha256`, whatever else it names.
    MissingHash,
    /// `hashes.sha256` is not 32 bytes of Base64.
    Hash(DecodeError),
}

impl fmt::Display for InvalidFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedVersion => f.write_str("the version `v` of the encrypted file is not `v2`"),
            Self::UnsupportedKeyType => f.write_str("`kty` of the file's key is not `oct`"),
            Self::UnsupportedAlgorithm => f.write_str("`alg` of the file's key is not `A256CTR`"),
            Self::NotExtractable => f.write_str("`ext` of the file's key is not `true`"),
            Self::MissingKeyOperation => {
                f.write_str("`key_ops` of the file's key lacks `encrypt` or `decrypt`")
            }
            Self::MissingKey => f.write_str("the encrypted file has no key"),
            Self::Key(error) => write!(f, "`k` of the file's key: {error}"),
            Self::MissingIv => f.write_str("the encrypted file has no `iv`"),
            Self::Iv(error) => write!(f, "`iv` of the encrypted file: {error}"),
            Self::MissingHash => f.write_str("the encrypted file has no hash `sha256`"),
            Self::Hash(error) => write!(f, "hash `sha256` of the encrypted file: {error}"),
        }
    }
}

impl core::error::Error for InvalidFile {}
