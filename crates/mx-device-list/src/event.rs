//! What a response brought that somebody should know.

use alloc::string::String;
use core::fmt;

use mx_signing::DeviceRefused;
use mx_types::Curve25519PublicKey;

/// Something that a response brought. Each is reported by the response that brought it, and not again by the next that says the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The user.
    pub user_id: String,
    /// The device, if it is about one.
    pub device_id: Option<String>,
    /// What it is.
    pub what: What,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A new device: hand it to whoever shares room keys before the next message, and look again at stored sessions
    /// that came from its key.
    DeviceNew {
        /// Its identity key for Olm.
        curve25519: Option<Curve25519PublicKey>,
        /// Whether it is one that was deleted before, with the same Ed25519 key. Otherwise nothing that was said about a device of that ID
        /// is said about this one.
        returned: bool,
    },
    /// The device has uploaded another object, signed by the same key.
    DeviceChanged {
        /// Its identity key for Olm.
        curve25519: Option<Curve25519PublicKey>,
        /// Whether that is another one than before: it is a new recipient of room keys then.
        other_curve25519: bool,
    },
    /// The device is gone: nothing more is encrypted for it, and room keys that it has must be replaced.
    DeviceDeleted {
        /// Its identity key for Olm.
        curve25519: Option<Curve25519PublicKey>,
    },
    /// The device is not taken. What was stored of it stays.
    DeviceRefused(DeviceRefused),
    /// This device is not in our own list. What is stored of it stays.
    ThisDeviceMissing,
    /// Nothing of the user is taken. The list that is stored stays, and is outdated.
    UserRefused(UserRefused),
}

impl What {
    /// Whether it is a complaint, which is not repeated.
    pub(crate) const fn is_complaint(&self) -> bool {
        matches!(self, Self::DeviceRefused(_) | Self::ThisDeviceMissing | Self::UserRefused(_))
    }
}

/// Why nothing of a user is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UserRefused {
    /// What the response has about the user is not an object, or has a device twice.
    Malformed,
    /// The user has more devices than are taken. To take some would be to leave out recipients silently.
    TooManyDevices {
        /// How many.
        count: usize,
    },
    /// The response is about more users than are taken.
    TooManyUsers {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for UserRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("response about the user is malformed"),
            Self::TooManyDevices { count } => write!(f, "user has {count} devices, more than are taken"),
            Self::TooManyUsers { count } => write!(f, "response has {count} users, more than are taken"),
        }
    }
}

impl core::error::Error for UserRefused {}
