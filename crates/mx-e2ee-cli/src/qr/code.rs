//! The bytes of a code: from text, and what they say.

use mx_qr_code::{Keys, QrCode};
use mx_types::base64::{self, TrailingBits};
use zeroize::Zeroizing;

use super::{Code, document};
use crate::record::Record;

/// Whether the secret of a code is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Secret {
    Hidden,
    Shown,
}

/// JSON, hexadecimal digits or Base64, perhaps broken into lines.
pub(super) fn from_text(text: &[u8]) -> Result<Code, String> {
    let text = core::str::from_utf8(text).map_err(|_| "not text in UTF-8")?.trim();
    if text.starts_with('{') {
        return document::code(text);
    }
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    joined.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    if joined.is_empty() {
        return Err("empty".to_owned());
    }
    // The code begins with MATRIX: in Base64 that has a T in it, in hexadecimal it has not.
    match from_hex(&joined) {
        Some(code) => Ok(code),
        None => base64::decode_to_vec(&joined, TrailingBits::Ignored)
            .map(Zeroizing::new)
            .map_err(|error| format!("neither JSON, nor hexadecimal, nor Base64: {error}")),
    }
}

fn from_hex(text: &str) -> Option<Code> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    let mut code = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        code.push(nibble(high)? << 4 | nibble(low)?);
    }
    rest.is_empty().then_some(code)
}

/// What a code says: everything but its secret, unless that is asked for.
pub(super) fn explain(code: &[u8], secret: Secret) -> Result<Record, String> {
    let parsed = QrCode::parse(code).map_err(|error| error.to_string())?;
    let (mode, displayed_by, [(key1, is1), (key2, is2)]) = match parsed.keys() {
        Keys::OtherUser { displaying_user, scanning_user } => (
            0,
            "another user than the one who scans it",
            [
                (displaying_user.0, "master signing key of the user who displays it"),
                (
                    scanning_user.0,
                    "master signing key of the user who scans it, as the displaying one has it",
                ),
            ],
        ),
        Keys::OwnUserTrusted { master, scanning_device } => (
            1,
            "a device of the same user, which trusts the master signing key",
            [
                (master.0, "master signing key of the user"),
                (scanning_device.0, "key of the scanning device, as the displaying one has it"),
            ],
        ),
        Keys::OwnUserUntrusted { displaying_device, master } => (
            2,
            "a device of the same user, which does not trust the master signing key yet",
            [
                (displaying_device.0, "key of the displaying device"),
                (master.0, "master signing key of the user, as the displaying device has it"),
            ],
        ),
    };
    // It stands last, behind all that has a length.
    let secret_len = code.len().saturating_sub(BEFORE_THE_SECRET + parsed.flow_id().len());
    let secret_bytes = code.get(code.len().saturating_sub(secret_len)..).unwrap_or_default();
    let record = Record::new()
        .with("what", "QR code of a verification")
        .with("bytes", code.len())
        .with("mode", mode)
        .with("displayed_by", displayed_by)
        .with("flow_id", parsed.flow_id())
        .with("key1", base64::encode_to_string(&key1))
        .with("key1_is", is1)
        .with("key2", base64::encode_to_string(&key2))
        .with("key2_is", is2)
        .with("secret_bytes", secret_len);
    Ok(match secret {
        Secret::Hidden => record,
        Secret::Shown => record.with("secret", base64::encode_to_string(secret_bytes)),
    })
}

/// Without the ID of the flow: what the code begins with, version, mode, the length of the ID, and two keys.
const BEFORE_THE_SECRET: usize = 6 + 1 + 1 + 2 + 32 + 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_comes_in_hexadecimal_or_in_base64() {
        assert_eq!(from_text(b" 4d41\n5452 4958FF").unwrap().as_slice(), b"MATRIX\xff");
        assert_eq!(from_text(b"TUFUUklY/w==").unwrap().as_slice(), b"MATRIX\xff");
        assert!(
            from_text(b"4d4").is_ok_and(|code| code.len() == 2),
            "Base64, if not a whole number of bytes"
        );
        for (text, why) in
            [(&b""[..], "empty"), (b"\xff", "UTF-8"), (b"MATRIX!", "nor Base64"), (b"{}", "missing field")]
        {
            assert!(from_text(text).unwrap_err().contains(why), "{text:?}");
        }
    }
}
