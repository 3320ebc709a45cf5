use alloc::{string::String, vec::Vec};
use core::cmp::Reverse;

use mx_olm::hazmat::{
    ChainState, InvalidState, SessionState, SkippedState, session_from_state, session_state,
};
use mx_olm::{MAX_RECEIVER_CHAINS, Session, SessionKeys};

use crate::envelope::{open, seal};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Field, LibolmPickleError};

/// Keys of messages that have not come which libolm keeps of a session. It does not read a pickle with more.
pub const MAX_SKIPPED: usize = 40;

/// Reads libolm's pickle of a session, of version 1 or 0x80000001.
///
/// # Errors
///
/// A [`LibolmPickleError`].
pub fn read_session<const SKIPPED: usize>(
    pickle: &str,
    pickle_key: &[u8],
) -> Result<Session<SKIPPED>, LibolmPickleError> {
    let plaintext = open(pickle, pickle_key)?;
    let mut reader = Reader::new(&plaintext);
    let version = reader.u32(Field::Version)?;
    if !matches!(version, VERSION | VERSION_WITH_CHAIN_INDEX) {
        return Err(LibolmPickleError::UnsupportedVersion { version });
    }
    let received = reader.flag(Field::Received)?;
    let keys = SessionKeys {
        identity_key: reader.curve25519_key(Field::IdentityKey)?,
        base_key: reader.curve25519_key(Field::BaseKey)?,
        one_time_key: reader.curve25519_key(Field::OneTimeKey)?,
    };
    let root_key = reader.secret(Field::RootKey)?;

    let sender = match reader.count(Field::SenderChains, 1)? {
        0 => None,
        _ => Some((
            reader.curve25519_pair(Field::SenderChains)?,
            read_chain(&mut reader, Field::SenderChains)?,
        )),
    };

    let count = reader.count(Field::ReceiverChains, MAX_RECEIVER_CHAINS)?;
    let mut receivers = Vec::with_capacity(count);
    for _ in 0..count {
        let ratchet_key = reader.curve25519_key(Field::ReceiverChains)?;
        receivers.push((ratchet_key, read_chain(&mut reader, Field::ReceiverChains)?));
    }

    let field = Field::SkippedMessageKeys;
    let count = reader.count(field, MAX_SKIPPED)?;
    let mut skipped = Vec::with_capacity(count);
    for _ in 0..count {
        let ratchet_key = reader.curve25519_key(field)?;
        let message_key = reader.secret(field)?;
        skipped.push(SkippedState { ratchet_key, index: reader.u32(field)?, message_key });
    }

    if version == VERSION_WITH_CHAIN_INDEX {
        reader.u32(Field::Version)?;
    }
    reader.end()?;

    // libolm's lists begin with the newest, ours with the oldest.
    receivers.reverse();
    skipped.reverse();
    check_lists(&receivers, &skipped)?;
    let state = SessionState { received, keys, root_key, sender, receivers, skipped };
    session_from_state(state).map_err(|error| match error {
        InvalidState::NoChain => LibolmPickleError::NoChain,
        // Everything else was checked.
        _ => LibolmPickleError::Capacity,
    })
}

/// Writes a pickle of version 1 for libolm.
///
/// Of more than [`MAX_SKIPPED`] skipped message keys it has the newest: first those of the newest chain, in each chain
/// first those with the highest index.
#[must_use]
pub fn write_session<const SKIPPED: usize>(session: &Session<SKIPPED>, pickle_key: &[u8]) -> String {
    let state = session_state(session);
    let mut writer = Writer::new(VERSION);
    writer.flag(state.received);
    for key in [&state.keys.identity_key, &state.keys.base_key, &state.keys.one_time_key] {
        writer.bytes(key.as_bytes());
    }
    writer.bytes(&*state.root_key);

    writer.count(state.sender.iter().count());
    if let Some((ratchet_key, chain)) = &state.sender {
        writer.curve25519_pair(ratchet_key);
        write_chain(&mut writer, chain);
    }

    writer.count(state.receivers.len());
    for (ratchet_key, chain) in state.receivers.iter().rev() {
        writer.bytes(ratchet_key.as_bytes());
        write_chain(&mut writer, chain);
    }

    let age = |key: &SkippedState| state.receivers.iter().rev().position(|(of, _)| *of == key.ratchet_key);
    let mut skipped: Vec<_> = state.skipped.iter().collect();
    skipped.sort_by_key(|key| (age(key), Reverse(key.index)));
    skipped.truncate(MAX_SKIPPED);
    writer.count(skipped.len());
    for key in skipped {
        writer.bytes(key.ratchet_key.as_bytes());
        writer.bytes(&*key.message_key);
        writer.u32(key.index);
    }
    seal(writer, pickle_key)
}

/// `chain key (32) ‖ index (4)`.
fn read_chain(reader: &mut Reader<'_>, field: Field) -> Result<ChainState, LibolmPickleError> {
    Ok(ChainState { key: reader.secret(field)?, index: reader.u32(field)? })
}

fn write_chain(writer: &mut Writer, chain: &ChainState) {
    writer.bytes(&*chain.key);
    writer.u32(chain.index);
}

/// Each chain and each skipped message is there once, and skipped messages are behind their chain. A skipped key without
/// its chain is of no use; it is left out later on.
fn check_lists(
    receivers: &[(mx_types::Curve25519PublicKey, ChainState)],
    skipped: &[SkippedState],
) -> Result<(), LibolmPickleError> {
    for (position, (ratchet_key, chain)) in receivers.iter().enumerate() {
        if receivers.iter().take(position).any(|(earlier, _)| earlier == ratchet_key) {
            return Err(LibolmPickleError::Repeated { field: Field::ReceiverChains });
        }
        if skipped.iter().any(|key| key.ratchet_key == *ratchet_key && key.index >= chain.index) {
            return Err(LibolmPickleError::NotSkipped);
        }
    }
    for (position, key) in skipped.iter().enumerate() {
        let same = |other: &SkippedState| (other.ratchet_key, other.index) == (key.ratchet_key, key.index);
        if skipped.iter().take(position).any(same) {
            return Err(LibolmPickleError::Repeated { field: Field::SkippedMessageKeys });
        }
    }
    Ok(())
}

/// The version that is written.
const VERSION: u32 = 1;

/// A version with a number behind it that means nothing any more.
const VERSION_WITH_CHAIN_INDEX: u32 = 0x8000_0001;
