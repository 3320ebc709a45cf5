//! The raw state of sessions, for other formats of stored state (`mx-libolm-pickle`).
//!
//! Whoever can read a [`RatchetState`] can decrypt everything from its index on, and whoever writes one back twice
//! makes a session use its keys twice. Applications have no use for this module.

use core::fmt;

use mx_curve25519::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Verifier};
use mx_pickle::Generation;
use zeroize::Zeroizing;

use crate::{InboundGroupSession, OutboundGroupSession, ratchet::Ratchet};

/// A ratchet.
pub struct RatchetState {
    /// `i`.
    pub index: u32,
    /// `R(i,0) ‖ R(i,1) ‖ R(i,2) ‖ R(i,3)`.
    pub parts: Zeroizing<[u8; 128]>,
}

/// An [`OutboundGroupSession`].
pub struct OutboundState {
    /// The current ratchet.
    pub ratchet: RatchetState,
    /// The SHA-512 of the Ed25519 seed, clamped: what libolm keeps of the key.
    pub expanded_signing_key: Zeroizing<[u8; 64]>,
    /// The public half, which must belong to it.
    pub public_key: Ed25519PublicKey,
}

/// An [`InboundGroupSession`].
pub struct InboundState {
    /// The earliest known ratchet.
    pub earliest: RatchetState,
    /// A later one of the same session.
    pub latest: RatchetState,
    /// The key that signs the messages.
    pub public_key: Ed25519PublicKey,
    /// See [`InboundGroupSession::verified_from`].
    pub verified_from: Option<u32>,
}

impl From<&OutboundGroupSession> for OutboundState {
    fn from(session: &OutboundGroupSession) -> Self {
        Self {
            ratchet: (&session.ratchet).into(),
            expanded_signing_key: session.signing_key.expanded_bytes(),
            public_key: session.public_key(),
        }
    }
}

impl TryFrom<&OutboundState> for OutboundGroupSession {
    type Error = InvalidState;

    fn try_from(state: &OutboundState) -> Result<Self, InvalidState> {
        let signing_key = Ed25519SecretKey::from_expanded(&state.expanded_signing_key);
        if signing_key.public_key() != state.public_key {
            return Err(InvalidState::PublicKey);
        }
        Ok(Self { ratchet: (&state.ratchet).into(), signing_key, generation: Generation::NEVER_PICKLED })
    }
}

impl From<&InboundGroupSession> for InboundState {
    fn from(session: &InboundGroupSession) -> Self {
        Self {
            earliest: (&session.earliest).into(),
            latest: (&session.latest).into(),
            public_key: session.public_key(),
            verified_from: session.verified_from(),
        }
    }
}

impl TryFrom<&InboundState> for InboundGroupSession {
    type Error = InvalidState;

    fn try_from(state: &InboundState) -> Result<Self, InvalidState> {
        let (earliest, latest) = (Ratchet::from(&state.earliest), Ratchet::from(&state.latest));
        if latest.index() < earliest.index() || !earliest.at(latest.index()).equals(&latest) {
            return Err(InvalidState::LatestRatchet);
        }
        if state.verified_from.is_some_and(|index| index < earliest.index()) {
            return Err(InvalidState::VerifiedFrom);
        }
        let verifier = Ed25519Verifier::new(state.public_key);
        Ok(Self::from_parts(earliest, latest, verifier, state.verified_from, Generation::NEVER_PICKLED))
    }
}

impl From<&Ratchet> for RatchetState {
    fn from(ratchet: &Ratchet) -> Self {
        let mut parts = Zeroizing::new([0; 128]);
        parts.copy_from_slice(ratchet.bytes());
        Self { index: ratchet.index(), parts }
    }
}

impl From<&RatchetState> for Ratchet {
    fn from(state: &RatchetState) -> Self {
        Self::new(state.index, &state.parts)
    }
}

impl fmt::Debug for RatchetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RatchetState").field("index", &self.index).finish_non_exhaustive()
    }
}

impl fmt::Debug for OutboundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundState")
            .field("ratchet", &self.ratchet)
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InboundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundState")
            .field("earliest", &self.earliest)
            .field("latest", &self.latest)
            .field("public_key", &self.public_key)
            .field("verified_from", &self.verified_from)
            .finish()
    }
}

/// The parts of a state do not belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidState {
    /// The public key is not that of the signing key. To sign with both would give the signing key away.
    PublicKey,
    /// The latest ratchet does not follow from the earliest one.
    LatestRatchet,
    /// The session would be verified from before its first known index.
    VerifiedFrom,
}

impl fmt::Display for InvalidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey => "public key does not belong to the signing key",
            Self::LatestRatchet => "latest ratchet does not follow from the earliest one",
            Self::VerifiedFrom => "session is verified from before its first known index",
        })
    }
}

impl core::error::Error for InvalidState {}
