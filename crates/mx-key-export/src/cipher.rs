use core::str;

use mx_aes_sha2::ctr_hmac::{CtrHmacKeys, Keystream};

/// AES-256-CTR from the start of the ciphertext on, with the counter of 128 bits that everybody means.
///
/// Browsers once wrote files with a counter of 64 bits. With bit 63 of the IV cleared the two are the same; where it is
/// not, and the low half runs over within the file, the block after that shows which counter it was.
pub(crate) struct Cipher<'k> {
    keys: &'k CtrHmacKeys,
    keystream: Keystream<'k>,
    /// The keystream of a counter of 64 bits from `until_wrap` on.
    iv_after_wrap: [u8; 16],
    /// Bytes until the low half of the counter runs over; `None` once it has.
    until_wrap: Option<u128>,
}

impl<'k> Cipher<'k> {
    pub(crate) fn new(keys: &'k CtrHmacKeys, iv: &[u8; 16]) -> Self {
        let counter = u128::from_be_bytes(*iv);
        let blocks = (1_u128 << 64) - (counter & LOW_HALF);
        Self {
            keys,
            keystream: keys.keystream(iv),
            iv_after_wrap: (counter & !LOW_HALF).to_be_bytes(),
            until_wrap: Some(blocks * 16),
        }
    }

    /// Decrypts `bytes` in place and moves on by their length.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        let Some(until_wrap) = self.until_wrap else { return self.keystream.apply(bytes) };
        let before = usize::try_from(until_wrap).unwrap_or(usize::MAX).min(bytes.len());
        let (before, after) = bytes.split_at_mut(before);
        self.keystream.apply(before);
        if after.is_empty() {
            self.until_wrap = Some(until_wrap - before.len() as u128);
            return;
        }
        self.until_wrap = None;
        self.keystream.apply(after);
        if !is_text(after) {
            let narrow = self.change_counter(after);
            if is_text(after) {
                self.keystream = narrow;
            } else {
                // Neither is: back to what everybody means.
                self.change_counter(after);
            }
        }
    }

    /// Turns what one counter makes of the bytes behind the wrap into what the other makes of them.
    fn change_counter(&self, after_wrap: &mut [u8]) -> Keystream<'k> {
        let carried = u128::from_be_bytes(self.iv_after_wrap).wrapping_add(1 << 64);
        self.keys.keystream(&carried.to_be_bytes()).apply(after_wrap);
        let mut narrow = self.keys.keystream(&self.iv_after_wrap);
        narrow.apply(after_wrap);
        narrow
    }
}

/// Whether `bytes` can stand somewhere in JSON: UTF-8, cut anywhere, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    // The first character may have begun before.
    let begun = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let text = bytes.get(begun..).unwrap_or_default();
    let is_utf8 = str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_utf8 && !bytes.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

const LOW_HALF: u128 = u64::MAX as u128;
