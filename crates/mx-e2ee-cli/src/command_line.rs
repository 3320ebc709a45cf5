//! The command line: groups of commands, each of which a module of its own declares and runs.
//!
//! Help, manual and completions are generated from this.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{backup, events, identity, keys, media, message, qr, sas, verify};

/// Matrix key files, encrypted events and attachments, offline
#[derive(Debug, Parser)]
#[command(name = "mx-e2ee", version, after_help = AFTER_HELP)]
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
    /// Exported events of rooms
    #[command(subcommand)]
    Events(events::Command),
    /// Attachments
    #[command(subcommand)]
    Media(media::Command),
    /// Server-side key backups
    #[command(subcommand)]
    Backup(backup::Command),
    /// Olm and Megolm messages and session keys
    #[command(subcommand)]
    Message(message::Command),
    /// Cross-signing identities and devices
    #[command(subcommand)]
    Identity(identity::Command),
    /// Verify a user or a device: compare emoji with the other side, or scan a QR code
    #[command(after_help = verify::AFTER_HELP)]
    Verify(Box<verify::Arguments>),
    /// Calculate the values of a SAS verification, and check recorded ones
    Sas(sas::Sas),
    /// QR codes of verifications
    #[command(subcommand)]
    Qr(qr::Command),
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

pub(crate) const AFTER_HELP: &str = "\
Examples:
  mx-e2ee keys info element-keys.txt
  mx-e2ee events decrypt --keys element-keys.txt room.jsonl -o clear.jsonl
  mx-e2ee media decrypt --info event.json downloaded photo.jpg
  mx-e2ee identity audit keys-query.json
  mx-e2ee qr read photo.jpg

- stands for standard input or output. Files are written whole or not at all, readable by you alone.
Passphrases are asked for, or read from a file descriptor: mx-e2ee ... --passphrase-fd 3 3<FILE

Exit codes: 0 success; 1 refused, or not all is as it should be; 2 the command line was wrong;
3 reading or writing failed, or the reader of standard output left before the end; 130 interrupted.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    /// What `--help` prints, of the program and of each command.
    fn helps() -> Vec<String> {
        let mut command = CommandLine::command();
        command.build();
        let mut commands = vec![(vec!["mx-e2ee".to_owned()], command)];
        let mut helps = Vec::new();
        while let Some((path, command)) = commands.pop() {
            let line = path.iter().map(String::as_str).chain(["--help"]);
            helps.push(CommandLine::try_parse_from(line).unwrap_err().to_string());
            for inner in command.get_subcommands().filter(|command| command.get_name() != "help") {
                commands.push(([path.as_slice(), &[inner.get_name().to_owned()]].concat(), inner.clone()));
            }
        }
        helps
    }

    /// The examples of the README and of each help, but for those that leave something out.
    #[test]
    fn every_example_is_a_command_line() {
        let texts = [vec![include_str!("../README.md").to_owned()], helps()].concat();
        let mut count = 0;
        let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
        for line in lines.filter(|line| line.starts_with("mx-e2ee ") && !line.contains("...")) {
            // Only what the shell hands to the program; descriptor 2 is open here, too.
            let words = line.split_whitespace().take_while(|word| !word.contains(['|', '>', '<', '#']));
            let words =
                words.map(|word| if matches!(word, "3" | "4") { "2" } else { word.trim_matches('\'') });
            let parsed = CommandLine::try_parse_from(words);
            assert!(parsed.as_ref().err().is_none_or(|error| !error.use_stderr()), "{line}\n{parsed:?}");
            count += 1;
        }
        assert!(count >= 5, "{count} examples");
    }

    #[test]
    fn every_help_fits_a_screen() {
        for help in helps() {
            assert!(help.lines().count() <= 48, "{} lines:\n{help}", help.lines().count());
            assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
        }
    }
}
