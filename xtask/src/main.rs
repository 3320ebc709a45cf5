//! `cargo xtask`: everything that this repository does to itself. One module per command; this file only
//! dispatches, `report.rs` draws.

mod args;
mod attacks;
mod catalogue;
mod check;
mod ci;
mod commands;
mod conformance;
mod deny;
mod doc;
mod features;
mod firmware;
mod fuzz;
mod homeserver;
mod known_answers;
mod layers;
mod lint;
mod memory;
mod msrv;
mod peers;
mod process;
mod project;
mod qemu;
mod report;
mod secrets;
mod size;
mod size_libolm;
mod size_run;
mod size_wasm;
mod source;
mod steps;
mod synapse;
mod test;
mod tidy;
mod wasm;
mod web;

use std::{io::Write as _, process::ExitCode};

use crate::{
    args::Args,
    commands::{Command, Grammar},
    project::Project,
    report::{Outcome, Report},
};

/// The command line was wrong: no work was done.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(name) = words.next().filter(|name| !matches!(name.as_str(), "help" | "--help" | "-h")) else {
        print(&commands::help());
        return ExitCode::SUCCESS;
    };
    let Some(command) = commands::find(&name) else {
        eprintln!("unknown command `{name}`; known: {}", commands::names().join(", "));
        return ExitCode::from(MISUSE);
    };
    let args = match Args::parse(command, words) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{name}: {error}\n\nusage: cargo xtask {} {}", command.name, command.usage);
            return ExitCode::from(MISUSE);
        }
    };
    match Project::open(args.json()).and_then(|project| (command.run)(&project, &args)) {
        Ok(report) => {
            show(command, &report, args.json());
            match report.outcome() {
                Outcome::Misused => ExitCode::from(MISUSE),
                _ if report.has_failed() => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn show(command: &Command, report: &Report, json: bool) {
    match command.grammar {
        // The program that was started has said what there is to say.
        Grammar::Forwarded if *report.outcome() == Outcome::Passed => {}
        Grammar::Forwarded => eprint!("{report}"),
        Grammar::Own { .. } if json => print(&format!("{:#}\n", report.to_json(command.name))),
        Grammar::Own { .. } => print(&report.to_string()),
    }
}

/// Whoever reads may stop before the end, as `head` does.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
