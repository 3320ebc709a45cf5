use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, str};

use zeroize::Zeroizing;

/// What stands between the quotes of a string. It may be a secret, and is not printed.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// UTF-8.
    pub(crate) raw: &'a [u8],
    pub(crate) escaped: bool,
}

impl<'a> Text<'a> {
    /// The text; borrowed where nothing is escaped in it. `None` for half of a surrogate pair, which is no character.
    #[must_use]
    pub fn to_str(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            let mut bytes = self.unescape()?;
            String::from_utf8(core::mem::take(&mut *bytes)).ok().map(Cow::Owned)
        } else {
            str::from_utf8(self.raw).ok().map(Cow::Borrowed)
        }
    }

    /// Hands the text to `read`, and wipes what had to be copied for that. `None` as for [`Text::to_str`].
    pub fn with_secret<T>(self, read: impl FnOnce(&str) -> T) -> Option<T> {
        self.with_secret_bytes(|bytes| str::from_utf8(bytes).ok().map(read))?
    }

    /// [`Text::with_secret`] for what looks at the bytes anyway, such as Base64.
    pub fn with_secret_bytes<T>(self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        Some(if self.escaped { read(&self.unescape()?) } else { read(self.raw) })
    }

    /// Whether it is this text.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
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

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
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

pub(crate) fn hex(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, after) = text.split_first_chunk::<4>()?;
    let value =
        digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))?;
    Some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaping_does_not_reallocate() {
        let text = Text { raw: br"\u65e5\ud83d\ude00\n", escaped: true };
        let unescaped = text.unescape().expect("is a string");
        assert_eq!(**unescaped, *"日😀\n".as_bytes());
        assert_eq!(unescaped.capacity(), text.raw.len());
    }
}
