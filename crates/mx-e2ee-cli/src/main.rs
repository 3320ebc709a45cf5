#![doc = include_str!("../README.md")]
#![allow(clippy::std_instead_of_alloc, reason = "a program has an operating system")]

mod backup;
mod command_line;
mod events;
mod failure;
mod homeserver;
mod identity;
mod input;
mod interrupt;
mod key_file;
mod keys;
mod manual;
mod media;
mod message;
mod output;
mod passphrase;
mod place;
mod progress;
mod qr;
mod record;
mod sas;
mod table;
mod text;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    command_line::{CommandLine, Group},
    failure::{Failure, Verdict},
};

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version go to standard output and are a success, misuse is neither.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(failure::MISUSED) } else { ExitCode::SUCCESS };
        }
    };
    interrupt::watch();
    match run(line) {
        Ok(verdict) => verdict.exit_code(),
        Err(failure) => {
            if let Some(message) = failure.message() {
                failure::warn(message);
            }
            failure.exit_code()
        }
    }
}

fn run(line: CommandLine) -> Result<Verdict, Failure> {
    match line.group {
        Group::Keys(command) => keys::run(command, line.json),
        Group::Events(command) => events::run(command, line.json),
        Group::Media(command) => media::run(command),
        Group::Message(command) => message::run(command, line.json),
        Group::Backup(command) => backup::run(command, line.json),
        Group::Identity(command) => identity::run(command, line.json),
        Group::Qr(command) => qr::run(command, line.json),
        Group::Sas(sas) => sas::run(&sas, line.json),
        Group::Verify(arguments) => verify::run(&arguments, line.json),
        Group::Completions { shell } => manual::completions(shell),
        Group::Man { folder } => manual::man(folder.as_deref()),
    }
}
