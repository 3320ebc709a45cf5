use core::fmt;

use mx_room_key::ParseError;

/// Why a file was not read, or not to its end. `E` is the error of the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// There is no line `-----BEGIN MEGOLM SESSION DATA-----`.
    NoBegin,
    /// The text ends without the line `-----END MEGOLM SESSION DATA-----`: it was cut off.
    NoEnd,
    /// What stands between the lines is not Base64.
    Base64,
    /// There are fewer bytes than header and MAC have.
    TooShort {
        /// How many there are.
        len: u64,
    },
    /// There are more than [`MAX_BODY_LEN`](crate::MAX_BODY_LEN) bytes.
    TooLong,
    /// The format is a later one.
    UnsupportedVersion {
        /// The number that stands where 1 was expected.
        version: u8,
    },
    /// The file asks for a key derivation of no rounds.
    NoRounds,
    /// Wrong passphrase, or the file was damaged: its MAC does not tell which.
    WrongPassphraseOrDamaged,
    /// The source gave other bytes than when it was read before. Nothing of them was handed out.
    Changed,
    /// The file is authentic, but what is encrypted in it is not a list of sessions.
    NotAnArray,
    /// The file is authentic, but its list of sessions does not end. All entries were handed out before.
    UnfinishedArray,
    /// The file is authentic, but something follows its list of sessions. All entries were handed out before.
    AfterArray,
    /// The source failed.
    Source(E),
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBegin => f.write_str("no key export: the line that begins one is missing"),
            Self::NoEnd => f.write_str("the line that ends a key export is missing: the file was cut off"),
            Self::Base64 => {
                f.write_str("between the lines that begin and end a key export stands other than Base64")
            }
            Self::TooShort { len } => write!(f, "{len} bytes are too few for a key export"),
            Self::TooLong => write!(f, "more than {} bytes are not read", crate::MAX_BODY_LEN),
            Self::UnsupportedVersion { version } => {
                write!(f, "version {version} of key exports is not known")
            }
            Self::NoRounds => f.write_str("the file asks for a key derivation of no rounds"),
            Self::WrongPassphraseOrDamaged => f.write_str("wrong passphrase, or the file was damaged"),
            Self::Changed => f.write_str("the file changed while it was read"),
            Self::NotAnArray => f.write_str("what is encrypted in the file is not a list of sessions"),
            Self::UnfinishedArray => f.write_str("the list of sessions in the file does not end"),
            Self::AfterArray => f.write_str("something follows the list of sessions in the file"),
            Self::Source(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ReadError<E> {}

/// The file asks for more rounds than the caller wants to do. Nothing was computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooManyRounds {
    /// How many the file asks for.
    pub rounds: u32,
    /// How many the caller would do.
    pub limit: u32,
}

impl fmt::Display for TooManyRounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key derivation has {} rounds, at most {} are done", self.rounds, self.limit)
    }
}

impl core::error::Error for TooManyRounds {}

/// An entry of a file that is not a session. The others are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntryError {
    /// Which entry: 0 is the first.
    pub position: u64,
    /// What is wrong with it.
    pub reason: EntryErrorReason,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EntryErrorReason {
    /// It is longer than [`MAX_ENTRY_LEN`](crate::MAX_ENTRY_LEN).
    TooLong,
    /// It is not JSON: brackets, quotes or words are not where they can be.
    Malformed,
    /// It is JSON, but not a session.
    Session(ParseError),
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.position, self.reason)
    }
}

impl fmt::Display for EntryErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {} bytes", crate::MAX_ENTRY_LEN),
            Self::Malformed => f.write_str("not JSON"),
            Self::Session(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EntryError {}

/// Why a file was not written. What was written of it is no key export. `E` is the error of the sink.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WriteError<E> {
    /// The generator gave no IV.
    RandomnessFailed,
    /// What was to be written is not a JSON object of at most [`MAX_ENTRY_LEN`](crate::MAX_ENTRY_LEN) bytes. The file
    /// is as it was: go on with other entries.
    NotAnEntry,
    /// The sink failed.
    Sink(E),
    /// The sink takes no more bytes, and does not say why.
    SinkFull,
    /// Writing failed before.
    FailedBefore,
}

impl<E: fmt::Display> fmt::Display for WriteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RandomnessFailed => mx_types::RandomnessFailed.fmt(f),
            Self::NotAnEntry => {
                write!(f, "an entry is a JSON object of at most {} bytes", crate::MAX_ENTRY_LEN)
            }
            Self::Sink(error) => error.fmt(f),
            Self::SinkFull => f.write_str("nothing more can be written"),
            Self::FailedBefore => f.write_str("writing failed before: begin a new file"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for WriteError<E> {}
