//! Key files, opened with their passphrase.

use std::{io, rc::Rc};

use embedded_io_adapters::std::FromStd;
use mx_key_export::{ExportKeys, KeyDerivation, KeyExport, MAX_ROUNDS, ReadError, Sessions};

use crate::{
    failure::Failure,
    input::Input,
    passphrase::{Descriptor, Passphrase},
    place::Place,
    progress::{Progress, Watched},
};

/// A key file whose keys were derived.
#[derive(Debug)]
pub(crate) struct KeyFile {
    name: String,
    len: u64,
    export: KeyExport<Source>,
    keys: Rc<ExportKeys>,
}

/// What a key file is read from.
pub(crate) type Source = FromStd<Watched>;

impl KeyFile {
    /// Asks for the passphrase unless it comes from a descriptor. One that comes through a pipe is copied to an unnamed
    /// temporary file, encrypted as it is, because it is read twice.
    pub(crate) fn open(place: &Place, passphrase: Option<Descriptor>) -> Result<Self, Failure> {
        Self::open_with(place, passphrase, KeyExport::open)
    }

    /// The same for a file that may be cut off.
    pub(crate) fn open_damaged(place: &Place, passphrase: Option<Descriptor>) -> Result<Self, Failure> {
        Self::open_with(place, passphrase, KeyExport::open_damaged)
    }

    fn open_with(
        place: &Place,
        passphrase: Option<Descriptor>,
        open: impl FnOnce(Source) -> Result<KeyExport<Source>, ReadError<io::Error>>,
    ) -> Result<Self, Failure> {
        let input = Input::open(place)?.rewindable()?;
        let (name, len) = (input.name().to_owned(), input.len());
        let total = len.map(|len| len.saturating_mul(2));
        let (source, bar_begins) = Watched::later(input, format!("reading {name}"), total);
        let export = open(FromStd::new(source));
        let export = export.map_err(|error| failure(&name, &error))?;
        // A file with too many rounds is refused before anybody types a passphrase for it.
        if export.rounds() > MAX_ROUNDS {
            return Err(Failure::refused(format!(
                "{name}: the key derivation has {} rounds, at most {MAX_ROUNDS} are done",
                export.rounds()
            )));
        }
        let passphrase = Passphrase::read(passphrase, &name)?;
        let derivation = export.derive(passphrase.as_str(), MAX_ROUNDS);
        let derivation = derivation.map_err(|error| Failure::refused(format!("{name}: {error}")))?;
        drop(passphrase);
        bar_begins.set(true);
        Ok(Self { name, len: len.unwrap_or_default(), export, keys: Rc::new(derive(derivation)) })
    }

    /// As messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) const fn rounds(&self) -> u32 {
        self.export.rounds()
    }

    /// For another file with the same passphrase.
    pub(crate) fn keys(&self) -> Rc<ExportKeys> {
        Rc::clone(&self.keys)
    }

    /// Says whether the passphrase is right and the file whole.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        self.sessions().map(drop)
    }

    /// What is left of the sessions. Nothing authenticates them.
    pub(crate) fn salvage(&mut self) -> Result<Sessions<'_, Source>, Failure> {
        self.export.salvage_unauthenticated(&self.keys).map_err(|error| failure(&self.name, &error))
    }

    /// The sessions, once the MAC of the whole file was right.
    pub(crate) fn sessions(&mut self) -> Result<Sessions<'_, Source>, Failure> {
        self.export.sessions(&self.keys).map_err(|error| failure(&self.name, &error))
    }
}

/// All rounds of a derivation.
pub(crate) fn derive(mut derivation: KeyDerivation) -> ExportKeys {
    let progress = Progress::of_steps("deriving keys", u64::from(derivation.rounds()));
    while derivation.step(ROUNDS_AT_ONCE) > 0 {
        progress.reach(u64::from(derivation.rounds() - derivation.remaining()));
    }
    derivation.finish()
}

/// What a [`ReadError`] comes to.
pub(crate) fn failure(name: &str, error: &ReadError<io::Error>) -> Failure {
    match error {
        ReadError::Source(error) => Failure::input_output(format!("cannot read {name}"), error),
        error @ ReadError::NoEnd => {
            Failure::refused(format!("{name}: {error}; to save what is left: mx-e2ee keys salvage"))
        }
        error => Failure::refused(format!("{name}: {error}")),
    }
}

/// Some hundredths of a second.
const ROUNDS_AT_ONCE: u32 = 20_000;
