//! Files and standard input, opened for reading.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read, Seek, SeekFrom, Write as _},
};

use crate::{failure::Failure, interrupt, place::Place};

/// An open input.
#[derive(Debug)]
pub(crate) struct Input {
    name: String,
    file: File,
    /// Bytes that there are, where that can be known: then the input can also be read again.
    len: Option<u64>,
}

impl Input {
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        let (name, file) = match place {
            Place::Path(path) => (path.display().to_string(), File::open(path)),
            Place::Standard => {
                if io::stdin().is_terminal() {
                    let _ = writeln!(io::stderr(), "mx-e2ee: reading from the terminal; Ctrl-D ends it");
                }
                ("standard input".to_owned(), standard_input())
            }
        };
        let file = file.map_err(|error| Failure::input_output(format!("cannot open {name}"), &error))?;
        let len = len_of(&file);
        Ok(Self { name, file, len })
    }

    /// As messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn len(&self) -> Option<u64> {
        self.len
    }

    /// The input as one that can be read again. What comes through a pipe is copied to an unnamed file in the
    /// folder for temporary files first, so nothing secret may be read this way that is not encrypted.
    pub(crate) fn rewindable(mut self) -> Result<Self, Failure> {
        if self.len.is_some() {
            return Ok(self);
        }
        let copied = tempfile::tempfile().and_then(|mut copy| {
            let len = io::copy(&mut self, &mut copy)?;
            copy.rewind()?;
            Ok((copy, len))
        });
        let (file, len) = copied.map_err(|error| {
            Failure::input_output(format!("cannot copy {} to a temporary file", self.name), &error)
        })?;
        Ok(Self { name: self.name, file, len: Some(len) })
    }

    /// Back to the beginning of a [`Input::rewindable`] one.
    pub(crate) fn rewind(&mut self) -> Result<(), Failure> {
        self.file.rewind().map_err(|error| self.failure(&error))
    }

    /// The whole input, unless it is longer than `limit`.
    pub(crate) fn read_to_limit(&mut self, limit: usize) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
        // With its whole capacity from the start nothing is left behind by growing.
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(limit.saturating_add(1)));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = self.take(most).read_to_end(&mut bytes);
        read.map_err(|error| self.failure(&error))?;
        if bytes.len() > limit {
            return Err(Failure::refused(format!("{} is longer than {limit} bytes", self.name)));
        }
        Ok(bytes)
    }

    /// The whole input, which is no secret, as text.
    pub(crate) fn read_text(&mut self, limit: usize) -> Result<String, Failure> {
        let known = self.len.and_then(|len| usize::try_from(len).ok());
        let mut bytes = Vec::with_capacity(known.unwrap_or_default().min(limit).saturating_add(1));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        self.take(most).read_to_end(&mut bytes).map_err(|error| self.failure(&error))?;
        if bytes.len() > limit {
            return Err(Failure::refused(format!("{} is longer than {limit} bytes", self.name)));
        }
        String::from_utf8(bytes).map_err(|_| Failure::refused(format!("{} is not text in UTF-8", self.name)))
    }

    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        Failure::input_output(format!("cannot read {}", self.name), error)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer);
        interrupt::check()?;
        read
    }
}

impl Seek for Input {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Only of a regular file that is open at its beginning: the shell may have read a part of standard input.
fn len_of(mut file: &File) -> Option<u64> {
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    file.stream_position().ok().filter(|position| *position == 0)?;
    Some(metadata.len())
}

#[cfg(unix)]
pub(crate) fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
pub(crate) fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}
