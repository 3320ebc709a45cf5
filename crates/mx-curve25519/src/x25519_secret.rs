use core::fmt;

use mx_types::{Curve25519PublicKey, RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{KeyAgreement, KeyAgreementError, SharedSecret};

/// A Curve25519 key pair in memory: 64 bytes, the public half beside the secret one, wiped on drop.
///
/// The secret is kept as it was drawn; the clamping of RFC 7748 happens inside the multiplication.
pub struct Curve25519SecretKey {
    secret: Zeroizing<[u8; 32]>,
    public: Curve25519PublicKey,
}

impl Curve25519SecretKey {
    /// Draws a new key pair.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut secret = Zeroizing::new([0; 32]);
        fill_random(rng, &mut *secret)?;
        Ok(Self::from_secret_bytes(&secret))
    }

    /// Takes 32 secret bytes and computes the public half.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "cannot happen, see the expectation")]
    pub fn from_secret_bytes(secret: &[u8; 32]) -> Self {
        let public = PublicKey::from(&StaticSecret::from(*secret)).to_bytes();
        let public = Curve25519PublicKey::from_bytes(public)
            .expect("a clamped scalar is below 8 times the group order, so its point has full order");
        Self { secret: Zeroizing::new(*secret), public }
    }

    /// Takes both halves from state that we sealed ourselves, to spare the multiplication.
    ///
    /// A public half that does not belong to the secret one makes agreements fail, but reveals nothing: unlike an
    /// Ed25519 signature, an X25519 agreement does not use it.
    #[must_use]
    pub fn from_stored(secret: &[u8; 32], public: Curve25519PublicKey) -> Self {
        Self { secret: Zeroizing::new(*secret), public }
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public
    }

    /// The secret half, for sealed state.
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl KeyAgreement for Curve25519SecretKey {
    fn public_key(&self) -> Curve25519PublicKey {
        self.public
    }

    fn diffie_hellman(&self, their_key: &Curve25519PublicKey) -> Result<SharedSecret, KeyAgreementError> {
        let secret = StaticSecret::from(*self.secret);
        let shared = secret.diffie_hellman(&PublicKey::from(*their_key.as_bytes()));
        SharedSecret::from_bytes(shared.to_bytes())
    }
}

// All its secret parts are.
impl ZeroizeOnDrop for Curve25519SecretKey {}

impl fmt::Debug for Curve25519SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Curve25519SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}
