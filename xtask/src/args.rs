//! The arguments of a command: the few flags that commands declare, and plain words.

use std::{collections::BTreeMap, fmt};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::commands::{Command, Grammar};

/// The arguments after the command's name.
#[derive(Debug, Default)]
pub(crate) struct Args {
    words: Vec<String>,
    flags: Vec<String>,
    values: BTreeMap<String, String>,
}

/// An argument that the command does not take.
#[derive(Debug)]
pub(crate) struct Misuse(String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Args {
    /// Reads the words that follow `command`. All commands take `--json`; one that forwards leaves it to the program
    /// that it starts, whose output is then the JSON.
    pub(crate) fn parse(command: &Command, words: impl Iterator<Item = String>) -> Result<Self, Misuse> {
        let mut args = Self::default();
        let Grammar::Own { flags, values, words: takes_words } = command.grammar else {
            args.words = words.collect();
            return Ok(args);
        };
        let mut parser = Parser::from_args(words);
        while let Some(arg) = parser.next().map_err(|e| Misuse(e.to_string()))? {
            match arg {
                Arg::Long(name) if name == "json" || flags.contains(&name) => {
                    args.flags.push(name.to_owned())
                }
                Arg::Long(name) if values.contains(&name) => {
                    let name = name.to_owned();
                    let value = parser.value().and_then(|v| v.string()).map_err(|e| Misuse(e.to_string()))?;
                    args.values.insert(name, value);
                }
                Arg::Value(word) if takes_words => {
                    args.words.push(word.string().map_err(|e| Misuse(e.to_string()))?);
                }
                other => return Err(Misuse(other.unexpected().to_string())),
            }
        }
        Ok(args)
    }

    /// Nothing but a flag, for a command that another one runs.
    pub(crate) fn with_flag(flag: &str) -> Self {
        Self { flags: vec![flag.to_owned()], ..Self::default() }
    }

    pub(crate) fn json(&self) -> bool {
        self.has("json")
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|name| name == flag)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    fn parse(command: &str, line: &str) -> Result<Args, Misuse> {
        let command = commands::find(command).expect("the command exists");
        Args::parse(command, line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_and_values_are_those_of_the_command() {
        let args = parse("check", "--target thumbv6m-none-eabi --json").expect("is well formed");
        assert_eq!(args.value("target"), Some("thumbv6m-none-eabi"));
        assert!(args.json());
        assert!(parse("check", "--peers").is_err());
        assert!(parse("check", "--target").is_err());
        assert!(parse("layers", "word").is_err());
    }

    #[test]
    fn forwarded_commands_keep_every_word() {
        let args = parse("demo", "--peer libolm --file x --json").expect("is forwarded");
        assert_eq!(args.words(), ["--peer", "libolm", "--file", "x", "--json"]);
        assert!(!args.json());
    }
}
