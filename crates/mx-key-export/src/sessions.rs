use alloc::string::String;
use core::{fmt, mem, ops::Range};

use embedded_io::{Read, Seek};
use mx_room_key::ExportedSessionData;
use mx_types::RoomId;

use crate::{
    EntryError, EntryErrorReason, ExportKeys, KeyExport, MAX_ENTRY_LEN, ReadError,
    armour::CHUNK_LEN,
    cipher::Cipher,
    header::HEADER_LEN,
    splitter::{Found, Splitter},
    verification::Recheck,
};

/// The sessions of a file, one after the other.
///
/// No iterator, as what it gives is borrowed of its buffer.
pub struct Sessions<'f, S> {
    file: &'f mut KeyExport<S>,
    /// `None` for salvage, which checks nothing.
    recheck: Option<Recheck<'f>>,
    cipher: Cipher<'f>,
    splitter: Splitter,
    /// How much of the buffer is plaintext.
    filled: usize,
    progress: Progress,
    counts: Counts,
    /// The room of the session that came last.
    room: String,
}

/// Where an entry stands in the buffer, or what is wrong with it.
type Place = Result<Range<usize>, EntryErrorReason>;

/// How far the second pass is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Begin,
    Middle,
    /// All of the plaintext is in the buffer, or was.
    LastChunk,
    /// Everything was handed out, or reading failed.
    Over,
}

impl<'f, S: Read + Seek> Sessions<'f, S> {
    pub(crate) fn new(
        file: &'f mut KeyExport<S>,
        keys: &'f ExportKeys,
        recheck: Option<Recheck<'f>>,
    ) -> Self {
        let cipher = Cipher::new(&keys.keys, &file.header.iv);
        Self {
            file,
            recheck,
            cipher,
            splitter: Splitter::new(),
            filled: 0,
            progress: Progress::Begin,
            counts: Counts { entries: 0, refused: 0 },
            room: String::new(),
        }
    }

    /// The next entry, parsed; `None` when there are no more.
    ///
    /// The inner error is of this entry only: go on. A session of a file is nobody's word but the file's:
    /// [`RoomKey::from_file`](mx_room_key::RoomKey::from_file) marks it so.
    ///
    /// # Errors
    ///
    /// [`ReadError`], after which nothing comes.
    pub fn next_session(
        &mut self,
    ) -> Result<Option<Result<ExportedSessionData<'_>, EntryError>>, ReadError<S::Error>> {
        // Most entries are read where they begin, and end where their reader ends. Others are told apart first.
        let mut read = None;
        let mut room = mem::take(&mut self.room);
        let found = self.find(|text| {
            let (session, len) = ExportedSessionData::parse_leading(text).ok()?;
            room.clear();
            room.push_str(session.room_id());
            read = Some(session.session);
            Some(len)
        });
        self.room = room;
        let Some((position, found)) = found? else { return Ok(None) };
        if let (Some(session), Ok(room)) = (read, RoomId::parse(&self.room)) {
            return Ok(Some(Ok(ExportedSessionData::new(room, session))));
        }
        let Self { file, counts, .. } = self;
        let session = Entry { position, json: found.map(|range| file.buffer.get(range).unwrap_or_default()) };
        let session = session.session();
        counts.refused += u64::from(session.is_err());
        Ok(Some(session))
    }

    /// The next entry as it stands in the file; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// [`ReadError`], after which nothing comes.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, ReadError<S::Error>> {
        let Some((position, found)) = self.find(|_| None)? else { return Ok(None) };
        self.counts.refused += u64::from(found.is_err());
        Ok(Some(Entry { position, json: found.map(|range| self.file.buffer.get(range).unwrap_or_default()) }))
    }

    /// What came so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the MAC of the file was right. `false` says salvage: whoever could write the file could change it.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.recheck.is_some()
    }

    /// The next entry's position in the array, and its place. `read` is as [`Splitter::next`] wants it.
    fn find(
        &mut self,
        read: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Result<Option<(u64, Place)>, ReadError<S::Error>> {
        if self.progress == Progress::Over {
            return Ok(None);
        }
        let found = self.find_or_fail(read);
        if !matches!(found, Ok(Some(_))) {
            self.progress = Progress::Over;
        }
        let Some(found) = found? else { return Ok(None) };
        let position = self.counts.entries;
        self.counts.entries += 1;
        Ok(Some((position, found)))
    }

    fn find_or_fail(
        &mut self,
        mut read: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Result<Option<Place>, ReadError<S::Error>> {
        loop {
            let text = self.file.buffer.get(..self.filled).unwrap_or_default();
            let is_salvage = self.recheck.is_none();
            return match self.splitter.next(text, self.progress == Progress::LastChunk, &mut read) {
                Found::Element(range) if range.len() > MAX_ENTRY_LEN => {
                    Ok(Some(Err(EntryErrorReason::TooLong)))
                }
                Found::Element(range) => Ok(Some(Ok(range))),
                Found::Broken => Ok(Some(Err(EntryErrorReason::Malformed))),
                Found::TooLong => Ok(Some(Err(EntryErrorReason::TooLong))),
                Found::More => {
                    self.read_more()?;
                    continue;
                }
                Found::End => Ok(None),
                Found::Unfinished | Found::AfterArray if is_salvage => Ok(None),
                Found::Unfinished => Err(ReadError::UnfinishedArray),
                Found::AfterArray => Err(ReadError::AfterArray),
                Found::NotAnArray => Err(ReadError::NotAnArray),
            };
        }
    }

    /// Appends the plaintext of the next chunk to what is not done with.
    fn read_more(&mut self) -> Result<(), ReadError<S::Error>> {
        if self.progress == Progress::Begin {
            self.file.body.rewind()?;
        }
        if self.filled - self.splitter.start() > MAX_ENTRY_LEN {
            self.splitter.give_up(self.file.buffer.get(..self.filled).unwrap_or_default());
        }
        let done = self.splitter.start();
        self.file.buffer.copy_within(done..self.filled, 0);
        self.splitter.dropped(done);
        self.filled -= done;

        let free = self.file.buffer.get_mut(self.filled..).unwrap_or_default();
        let chunk = self.file.body.next_chunk(free)?;
        let ciphertext = if let Some(recheck) = &mut self.recheck { recheck.check(chunk)? } else { chunk };
        let is_last = match &self.recheck {
            Some(recheck) => recheck.is_over(),
            None => ciphertext.len() < CHUNK_LEN,
        };
        let header = if self.progress == Progress::Begin { HEADER_LEN.min(ciphertext.len()) } else { 0 };
        ciphertext.copy_within(header.., 0);
        let len = ciphertext.len() - header;
        self.cipher.apply(ciphertext.get_mut(..len).unwrap_or_default());
        self.filled += len;
        self.progress = if is_last { Progress::LastChunk } else { Progress::Middle };
        Ok(())
    }
}

impl<S> fmt::Debug for Sessions<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// An entry of a file.
pub struct Entry<'s> {
    position: u64,
    json: Result<&'s [u8], EntryErrorReason>,
}

impl<'s> Entry<'s> {
    /// Which entry: 0 is the first.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The entry as it stands in the file, for tools that copy it unchanged. It holds the session key.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if it is too long, or broken so that where it ends is not known.
    pub fn json(&self) -> Result<&'s [u8], EntryError> {
        self.json.map_err(|reason| self.error(reason))
    }

    /// The entry, parsed.
    ///
    /// # Errors
    ///
    /// [`EntryError`].
    pub fn session(&self) -> Result<ExportedSessionData<'s>, EntryError> {
        ExportedSessionData::parse(self.json()?).map_err(|error| self.error(EntryErrorReason::Session(error)))
    }

    const fn error(&self, reason: EntryErrorReason) -> EntryError {
        EntryError { position: self.position, reason }
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("position", &self.position).finish_non_exhaustive()
    }
}

/// How many entries came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// All entries.
    pub entries: u64,
    /// Those that were refused: as sessions if they were asked for as such, else because they were too long or broken.
    pub refused: u64,
}

/// Room for an entry that has begun, and a chunk behind it.
pub(crate) const PLAINTEXT_LEN: usize = MAX_ENTRY_LEN + CHUNK_LEN;
