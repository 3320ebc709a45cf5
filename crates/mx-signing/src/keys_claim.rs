//! The answer to `/keys/claim`.

use core::fmt;

use mx_types::{DeviceId, Ed25519PublicKey, KeyId, UserId};

use crate::keys_upload::SIGNED_CURVE25519;
use crate::members::{MalformedResponse, Members, parse_response};
use crate::one_time_key::{OneTimeKey, OneTimeKeyError};
use crate::verified::Verified;

/// The keys in an answer to `POST /_matrix/client/v3/keys/claim`.
///
/// One malformed key takes nothing from the other devices: without a valid key there is no Olm session with that one.
#[derive(Clone, Debug)]
pub struct KeysClaimResponse<'t> {
    users: Members<'t>,
}

impl<'t> KeysClaimResponse<'t> {
    /// Reads the body of the answer.
    ///
    /// # Errors
    ///
    /// [`MalformedResponse`] when it is not an object with an object `one_time_keys`.
    pub fn parse(body: &'t str) -> Result<Self, MalformedResponse> {
        Ok(Self { users: parse_response(body, "one_time_keys")? })
    }

    /// The key that was claimed from a device, verified with the device's Ed25519 key. It may be a fallback key.
    ///
    /// # Errors
    ///
    /// A [`ClaimError`].
    pub fn one_time_key(
        &self,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        ed25519: Ed25519PublicKey,
    ) -> Result<Verified<OneTimeKey>, ClaimError> {
        let devices = self.users.get(user_id.as_str()).ok_or(ClaimError::NoKey)?;
        let devices = Members::parse(devices).ok_or(ClaimError::Malformed)?;
        let keys = devices.get(device_id.as_str()).ok_or(ClaimError::NoKey)?;
        let keys = Members::parse(keys).ok_or(ClaimError::Malformed)?;

        let mut signed = keys.iter().filter(|(key_id, _)| {
            KeyId::parse(key_id).is_ok_and(|key_id| key_id.algorithm() == SIGNED_CURVE25519)
        });
        match (signed.next(), signed.next()) {
            (Some((_, text)), None) => {
                OneTimeKey::verify(text, user_id, device_id, ed25519).map_err(ClaimError::Key)
            }
            (Some(_), Some(_)) => Err(ClaimError::Malformed),
            (None, _) if keys.iter().next().is_some() => Err(ClaimError::UnsupportedAlgorithm),
            (None, _) => Err(ClaimError::NoKey),
        }
    }
}

/// Why there is no key to open an Olm session with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The answer has no key of the device: it has none left, or its server could not be reached.
    NoKey,
    /// The answer has only keys of other algorithms, such as unsigned ones.
    UnsupportedAlgorithm,
    /// What the answer has about the user or the device is not an object, has a key twice, or several keys.
    Malformed,
    /// The key is not taken.
    Key(OneTimeKeyError),
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("response has no key of the device"),
            Self::UnsupportedAlgorithm => f.write_str("response has no signed key of the device"),
            Self::Malformed => f.write_str("response about the device is malformed"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ClaimError {}
