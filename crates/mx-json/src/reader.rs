//! What reads. A value is checked against the grammar first, so that what is then taken out of it cannot be malformed any
//! more. There is no recursion but that of callers of [`Unread::members`].

use core::str;

use crate::{MalformedObject, Text, Unread, Value, scan::plain_len, text::hex};

/// Containers that may be open at once.
const MAX_DEPTH: u32 = 127;

/// The values of the members of an object that have these names; all others are checked and left out.
///
/// # Errors
///
/// [`MalformedObject`]. Whether a member must be there, and its type, are the caller's to check.
pub fn members<'a, const N: usize>(
    json: &'a [u8],
    names: &[&'static str; N],
) -> Result<[Option<Value<'a>>; N], MalformedObject> {
    let (values, len) = leading_members(json, names)?;
    let mut rest = Reader { text: json, position: len };
    match rest.end() {
        Ok(()) => Ok(values),
        Err(fault) => Err(rest.error(fault)),
    }
}

/// [`members`] of the object at the start of `json`, whatever follows it, and the length of the object.
///
/// # Errors
///
/// As for [`members`].
pub fn leading_members<'a, const N: usize>(
    json: &'a [u8],
    names: &[&'static str; N],
) -> Result<([Option<Value<'a>>; N], usize), MalformedObject> {
    let mut values = [None; N];
    let mut reader = Reader { text: json, position: 0 };
    reader.object(names, |place, unread| {
        let value = unread.value()?;
        if let Some(slot) = values.get_mut(place) {
            *slot = Some(value);
        }
        Ok(())
    })?;
    Ok((values, reader.position))
}

/// All members of an object in the order in which they stand: the name, and the text of the value.
///
/// # Errors
///
/// [`MalformedObject`]. Whether a name is there twice is for the caller to see, who keeps them.
pub fn all_members(json: &[u8]) -> Result<impl Iterator<Item = (Text<'_>, &[u8])>, MalformedObject> {
    let [] = members(json, &[])?;
    Ok(items(json, b'}', |reader| {
        let name = reader.name().ok()?;
        Some((name, reader.value_text()?))
    }))
}

/// The elements of an array that was checked, or none of what is not an array.
pub fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    items(array, b']', Reader::value_text)
}

/// What `read` reads between the brackets of a container, of which `closing` is the second.
fn items<'a, T>(
    container: &'a [u8],
    closing: u8,
    mut read: impl FnMut(&mut Reader<'a>) -> Option<T>,
) -> impl Iterator<Item = T> {
    let mut reader = Reader { text: container, position: 0 };
    reader.white_space();
    reader.position += 1;
    let mut next = reader.first_in(closing) == Ok(true);
    core::iter::from_fn(move || {
        if !next {
            return None;
        }
        let item = read(&mut reader)?;
        next = reader.next_in(closing) == Ok(true);
        Some(item)
    })
}

/// The value at the start of `json`, whatever follows it; `None` if there is none.
#[must_use]
pub fn value(json: &[u8]) -> Option<Value<'_>> {
    Reader { text: json, position: 0 }.value().ok()
}

/// That a text is not longer than `limit` bytes.
///
/// # Errors
///
/// [`MalformedObject::TooLong`].
pub const fn check_len(json: &[u8], limit: usize) -> Result<(), MalformedObject> {
    if json.len() > limit { Err(MalformedObject::TooLong { len: json.len(), limit }) } else { Ok(()) }
}

/// A value that is no string and has nothing in it.
#[derive(Clone, Copy)]
enum Scalar {
    Bool(bool),
    Null,
    Number,
}

/// What is wrong, at the reader's position.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Fault {
    Syntax,
    TooDeep,
    NotAnObject,
    Repeated(&'static str),
}

pub(crate) struct Reader<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        self.white_space();
        if self.peek() != Some(byte) {
            return Err(Fault::Syntax);
        }
        self.position += 1;
        Ok(())
    }

    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.white_space();
        if self.position == self.text.len() { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// What is wrong at the place where the reader stopped.
    pub(crate) const fn error(&self, fault: Fault) -> MalformedObject {
        let position = self.position;
        match fault {
            Fault::Syntax => MalformedObject::Syntax { position },
            Fault::TooDeep => MalformedObject::TooDeep { position },
            Fault::NotAnObject => MalformedObject::NotAnObject,
            Fault::Repeated(member) => MalformedObject::Repeated { member },
        }
    }

    /// After an opening bracket: whether there is anything before the closing one.
    fn first_in(&mut self, closing: u8) -> Result<bool, Fault> {
        self.white_space();
        let empty = self.peek() == Some(closing);
        self.position += usize::from(empty);
        Ok(!empty)
    }

    /// After a value: whether another one follows, or the closing bracket.
    fn next_in(&mut self, closing: u8) -> Result<bool, Fault> {
        self.white_space();
        let more = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == closing => false,
            _ => return Err(Fault::Syntax),
        };
        self.position += 1;
        Ok(more)
    }

    /// An object; `take` gets its members of these names.
    #[inline]
    pub(crate) fn object<const N: usize>(
        &mut self,
        names: &[&'static str; N],
        mut take: impl FnMut(usize, Unread<'_, 'a>) -> Result<(), MalformedObject>,
    ) -> Result<(), MalformedObject> {
        self.white_space();
        if self.peek() != Some(b'{') {
            let fault = self.value().and_then(|_| self.end()).err().unwrap_or(Fault::NotAnObject);
            return Err(self.error(fault));
        }
        self.position += 1;
        let mut next = self.first_in(b'}').map_err(|fault| self.error(fault))?;
        let (mut expected, mut seen) = (0, [false; N]);
        while next {
            // Most objects have their members in one order.
            let place = if names.get(expected).is_some_and(|name| self.skip_name(name)) {
                Some(expected)
            } else {
                let name = self.name().map_err(|fault| self.error(fault))?;
                names.iter().position(|wanted| name.is(wanted))
            };
            self.white_space();
            let start = self.position;
            if let Some(place) = place {
                match seen.get_mut(place) {
                    Some(seen) if !*seen => *seen = true,
                    _ => {
                        return Err(
                            self.error(Fault::Repeated(names.get(place).copied().unwrap_or_default()))
                        );
                    }
                }
                expected = place + 1;
                take(place, Unread { reader: self })?;
            }
            if self.position == start {
                self.value().map_err(|fault| self.error(fault))?;
            }
            next = self.next_in(b'}').map_err(|fault| self.error(fault))?;
        }
        Ok(())
    }

    /// An array, of which the bracket is next.
    pub(crate) fn array(&mut self, mut take: impl FnMut(Value<'a>)) -> Result<(), Fault> {
        self.position += 1;
        let mut next = self.first_in(b']')?;
        while next {
            take(self.value()?);
            next = self.next_in(b']')?;
        }
        Ok(())
    }

    /// The name of a member, and its colon.
    fn name(&mut self) -> Result<Text<'a>, Fault> {
        self.white_space();
        let name = self.text()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Moves behind the name of a member and its colon, if it is this name, without escapes or white space.
    fn skip_name(&mut self, name: &str) -> bool {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let after = rest
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_prefix(name.as_bytes()))
            .and_then(|rest| rest.strip_prefix(b"\":"));
        self.position = after.map_or(self.position, |after| self.text.len() - after.len());
        after.is_some()
    }

    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Fault> {
        self.white_space();
        let start = self.position;
        match self.peek() {
            Some(b'"') => self.text().map(Value::Text),
            Some(b'{' | b'[') => {
                self.container()?;
                let container = self.text.get(start..self.position).unwrap_or_default();
                Ok(if container.first() == Some(&b'{') {
                    Value::Object(container)
                } else {
                    Value::Array(container)
                })
            }
            _ => match self.scalar()? {
                Scalar::Bool(value) => Ok(Value::Bool(value)),
                Scalar::Null => Ok(Value::Null),
                Scalar::Number => Ok(Value::Number(self.text.get(start..self.position).unwrap_or_default())),
            },
        }
    }

    /// A value as it stands in the text.
    fn value_text(&mut self) -> Option<&'a [u8]> {
        self.white_space();
        let start = self.position;
        self.value().ok()?;
        self.text.get(start..self.position)
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<Scalar, Fault> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let words =
            [(&b"true"[..], Scalar::Bool(true)), (b"false", Scalar::Bool(false)), (b"null", Scalar::Null)];
        for (word, value) in words {
            if rest.starts_with(word) {
                self.position += word.len();
                return Ok(value);
            }
        }
        self.position += usize::from(self.peek() == Some(b'-'));
        if self.digits()? > 1 && rest.iter().find(|byte| **byte != b'-') == Some(&b'0') {
            return Err(Fault::Syntax);
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
        Ok(Scalar::Number)
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start { Err(Fault::Syntax) } else { Ok(self.position - start) }
    }

    /// An object or an array with all that is in it.
    fn container(&mut self) -> Result<(), Fault> {
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
                    return Err(Fault::TooDeep);
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

    #[inline]
    fn text(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.position;
        let escaped = self.string()?;
        let raw = self.text.get(start + 1..self.position - 1).unwrap_or_default();
        Ok(Text { raw, escaped })
    }

    /// A string with its quotes. Says whether there are escapes in it.
    fn string(&mut self) -> Result<bool, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::Syntax);
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
                _ => return Err(Fault::Syntax),
            }
        }
        let raw = self.text.get(start..self.position).unwrap_or_default();
        if !ascii && let Err(error) = str::from_utf8(raw) {
            self.position = start + error.valid_up_to();
            return Err(Fault::Syntax);
        }
        self.position += 1;
        Ok(escaped)
    }

    /// Goes on to the next quote, backslash or control character, or to the end. Says whether all before it was ASCII.
    fn plain(&mut self) -> bool {
        let mut ascii = true;
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let place = plain_len(rest);
            self.position += place;
            if rest.get(place).is_none_or(u8::is_ascii) {
                return ascii;
            }
            ascii = false;
            self.position += 1;
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let escape = self.text.get(self.position + 1..).unwrap_or_default();
        self.position += match escape.split_first() {
            Some((b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', _)) => 2,
            Some((b'u', digits)) if hex(digits).is_some() => 6,
            _ => return Err(Fault::Syntax),
        };
        Ok(())
    }
}
