//! How a command ends, and the exit code of it.

use core::fmt;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{interrupt, record::printable};

const REFUSED: u8 = 1;
/// The command line was wrong: no work was done.
pub(crate) const MISUSED: u8 = 2;
const INPUT_OUTPUT: u8 = 3;

/// A command did its work to the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// All is as it should be.
    Good,
    /// Something is not, and the report said what.
    Bad,
}

impl Verdict {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Good => ExitCode::SUCCESS,
            Self::Bad => ExitCode::from(REFUSED),
        }
    }
}

/// A command could not do its work. The message says what was wrong and what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input is not what it must be, or does not verify.
    Refused(String),
    /// What the command line asks for cannot be done.
    Misused(String),
    /// Reading or writing failed.
    InputOutput(String),
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// Who reads standard output has left. That needs no message; but not all was said.
    ReaderLeft,
}

/// Writes to standard error what goes there because the output goes to standard output.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Says on standard error what does not keep the work from being done.
pub(crate) fn warn(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "mx-e2ee: {}", printable(&message.to_string()));
}

impl Failure {
    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    pub(crate) fn misused(message: impl fmt::Display) -> Self {
        Self::Misused(message.to_string())
    }

    /// `doing` says what failed: "cannot read keys.txt".
    pub(crate) fn input_output(doing: impl fmt::Display, error: &io::Error) -> Self {
        if interrupt::is_interrupted() {
            return Self::Interrupted;
        }
        Self::InputOutput(format!("{doing}: {error}"))
    }

    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Refused(message) | Self::Misused(message) | Self::InputOutput(message) => Some(message),
            Self::Interrupted => Some("interrupted"),
            Self::ReaderLeft => None,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => REFUSED,
            Self::Misused(_) => MISUSED,
            Self::InputOutput(_) | Self::ReaderLeft => INPUT_OUTPUT,
            Self::Interrupted => interrupt::EXIT_CODE,
        })
    }
}
