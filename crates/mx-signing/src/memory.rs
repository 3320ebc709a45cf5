//! Signatures that need not be verified again.

use alloc::collections::BTreeSet;
use core::fmt;

use mx_types::{Ed25519PublicKey, Ed25519Signature};
use sha2::{Digest as _, Sha256};

use crate::error::VerifyError;

/// Remembers which signatures verified, so that an object that comes again costs a hash and not a verification.
///
/// What is remembered is SHA-256 of signer's key, signature and signed bytes: never an ID, so that nothing is taken for
/// verified under a key that did not sign it. Failures are not remembered. The memory is bounded; what is forgotten is
/// verified once more.
///
/// ```
/// use mx_canonical_json::Limits;
/// use mx_curve25519::Ed25519SecretKey;
/// use mx_signing::{SignatureMemory, SignedObject};
/// use mx_types::KeyId;
///
/// let secret = Ed25519SecretKey::from_seed(&[7; 32]);
/// let key_id = KeyId::new("ed25519", "1")?;
/// let text = SignedObject::parse("{}", &Limits::DEFAULT)?.sign(&secret, "example.org", key_id)?;
///
/// let mut memory = SignatureMemory::default();
/// for _ in 0..3 {
///     let object = SignedObject::parse(&text, &Limits::DEFAULT)?;
///     object.verify_with(&mut memory, "example.org", key_id, secret.public_key())?;
/// }
/// assert_eq!(memory.verifications(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct SignatureMemory {
    recent: BTreeSet<[u8; 32]>,
    /// What was recent before `recent` became full.
    older: BTreeSet<[u8; 32]>,
    capacity: usize,
    verifications: u64,
}

impl SignatureMemory {
    /// Signatures that are remembered by default: two for each of 32,768 devices.
    pub const DEFAULT_CAPACITY: usize = 65_536;

    /// Remembers up to `capacity` signatures, at about 45 bytes each, and at least half of that the latest.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self { recent: BTreeSet::new(), older: BTreeSet::new(), capacity, verifications: 0 }
    }

    /// How many verifications were really done, good and bad.
    #[must_use]
    pub const fn verifications(&self) -> u64 {
        self.verifications
    }

    /// How many signatures are remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recent.len() + self.older.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Verifies unless that was done before.
    pub(crate) fn verify(
        &mut self,
        key: &Ed25519PublicKey,
        message: &[u8],
        signature: &Ed25519Signature,
    ) -> Result<(), VerifyError> {
        // Key and signature have one length each, so that this reads in one way only.
        let mut hash = Sha256::new();
        hash.update(key.as_bytes());
        hash.update(signature.as_bytes());
        hash.update(message);
        let hash = hash.finalize().into();
        if self.recent.contains(&hash) {
            return Ok(());
        }
        if !self.older.remove(&hash) {
            self.verifications += 1;
            mx_curve25519::verify(key, message, signature).map_err(|_| VerifyError::InvalidSignature)?;
        }
        self.remember(hash);
        Ok(())
    }

    fn remember(&mut self, hash: [u8; 32]) {
        let half = self.capacity / 2;
        if half == 0 {
            return;
        }
        if self.recent.len() >= half {
            self.older = core::mem::take(&mut self.recent);
        }
        self.recent.insert(hash);
    }
}

impl Default for SignatureMemory {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for SignatureMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureMemory")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("verifications", &self.verifications)
            .finish_non_exhaustive()
    }
}
