use core::fmt;

use mx_qr_code::{ScanError, WrongSecret};
use mx_sas::SasError;

/// Why this device has cancelled. The one place that knows which code that is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Our user has.
    User,
    /// It took too long, or the client was restarted.
    Timeout,
    /// There is no such verification.
    UnknownTransaction,
    /// A method that is not known, or was not listed; or there is none that both can do.
    UnknownMethod,
    /// A message that has no place where the verification stands.
    UnexpectedMessage,
    /// A message that cannot be read.
    InvalidMessage,
    /// Another device has answered the request first.
    Accepted,
    /// The other side had asked at the same time, and its request counts.
    CrossingRequest,
    /// The same device has begun another verification meanwhile. All of them end.
    SeveralAttempts,
    /// The other device is not in its user's list, also after a query.
    UnknownDevice,
    /// Keys are others than when the verification began.
    KeysChanged,
    /// A device ID of one of the users is one of the user's cross-signing keys: warn, somebody has done that on purpose.
    DeviceIdIsSigningKey,
    /// The users have seen different short strings: warn, somebody is between them.
    MismatchedSas,
    /// Comparing short strings has failed.
    Sas(SasError),
    /// The code that was scanned has other keys: warn, somebody may be between the users.
    Scan(ScanError),
    /// The other side has not scanned our code, but says so: warn, that may be an attack.
    WrongSecret(WrongSecret),
}

impl Reason {
    /// The code to cancel with.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::User | Self::CrossingRequest => USER,
            Self::Timeout => "m.timeout",
            Self::UnknownTransaction => "m.unknown_transaction",
            Self::UnknownMethod => "m.unknown_method",
            Self::UnexpectedMessage | Self::SeveralAttempts => "m.unexpected_message",
            Self::InvalidMessage => "m.invalid_message",
            Self::Accepted => ACCEPTED,
            Self::UnknownDevice | Self::KeysChanged | Self::DeviceIdIsSigningKey => KEY_MISMATCH,
            Self::MismatchedSas => "m.mismatched_sas",
            Self::Sas(error) => error.cancel_code(),
            Self::Scan(error) => match error.cancel_code() {
                Some(code) => code,
                None => KEY_MISMATCH,
            },
            Self::WrongSecret(_) => WrongSecret::CANCEL_CODE,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "the user has cancelled",
            Self::Timeout => "the verification took too long",
            Self::UnknownTransaction => "there is no such verification",
            Self::UnknownMethod => "there is no method that both devices have",
            Self::UnexpectedMessage => "the message was not expected",
            Self::InvalidMessage => "the message cannot be read",
            Self::Accepted => "another device has accepted the request",
            Self::CrossingRequest => "both have asked, and the other request counts",
            Self::SeveralAttempts => "more than one verification between the same devices",
            Self::UnknownDevice => "the device is not in the list of its user",
            Self::KeysChanged => "a key has changed during the verification",
            Self::DeviceIdIsSigningKey => "a device ID of the user is one of the user's cross-signing keys",
            Self::MismatchedSas => "the short strings differ",
            Self::Sas(error) => return error.fmt(f),
            Self::Scan(error) => return error.fmt(f),
            Self::WrongSecret(error) => return error.fmt(f),
        })
    }
}

/// Whether what a code means is known, so that a `reason` says nothing more.
pub(crate) fn is_known(code: &str) -> bool {
    KNOWN.contains(&code)
}

pub(crate) const ACCEPTED: &str = "m.accepted";
pub(crate) const USER: &str = "m.user";
const KEY_MISMATCH: &str = "m.key_mismatch";

/// Client-server API, `m.key.verification.cancel`; the last two are those of SAS.
const KNOWN: [&str; 11] = [
    USER,
    "m.timeout",
    "m.unknown_transaction",
    "m.unknown_method",
    "m.unexpected_message",
    KEY_MISMATCH,
    "m.user_mismatch",
    "m.invalid_message",
    ACCEPTED,
    "m.mismatched_commitment",
    "m.mismatched_sas",
];
