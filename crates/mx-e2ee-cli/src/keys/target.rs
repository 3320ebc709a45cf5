//! A key file that is written.

use core::num::NonZeroU32;
use std::io;

use clap::Args;
use embedded_io_adapters::std::FromStd;
use mx_key_export::{DEFAULT_ROUNDS, ExportKeys, KeyDerivation, KeyExportWriter, MAX_ROUNDS, WriteError};
use mx_room_key::ExportedSessionData;

use crate::{
    failure::{Failure, warn},
    key_file::derive,
    output::{Output, Replace},
    passphrase::{Descriptor, Passphrase},
    place::Place,
    record::Record,
};

/// How a new key file is protected.
#[derive(Args, Debug)]
pub(crate) struct Protection {
    /// Read the passphrase of OUT from this file descriptor
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    new_passphrase_fd: Option<Descriptor>,
    /// Rounds of OUT, with a new passphrase [default: 500000]
    #[arg(long, value_name = "COUNT", value_parser = rounds)]
    rounds: Option<NonZeroU32>,
    #[command(flatten)]
    replace: Replace,
}

/// Where a new key file goes.
#[derive(Args, Debug)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) protection: Protection,
    /// The new key file
    #[arg(value_name = "OUT")]
    pub(crate) output: Place,
}

/// More than this no reader of ours does.
fn rounds(word: &str) -> Result<NonZeroU32, String> {
    let rounds = word.parse().ok().filter(|rounds: &NonZeroU32| rounds.get() <= MAX_ROUNDS);
    rounds.ok_or_else(|| format!("a number of rounds is one from 1 to {MAX_ROUNDS}"))
}

impl Protection {
    /// Whether the file gets a passphrase of its own; `asked` says that the user wants to be asked for one.
    pub(crate) fn is_new(&self, asked: bool) -> Result<bool, Failure> {
        let is_new = asked || self.new_passphrase_fd.is_some();
        if self.rounds.is_some() && !is_new {
            return Err(Failure::misused("--rounds needs a new passphrase: rounds belong to it"));
        }
        Ok(is_new)
    }

    /// Before anything long is done: that the file cannot be written is said at once.
    pub(crate) fn create(&self, output: &Place) -> Result<Output, Failure> {
        Output::create(output, self.replace)
    }

    /// The keys of a new passphrase.
    pub(crate) fn choose(&self, name: &str) -> Result<ExportKeys, Failure> {
        let rounds = self.rounds.unwrap_or(DEFAULT_ROUNDS);
        if rounds < FEWEST_ROUNDS {
            warn(format_args!(
                "{rounds} rounds make guessing the passphrase cheap; the specification asks for {FEWEST_ROUNDS} or more"
            ));
        }
        let passphrase = Passphrase::choose(self.new_passphrase_fd, name)?;
        let derivation = KeyDerivation::new(&mut getrandom::SysRng, passphrase.as_str(), rounds);
        let derivation = derivation.map_err(Failure::refused)?;
        drop(passphrase);
        Ok(derive(derivation))
    }
}

const FEWEST_ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("is not zero");

/// A key file that is being written.
#[derive(Debug)]
pub(crate) struct Writer<'k> {
    writer: KeyExportWriter<'k, FromStd<Output>>,
    name: String,
    is_standard: bool,
}

impl<'k> Writer<'k> {
    pub(crate) fn new(keys: &'k ExportKeys, output: Output) -> Result<Self, Failure> {
        let (name, is_standard) = (output.name().to_owned(), output.is_standard());
        let writer = KeyExportWriter::new(&mut getrandom::SysRng, keys, FromStd::new(output));
        let writer = writer.map_err(|error| failure(&name, &error))?;
        Ok(Self { writer, name, is_standard })
    }

    pub(crate) fn write(&mut self, session: &ExportedSessionData<'_>) -> Result<(), Failure> {
        self.writer.write(session).map_err(|error| failure(&self.name, &error))
    }

    /// An entry as it stands in another file. `false` if it is none that a file can have.
    pub(crate) fn write_json(&mut self, entry: &[u8]) -> Result<bool, Failure> {
        match self.writer.write_json(entry) {
            Ok(()) => Ok(true),
            Err(WriteError::NotAnEntry) => Ok(false),
            Err(error) => Err(failure(&self.name, &error)),
        }
    }

    /// Makes the file appear, and says what is in it: on standard error where the file itself went to standard output.
    pub(crate) fn finish(self, report: &Record, json: bool) -> Result<(), Failure> {
        let Self { writer, name, is_standard } = self;
        let written = writer.sessions();
        let output = writer.finish().map_err(|error| failure(&name, &error))?;
        output.into_inner().commit()?;
        let report = Record::new().with("file", name).with("written", written).followed_by(report.clone());
        let text = if json { report.to_json() + "\n" } else { report.to_text() };
        if is_standard {
            return io::Write::write_all(&mut io::stderr(), text.as_bytes())
                .map_err(|error| Failure::input_output("cannot write to standard error", &error));
        }
        let mut out = Output::standard();
        out.text(&text)?;
        out.commit()
    }
}

fn failure(name: &str, error: &WriteError<io::Error>) -> Failure {
    match error {
        WriteError::Sink(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::ReaderLeft,
        WriteError::Sink(error) => Failure::input_output(format!("cannot write {name}"), error),
        error => Failure::refused(format!("{name}: {error}")),
    }
}
