//! Writes JSON into the caller's buffer, secrets included, without a copy elsewhere.

use alloc::vec::Vec;

use mx_types::{BufferTooSmall, Curve25519PublicKey, base64};
use zeroize::Zeroizing;

/// Writes as far as there is room, and counts all.
pub(crate) struct Emitter<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Emitter<'_> {
    pub(crate) fn raw(&mut self, text: &str) {
        if let Some(room) = self.room(text.len()) {
            room.copy_from_slice(text.as_bytes());
        }
    }

    /// A string that needs no escapes: Base64, and our own words.
    pub(crate) fn plain(&mut self, text: &str) {
        self.raw("\"");
        self.raw(text);
        self.raw("\"");
    }

    /// Any string.
    pub(crate) fn string(&mut self, text: &str) {
        self.raw("\"");
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f')) {
            let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.raw(plain);
            let (special, after) = special.split_at_checked(1).unwrap_or_default();
            match special.as_bytes() {
                [byte @ 0..=0x1f] => {
                    self.raw("\\u00");
                    for digit in [byte >> 4, byte & 15] {
                        let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
                        self.raw(digit.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => {
                    self.raw("\\");
                    self.raw(special);
                }
            }
            rest = after;
        }
        self.raw(rest);
        self.raw("\"");
    }

    /// The Base64 of public bytes.
    pub(crate) fn base64(&mut self, bytes: &[u8]) {
        self.raw("\"");
        if let Some(room) = self.room(base64::encoded_len(bytes.len())) {
            let _ = base64::encode_to_bytes(bytes, room);
        }
        self.raw("\"");
    }

    /// A secret of so many characters.
    pub(crate) fn secret<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> &str) {
        self.raw("\"");
        if let Some(room) = self.room(N).and_then(|room| room.first_chunk_mut()) {
            let _ = write(room);
        }
        self.raw("\"");
    }

    /// A member, with its name, of which the value is a list of keys.
    pub(crate) fn keys(&mut self, name: &str, keys: &[Curve25519PublicKey]) {
        self.raw(name);
        self.raw("[");
        for (index, key) in keys.iter().enumerate() {
            self.raw(if index == 0 { "" } else { "," });
            self.base64(key.as_bytes());
        }
        self.raw("]");
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = self.len;
        self.len = start.saturating_add(len);
        self.out.get_mut(start..self.len)
    }
}

/// The bytes that `write` writes.
pub(crate) fn emitted_len(write: impl FnOnce(&mut Emitter<'_>)) -> usize {
    let mut emitter = Emitter { out: &mut [], len: 0 };
    write(&mut emitter);
    emitter.len
}

/// What `write` writes, at the beginning of `out`.
pub(crate) fn emit(write: impl Fn(&mut Emitter<'_>), out: &mut [u8]) -> Result<&[u8], BufferTooSmall> {
    let needed = emitted_len(&write);
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    write(&mut Emitter { out, len: 0 });
    Ok(out)
}

/// What `write` writes, in a vector that is wiped when dropped and never grew.
pub(crate) fn emit_to_vec(write: impl Fn(&mut Emitter<'_>)) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(alloc::vec![0; emitted_len(&write)]);
    write(&mut Emitter { out: &mut out, len: 0 });
    out
}
