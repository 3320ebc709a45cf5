//! Events out of a file: one a line, or one after the other in a JSON array, as clients export them.
//!
//! The file is cut into values without being parsed, so that one that is broken does not take others with it, and
//! so that no more than one is in memory.

use alloc::{boxed::Box, vec, vec::Vec};
use core::fmt;

use embedded_io::Read;

use crate::form::{Form, Nesting};

/// A value and where it stands.
#[derive(Debug)]
pub struct Found<'b> {
    /// Where it stands.
    pub place: Place,
    /// The value's bytes, which need not be JSON.
    pub json: Result<&'b [u8], NotAValue>,
}

/// Where a value stands, as messages name it: `line 3`, `event 3`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// A line of the file, counted from 1; blank ones count.
    Line(u64),
    /// An element of the list, or an object of those that follow each other, counted from 1.
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

/// Why there is no value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAValue {
    /// It is longer than [`MAX_EVENT_LEN`]. The next one is read.
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

impl core::error::Error for NotAValue {}

/// Reads the values of a file, one after the other.
///
/// Takes what is written one event a line, several lines an event, as an array, as an export of Element or as the
/// answer to `/messages`; which of them it is shows in the first 64 KiB. `source` is anything that can be read, such
/// as a slice.
pub struct EventReader<R> {
    source: R,
    /// What was read of the source and not yet taken is `buffer[at..end]`.
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    form: Form,
    /// Of the last line or value.
    number: u64,
    value: Value,
    is_over: bool,
}

impl<R: Read> EventReader<R> {
    /// Reads the beginning of the file and sees which form it has.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub fn new(mut source: R) -> Result<Self, R::Error> {
        let mut buffer = vec![0; HEAD_LEN].into_boxed_slice();
        let mut end = 0;
        while let Some(rest) = buffer.get_mut(end..).filter(|rest| !rest.is_empty()) {
            match source.read(rest)? {
                0 => break,
                len => end += len,
            }
        }
        let (form, at) = Form::of(buffer.get(..end).unwrap_or_default());
        Ok(Self { source, buffer, at, end, form, number: 0, value: Value::default(), is_over: false })
    }

    /// The next value; `None` at the end of the file or of its list.
    ///
    /// # Errors
    ///
    /// Those of the source. The value that was being read is lost then.
    pub fn next_event(&mut self) -> Result<Option<Found<'_>>, R::Error> {
        if self.is_over {
            return Ok(None);
        }
        let end = match self.form {
            Form::Lines => self.line()?,
            Form::Objects | Form::Array => self.element()?,
        };
        let place =
            if self.form == Form::Lines { Place::Line(self.number) } else { Place::Event(self.number) };
        let json = match end {
            End::OfFile => return Ok(None),
            End::CutOff => Err(NotAValue::CutOff),
            End::OfValue if self.value.is_too_long => Err(NotAValue::TooLong),
            End::OfValue => Ok(self.value.bytes.as_slice()),
        };
        Ok(Some(Found { place, json }))
    }

    /// The next line that is not blank.
    fn line(&mut self) -> Result<End, R::Error> {
        loop {
            self.number += 1;
            self.value.clear();
            loop {
                let Some(rest) = fill(&mut self.source, &mut self.buffer, &mut self.at, &mut self.end)?
                else {
                    self.is_over = true;
                    return Ok(if self.value.is_blank() { End::OfFile } else { End::OfValue });
                };
                let line_end = rest.iter().position(|byte| *byte == b'\n');
                let part = rest.get(..line_end.unwrap_or(rest.len())).unwrap_or_default();
                self.value.keep(part);
                self.at += part.len() + usize::from(line_end.is_some());
                if line_end.is_some() {
                    break;
                }
            }
            if !self.value.is_blank() {
                return Ok(End::OfValue);
            }
        }
    }

    /// The next element: up to a comma or the end of the array that is in no bracket and no string of it.
    fn element(&mut self) -> Result<End, R::Error> {
        self.number += 1;
        self.value.clear();
        let mut nesting = Nesting::default();
        loop {
            let Some(rest) = fill(&mut self.source, &mut self.buffer, &mut self.at, &mut self.end)? else {
                let is_blank = self.value.is_blank();
                if nesting.is_outside() && !is_blank {
                    return Ok(End::OfValue);
                }
                self.is_over = true;
                return Ok(if is_blank && self.form == Form::Objects { End::OfFile } else { End::CutOff });
            };
            let stop = stop(rest, self.form, &mut nesting);
            let len = match stop {
                Some(Stop::Before(len, _) | Stop::Behind(len)) => len,
                None => rest.len(),
            };
            self.value.keep(rest.get(..len).unwrap_or_default());
            self.at += len;
            match stop {
                None => {}
                Some(Stop::Behind(_)) => return Ok(End::OfValue),
                Some(Stop::Before(_, byte)) => {
                    let is_blank = self.value.is_blank();
                    // The end of the array stays where it is while there is an element before it.
                    self.at += usize::from(byte == b',' || is_blank);
                    match (byte, is_blank) {
                        (b']', true) => {
                            self.is_over = true;
                            return Ok(End::OfFile);
                        }
                        // Two commas with nothing between them are one.
                        (_, true) => {}
                        (_, false) => return Ok(End::OfValue),
                    }
                }
            }
        }
    }
}

impl<R> fmt::Debug for EventReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReader").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What is in the buffer, filled again when it was empty. `None` at the end of the source.
fn fill<'b, R: Read>(
    source: &mut R,
    buffer: &'b mut [u8],
    at: &mut usize,
    end: &mut usize,
) -> Result<Option<&'b [u8]>, R::Error> {
    if at >= end {
        (*at, *end) = (0, source.read(buffer)?);
    }
    Ok(buffer.get(*at..*end).filter(|rest| !rest.is_empty()))
}

/// Where an element ends.
enum Stop {
    /// Behind so many bytes stands this one, a comma or the end of the array.
    Before(usize, u8),
    /// With so many bytes the outermost bracket is closed.
    Behind(usize),
}

fn stop(bytes: &[u8], form: Form, nesting: &mut Nesting) -> Option<Stop> {
    for (at, &byte) in bytes.iter().enumerate() {
        if form == Form::Array && nesting.is_outside() && matches!(byte, b',' | b']') {
            return Some(Stop::Before(at, byte));
        }
        if nesting.take(byte) && form == Form::Objects {
            return Some(Stop::Behind(at + 1));
        }
    }
    None
}

enum End {
    OfValue,
    OfFile,
    CutOff,
}

/// The value that is being read.
#[derive(Default)]
struct Value {
    /// No more than [`MAX_EVENT_LEN`] of it.
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Value {
    fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_long = false;
    }

    fn keep(&mut self, part: &[u8]) {
        let fits = part.get(..MAX_EVENT_LEN - self.bytes.len());
        self.is_too_long |= fits.is_some_and(|fits| fits.len() < part.len());
        self.bytes.extend_from_slice(fits.unwrap_or(part));
    }

    fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// Bytes that an event in a file may have. The specification allows 65,536; a server adds to that, and a client that
/// writes it over lines.
pub const MAX_EVENT_LEN: usize = 1024 * 1024;

/// How much is looked at to see what form a file has, and read at once.
const HEAD_LEN: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString as _},
    };
    use core::convert::Infallible;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn values(text: &str) -> Vec<String> {
        of(EventReader::new(text.as_bytes()).unwrap())
    }

    fn of(mut reader: EventReader<impl Read<Error = Infallible>>) -> Vec<String> {
        let mut values = Vec::new();
        while let Some(found) = reader.next_event().unwrap() {
            let json = found.json.map(|json| String::from_utf8_lossy(json).trim().to_string());
            values.push(format!("{}: {}", found.place, json.unwrap_or_else(|error| error.to_string())));
        }
        assert!(reader.next_event().unwrap().is_none());
        values
    }

    /// A source that gives a few bytes at a time.
    struct Pieces<'t>(&'t [u8], usize);

    impl embedded_io::ErrorType for Pieces<'_> {
        type Error = Infallible;
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            let len = self.1.min(buffer.len());
            let piece = &mut buffer[..len];
            self.0.read(piece)
        }
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
        fn any_bytes_are_read_to_their_end_in_any_pieces(bytes in "[\\[\\]{}\",:a\\\\\n ]{0,200}", len in 1_usize..9) {
            let expected = values(&bytes);
            prop_assert_eq!(of(EventReader::new(Pieces(bytes.as_bytes(), len)).unwrap()), expected);
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
    fn a_file_is_longer_than_what_is_read_at_once() {
        let lines: Vec<_> = (0..5_000)
            .map(|number| format!("{{\"number\":{number},\"x\":\"{}\"}}", "y".repeat(number % 90)))
            .collect();
        for text in [lines.join("\n"), format!("[{}]", lines.join(","))] {
            let found = values(&text);
            assert_eq!(found.len(), lines.len());
            assert!(found.iter().zip(&lines).all(|(found, line)| found.ends_with(line.as_str())));
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_said() {
        let long = format!("{{\"a\":\"{}\"}}\n{{}}\n", "x".repeat(MAX_EVENT_LEN));
        assert_eq!(values(&long), ["line 1: longer than 1048576 bytes", "line 2: {}"]);
        let array = format!("[\"{}\",1]", "x".repeat(MAX_EVENT_LEN));
        assert_eq!(values(&array), ["event 1: longer than 1048576 bytes", "event 2: 1"]);
        let longest = "x".repeat(MAX_EVENT_LEN);
        assert_eq!(values(&longest), [format!("line 1: {longest}")]);
    }
}
