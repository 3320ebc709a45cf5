//! The command line: groups of commands, each of which a module of its own declares and runs.
//!
//! Help, manual and completions are generated from this.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{keys, media, message};

/// Matrix key files, encrypted events and attachments, offline
#[derive(Debug, Parser)]
#[command(name = "mx-e2ee", version, after_help = EXIT_CODES)]
pub(crate) struct CommandLine {
    /// Write JSON, one object a line, instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) group: Group,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// Key export files
    #[command(subcommand)]
    Keys(keys::Command),
    /// Attachments
    #[command(subcommand)]
    Media(media::Command),
    /// Olm and Megolm messages and session keys
    #[command(subcommand)]
    Message(message::Command),
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  mx-e2ee completions bash > ~/.local/share/bash-completion/completions/mx-e2ee"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands
    #[command(after_help = "Example:\n  mx-e2ee man | man -l -\n  mx-e2ee man ~/.local/share/man/man1")]
    Man {
        /// A folder to write all pages to
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

pub(crate) const EXIT_CODES: &str = "\
- stands for standard input or output. Files are written whole or not at all, readable by you alone.
Passphrases are asked for, or read from a file descriptor: mx-e2ee ... --passphrase-fd 3 3<FILE

Exit codes: 0 success; 1 refused, or not all is as it should be; 2 the command line was wrong;
3 reading or writing failed, or the reader of standard output left before the end.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_help_fits_a_screen() {
        let mut command = CommandLine::command();
        command.build();
        let mut commands = vec![command];
        while let Some(mut command) = commands.pop() {
            let help = command.render_long_help().to_string();
            assert!(help.lines().count() <= 48, "{} lines:\n{help}", help.lines().count());
            assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
            commands
                .extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
        }
    }
}
