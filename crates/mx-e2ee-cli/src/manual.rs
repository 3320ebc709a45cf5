//! Completions and manual pages, from the same declaration as the help.

use std::{fs, io::Write as _, path::Path};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    command_line::CommandLine,
    failure::{Failure, Verdict},
    output::Output,
};

pub(crate) fn completions(shell: Shell) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "mx-e2ee", &mut script);
    print(&script)
}

/// The page of the program, or all pages as files in a folder.
pub(crate) fn man(folder: Option<&Path>) -> Result<Verdict, Failure> {
    // The subcommand `help` needs no page.
    let command = CommandLine::command().disable_help_subcommand(true);
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::input_output("cannot write the manual", &error))?;
        return print(&page);
    };
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written
        .map_err(|error| Failure::input_output(format!("cannot write to {}", folder.display()), &error))?;
    Ok(Verdict::Good)
}

fn print(bytes: &[u8]) -> Result<Verdict, Failure> {
    let mut out = Output::standard();
    out.write_all(bytes).map_err(|error| out.failure(&error))?;
    out.commit()?;
    Ok(Verdict::Good)
}
