//! Who may have a secret of ours.

use alloc::string::String;
use core::fmt;

use mx_types::{DeviceId, UserId};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::secret_send;

/// A device as the caller's device list has it, and never as a message describes it: for an Olm message the device that has
/// the sender key of the session, for a request the device of that ID of the user who sent it.
#[derive(Clone, Copy, Debug)]
pub struct KnownDevice<'a> {
    /// Its owner.
    pub user_id: UserId<'a>,
    /// Its ID.
    pub device_id: DeviceId<'a>,
    /// How far it is trusted.
    pub trust: OwnDeviceTrust,
}

/// How far a device of our own user is trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnDeviceTrust {
    /// Verified, and signed by our self-signing key of a verified identity.
    CrossSigned,
    /// Verified on this device, and not signed: others of our devices do not know of it.
    VerifiedHere,
    /// Not verified.
    NotVerified,
}

/// Says that one device may have the answer to one request: what [`SecretSharing::permit`](crate::SecretSharing::permit) gives.
#[derive(Debug)]
#[must_use]
pub struct AnswerPermit {
    pub(crate) request_id: String,
    pub(crate) name: String,
    pub(crate) device_id: String,
}

/// What to send.
pub struct SecretAnswer {
    /// The content of `m.secret.send`, to be encrypted with Olm. Wiped when dropped.
    pub content: Zeroizing<String>,
    /// The one device of our own user to send it to.
    pub device_id: String,
}

impl AnswerPermit {
    /// The name of the secret that was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device that may have it.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// The answer. `secret` is the one of that [name](Self::name).
    #[must_use]
    pub fn answer(self, secret: &Secret) -> SecretAnswer {
        SecretAnswer { content: secret_send::emit(&self.request_id, secret), device_id: self.device_id }
    }
}

impl fmt::Debug for SecretAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretAnswer").field("device_id", &self.device_id).finish_non_exhaustive()
    }
}

/// Why a device does not get a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnswerRefused {
    /// It is another user's.
    NotOwnUser,
    /// It has not asked, or no longer wants it, or has been answered.
    NotRequested,
    /// It is not verified. It may ask for that; the request stays open.
    NotVerified,
    /// It is verified on this device only. The request stays open until it is signed, too.
    NotCrossSigned,
}

impl fmt::Display for AnswerRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOwnUser => "secrets are shared with own devices only",
            Self::NotRequested => "device has no open request of this ID",
            Self::NotVerified => "device is not verified",
            Self::NotCrossSigned => "device is not cross-signed",
        })
    }
}

impl core::error::Error for AnswerRefused {}
