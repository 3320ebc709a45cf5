use mx_curve25519::{Ed25519SecretKey, Ed25519Verifier};
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
        let mut start = Zeroizing::new([0; RATCHET_LEN + 1]);
        reader.bytes(&mut *start)?;
        let (ratchet, form) = start.split_at(RATCHET_LEN);
        let mut secret = Zeroizing::new([0; 64]);
        let (seed, rest) = secret.split_at_mut(32);
        reader.bytes(seed)?;
        let signing_key = match form {
            [SEED] => Ed25519SecretKey::from_seed(secret.first_chunk().unwrap_or(&[0; 32])),
            [EXPANDED] => {
                reader.bytes(rest)?;
                Ed25519SecretKey::from_expanded(&secret)
            }
            _ => return Err(UnpickleError::Invalid { field: "form of the signing key" }),
        };
        reader.finish()?;
        Ok(Self { ratchet: parse_ratchet(ratchet), signing_key, generation: reader.generation() })
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
        let mut fields = Zeroizing::new([0; Self::FIELDS_LEN]);
        reader.bytes(&mut *fields)?;
        Self::from_fields(&fields).map_err(|field| UnpickleError::Invalid { field })
    }

    /// The error names the field.
    fn from_fields(fields: &[u8; Self::FIELDS_LEN]) -> Result<Self, &'static str> {
        let (earliest, rest) = fields.split_at(RATCHET_LEN);
        let (latest, rest) = rest.split_at(RATCHET_LEN);
        let (public_key, rest) = rest.split_at(32);
        let (verified, verified_from) = rest.split_at(1);
        let verifier = Ed25519Verifier::new(public_key.try_into().map_err(|_| "public key")?);
        let (earliest, latest) = (parse_ratchet(earliest), parse_ratchet(latest));
        if latest.index() < earliest.index() {
            return Err("latest ratchet");
        }
        let verified_from = match (verified, index(verified_from)) {
            ([0], 0) => None,
            ([1], index) if index >= earliest.index() => Some(index),
            ([0 | 1], _) => return Err("verified from"),
            _ => return Err("verified"),
        };
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
    Ratchet::new(index(bytes), bytes.last_chunk().unwrap_or(&[0; ratchet::LEN]))
}

fn index(bytes: &[u8]) -> u32 {
    bytes.first_chunk().copied().map_or(0, u32::from_be_bytes)
}

const RATCHET_LEN: usize = 4 + ratchet::LEN;

/// Forms of a signing key.
const SEED: u8 = 0;
const EXPANDED: u8 = 1;
