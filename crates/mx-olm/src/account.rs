use core::fmt;

use mx_curve25519::{
    Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, Signer,
};
use mx_pickle::Generation;
use mx_types::RandomnessFailed;
use rand_core::TryCryptoRng;
use zeroize::ZeroizeOnDrop;

use crate::inbound::{InboundSession, InboundSessionError};
use crate::{OneTimeKeys, PreKeyMessage};

/// The keys of a device: an Ed25519 key that signs, a Curve25519 identity key, one-time keys and fallback keys.
///
/// The parameters are those of [`OneTimeKeys`].
pub struct Account<const ONE_TIME_KEYS: usize = 100, const FALLBACK_SESSIONS: usize = 200> {
    pub(crate) signing: Ed25519SecretKey,
    pub(crate) identity: Curve25519SecretKey,
    pub(crate) one_time_keys: OneTimeKeys<ONE_TIME_KEYS, FALLBACK_SESSIONS>,
    pub(crate) generation: Generation,
}

impl<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize> Account<ONE_TIME_KEYS, FALLBACK_SESSIONS> {
    /// Draws the keys of a new device; it has no one-time keys yet.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn new<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        Ok(Self {
            signing: Ed25519SecretKey::generate(rng)?,
            identity: Curve25519SecretKey::generate(rng)?,
            one_time_keys: OneTimeKeys::new(),
            generation: Generation::default(),
        })
    }

    /// The Ed25519 key, called fingerprint when people compare it.
    #[must_use]
    pub const fn ed25519_key(&self) -> Ed25519PublicKey {
        self.signing.public_key()
    }

    /// The Curve25519 identity key.
    #[must_use]
    pub const fn curve25519_key(&self) -> Curve25519PublicKey {
        self.identity.public_key()
    }

    /// The identity key pair, with which [`Session::outbound`](crate::Session::outbound) begins a session.
    #[must_use]
    pub const fn identity(&self) -> &Curve25519SecretKey {
        &self.identity
    }

    /// Signs bytes with the Ed25519 key. For JSON objects use the crate `mx-signing`, with the account as signer.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Ed25519Signature {
        self.signing.sign(message)
    }

    /// One-time and fallback keys, to look at.
    #[must_use]
    pub const fn one_time_keys(&self) -> &OneTimeKeys<ONE_TIME_KEYS, FALLBACK_SESSIONS> {
        &self.one_time_keys
    }

    /// One-time and fallback keys, to generate and to publish.
    #[must_use]
    pub const fn one_time_keys_mut(&mut self) -> &mut OneTimeKeys<ONE_TIME_KEYS, FALLBACK_SESSIONS> {
        &mut self.one_time_keys
    }

    /// How often the account was pickled, see [`Account::pickle`].
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// [`OneTimeKeys::inbound_session`] with this account's identity key.
    ///
    /// # Errors
    ///
    /// An [`InboundSessionError`]; nothing has changed then.
    pub fn inbound_session<'o, const SKIPPED: usize>(
        &mut self,
        their_identity_key: &Curve25519PublicKey,
        message: &PreKeyMessage<'_>,
        out: &'o mut [u8],
    ) -> Result<InboundSession<'o, SKIPPED>, InboundSessionError> {
        self.one_time_keys.inbound_session(&self.identity, their_identity_key, message, out)
    }
}

impl<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize> Signer<Ed25519Signature>
    for Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>
{
    fn try_sign(&self, message: &[u8]) -> Result<Ed25519Signature, mx_curve25519::SigningFailed> {
        self.signing.try_sign(message)
    }
}

// All its secret parts are.
impl<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize> ZeroizeOnDrop
    for Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>
{
}

impl<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize> fmt::Debug
    for Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("ed25519", &self.ed25519_key())
            .field("curve25519", &self.curve25519_key())
            .field("one_time_keys", &self.one_time_keys)
            .finish_non_exhaustive()
    }
}
