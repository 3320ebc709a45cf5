use core::fmt;

use mx_curve25519::{Curve25519SecretKey, KeyAgreement, RandomnessFailed};
use mx_types::{
    Curve25519PublicKey,
    base64::{self, TrailingBits},
};
use rand_core::TryCryptoRng;

use crate::{
    Choice, Commitment, Compare, Flow, SasError,
    flow::Side,
    short_string::{Keys, ShortString},
};

/// The side whose `start` counts, before the other has accepted it. Its key is not shown yet.
pub struct Starter<T> {
    flow: Flow<T>,
    key: Curve25519SecretKey,
}

impl<T: AsRef<str>> Starter<T> {
    /// Draws the key of this one flow.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn new<R: TryCryptoRng + ?Sized>(rng: &mut R, flow: Flow<T>) -> Result<Self, RandomnessFailed> {
        Ok(Self { flow, key: Curve25519SecretKey::generate(rng)? })
    }

    /// Takes the `accept`. Then the key may be sent.
    #[must_use]
    pub fn receive_accept(self, choice: Choice, commitment: Commitment) -> KeySent<T> {
        let Self { flow, key } = self;
        KeySent { flow, key, choice, commitment }
    }
}

/// The starting side after the `accept`: it shows its key, and waits for the other.
pub struct KeySent<T> {
    flow: Flow<T>,
    key: Curve25519SecretKey,
    choice: Choice,
    commitment: Commitment,
}

impl<T: AsRef<str>> KeySent<T> {
    /// What `m.key.verification.key` says.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.key.public_key()
    }

    /// Takes the other side's key, in Base64, and compares it with the commitment. `start_content` is the canonical JSON of
    /// the whole content of the `start`, exactly as it was sent: nothing is stripped of it.
    ///
    /// # Errors
    ///
    /// [`SasError`].
    pub fn receive_key(self, key: &str, start_content: &[u8]) -> Result<Compare<T>, SasError> {
        let bytes = decode_key(key)?;
        self.commitment.verify(&bytes, start_content)?;
        compare(self.flow, Side::Starter, self.choice, &self.key, bytes)
    }
}

/// The side that accepts the `start`, before it has seen the other's key. Its own is not shown, but it is bound to it.
pub struct Accepter<T> {
    flow: Flow<T>,
    key: Curve25519SecretKey,
    choice: Choice,
    commitment: Commitment,
}

impl<T: AsRef<str>> Accepter<T> {
    /// Draws the key of this one flow. `start_content` is the canonical JSON of the whole content of the `start`, of the
    /// value as it came: nothing is stripped of it, members that nobody knows are in it.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        flow: Flow<T>,
        choice: Choice,
        start_content: &[u8],
    ) -> Result<Self, RandomnessFailed> {
        let key = Curve25519SecretKey::generate(rng)?;
        let commitment = Commitment::new(key.public_key().as_bytes(), start_content);
        Ok(Self { flow, key, choice, commitment })
    }

    /// What `m.key.verification.accept` says.
    #[must_use]
    pub const fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// Takes the other side's key, in Base64. Only then its own is given out, for `m.key.verification.key`.
    ///
    /// # Errors
    ///
    /// [`SasError`].
    pub fn receive_key(self, key: &str) -> Result<(Curve25519PublicKey, Compare<T>), SasError> {
        let bytes = decode_key(key)?;
        let compare = compare(self.flow, Side::Accepter, self.choice, &self.key, bytes)?;
        Ok((self.key.public_key(), compare))
    }
}

fn decode_key(text: &str) -> Result<[u8; 32], SasError> {
    Ok(base64::decode_array(text, TrailingBits::Refused)?)
}

fn compare<T: AsRef<str>>(
    flow: Flow<T>,
    side: Side,
    choice: Choice,
    ours: &Curve25519SecretKey,
    theirs: [u8; 32],
) -> Result<Compare<T>, SasError> {
    let theirs = Curve25519PublicKey::from_bytes(theirs).map_err(|_| SasError::UnusableKey)?;
    // Our own key, reflected, would agree with itself.
    if theirs == ours.public_key() {
        return Err(SasError::UnusableKey);
    }
    let secret = ours.diffie_hellman(&theirs).map_err(|_| SasError::UnusableKey)?;
    let keys = match side {
        Side::Starter => Keys { starter: ours.public_key(), accepter: theirs },
        Side::Accepter => Keys { starter: theirs, accepter: ours.public_key() },
    };
    let short_string = ShortString::derive(&secret, &flow, &keys);
    Ok(Compare::new(flow, side, choice, secret, short_string))
}

/// Nothing of a state but its flow.
macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("flow", &self.flow).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Starter, KeySent, Accepter);
