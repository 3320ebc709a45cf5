//! A QR code on this side of a verification: displayed, or read from a picture.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use zeroize::Zeroizing;

use super::said::Said;
use crate::{
    failure::{self, Failure},
    output::{Output, Replace},
    place::Place,
    qr::{
        picture,
        symbol::{Format, Symbol},
    },
    record::Record,
};

/// Whether a code is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Code {
    No,
    /// Displayed in the terminal, or written as a picture.
    Show(Display),
    /// Read from this picture, once it is there.
    Scan(PathBuf),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Display {
    Terminal,
    Picture(PathBuf, Format),
}

impl Display {
    /// For clap: the terminal as `-`.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        if word == "-" {
            return Ok(Self::Terminal);
        }
        let path = Path::new(word);
        let format = Format::of(path).map_err(|failure| failure.message().unwrap_or_default().to_owned())?;
        if fs::symlink_metadata(path).is_ok() {
            return Err(format!("{word} exists"));
        }
        Ok(Self::Picture(path.to_owned(), format))
    }

    pub(super) fn show(&self, code: &[u8], said: Said) -> Result<(), Failure> {
        let symbol = Symbol::of(code)?;
        match self {
            // On standard error, as everything that is drawn: whoever keeps the report keeps no secret.
            Self::Terminal => {
                failure::tell(&symbol.in_terminal(false));
                said.tell("code_shown", "scan this code with the other device", Record::new())
            }
            Self::Picture(path, format) => {
                let mut out = Output::create(&Place::Path(path.clone()), Replace { force: false })?;
                out.bytes(&symbol.draw(*format)?)?;
                out.commit()?;
                let text = format!("scan the code in {} with the other device", path.display());
                said.tell("code_shown", &text, Record::new())
            }
        }
    }
}

/// A picture that is not there yet, or shows something else still.
#[derive(Debug)]
pub(super) struct Picture {
    path: PathBuf,
    /// What was looked at.
    seen: Option<(u64, Option<SystemTime>)>,
}

impl Picture {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// The code in it, if the picture is another one than the last time.
    pub(super) fn look(&mut self) -> Option<Result<Zeroizing<Vec<u8>>, String>> {
        let found = fs::metadata(&self.path).ok().filter(fs::Metadata::is_file)?;
        let seen = Some((found.len(), found.modified().ok()));
        if self.seen == seen {
            return None;
        }
        self.seen = seen;
        let read = self.read();
        Some(read.map_err(|why| format!("{}: {why}", self.path.display())))
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut bytes = Zeroizing::new(Vec::new());
        let file = File::open(&self.path).map_err(|error| error.to_string())?;
        file.take(MAX_LEN).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if !picture::is_picture(&bytes) {
            return Err("neither PNG nor JPEG".to_owned());
        }
        let mut codes = picture::codes(&bytes)?.into_iter();
        match (codes.next(), codes.next()) {
            (Some(code), None) => code.bytes,
            _ => Err("more than one QR symbol: show one".to_owned()),
        }
    }
}

/// A photograph of a telephone has some megabytes.
const MAX_LEN: u64 = 32 << 20;
