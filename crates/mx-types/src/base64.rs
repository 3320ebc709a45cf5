//! Unpadded Base64 (Matrix specification, appendices, "Unpadded Base64"; RFC 4648 standard alphabet).
//!
//! Two codecs, because two things are wanted of it. [`encode`] and [`decode`] serve public bytes: ciphertexts,
//! signatures, public keys. They work on 64 characters at a time by arithmetic that compilers turn into vector
//! instructions, or through `base64-simd` with the feature `simd`. [`encode_secret`] and [`decode_secret`] serve
//! secrets: they are those of `base64ct`, with no branch and no table index on the value. The one value that
//! Matrix writes in the URL-safe alphabet, `k` of a JSON Web Key, is a secret, too: [`encode_url_secret`] and
//! [`decode_url_secret`].
//! [`decode_secret_prefix`] is for a secret with public bytes behind it.
//!
//! Everything written is unpadded. Everything read may be padded, completely or not at all. White space, the
//! other alphabet, surplus or misplaced `=`, and lengths that no byte string has are refused.

mod blocks;

use core::{fmt, str};

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

use blocks::{BLOCK_BYTES, BLOCK_CHARS};

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
pub fn decoded_len(text: impl AsRef<[u8]>) -> Result<usize, DecodeError> {
    unpadded(text.as_ref()).and_then(unpadded_decoded_len)
}

/// Writes the Base64 of public bytes to the start of `out` and returns it.
///
/// # Errors
///
/// [`BufferTooSmall`] when `out` is shorter than [`encoded_len`].
pub fn encode<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
    Ok(str::from_utf8(encode_to_bytes(bytes, out)?).unwrap_or_default())
}

/// [`encode`] for those who want bytes, and do without the second look that makes them text.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_to_bytes<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
    let needed = encoded_len(bytes.len());
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    let (blocks, rest) = bytes.split_at(bytes.len() - bytes.len() % BLOCK_BYTES);
    let (texts, text_rest) = out.split_at_mut(encoded_len(blocks.len()));
    blocks::encode(blocks, texts);
    // The rest is encoded as a block of its own, filled up with zeros, of which the needed characters are kept.
    if !rest.is_empty() {
        let mut last = [0; BLOCK_BYTES];
        copy_prefix(&mut last, rest);
        let mut encoded = [0; BLOCK_CHARS];
        blocks::encode(&last, &mut encoded);
        copy_prefix(text_rest, &encoded);
    }
    Ok(out)
}

/// Reads the Base64 of public bytes into the start of `out` and returns them. The text may be bytes that were not looked at
/// as text: what is no Base64 is refused anyway.
///
/// # Errors
///
/// A [`DecodeError`]; `out` then holds nothing of use.
pub fn decode(text: impl AsRef<[u8]>, trailing: TrailingBits, out: &mut [u8]) -> Result<&[u8], DecodeError> {
    let (text, out) = same_length(text.as_ref(), out)?;
    decode_public(text, trailing, out)?;
    Ok(out)
}

/// Reads the Base64 of exactly `N` public bytes.
///
/// # Errors
///
/// A [`DecodeError`]; [`DecodeError::UnexpectedLength`] for a text of another length.
pub fn decode_array<const N: usize>(
    text: impl AsRef<[u8]>,
    trailing: TrailingBits,
) -> Result<[u8; N], DecodeError> {
    let text = text.as_ref();
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
    encode_secret_as::<Base64Unpadded>(bytes, out)
}

/// Reads the Base64 of a secret into the start of `out` and returns it, in time that depends on its length and
/// on whether it is accepted only. Non-zero trailing bits are refused.
///
/// # Errors
///
/// A [`DecodeError`]; `out` then holds nothing of use, but may hold parts of the secret: wipe it as you would
/// after success. Which of the characters was wrong, or whether it was the trailing bits, is not told.
pub fn decode_secret<'o>(text: &str, out: &'o mut [u8]) -> Result<&'o [u8], DecodeError> {
    decode_secret_as::<Base64Unpadded>(text.as_bytes(), out)
}

/// [`encode_secret`] in the URL-safe alphabet, with `-` and `_` for `+` and `/`: `k` of a JSON Web Key.
///
/// # Errors
///
/// [`BufferTooSmall`] when `out` is shorter than [`encoded_len`].
pub fn encode_url_secret<'o>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
    encode_secret_as::<Base64UrlUnpadded>(bytes, out)
}

/// [`decode_secret`] in the URL-safe alphabet; `+` and `/` are refused.
///
/// # Errors
///
/// As [`decode_secret`].
pub fn decode_url_secret(text: impl AsRef<[u8]>, out: &mut [u8]) -> Result<&[u8], DecodeError> {
    decode_secret_as::<Base64UrlUnpadded>(text.as_ref(), out)
}

/// [`decode_secret`] of a secret with public bytes behind it, faster: those are read as by [`decode`].
///
/// Four characters are three bytes. All characters that the first `secret_len` bytes depend on are read in time that does not
/// depend on them. Errors are those of [`decode_secret`].
///
/// # Errors
///
/// As [`decode_secret`]; `out` may hold parts of the secret then, too.
pub fn decode_secret_prefix<'o>(
    text: &str,
    secret_len: usize,
    out: &'o mut [u8],
) -> Result<&'o [u8], DecodeError> {
    let (text, out) = same_length(text.as_bytes(), out)?;
    let groups = secret_len.div_ceil(3);
    let (secret_text, public_text) = text.split_at(text.len().min(groups.saturating_mul(4)));
    let (secret, public) = out.split_at_mut(out.len().min(groups.saturating_mul(3)));
    // `&` and not `&&`: in which of them there is an error is not told.
    let all_read = Base64Unpadded::decode(secret_text, secret).is_ok()
        & decode_public(public_text, TrailingBits::Refused, public).is_ok();
    if all_read { Ok(out) } else { Err(DecodeError::InvalidCharacter) }
}

/// [`encode`] to a new string.
#[cfg(feature = "alloc")]
#[must_use]
pub fn encode_to_string(bytes: &[u8]) -> alloc::string::String {
    let mut out = alloc::vec![0; encoded_len(bytes.len())];
    match encode_to_bytes(bytes, &mut out) {
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
    let text = unpadded(text.as_bytes())?;
    let mut out = alloc::vec::Vec::with_capacity(unpadded_decoded_len(text)?);
    let (texts, text_rest) = text.split_at(text.len() - text.len() % BLOCK_CHARS);
    let in_alphabet = blocks::decode_to_empty(texts, &mut out);
    let mut last = [0; BLOCK_BYTES];
    let rest = last.get_mut(..unpadded_decoded_len(text_rest)?).unwrap_or_default();
    decode_rest(text_rest, trailing, rest, in_alphabet)?;
    out.extend_from_slice(rest);
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

fn encode_secret_as<'o, E: Encoding>(bytes: &[u8], out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
    let needed = encoded_len(bytes.len());
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    E::encode(bytes, out).map_err(|_| BufferTooSmall { needed })
}

fn decode_secret_as<'o, E: Encoding>(text: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], DecodeError> {
    let (text, out) = same_length(text, out)?;
    E::decode(text, out).map_err(|_| DecodeError::InvalidCharacter)
}

/// The text without its padding, which must be complete where there is any.
fn unpadded(text: &[u8]) -> Result<&[u8], DecodeError> {
    let stripped = match text {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] => rest,
        _ => return Ok(text),
    };
    let complete = text.len().is_multiple_of(4) && stripped.last() != Some(&b'=');
    if complete { Ok(stripped) } else { Err(DecodeError::InvalidPadding) }
}

/// The text without its padding, and as much of `out` as it fills.
fn same_length<'t, 'o>(text: &'t [u8], out: &'o mut [u8]) -> Result<(&'t [u8], &'o mut [u8]), DecodeError> {
    let text = unpadded(text)?;
    let needed = unpadded_decoded_len(text)?;
    let out = out.get_mut(..needed).ok_or(DecodeError::BufferTooSmall(BufferTooSmall { needed }))?;
    Ok((text, out))
}

/// [`decode`] of a text without padding to all of `out`.
fn decode_public(text: &[u8], trailing: TrailingBits, out: &mut [u8]) -> Result<(), DecodeError> {
    let (texts, text_rest) = text.split_at(text.len() - text.len() % BLOCK_CHARS);
    let (blocks, rest) = out.split_at_mut(texts.len() / 4 * 3);
    let in_alphabet = blocks::decode(texts, blocks);
    decode_rest(text_rest, trailing, rest, in_alphabet)
}

/// The characters behind whole blocks; `in_alphabet` says whether those in the blocks were of the alphabet.
fn decode_rest(
    text: &[u8],
    trailing: TrailingBits,
    rest: &mut [u8],
    mut in_alphabet: bool,
) -> Result<(), DecodeError> {
    if !text.is_empty() {
        let mut last = [b'A'; BLOCK_CHARS];
        copy_prefix(&mut last, text);
        let mut decoded = [0; BLOCK_BYTES];
        in_alphabet &= blocks::decode(&last, &mut decoded);
        // Whatever stands behind the last whole byte must be the filling's zeros.
        let surplus = decoded.get(rest.len()).copied().unwrap_or_default();
        if trailing == TrailingBits::Refused && surplus != 0 && in_alphabet {
            return Err(DecodeError::TrailingBits);
        }
        copy_prefix(rest, &decoded);
    }
    if in_alphabet { Ok(()) } else { Err(DecodeError::InvalidCharacter) }
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
