//! Our crates and the tool `mx-e2ee` against a homeserver that others have written: Synapse.
//!
//! `cargo xtask homeserver` installs Synapse and starts this program, which starts the server, plays two users there,
//! and stops it again. Each step is told; the first object that the server does not accept ends it.

#![expect(clippy::indexing_slicing, reason = "serde_json answers null where a member is missing")]
#![expect(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a tool, not a library")]

#[cfg(unix)]
mod backup;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod device_lists;
#[cfg(unix)]
mod identities;
#[cfg(unix)]
mod lists;
#[cfg(unix)]
mod one_time_keys;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod stage;
#[cfg(unix)]
mod synapse;
#[cfg(unix)]
mod tool;

use std::{env, ffi::OsString, io, path::PathBuf, process::ExitCode};

/// What can go wrong here is told, not handled.
type Failure = Box<dyn core::error::Error>;

/// A failure made of words.
fn fail<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(words.into().into())
}

/// A failure unless something is as it should be.
fn ensure(holds: bool, words: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { fail(words) }
}

fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("homeserver: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn run(_: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    fail("Synapse runs on Linux and macOS")
}

/// `FOLDER [--keep]`, as `cargo xtask homeserver` gives them.
#[cfg(unix)]
fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    use getrandom::{SysRng, rand_core::UnwrapErr};

    let folder = PathBuf::from(arguments.next().ok_or("use cargo xtask homeserver")?);
    let keep = arguments.next().is_some_and(|argument| argument == "--keep");
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or("use cargo xtask homeserver");
    let (python, tool) = (variable("SYNAPSE_PYTHON")?, tool::Tool(variable("MX_E2EE")?));
    let mut rng = UnwrapErr(SysRng);
    let synapse = synapse::Synapse::start(&mut rng, &python, &folder)?;
    let mut out = io::stdout();
    let played = stage::play(&mut rng, &mut out, tool, &synapse.address);
    match played {
        Ok(stage) if keep => stage.keep(),
        Ok(_) => Ok(()),
        Err(error) => {
            if let Some(log) = synapse.keep_log() {
                eprintln!("the log of Synapse is kept: {}", log.display());
            }
            Err(error)
        }
    }
}
