//! Files with any contents, and sources that misbehave.
#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests, of which each uses a part of this"
)]

use core::num::NonZeroU32;

use embedded_io::{ErrorKind, ErrorType, Read, Seek, SeekFrom};
use mx_aes_sha2::{Pbkdf2Sha512, ctr_hmac::CtrHmacKeys};
use mx_key_export::{ExportKeys, KeyExport, MAX_ROUNDS};
use mx_types::base64;

pub(crate) const PASSPHRASE: &str = "a passphrase";

/// A session that matrix-sdk-crypto wrote (EXP-44).
pub(crate) const SESSION: &str = r#"{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!test:localhost","sender_key":"cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w","session_id":"8sdNGgmLft8osylLK9ij3IotBLyQQufe/KngiW4Dpq0","session_key":"AQAAAABBKNS1bA5X+Py5c6YP+RKtjHAtNznKzonSmyciDY9/6IEAcuOpsNc/LC46lOMMnZerWc7LoT8VjY6IzBETBEe0DzYu4F2UZHmNAaGNgHyiEXtruJ2Y9EhaQm10VrgOhhN4NN6UEYVrI4PFSM88BoDiP8bElfD2qnNa4zIfP2KlxvLHTRoJi37fKLMpSyvYo9yKLQS8kELn3vyp4IluA6at","sender_claimed_keys":{"ed25519":"wJ7DzYIlwFghczuxFG7F4ugAK3IFjpSaC74MzLFC6ig"},"forwarding_curve25519_key_chain":[]}"#;

pub(crate) const SESSION_ID: &str = "8sdNGgmLft8osylLK9ij3IotBLyQQufe/KngiW4Dpq0";

pub(crate) const SALT: [u8; 16] = *b"0123456789abcdef";

fn keys() -> CtrHmacKeys {
    CtrHmacKeys::from_bytes(&Pbkdf2Sha512::new(PASSPHRASE.as_bytes(), &SALT, NonZeroU32::MIN).finish())
}

/// The body with this plaintext.
pub(crate) fn body(plaintext: &[u8]) -> Vec<u8> {
    body_with(&[1], &[9; 16], 1, plaintext)
}

pub(crate) fn body_with(version: &[u8], iv: &[u8; 16], rounds: u32, plaintext: &[u8]) -> Vec<u8> {
    let keys = keys();
    let mut body = [version, &SALT, iv, &rounds.to_be_bytes(), plaintext].concat();
    let header = body.len() - plaintext.len();
    keys.keystream(iv).apply(&mut body[header..]);
    let mac = *keys.mac(&body).as_bytes();
    body.extend(mac);
    body
}

/// The text with this body, padded, in lines of 76 characters.
pub(crate) fn armour(body: &[u8]) -> String {
    let mut text = String::from("-----BEGIN MEGOLM SESSION DATA-----\n");
    let mut characters = base64::encode_to_string(body);
    while !characters.len().is_multiple_of(4) {
        characters.push('=');
    }
    for line in characters.as_bytes().chunks(76) {
        text.push_str(core::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text.push_str("-----END MEGOLM SESSION DATA-----\n");
    text
}

pub(crate) fn file(plaintext: &[u8]) -> String {
    armour(&body(plaintext))
}

/// The keys of a file that [`file`] made.
pub(crate) fn export_keys() -> ExportKeys {
    KeyExport::from_slice(file(b"[]").as_bytes()).unwrap().derive(PASSPHRASE, MAX_ROUNDS).unwrap().finish()
}

/// A source that gives at most so many bytes at a time, fails at a position, and becomes another once it was read.
pub(crate) struct Source {
    pub(crate) bytes: Vec<u8>,
    pub(crate) position: usize,
    pub(crate) at_most: usize,
    pub(crate) fails_at: Option<usize>,
    /// What it is from the time that it was moved in so many times.
    pub(crate) becomes: Option<(usize, Vec<u8>)>,
    pub(crate) seeks: usize,
}

impl Source {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            position: 0,
            at_most: usize::MAX,
            fails_at: None,
            becomes: None,
            seeks: 0,
        }
    }
}

impl ErrorType for Source {
    type Error = ErrorKind;
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.fails_at.is_some_and(|at| self.position >= at) {
            return Err(ErrorKind::TimedOut);
        }
        let rest = &self.bytes[self.position.min(self.bytes.len())..];
        let until_failure = self.fails_at.map_or(usize::MAX, |at| at - self.position);
        let now = rest.len().min(buffer.len()).min(self.at_most).min(until_failure);
        buffer[..now].copy_from_slice(&rest[..now]);
        self.position += now;
        Ok(now)
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> Result<u64, ErrorKind> {
        match position {
            SeekFrom::Start(position) => {
                self.position = usize::try_from(position).unwrap();
                self.seeks += 1;
                if let Some((_, bytes)) = self.becomes.take_if(|(seeks, _)| *seeks == self.seeks) {
                    self.bytes = bytes;
                }
            }
            SeekFrom::Current(0) => {}
            _ => return Err(ErrorKind::Unsupported),
        }
        Ok(self.position as u64)
    }
}
