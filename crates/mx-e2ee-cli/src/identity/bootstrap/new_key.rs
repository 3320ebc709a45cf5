//! The new key of secret storage, and how its owner gets it.

use core::num::NonZeroU32;
use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use clap::Args;
use mx_secret_storage::{
    DEFAULT_ITERATIONS, KeyDerivation, MAX_ITERATIONS, PassphraseInfo, SecretStorageKey,
};
use zeroize::Zeroizing;

use crate::{
    failure::{self, Failure},
    interrupt,
    output::{Output, Replace},
    passphrase::{Descriptor, Passphrase},
    place::Place,
    progress::Progress,
};

#[derive(Args, Debug)]
pub(super) struct NewKeyArguments {
    /// Write the recovery key here instead of showing it on the terminal
    #[arg(long, value_name = "FILE")]
    key_file: Option<Place>,
    /// Make the key from a passphrase, which is asked for
    #[arg(long)]
    passphrase: bool,
    /// Make the key from the passphrase on this file descriptor
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    passphrase_fd: Option<Descriptor>,
    /// Rounds of the passphrase [default: 500000]
    #[arg(long, value_name = "COUNT", value_parser = rounds)]
    rounds: Option<NonZeroU32>,
}

fn rounds(word: &str) -> Result<NonZeroU32, String> {
    let rounds = word.parse().ok().filter(|rounds: &NonZeroU32| rounds.get() <= MAX_ITERATIONS);
    rounds.ok_or_else(|| format!("a number of rounds is one from 1 to {MAX_ITERATIONS}"))
}

/// A key that nobody has seen yet.
#[derive(Debug)]
pub(super) struct NewKey {
    pub(super) key: SecretStorageKey,
    /// How it was made, if it was made from a passphrase.
    pub(super) passphrase: Option<PassphraseInfo>,
    /// A file to show it in, or the terminal.
    file: Option<Output>,
}

impl NewKeyArguments {
    pub(super) fn is_on_standard_output(&self) -> bool {
        self.key_file == Some(Place::Standard)
    }

    /// Whether the key would go where something else goes, however that is spelt: it would be lost.
    pub(super) fn is_in(&self, output: &Place) -> bool {
        match (&self.key_file, output) {
            (Some(Place::Path(key)), Place::Path(output)) => same_file(key, output),
            (Some(key), output) => key == output,
            (None, _) => false,
        }
    }

    /// Draws the key or makes it from a passphrase.
    pub(super) fn make(&self, replace: Replace) -> Result<NewKey, Failure> {
        let file = self.key_file.as_ref().map(|place| Output::create(place, replace)).transpose()?;
        if file.is_none() && !io::stderr().is_terminal() {
            return Err(Failure::misused(
                "there is no terminal to show the recovery key on; --key-file FILE writes it to a private file",
            ));
        }
        if !self.passphrase && self.passphrase_fd.is_none() {
            if self.rounds.is_some() {
                return Err(Failure::misused("--rounds needs a passphrase: rounds belong to it"));
            }
            let key = SecretStorageKey::generate(&mut getrandom::SysRng).map_err(Failure::refused)?;
            return Ok(NewKey { key, passphrase: None, file });
        }
        let rounds = self.rounds.unwrap_or(DEFAULT_ITERATIONS);
        if rounds < FEWEST_ROUNDS {
            failure::warn(format_args!("{rounds} rounds make guessing the passphrase cheap"));
        }
        let passphrase = Passphrase::choose(self.passphrase_fd, "secret storage")?;
        let derivation = KeyDerivation::new(&mut getrandom::SysRng, passphrase.as_str(), rounds);
        let mut derivation = derivation.map_err(Failure::refused)?;
        drop(passphrase);
        let total = derivation.remaining();
        let progress = Progress::of_steps("deriving the key", total.into());
        while derivation.step(ROUNDS_AT_ONCE) > 0 {
            interrupt::check().map_err(|error| Failure::input_output("cannot go on", &error))?;
            progress.reach((total - derivation.remaining()).into());
        }
        drop(progress);
        let passphrase = Some(derivation.info().clone());
        Ok(NewKey { key: derivation.finish(), passphrase, file })
    }
}

impl NewKey {
    /// Shows the key, once.
    pub(super) fn show(self, key_id: &str) -> Result<(), Failure> {
        let shown = self.key.to_representation();
        let Some(mut file) = self.file else {
            let (before, after) = (
                format!(
                    "Recovery key of secret storage (key {key_id}). It is shown only now; keep it:\n\n  "
                ),
                "\n\n",
            );
            let mut text = Zeroizing::new(String::with_capacity(before.len() + shown.len() + after.len()));
            text.extend([&before, shown.as_str(), after]);
            // Nothing goes on if nobody has seen it.
            let written = io::stderr().write_all(text.as_bytes());
            return written.map_err(|error| Failure::input_output("cannot show the recovery key", &error));
        };
        file.line(&shown)?;
        file.commit()
    }
}

/// Neither need exist.
fn same_file(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).canonicalize().ok()
    };
    one.file_name() == other.file_name() && folder(one) == folder(other)
}

/// Some hundredths of a second.
const ROUNDS_AT_ONCE: u32 = 10_000;

const FEWEST_ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("is not zero");
