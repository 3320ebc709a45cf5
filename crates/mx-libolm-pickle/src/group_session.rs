use alloc::string::String;

use mx_megolm::hazmat::{InboundState, InvalidState, OutboundState, RatchetState};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};

use crate::envelope::{open, seal};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Field, LibolmPickleError};

/// Reads libolm's pickle of an outbound group session, of version 1.
///
/// # Errors
///
/// A [`LibolmPickleError`].
pub fn read_outbound_group_session(
    pickle: &str,
    pickle_key: &[u8],
) -> Result<OutboundGroupSession, LibolmPickleError> {
    let plaintext = open(pickle, pickle_key)?;
    let mut reader = Reader::new(&plaintext);
    let version = reader.u32(Field::Version)?;
    if version != OUTBOUND_VERSION {
        return Err(LibolmPickleError::UnsupportedVersion { version });
    }
    let ratchet = read_ratchet(&mut reader, Field::Ratchet)?;
    let signing_key = reader.ed25519_pair(Field::Ed25519Key)?;
    reader.end()?;
    let state = OutboundState {
        ratchet,
        expanded_signing_key: signing_key.expanded_bytes(),
        public_key: signing_key.public_key(),
    };
    OutboundGroupSession::try_from(&state).map_err(from_invalid_state)
}

/// Writes a pickle of version 1 for libolm.
#[must_use]
pub fn write_outbound_group_session(session: &OutboundGroupSession, pickle_key: &[u8]) -> String {
    let state = OutboundState::from(session);
    let mut writer = Writer::new(OUTBOUND_VERSION);
    write_ratchet(&mut writer, &state.ratchet);
    writer.bytes(state.public_key.as_bytes());
    writer.bytes(&*state.expanded_signing_key);
    seal(writer, pickle_key)
}

/// Reads libolm's pickle of an inbound group session, of version 1 or 2.
///
/// If libolm holds the session's key for verified, so do we, from the first known index on; version 1 has only such
/// keys. libolm holds an unsigned key for verified as soon as it has decrypted one message: an application that knows
/// better where the key came from goes by that.
///
/// # Errors
///
/// A [`LibolmPickleError`].
pub fn read_inbound_group_session(
    pickle: &str,
    pickle_key: &[u8],
) -> Result<InboundGroupSession, LibolmPickleError> {
    let plaintext = open(pickle, pickle_key)?;
    let mut reader = Reader::new(&plaintext);
    let version = reader.u32(Field::Version)?;
    if !matches!(version, INBOUND_VERSION_WITHOUT_MARK | INBOUND_VERSION) {
        return Err(LibolmPickleError::UnsupportedVersion { version });
    }
    let earliest = read_ratchet(&mut reader, Field::Ratchet)?;
    let latest = read_ratchet(&mut reader, Field::LatestRatchet)?;
    let public_key = reader.ed25519_key(Field::Ed25519Key)?;
    let verified = version == INBOUND_VERSION_WITHOUT_MARK || reader.flag(Field::Verified)?;
    reader.end()?;
    let verified_from = verified.then_some(earliest.index);
    let state = InboundState { earliest, latest, public_key, verified_from };
    InboundGroupSession::try_from(&state).map_err(from_invalid_state)
}

/// Writes a pickle of version 2 for libolm.
///
/// It is marked as verified only if all of the session is: libolm knows no index from which it is.
#[must_use]
pub fn write_inbound_group_session(session: &InboundGroupSession, pickle_key: &[u8]) -> String {
    let state = InboundState::from(session);
    let mut writer = Writer::new(INBOUND_VERSION);
    write_ratchet(&mut writer, &state.earliest);
    write_ratchet(&mut writer, &state.latest);
    writer.bytes(state.public_key.as_bytes());
    writer.flag(state.verified_from.is_some_and(|index| index <= state.earliest.index));
    seal(writer, pickle_key)
}

/// `R(i,0) ‖ R(i,1) ‖ R(i,2) ‖ R(i,3) (128) ‖ i (4)`.
fn read_ratchet(reader: &mut Reader<'_>, field: Field) -> Result<RatchetState, LibolmPickleError> {
    let parts = reader.secret(field)?;
    Ok(RatchetState { index: reader.u32(field)?, parts })
}

fn write_ratchet(writer: &mut Writer, ratchet: &RatchetState) {
    writer.bytes(&*ratchet.parts);
    writer.u32(ratchet.index);
}

const fn from_invalid_state(error: InvalidState) -> LibolmPickleError {
    match error {
        InvalidState::PublicKey => LibolmPickleError::PublicKeyMismatch { field: Field::Ed25519Key },
        // That a session is not verified from before it begins was made sure above.
        _ => LibolmPickleError::UnreachableLatestRatchet,
    }
}

/// The version that is written of outbound group sessions.
const OUTBOUND_VERSION: u32 = 1;

/// The version that is written of inbound group sessions.
const INBOUND_VERSION: u32 = 2;

/// The version from when all keys were signed.
const INBOUND_VERSION_WITHOUT_MARK: u32 = 1;
