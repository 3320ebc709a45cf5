#![doc = include_str!("../README.md")]
#![allow(clippy::std_instead_of_alloc, reason = "a program has an operating system")]

mod command_line;
#[allow(dead_code, reason = "commands that refuse follow")]
mod failure;
#[allow(dead_code, reason = "commands that read files twice follow")]
mod input;
mod manual;
mod message;
#[allow(dead_code, reason = "commands that write files follow")]
mod output;
#[allow(dead_code, reason = "the commands of key files follow")]
mod passphrase;
mod place;
#[allow(dead_code, reason = "long work follows")]
mod progress;
mod record;
#[allow(dead_code, reason = "reports follow")]
mod table;
mod text;

use std::{io::Write as _, process::ExitCode};

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
    match run(line) {
        Ok(verdict) => verdict.exit_code(),
        Err(failure) => {
            if let Some(message) = failure.message() {
                let _ = writeln!(std::io::stderr(), "mx-e2ee: {message}");
            }
            failure.exit_code()
        }
    }
}

fn run(line: CommandLine) -> Result<Verdict, Failure> {
    match line.group {
        Group::Message(command) => message::run(command, line.json),
        Group::Completions { shell } => manual::completions(shell),
        Group::Man { folder } => manual::man(folder.as_deref()),
    }
}
