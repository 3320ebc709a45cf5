//! Strings: where they end, their escapes, and the order of keys.

use alloc::string::String;
use core::cmp::Ordering;
use core::str::Chars;

/// The index, at or after `from`, of the first byte that ends a plain run of a string: a quotation mark, a backslash
/// or a control character. The length of `bytes` if there is none.
#[inline]
pub(crate) fn plain_run_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut rest = bytes.get(from..).unwrap_or_default();
    while let Some((block, tail)) = rest.split_first_chunk::<8>() {
        let found = special_bytes(u64::from_le_bytes(*block));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += block.len();
        rest = tail;
    }
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// Sets the top bit of each of the eight bytes that is `"`, `\` or a control character.
///
/// Only the lowest set bit can be relied on: the subtraction borrows into the bytes above a match.
#[inline]
const fn special_bytes(block: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Swapping bit 1 takes '"' (0x22) to 0x20 and leaves controls below 0x20: one comparison finds both.
    let quote_or_control = (block ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (block ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !block & (ONES * 0x80)
}

/// Appends one character as it stands in a canonical string.
pub(crate) fn push_char(out: &mut String, character: char) {
    let short = match character {
        '"' => '"',
        '\\' => '\\',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\0'..=' ' if character < ' ' => {
            let code = u32::from(character);
            out.push_str("\\u00");
            out.extend([code >> 4, code & 0xf].into_iter().filter_map(|digit| char::from_digit(digit, 16)));
            return;
        }
        _ => return out.push(character),
    };
    out.push('\\');
    out.push(short);
}

/// Appends `value` as a canonical string, with its quotation marks.
pub(crate) fn push_string(out: &mut String, value: &str) {
    out.push('"');
    let mut rest = value;
    loop {
        let (plain, special) = rest.split_at_checked(plain_run_end(rest.as_bytes(), 0)).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { break };
        push_char(out, character);
        rest = characters.as_str();
    }
    out.push('"');
}

/// `text[start..end]`. Both are next to ASCII characters that were read as such, so neither can cut a character.
#[inline]
pub(crate) fn slice(text: &str, start: usize, end: usize) -> &str {
    let slice = text.get(start..end);
    debug_assert!(slice.is_some(), "{start}..{end} cuts a character");
    slice.unwrap_or_default()
}

/// The text of a valid string between its quotation marks, and whether it has escapes.
#[derive(Clone, Copy)]
pub(crate) struct RawKey<'t> {
    pub(crate) text: &'t str,
    pub(crate) escaped: bool,
}

/// The first eight bytes of a decoded key, with zeros after a shorter one: where two differ, so do the keys, in the
/// same direction. Nearly every comparison ends here.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct KeyPrefix(u64);

impl RawKey<'_> {
    /// The order of the decoded keys by code point, which is that of their UTF-8 bytes.
    #[inline]
    pub(crate) fn order(self, other: RawKey<'_>) -> Ordering {
        if self.escaped || other.escaped {
            self.decoded().cmp(other.decoded())
        } else {
            self.text.as_bytes().cmp(other.text.as_bytes())
        }
    }

    /// The order of the decoded key and `name`.
    pub(crate) fn order_to(self, name: &str) -> Ordering {
        if self.escaped { self.decoded().cmp(name.chars()) } else { self.text.cmp(name) }
    }

    #[inline]
    pub(crate) fn prefix(self) -> KeyPrefix {
        if self.escaped {
            return self.decoded_prefix();
        }
        let bytes = self.text.as_bytes();
        KeyPrefix(u64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_else(|| {
            let mut prefix = [0; 8];
            prefix.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
            prefix
        })))
    }

    #[cold]
    fn decoded_prefix(self) -> KeyPrefix {
        let mut prefix = [0; 8];
        let mut utf8 = [0; 4];
        let mut free = prefix.iter_mut();
        for character in self.decoded().take(8) {
            for (byte, slot) in character.encode_utf8(&mut utf8).bytes().zip(free.by_ref()) {
                *slot = byte;
            }
        }
        KeyPrefix(u64::from_be_bytes(prefix))
    }

    fn decoded(&self) -> Decoded<'_> {
        Decoded(self.text.chars())
    }
}

/// The characters that a valid string stands for.
struct Decoded<'t>(Chars<'t>);

impl Iterator for Decoded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.0.next()?;
        if character != '\\' {
            return Some(character);
        }
        Some(match self.0.next()? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'u' => {
                let unit = self.unit()?;
                if let Some(character) = char::from_u32(unit) {
                    return Some(character);
                }
                self.0.next()?;
                self.0.next()?;
                join_surrogates(unit, self.unit()?)?
            }
            same => same,
        })
    }
}

impl Decoded<'_> {
    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | self.0.next()?.to_digit(16)?;
        }
        Some(unit)
    }
}

/// The character that a pair of UTF-16 surrogates stands for; nothing if it is no such pair.
pub(crate) fn join_surrogates(high: u32, low: u32) -> Option<char> {
    match (high, low) {
        (0xd800..=0xdbff, 0xdc00..=0xdfff) => {
            char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
        }
        _ => None,
    }
}
