use core::fmt;

use ed25519_dalek::VerifyingKey;
use mx_types::{Ed25519PublicKey, Ed25519Signature};

/// Verifies one signature strictly. For several with one key use [`Ed25519Verifier`].
///
/// Refused are, besides what does not match: `S` of the group order or above, `R` of small order or not in its
/// canonical encoding, a key without a point. (That the key is canonical and not of small order is its type's duty.)
///
/// # Errors
///
/// [`InvalidSignature`].
pub fn verify(
    key: &Ed25519PublicKey,
    message: &[u8],
    signature: &Ed25519Signature,
) -> Result<(), InvalidSignature> {
    Ed25519Verifier::new(*key).verify(message, signature)
}

/// A public key that remembers its decompressed point from the first verification on.
///
/// Making one costs nothing, so that a stored session is read without curve arithmetic.
#[derive(Clone)]
pub struct Ed25519Verifier {
    key: Ed25519PublicKey,
    point: Option<VerifyingKey>,
}

impl Ed25519Verifier {
    /// Takes the key; nothing is computed yet.
    #[must_use]
    pub const fn new(key: Ed25519PublicKey) -> Self {
        Self { key, point: None }
    }

    /// The key.
    #[must_use]
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.key
    }

    /// Verifies a signature as [`verify()`] does.
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`].
    pub fn verify(&mut self, message: &[u8], signature: &Ed25519Signature) -> Result<(), InvalidSignature> {
        let point = match &self.point {
            Some(point) => point,
            None => {
                let point = VerifyingKey::from_bytes(self.key.as_bytes()).map_err(|_| InvalidSignature)?;
                self.point.insert(point)
            }
        };
        // `R` is compared as bytes with the encoding of the point that is computed, so it is canonical if it matches;
        // whether that point has small order can be told from the bytes, too. This gives the answers of a strict
        // verification that decompresses `R`, without the decompression.
        let bytes = signature.as_bytes();
        bytes
            .first_chunk::<32>()
            .and_then(|r| Ed25519PublicKey::from_bytes(*r).ok())
            .ok_or(InvalidSignature)?;
        if verifies(point, message, bytes) { Ok(()) } else { Err(InvalidSignature) }
    }
}

#[cfg(not(sha2_backend_soft = "compact"))]
fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    use ed25519_dalek::{Signature, Verifier as _};

    key.verify(message, &Signature::from_bytes(signature)).is_ok()
}

#[cfg(sha2_backend_soft = "compact")]
fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    crate::compact::verifies(&key.to_edwards(), key.as_bytes(), message, signature)
}

impl fmt::Debug for Ed25519Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ed25519Verifier").field(&self.key).finish()
    }
}

/// The signature is not one of this key over this message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not belong to this key and this message")
    }
}

impl core::error::Error for InvalidSignature {}
