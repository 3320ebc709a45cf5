//! Where a command reads or writes: a file, or `-` for standard input or output.

use std::{ffi::OsString, path::PathBuf};

/// A file, or standard input or output. A file named `-` is `./-`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Standard,
    Path(PathBuf),
}

impl From<OsString> for Place {
    fn from(word: OsString) -> Self {
        if word == "-" { Self::Standard } else { Self::Path(word.into()) }
    }
}
