use core::fmt;

use mx_types::base64::DecodeError;

/// Why a verification ends here. Its flow is over: cancel it with [`cancel_code`](Self::cancel_code).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SasError {
    /// There is nothing in one of the lists of the `start` that we have.
    NoCommonMethod,
    /// The `accept` has chosen what the `start` does not have.
    NotOffered,
    /// A key, commitment or MAC is not 32 bytes of Base64, or there are more than [`MAX_MACS`](crate::MAX_MACS).
    Malformed(DecodeError),
    /// There are more MACs than anybody has keys.
    TooManyMacs {
        /// How many.
        count: usize,
    },
    /// The key is not the one to which the other side had committed itself before it saw ours.
    Commitment,
    /// The key is no point that contributes to a secret, or is our own.
    UnusableKey,
    /// A MAC is wrong: the key is not the one that we know, or the list of keys was changed.
    KeyMismatch,
    /// A key ID stands twice among the MACs, or could mean the other device as well as its user.
    AmbiguousKeyId,
    /// All MACs are right, and none is of a key that we know.
    NothingVerified,
}

impl SasError {
    /// The code to cancel with.
    #[must_use]
    pub const fn cancel_code(&self) -> &'static str {
        match self {
            Self::NoCommonMethod | Self::NotOffered => "m.unknown_method",
            Self::Malformed(_) | Self::TooManyMacs { .. } => "m.invalid_message",
            Self::Commitment => "m.mismatched_commitment",
            Self::UnusableKey | Self::KeyMismatch | Self::AmbiguousKeyId | Self::NothingVerified => {
                "m.key_mismatch"
            }
        }
    }
}

impl From<DecodeError> for SasError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for SasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCommonMethod => "the two sides have no method in common",
            Self::NotOffered => "the other side has chosen a method that was not offered",
            Self::Malformed(error) => return write!(f, "not 32 bytes of Base64: {error}"),
            Self::TooManyMacs { count } => return write!(f, "{count} MACs, where 64 are allowed"),
            Self::Commitment => "the other side's key is not the one that it had committed itself to",
            Self::UnusableKey => "the other side's key cannot be used",
            Self::KeyMismatch => "a key of the other side is not the one that this device knows",
            Self::AmbiguousKeyId => "the ID of a key of the other side is ambiguous",
            Self::NothingVerified => "the other side has vouched for no key that this device knows",
        })
    }
}

impl core::error::Error for SasError {}
