use alloc::{vec, vec::Vec};
use core::fmt;

use embedded_io::{Error as _, ErrorKind, Write};
use mx_aes_sha2::ctr_hmac::{Keystream, Mac};
use mx_room_key::ExportedSessionData;
use mx_types::{RandomnessFailed, base64, fill_random};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{
    ExportKeys, MAX_ENTRY_LEN, WriteError,
    armour::{BEGIN, END},
    header::{HEADER_LEN, Header, MAC_LEN},
    splitter::is_object,
};

/// Writes a file, one session after the other, in constant memory. [`finish`](Self::finish) makes it whole: without it
/// what was written is no key export.
///
/// Base64 is padded and wrapped at 76 characters, and the last line ends: all known readers take that.
pub struct KeyExportWriter<'k, W> {
    out: W,
    keystream: Keystream<'k>,
    mac: Mac<'k>,
    /// The header at first, then plaintext, which becomes ciphertext before it leaves.
    body: Zeroizing<Vec<u8>>,
    filled: usize,
    /// How much of `body` is not to be encrypted: the header.
    clear: usize,
    characters: Vec<u8>,
    lines: Vec<u8>,
    sessions: u64,
    failed: bool,
}

impl<'k, W: Write> KeyExportWriter<'k, W> {
    /// Begins a file with these keys and an IV of its own. One set of keys may serve several files.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        keys: &'k ExportKeys,
        out: W,
    ) -> Result<Self, WriteError<W::Error>> {
        let mut iv = [0; 16];
        fill_random(rng, &mut iv).map_err(|RandomnessFailed| WriteError::RandomnessFailed)?;
        // Bit 63, so that the low half does not run over and counters of 64 bits and of 128 are the same.
        let [.., bit_63, _, _, _, _, _, _, _] = &mut iv;
        *bit_63 &= 0x7f;
        let mut body = Zeroizing::new(vec![0; CHUNK_LEN + MAX_ENTRY_LEN + 2]);
        Header { salt: keys.salt, iv, rounds: keys.rounds }.write(&mut body);
        let mut writer = Self {
            out,
            keystream: keys.keys.keystream(&iv),
            mac: keys.keys.start_mac(),
            body,
            filled: HEADER_LEN,
            clear: HEADER_LEN,
            characters: vec![0; base64::encoded_len(CHUNK_LEN)],
            lines: Vec::with_capacity(LINES_LEN),
            sessions: 0,
            failed: false,
        };
        writer.lines.extend_from_slice(BEGIN);
        writer.lines.push(b'\n');
        writer.write_lines()?;
        Ok(writer)
    }

    /// Appends a session.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn write(&mut self, session: &ExportedSessionData<'_>) -> Result<(), WriteError<W::Error>> {
        let written = self.room_for_entry()?;
        let len = session.emit(written).map_err(|_| WriteError::NotAnEntry)?.len();
        self.entry_written(len)
    }

    /// Appends an entry as another file had it: a JSON object, of which only brackets and quotes are looked at.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn write_json(&mut self, entry: &[u8]) -> Result<(), WriteError<W::Error>> {
        if !is_object(entry) {
            return Err(WriteError::NotAnEntry);
        }
        let room = self.room_for_entry()?.get_mut(..entry.len()).ok_or(WriteError::NotAnEntry)?;
        room.copy_from_slice(entry);
        self.entry_written(entry.len())
    }

    /// How many sessions were written.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Ends the file and gives the sink back, flushed.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn finish(mut self) -> Result<W, WriteError<W::Error>> {
        if self.sessions == 0 {
            self.append(b"[");
        }
        self.append(b"]");
        self.write_chunks()?;
        let last = self.body.get_mut(..self.filled).unwrap_or_default();
        self.keystream.apply(last.get_mut(self.clear..).unwrap_or_default());
        self.mac.update(last);
        let mac = self.mac.so_far::<MAC_LEN>();
        self.append(mac.as_bytes());
        // The MAC may reach into another chunk.
        let mut from = 0;
        while from < self.filled {
            let to = self.filled.min(from + CHUNK_LEN);
            self.encode(from, to)?;
            from = to;
        }
        self.lines.extend_from_slice(END);
        self.lines.push(b'\n');
        self.write_lines()?;
        self.out.flush().map_err(WriteError::Sink)?;
        Ok(self.out)
    }

    /// Where the next entry goes: behind a bracket or comma.
    fn room_for_entry(&mut self) -> Result<&mut [u8], WriteError<W::Error>> {
        if self.failed {
            return Err(WriteError::FailedBefore);
        }
        let room = self.body.get_mut(self.filled..).unwrap_or_default();
        let (before, room) = room.split_first_mut().ok_or(WriteError::NotAnEntry)?;
        *before = if self.sessions == 0 { b'[' } else { b',' };
        Ok(room.get_mut(..MAX_ENTRY_LEN).unwrap_or_default())
    }

    fn entry_written(&mut self, len: usize) -> Result<(), WriteError<W::Error>> {
        self.filled += 1 + len;
        self.sessions += 1;
        self.write_chunks()
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = self.body.get_mut(self.filled..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.filled += bytes.len();
    }

    /// Encrypts and writes what is there of whole chunks.
    fn write_chunks(&mut self) -> Result<(), WriteError<W::Error>> {
        let mut from = 0;
        while let Some(chunk) =
            self.body.get_mut(from..self.filled).and_then(|rest| rest.get_mut(..CHUNK_LEN))
        {
            self.keystream.apply(chunk.get_mut(self.clear..).unwrap_or_default());
            self.clear = 0;
            self.mac.update(chunk);
            self.encode(from, from + CHUNK_LEN)?;
            from += CHUNK_LEN;
        }
        self.body.copy_within(from..self.filled, 0);
        self.filled -= from;
        Ok(())
    }

    /// Writes a part of the body as lines of Base64. Parts are whole lines, but for the last.
    fn encode(&mut self, from: usize, to: usize) -> Result<(), WriteError<W::Error>> {
        let bytes = self.body.get(from..to).unwrap_or_default();
        let characters = base64::encode_to_bytes(bytes, &mut self.characters).unwrap_or_default();
        for line in characters.chunks(LINE) {
            self.lines.extend_from_slice(line);
            self.lines.push(b'\n');
        }
        let padding = (3 - bytes.len() % 3) % 3;
        if padding > 0 {
            self.lines.pop();
            self.lines.extend((0..padding).map(|_| b'='));
            self.lines.push(b'\n');
        }
        self.write_lines()
    }

    /// Writes what waits in `lines`.
    fn write_lines(&mut self) -> Result<(), WriteError<W::Error>> {
        let result = write_all(&mut self.out, &self.lines);
        self.lines.clear();
        self.failed |= result.is_err();
        result
    }
}

fn write_all<W: Write>(out: &mut W, mut bytes: &[u8]) -> Result<(), WriteError<W::Error>> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(WriteError::SinkFull),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(WriteError::Sink(error)),
        }
    }
    Ok(())
}

impl<W> fmt::Debug for KeyExportWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExportWriter").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// Characters of a line, as MIME has them, and the bytes that they stand for.
const LINE: usize = 76;
const LINE_BYTES: usize = LINE / 4 * 3;

/// Bytes of the body that are written at a time: whole lines.
const CHUNK_LEN: usize = LINE_BYTES * 640;

/// The lines of a chunk.
const LINES_LEN: usize = CHUNK_LEN / LINE_BYTES * (LINE + 1);
