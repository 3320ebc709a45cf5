use core::fmt;

use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::ExpandedSecretKey;
use mx_types::{Ed25519PublicKey, Ed25519Signature, RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;
use signature::Signer;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// An Ed25519 key pair in memory, wiped on drop.
///
/// The public half that goes into a signature is always computed, never taken from outside: signing with another's
/// public key gives the secret away to whoever sees two signatures (RUSTSEC-2022-0093).
pub struct Ed25519SecretKey {
    origin: Origin,
    expanded: ExpandedSecretKey,
    /// The computed public half; of a key from stored state it is computed when it signs.
    verifying_key: Option<VerifyingKey>,
    public: Ed25519PublicKey,
}

/// What the key was made from, and what is stored of it.
enum Origin {
    Seed(Zeroizing<[u8; 32]>),
    /// From libolm, which forgets the seed.
    Expanded(Zeroizing<[u8; 64]>),
}

impl Ed25519SecretKey {
    /// Draws a new key pair.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(rng, &mut *seed)?;
        Ok(Self::from_seed(&seed))
    }

    /// Takes the 32-byte seed, which RFC 8032 calls the private key, and computes the rest.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::new(Origin::Seed(Zeroizing::new(*seed)), &expand(seed))
    }

    /// Takes the 64 bytes that libolm keeps instead of the seed, SHA-512 of it, and computes the public half.
    ///
    /// The first 32 bytes are clamped if they are not.
    #[must_use]
    pub fn from_expanded(expanded: &[u8; 64]) -> Self {
        let mut clamped = Zeroizing::new(*expanded);
        clamp(&mut clamped);
        let origin = Origin::Expanded(Zeroizing::new(*clamped));
        Self::new(origin, &clamped)
    }

    /// Takes a seed and its public half from state that we sealed ourselves, so that restoring it computes nothing.
    ///
    /// Each signature then computes the public half anew, which doubles its cost. If the stored one is another, no
    /// signature with it is made: [`Signer::try_sign`] fails, and [`Self::sign`] signs with the computed one.
    #[must_use]
    pub fn from_stored_seed(seed: &[u8; 32], public: Ed25519PublicKey) -> Self {
        let expanded = expanded_key(&expand(seed));
        Self { origin: Origin::Seed(Zeroizing::new(*seed)), expanded, verifying_key: None, public }
    }

    fn new(origin: Origin, expanded: &[u8; 64]) -> Self {
        let expanded = expanded_key(expanded);
        let verifying_key = VerifyingKey::from(&expanded);
        let public = Ed25519PublicKey::from_bytes(verifying_key.to_bytes())
            .expect("a clamped scalar is below 8 times the group order, so its point has full order");
        Self { origin, expanded, verifying_key: Some(verifying_key), public }
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.public
    }

    /// The seed, unless the key came from libolm, which does not keep it.
    #[must_use]
    pub fn seed(&self) -> Option<&[u8; 32]> {
        match &self.origin {
            Origin::Seed(seed) => Some(seed),
            Origin::Expanded(_) => None,
        }
    }

    /// The clamped SHA-512 of the seed, as libolm stores it.
    #[must_use]
    pub fn expanded_bytes(&self) -> Zeroizing<[u8; 64]> {
        match &self.origin {
            Origin::Seed(seed) => expand(seed),
            Origin::Expanded(expanded) => expanded.clone(),
        }
    }

    /// Signs a message: RFC 8032 Ed25519, deterministic, without pre-hash or context.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Ed25519Signature {
        self.sign_with(&self.computed(), message)
    }

    fn computed(&self) -> VerifyingKey {
        self.verifying_key.unwrap_or_else(|| VerifyingKey::from(&self.expanded))
    }

    fn sign_with(&self, computed: &VerifyingKey, message: &[u8]) -> Ed25519Signature {
        Ed25519Signature::from_bytes(sign(&self.expanded, message, computed))
    }
}

impl Signer<Ed25519Signature> for Ed25519SecretKey {
    /// Signs as [`Ed25519SecretKey::sign`]; fails only for a key whose stored public half is not its own.
    fn try_sign(&self, message: &[u8]) -> Result<Ed25519Signature, signature::Error> {
        let computed = self.computed();
        if computed.as_bytes() != self.public.as_bytes() {
            return Err(signature::Error::new());
        }
        Ok(self.sign_with(&computed, message))
    }
}

// All its secret parts are.
impl ZeroizeOnDrop for Ed25519SecretKey {}

impl fmt::Debug for Ed25519SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(not(sha2_backend_soft = "compact"))]
fn expanded_key(expanded: &[u8; 64]) -> ExpandedSecretKey {
    ExpandedSecretKey::from_bytes(expanded)
}

/// As `ExpandedSecretKey::from_bytes`, of bytes that are clamped.
#[cfg(sha2_backend_soft = "compact")]
fn expanded_key(expanded: &[u8; 64]) -> ExpandedSecretKey {
    let (mut secret, mut hash_prefix) = (Zeroizing::new([0; 32]), [0; 32]);
    if let (Some(first), Some(last)) = (expanded.first_chunk(), expanded.last_chunk()) {
        (*secret, hash_prefix) = (*first, *last);
    }
    ExpandedSecretKey { scalar: crate::compact::scalar(&secret), hash_prefix }
}

#[cfg(not(sha2_backend_soft = "compact"))]
fn sign(key: &ExpandedSecretKey, message: &[u8], public: &VerifyingKey) -> [u8; 64] {
    ed25519_dalek::hazmat::raw_sign::<sha2::Sha512>(key, message, public).to_bytes()
}

#[cfg(sha2_backend_soft = "compact")]
fn sign(key: &ExpandedSecretKey, message: &[u8], public: &VerifyingKey) -> [u8; 64] {
    crate::compact::sign(&key.scalar, &key.hash_prefix, public.as_bytes(), message)
}

fn expand(seed: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut expanded = sha512(seed);
    clamp(&mut expanded);
    expanded
}

#[cfg(not(sha2_backend_soft = "compact"))]
fn sha512(seed: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    use sha2::Digest as _;

    Zeroizing::new(sha2::Sha512::digest(seed).into())
}

#[cfg(sha2_backend_soft = "compact")]
fn sha512(seed: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    crate::compact::sha512(&[seed])
}

fn clamp(expanded: &mut [u8; 64]) {
    expanded[0] &= 0xf8;
    expanded[31] = expanded[31] & 0x3f | 0x40;
}
