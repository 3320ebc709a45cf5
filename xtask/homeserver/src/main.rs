//! Our crates and the tool `mx-e2ee` against a homeserver that others have written: Synapse.
//!
//! `cargo xtask homeserver` installs Synapse and starts this program, which starts the server, plays two users there,
//! and stops it again. Each step is told; the first object that the server does not accept ends it.

#![expect(clippy::indexing_slicing, reason = "serde_json answers null where a member is missing")]
#![expect(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a tool, not a library")]

mod backup;
mod bootstrap;
mod client;
mod clock;
mod device_lists;
mod identities;
mod lists;
mod one_time_keys;
mod secrets;
mod server;
mod sign_device;
mod stage;
mod synapse;
mod tool;
mod verifier;
mod verify_devices;
mod verify_tool;
mod verify_users;

use std::{env, ffi::OsString, io, path::PathBuf, process::ExitCode};

use getrandom::{SysRng, rand_core::UnwrapErr};

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

/// `FOLDER [--keep]`, as `cargo xtask homeserver` gives them.
fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let folder = PathBuf::from(arguments.next().ok_or("use cargo xtask homeserver")?);
    let keep = arguments.next().is_some_and(|argument| argument == "--keep");
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or("use cargo xtask homeserver");
    let (python, tool) = (variable("SYNAPSE_PYTHON")?, variable("MX_E2EE")?);
    let mut rng = UnwrapErr(SysRng);
    let synapse = synapse::Synapse::start(&mut rng, &python, &folder)?;
    let tool = tool::Tool::new(tool, &synapse.folder);
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
