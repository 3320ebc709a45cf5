use alloc::{boxed::Box, vec};
use core::fmt;

use embedded_io::{ErrorKind, Read};

/// The text of an answer, byte by byte.
pub(crate) struct AnswerText<R> {
    source: R,
    buffer: Box<[u8]>,
    /// What is in the buffer and was not looked at.
    start: usize,
    end: usize,
    /// Bytes that were looked at.
    position: u64,
}

impl<R: Read> AnswerText<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; BUFFER_LEN].into_boxed_slice(), start: 0, end: 0, position: 0 }
    }

    /// How many bytes were looked at.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Whether a value ends with this byte, outside of all brackets and strings.
    pub(crate) fn value_ends(&mut self, byte: u8) -> Result<bool, AnswerError<R::Error>> {
        if matches!(byte, b'"' | b'}' | b']') {
            return Ok(true);
        }
        // A number or a word: by what follows.
        let next = self.peek()?;
        Ok(next.is_none_or(|next| matches!(next, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')))
    }

    /// The first byte of a value, which may be one.
    pub(crate) fn peek_value(&mut self) -> Result<u8, AnswerError<R::Error>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.take(),
                Some(b'}' | b']' | b',' | b':') => return Err(self.syntax()),
                Some(byte) => return Ok(byte),
                None => return Err(AnswerError::Unfinished),
            }
        }
    }

    /// The next byte that is no white space.
    pub(crate) fn next_byte(&mut self) -> Result<u8, AnswerError<R::Error>> {
        loop {
            match self.byte()? {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                byte => return Ok(byte),
            }
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), AnswerError<R::Error>> {
        while let Some(byte) = self.peek()? {
            self.take();
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Err(self.syntax());
            }
        }
        Ok(())
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8, AnswerError<R::Error>> {
        let byte = self.peek()?.ok_or(AnswerError::Unfinished)?;
        self.take();
        Ok(byte)
    }

    /// Moves behind the byte that was peeked at.
    pub(crate) const fn take(&mut self) {
        self.start += 1;
        self.position += 1;
    }

    /// The next byte, if there is one.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, AnswerError<R::Error>> {
        if self.start == self.end {
            self.start = 0;
            self.end = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(len) => break len.min(self.buffer.len()),
                    Err(error) if embedded_io::Error::kind(&error) == ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.end = 0;
                        return Err(AnswerError::Source(error));
                    }
                }
            };
        }
        Ok(self.buffer.get(self.start..self.end).and_then(<[u8]>::first).copied())
    }

    /// What is wrong with the byte that was read last.
    pub(crate) const fn syntax(&self) -> AnswerError<R::Error> {
        AnswerError::Syntax { position: self.position.saturating_sub(1) }
    }
}

const BUFFER_LEN: usize = 16_384;

/// Why an answer was not read, or not to its end. `E` is the error of the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnswerError<E> {
    /// It is no object.
    NotAnObject,
    /// A member that it must have is not there. An answer for one room has `sessions`, one for all has `rooms`.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member is no object.
    WrongType {
        /// Its name.
        member: &'static str,
    },
    /// It ceases to be JSON.
    Syntax {
        /// The byte at which it does.
        position: u64,
    },
    /// It ends before it is complete: it was cut off.
    Unfinished,
    /// The source failed.
    Source(E),
}

impl<E: fmt::Display> fmt::Display for AnswerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the answer is no JSON object"),
            Self::Missing { member } => write!(f, "the answer has no member {member}"),
            Self::WrongType { member } => write!(f, "{member} of the answer is no object"),
            Self::Syntax { position } => write!(f, "the answer ceases to be JSON at byte {position}"),
            Self::Unfinished => f.write_str("the answer is cut off"),
            Self::Source(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for AnswerError<E> {}
