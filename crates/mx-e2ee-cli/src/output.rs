//! Standard output, and files that appear when they are whole and that only their owner can read.

use std::{
    fs, io,
    io::{BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use tempfile::NamedTempFile;

use crate::{failure::Failure, interrupt, place::Place};

/// Whether an output may take the place of a file.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Replace {
    /// Replace output files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

/// An open output. What was written to a file is lost unless [`Output::commit`] is called.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Standard(BufWriter<io::Stdout>),
    Error(BufWriter<io::Stderr>),
    File { temporary: BufWriter<NamedTempFile>, path: PathBuf, replace: Replace },
}

impl Output {
    pub(crate) fn standard() -> Self {
        Self {
            name: "standard output".to_owned(),
            sink: Sink::Standard(BufWriter::with_capacity(CAPACITY, io::stdout())),
        }
    }

    /// For reports, where the result itself goes to standard output.
    pub(crate) fn standard_error() -> Self {
        Self {
            name: "standard error".to_owned(),
            sink: Sink::Error(BufWriter::with_capacity(CAPACITY, io::stderr())),
        }
    }

    /// Refuses what exists unless it may be replaced, before any work is done.
    pub(crate) fn create(place: &Place, replace: Replace) -> Result<Self, Failure> {
        let Place::Path(path) = place else { return Ok(Self::standard()) };
        let name = path.display().to_string();
        check(path, &name, replace)?;
        // In the folder of the file: between file systems nothing is renamed.
        let temporary =
            tempfile::Builder::new().prefix(".mx-e2ee-").suffix(".part").tempfile_in(folder_of(path));
        let temporary =
            temporary.map_err(|error| Failure::input_output(format!("cannot write {name}"), &error))?;
        let temporary = BufWriter::with_capacity(CAPACITY, temporary);
        Ok(Self { name, sink: Sink::File { temporary, path: path.clone(), replace } })
    }

    /// As messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_terminal(&self) -> bool {
        match &self.sink {
            Sink::Standard(_) => io::stdout().is_terminal(),
            Sink::Error(_) => io::stderr().is_terminal(),
            Sink::File { .. } => false,
        }
    }

    pub(crate) const fn is_standard(&self) -> bool {
        matches!(&self.sink, Sink::Standard(_))
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        self.text("\n")
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_all(bytes).map_err(|error| self.failure(&error))
    }

    /// The last step: a file gets its name, once all of it has reached the disk.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Self { name, sink } = self;
        let committed = interrupt::check().and_then(|()| match sink {
            Sink::Standard(mut standard) => standard.flush(),
            Sink::Error(mut standard) => standard.flush(),
            Sink::File { temporary, path, replace } => persist(temporary, &path, replace),
        });
        committed.map_err(|error| failure(&name, &error))
    }

    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        failure(&self.name, error)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        interrupt::check()?;
        match &mut self.sink {
            Sink::Standard(standard) => standard.write(bytes),
            Sink::Error(standard) => standard.write(bytes),
            Sink::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Standard(standard) => standard.flush(),
            Sink::Error(standard) => standard.flush(),
            Sink::File { temporary, .. } => temporary.flush(),
        }
    }
}

const CAPACITY: usize = 64 * 1024;

/// A symbolic link is replaced, not followed.
fn check(path: &Path, name: &str, replace: Replace) -> Result<(), Failure> {
    if path.file_name().is_none() {
        return Err(Failure::misused(format!("{name} is no name of a file")));
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::input_output(format!("cannot write {name}"), &error)),
        Ok(found) if found.is_dir() => Err(Failure::misused(format!("{name} is a folder"))),
        Ok(found) if !found.is_file() && !found.is_symlink() => Err(Failure::misused(format!(
            "{name} is a device or a pipe; write to standard output instead, as in: - >{name}"
        ))),
        Ok(_) if !replace.force => Err(exists(name)),
        Ok(_) => Ok(()),
    }
}

fn exists(name: impl core::fmt::Display) -> Failure {
    Failure::misused(format!("{name} exists; --force replaces it"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn persist(temporary: BufWriter<NamedTempFile>, path: &Path, replace: Replace) -> io::Result<()> {
    let temporary = temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
    temporary.as_file().sync_all()?;
    if replace.force { temporary.persist(path) } else { temporary.persist_noclobber(path) }
        .map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// The name is on the disk, too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn failure(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderLeft,
        // It was not there when the work began.
        io::ErrorKind::AlreadyExists => exists(name),
        _ => Failure::input_output(format!("cannot write {name}"), error),
    }
}
