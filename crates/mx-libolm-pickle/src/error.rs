use core::fmt;

use mx_types::{InvalidKey, base64::DecodeError};

/// Why a pickle was not read.
///
/// The variants up to [`Self::WrongKey`] concern what came in; those behind it can only come from whoever had the pickle
/// key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LibolmPickleError {
    /// The text is longer than [`MAX_PICKLE_LEN`](crate::MAX_PICKLE_LEN).
    TooLong {
        /// Characters of the text.
        len: usize,
    },
    /// The text is not Base64.
    Base64(DecodeError),
    /// No pickle has this length.
    WrongLength {
        /// Bytes that the text stands for.
        len: usize,
    },
    /// The MAC is another: the pickle key is wrong, or the pickle was changed.
    WrongKey,
    /// The padding is not PKCS#7.
    Padding,
    /// No layout of this version is known for what was to be read.
    UnsupportedVersion {
        /// The version.
        version: u32,
    },
    /// The account is of version 1, with another kind of Ed25519 key. libolm refuses it, too.
    LegacyAccount,
    /// The pickle ends within a field.
    Ended {
        /// The field.
        field: Field,
    },
    /// There are bytes behind the layout.
    TrailingBytes {
        /// How many.
        len: usize,
    },
    /// There are more items than libolm ever has.
    TooMany {
        /// The items.
        field: Field,
        /// How many there are said to be.
        count: u32,
        /// How many there may be.
        limit: usize,
    },
    /// A public key is not one that an honest device has.
    InvalidKey {
        /// The field.
        field: Field,
        /// What is wrong with it.
        error: InvalidKey,
    },
    /// A public key does not belong to the secret key beside it. To sign with both would give the secret key away.
    PublicKeyMismatch {
        /// The field.
        field: Field,
    },
    /// A key, its number, a chain, or the index of a skipped message is there twice.
    Repeated {
        /// The field.
        field: Field,
    },
    /// A session has neither a sender nor a receiver chain.
    NoChain,
    /// The key of a skipped message is one that its chain has not reached.
    NotSkipped,
    /// The latest ratchet of an inbound group session does not follow from the earliest one.
    UnreachableLatestRatchet,
    /// The pickle is right, but has more keys than the type that it was to become has room for.
    Capacity,
}

impl fmt::Display for LibolmPickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => write!(f, "a text of {len} characters is too long for a pickle"),
            Self::Base64(error) => error.fmt(f),
            Self::WrongLength { len } => write!(f, "no pickle has {len} bytes"),
            Self::WrongKey => f.write_str("wrong pickle key, or the pickle was changed"),
            Self::Padding => f.write_str("the padding is wrong"),
            Self::UnsupportedVersion { version } => write!(f, "version {version} is not supported"),
            Self::LegacyAccount => f.write_str("accounts of version 1 are not supported"),
            Self::Ended { field } => write!(f, "the pickle ends within the {field}"),
            Self::TrailingBytes { len } => write!(f, "{len} bytes too many"),
            Self::TooMany { field, count, limit } => write!(f, "{count} {field}, {limit} at most"),
            Self::InvalidKey { field, error } => write!(f, "invalid key in the {field}: {error}"),
            Self::PublicKeyMismatch { field } => {
                write!(f, "public key does not belong to the secret key in the {field}")
            }
            Self::Repeated { field } => write!(f, "something is repeated in the {field}"),
            Self::NoChain => f.write_str("the session has no chain"),
            Self::NotSkipped => f.write_str("a skipped message is ahead of its chain"),
            Self::UnreachableLatestRatchet => {
                f.write_str("latest ratchet does not follow from the earliest one")
            }
            Self::Capacity => f.write_str("the pickle has more keys than there is room for"),
        }
    }
}

impl core::error::Error for LibolmPickleError {}

/// A part of a layout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Field {
    /// The version of the layout, and what libolm once wrote behind it.
    Version,
    /// The Ed25519 key pair of a device or of a group session.
    Ed25519Key,
    /// The Curve25519 identity key: the pair of an account, the public key of a session.
    IdentityKey,
    /// The one-time keys of an account.
    OneTimeKeys,
    /// The fallback keys of an account.
    FallbackKeys,
    /// The number of the newest one-time or fallback key.
    LastKeyNumber,
    /// Whether a session has decrypted anything.
    Received,
    /// The base key of a session.
    BaseKey,
    /// The one-time key of a session.
    OneTimeKey,
    /// The root key of a session.
    RootKey,
    /// The ratchet key and chain key with which a session encrypts.
    SenderChains,
    /// The ratchet keys and chain keys with which a session decrypts.
    ReceiverChains,
    /// The keys of messages that have not come.
    SkippedMessageKeys,
    /// The ratchet of an outbound group session, or the earliest one of an inbound group session.
    Ratchet,
    /// The latest ratchet of an inbound group session.
    LatestRatchet,
    /// Whether the key of an inbound group session was verified.
    Verified,
    /// The key pair of `PkDecryption`.
    DecryptionKey,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "version",
            Self::Ed25519Key => "Ed25519 key",
            Self::IdentityKey => "identity key",
            Self::OneTimeKeys => "one-time keys",
            Self::FallbackKeys => "fallback keys",
            Self::LastKeyNumber => "number of the newest key",
            Self::Received => "mark of received messages",
            Self::BaseKey => "base key",
            Self::OneTimeKey => "one-time key",
            Self::RootKey => "root key",
            Self::SenderChains => "sender chains",
            Self::ReceiverChains => "receiver chains",
            Self::SkippedMessageKeys => "skipped message keys",
            Self::Ratchet => "ratchet",
            Self::LatestRatchet => "latest ratchet",
            Self::Verified => "mark of verified keys",
            Self::DecryptionKey => "decryption key",
        })
    }
}
