use core::fmt;

use mx_qr_code::{CodeError, DisplayError, ScanError};
use mx_types::RandomnessFailed;

/// Why no request was made. Nothing has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no device that it could go to.
    NoDevices,
    /// There are more devices than a request may go to.
    TooManyDevices {
        /// How many.
        count: usize,
    },
    /// There are as many verifications as are allowed at a time.
    TooManyFlows,
    /// Our own devices are not verified in rooms.
    OwnUserInRoom,
    /// A device ID of one of the users is one of the user's cross-signing keys: warn.
    DeviceIdIsSigningKey,
    /// No request of this name waits for the ID of its event.
    UnknownRequest,
    /// The ID of the event is empty or too long.
    EventId,
    /// The random generator failed.
    RandomnessFailed(RandomnessFailed),
}

impl From<RandomnessFailed> for RequestError {
    fn from(error: RandomnessFailed) -> Self {
        Self::RandomnessFailed(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDevices => "no device to send the request to",
            Self::TooManyDevices { count } => {
                return write!(f, "{count} devices, more than a request goes to");
            }
            Self::TooManyFlows => "too many verifications at a time; cancel one",
            Self::OwnUserInRoom => "own devices are verified by to-device messages, not in a room",
            Self::DeviceIdIsSigningKey => "a device ID of the user is one of the user's cross-signing keys",
            Self::UnknownRequest => "no such request is being sent",
            Self::EventId => "ID of the event does not have 1 to 255 bytes",
            Self::RandomnessFailed(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for RequestError {}

/// Why something could not be done in a verification. It stands where it stood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ActError {
    /// There is no such verification, or it is over.
    UnknownFlow,
    /// It has no place where the verification stands.
    NotNow,
    /// The two sides have no method in common: the request can only be cancelled.
    NoCommonMethod,
    /// Not both sides can do this.
    NotInCommon,
    /// A device list is outdated: query the keys of the user, and our own, then try again.
    KeysOutdated,
    /// The other device is not in its user's list: query the keys of the user, then try again.
    UnknownDevice,
    /// A master signing key that a code needs is not known, or ours is not verified on this device.
    NoMasterSigningKey,
    /// The code cannot be read.
    Code(CodeError),
    /// The code is not for this verification, or this device cannot vouch for what it says.
    Scan(ScanError),
    /// There is no code to be displayed.
    Display(DisplayError),
    /// The random generator failed.
    RandomnessFailed(RandomnessFailed),
}

impl From<RandomnessFailed> for ActError {
    fn from(error: RandomnessFailed) -> Self {
        Self::RandomnessFailed(error)
    }
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFlow => "no such verification, or it is over",
            Self::NotNow => "that cannot be done at this point of the verification",
            Self::NoCommonMethod => "the two sides have no method in common",
            Self::NotInCommon => "not both sides can do that",
            Self::KeysOutdated => "a device list is outdated; query it first",
            Self::UnknownDevice => "the other device is not in the list of its user; query that first",
            Self::NoMasterSigningKey => {
                "a master signing key is missing or not verified; compare short strings"
            }
            Self::Code(error) => return error.fmt(f),
            Self::Scan(error) => return error.fmt(f),
            Self::Display(error) => return error.fmt(f),
            Self::RandomnessFailed(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for ActError {}
