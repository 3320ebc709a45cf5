use core::fmt;

use crate::base64::{self, DecodeError, TrailingBits};

/// An Ed25519 signature: 64 bytes, of which nothing is known until they were verified with a key and a message.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Ed25519Signature([u8; 64]);

impl Ed25519Signature {
    /// The length in bytes.
    pub const LEN: usize = 64;

    /// Takes the 64 bytes `R || S` of RFC 8032.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads 86 characters of unpadded Base64, or 88 with the padding.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`]. Trailing bits are ignored ([`TrailingBits`]).
    pub fn from_base64(text: &str) -> Result<Self, DecodeError> {
        base64::decode_array(text, TrailingBits::Ignored).map(Self)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Ed25519Signature {
    /// 86 characters of unpadded Base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(base64::encode(&self.0, &mut [0; 86]).unwrap_or_default())
    }
}

impl fmt::Debug for Ed25519Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signature({self})")
    }
}
