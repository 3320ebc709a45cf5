//! The command line: four options, so read by hand.

use std::{ffi::OsString, path::PathBuf};

/// One screen.
pub(crate) const HELP: &str = "\
Alice and Bob in an encrypted conversation, step by step.

They create accounts, publish signed keys at an in-memory homeserver, verify each other by
emoji and sign each other's identity, claim keys, open Olm sessions, exchange messages that
arrive out of order, share Megolm sessions, talk in a room and send a file there. In the end
Bob exports his keys, and the tool mx-e2ee reads the room.

Usage: cargo xtask demo [OPTIONS]

Options:
  --file PATH   the file to send, as an attachment; what arrives is compared with it
  --peer NAME   let another implementation play Bob: vodozemac or libolm
  --json        print the wire objects and the emoji, one JSON value a line, and nothing else
  --help        print this

Exit code: 0 when everything went as told, 1 when something failed, 2 for a wrong command line.
";

/// What was asked for.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    /// `--file`
    pub(crate) file: Option<PathBuf>,
    /// `--help`
    pub(crate) help: bool,
    /// `--json`
    pub(crate) json: bool,
    /// `--peer`
    pub(crate) peer: Option<String>,
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy().into_owned();
            let (name, attached) = match text.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (text.as_str(), None),
            };
            let mut value = |what: &str| match &attached {
                Some(value) => Ok(OsString::from(value)),
                None => arguments.next().ok_or_else(|| format!("{name} needs {what}")),
            };
            match name {
                "--file" => options.file = Some(value("a path")?.into()),
                "--peer" => options.peer = Some(value("a name")?.to_string_lossy().into_owned()),
                "--json" if attached.is_none() => options.json = true,
                "--help" | "-h" if attached.is_none() => options.help = true,
                _ => return Err(format!("unknown argument `{text}`")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn every_option_is_understood_in_both_spellings() {
        let expected =
            Options { file: Some("a b.bin".into()), help: false, json: true, peer: Some("libolm".into()) };
        assert_eq!(parse(&["--file", "a b.bin", "--json", "--peer", "libolm"]), Ok(expected));
        assert_eq!(parse(&["--peer=vodozemac"]).unwrap().peer.as_deref(), Some("vodozemac"));
        assert!(parse(&["-h"]).unwrap().help);
    }

    #[test]
    fn a_wrong_command_line_is_one_line_of_explanation() {
        assert_eq!(parse(&["--file"]), Err("--file needs a path".into()));
        assert_eq!(parse(&["--frobnicate"]), Err("unknown argument `--frobnicate`".into()));
        assert_eq!(parse(&["--json=yes"]), Err("unknown argument `--json=yes`".into()));
    }

    #[test]
    fn the_help_fits_a_screen() {
        assert!(HELP.lines().count() <= 24);
        assert!(HELP.lines().all(|line| line.len() <= 100));
    }
}
