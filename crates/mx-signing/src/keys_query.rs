//! The answer to `/keys/query`.

use alloc::string::String;
use core::fmt;

use mx_types::{DeviceId, UserId};

use crate::device_keys::{DeviceKeys, DeviceKeysError};
use crate::members::{MalformedResponse, Members, parse_response};
use crate::verified::Verified;

/// The devices in an answer to `POST /_matrix/client/v3/keys/query`.
///
/// One malformed device, or one malformed user, takes nothing from the others. Users who were not asked for are not
/// looked at.
#[derive(Clone, Debug)]
pub struct KeysQueryResponse<'t> {
    users: Members<'t>,
}

/// One device in the answer.
#[derive(Clone, Debug)]
pub struct QueriedDevice<'t> {
    /// The ID under which the server lists it.
    pub device_id: String,
    /// The object as it came, for the signatures of others on it ([`SignedObject`](crate::SignedObject)) and its
    /// unauthenticated part.
    pub text: &'t str,
    /// Its keys, or why they are not taken.
    pub keys: Result<Verified<DeviceKeys>, DeviceKeysError>,
}

impl<'t> KeysQueryResponse<'t> {
    /// Reads the body of the answer.
    ///
    /// # Errors
    ///
    /// [`MalformedResponse`] when it is not an object with an object `device_keys`.
    pub fn parse(body: &'t str) -> Result<Self, MalformedResponse> {
        Ok(Self { users: parse_response(body, "device_keys")? })
    }

    /// The devices of one user, in the order of their IDs. Each is verified when the iterator comes to it.
    ///
    /// # Errors
    ///
    /// A [`QueryError`]. A user who is not in the answer may well have devices.
    pub fn devices(
        &self,
        user_id: UserId<'_>,
    ) -> Result<impl Iterator<Item = QueriedDevice<'t>>, QueryError> {
        let user = self.users.get(user_id.as_str()).ok_or(QueryError::NoAnswer)?;
        let devices = Members::parse(user).ok_or(QueryError::Malformed)?;
        Ok(devices.into_iter().map(move |(device_id, text)| {
            let keys = match DeviceId::parse(&device_id) {
                Ok(device_id) => DeviceKeys::verify(text, user_id, device_id),
                Err(error) => Err(DeviceKeysError::Identifier(error)),
            };
            QueriedDevice { device_id, text, keys }
        }))
    }
}

/// Why an answer says nothing about the devices of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum QueryError {
    /// The user is not in the answer, be it that the user does not exist or that the server could not be reached.
    NoAnswer,
    /// What the answer has about the user is not an object, or has a device twice.
    Malformed,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "user is not in the response",
            Self::Malformed => "response about the user is malformed",
        })
    }
}

impl core::error::Error for QueryError {}
