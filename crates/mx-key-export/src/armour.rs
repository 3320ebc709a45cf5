use core::mem;

use alloc::{boxed::Box, vec};

use embedded_io::{Error as _, ErrorKind, Read, Seek, SeekFrom};
use mx_types::base64::{self, TrailingBits};

use crate::ReadError;

/// The bytes between the lines that begin and end a file, chunk by chunk.
///
/// What stands before the first line that begins one, and behind the line that ends it, is passed over. Between them
/// white space may stand anywhere, and padding at the end.
pub(crate) struct Unarmour<S> {
    source: S,
    /// Where the text begins in the source.
    start: u64,
    text: Box<[u8]>,
    /// The part of `text` that is to be looked at.
    unread: (usize, usize),
    /// The characters of a chunk, without white space.
    characters: Box<[u8]>,
    /// Characters of the last line, as many as the next is expected to have.
    line_len: usize,
    place: Place,
    /// For salvage: a text that is cut off, or where other than Base64 stands, ends there.
    lenient: bool,
}

/// What is to be read next.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Before,
    Base64,
    /// Padding, of which there was so much, white space, and the line that ends the file.
    Padding(usize),
    After,
}

impl<S: Read + Seek> Unarmour<S> {
    pub(crate) fn new(mut source: S, lenient: bool) -> Result<Self, ReadError<S::Error>> {
        let start = source.stream_position().map_err(ReadError::Source)?;
        Ok(Self {
            source,
            start,
            text: vec![0; TEXT_LEN].into_boxed_slice(),
            unread: (0, 0),
            characters: vec![0; CHUNK_CHARACTERS].into_boxed_slice(),
            line_len: 0,
            place: Place::Before,
            lenient,
        })
    }

    /// Goes back to the first chunk.
    pub(crate) fn rewind(&mut self) -> Result<(), ReadError<S::Error>> {
        self.source.seek(SeekFrom::Start(self.start)).map_err(ReadError::Source)?;
        (self.unread, self.place) = ((0, 0), Place::Before);
        Ok(())
    }

    /// Writes the next [`CHUNK_LEN`] bytes to `out`, which has room for them, and returns them. Fewer are the last ones.
    pub(crate) fn next_chunk<'o>(&mut self, out: &'o mut [u8]) -> Result<&'o mut [u8], ReadError<S::Error>> {
        if self.place == Place::Before {
            self.find_begin()?;
        }
        let gathered = self.gather()?;
        let mut characters = self.characters.get(..gathered).unwrap_or_default();
        if self.lenient {
            let end = characters.iter().position(|byte| !is_base64(*byte));
            if let Some(end) = end {
                characters = characters.get(..end).unwrap_or_default();
                self.place = Place::After;
            }
            if characters.len() % 4 == 1 {
                characters = characters.split_last().map_or(&[], |(_, rest)| rest);
            }
        }
        // The MAC covers the bytes, not their spelling.
        let len =
            base64::decode(characters, TrailingBits::Ignored, out).map_err(|_| ReadError::Base64)?.len();
        Ok(out.get_mut(..len).unwrap_or_default())
    }

    /// Moves behind the line that begins a file.
    fn find_begin(&mut self) -> Result<(), ReadError<S::Error>> {
        loop {
            let found = self.unread().windows(BEGIN.len()).position(|window| window == BEGIN);
            if let Some(position) = found {
                self.unread.0 += position + BEGIN.len();
                self.place = Place::Base64;
                return Ok(());
            }
            // All but what may be the beginning of the line.
            self.unread.0 += (self.unread().len() + 1).saturating_sub(BEGIN.len());
            if !self.read_more()? {
                return Err(ReadError::NoBegin);
            }
        }
    }

    /// Collects the characters of a chunk and says how many there are.
    fn gather(&mut self) -> Result<usize, ReadError<S::Error>> {
        let mut gathered = 0;
        while gathered < CHUNK_CHARACTERS && self.place != Place::After {
            if self.unread().is_empty() && !self.read_more()? {
                return self.end_of_text(gathered);
            }
            let (from, to) = self.unread;
            let unread = self.text.get(from..to).unwrap_or_default();
            let free = self.characters.get_mut(gathered..).unwrap_or_default();
            let lines = if self.place == Place::Base64 { copy_lines(unread, self.line_len, free) } else { 0 };
            if lines > 0 {
                gathered += lines * self.line_len;
                self.unread.0 += lines * (self.line_len + 1);
                continue;
            }
            let run = if self.place == Place::Base64 { copy_run(unread, free) } else { 0 };
            gathered += run;
            self.unread.0 += run;
            match unread.get(run) {
                Some(b'\n') if run > 0 => {
                    self.unread.0 += 1;
                    self.line_len = run;
                }
                Some(b'-') => self.pass_end(gathered)?,
                Some(byte) if byte.is_ascii_whitespace() => self.unread.0 += 1,
                Some(b'=') => {
                    let before = if let Place::Padding(before) = self.place { before } else { 0 };
                    self.place = Place::Padding(before + 1);
                    self.unread.0 += 1;
                }
                // The chunk or the text ends here.
                _ if run > 0 => {}
                _ => return self.other_than_base64(gathered),
            }
        }
        Ok(gathered)
    }

    /// Moves behind the line that ends the file, of which the first character is next.
    fn pass_end(&mut self, gathered: usize) -> Result<(), ReadError<S::Error>> {
        while self.unread().len() < END.len() && self.read_more()? {}
        if !self.unread().starts_with(END) {
            let cut_off = END.starts_with(self.unread());
            return match (self.lenient, cut_off) {
                (true, _) => {
                    self.place = Place::After;
                    Ok(())
                }
                (false, true) => Err(ReadError::NoEnd),
                (false, false) => Err(ReadError::Base64),
            };
        }
        // None, or as much as fills up four characters. Chunks have multiples of four.
        let place = mem::replace(&mut self.place, Place::After);
        let fits = match (place, gathered % 4) {
            (Place::Padding(padding), 2 | 3) => gathered % 4 + padding == 4,
            (Place::Padding(_), _) => false,
            (_, rest) => rest != 1,
        };
        if fits || self.lenient { Ok(()) } else { Err(ReadError::Base64) }
    }

    fn end_of_text(&mut self, gathered: usize) -> Result<usize, ReadError<S::Error>> {
        self.place = Place::After;
        if self.lenient { Ok(gathered) } else { Err(ReadError::NoEnd) }
    }

    fn other_than_base64(&mut self, gathered: usize) -> Result<usize, ReadError<S::Error>> {
        self.place = Place::After;
        if self.lenient { Ok(gathered) } else { Err(ReadError::Base64) }
    }

    fn unread(&self) -> &[u8] {
        let (from, to) = self.unread;
        self.text.get(from..to).unwrap_or_default()
    }

    /// Reads more text behind what is unread. `false` at the end of the source.
    fn read_more(&mut self) -> Result<bool, ReadError<S::Error>> {
        let (from, to) = self.unread;
        self.text.copy_within(from..to, 0);
        self.unread = (0, to - from);
        let free = self.text.get_mut(to - from..).unwrap_or_default();
        let read = loop {
            match self.source.read(free) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(ReadError::Source)?,
            }
        };
        self.unread.1 += read.min(free.len());
        Ok(read > 0)
    }
}

/// Copies whole lines of so many characters, up to the first that has white space, `=` or `-` elsewhere than at its end,
/// and says how many.
fn copy_lines(text: &[u8], line_len: usize, out: &mut [u8]) -> usize {
    if line_len < BLOCK {
        return 0;
    }
    let mut copied = 0;
    for (line, to) in text.chunks_exact(line_len + 1).zip(out.chunks_exact_mut(line_len)) {
        let Some((b'\n', line)) = line.split_last() else { break };
        // The last block may overlap the one before it.
        let (Some(end), true) = (line.last_chunk(), copy_blocks(line, to) == line_len / BLOCK) else { break };
        let Some(to_end) = to.last_chunk_mut().filter(|_| !has_other(end)) else { break };
        *to_end = *end;
        copied += 1;
    }
    copied
}

/// Copies what stands before the first white space, `=` or `-`, and says how much that is.
fn copy_run(text: &[u8], out: &mut [u8]) -> usize {
    let mut copied = BLOCK * copy_blocks(text, out);
    let rest = text.get(copied..).unwrap_or_default().iter().zip(out.get_mut(copied..).unwrap_or_default());
    for (byte, to) in rest {
        if is_other(*byte) {
            break;
        }
        *to = *byte;
        copied += 1;
    }
    copied
}

/// Copies whole blocks up to the first that has white space, `=` or `-` in it, and says how many.
#[inline]
fn copy_blocks(text: &[u8], out: &mut [u8]) -> usize {
    let mut copied = 0;
    for (block, to) in text.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        if has_other(block) {
            break;
        }
        *to = *block;
        copied += 1;
    }
    copied
}

/// Compilers look at all of a block at once.
#[inline]
fn has_other(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |any, byte| any | is_other(*byte))
}

const fn is_other(byte: u8) -> bool {
    byte <= b' ' || byte == b'=' || byte == b'-'
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Bytes of the body that are read at a time, and their characters.
pub(crate) const CHUNK_LEN: usize = 36_864;
const CHUNK_CHARACTERS: usize = CHUNK_LEN / 3 * 4;

/// Text that is read from the source at a time.
const TEXT_LEN: usize = 32_768;

const BLOCK: usize = 32;

pub(crate) const BEGIN: &[u8] = b"-----BEGIN MEGOLM SESSION DATA-----";
pub(crate) const END: &[u8] = b"-----END MEGOLM SESSION DATA-----";
