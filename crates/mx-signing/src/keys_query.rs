//! The answer to `/keys/query`.

use alloc::collections::BTreeSet;
use core::fmt;

use mx_types::UserId;

use crate::members::{MalformedResponse, Members};
use crate::memory::SignatureMemory;
use crate::queried_device::QueriedDevice;

/// The devices and cross-signing keys in an answer to `POST /_matrix/client/v3/keys/query`.
///
/// One malformed device, or one malformed user, takes nothing from the others. Users who were not asked for are not
/// looked at.
#[derive(Clone, Debug)]
pub struct KeysQueryResponse<'t> {
    users: Members<'t>,
    /// Nothing, if the member is there and not an object.
    master_keys: Option<Members<'t>>,
    self_signing_keys: Option<Members<'t>>,
    user_signing_keys: Option<Members<'t>>,
    failures: Option<Members<'t>>,
}

impl<'t> KeysQueryResponse<'t> {
    /// Reads the body of the answer.
    ///
    /// # Errors
    ///
    /// [`MalformedResponse`] when it is not an object, or its `device_keys` is there and not an object. No member of an answer
    /// is required: there are servers that leave out what is empty.
    pub fn parse(body: &'t str) -> Result<Self, MalformedResponse> {
        let response = Members::parse(body).ok_or(MalformedResponse)?;
        let keys = |name| response.get(name).map_or_else(|| Some(Members::default()), Members::parse);
        Ok(Self {
            users: keys("device_keys").ok_or(MalformedResponse)?,
            master_keys: keys("master_keys"),
            self_signing_keys: keys("self_signing_keys"),
            user_signing_keys: keys("user_signing_keys"),
            failures: keys("failures"),
        })
    }

    /// How many users `device_keys` has; nothing of them was looked at.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.users.iter().count()
    }

    /// Everybody of whom the answer has devices or a key, asked for or not, in order.
    #[must_use]
    pub fn user_ids(&self) -> BTreeSet<&str> {
        let keys = [&self.master_keys, &self.self_signing_keys, &self.user_signing_keys];
        let members = keys.into_iter().flatten().chain([&self.users]);
        members.flat_map(Members::iter).map(|(user_id, _)| user_id).collect()
    }

    /// The names of the servers that could not be reached: nothing is known of their users who are not in the answer.
    ///
    /// # Errors
    ///
    /// [`MalformedResponse`] when `failures` is not an object.
    pub fn failures(&self) -> Result<impl Iterator<Item = &str>, MalformedResponse> {
        let failures = self.failures.as_ref().ok_or(MalformedResponse)?;
        Ok(failures.iter().map(|(server_name, _)| server_name))
    }

    /// The object of the user's master signing key as it came: nothing of it was looked at.
    ///
    /// # Errors
    ///
    /// [`QueryError::NoAnswer`] when there is none, [`QueryError::Malformed`] when `master_keys` is not an object.
    pub fn master_key(&self, user_id: UserId<'_>) -> Result<&'t str, QueryError> {
        signing_key(self.master_keys.as_ref(), user_id)
    }

    /// The object of the user's self-signing key, as [`master_key`](Self::master_key).
    ///
    /// # Errors
    ///
    /// As [`master_key`](Self::master_key).
    pub fn self_signing_key(&self, user_id: UserId<'_>) -> Result<&'t str, QueryError> {
        signing_key(self.self_signing_keys.as_ref(), user_id)
    }

    /// The object of the user's user-signing key, as [`master_key`](Self::master_key). Only its owner gets it.
    ///
    /// # Errors
    ///
    /// As [`master_key`](Self::master_key).
    pub fn user_signing_key(&self, user_id: UserId<'_>) -> Result<&'t str, QueryError> {
        signing_key(self.user_signing_keys.as_ref(), user_id)
    }

    /// How many devices the answer has of the user; nothing of them was looked at.
    ///
    /// # Errors
    ///
    /// A [`QueryError`].
    pub fn device_count(&self, user_id: UserId<'_>) -> Result<usize, QueryError> {
        Ok(self.members(user_id)?.iter().count())
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
        let members = self.members(user_id)?.into_iter();
        Ok(members.map(move |(device_id, text)| QueriedDevice::read(None, user_id, device_id, text)))
    }

    /// [`devices`](Self::devices), some of which may have been verified before.
    ///
    /// # Errors
    ///
    /// As [`devices`](Self::devices).
    pub fn devices_with(
        &self,
        memory: &mut SignatureMemory,
        user_id: UserId<'_>,
    ) -> Result<impl Iterator<Item = QueriedDevice<'t>>, QueryError> {
        let members = self.members(user_id)?.into_iter();
        Ok(members.map(move |(device_id, text)| QueriedDevice::read(Some(memory), user_id, device_id, text)))
    }

    fn members(&self, user_id: UserId<'_>) -> Result<Members<'t>, QueryError> {
        let user = self.users.get(user_id.as_str()).ok_or(QueryError::NoAnswer)?;
        Members::parse(user).ok_or(QueryError::Malformed)
    }
}

fn signing_key<'t>(keys: Option<&Members<'t>>, user_id: UserId<'_>) -> Result<&'t str, QueryError> {
    keys.ok_or(QueryError::Malformed)?.get(user_id.as_str()).ok_or(QueryError::NoAnswer)
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
