use mx_curve25519::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Verifier};
use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, Writer, sealed_len};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{
    InboundGroupSession, OutboundGroupSession,
    ratchet::{self, Ratchet},
};

/// Layout 1: `ratchet (132) ‖ form of the signing key (1) ‖ seed (32) or, from libolm, expanded key (64)`.
const OUTBOUND: Kind = Kind { type_tag: 3, layout: 1 };
/// Layout 1: `earliest ratchet (132) ‖ latest ratchet (132) ‖ public key (32) ‖ verified (1) ‖ verified from (4)`.
const INBOUND: Kind = Kind { type_tag: 4, layout: 1 };

impl OutboundGroupSession {
    /// Bytes of the longest pickle.
    pub const MAX_PICKLE_LEN: usize = sealed_len(RATCHET_LEN + 1 + 64);

    /// How often the session was pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Bytes of the pickle.
    #[must_use]
    pub fn pickle_len(&self) -> usize {
        sealed_len(self.plain_len())
    }

    /// Writes the session, encrypted, to the beginning of `out`, and counts that in its generation.
    ///
    /// Pickle after each [`OutboundGroupSession::encrypt`] and save before the message is sent.
    ///
    /// # Errors
    ///
    /// [`PickleError`]. The session is as it was before then.
    pub fn pickle<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], PickleError> {
        let mut writer = key.seal(rng, OUTBOUND, self.generation, self.plain_len(), out)?;
        write_ratchet(&mut writer, &self.ratchet);
        match self.signing_key.seed() {
            Some(seed) => {
                writer.u8(SEED);
                writer.bytes(seed);
            }
            None => {
                writer.u8(EXPANDED);
                writer.bytes(&*self.signing_key.expanded_bytes());
            }
        }
        let generation = writer.generation();
        let pickle = writer.finish()?;
        self.generation = generation;
        Ok(pickle)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(OUTBOUND, oldest_acceptable, pickle)?;
        let mut ratchet = Zeroizing::new([0; RATCHET_LEN]);
        reader.bytes(&mut *ratchet)?;
        let signing_key = match reader.u8()? {
            SEED => Ed25519SecretKey::from_seed(&Zeroizing::new(reader.array()?)),
            EXPANDED => Ed25519SecretKey::from_expanded(&Zeroizing::new(reader.array()?)),
            _ => return Err(UnpickleError::Invalid { field: "form of the signing key" }),
        };
        reader.finish()?;
        Ok(Self { ratchet: parse_ratchet(&*ratchet), signing_key, generation: reader.generation() })
    }

    /// [`OutboundGroupSession::pickle`] to a new vector.
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    #[cfg(feature = "alloc")]
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<alloc::vec::Vec<u8>, PickleError> {
        let mut out = alloc::vec![0; self.pickle_len()];
        self.pickle(rng, key, &mut out)?;
        Ok(out)
    }

    fn plain_len(&self) -> usize {
        RATCHET_LEN + 1 + if self.signing_key.seed().is_some() { 32 } else { 64 }
    }
}

impl InboundGroupSession {
    /// Bytes of the pickle.
    pub const PICKLE_LEN: usize = sealed_len(Self::FIELDS_LEN);

    /// Bytes of what [`InboundGroupSession::write_fields`] writes.
    pub const FIELDS_LEN: usize = 2 * RATCHET_LEN + 32 + 1 + 4;

    /// How often the session was pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Writes the session, encrypted, to the beginning of `out`, and counts that in its generation.
    ///
    /// # Errors
    ///
    /// [`PickleError`]. The session is as it was before then.
    pub fn pickle<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], PickleError> {
        let mut writer = key.seal(rng, INBOUND, self.generation, Self::FIELDS_LEN, out)?;
        self.write_fields(&mut writer);
        let generation = writer.generation();
        let pickle = writer.finish()?;
        self.generation = generation;
        Ok(pickle)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`. There is no curve arithmetic in it.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(INBOUND, oldest_acceptable, pickle)?;
        let mut session = Self::read_fields(&mut reader)?;
        session.generation = reader.generation();
        reader.finish()?;
        Ok(session)
    }

    /// Writes the session as a part of the pickle of a type that holds it.
    pub fn write_fields(&self, writer: &mut Writer<'_, '_>) {
        write_ratchet(writer, &self.earliest);
        write_ratchet(writer, &self.latest);
        writer.bytes(self.public_key().as_bytes());
        writer.bool(self.verified_from.is_some());
        writer.u32(self.verified_from.unwrap_or_default());
    }

    /// Reads what [`InboundGroupSession::write_fields`] wrote. The session itself was never pickled, then.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn read_fields(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        // Of what follows, the public key decides whether there is a session at all; the rest is read in place.
        let mut ratchets = Zeroizing::new([0; 2 * RATCHET_LEN]);
        reader.bytes(&mut *ratchets)?;
        let public_key = Ed25519PublicKey::from_bytes(reader.array()?)
            .map_err(|_| UnpickleError::Invalid { field: "public key" })?;
        let (is_verified, verified_from) = (reader.bool("verified")?, reader.u32()?);
        let (earliest, latest) = ratchets.split_at(RATCHET_LEN);
        let (earliest, latest) = (parse_ratchet(earliest), parse_ratchet(latest));
        if latest.index() < earliest.index() {
            return Err(UnpickleError::Invalid { field: "latest ratchet" });
        }
        let verified_from = match (is_verified, verified_from) {
            (false, 0) => None,
            (true, index) if index >= earliest.index() => Some(index),
            _ => return Err(UnpickleError::Invalid { field: "verified from" }),
        };
        let verifier = Ed25519Verifier::new(public_key);
        Ok(Self::from_parts(earliest, latest, verifier, verified_from, Generation::NEVER_PICKLED))
    }

    /// [`InboundGroupSession::pickle`] to a new vector.
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    #[cfg(feature = "alloc")]
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<alloc::vec::Vec<u8>, PickleError> {
        let mut out = alloc::vec![0; Self::PICKLE_LEN];
        self.pickle(rng, key, &mut out)?;
        Ok(out)
    }
}

/// `i (4) ‖ R(i) (128)`.
fn write_ratchet(writer: &mut Writer<'_, '_>, ratchet: &Ratchet) {
    writer.u32(ratchet.index());
    writer.bytes(ratchet.bytes());
}

fn parse_ratchet(bytes: &[u8]) -> Ratchet {
    let index = bytes.first_chunk().copied().map_or(0, u32::from_be_bytes);
    Ratchet::new(index, bytes.last_chunk().unwrap_or(&[0; ratchet::LEN]))
}

const RATCHET_LEN: usize = 4 + ratchet::LEN;

/// Forms of a signing key.
const SEED: u8 = 0;
const EXPANDED: u8 = 1;
