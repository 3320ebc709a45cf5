use core::fmt;

use mx_aes_sha2::sha256;
use mx_types::base64::{self, TrailingBits};
use subtle::ConstantTimeEq;

use crate::SasError;

/// What the accepting side says of its key before it has seen the other's: SHA-256 of the key in Base64 and of the
/// canonical JSON of the whole content of the `start`, as it was sent.
#[derive(Clone, Copy)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The length of its Base64.
    pub const BASE64_LEN: usize = base64::encoded_len(32);

    pub(crate) fn new(key: &[u8; 32], start_content: &[u8]) -> Self {
        let mut text = [0; base64::encoded_len(32)];
        // Just as long as the Base64 of a key.
        let _ = base64::encode_to_bytes(key, &mut text);
        Self(sha256(&[&text, start_content]))
    }

    /// Reads `commitment` of an `accept`: Base64, padded or not.
    ///
    /// # Errors
    ///
    /// [`SasError::Malformed`].
    pub fn from_base64(text: &str) -> Result<Self, SasError> {
        Ok(Self(base64::decode_array(text, TrailingBits::Ignored)?))
    }

    /// Writes the unpadded Base64 to `out` and returns it.
    #[must_use]
    pub fn to_base64<'o>(&self, out: &'o mut [u8; Self::BASE64_LEN]) -> &'o str {
        base64::encode(&self.0, out).unwrap_or_default()
    }

    pub(crate) fn verify(&self, key: &[u8; 32], start_content: &[u8]) -> Result<(), SasError> {
        let same = self.0.ct_eq(&Self::new(key, start_content).0);
        if bool::from(same) { Ok(()) } else { Err(SasError::Commitment) }
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Commitment").field(&self.to_base64(&mut [0; Self::BASE64_LEN])).finish()
    }
}
