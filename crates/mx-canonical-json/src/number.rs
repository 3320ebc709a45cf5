//! Numbers: the grammar, the range, and decimal arithmetic for the lenient mode.

use crate::limits::{MAX_INTEGER, Numbers};

/// Why a token that starts like a number is refused.
pub(crate) enum NumberError {
    /// The grammar wants a digit at this distance from the start.
    NoDigit(usize),
    Float,
    OutOfRange,
    NegativeZero,
}

/// A number as the grammar cuts it out of the text.
#[derive(Clone, Copy)]
pub(crate) struct Number<'t> {
    negative: bool,
    integer: &'t [u8],
    fraction: &'t [u8],
    exponent: Option<Exponent<'t>>,
    /// The length of the token in bytes.
    pub(crate) len: usize,
}

#[derive(Clone, Copy)]
struct Exponent<'t> {
    negative: bool,
    digits: &'t [u8],
}

/// What to write for a number that is taken.
pub(crate) enum Spelling {
    /// The token is canonical.
    Same,
    /// Another one: this integer's.
    Integer(i64),
}

impl<'t> Number<'t> {
    /// Reads the number at the start of `bytes`; what follows it is for the caller to judge.
    #[inline]
    pub(crate) fn parse(bytes: &'t [u8]) -> Result<Self, NumberError> {
        let (negative, rest) = match bytes.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, bytes),
        };
        let consumed = |rest: &[u8]| bytes.len() - rest.len();
        let (integer, mut rest) = match rest.split_first() {
            // A zero stands alone: the digit after it is left over, and that is an error in every place.
            Some((b'0', _)) => rest.split_at_checked(1).unwrap_or_default(),
            _ => digits(rest),
        };
        if integer.is_empty() {
            return Err(NumberError::NoDigit(consumed(rest)));
        }
        let mut number = Self { negative, integer, fraction: &[], exponent: None, len: consumed(rest) };
        if let [b'.', tail @ ..] = rest {
            (number.fraction, rest) = digits(tail);
            if number.fraction.is_empty() {
                return Err(NumberError::NoDigit(consumed(rest)));
            }
        }
        if let [b'e' | b'E', tail @ ..] = rest {
            let (negative, tail) = match tail {
                [b'-', tail @ ..] => (true, tail),
                [b'+', tail @ ..] => (false, tail),
                tail => (false, tail),
            };
            let (digits, tail) = digits(tail);
            if digits.is_empty() {
                return Err(NumberError::NoDigit(consumed(tail)));
            }
            number.exponent = Some(Exponent { negative, digits });
            rest = tail;
        }
        number.len = consumed(rest);
        Ok(number)
    }

    /// Says how the number is written, or that it is refused.
    #[inline]
    pub(crate) fn spelling(self, numbers: Numbers) -> Result<Spelling, NumberError> {
        if !self.fraction.is_empty() || self.exponent.is_some() {
            return match numbers {
                Numbers::ExactIntegers => self.exact_integer().map(Spelling::Integer),
                Numbers::Canonical | Numbers::Integers => Err(NumberError::Float),
            };
        }
        if self.negative && self.integer == b"0" {
            return match numbers {
                Numbers::Canonical => Err(NumberError::NegativeZero),
                Numbers::Integers | Numbers::ExactIntegers => Ok(Spelling::Integer(0)),
            };
        }
        magnitude(self.integer.iter().copied(), 0)?;
        Ok(Spelling::Same)
    }

    /// The value, if it is an integer in range: `digits * 10^scale` with the zeros at both ends of `digits` taken
    /// off, so that neither a long fraction nor a huge exponent is ever written out.
    fn exact_integer(self) -> Result<i64, NumberError> {
        let all = || self.integer.iter().chain(self.fraction).copied();
        let Some(leading) = all().position(|digit| digit != b'0') else { return Ok(0) };
        let trailing = all().rev().take_while(|digit| *digit == b'0').count();
        let significant = self.integer.len() + self.fraction.len() - leading - trailing;

        let scale = self
            .exponent
            .map_or(0, Exponent::value)
            .saturating_sub_unsigned(self.fraction.len() as u64)
            .saturating_add_unsigned(trailing as u64);
        if scale < 0 {
            return Err(NumberError::Float);
        }
        let value = magnitude(all().skip(leading).take(significant), scale)?;
        Ok(if self.negative { -value } else { value })
    }
}

impl Exponent<'_> {
    /// Saturates at the ends of `i64`, which is further than any text has digits.
    fn value(self) -> i64 {
        let magnitude = self
            .digits
            .iter()
            .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        if self.negative { -magnitude } else { magnitude }
    }
}

/// `digits * 10^zeros`, if it is in the range of canonical JSON. Stops at the first digit too many.
#[inline]
fn magnitude(digits: impl Iterator<Item = u8>, zeros: i64) -> Result<i64, NumberError> {
    let mut value = 0_i64;
    let mut append = |digit: u8| {
        value = value * 10 + i64::from(digit - b'0');
        if value > MAX_INTEGER { Err(NumberError::OutOfRange) } else { Ok(()) }
    };
    for digit in digits {
        append(digit)?;
    }
    for _ in 0..zeros {
        append(b'0')?;
    }
    Ok(value)
}

/// The decimal digits at the start of `bytes`, and the rest.
#[inline]
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(len).unwrap_or((bytes, &[]))
}
