//! In which form a file holds its events, told by its beginning.

/// How a file holds its events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Each line stands for itself, and is good or bad without the others.
    Lines,
    /// Objects over several lines, one after the other.
    Objects,
    /// Elements of an array, up to its end; what follows the array is not looked at.
    Array,
}

impl Form {
    /// The form of a file that begins so, and where its first value begins.
    pub(crate) fn of(head: &[u8]) -> (Self, usize) {
        let begin = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let first = skip_space(head, begin);
        match head.get(first) {
            Some(b'[') => (Self::Array, first + 1),
            Some(b'{') => match list_in_object(head, first) {
                Some(at) => (Self::Array, at),
                // Who writes an event over several lines begins with a line of just this.
                None if first_line(head.get(first..).unwrap_or_default()) == b"{" => (Self::Objects, first),
                None => (Self::Lines, begin),
            },
            _ => (Self::Lines, begin),
        }
    }
}

/// How deep in brackets and strings the next byte stands.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
}

impl Nesting {
    pub(crate) const fn is_outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    /// Takes the next byte, and says whether it closed the outermost bracket.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
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

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Members by which an event is known.
const EVENT_MEMBERS: &[&[u8]] = &[b"type", b"content", b"event_id"];

/// Members that are lists of events.
const LISTS: &[&[u8]] = &[b"messages", b"chunk", b"events"];
