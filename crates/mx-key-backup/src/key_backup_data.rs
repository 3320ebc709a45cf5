use alloc::{format, string::String};

use mx_json::{
    MalformedObject,
    required::{boolean, count, object},
};

use crate::{EncryptedSessionData, SessionDataError};

/// An entry of a backup: an encrypted session, and what the server is told about it.
///
/// What it is told is cleartext, and nobody's word but the server's. It decides which of two entries the server keeps,
/// and nothing else: the first message index of a session is the one in its session key.
///
/// Client-server API, "Server-side key backups", `KeyBackupData`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyBackupData {
    /// The first message index that the session decrypts.
    pub first_message_index: u64,
    /// How often the session was forwarded between devices.
    pub forwarded_count: u64,
    /// Whether the device that made the entry had verified the device that the session is from.
    pub is_verified: bool,
    /// The session.
    pub session_data: EncryptedSessionData,
}

impl KeyBackupData {
    /// Reads the object. To restore a session, `session_data` is enough: see [`Entry::decrypt`](crate::Entry::decrypt).
    ///
    /// # Errors
    ///
    /// [`SessionDataError`].
    pub fn parse(json: &[u8]) -> Result<Self, SessionDataError> {
        let [index, forwarded, verified, session_data] = mx_json::members(
            json,
            &["first_message_index", "forwarded_count", "is_verified", "session_data"],
        )?;
        Ok(Self {
            first_message_index: count(index, "first_message_index")?,
            forwarded_count: count(forwarded, "forwarded_count")?,
            is_verified: boolean(verified, "is_verified")?,
            session_data: EncryptedSessionData::parse(object(session_data, "session_data")?)?,
        })
    }

    /// The object.
    #[must_use]
    pub fn emit(&self) -> String {
        format!(
            r#"{{"first_message_index":{},"forwarded_count":{},"is_verified":{},"session_data":{}}}"#,
            self.first_message_index,
            self.forwarded_count,
            self.is_verified,
            self.session_data.emit(),
        )
    }

    /// Whether a server that has `stored` under the same room and session takes this entry instead: one that is verified
    /// before one that is not, then the lower first index, then the fewer forwards. Of equal entries it keeps what it has.
    #[must_use]
    pub fn replaces(&self, stored: &Self) -> bool {
        let rank = |data: &Self| (!data.is_verified, data.first_message_index, data.forwarded_count);
        rank(self) < rank(stored)
    }
}

/// The `session_data` of an entry, whatever the rest is.
pub(crate) fn session_data(entry: &[u8]) -> Result<&[u8], MalformedObject> {
    let [session_data] = mx_json::members(entry, &["session_data"])?;
    object(session_data, "session_data")
}
