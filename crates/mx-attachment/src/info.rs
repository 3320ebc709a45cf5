use core::fmt;

use mx_aes_sha2::{
    ctr_sha256::{CounterWidth, Keystream},
    sha256,
};
use mx_types::base64::{DecodeError, TrailingBits, decode_array, decode_url_secret, decoded_len};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{AttachmentKey, Decryptor, HashMismatch, InvalidFile, Verifier};

/// What decrypts a file: its key, its IV and the hash of its ciphertext. Wiped when dropped.
///
/// It may be used again and again, since it only decrypts.
pub struct AttachmentInfo {
    key: Zeroizing<[u8; 32]>,
    iv: [u8; 16],
    sha256: [u8; 32],
    version: Version,
}

/// What a description says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    /// No `v` at all: before there was one. All 128 bits of the IV count.
    #[cfg(any(feature = "alloc", feature = "serde"))]
    Unnamed,
    /// `v1`: what `v2` is.
    #[cfg(any(feature = "alloc", feature = "serde"))]
    V1,
    /// `v2`.
    V2,
}

impl AttachmentInfo {
    /// Takes the parts as bytes: `key.k`, `iv` and `hashes.sha256` of an `EncryptedFile` of version 2.
    #[must_use]
    pub fn from_parts(key: &[u8; 32], iv: &[u8; 16], sha256: &[u8; 32]) -> Self {
        Self { key: Zeroizing::new(*key), iv: *iv, sha256: *sha256, version: Version::V2 }
    }

    /// Takes the parts as an `EncryptedFile` writes them: `key.k` in URL-safe Base64, `iv` and `hashes.sha256` in the
    /// standard one, all of them padded or not.
    ///
    /// Who reads the JSON without this crate's feature `alloc` or `serde` also compares `v` with `v2`, `key.kty` with `oct`
    /// and `key.alg` with `A256CTR`.
    ///
    /// # Errors
    ///
    /// [`InvalidFile::Key`], [`InvalidFile::Iv`] or [`InvalidFile::Hash`].
    pub fn from_base64(k: &str, iv: &str, sha256: &str) -> Result<Self, InvalidFile> {
        Ok(Self {
            key: decode_key(k.as_bytes()).map_err(InvalidFile::Key)?,
            iv: decode_array(iv, TrailingBits::Ignored).map_err(InvalidFile::Iv)?,
            sha256: decode_array(sha256, TrailingBits::Ignored).map_err(InvalidFile::Hash)?,
            version: Version::V2,
        })
    }

    /// The file was encrypted, and this is the hash of what came out.
    pub(crate) fn of(key: AttachmentKey, sha256: [u8; 32]) -> Self {
        Self { key: key.key, iv: key.iv, sha256, version: Version::V2 }
    }

    /// What was read and checked.
    #[cfg(any(feature = "alloc", feature = "serde"))]
    pub(crate) const fn read(
        key: Zeroizing<[u8; 32]>,
        iv: [u8; 16],
        sha256: [u8; 32],
        version: Version,
    ) -> Self {
        Self { key, iv, sha256, version }
    }

    /// Decrypts a whole file in place, once its hash was compared.
    ///
    /// # Errors
    ///
    /// [`HashMismatch`]: `file` is then as it was.
    pub fn decrypt_in_place<'f>(&self, file: &'f mut [u8]) -> Result<&'f mut [u8], HashMismatch> {
        self.verify(file)?;
        self.keystream().apply(file);
        Ok(file)
    }

    /// [`AttachmentInfo::decrypt_in_place`] to a new vector.
    ///
    /// # Errors
    ///
    /// [`HashMismatch`].
    #[cfg(feature = "alloc")]
    pub fn decrypt_to_vec(&self, file: &[u8]) -> Result<alloc::vec::Vec<u8>, HashMismatch> {
        self.verify(file)?;
        let mut plaintext = file.to_vec();
        self.keystream().apply(&mut plaintext);
        Ok(plaintext)
    }

    /// For a file that comes piece by piece and whose plaintext is held back until all of it has come.
    #[must_use]
    pub fn decryptor(&self) -> Decryptor {
        Decryptor::new(self)
    }

    /// For a file that lies somewhere to be read twice: compares its hash first.
    #[must_use]
    pub const fn verifier(&self) -> Verifier {
        Verifier::new(self.sha256)
    }

    /// The key: 32 bytes, a secret.
    #[must_use]
    pub fn secret_key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The first counter block: 8 random bytes and 8 zeros.
    #[must_use]
    pub const fn iv(&self) -> &[u8; 16] {
        &self.iv
    }

    /// The hash of the ciphertext.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Whether the last 8 bytes of the IV are zero, as the specification wants it. A file of which they are not can
    /// be decrypted all the same, but implementations may differ in what follows the largest number of 64 bits.
    #[must_use]
    pub const fn counter_starts_at_zero(&self) -> bool {
        matches!(self.iv, [.., 0, 0, 0, 0, 0, 0, 0, 0])
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn keystream(&self) -> Keystream {
        let width = match self.version {
            Version::V2 => CounterWidth::Low64,
            #[cfg(any(feature = "alloc", feature = "serde"))]
            Version::V1 => CounterWidth::Low64,
            #[cfg(any(feature = "alloc", feature = "serde"))]
            Version::Unnamed => CounterWidth::Whole128,
        };
        Keystream::new(&self.key, &self.iv, width)
    }

    fn verify(&self, file: &[u8]) -> Result<(), HashMismatch> {
        if sha256(&[file]) == self.sha256 { Ok(()) } else { Err(HashMismatch) }
    }
}

// Its key is; the rest is no secret.
impl ZeroizeOnDrop for AttachmentInfo {}

impl fmt::Debug for AttachmentInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentInfo").finish_non_exhaustive()
    }
}

/// `k` of the JSON Web Key.
pub(crate) fn decode_key(k: &[u8]) -> Result<Zeroizing<[u8; 32]>, DecodeError> {
    let mut key = Zeroizing::new([0; 32]);
    let found = decoded_len(k)?;
    if found != key.len() {
        return Err(DecodeError::UnexpectedLength { expected: key.len(), found });
    }
    decode_url_secret(k, key.as_mut_slice())?;
    Ok(key)
}
