use core::fmt;

use mx_room_key::{MalformedObject, ParseError};
use mx_types::{InvalidIdentifier, RoomId, SessionId};

use crate::{
    BackupDecryptionKey, DecryptError, EncryptedSessionData, KeyBackupData, MAX_ENTRY_LEN, RestoredSession,
    SessionDataError, key_backup_data::session_data,
};

/// An entry of an answer, as it stands there.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub(crate) position: u64,
    pub(crate) room_id: &'a str,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) json: Result<&'a [u8], EntryError>,
}

impl<'a> Entry<'a> {
    /// Which entry: 0 is the first.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The room under which it stands: any text, as much as there is of it if it is too long.
    #[must_use]
    pub const fn room_id(&self) -> &'a str {
        self.room_id
    }

    /// The session under which it stands, likewise; `None` if the fault is that of a room as a whole.
    #[must_use]
    pub const fn session_id(&self) -> Option<&'a str> {
        self.session_id
    }

    /// The entry as JSON, unread.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if it has no place, or is too long.
    pub const fn json(&self) -> Result<&'a [u8], EntryError> {
        self.json
    }

    /// The entry with what the server was told about the session.
    ///
    /// # Errors
    ///
    /// [`EntryError`].
    pub fn data(&self) -> Result<KeyBackupData, EntryError> {
        KeyBackupData::parse(self.json?).map_err(EntryError::Data)
    }

    /// Decrypts the session. What the server was told about it is not looked at: it says nothing.
    ///
    /// # Errors
    ///
    /// [`EntryError`]. It is of this entry only: go on with the others.
    pub fn decrypt(&self, key: &BackupDecryptionKey) -> Result<RestoredSession<'a>, EntryError> {
        let (room_id, session_id) = self.place()?;
        let data = session_data(self.json?).map_err(SessionDataError::Object).map_err(EntryError::Data)?;
        let data = EncryptedSessionData::parse(data).map_err(EntryError::Data)?;
        key.decrypt(room_id, session_id, &data).map_err(EntryError::Decrypt)
    }

    /// The room and the session, if they can be IDs.
    ///
    /// # Errors
    ///
    /// [`EntryError`].
    pub fn place(&self) -> Result<(RoomId<'a>, SessionId<'a>), EntryError> {
        self.json?;
        let room_id = RoomId::parse(self.room_id).map_err(EntryError::RoomId)?;
        let session_id =
            SessionId::parse(self.session_id.unwrap_or_default()).map_err(EntryError::SessionId)?;
        Ok((room_id, session_id))
    }
}

/// What is wrong with an entry. The others are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EntryError {
    /// It is longer than [`MAX_ENTRY_LEN`].
    TooLong,
    /// Room or session stand under a name that is no text, or longer than IDs are.
    Name,
    /// A room is no object, or has no object `sessions` in it.
    Room(MalformedObject),
    /// The room stands under what is no room ID.
    RoomId(InvalidIdentifier),
    /// The session stands under what is no session ID.
    SessionId(InvalidIdentifier),
    /// It is no entry of a backup of this algorithm.
    Data(SessionDataError),
    /// It was not decrypted.
    Decrypt(DecryptError),
}

impl EntryError {
    /// Whether it is a session of an algorithm that is not known: nothing is wrong with it.
    #[must_use]
    pub const fn is_unknown_algorithm(&self) -> bool {
        matches!(self, Self::Decrypt(DecryptError::Session(ParseError::Algorithm)))
    }
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {MAX_ENTRY_LEN} bytes"),
            Self::Name => f.write_str("name of room or session is no text, or too long"),
            Self::Room(error) => write!(f, "room: {error}"),
            Self::RoomId(error) => write!(f, "room ID: {error}"),
            Self::SessionId(error) => write!(f, "session ID: {error}"),
            Self::Data(error) => error.fmt(f),
            Self::Decrypt(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EntryError {}
