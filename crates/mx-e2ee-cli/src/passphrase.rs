//! Passphrases: from the terminal, without echo, or from a file descriptor. Never from the command line or the
//! environment, which others can read.

use core::fmt;
use std::{
    fs::File,
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use zeroize::Zeroizing;

use crate::{failure::Failure, interrupt};

/// A passphrase, wiped when dropped.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase of something that exists, named in the prompt.
    pub(crate) fn read(descriptor: Option<Descriptor>, of: &str) -> Result<Self, Failure> {
        match descriptor {
            Some(descriptor) => descriptor.read(),
            None => ask(&format!("Passphrase of {of}: ")),
        }
    }

    /// Another secret, which is named in the prompt; `option` is that of the descriptor.
    pub(crate) fn secret(descriptor: Option<Descriptor>, name: &str, option: &str) -> Result<Self, Failure> {
        match descriptor {
            Some(descriptor) => descriptor.read(),
            None => ask_for(&format!("{name}: "), option),
        }
    }

    /// A new passphrase: typed twice, and not empty.
    pub(crate) fn choose(descriptor: Option<Descriptor>, of: &str) -> Result<Self, Failure> {
        let chosen = match descriptor {
            Some(descriptor) => descriptor.read()?,
            None => {
                let chosen = ask(&format!("New passphrase of {of}: "))?;
                let again = ask("The same again: ")?;
                if *chosen.0 != *again.0 {
                    return Err(Failure::refused("the two passphrases differ; nothing was written"));
                }
                chosen
            }
        };
        if chosen.0.is_empty() {
            return Err(Failure::refused("the passphrase is empty; nothing was written"));
        }
        Ok(chosen)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").finish_non_exhaustive()
    }
}

/// A file descriptor that was open when the program started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Descriptor(u32);

impl Descriptor {
    /// For clap. That it is open is checked here, before the program opens files of its own, which would get its
    /// number if it were not.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        let number = word.parse().map_err(|_| "a file descriptor is a number, as in: 3".to_owned())?;
        let descriptor = Self(number);
        if !cfg!(unix) {
            return Err("there are no file descriptors on this system; leave it away to be asked".to_owned());
        }
        if descriptor.path().metadata().is_err() {
            return Err(format!("file descriptor {number} is not open; as in: mx-e2ee ... {number}<FILE"));
        }
        Ok(descriptor)
    }

    fn path(self) -> PathBuf {
        PathBuf::from(format!("/dev/fd/{}", self.0))
    }

    /// To read something that is no secret.
    pub(crate) fn open(self) -> io::Result<File> {
        File::open(self.path())
    }

    /// The first line, which is a passphrase.
    fn read(self) -> Result<Passphrase, Failure> {
        self.first_line("the passphrase").map(Passphrase)
    }

    /// The first line, without its end. Nothing behind it is consumed of a pipe, which may hold more secrets.
    pub(crate) fn first_line(self, what: &str) -> Result<Zeroizing<String>, Failure> {
        let name = format!("file descriptor {}", self.0);
        let file = self.open();
        let file =
            file.map_err(|error| Failure::input_output(format!("cannot read {what} from {name}"), &error))?;
        if file.is_terminal() {
            return Err(Failure::misused(format!(
                "{name} is a terminal, which would show {what}; give it from a file or a pipe"
            )));
        }
        first_line(file, what, &name)
    }
}

/// The first line of a file with a secret in it, without its end.
pub(crate) fn first_line(
    mut file: impl io::Read,
    what: &str,
    name: &str,
) -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
    let mut byte = Zeroizing::new([0]);
    loop {
        match file.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) if *byte == *b"\n" => break,
            Ok(_) => line.extend_from_slice(byte.as_slice()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failure::input_output(format!("cannot read {what} from {name}"), &error));
            }
        }
        if line.len() > MAX_LEN {
            return Err(Failure::refused(format!(
                "{name} has a first line of more than {MAX_LEN} bytes: is it {what}?"
            )));
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = core::str::from_utf8(&line);
    let text = text.map_err(|_| Failure::refused(format!("{what} on {name} is not UTF-8")))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Longer than any that people use; a file that was named by mistake is not read to its end.
const MAX_LEN: usize = 4_096;

fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    ask_for(prompt, "--passphrase-fd")
}

fn ask_for(prompt: &str, option: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(prompt).map_err(|error| {
        if interrupt::is_interrupted() {
            return Failure::Interrupted;
        }
        Failure::misused(format!(
            "cannot ask at the terminal ({error}); give it on a file descriptor, as in: {option} 3 3<FILE"
        ))
    })?;
    Ok(Passphrase(Zeroizing::new(typed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_not_shown() {
        let passphrase = Passphrase(Zeroizing::new("open sesame".to_owned()));
        assert_eq!(format!("{passphrase:?}"), "Passphrase { .. }");
    }

    #[test]
    fn a_descriptor_is_an_open_one() {
        for word in ["", "three", "-1", "99999999999", "987"] {
            assert!(Descriptor::parse(word).is_err(), "{word}");
        }
        assert!(!cfg!(unix) || Descriptor::parse("2").is_ok());
    }
}
