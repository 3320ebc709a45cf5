//! The description of a file as it was read: what is there is collected first and checked after that, so that errors have
//! names.

use core::fmt;

use mx_types::base64::{DecodeError, TrailingBits, decode_array};
use zeroize::Zeroizing;

use crate::{
    AttachmentInfo, EncryptedFile, InvalidFile,
    info::{Version, decode_key},
};

/// An `EncryptedFile` as it came, before [`UncheckedFile::check`].
///
/// Members that the specification does not know are ignored, as are hashes other than `sha256`. Members that are
/// there twice, and those of which the JSON type is wrong, are errors of the reader.
pub struct UncheckedFile<U>(pub(crate) File<U>);

impl<U> UncheckedFile<U> {
    /// The description, if it is one.
    ///
    /// # Errors
    ///
    /// [`InvalidFile`].
    pub fn check(self, leniency: Leniency) -> Result<EncryptedFile<U>, InvalidFile> {
        let File { url, v, key, iv, hashes } = self.0;
        let version = match v {
            Some(Value::V2) => Version::V2,
            Some(Value::V1) if leniency.legacy_versions => Version::V1,
            None if leniency.legacy_versions => Version::Unnamed,
            _ => return Err(InvalidFile::UnsupportedVersion),
        };
        let Jwk { kty, alg, ext, key_ops, k } = key.ok_or(InvalidFile::MissingKey)?;
        if kty != Some(Value::Oct) {
            return Err(InvalidFile::UnsupportedKeyType);
        }
        if alg != Some(Value::A256Ctr) {
            return Err(InvalidFile::UnsupportedAlgorithm);
        }
        if !leniency.ext_and_key_ops {
            if ext != Some(Value::True) {
                return Err(InvalidFile::NotExtractable);
            }
            if key_ops != Some(Value::Operations { encrypt: true, decrypt: true }) {
                return Err(InvalidFile::MissingKeyOperation);
            }
        }
        let key = k.ok_or(InvalidFile::MissingKey)?.0.map_err(InvalidFile::Key)?;
        let iv = iv.ok_or(InvalidFile::MissingIv)?.0.map_err(InvalidFile::Iv)?;
        let sha256 = hashes.and_then(|hashes| hashes.sha256).ok_or(InvalidFile::MissingHash)?;
        let sha256 = sha256.0.map_err(InvalidFile::Hash)?;
        Ok(EncryptedFile { url, info: AttachmentInfo::read(key, iv, sha256, version) })
    }
}

impl<U: fmt::Debug> fmt::Debug for UncheckedFile<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UncheckedFile").field("url", &self.0.url).finish_non_exhaustive()
    }
}

/// What [`UncheckedFile::check`] lets pass. By default nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Leniency {
    /// Whatever `key.ext` and `key.key_ops` say, or that they are missing: not all implementations write or check them.
    pub ext_and_key_ops: bool,
    /// Descriptions from before version 2: `v` is `v1`, which is decrypted as `v2`, or missing, and then all
    /// 128 bits of the IV count.
    pub legacy_versions: bool,
}

impl Leniency {
    /// Nothing.
    pub const NONE: Self = Self { ext_and_key_ops: false, legacy_versions: false };
}

/// The object.
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub(crate) struct File<U> {
    pub(crate) url: U,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) v: Option<Value>,
    #[cfg_attr(feature = "serde", serde(default, deserialize_with = "crate::deserialize::object"))]
    pub(crate) key: Option<Jwk>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) iv: Option<Bytes<16>>,
    #[cfg_attr(feature = "serde", serde(default, deserialize_with = "crate::deserialize::object"))]
    pub(crate) hashes: Option<Hashes>,
}

/// `key`.
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "alloc", derive(Default))]
pub(crate) struct Jwk {
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) kty: Option<Value>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) alg: Option<Value>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) ext: Option<Value>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) key_ops: Option<Value>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) k: Option<Secret>,
}

/// `hashes`.
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub(crate) struct Hashes {
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) sha256: Option<Bytes<32>>,
}

/// What any JSON value comes to where only a few of them mean something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    True,
    V1,
    V2,
    Oct,
    A256Ctr,
    Encrypt,
    Decrypt,
    /// An array of strings, and whether these are among them.
    Operations {
        encrypt: bool,
        decrypt: bool,
    },
    Other,
}

impl Value {
    /// What a string comes to.
    pub(crate) fn of_text(text: &[u8]) -> Self {
        match text {
            b"v1" => Self::V1,
            b"v2" => Self::V2,
            b"oct" => Self::Oct,
            b"A256CTR" => Self::A256Ctr,
            b"encrypt" => Self::Encrypt,
            b"decrypt" => Self::Decrypt,
            _ => Self::Other,
        }
    }
}

/// Public bytes as a JSON string, or why they are none.
pub(crate) struct Bytes<const N: usize>(pub(crate) Result<[u8; N], DecodeError>);

impl<const N: usize> Bytes<N> {
    pub(crate) fn decode(text: &[u8]) -> Self {
        Self(decode_array(text, TrailingBits::Ignored))
    }
}

/// The key as a JSON string, or why it is none.
pub(crate) struct Secret(pub(crate) Result<Zeroizing<[u8; 32]>, DecodeError>);

impl Secret {
    pub(crate) fn decode(text: &[u8]) -> Self {
        Self(decode_key(text))
    }
}
