use alloc::{string::String, vec::Vec};

use mx_olm::Account;
use mx_olm::hazmat::{AccountState, OneTimeKeyState, account_from_state, account_state};

use crate::envelope::{open, seal};
use crate::reader::{Reader, within};
use crate::writer::Writer;
use crate::{Field, LibolmPickleError};

/// One-time keys that libolm keeps. It does not read a pickle with more.
pub const MAX_ONE_TIME_KEYS: usize = 100;

/// Reads libolm's pickle of an account, of version 2, 3 or 4.
///
/// All keys keep the short names that libolm gave them, new ones get ours: no name ever stands for two keys.
///
/// # Errors
///
/// A [`LibolmPickleError`].
pub fn read_account<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize>(
    pickle: &str,
    pickle_key: &[u8],
) -> Result<Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>, LibolmPickleError> {
    let plaintext = open(pickle, pickle_key)?;
    let mut reader = Reader::new(&plaintext);
    let version = reader.u32(Field::Version)?;
    match version {
        1 => return Err(LibolmPickleError::LegacyAccount),
        2..=VERSION => (),
        _ => return Err(LibolmPickleError::UnsupportedVersion { version }),
    }
    let ed25519_key = reader.ed25519_pair(Field::Ed25519Key)?;
    let identity = reader.curve25519_pair(Field::IdentityKey)?;

    let count = reader.count(Field::OneTimeKeys, MAX_ONE_TIME_KEYS)?;
    let mut one_time_keys = Vec::with_capacity(count);
    for _ in 0..count {
        one_time_keys.push(read_key(&mut reader, Field::OneTimeKeys)?);
    }
    // libolm's lists begin with the newest, ours with the oldest.
    one_time_keys.reverse();
    check_distinct(&one_time_keys, Field::OneTimeKeys)?;

    let mut fallback_keys = match version {
        2 => Vec::new(),
        3 => read_fallback_keys_3(&mut reader)?,
        _ => read_fallback_keys(&mut reader)?,
    };
    fallback_keys.reverse();
    check_distinct(&fallback_keys, Field::FallbackKeys)?;

    let in_both = |key: &OneTimeKeyState| {
        one_time_keys.iter().any(|other| other.key.public_key() == key.key.public_key())
    };
    if fallback_keys.iter().any(in_both) {
        return Err(LibolmPickleError::Repeated { field: Field::FallbackKeys });
    }

    let last_number = reader.u32(Field::LastKeyNumber)?;
    reader.end()?;

    // Whoever numbers fallback keys apart, as vodozemac does, may have given them a higher number than is written here.
    let numbers = one_time_keys.iter().chain(&fallback_keys).map(|key| key.number);
    let last_number = numbers.fold(last_number, u32::max);
    let state = AccountState {
        ed25519_expanded: ed25519_key.expanded_bytes(),
        identity,
        one_time_keys,
        fallbacks: fallback_keys,
        last_number,
    };
    // Numbers and keys were checked, so that nothing but the capacity can be exceeded.
    account_from_state(state).map_err(|_| LibolmPickleError::Capacity)
}

/// Writes a pickle of version 4 for libolm: the newest [`MAX_ONE_TIME_KEYS`] one-time keys and both fallback keys.
///
/// libolm gives unpublished keys other names than ours: publish them first. See the crate's documentation for what else
/// libolm does not keep.
#[must_use]
pub fn write_account<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize>(
    account: &Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>,
    pickle_key: &[u8],
) -> String {
    let state = account_state(account);
    let mut writer = Writer::new(VERSION);
    writer.bytes(account.ed25519_key().as_bytes());
    writer.bytes(&*state.ed25519_expanded);
    writer.curve25519_pair(&state.identity);

    writer.count(state.one_time_keys.len().min(MAX_ONE_TIME_KEYS));
    for key in state.one_time_keys.iter().rev().take(MAX_ONE_TIME_KEYS) {
        write_key(&mut writer, key);
    }
    writer.u8(state.fallbacks.iter().map(|_| 1).sum());
    for key in state.fallbacks.iter().rev() {
        write_key(&mut writer, key);
    }
    writer.u32(state.last_number);
    seal(writer, pickle_key)
}

/// The current one, then the previous one.
fn read_fallback_keys(reader: &mut Reader<'_>) -> Result<Vec<OneTimeKeyState>, LibolmPickleError> {
    let field = Field::FallbackKeys;
    let count = within(field, reader.u8(field)?, MAX_FALLBACK_KEYS)?;
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        keys.push(read_key(reader, field)?);
    }
    Ok(keys)
}

/// Version 3 has room for two and no number: those that are there are marked as published, be they or not.
fn read_fallback_keys_3(reader: &mut Reader<'_>) -> Result<Vec<OneTimeKeyState>, LibolmPickleError> {
    let field = Field::FallbackKeys;
    let mut keys = Vec::with_capacity(MAX_FALLBACK_KEYS);
    for record in [reader.bytes::<KEY_LEN>(field)?, reader.bytes::<KEY_LEN>(field)?] {
        let [_, _, _, _, is_there, ..] = record;
        // Without a current key there is no previous one.
        if *is_there == 0 {
            break;
        }
        keys.push(read_key(&mut Reader::new(record), field)?);
    }
    Ok(keys)
}

/// `number (4) ‖ published (1) ‖ public (32) ‖ secret (32)`.
fn read_key(reader: &mut Reader<'_>, field: Field) -> Result<OneTimeKeyState, LibolmPickleError> {
    Ok(OneTimeKeyState {
        number: reader.u32(field)?,
        short_id: true,
        published: reader.flag(field)?,
        key: reader.curve25519_pair(field)?,
    })
}

fn write_key(writer: &mut Writer, key: &OneTimeKeyState) {
    writer.u32(key.number);
    writer.flag(key.published);
    writer.curve25519_pair(&key.key);
}

/// Two keys with one number would be published under one name; one key twice would not be a one-time key.
fn check_distinct(keys: &[OneTimeKeyState], field: Field) -> Result<(), LibolmPickleError> {
    let same = |a: &OneTimeKeyState, b: &OneTimeKeyState| {
        a.number == b.number || a.key.public_key() == b.key.public_key()
    };
    let mut rest = keys;
    while let Some((key, others)) = rest.split_first() {
        if others.iter().any(|other| same(key, other)) {
            return Err(LibolmPickleError::Repeated { field });
        }
        rest = others;
    }
    Ok(())
}

/// The version that is written.
const VERSION: u32 = 4;

/// The current and the previous one.
const MAX_FALLBACK_KEYS: usize = 2;

/// Bytes of a one-time or fallback key.
const KEY_LEN: usize = 69;
