//! The demonstration: Alice and Bob in conversation over an in-memory homeserver.
//!
//! Alice always runs our crates. Bob runs them, too, or another implementation of Olm and Megolm: whoever implements
//! [`party::Implementation`].

#![expect(clippy::indexing_slicing, reason = "serde_json answers null where a member is missing")]
#![expect(clippy::std_instead_of_alloc, reason = "a tool, not a library")]

/// The firmware's way through docs/embedded.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedded.md")]
mod embedded {}

mod command_line;
mod conversation;
pub mod device;
mod file_transfer;
mod key_export;
pub mod narrator;
pub mod ours;
pub mod party;
pub mod room;
pub mod scratch;
pub mod server;
pub mod stage;
pub mod to_device;
pub mod trust;
mod verification;
mod verifier;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use getrandom::{SysRng, rand_core::UnwrapErr};
use rand_core::CryptoRng;

use self::{
    command_line::{HELP, Options},
    narrator::Narrator,
    party::Implementation,
    scratch::Scratch,
    stage::Stage,
};

/// What can go wrong here is told, not handled.
pub type Failure = Box<dyn core::error::Error>;

/// A failure made of words.
pub(crate) fn fail<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(words.into().into())
}

/// An implementation that `--peer` can name.
pub struct Peer {
    /// What to write behind `--peer`.
    pub name: &'static str,
    /// The implementation, or one line that says how to get it.
    pub implementation: Result<Box<dyn Implementation>, &'static str>,
}

impl core::fmt::Debug for Peer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The whole program: reads the command line, plays, and says how it went.
#[must_use]
pub fn main(ours: &dyn Implementation, peers: &[Peer]) -> ExitCode {
    const MISUSE: u8 = 2;
    let options = match Options::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(words) => {
            eprintln!("{words}\nTry --help.");
            return ExitCode::from(MISUSE);
        }
    };
    let bob = match &options.peer {
        None => Ok(ours),
        Some(name) => match peers.iter().find(|peer| peer.name == name) {
            Some(peer) => peer.implementation.as_deref().map_err(|words| Failure::from(*words)),
            None => {
                eprintln!("unknown peer `{name}`. Known: vodozemac, libolm, by way of cargo xtask demo.");
                return ExitCode::from(MISUSE);
            }
        },
    };
    let mut out = io::stdout().lock();
    let played = bob.and_then(|bob| play(options, ours, bob, &mut out));
    match played {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads only the first lines has seen what they wanted.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The demonstration failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(
    options: Options,
    alice: &dyn Implementation,
    bob: &dyn Implementation,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if options.help {
        out.write_all(HELP.as_bytes())?;
        return Ok(());
    }
    let tool = env::var_os("MX_E2EE").map(PathBuf::from);
    let scene = Scene { alice, bob, file: options.file, tool };
    scene.play(&mut UnwrapErr(SysRng), Narrator::new(out, options.json))
}

/// Who talks, and what they send.
pub struct Scene<'s> {
    /// Plays Alice.
    pub alice: &'s dyn Implementation,
    /// Plays Bob.
    pub bob: &'s dyn Implementation,
    /// The file that goes from Alice to Bob; without one, a small text.
    pub file: Option<PathBuf>,
    /// The program `mx-e2ee`, where it was built.
    pub tool: Option<PathBuf>,
}

impl core::fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Scene").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Scene<'_> {
    /// Plays everything.
    ///
    /// # Errors
    ///
    /// At the first step that does not go as told, or when the output cannot be written.
    pub fn play<'a>(&'a self, rng: &'a mut dyn CryptoRng, narrator: Narrator<'a>) -> Result<(), Failure> {
        let mut stage = Stage::new(rng, narrator, self.alice, self.bob)?;
        conversation::play(&mut stage)?;
        let folder = Scratch::new()?;
        let sha256 = file_transfer::send(&mut stage, self.file.as_deref(), &folder)?;
        key_export::read_back(&mut stage, self.tool.as_deref(), &folder, &sha256)?;
        stage.chapter("Everything went as told.")?;
        Ok(())
    }
}

fn is_closed_pipe(error: &(dyn core::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
