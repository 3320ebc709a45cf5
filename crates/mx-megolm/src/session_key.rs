use core::{fmt, ops::Range};

use mx_curve25519::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, Ed25519Verifier, InvalidKey};
use mx_types::{
    BufferTooSmall,
    base64::{self, DecodeError},
};
#[cfg(feature = "alloc")]
use zeroize::Zeroizing;
use zeroize::{ZeroizeOnDrop, optimization_barrier};

use crate::{
    GroupSessionId,
    ratchet::{self, Ratchet},
};

/// A session in the sharing format: what the `session_key` of an `m.room_key` is. Its signature was verified.
///
/// `02 ‖ i (4, big-endian) ‖ R(i) (128) ‖ Ed25519 public key (32) ‖ signature (64)`, 229 bytes.
/// Megolm specification, "Session-sharing format". Wiped when dropped.
pub struct SessionKey {
    bytes: [u8; Self::LEN],
    verifier: Ed25519Verifier,
}

impl SessionKey {
    /// The length in bytes.
    pub const LEN: usize = ExportedSessionKey::LEN + 64;
    /// The length of the unpadded Base64.
    pub const BASE64_LEN: usize = base64::encoded_len(Self::LEN);

    pub(crate) fn sign(ratchet: &Ratchet, key: &Ed25519SecretKey) -> Self {
        let mut bytes = [0; Self::LEN];
        if let Some((unsigned, signature)) = bytes.split_last_chunk_mut::<64>() {
            emit(unsigned, SHARED, ratchet, &key.public_key());
            *signature = *key.sign(unsigned).as_bytes();
        }
        Self { bytes, verifier: Ed25519Verifier::new(key.public_key()) }
    }

    /// Reads the 229 bytes and verifies the signature.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`]. The export format is an [`SessionKeyError::Version`]: it proves nothing about its origin,
    /// and must not pass for a key that came from the session's owner.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyError> {
        let public_key = parse(bytes, SHARED, Self::LEN)?;
        let mut key = Self { bytes: [0; Self::LEN], verifier: Ed25519Verifier::new(public_key) };
        key.bytes.copy_from_slice(bytes);
        let (unsigned, signature) = key.bytes.split_last_chunk().ok_or(SessionKeyError::Signature)?;
        let signature = Ed25519Signature::from_bytes(*signature);
        key.verifier.verify(unsigned, &signature).map_err(|_| SessionKeyError::Signature)?;
        Ok(key)
    }

    pub(crate) const fn verifier(&self) -> &Ed25519Verifier {
        &self.verifier
    }

    const fn public_key(&self) -> Ed25519PublicKey {
        self.verifier.public_key()
    }
}

/// A session in the export format: what the `session_key` of key exports, backups and forwarded keys is.
///
/// `01 ‖ i (4, big-endian) ‖ R(i) (128) ‖ Ed25519 public key (32)`, 165 bytes, unsigned: whoever made it up could
/// have put any ratchet beside any public key. Megolm specification, "Session export format". Wiped when dropped.
pub struct ExportedSessionKey {
    bytes: [u8; Self::LEN],
    public_key: Ed25519PublicKey,
}

impl ExportedSessionKey {
    /// The length in bytes.
    pub const LEN: usize = 1 + 4 + ratchet::LEN + 32;
    /// The length of the unpadded Base64.
    pub const BASE64_LEN: usize = base64::encoded_len(Self::LEN);

    pub(crate) fn new(ratchet: &Ratchet, public_key: Ed25519PublicKey) -> Self {
        let mut bytes = [0; Self::LEN];
        emit(&mut bytes, EXPORTED, ratchet, &public_key);
        Self { bytes, public_key }
    }

    /// Reads the 165 bytes.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`]. The sharing format is a [`SessionKeyError::Version`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyError> {
        let public_key = parse(bytes, EXPORTED, Self::LEN)?;
        let mut key = Self { bytes: [0; Self::LEN], public_key };
        key.bytes.copy_from_slice(bytes);
        Ok(key)
    }

    pub(crate) const fn public_key(&self) -> Ed25519PublicKey {
        self.public_key
    }
}

/// What both formats have in common.
macro_rules! session_key {
    ($name:ident, $version:ident) => {
        impl $name {
            /// Reads Base64, padded or not, in time that does not depend on the ratchet.
            ///
            /// # Errors
            ///
            /// [`SessionKeyError`].
            pub fn from_base64(text: &str) -> Result<Self, SessionKeyError> {
                let mut bytes = [0; Self::LEN];
                let key = decode(text, $version, &mut bytes).and_then(Self::from_bytes);
                bytes.fill(0);
                optimization_barrier(&bytes);
                key
            }

            /// The bytes. They are the secret: wipe copies of them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
                &self.bytes
            }

            /// Writes the unpadded Base64, in time that does not depend on the secret, and returns it. `out` then holds
            /// the secret: wipe it after use.
            #[must_use]
            pub fn to_base64<'o>(&self, out: &'o mut [u8; Self::BASE64_LEN]) -> &'o str {
                base64::encode_secret(&self.bytes, out).unwrap_or_default()
            }

            /// The unpadded Base64, in a string that is wiped when dropped.
            #[cfg(feature = "alloc")]
            #[must_use]
            pub fn to_base64_string(&self) -> Zeroizing<alloc::string::String> {
                let mut out = Zeroizing::new([0; Self::BASE64_LEN]);
                Zeroizing::new(alloc::string::String::from(self.to_base64(&mut out)))
            }

            /// The index `i` of the ratchet: no message before it can be decrypted.
            #[must_use]
            pub fn first_known_index(&self) -> u32 {
                index(&self.bytes)
            }

            /// The session's ID.
            #[must_use]
            pub fn session_id(&self) -> GroupSessionId {
                self.public_key().into()
            }

            pub(crate) fn ratchet(&self) -> Ratchet {
                let ratchet = self.bytes.get(RATCHET).and_then(|bytes| bytes.first_chunk());
                Ratchet::new(index(&self.bytes), ratchet.unwrap_or(&[0; ratchet::LEN]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("session_id", &self.session_id())
                    .field("first_known_index", &self.first_known_index())
                    .finish_non_exhaustive()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.bytes.fill(0);
                optimization_barrier(&self.bytes);
            }
        }

        impl ZeroizeOnDrop for $name {}
    };
}

session_key!(SessionKey, SHARED);
session_key!(ExportedSessionKey, EXPORTED);

/// `version ‖ i ‖ R(i) ‖ public key`.
fn emit(out: &mut [u8], version: u8, ratchet: &Ratchet, public_key: &Ed25519PublicKey) {
    let index = ratchet.index().to_be_bytes();
    let fields = [&[version][..], &index, ratchet.bytes(), public_key.as_bytes()];
    for (out, byte) in out.iter_mut().zip(fields.into_iter().flatten()) {
        *out = *byte;
    }
}

/// Checks version and length, and returns the public key.
fn parse(bytes: &[u8], expected: u8, len: usize) -> Result<Ed25519PublicKey, SessionKeyError> {
    let wrong_length = SessionKeyError::Length { expected: len, found: bytes.len() };
    let found = *bytes.first().ok_or(wrong_length)?;
    if found != expected {
        return Err(SessionKeyError::Version { expected, found });
    }
    if bytes.len() != len {
        return Err(wrong_length);
    }
    let public_key = bytes.get(RATCHET.end..).and_then(<[u8]>::first_chunk).ok_or(wrong_length)?;
    Ed25519PublicKey::from_bytes(*public_key).map_err(SessionKeyError::PublicKey)
}

/// The bytes of a session key's text, if they fit; they may be fewer.
fn decode<'o>(text: &str, version: u8, out: &'o mut [u8]) -> Result<&'o [u8], SessionKeyError> {
    let len = out.len();
    base64::decode_secret_prefix(text, RATCHET.end, out).map_err(|error| match error {
        DecodeError::BufferTooSmall(BufferTooSmall { needed }) => too_long(text, version, len, needed),
        error => SessionKeyError::Base64(error),
    })
}

/// What is wrong with a text that is too long: it may be the other format. (The version is no secret.)
fn too_long(text: &str, expected: u8, len: usize, found: usize) -> SessionKeyError {
    let mut start = [0; 3];
    let start = text.get(..4).and_then(|text| base64::decode_secret(text, &mut start).ok());
    match start.and_then(<[u8]>::first) {
        Some(&found) if found != expected => SessionKeyError::Version { expected, found },
        _ => SessionKeyError::Length { expected: len, found },
    }
}

fn index(bytes: &[u8]) -> u32 {
    bytes.get(1..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_be_bytes)
}

/// The bytes or the text are not a session key of the wanted format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionKeyError {
    /// Not Base64.
    Base64(DecodeError),
    /// The other format, or none.
    Version {
        /// 1 for the export format, 2 for the sharing format.
        expected: u8,
        /// The first byte.
        found: u8,
    },
    /// Too many or too few bytes.
    Length {
        /// Bytes that the format has.
        expected: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The Ed25519 public key is none.
    PublicKey(InvalidKey),
    /// The signature is not that of the public key.
    Signature,
}

impl fmt::Display for SessionKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(error) => error.fmt(f),
            Self::Version { expected, found } => {
                write!(f, "session key has version {found} instead of {expected}")
            }
            Self::Length { expected, found } => {
                write!(f, "session key has {found} bytes instead of {expected}")
            }
            Self::PublicKey(error) => error.fmt(f),
            Self::Signature => f.write_str("signature of the session key is invalid"),
        }
    }
}

impl core::error::Error for SessionKeyError {}

/// Where the ratchet stands in both formats. Nothing behind it is secret: the public key is the session's ID, and the signature
/// tells nothing of the 1,024 random bits that it is over.
const RATCHET: Range<usize> = 5..5 + ratchet::LEN;

const EXPORTED: u8 = 1;
const SHARED: u8 = 2;
