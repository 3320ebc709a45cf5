use core::ops::Range;

/// Finds the elements of a JSON array in text that comes piece by piece.
///
/// It looks at brackets, quotes and at what cannot stand outside of quotes, not at what the elements are. Where an
/// element is broken, so that its end cannot be told, the next one is looked for: `,{"`, with white space or none. So a
/// broken element costs itself only.
#[derive(Debug)]
pub(crate) struct Splitter {
    place: Place,
    /// Where the element, or what is looked at, begins in the text.
    start: usize,
    /// Up to where the text was looked at.
    scanned: usize,
    /// The array stands in an object, as its member `sessions`.
    wrapped: bool,
    /// Open brackets of the element, the last in the lowest bit: 1 is `{`.
    open: u128,
    depth: u32,
    in_string: bool,
    /// The element's beginning is gone, since it is too long.
    headless: bool,
    /// Where an element was last found broken, and how many were there.
    broken_at: usize,
    broken_there: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Start,
    Between,
    Element,
    /// Behind a broken element, looking for the next.
    Searching,
    AfterArray,
    NoArray,
}

/// What was found.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// An element stands here.
    Element(Range<usize>),
    /// An element that is broken ends before here.
    Broken,
    /// An element that was too long to be kept ends here.
    TooLong,
    /// Nothing yet: drop the text before [`Splitter::start`], or all that was looked at, and append more.
    More,
    /// The array is complete, and nothing follows.
    End,
    /// The text ends within the array.
    Unfinished,
    /// The text is no array.
    NotAnArray,
    /// Something follows the array.
    AfterArray,
}

impl Splitter {
    pub(crate) const fn new() -> Self {
        Self {
            place: Place::Start,
            start: 0,
            scanned: 0,
            wrapped: false,
            open: 0,
            depth: 0,
            in_string: false,
            headless: false,
            broken_at: 0,
            broken_there: 0,
        }
    }

    /// Text before this is done with.
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// So much was dropped of the text's beginning, not more than [`Splitter::start`].
    pub(crate) const fn dropped(&mut self, len: usize) {
        self.start = self.start.saturating_sub(len);
        self.scanned = self.scanned.saturating_sub(len);
        self.broken_at = self.broken_at.saturating_sub(len);
    }

    /// There is no room for more text behind what is kept: what was looked at is done with.
    pub(crate) fn give_up(&mut self, text: &[u8]) {
        match self.place {
            Place::Element => (self.headless, self.start) = (true, self.scanned),
            // Nothing but white space is that long there: it begins no array, and no element.
            Place::Start => self.go_to(text.len(), Place::NoArray),
            _ => self.go_to(text.len(), self.place),
        }
    }

    /// Looks on in `text`, which begins with what was there before; `is_last` says that no more will come.
    ///
    /// `read` is given the text from where an element begins, and may say how long that is: it is not looked at then.
    pub(crate) fn next(
        &mut self,
        text: &[u8],
        is_last: bool,
        mut read: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Found {
        loop {
            let found = match self.place {
                Place::Start => self.open_array(text, is_last),
                Place::Between => self.between(text, is_last, &mut read),
                Place::Element => self.element(text, is_last),
                Place::Searching => self.search(text, is_last),
                Place::AfterArray => return self.after_array(text, is_last),
                Place::NoArray => return Found::NotAnArray,
            };
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// `[`, or `{"sessions":[`.
    fn open_array(&mut self, text: &[u8], is_last: bool) -> Option<Found> {
        let mut rest = Rest(text.get(self.start..).unwrap_or_default());
        rest.skip_white_space();
        let wrapper: [&[u8]; 4] = [b"{", b"\"sessions\"", b":", b"["];
        self.wrapped = rest.0.first() == Some(&b'{');
        let expected = if self.wrapped { &wrapper[..] } else { &wrapper[3..] };
        for token in expected {
            rest.skip_white_space();
            if !rest.skip(token) {
                let may_come = token.starts_with(rest.0) && !is_last;
                return Some(if may_come { Found::More } else { Found::NotAnArray });
            }
        }
        self.go_to(text.len() - rest.0.len(), Place::Between);
        None
    }

    fn between(
        &mut self,
        text: &[u8],
        is_last: bool,
        read: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Option<Found> {
        let rest = text.get(self.scanned..).unwrap_or_default();
        let gap = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b','));
        let at = self.scanned + gap.unwrap_or(rest.len());
        match text.get(at) {
            None => {
                self.go_to(at, Place::Between);
                return Some(if is_last { Found::Unfinished } else { Found::More });
            }
            Some(b']') => self.go_to(at + 1, Place::AfterArray),
            Some(_) => {
                self.go_to(at, Place::Element);
                (self.open, self.depth, self.in_string, self.headless) = (0, 0, false, false);
                if let Some(len) = read(text.get(at..).unwrap_or_default()) {
                    self.scanned += len;
                    return Some(self.complete());
                }
            }
        }
        None
    }

    fn element(&mut self, text: &[u8], is_last: bool) -> Option<Found> {
        while let Some(byte) = text.get(self.scanned) {
            if self.in_string {
                let rest = text.get(self.scanned..).unwrap_or_default();
                match find_quote_or_backslash(rest) {
                    None => self.scanned = text.len(),
                    Some((at, b'"')) => {
                        self.scanned += at + 1;
                        self.in_string = false;
                    }
                    // What is escaped may not be here yet.
                    Some((at, _)) if at + 1 == rest.len() => {
                        self.scanned += at;
                        break;
                    }
                    Some((at, _)) => self.scanned += at + 2,
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b':' if self.depth > 0 => {}
                b',' | b']' if self.depth == 0 => return Some(self.complete()),
                // An array or object that nobody began: the brackets of the list itself would be taken for its own.
                b',' if follows_opening(text, self.scanned) => return self.broken(),
                b'{' if self.depth < u128::BITS => self.open(1),
                b'[' if self.depth < u128::BITS => self.open(0),
                b'}' | b']' if self.depth > 0 && self.open & 1 == u128::from(*byte == b'}') => {
                    self.close();
                    if self.depth == 0 {
                        self.scanned += 1;
                        return Some(self.complete());
                    }
                }
                b',' | b' ' | b'\t' | b'\n' | b'\r' => {}
                // Numbers, true, false, null.
                b'0'..=b'9' | b'-' | b'+' | b'.' | b'E' => {}
                b't' | b'r' | b'u' | b'e' | b'f' | b'a' | b'l' | b's' | b'n' => {}
                _ => return self.broken(),
            }
            self.scanned += 1;
        }
        if is_last { self.broken() } else { Some(Found::More) }
    }

    const fn open(&mut self, kind: u128) {
        self.open = self.open << 1 | kind;
        self.depth += 1;
    }

    const fn close(&mut self) {
        self.open >>= 1;
        self.depth -= 1;
    }

    fn complete(&mut self) -> Found {
        let (start, end) = (self.start, self.scanned);
        let headless = self.headless;
        self.go_to(end, Place::Between);
        if headless { Found::TooLong } else { Found::Element(start..end) }
    }

    /// What was looked at is not JSON. The next element may be in it: what was looked at is looked at again, but not any
    /// number of times, or a file could make much work.
    fn broken(&mut self) -> Option<Found> {
        let is_new = self.scanned > self.broken_at;
        (self.broken_at, self.broken_there) = (self.scanned, if is_new { 1 } else { self.broken_there + 1 });
        let give_up = self.headless || self.broken_there > MAX_BROKEN_THERE;
        self.go_to(if give_up { self.scanned } else { self.start }, Place::Searching);
        None
    }

    /// Looks for `,{"`.
    fn search(&mut self, text: &[u8], is_last: bool) -> Option<Found> {
        loop {
            let rest = text.get(self.scanned..).unwrap_or_default();
            let Some(at) = rest.iter().position(|byte| *byte == b',') else {
                self.go_to(text.len(), Place::Searching);
                break;
            };
            self.go_to(self.scanned + at, Place::Searching);
            let mut rest = Rest(rest.get(at + 1..).unwrap_or_default());
            rest.skip_white_space();
            let next = text.len() - rest.0.len();
            let found = rest.skip(b"{") && {
                rest.skip_white_space();
                rest.skip(b"\"")
            };
            if found {
                self.go_to(next, Place::Between);
                return Some(Found::Broken);
            }
            if rest.0.is_empty() && !is_last {
                break;
            }
            self.go_to(self.scanned + 1, Place::Searching);
        }
        if !is_last {
            return Some(Found::More);
        }
        // The broken one was the last. Whether the array was closed shows at its end.
        let end = text.trim_ascii_end();
        let closed = if self.wrapped {
            end.strip_suffix(b"}").is_some_and(|text| text.trim_ascii_end().ends_with(b"]"))
        } else {
            end.ends_with(b"]")
        };
        self.wrapped &= !closed;
        self.go_to(text.len(), if closed { Place::AfterArray } else { Place::Between });
        Some(Found::Broken)
    }

    fn after_array(&mut self, text: &[u8], is_last: bool) -> Found {
        let mut rest = Rest(text.get(self.scanned..).unwrap_or_default());
        rest.skip_white_space();
        if self.wrapped && rest.skip(b"}") {
            self.wrapped = false;
            rest.skip_white_space();
        }
        self.go_to(text.len() - rest.0.len(), Place::AfterArray);
        match (rest.0.is_empty(), is_last) {
            (false, _) => Found::AfterArray,
            (true, false) => Found::More,
            (true, true) if self.wrapped => Found::Unfinished,
            (true, true) => Found::End,
        }
    }

    const fn go_to(&mut self, position: usize, place: Place) {
        (self.start, self.scanned, self.place) = (position, position, place);
    }
}

fn follows_opening(text: &[u8], at: usize) -> bool {
    text.get(..at).is_some_and(|text| text.ends_with(b"[") || text.ends_with(b"{"))
}

/// Whether `text` is one JSON object and nothing else, as far as brackets and quotes say.
pub(crate) fn is_object(text: &[u8]) -> bool {
    let mut splitter = Splitter { place: Place::Element, ..Splitter::new() };
    text.starts_with(b"{") && splitter.next(text, true, |_| None) == Found::Element(0..text.len())
}

/// What is left to read.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn skip_white_space(&mut self) {
        let len = self.0.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.0 = self.0.get(len..).unwrap_or_default();
    }

    fn skip(&mut self, token: &[u8]) -> bool {
        let rest = self.0.strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

/// The first quote or backslash, looked for in eight bytes at a time.
fn find_quote_or_backslash(text: &[u8]) -> Option<(usize, u8)> {
    const ONES: u64 = u64::MAX / 0xff;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, rest) = text.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // What is marked above the lowest mark may be wrong, so the lowest counts.
        let marks =
            zero_bytes(word ^ (ONES * u64::from(b'"'))) | zero_bytes(word ^ (ONES * u64::from(b'\\')));
        if marks != 0 {
            at += marks.trailing_zeros() as usize / 8;
            return text.get(at).map(|byte| (at, *byte));
        }
        at += 8;
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    rest.get(found).map(|byte| (at + found, *byte))
}

/// How many broken elements may have the same end before the next is looked for behind it.
const MAX_BROKEN_THERE: u32 = 16;

/// The longest entry that is read, in bytes.
pub const MAX_ENTRY_LEN: usize = 65_536;
