//! What can become of an event, and why.

use alloc::{boxed::Box, string::String};
use core::fmt;

use mx_megolm::{DecryptError, UnknownMessageIndex};
use mx_types::base64::DecodeError;

use crate::{NotAValue, replay::FirstSeen};

/// What became of an event.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Decrypted by a key of the file, which proves nothing of who sent it.
    Decrypted,
    /// It came in clear.
    NotEncrypted,
    /// Redacted: nothing is left of it.
    Redacted,
    /// The file has no key for it.
    NoKey,
    /// The file's key begins behind it.
    BeforeFirstKnownIndex,
    /// Changed on its way, or made up, or the file's key is.
    BadMacOrSignature,
    /// The same message stood in another event before.
    ReplayedIndex,
    /// The event, its plaintext and the key are not of one room.
    WrongRoom,
    /// Encrypted by another algorithm than that of rooms.
    OtherAlgorithm,
    /// It is not what it must be.
    Malformed,
}

impl Verdict {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Decrypted,
        Self::NotEncrypted,
        Self::Redacted,
        Self::NoKey,
        Self::BeforeFirstKnownIndex,
        Self::BadMacOrSignature,
        Self::ReplayedIndex,
        Self::WrongRoom,
        Self::OtherAlgorithm,
        Self::Malformed,
    ];

    /// As it is said, and written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decrypted => "decrypted",
            Self::NotEncrypted => "not encrypted",
            Self::Redacted => "redacted",
            Self::NoKey => "no key",
            Self::BeforeFirstKnownIndex => "index before the first known one",
            Self::BadMacOrSignature => "bad MAC or signature",
            Self::ReplayedIndex => "replayed index",
            Self::WrongRoom => "wrong room",
            Self::OtherAlgorithm => "other algorithm",
            Self::Malformed => "malformed",
        }
    }

    /// Nothing was to be decrypted, or it was.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Decrypted | Self::NotEncrypted | Self::Redacted)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an event got its verdict, where the verdict does not say it all.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// The file has no event there.
    NotAValue(NotAValue),
    /// Event, content or plaintext are not JSON as they must be; the text says what is not.
    Json(String),
    /// The algorithm that it names.
    OtherAlgorithm(String),
    /// The content has no `algorithm`.
    NoAlgorithm,
    /// The event has no `room_id`, and there is none for such events.
    NoRoom,
    /// The content has no `session_id`.
    NoSessionId,
    /// `room_id` or `session_id` has more than 255 bytes.
    TooLongId,
    /// The content has no `ciphertext`.
    NoCiphertext,
    /// `ciphertext` is no string.
    CiphertextNoString,
    /// `ciphertext` is no Base64.
    CiphertextNoBase64(DecodeError),
    /// It is no message of Megolm, or not of this session.
    Ciphertext(DecryptError),
    /// The key begins behind it.
    UnknownMessageIndex(UnknownMessageIndex),
    /// The room that the plaintext names.
    PlaintextOfOtherRoom(String),
    /// The plaintext has no `room_id`.
    PlaintextOfNoRoom,
    /// The key file has this session for another room only.
    KeyOfOtherRoom,
    /// The event in which the same message stood first.
    Replayed(Box<FirstSeen>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAValue(error) => return error.fmt(f),
            Self::Json(text) | Self::OtherAlgorithm(text) => text,
            Self::NoAlgorithm => "content has no algorithm",
            Self::NoRoom => "the event does not name its room",
            Self::NoSessionId => "content has no session_id",
            Self::TooLongId => "room_id or session_id is longer than 255 bytes",
            Self::NoCiphertext => "content has no ciphertext",
            Self::CiphertextNoString => "the ciphertext is no string",
            Self::CiphertextNoBase64(error) => return write!(f, "ciphertext: {error}"),
            Self::Ciphertext(error @ (DecryptError::Signature | DecryptError::Authentication)) => {
                return error.fmt(f);
            }
            Self::Ciphertext(error) => return write!(f, "ciphertext: {error}"),
            Self::UnknownMessageIndex(error) => return error.fmt(f),
            Self::PlaintextOfOtherRoom(room_id) => return write!(f, "it was encrypted for {room_id}"),
            Self::PlaintextOfNoRoom => "the plaintext does not say for which room it is",
            Self::KeyOfOtherRoom => "the key file has this session for another room only",
            Self::Replayed(first) => {
                return write!(f, "the same message stood before in another event: {first}");
            }
        })
    }
}

/// How many events got which verdict.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct VerdictCounts([u64; Verdict::ALL.len()]);

impl VerdictCounts {
    /// Counts one more.
    pub fn count(&mut self, verdict: Verdict) {
        if let Some(count) = self.0.get_mut(verdict as usize) {
            *count += 1;
        }
    }

    /// The verdicts that there were, in order, and how many events got each.
    pub fn iter(&self) -> impl Iterator<Item = (Verdict, u64)> {
        Verdict::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// How many events there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Whether all that was to be decrypted was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.iter().all(|(verdict, _)| verdict.is_good())
    }
}
