//! The one pass from text to canonical text.
//!
//! Text that is canonical already is not touched: it is copied in runs as long as possible. A run ends at white space,
//! at an escape or a number that canonical JSON spells differently, and where members must change places. There is no
//! recursion: what is open lies in a vector.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::error::CanonicalizeError as Error;
use crate::limits::Limits;
use crate::member::{Member, join, sort};
use crate::number::{Number, NumberError, Spelling};
use crate::string::{RawKey, join_surrogates, plain_run_end, push_char, slice};

/// Gives the canonical form of a JSON text.
///
/// ```
/// use mx_canonical_json::{Limits, canonicalize};
///
/// let canonical = canonicalize(r#"{ "b": "\u65E5", "a": [1, -0] }"#, &Limits::DEFAULT)?;
/// assert_eq!(canonical, r#"{"a":[1,0],"b":"日"}"#);
/// # Ok::<(), mx_canonical_json::CanonicalizeError>(())
/// ```
///
/// # Errors
///
/// When the text is not one JSON value, or is one that has no canonical form, or exceeds `limits`.
pub fn canonicalize(text: &str, limits: &Limits) -> Result<String, Error> {
    Ok(Canonicalizer::run(text, &[], limits)?.out)
}

/// Gives the canonical form of a JSON text that is not yet known to be UTF-8.
///
/// # Errors
///
/// As for [`canonicalize`], and when the bytes are not UTF-8: nothing is ever replaced by U+FFFD.
pub fn canonicalize_bytes(bytes: &[u8], limits: &Limits) -> Result<String, Error> {
    check_len(bytes.len(), limits)?;
    let text =
        core::str::from_utf8(bytes).map_err(|error| Error::InvalidUtf8 { offset: error.valid_up_to() })?;
    canonicalize(text, limits)
}

fn check_len(len: usize, limits: &Limits) -> Result<(), Error> {
    if len > limits.len { Err(Error::TooLong { len, max: limits.len }) } else { Ok(()) }
}

/// What is known after the last byte.
pub(crate) struct Canonicalizer<'t, 'n> {
    text: &'t str,
    limits: Limits,
    /// The next byte to look at.
    position: usize,
    /// Where the current run starts: what is before it is in `out`, as far as it belongs there.
    run: usize,
    pub(crate) out: String,
    open: Vec<Container>,
    /// The members of all open objects, the innermost object's last; at the end those of the outermost one.
    pub(crate) members: Vec<Member>,
    /// Used only to permute members.
    scratch: String,
    /// Members of the outermost object that are to be left out.
    left_out_names: &'n [&'n str],
    /// Those that were found, with their texts.
    pub(crate) left_out: Vec<(&'n str, &'t str)>,
    /// The one that is being read.
    leaving_out: Option<LeavingOut<'n>>,
}

#[derive(Clone, Copy)]
struct Container {
    kind: Kind,
    /// Index of its first member in `members`.
    first_member: usize,
    /// Whether each key so far was greater than the one before.
    in_order: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Array,
    Object,
}

struct LeavingOut<'n> {
    name: &'n str,
    /// Where its value starts in the text.
    value: usize,
    /// The length of `out` without it.
    out_len: usize,
}

impl<'t, 'n> Canonicalizer<'t, 'n> {
    /// Reads all of `text`. Members of the outermost object named in `left_out_names` are not in `out`, and their
    /// numbers are not restricted, for nothing of them is canonicalised.
    pub(crate) fn run(text: &'t str, left_out_names: &'n [&'n str], limits: &Limits) -> Result<Self, Error> {
        check_len(text.len(), limits)?;
        let mut this = Self {
            text,
            limits: *limits,
            position: 0,
            run: 0,
            out: String::with_capacity(text.len()),
            open: Vec::with_capacity(8),
            members: Vec::with_capacity(16),
            scratch: String::new(),
            left_out_names,
            left_out: Vec::new(),
            leaving_out: None,
        };
        this.skip_white_space();
        this.values()?;
        this.end_run(this.position);
        if this.position < text.len() { Err(this.syntax()) } else { Ok(this) }
    }

    /// Reads one value with all that is in it, and the white space after it.
    fn values(&mut self) -> Result<(), Error> {
        'value: loop {
            if self.open.last().is_some_and(|container| container.kind == Kind::Object) {
                self.key()?;
            }
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{') => {
                    self.open(Kind::Object)?;
                    if self.peek() != Some(b'}') {
                        continue 'value;
                    }
                    self.close();
                }
                Some(b'[') => {
                    self.open(Kind::Array)?;
                    if self.peek() != Some(b']') {
                        continue 'value;
                    }
                    self.close();
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return Err(self.syntax()),
            }
            loop {
                self.skip_white_space();
                let Some(container) = self.open.last().copied() else { return Ok(()) };
                match (self.peek(), container.kind) {
                    (Some(b','), Kind::Array) => {
                        self.advance(1);
                        continue 'value;
                    }
                    (Some(b','), Kind::Object) => {
                        self.end_member(b',');
                        self.advance(1);
                        continue 'value;
                    }
                    (Some(b']'), Kind::Array) => self.close(),
                    (Some(b'}'), Kind::Object) => {
                        self.end_member(b'}');
                        self.end_members(container)?;
                        self.close();
                    }
                    _ => return Err(self.syntax()),
                }
            }
        }
    }

    fn open(&mut self, kind: Kind) -> Result<(), Error> {
        if self.open.len() >= self.limits.depth {
            return Err(Error::TooDeep { offset: self.position });
        }
        self.open.push(Container { kind, first_member: self.members.len(), in_order: true });
        self.advance(1);
        Ok(())
    }

    fn close(&mut self) {
        self.position += 1;
        self.open.pop();
    }

    /// Reads a key, the colon and the white space on both sides.
    fn key(&mut self) -> Result<(), Error> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        let start = self.out_position();
        let key_start = self.position + 1;
        let key_escaped = self.string()?;
        let key_end = self.position - 1;
        let key = RawKey { text: slice(self.text, key_start, key_end), escaped: key_escaped };
        self.skip_white_space();
        if self.peek() != Some(b':') {
            return Err(self.syntax());
        }
        self.advance(1);

        if let [_] = self.open.as_slice()
            && let Some(name) = self.left_out_names.iter().find(|name| key.order_to(name).is_eq())
        {
            if self.left_out.iter().any(|(found, _)| found == name) {
                return Err(Error::DuplicateKey { offset: key_start - 1 });
            }
            self.leaving_out = Some(LeavingOut { name, value: self.position, out_len: start });
            return Ok(());
        }
        let value = self.out_position();
        let key_prefix = key.prefix();
        let member = Member { key_start, key_end, key_escaped, key_prefix, start, value, end: value };
        if let Some(container) = self.open.last_mut()
            && let Some(before) = self.members.get(container.first_member..).and_then(<[_]>::last)
        {
            match before.order(member, self.text) {
                Ordering::Less => {}
                Ordering::Equal => return Err(Error::DuplicateKey { offset: key_start - 1 }),
                Ordering::Greater => container.in_order = false,
            }
        }
        self.members.push(member);
        Ok(())
    }

    /// Ends the member that was read last; `next` is the comma or the bracket after it.
    #[inline]
    fn end_member(&mut self, next: u8) {
        if let [_] = self.open.as_slice()
            && let Some(leaving_out) = self.leaving_out.take()
        {
            return self.leave_out(&leaving_out, next);
        }
        let end = self.out_position();
        if let Some(member) = self.members.last_mut() {
            member.end = end;
        }
    }

    /// Takes the member that was just read out of `out` again, with one comma.
    #[cold]
    fn leave_out(&mut self, LeavingOut { name, value, out_len }: &LeavingOut<'n>, next: u8) {
        let text = slice(self.text, *value, self.position).trim_end_matches(is_white_space);
        self.left_out.push((name, text));
        self.end_run(self.position);
        self.out.truncate(*out_len);
        if next == b',' {
            self.run += 1;
        } else if self.out.ends_with(',') {
            self.out.pop();
        }
    }

    /// Puts the members of the innermost object in order if they are not, and forgets them.
    #[inline]
    fn end_members(&mut self, container: Container) -> Result<(), Error> {
        if !container.in_order {
            self.sort_members(container.first_member)?;
        }
        if self.open.len() > 1 {
            self.members.truncate(container.first_member);
        }
        Ok(())
    }

    fn sort_members(&mut self, first_member: usize) -> Result<(), Error> {
        let members = self.members.get_mut(first_member..).unwrap_or_default();
        let Some(start) = members.first().map(|member| member.start) else { return Ok(()) };
        sort(members, self.text)?;
        // All of them in the current run: they go to their places from there.
        if let Some(before) = start.checked_sub(self.out.len()) {
            let (run, members_start) = (self.run, self.run + before);
            self.out.push_str(slice(self.text, run, members_start));
            let text = slice(self.text, members_start, self.position);
            join(members, text, start, &mut self.out, 0);
            self.run = self.position;
            return Ok(());
        }
        self.end_run(self.position);
        // Whichever copies less: put the members back from the scratch buffer, or put what is before them in front of
        // them and keep that buffer.
        let members = self.members.get_mut(first_member..).unwrap_or_default();
        let keep = start < self.out.len() - start;
        let base = if keep { 0 } else { start };
        self.scratch.clear();
        self.scratch.reserve(self.text.len());
        self.scratch.push_str(slice(&self.out, base, start));
        join(members, &self.out, 0, &mut self.scratch, base);
        if keep {
            core::mem::swap(&mut self.out, &mut self.scratch);
        } else {
            self.out.truncate(start);
            self.out.push_str(&self.scratch);
        }
        Ok(())
    }

    /// Reads a string and says whether it has escapes.
    #[expect(
        clippy::inline_always,
        reason = "most of a text is strings; calls to it are a tenth of the time"
    )]
    #[inline(always)]
    fn string(&mut self) -> Result<bool, Error> {
        let mut escaped = false;
        self.position += 1;
        loop {
            self.position = plain_run_end(self.text.as_bytes(), self.position);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.syntax()),
            }
            escaped = true;
        }
        self.position += 1;
        Ok(escaped)
    }

    /// Reads an escape, and ends the run if canonical JSON spells the character differently.
    fn escape(&mut self) -> Result<(), Error> {
        let start = self.position;
        self.position += 1;
        let character = match self.peek() {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.position += 1;
                return Ok(());
            }
            Some(b'/') => {
                self.position += 1;
                '/'
            }
            Some(b'u') => {
                let unit = self.unit()?;
                match char::from_u32(unit) {
                    Some(character) => character,
                    None => self.second_unit(unit).ok_or(Error::UnpairedSurrogate { offset: start })?,
                }
            }
            _ => return Err(self.syntax()),
        };
        self.end_run(start);
        self.run = self.position;
        push_char(&mut self.out, character);
        Ok(())
    }

    /// Reads `uXXXX`.
    fn unit(&mut self) -> Result<u32, Error> {
        self.position += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit =
                self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(|| self.syntax())?;
            unit = unit << 4 | digit;
            self.position += 1;
        }
        Ok(unit)
    }

    /// Reads the escape after that of a surrogate, and gives their character if the two are a pair.
    fn second_unit(&mut self, first: u32) -> Option<char> {
        let rest = self.text.as_bytes().get(self.position..)?;
        if !rest.starts_with(b"\\u") {
            return None;
        }
        self.position += 1;
        join_surrogates(first, self.unit().ok()?)
    }

    fn number(&mut self) -> Result<(), Error> {
        let offset = self.position;
        let refuse = |error| match error {
            NumberError::NoDigit(distance) => self.syntax_at(offset + distance),
            NumberError::Float => Error::Float { offset },
            NumberError::OutOfRange => Error::IntegerOutOfRange { offset },
            NumberError::NegativeZero => Error::NegativeZero { offset },
        };
        let bytes = self.text.as_bytes().get(offset..).unwrap_or_default();
        let number = Number::parse(bytes).map_err(refuse)?;
        if self.leaving_out.is_none()
            && let Spelling::Integer(integer) = number.spelling(self.limits.numbers).map_err(refuse)?
        {
            self.end_run(offset);
            self.run = offset + number.len;
            push_integer(&mut self.out, integer);
        }
        self.position += number.len;
        Ok(())
    }

    fn literal(&mut self, literal: &str) -> Result<(), Error> {
        for expected in literal.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.syntax());
            }
            self.position += 1;
        }
        Ok(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Goes on by `count` bytes and past the white space after them.
    #[inline]
    fn advance(&mut self, count: usize) {
        self.position += count;
        self.skip_white_space();
    }

    #[inline]
    fn skip_white_space(&mut self) {
        if matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.end_run(self.position);
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.position += 1;
            }
            self.run = self.position;
        }
    }

    /// The length that `out` has when the current run has been copied up to here.
    #[inline]
    fn out_position(&self) -> usize {
        self.out.len() + (self.position - self.run)
    }

    /// Copies the current run up to `end`, where a new one starts.
    #[inline]
    fn end_run(&mut self, end: usize) {
        self.out.push_str(slice(self.text, self.run, end));
        self.run = end;
    }

    #[cold]
    fn syntax(&self) -> Error {
        self.syntax_at(self.position)
    }

    #[cold]
    fn syntax_at(&self, offset: usize) -> Error {
        if offset < self.text.len() { Error::Syntax { offset } } else { Error::UnexpectedEnd { offset } }
    }
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

#[cold]
fn push_integer(out: &mut String, integer: i64) {
    use core::fmt::Write;
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{integer}");
}
