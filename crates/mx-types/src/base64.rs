//! Unpadded Base64 (Matrix specification, appendices, "Unpadded Base64"; RFC 4648 standard alphabet).
//!
//! Two codecs, because two things are wanted of it. [`encode`] and [`decode`] serve public bytes: ciphertexts,
//! signatures, public keys. They work on 32 characters at a time by arithmetic that compilers turn into vector
//! instructions. [`encode_secret`] and [`decode_secret`] serve secrets: they are those of `base64ct`, with no
//! branch and no table index on the value.
//!
//! Everything written is unpadded. Everything read may be padded, completely or not at all. White space, the
//! URL-safe alphabet, surplus or misplaced `=`, and lengths that no byte string has are refused.

use core::{fmt, str};

use base64ct::{Base64Unpadded, Encoding as _};

use crate::BufferTooSmall;

/// The length in characters of the unpadded Base64 of `len` bytes, `usize::MAX` where that does not fit.
#[must_use]
pub const fn encoded_len(len: usize) -> usize {
    let tail = match len % 3 {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    (len / 3).saturating_mul(4).saturating_add(tail)
}

/// The length in bytes of what `text` stands for, padded or not, by its length and padding alone.
///
/// # Errors
///
/// [`DecodeError::InvalidLength`] and [`DecodeError::InvalidPadding`]; the characters are not looked at.
pub fn decoded_len(text: &str) -> Result<usize, DecodeError> {
    unpadded(text).and_then(unpadded_decoded_len)
}

/// Writes the Base64 of public bytes to the start of `out` and returns it.
///
/// # Errors
///
/// [`BufferTooSmall`] when `out` is shorter than [`encoded_len`].
pub fn encode<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
    let needed = encoded_len(bytes.len());
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    let (texts, text_rest) = out.as_chunks_mut::<BLOCK_CHARS>();
    for (block, text) in blocks.iter().zip(&mut *texts) {
        *text = encode_block(block);
    }
    // The rest is encoded as a block of its own, filled up with zeros, of which the needed characters are kept.
    if !rest.is_empty() {
        let mut last = [0; BLOCK_BYTES];
        copy_prefix(&mut last, rest);
        copy_prefix(text_rest, &encode_block(&last));
    }
    Ok(str::from_utf8(out).unwrap_or_default())
}

/// Reads the Base64 of public bytes into the start of `out` and returns them.
///
/// # Errors
///
/// A [`DecodeError`]; `out` then holds nothing of use.
pub fn decode<'o>(text: &str, trailing: TrailingBits, out: &'o mut [u8]) -> Result<&'o [u8], DecodeError> {
    let text = unpadded(text)?;
    let needed = unpadded_decoded_len(text)?;
    let out = out.get_mut(..needed).ok_or(DecodeError::BufferTooSmall(BufferTooSmall { needed }))?;
    let (texts, text_rest) = text.as_chunks::<BLOCK_CHARS>();
    let (blocks, rest) = out.as_chunks_mut::<BLOCK_BYTES>();
    let mut seen = 0;
    for (text, block) in texts.iter().zip(&mut *blocks) {
        let (bytes, flags) = decode_block(text);
        *block = bytes;
        seen |= flags;
    }
    if !text_rest.is_empty() {
        let mut last = [b'A'; BLOCK_CHARS];
        copy_prefix(&mut last, text_rest);
        let (bytes, flags) = decode_block(&last);
        seen |= flags;
        copy_prefix(rest, &bytes);
        // Whatever stands behind the last whole byte must be the filling's zeros.
        let surplus = bytes.get(rest.len()).copied().unwrap_or_default();
        if trailing == TrailingBits::Refused && surplus != 0 && seen & NOT_IN_ALPHABET == 0 {
            return Err(DecodeError::TrailingBits);
        }
    }
    if seen & NOT_IN_ALPHABET != 0 {
        return Err(DecodeError::InvalidCharacter);
    }
    Ok(out)
}

/// Reads the Base64 of exactly `N` public bytes.
///
/// # Errors
///
/// A [`DecodeError`]; [`DecodeError::UnexpectedLength`] for a text of another length.
pub fn decode_array<const N: usize>(text: &str, trailing: TrailingBits) -> Result<[u8; N], DecodeError> {
    let found = decoded_len(text)?;
    if found != N {
        return Err(DecodeError::UnexpectedLength { expected: N, found });
    }
    let mut bytes = [0; N];
    decode(text, trailing, &mut bytes)?;
    Ok(bytes)
}

/// Writes the Base64 of a secret to the start of `out` and returns it, in time that depends on its length only.
///
/// # Errors
///
/// [`BufferTooSmall`] when `out` is shorter than [`encoded_len`].
pub fn encode_secret<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
    let needed = encoded_len(bytes.len());
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    Base64Unpadded::encode(bytes, out).map_err(|_| BufferTooSmall { needed })
}

/// Reads the Base64 of a secret into the start of `out` and returns it, in time that depends on its length and
/// on whether it is accepted only. Non-zero trailing bits are refused.
///
/// # Errors
///
/// A [`DecodeError`]; `out` then holds nothing of use, but may hold parts of the secret: wipe it as you would
/// after success. Which of the characters was wrong, or whether it was the trailing bits, is not told.
pub fn decode_secret<'o>(text: &str, out: &'o mut [u8]) -> Result<&'o [u8], DecodeError> {
    let text = unpadded(text)?;
    let needed = unpadded_decoded_len(text)?;
    let out = out.get_mut(..needed).ok_or(DecodeError::BufferTooSmall(BufferTooSmall { needed }))?;
    Base64Unpadded::decode(text, out).map_err(|_| DecodeError::InvalidCharacter)
}

/// [`encode`] to a new string.
#[cfg(feature = "alloc")]
#[must_use]
pub fn encode_to_string(bytes: &[u8]) -> alloc::string::String {
    let mut out = alloc::vec![0; encoded_len(bytes.len())];
    match encode(bytes, &mut out) {
        // The bytes are ASCII: the conversion checks that and moves them.
        Ok(_) => alloc::string::String::from_utf8(out).unwrap_or_default(),
        Err(_) => alloc::string::String::new(),
    }
}

/// [`decode`] to a new vector, sized by the text's length.
///
/// # Errors
///
/// As [`decode`].
#[cfg(feature = "alloc")]
pub fn decode_to_vec(text: &str, trailing: TrailingBits) -> Result<alloc::vec::Vec<u8>, DecodeError> {
    let mut out = alloc::vec![0; decoded_len(text)?];
    decode(text, trailing, &mut out)?;
    Ok(out)
}

/// What to do with bits of the last character that belong to no byte (`Zh` for `Zg`).
///
/// Matrix does not say. A key has one spelling, so they are refused there; signatures, ciphertexts, MACs and
/// hashes that somebody else wrote are read with them, as deployed software does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrailingBits {
    /// Non-zero trailing bits are an error. For keys.
    Refused,
    /// They are ignored. For signatures, ciphertexts, message bodies, MACs and hashes.
    Ignored,
}

/// Why a text is not the Base64 of something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// No byte string has an unpadded Base64 of this length (1 more than a multiple of 4).
    InvalidLength,
    /// There is `=` in the text and it does not fill the text up to a multiple of 4 characters.
    InvalidPadding,
    /// A character outside the alphabet. For secrets also: non-zero trailing bits.
    InvalidCharacter,
    /// The last character has bits set that belong to no byte.
    TrailingBits,
    /// The text is Base64, but not of as many bytes as wanted.
    UnexpectedLength {
        /// The length in bytes that was wanted.
        expected: usize,
        /// The length in bytes that the text has.
        found: usize,
    },
    /// The output buffer is too small.
    BufferTooSmall(BufferTooSmall),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidLength => f.write_str("no Base64 has this length"),
            Self::InvalidPadding => f.write_str("Base64 padding is incomplete, surplus or misplaced"),
            Self::InvalidCharacter => f.write_str("character outside the Base64 alphabet"),
            Self::TrailingBits => f.write_str("the last Base64 character has bits that belong to no byte"),
            Self::UnexpectedLength { expected, found } => {
                write!(f, "{expected} bytes of Base64 expected, {found} found")
            }
            Self::BufferTooSmall(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Bytes, and characters, that are worked on at a time.
const BLOCK_BYTES: usize = 24;
const BLOCK_CHARS: usize = 32;

/// Set in what [`sextet`] gives for a character outside the alphabet.
const NOT_IN_ALPHABET: u8 = 0x80;

/// The text without its padding, which must be complete where there is any.
fn unpadded(text: &str) -> Result<&[u8], DecodeError> {
    let text = text.as_bytes();
    let stripped = match text {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] => rest,
        _ => return Ok(text),
    };
    let complete = text.len().is_multiple_of(4) && stripped.last() != Some(&b'=');
    if complete { Ok(stripped) } else { Err(DecodeError::InvalidPadding) }
}

fn unpadded_decoded_len(text: &[u8]) -> Result<usize, DecodeError> {
    let tail = match text.len() % 4 {
        0 => 0,
        1 => return Err(DecodeError::InvalidLength),
        2 => 1,
        _ => 2,
    };
    Ok(text.len() / 4 * 3 + tail)
}

fn copy_prefix(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Six bytes at a time become eight sextets in the lanes of one 64-bit word; then all 32 become characters.
fn encode_block(bytes: &[u8; BLOCK_BYTES]) -> [u8; BLOCK_CHARS] {
    let mut text = [0; BLOCK_CHARS];
    let (sixes, _) = bytes.as_chunks::<6>();
    let (eights, _) = text.as_chunks_mut::<8>();
    for (&[a, b, c, d, e, f], eight) in sixes.iter().zip(eights) {
        let word = u64::from_be_bytes([0, a, b, c, 0, d, e, f]);
        let word = (word & 0x00ff_f000_00ff_f000) << 4 | word & 0x0000_0fff_0000_0fff;
        let word = (word & 0x0fc0_0fc0_0fc0_0fc0) << 2 | word & 0x003f_003f_003f_003f;
        *eight = word.to_be_bytes();
    }
    text.map(character)
}

/// The inverse of [`encode_block`], with the union of all sextets, in which [`NOT_IN_ALPHABET`] may stand.
fn decode_block(text: &[u8; BLOCK_CHARS]) -> ([u8; BLOCK_BYTES], u8) {
    let sextets = text.map(sextet);
    let seen = sextets.iter().fold(0, |seen, sextet| seen | sextet);
    let mut bytes = [0; BLOCK_BYTES];
    let (eights, _) = sextets.as_chunks::<8>();
    let (sixes, _) = bytes.as_chunks_mut::<6>();
    for (eight, six) in eights.iter().zip(sixes) {
        let word = u64::from_be_bytes(*eight);
        let word = (word & 0x3f00_3f00_3f00_3f00) >> 2 | word & 0x003f_003f_003f_003f;
        let word = (word & 0x0fff_0000_0fff_0000) >> 4 | word & 0x0000_0fff_0000_0fff;
        let [_, a, b, c, _, d, e, f] = word.to_be_bytes();
        *six = [a, b, c, d, e, f];
    }
    (bytes, seen)
}

/// `A`-`Z`, `a`-`z`, `0`-`9`, `+`, `/` for 0 to 63, by adding the distance at each border that was passed.
fn character(sextet: u8) -> u8 {
    sextet
        .wrapping_add(b'A')
        .wrapping_add(u8::from(sextet > 25) * 6)
        .wrapping_sub(u8::from(sextet > 51) * 75)
        .wrapping_sub(u8::from(sextet > 61) * 15)
        .wrapping_add(u8::from(sextet > 62) * 3)
}

/// The inverse of [`character`]: each range gives its value or 0, a character in none gives [`NOT_IN_ALPHABET`].
fn sextet(character: u8) -> u8 {
    let in_range = |first: u8, last: u8, value: u8| {
        let offset = character.wrapping_sub(first);
        u8::from(offset <= last - first).wrapping_neg() & offset.wrapping_add(value).wrapping_add(1)
    };
    // Values are one higher than they are, so that 0 says "in no range".
    let found = in_range(b'A', b'Z', 0)
        | in_range(b'a', b'z', 26)
        | in_range(b'0', b'9', 52)
        | in_range(b'+', b'+', 62)
        | in_range(b'/', b'/', 63);
    found.wrapping_sub(1) & (0x3f | u8::from(found == 0).wrapping_neg())
}
