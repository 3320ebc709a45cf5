//! The form in which a 32-byte secret is shown to a user and typed in by one (appendices, "Cryptographic key
//! representation"): `EsTc LW2K PGiF ...`.
//!
//! The bytes 8B 01, the key, and a parity byte that makes the exclusive or of all 35 zero, as one big-endian number
//! in base 58. Both directions take the same steps whatever the key is.

use core::{fmt, str};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// The length in characters of the representation: 48 digits in groups of four.
pub const LEN: usize = DIGITS + DIGITS / 4 - 1;

/// Writes the representation of a key to `out` and returns it. It is as secret as the key: wipe it after use.
#[must_use]
pub fn encode<'o>(key: &[u8; 32], out: &'o mut [u8; LEN]) -> &'o str {
    let mut number = Zeroizing::new([0; NUMBER_LEN]);
    let parity = PREFIX.iter().chain(key).fold(0, |parity, byte| parity ^ byte);
    let bytes = PREFIX.iter().chain(key).chain(core::iter::once(&parity));
    for (to, from) in number.iter_mut().zip(bytes) {
        *to = *from;
    }
    let mut digits = Zeroizing::new([0; DIGITS]);
    for digit in digits.iter_mut().rev() {
        *digit = divide(&mut number);
    }
    let groups = out.chunks_mut(5).zip(digits.chunks(4));
    for (group, digits) in groups {
        let characters = digits.iter().map(|digit| character(*digit)).chain(core::iter::once(b' '));
        for (to, from) in group.iter_mut().zip(characters) {
            *to = from;
        }
    }
    str::from_utf8(out).unwrap_or_default()
}

/// Reads a representation; white space may stand anywhere in it, or nowhere.
///
/// # Errors
///
/// A [`KeyRepresentationError`]: the alphabet is looked at first, then the length, the prefix and the parity; a text of
/// more than 48 characters has the wrong length whatever they are.
pub fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyRepresentationError> {
    let characters = || text.chars().filter(|c| !c.is_whitespace());
    if characters().count() > DIGITS {
        return Err(KeyRepresentationError::Length);
    }
    let mut number = Zeroizing::new([0; NUMBER_LEN + 1]);
    let mut known = Choice::from(1);
    for c in characters() {
        let (mut digit, found) = digit(c);
        known &= found;
        multiply_add(&mut *number, digit);
        digit.zeroize();
    }
    if !bool::from(known) {
        return Err(KeyRepresentationError::Alphabet);
    }
    // A leading `1` stands for a zero byte. The number must have exactly 35 bytes: no 36th, and the first not zero.
    let [overflow, number @ ..] = &*number;
    let [first, ..] = number;
    if *overflow != 0 || *first == 0 || characters().next() == Some('1') {
        return Err(KeyRepresentationError::Length);
    }
    let (prefix, rest) = number.split_at(PREFIX.len());
    if !bool::from(prefix.ct_eq(&PREFIX)) {
        return Err(KeyRepresentationError::Prefix);
    }
    if !bool::from(number.iter().fold(0, |parity, byte| parity ^ byte).ct_eq(&0)) {
        return Err(KeyRepresentationError::Parity);
    }
    let mut key = Zeroizing::new([0; 32]);
    for (to, from) in key.iter_mut().zip(rest) {
        *to = *from;
    }
    Ok(key)
}

/// Why a text is not the representation of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRepresentationError {
    /// There is a character in it that is not a base-58 digit: `0`, `O`, `I` and `l` are not.
    Alphabet,
    /// It does not stand for 35 bytes: characters are missing or surplus.
    Length,
    /// It does not begin with the two bytes that mark a Matrix key, so it is something else.
    Prefix,
    /// The parity does not match: a character was mistyped.
    Parity,
}

impl fmt::Display for KeyRepresentationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alphabet => "there is a character that no key has in it",
            Self::Length => "the key is too short or too long, 48 characters are expected",
            Self::Prefix => "this is not a Matrix key, which begins with Es",
            Self::Parity => "the key's parity does not match, a character is mistyped",
        })
    }
}

impl core::error::Error for KeyRepresentationError {}

const PREFIX: [u8; 2] = [0x8b, 0x01];
/// Prefix, key and parity.
const NUMBER_LEN: usize = 35;
/// Base-58 digits of every number that begins with the prefix.
const DIGITS: usize = 48;

/// Divides a big-endian number by 58 in place and returns the remainder.
fn divide(number: &mut [u8; NUMBER_LEN]) -> u8 {
    let mut remainder = 0_u8;
    for byte in number {
        let dividend = u16::from_be_bytes([remainder, *byte]);
        // A remainder is below 58, so the quotient is below 256.
        [_, *byte] = (dividend / 58).to_be_bytes();
        [_, remainder] = (dividend % 58).to_be_bytes();
    }
    remainder
}

/// Multiplies a big-endian number by 58 in place and adds a digit. 48 digits fit into 36 bytes.
fn multiply_add(number: &mut [u8], digit: u8) {
    let mut carry = digit;
    for byte in number.iter_mut().rev() {
        [carry, *byte] = (u16::from(*byte) * 58 + u16::from(carry)).to_be_bytes();
    }
}

/// The ranges of the alphabet: first character, first value, count.
const RANGES: [(u8, u8, u8); 6] =
    [(b'1', 0, 9), (b'A', 9, 8), (b'J', 17, 5), (b'P', 22, 11), (b'a', 33, 11), (b'm', 44, 14)];

fn character(digit: u8) -> u8 {
    RANGES.iter().fold(0, |character, (first, value, count)| {
        let offset = digit.wrapping_sub(*value);
        let inside = Choice::from(u8::from(offset < *count));
        u8::conditional_select(&character, &first.wrapping_add(offset), inside)
    })
}

/// The value of a digit and whether it is one.
fn digit(character: char) -> (u8, Choice) {
    let byte = u8::try_from(character).unwrap_or_default();
    RANGES.iter().fold((0, Choice::from(0)), |(digit, found), (first, value, count)| {
        let offset = byte.wrapping_sub(*first);
        let inside = Choice::from(u8::from(offset < *count));
        (u8::conditional_select(&digit, &value.wrapping_add(offset), inside), found | inside)
    })
}
