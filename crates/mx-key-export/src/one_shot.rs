use alloc::vec::Vec;
use core::{convert::Infallible, fmt, num::NonZeroU32};

use mx_room_key::ExportedSessionData;
use rand_core::TryCryptoRng;

use crate::{
    EntryError, KeyDerivation, KeyExport, KeyExportWriter, MAX_ROUNDS, NewKeysError, ReadError,
    TooManyRounds, WriteError,
};

/// Reads a whole file in memory, with at most [`MAX_ROUNDS`] rounds.
///
/// # Errors
///
/// [`ReadWholeError`]. Entries that are no sessions are no error: they are listed beside those that are.
pub fn read(text: &[u8], passphrase: &str) -> Result<ReadSessions, ReadWholeError> {
    let mut file = KeyExport::from_slice(text)?;
    let keys = file.derive(passphrase, MAX_ROUNDS)?.finish();
    let mut found = file.sessions(&keys)?;
    let mut read = ReadSessions { sessions: Vec::new(), refused: Vec::new() };
    while let Some(session) = found.next_session()? {
        match session {
            Ok(session) => read.sessions.push(session.into_owned()),
            Err(error) => read.refused.push(error),
        }
    }
    Ok(read)
}

/// Writes a whole file to memory. `rounds` are [`DEFAULT_ROUNDS`](crate::DEFAULT_ROUNDS) if nothing speaks for another
/// number.
///
/// # Errors
///
/// [`WriteWholeError`].
pub fn write<'s, R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    passphrase: &str,
    rounds: NonZeroU32,
    sessions: impl IntoIterator<Item = &'s ExportedSessionData<'s>>,
) -> Result<Vec<u8>, WriteWholeError> {
    let keys = KeyDerivation::new(rng, passphrase, rounds)?.finish();
    let mut writer = KeyExportWriter::new(rng, &keys, Vec::new())?;
    for session in sessions {
        writer.write(session)?;
    }
    Ok(writer.finish()?)
}

/// What was in a file.
#[derive(Debug)]
pub struct ReadSessions {
    /// The sessions, in the order of the file.
    pub sessions: Vec<ExportedSessionData<'static>>,
    /// The entries that are none.
    pub refused: Vec<EntryError>,
}

/// Why a file in memory was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadWholeError {
    /// The file asks for more than [`MAX_ROUNDS`] rounds.
    TooManyRounds(TooManyRounds),
    /// What [`KeyExport`] and its sessions say.
    Read(ReadError<Infallible>),
}

impl fmt::Display for ReadWholeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRounds(error) => error.fmt(f),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReadWholeError {}

impl From<TooManyRounds> for ReadWholeError {
    fn from(error: TooManyRounds) -> Self {
        Self::TooManyRounds(error)
    }
}

impl From<ReadError<Infallible>> for ReadWholeError {
    fn from(error: ReadError<Infallible>) -> Self {
        Self::Read(error)
    }
}

/// Why a file was not written to memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteWholeError {
    /// No keys were made.
    Keys(NewKeysError),
    /// What [`KeyExportWriter`] says.
    Write(WriteError<Infallible>),
}

impl fmt::Display for WriteWholeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WriteWholeError {}

impl From<NewKeysError> for WriteWholeError {
    fn from(error: NewKeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<WriteError<Infallible>> for WriteWholeError {
    fn from(error: WriteError<Infallible>) -> Self {
        Self::Write(error)
    }
}
