//! Reads JSON objects by the names of the members that are wanted, without copying.
//!
//! Not `serde_json`: it unescapes strings into a buffer that it frees without wiping, and a session key may come with
//! `\/` in it; and its errors are texts. The whole value is checked against the grammar first, so that what is then
//! taken out of it cannot be malformed any more. There is no recursion.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, str};

use zeroize::Zeroizing;

/// Containers that may be open at once.
const MAX_DEPTH: u32 = 127;

/// A value of which the grammar was checked.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(Text<'a>),
    Bool(bool),
    /// An object, with its braces.
    Object(&'a [u8]),
    /// An array, with its brackets.
    Array(&'a [u8]),
    /// A number or `null`.
    Other,
}

/// What stands between the quotes of a string.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// UTF-8.
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    /// The text; borrowed where nothing is escaped in it. `None` for half of a surrogate pair, which is no character.
    pub(crate) fn to_str(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            let mut bytes = self.unescape()?;
            String::from_utf8(core::mem::take(&mut *bytes)).ok().map(Cow::Owned)
        } else {
            str::from_utf8(self.raw).ok().map(Cow::Borrowed)
        }
    }

    /// Hands the text to `read`, and wipes what had to be copied for that.
    pub(crate) fn with_secret<T>(self, read: impl FnOnce(&str) -> T) -> Option<T> {
        if self.escaped {
            let bytes = self.unescape()?;
            str::from_utf8(&bytes).ok().map(read)
        } else {
            str::from_utf8(self.raw).ok().map(read)
        }
    }

    pub(crate) fn is(self, text: &str) -> bool {
        if self.escaped {
            self.unescape().is_some_and(|bytes| **bytes == *text.as_bytes())
        } else {
            self.raw == text.as_bytes()
        }
    }

    /// No escape is shorter than what it stands for: the vector does not grow.
    fn unescape(self) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.raw.len()));
        let mut rest = self.raw;
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'\\' {
                out.push(byte);
                rest = after;
                continue;
            }
            let (character, after) = unescape(after)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after;
        }
        Some(out)
    }
}

/// The character of an escape, of which the backslash was read, and what follows it.
fn unescape(escape: &[u8]) -> Option<(char, &[u8])> {
    let (&letter, after) = escape.split_first()?;
    let character = match letter {
        b'"' | b'\\' | b'/' => letter.into(),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => {
            let (first, after) = hex(after)?;
            let Some(high) = first.checked_sub(0xd800).filter(|high| *high < 0x400) else {
                return Some((char::from_u32(first)?, after));
            };
            let (second, after) = hex(after.strip_prefix(b"\\u")?)?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return Some((char::from_u32(0x1_0000 + (high << 10) + low)?, after));
        }
    };
    Some((character, after))
}

fn hex(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, after) = text.split_first_chunk::<4>()?;
    let value =
        digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))?;
    Some((value, after))
}

/// The values of the members of an object that have these names; all others are checked and left out.
pub(crate) fn members<'a, const N: usize>(
    json: &'a [u8],
    names: &[&'static str; N],
) -> Result<[Option<Value<'a>>; N], MalformedObject> {
    let mut values = [None; N];
    let mut reader = Reader { text: json, position: 0 };
    reader.white_space();
    if reader.peek() != Some(b'{') {
        reader.value()?;
        reader.end()?;
        return Err(MalformedObject::NotAnObject);
    }
    reader.position += 1;
    let mut next = reader.first_in(b'}')?;
    let mut expected = 0;
    while next {
        let name = reader.name()?;
        let value = reader.value()?;
        // Most objects have their members in one order.
        let (before, after) = names.split_at_checked(expected).unwrap_or_default();
        let places = (expected..N).zip(after).chain((0..).zip(before));
        if let Some((place, member)) = places.into_iter().find(|(_, wanted)| name.is(wanted)) {
            match values.get_mut(place) {
                Some(slot) if slot.is_none() => *slot = Some(value),
                _ => return Err(MalformedObject::Repeated { member }),
            }
            expected = place + 1;
        }
        next = reader.next_in(b'}')?;
    }
    reader.end()?;
    Ok(values)
}

/// The elements of an array that was checked, or none of what is not an array.
pub(crate) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader { text: array, position: 1 };
    let mut next = reader.first_in(b']') == Ok(true);
    core::iter::from_fn(move || {
        if !next {
            return None;
        }
        reader.white_space();
        let start = reader.position;
        reader.value().ok()?;
        let element = array.get(start..reader.position);
        next = reader.next_in(b']') == Ok(true);
        element
    })
}

/// An element that stands alone.
pub(crate) fn value(json: &[u8]) -> Option<Value<'_>> {
    Reader { text: json, position: 0 }.value().ok()
}

struct Reader<'a> {
    text: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), MalformedObject> {
        self.white_space();
        if self.peek() != Some(byte) {
            return Err(self.error());
        }
        self.position += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), MalformedObject> {
        self.white_space();
        if self.position == self.text.len() { Ok(()) } else { Err(self.error()) }
    }

    const fn error(&self) -> MalformedObject {
        MalformedObject::Syntax { position: self.position }
    }

    /// After an opening bracket: whether there is anything before the closing one.
    fn first_in(&mut self, closing: u8) -> Result<bool, MalformedObject> {
        self.white_space();
        let empty = self.peek() == Some(closing);
        self.position += usize::from(empty);
        Ok(!empty)
    }

    /// After a value: whether another one follows, or the closing bracket.
    fn next_in(&mut self, closing: u8) -> Result<bool, MalformedObject> {
        self.white_space();
        let more = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == closing => false,
            _ => return Err(self.error()),
        };
        self.position += 1;
        Ok(more)
    }

    /// The name of a member, and its colon.
    fn name(&mut self) -> Result<Text<'a>, MalformedObject> {
        self.white_space();
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    fn value(&mut self) -> Result<Value<'a>, MalformedObject> {
        self.white_space();
        let start = self.position;
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'{' | b'[') => {
                self.container()?;
                let container = self.text.get(start..self.position).unwrap_or_default();
                Ok(if container.first() == Some(&b'{') {
                    Value::Object(container)
                } else {
                    Value::Array(container)
                })
            }
            _ => self.scalar(),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<Value<'a>, MalformedObject> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let words =
            [(&b"true"[..], Value::Bool(true)), (b"false", Value::Bool(false)), (b"null", Value::Other)];
        for (word, value) in words {
            if rest.starts_with(word) {
                self.position += word.len();
                return Ok(value);
            }
        }
        self.position += usize::from(self.peek() == Some(b'-'));
        if self.digits()? > 1 && rest.iter().find(|byte| **byte != b'-') == Some(&b'0') {
            return Err(self.error());
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            self.position += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Value::Other)
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<usize, MalformedObject> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start { Err(self.error()) } else { Ok(self.position - start) }
    }

    /// An object or an array with all that is in it.
    fn container(&mut self) -> Result<(), MalformedObject> {
        // One bit for each open container, the innermost lowest: whether it is an object.
        let mut objects = 0_u128;
        let mut depth = 0;
        loop {
            self.white_space();
            let closing = match self.peek() {
                Some(b'{') => Some(b'}'),
                Some(b'[') => Some(b']'),
                Some(b'"') => self.string().map(|_| None)?,
                _ => self.scalar().map(|_| None)?,
            };
            let mut more = false;
            if let Some(closing) = closing {
                if depth == MAX_DEPTH {
                    return Err(MalformedObject::TooDeep { position: self.position });
                }
                self.position += 1;
                depth += 1;
                objects = objects << 1 | u128::from(closing == b'}');
                more = self.first_in(closing)?;
                if !more {
                    depth -= 1;
                    objects >>= 1;
                }
            }
            while !more {
                if depth == 0 {
                    return Ok(());
                }
                more = self.next_in(if objects & 1 == 1 { b'}' } else { b']' })?;
                if !more {
                    depth -= 1;
                    objects >>= 1;
                }
            }
            if objects & 1 == 1 {
                self.name()?;
            }
        }
    }

    fn string(&mut self) -> Result<Text<'a>, MalformedObject> {
        if self.peek() != Some(b'"') {
            return Err(self.error());
        }
        self.position += 1;
        let start = self.position;
        let (mut escaped, mut ascii) = (false, true);
        loop {
            ascii &= self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.error()),
            }
        }
        let raw = self.text.get(start..self.position).unwrap_or_default();
        if !ascii && let Err(error) = str::from_utf8(raw) {
            return Err(MalformedObject::Syntax { position: start + error.valid_up_to() });
        }
        self.position += 1;
        Ok(Text { raw, escaped })
    }

    /// Goes on to the next quote, backslash or control character, or to the end. Says whether all before it was ASCII.
    fn plain(&mut self) -> bool {
        let mut ascii = true;
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let (words, last) = rest.as_chunks();
            let place =
                match words.iter().enumerate().find_map(|(word, bytes)| Some((word, first_special(*bytes)?)))
                {
                    Some((word, place)) => 8 * word + place,
                    None => {
                        let special = |byte: &u8| !matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=0x7f);
                        8 * words.len() + last.iter().position(special).unwrap_or(last.len())
                    }
                };
            self.position += place;
            if rest.get(place).is_none_or(u8::is_ascii) {
                return ascii;
            }
            ascii = false;
            self.position += 1;
        }
    }

    fn escape(&mut self) -> Result<(), MalformedObject> {
        let escape = self.text.get(self.position + 1..).unwrap_or_default();
        self.position += match escape.split_first() {
            Some((b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', _)) => 2,
            Some((b'u', digits)) if hex(digits).is_some() => 6,
            _ => return Err(self.error()),
        };
        Ok(())
    }
}

/// The first byte that is a quote, a backslash, a control character or not ASCII, if there is one.
///
/// All eight at once: a byte is zero after the XOR where it is the one looked for, and the subtraction then borrows
/// into its highest bit. A borrow may mark bytes above that one wrongly, never below, and the lowest one counts.
const fn first_special(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    let word = u64::from_le_bytes(word);
    let (quotes, backslashes) = (word ^ QUOTES, word ^ BACKSLASHES);
    let found = quotes.wrapping_sub(ONES) | backslashes.wrapping_sub(ONES) | word.wrapping_sub(SPACES) | word;
    match found & (ONES << 7) {
        0 => None,
        found => Some((found.trailing_zeros() / 8) as usize),
    }
}

/// Why a text is not the JSON object that is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MalformedObject {
    /// Not JSON.
    Syntax {
        /// The byte at which it ceases to be JSON.
        position: usize,
    },
    /// More than 127 containers within each other.
    TooDeep {
        /// The byte at which the one too many is opened.
        position: usize,
    },
    /// More bytes than such an object may have.
    TooLong {
        /// Bytes that there are.
        len: usize,
        /// Bytes that may be.
        limit: usize,
    },
    /// Another JSON value.
    NotAnObject,
    /// A member that must be there is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member is there more than once.
    Repeated {
        /// Its name.
        member: &'static str,
    },
    /// A member has a value of another type than it must have, or is text and no Unicode.
    WrongType {
        /// Its name.
        member: &'static str,
    },
}

impl fmt::Display for MalformedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { position } => write!(f, "not JSON at byte {position}"),
            Self::TooDeep { position } => write!(f, "JSON is nested too deeply at byte {position}"),
            Self::TooLong { len, limit } => write!(f, "object has {len} bytes where {limit} are allowed"),
            Self::NotAnObject => f.write_str("not a JSON object"),
            Self::Missing { member } => write!(f, "{member} is missing"),
            Self::Repeated { member } => write!(f, "{member} is there more than once"),
            Self::WrongType { member } => write!(f, "{member} is of the wrong type"),
        }
    }
}

impl core::error::Error for MalformedObject {}
