use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use mx_megolm::{Generation, InboundGroupSession, PickleError, PickleKey, UnpickleError};
use mx_pickle::{Kind, Reader, Writer, sealed_len};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, MAX_IDENTIFIER_LEN, RoomId, UserId};
use rand_core::TryCryptoRng;

use crate::{Forwarder, MAX_FORWARDING_CHAIN_LEN, Origin, Provenance, RoomKey};

/// Layout 1: `room ID ‖ session (301) ‖ origin ‖ has an earlier origin (1) ‖ earlier origin or nothing ‖
/// shareable (1) ‖ backed up (1)`.
///
/// Origin: `provenance (1) ‖ user ID and device ID of the forwarder, or nothing ‖ sender key (32) ‖ has a claimed key
/// (1) ‖ claimed key (32) or nothing ‖ chain: count (4) and keys (32 each)`. An ID is its length (1) and its bytes.
const KIND: Kind = Kind { type_tag: 5, layout: 1 };

impl RoomKey {
    /// How often the room key was pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Bytes of the pickle.
    #[must_use]
    pub fn pickle_len(&self) -> usize {
        sealed_len(self.plain_len())
    }

    /// Writes the room key, encrypted, to the beginning of `out`, and counts that in its generation.
    ///
    /// # Errors
    ///
    /// [`PickleError`]. The room key is as it was before then.
    pub fn pickle<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], PickleError> {
        let mut writer = key.seal(rng, KIND, self.generation, self.plain_len(), out)?;
        write_id(&mut writer, &self.room_id);
        self.session.write_fields(&mut writer);
        write_origin(&mut writer, &self.origin);
        writer.bool(self.earlier.is_some());
        if let Some(earlier) = &self.earlier {
            write_origin(&mut writer, earlier);
        }
        writer.bool(self.shared_history);
        writer.bool(self.backed_up);
        let generation = writer.generation();
        let pickle = writer.finish()?;
        self.generation = generation;
        Ok(pickle)
    }

    /// [`RoomKey::pickle`] to a new vector.
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<Vec<u8>, PickleError> {
        let mut out = alloc::vec![0; self.pickle_len()];
        self.pickle(rng, key, &mut out)?;
        Ok(out)
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
        let mut reader = key.open(KIND, oldest_acceptable, pickle)?;
        let room_id = read_id(&mut reader, "room ID", |text| RoomId::parse(text).is_ok())?;
        let session = InboundGroupSession::read_fields(&mut reader)?;
        let origin = read_origin(&mut reader)?;
        let earlier = match reader.bool("has an earlier origin")? {
            true => Some(Box::new(read_origin(&mut reader)?)),
            false => None,
        };
        let shared_history = reader.bool("shareable")?;
        let backed_up = reader.bool("backed up")?;
        reader.finish()?;

        if origin.provenance.is_first_hand() != session.verified_from().is_some() {
            return Err(UnpickleError::Invalid { field: "origin" });
        }
        let is_extended = session.verified_from().is_some_and(|index| index > session.first_known_index());
        let is_from_elsewhere = |origin: &Origin| !origin.provenance.is_first_hand();
        if earlier.is_some() != is_extended || !earlier.as_deref().is_none_or(is_from_elsewhere) {
            return Err(UnpickleError::Invalid { field: "earlier origin" });
        }
        let generation = reader.generation();
        Ok(Self { room_id, session, origin, earlier, shared_history, backed_up, generation })
    }

    fn plain_len(&self) -> usize {
        let origins = origin_len(&self.origin) + self.earlier.as_deref().map_or(0, origin_len);
        1 + self.room_id.len() + InboundGroupSession::FIELDS_LEN + origins + 3
    }
}

fn origin_len(origin: &Origin) -> usize {
    let forwarder = origin.provenance.forwarder();
    let forwarder = forwarder.map_or(0, |by| 2 + by.user_id().len() + by.device_id().len());
    let claimed = if origin.sender_claimed_ed25519.is_some() { 32 } else { 0 };
    1 + forwarder + 32 + 1 + claimed + 4 + 32 * origin.forwarding_chain.len()
}

fn write_origin(writer: &mut Writer<'_, '_>, origin: &Origin) {
    writer.u8(match &origin.provenance {
        Provenance::FirstHand => FIRST_HAND,
        Provenance::Forwarded(_) => FORWARDED,
        Provenance::Bundle(_) => BUNDLE,
        Provenance::Backup => BACKUP,
        Provenance::File => FILE,
    });
    if let Some(forwarder) = origin.provenance.forwarder() {
        write_id(writer, forwarder.user_id());
        write_id(writer, forwarder.device_id());
    }
    writer.bytes(origin.sender_key.as_bytes());
    writer.bool(origin.sender_claimed_ed25519.is_some());
    if let Some(key) = &origin.sender_claimed_ed25519 {
        writer.bytes(key.as_bytes());
    }
    writer.count(origin.forwarding_chain.len());
    for key in &origin.forwarding_chain {
        writer.bytes(key.as_bytes());
    }
}

fn read_origin(reader: &mut Reader<'_, '_>) -> Result<Origin, UnpickleError> {
    let provenance = match reader.u8()? {
        FIRST_HAND => Provenance::FirstHand,
        FORWARDED => Provenance::Forwarded(read_forwarder(reader)?),
        BUNDLE => Provenance::Bundle(read_forwarder(reader)?),
        BACKUP => Provenance::Backup,
        FILE => Provenance::File,
        _ => return Err(UnpickleError::Invalid { field: "provenance" }),
    };
    let sender_key = read_curve25519(reader, "sender key")?;
    let sender_claimed_ed25519 = match reader.bool("has a claimed key")? {
        true => Some(
            Ed25519PublicKey::from_bytes(reader.array()?)
                .map_err(|_| UnpickleError::Invalid { field: "claimed key" })?,
        ),
        false => None,
    };
    let mut forwarding_chain = Vec::new();
    for _ in 0..reader.count(MAX_FORWARDING_CHAIN_LEN)? {
        forwarding_chain.push(read_curve25519(reader, "forwarding chain")?);
    }
    Ok(Origin { provenance, sender_key, sender_claimed_ed25519, forwarding_chain })
}

fn read_forwarder(reader: &mut Reader<'_, '_>) -> Result<Forwarder, UnpickleError> {
    let user_id = read_id(reader, "user ID", |text| UserId::parse(text).is_ok())?;
    let device_id = read_id(reader, "device ID", |text| DeviceId::parse(text).is_ok())?;
    Ok(Forwarder { user_id, device_id })
}

fn read_curve25519(
    reader: &mut Reader<'_, '_>,
    field: &'static str,
) -> Result<Curve25519PublicKey, UnpickleError> {
    Curve25519PublicKey::from_bytes(reader.array()?).map_err(|_| UnpickleError::Invalid { field })
}

fn write_id(writer: &mut Writer<'_, '_>, id: &str) {
    // It has 255 bytes at most: it was parsed.
    writer.u8(u8::try_from(id.len()).unwrap_or(u8::MAX));
    writer.bytes(id.as_bytes());
}

fn read_id(
    reader: &mut Reader<'_, '_>,
    field: &'static str,
    is_valid: impl Fn(&str) -> bool,
) -> Result<String, UnpickleError> {
    let mut buffer = [0; MAX_IDENTIFIER_LEN];
    let len = usize::from(reader.u8()?);
    let bytes = buffer.get_mut(..len).ok_or(UnpickleError::Invalid { field })?;
    reader.bytes(bytes)?;
    let id = str::from_utf8(bytes).ok().filter(|text| is_valid(text));
    id.map(ToOwned::to_owned).ok_or(UnpickleError::Invalid { field })
}

/// Forms of an origin.
const FIRST_HAND: u8 = 0;
const FORWARDED: u8 = 1;
const BUNDLE: u8 = 2;
const BACKUP: u8 = 3;
const FILE: u8 = 4;
