//! Events out of a file: one a line, or one after the other in a JSON array, as clients export them.
//!
//! The file is cut into values without being parsed, so that one that is broken does not take others with it, and
//! so that no more than one is in memory.

use core::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Found<'b> {
    pub(super) place: Place,
    pub(super) json: Result<&'b [u8], NotAValue>,
}

/// As messages name it. Counts from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Line(u64),
    Event(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Event(number) => write!(f, "event {number}"),
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotAValue {
    TooLong,
    /// The file ends within it, or within the array.
    CutOff,
}

impl fmt::Display for NotAValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {MAX_EVENT_LEN} bytes"),
            Self::CutOff => f.write_str("the file ends here, within the list of events: it was cut off"),
        }
    }
}

/// The values of a file.
pub(super) struct Reader<R> {
    source: BufReader<R>,
    form: Form,
    /// Of the last line or value.
    number: u64,
    value: Vec<u8>,
    is_too_long: bool,
    is_over: bool,
}

/// How a file holds its events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// Each line stands for itself, and is good or bad without the others.
    Lines,
    /// Objects over several lines, one after the other.
    Objects,
    /// Elements of an array, up to its end; what follows the array is not looked at.
    Array,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(HEAD_LEN, source);
        let head = source.fill_buf()?;
        let (form, begin) = form_of(head);
        source.consume(begin);
        Ok(Self { source, form, number: 0, value: Vec::new(), is_too_long: false, is_over: false })
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        if self.is_over {
            return Ok(None);
        }
        self.value.clear();
        self.is_too_long = false;
        let end = match self.form {
            Form::Lines => self.line()?,
            Form::Objects | Form::Array => self.element()?,
        };
        let place =
            if self.form == Form::Lines { Place::Line(self.number) } else { Place::Event(self.number) };
        let json = match end {
            End::OfFile => return Ok(None),
            End::CutOff => Err(NotAValue::CutOff),
            End::OfValue if self.is_too_long => Err(NotAValue::TooLong),
            End::OfValue => Ok(self.value.as_slice()),
        };
        Ok(Some(Found { place, json }))
    }

    /// The next line that is not blank.
    fn line(&mut self) -> io::Result<End> {
        loop {
            self.number += 1;
            self.value.clear();
            self.is_too_long = false;
            let mut has_any = false;
            loop {
                let Some(byte) = self.byte()? else {
                    self.is_over = true;
                    break;
                };
                has_any = true;
                if byte == b'\n' {
                    break;
                }
                self.keep(byte);
            }
            if !self.value.trim_ascii().is_empty() {
                return Ok(End::OfValue);
            }
            if !has_any || self.is_over {
                return Ok(End::OfFile);
            }
        }
    }

    /// The next element: up to a comma or the end of the array that is in no bracket and no string of it.
    fn element(&mut self) -> io::Result<End> {
        self.number += 1;
        let mut nesting = Nesting::default();
        loop {
            let Some(byte) = self.peek()? else {
                let is_empty = self.value.trim_ascii().is_empty();
                if nesting.is_outside() && !is_empty {
                    return Ok(End::OfValue);
                }
                self.is_over = true;
                return Ok(if is_empty && self.form == Form::Objects { End::OfFile } else { End::CutOff });
            };
            if self.form == Form::Array && nesting.is_outside() && matches!(byte, b',' | b']') {
                let is_empty = self.value.trim_ascii().is_empty();
                // The end of the array stays where it is while there is an element before it.
                if byte == b',' || is_empty {
                    self.source.consume(1);
                }
                match (byte, is_empty) {
                    (b']', true) => {
                        self.is_over = true;
                        return Ok(End::OfFile);
                    }
                    (_, true) => continue,
                    (_, false) => return Ok(End::OfValue),
                }
            }
            self.source.consume(1);
            self.keep(byte);
            let closed = nesting.take(byte);
            if self.form == Form::Objects && closed {
                return Ok(End::OfValue);
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.source.fill_buf()?.first().copied())
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.source.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn keep(&mut self, byte: u8) {
        if self.value.len() < MAX_EVENT_LEN {
            self.value.push(byte);
        } else {
            self.is_too_long = true;
        }
    }
}

enum End {
    OfValue,
    OfFile,
    CutOff,
}

/// How deep in brackets and strings the next byte stands.
#[derive(Debug, Default)]
struct Nesting {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
}

impl Nesting {
    const fn is_outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    /// Takes the next byte, and says whether it closed the outermost bracket.
    fn take(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// The form of a file that begins so, and where its first value begins.
fn form_of(head: &[u8]) -> (Form, usize) {
    let begin = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let first = skip_space(head, begin);
    match head.get(first) {
        Some(b'[') => (Form::Array, first + 1),
        Some(b'{') => match list_in_object(head, first) {
            Some(at) => (Form::Array, at),
            // Who writes an event over several lines begins with a line of just this.
            None if first_line(head.get(first..).unwrap_or_default()) == b"{" => (Form::Objects, first),
            None => (Form::Lines, begin),
        },
        _ => (Form::Lines, begin),
    }
}

/// Where the list of events begins in an object that is no event but has one: an export of Element, or the answer of
/// a server to `/messages`.
fn list_in_object(head: &[u8], mut at: usize) -> Option<usize> {
    let mut nesting = Nesting::default();
    while let Some(&byte) = head.get(at) {
        if byte == b'"' && nesting.depth == 1 && !nesting.in_string {
            let key = head.get(at + 1..)?;
            let key = key.get(..key.iter().position(|byte| *byte == b'"')?)?;
            let colon = skip_space(head, at + key.len() + 2);
            let value = skip_space(head, colon + 1);
            match (head.get(colon)?, head.get(value)?) {
                (b':', _) if EVENT_MEMBERS.contains(&key) => return None,
                (b':', b'[') if LISTS.contains(&key) => return Some(value + 1),
                _ => {}
            }
        }
        if nesting.take(byte) {
            return None;
        }
        at += 1;
    }
    None
}

fn skip_space(head: &[u8], at: usize) -> usize {
    let rest = head.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii()
}

/// Of an event the specification allows 65,536 bytes; a server adds to that, and a client that writes it over lines.
pub(super) const MAX_EVENT_LEN: usize = 1024 * 1024;

/// How much is looked at to see what form a file has.
const HEAD_LEN: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Members by which an event is known.
const EVENT_MEMBERS: &[&[u8]] = &[b"type", b"content", b"event_id"];

/// Members that are lists of events.
const LISTS: &[&[u8]] = &[b"messages", b"chunk", b"events"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn values(text: &str) -> Vec<String> {
        let mut reader = Reader::new(text.as_bytes()).unwrap();
        let mut values = Vec::new();
        while let Some(found) = reader.next().unwrap() {
            let json = found.json.map(|json| String::from_utf8_lossy(json).trim().to_owned());
            values.push(format!("{}: {}", found.place, json.unwrap_or_else(|error| error.to_string())));
        }
        values
    }

    #[test]
    fn lines_stand_for_themselves() {
        assert_eq!(
            values("{\"a\":1}\n\n  \r\n{\"b\r\n[oops\n{\"c\":\"]\"}"),
            ["line 1: {\"a\":1}", "line 4: {\"b", "line 5: [oops", "line 6: {\"c\":\"]\"}"]
        );
        assert_eq!(values(""), [""; 0]);
        assert_eq!(values("\n \n"), [""; 0]);
        assert_eq!(values("hello"), ["line 1: hello"]);
    }

    #[test]
    fn arrays_are_cut_at_their_commas() {
        let expected = ["event 1: {\"a\":[1,\"]}\\\"\"]}", "event 2: 7", "event 3: {\"b\":{}}"];
        assert_eq!(values("\u{feff} [{\"a\":[1,\"]}\\\"\"]},\n7, {\"b\":{}}\n]\n ignored"), expected);
        assert_eq!(values("[ ]"), [""; 0]);
        assert_eq!(values("[1,,2]"), ["event 1: 1", "event 2: 2"]);
        let cut = values("[{\"a\":1},{\"b");
        assert!(cut.len() == 2 && cut[1].contains("cut off"), "{cut:?}");
        let cut = values("[{\"a\":1} ");
        assert!(cut.len() == 2 && cut[0] == "event 1: {\"a\":1}" && cut[1].contains("cut off"), "{cut:?}");
    }

    #[test]
    fn exports_of_clients_have_their_list_found() {
        let expected = ["event 1: {\"type\":\"x\"}"];
        let export = "{\n \"room_name\": \"a \\\"messages\\\": [\",\n \"n\":{\"messages\":[1]},\n \"messages\": [\n{\"type\":\"x\"}\n]\n}";
        assert_eq!(values(export), expected);
        assert_eq!(values("{\"start\":\"t\",\"chunk\":[{\"type\":\"x\"}],\"end\":\"u\"}"), expected);
        // An event is none of those, whatever it contains.
        assert_eq!(
            values("{\"type\":\"x\",\"messages\":[1]}"),
            ["line 1: {\"type\":\"x\",\"messages\":[1]}"]
        );
        assert_eq!(values("{\n\"type\":\"x\"\n}\n{\n\"a\":{}}\n").len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in "[\\[\\]{}\",:a\\\\\n ]{0,200}") {
            values(&bytes);
        }

        #[test]
        fn objects_are_found_in_lines_arrays_and_over_lines(texts in proptest::collection::vec("[\\[\\]{}\",a\\\\]{0,20}", 0..8)) {
            let events: Vec<_> = texts.iter().map(|text| json!({ "type": text, "x": [{ text: text }] })).collect();
            let expected: Vec<_> = events.iter().map(Value::to_string).collect();
            let found = |file: &str| -> Vec<String> {
                let json = |value: &String| serde_json::from_str::<Value>(value.split_once(": ").unwrap().1).unwrap();
                values(file).iter().map(|value| json(value).to_string()).collect()
            };
            prop_assert_eq!(&found(&expected.join("\n")), &expected);
            prop_assert_eq!(&found(&json!(events).to_string()), &expected);
            prop_assert_eq!(&found(&serde_json::to_string_pretty(&json!({ "messages": events })).unwrap()), &expected);
            let pretty: Vec<_> = events.iter().map(|event| serde_json::to_string_pretty(event).unwrap()).collect();
            prop_assert_eq!(&found(&pretty.join("\n")), &expected);
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_said() {
        let long = format!("{{\"a\":\"{}\"}}\n{{}}\n", "x".repeat(MAX_EVENT_LEN));
        assert_eq!(values(&long), ["line 1: longer than 1048576 bytes", "line 2: {}"]);
        let array = format!("[\"{}\",1]", "x".repeat(MAX_EVENT_LEN));
        assert_eq!(values(&array), ["event 1: longer than 1048576 bytes", "event 2: 1"]);
    }
}
