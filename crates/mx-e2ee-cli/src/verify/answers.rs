//! What the user answers, while messages go on coming.

use core::time::Duration;
use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
};

use crate::{input, interrupt, passphrase::Descriptor};

/// Where answers come from.
#[derive(Debug)]
pub(super) struct Answers {
    descriptor: Option<Descriptor>,
    lines: Option<Receiver<Option<String>>>,
}

/// What was answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Yes,
    No,
    /// The three numbers that the other device shows.
    Numbers([u16; 3]),
    /// Nothing that counts, not even as a no.
    Unclear,
    /// Nobody is there any more.
    End,
}

impl Answers {
    /// From a descriptor, or else from the terminal, where somebody looks at what is to be compared.
    pub(super) fn open(descriptor: Option<Descriptor>) -> Self {
        // What was typed before a question is asked does not answer it: it is read, and passed over.
        let is_terminal = descriptor.is_none() && io::stdin().is_terminal();
        let lines = is_terminal.then(|| lines_of(input::standard_input));
        Self { descriptor, lines }
    }

    /// Whether anybody could answer.
    pub(super) const fn are_possible(&self) -> bool {
        self.descriptor.is_some() || self.lines.is_some()
    }

    /// Whether a bare yes counts: only where somebody types it.
    pub(super) const fn are_typed(&self) -> bool {
        self.descriptor.is_none()
    }

    /// From now on what is typed answers. Of a descriptor all lines do.
    pub(super) fn begin(&mut self) {
        match (&self.lines, self.descriptor) {
            (Some(lines), None) => while lines.try_recv().is_ok() {},
            (None, Some(descriptor)) => self.lines = Some(lines_of(move || descriptor.open())),
            _ => {}
        }
    }

    /// Waits for an answer if one is expected, and otherwise just waits.
    pub(super) fn wait(&self, is_asked: bool, at_most: Duration) -> Option<Answer> {
        let mut left = at_most;
        while !left.is_zero() && !interrupt::is_interrupted() {
            let slice = left.min(SLICE);
            left = left.saturating_sub(slice);
            match self.lines.as_ref().filter(|_| is_asked) {
                None if is_asked => return Some(Answer::End),
                None => thread::sleep(slice),
                Some(lines) => match lines.recv_timeout(slice) {
                    Ok(Some(line)) => return Some(Answer::read(&line)),
                    Ok(None) | Err(RecvTimeoutError::Disconnected) => return Some(Answer::End),
                    Err(RecvTimeoutError::Timeout) => {}
                },
            }
        }
        None
    }
}

impl Answer {
    /// Only whole words count. That a line is empty says nothing.
    fn read(line: &str) -> Self {
        let line = line.trim();
        match line.to_ascii_lowercase().as_str() {
            "yes" => return Self::Yes,
            "no" => return Self::No,
            _ => {}
        }
        let numbers = line.split(|c: char| c.is_whitespace() || matches!(c, '-' | ','));
        let numbers: Result<Vec<u16>, _> = numbers.filter(|part| !part.is_empty()).map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[a, b, c]) => Self::Numbers([a, b, c]),
            _ => Self::Unclear,
        }
    }
}

/// Lines, and nothing at their end. The thread waits for a line until the program ends.
fn lines_of(open: impl FnOnce() -> io::Result<File> + Send + 'static) -> Receiver<Option<String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Ok(file) = open() else { return };
        for line in BufReader::new(file.take(MAX_TYPED)).lines().map_while(Result::ok) {
            if sender.send(Some(line)).is_err() {
                return;
            }
        }
        let _ = sender.send(None);
    });
    receiver
}

/// Of all lines.
const MAX_TYPED: u64 = 64 << 10;

const SLICE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_word_or_three_numbers_answer() {
        for (line, answer) in [
            ("yes", Answer::Yes),
            (" YES \r", Answer::Yes),
            ("no", Answer::No),
            ("1234 5678 9012", Answer::Numbers([1234, 5678, 9012])),
            ("1234-5678-9012", Answer::Numbers([1234, 5678, 9012])),
            ("1234, 5678, 9012", Answer::Numbers([1234, 5678, 9012])),
        ] {
            assert_eq!(Answer::read(line), answer, "{line:?}");
        }
        for line in
            ["", " ", "y", "n", "yes yes", "ja", "ok", "1234 5678", "1 2 3 4", "1234 5678 90123", "1 2 -"]
        {
            assert_eq!(Answer::read(line), Answer::Unclear, "{line:?}");
        }
    }
}
