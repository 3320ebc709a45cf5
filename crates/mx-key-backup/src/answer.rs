use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::{fmt, mem};

use embedded_io::Read;
use mx_json::{MalformedObject, Value};
use mx_types::{MAX_IDENTIFIER_LEN, RoomId, SessionId};

use crate::{AnswerError, Entry, EntryError, answer_text::AnswerText};

/// An answer to `GET /room_keys/keys`, whole, of a room or of a session, read entry by entry.
///
/// Memory does not grow with the answer. Brackets and quotes tell entries apart; what is wrong within one costs nothing
/// but that one. A room or session that stands there twice comes twice: merge them.
///
/// ```
/// use mx_key_backup::KeysAnswer;
///
/// let text = br#"{"rooms":{"!room:example.org":{"sessions":{"one":{},"two":[]}}}}"#;
/// let mut answer = KeysAnswer::of_all(&text[..]);
/// let mut sessions = Vec::new();
/// while let Some(entry) = answer.next_entry()? {
///     sessions.push(entry.session_id().unwrap_or_default().to_owned());
/// }
/// assert_eq!(sessions, ["one", "two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeysAnswer<R> {
    text: AnswerText<R>,
    place: Place,
    /// Whether nothing stands before in the object.
    first: bool,
    /// Whether the member that matters was there, in the answer or in the room.
    found: bool,
    room: Name,
    /// The last name: that of a session, where an entry is.
    name: Name,
    value: Vec<u8>,
    entries: u64,
}

/// The name of a member, which may be an ID.
#[derive(Default)]
struct Name {
    /// What there is of it.
    text: String,
    /// It is no text, or longer than IDs are.
    unreadable: bool,
}

/// In which object the reader is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Before an answer with all rooms, with a room, or with a session.
    BeforeAll,
    BeforeRoom,
    BeforeSession,
    AfterSession,
    InAll,
    InRooms,
    /// A room of several, or the only one.
    InRoom,
    InOnlyRoom,
    InSessions,
    InOnlySessions,
    Over,
}

impl<R: Read> KeysAnswer<R> {
    /// The answer to `GET /room_keys/keys`.
    #[must_use]
    pub fn of_all(source: R) -> Self {
        Self::new(source, Place::BeforeAll)
    }

    /// The answer to `GET /room_keys/keys/{roomId}`.
    #[must_use]
    pub fn of_room(source: R, room_id: RoomId<'_>) -> Self {
        Self { room: Name::of(room_id.as_str()), ..Self::new(source, Place::BeforeRoom) }
    }

    /// The answer to `GET /room_keys/keys/{roomId}/{sessionId}`.
    #[must_use]
    pub fn of_session(source: R, room_id: RoomId<'_>, session_id: SessionId<'_>) -> Self {
        let (room, name) = (Name::of(room_id.as_str()), Name::of(session_id.as_str()));
        Self { room, name, ..Self::new(source, Place::BeforeSession) }
    }

    fn new(source: R, place: Place) -> Self {
        Self {
            text: AnswerText::new(source),
            place,
            first: true,
            found: false,
            room: Name::default(),
            name: Name::default(),
            value: Vec::new(),
            entries: 0,
        }
    }

    /// The next entry; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// [`AnswerError`], after which nothing comes. All entries before were handed out.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, AnswerError<R::Error>> {
        let found = self.find();
        if !matches!(found, Ok(Some(_))) {
            self.place = Place::Over;
        }
        let Some(found) = found? else { return Ok(None) };
        let position = self.entries;
        self.entries += 1;
        let is_of_session = !matches!(found, Found::RoomRefused(_));
        let json = match found {
            _ if self.room.unreadable || is_of_session && self.name.unreadable => Err(EntryError::Name),
            Found::Entry => Ok(self.value.as_slice()),
            Found::Refused(error) | Found::RoomRefused(error) => Err(error),
        };
        let session_id = is_of_session.then_some(self.name.text.as_str());
        Ok(Some(Entry { position, room_id: &self.room.text, session_id, json }))
    }

    /// How many bytes of the answer were read: for progress.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.text.position()
    }

    fn find(&mut self) -> Result<Option<Found>, AnswerError<R::Error>> {
        loop {
            match self.place {
                Place::BeforeAll => self.open(Place::InAll)?,
                Place::BeforeRoom => self.open(Place::InOnlyRoom)?,
                Place::BeforeSession => {
                    self.place = Place::AfterSession;
                    return self.entry().map(Some);
                }
                Place::AfterSession => {
                    self.place = Place::Over;
                    self.text.end()?;
                    return Ok(None);
                }
                Place::InAll => {
                    if !self.next_member()? {
                        return self.over("rooms");
                    }
                    if self.is_named("rooms")? {
                        self.open_member("rooms", Place::InRooms)?;
                    }
                }
                Place::InRooms => {
                    if !self.next_member()? {
                        self.leave(Place::InAll);
                        continue;
                    }
                    mem::swap(&mut self.room, &mut self.name);
                    if self.text.peek_value()? != b'{' {
                        self.capture(0)?;
                        return Ok(Some(Found::RoomRefused(EntryError::Room(MalformedObject::NotAnObject))));
                    }
                    self.open(Place::InRoom)?;
                }
                Place::InRoom => {
                    if !self.next_member()? {
                        let found = self.found;
                        self.leave(Place::InRooms);
                        if !found {
                            let error = MalformedObject::Missing { member: "sessions" };
                            return Ok(Some(Found::RoomRefused(EntryError::Room(error))));
                        }
                        continue;
                    }
                    if self.is_named("sessions")? {
                        if self.text.peek_value()? != b'{' {
                            self.capture(0)?;
                            self.found = true;
                            let error = MalformedObject::WrongType { member: "sessions" };
                            return Ok(Some(Found::RoomRefused(EntryError::Room(error))));
                        }
                        self.open(Place::InSessions)?;
                    }
                }
                Place::InOnlyRoom => {
                    if !self.next_member()? {
                        return self.over("sessions");
                    }
                    if self.is_named("sessions")? {
                        self.open_member("sessions", Place::InOnlySessions)?;
                    }
                }
                Place::InSessions | Place::InOnlySessions => {
                    if self.next_member()? {
                        return self.entry().map(Some);
                    }
                    let is_only = self.place == Place::InOnlySessions;
                    self.leave(if is_only { Place::InOnlyRoom } else { Place::InRoom });
                }
                Place::Over => return Ok(None),
            }
        }
    }

    /// The end of the answer, in which the member must have been.
    fn over(&mut self, member: &'static str) -> Result<Option<Found>, AnswerError<R::Error>> {
        self.place = Place::Over;
        let found = self.found;
        self.text.end()?;
        if found { Ok(None) } else { Err(AnswerError::Missing { member }) }
    }

    /// Reads the beginning of an object.
    fn open(&mut self, place: Place) -> Result<(), AnswerError<R::Error>> {
        if self.text.peek_value()? != b'{' {
            return Err(AnswerError::NotAnObject);
        }
        self.text.take();
        (self.place, self.first, self.found) = (place, true, false);
        Ok(())
    }

    /// After the end of an object: the one around it, of which the member that matters was there.
    const fn leave(&mut self, place: Place) {
        (self.place, self.first, self.found) = (place, false, true);
    }

    /// Whether the member has this name. The value of one that has not is passed over.
    fn is_named(&mut self, name: &str) -> Result<bool, AnswerError<R::Error>> {
        let is_named = !self.name.unreadable && self.name.text == name;
        if !is_named {
            self.capture(0)?;
        }
        Ok(is_named)
    }

    /// Goes into the value of a member without which the answer is none.
    fn open_member(&mut self, member: &'static str, place: Place) -> Result<(), AnswerError<R::Error>> {
        if self.text.peek_value()? == b'{' {
            self.open(place)
        } else {
            Err(AnswerError::WrongType { member })
        }
    }

    /// Reads the value of a session.
    fn entry(&mut self) -> Result<Found, AnswerError<R::Error>> {
        if self.capture(MAX_ENTRY_LEN)? {
            Ok(Found::Entry)
        } else {
            self.value.clear();
            Ok(Found::Refused(EntryError::TooLong))
        }
    }

    /// Reads up to the value of the next member, `false` at the end of the object.
    fn next_member(&mut self) -> Result<bool, AnswerError<R::Error>> {
        let mut byte = self.text.next_byte()?;
        if byte == b'}' {
            return Ok(false);
        }
        if !mem::take(&mut self.first) {
            if byte != b',' {
                return Err(self.text.syntax());
            }
            byte = self.text.next_byte()?;
        }
        if byte != b'"' {
            return Err(self.text.syntax());
        }
        self.name()?;
        if self.text.next_byte()? != b':' {
            return Err(self.text.syntax());
        }
        Ok(true)
    }

    /// A name, of which the quote was read. Of one that can be no ID as much is kept as an ID may have.
    fn name(&mut self) -> Result<(), AnswerError<R::Error>> {
        self.value.clear();
        self.value.push(b'"');
        let mut escaped = false;
        loop {
            let byte = self.text.byte()?;
            if self.value.len() < MAX_NAME_LEN {
                self.value.push(byte);
            }
            match byte {
                b'"' if !escaped => break,
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.name.text.clear();
        let text = match mx_json::value(&self.value) {
            Some(Value::Text(text)) => text.to_str(),
            _ => None,
        };
        self.name.unreadable = text.is_none();
        let lossy = || String::from_utf8_lossy(self.value.get(1..).unwrap_or_default());
        self.name.text.push_str(&text.unwrap_or_else(lossy));
        Ok(())
    }

    /// Reads a value to `value`, of one that is longer than `limit` nothing. Says whether it was not longer.
    fn capture(&mut self, limit: usize) -> Result<bool, AnswerError<R::Error>> {
        self.value.clear();
        self.text.peek_value()?;
        let (mut depth, mut in_string, mut escaped, mut len) = (0_u64, false, false, 0_usize);
        loop {
            let byte = self.text.byte()?;
            if len < limit {
                self.value.push(byte);
            }
            len = len.saturating_add(1);
            if in_string {
                match byte {
                    b'"' if !escaped => in_string = false,
                    b'\\' => escaped = !escaped,
                    _ => escaped = false,
                }
            } else {
                match byte {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            if depth == 0 && !in_string && self.text.value_ends(byte)? {
                return Ok(len <= limit);
            }
        }
    }
}

impl<R> fmt::Debug for KeysAnswer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysAnswer").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl Name {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned(), unreadable: false }
    }
}

enum Found {
    Entry,
    Refused(EntryError),
    RoomRefused(EntryError),
}

/// The longest entry that is read, in bytes: the longest session of mx-room-key, encrypted and in Base64, and as much again
/// for what stands around it.
pub const MAX_ENTRY_LEN: usize = 131_072;

/// The longest name that is read, with its quotes: an ID, each byte of it escaped.
const MAX_NAME_LEN: usize = 6 * MAX_IDENTIFIER_LEN + 2;
