use alloc::vec::Vec;

use mx_curve25519::Curve25519SecretKey;
use zeroize::Zeroizing;

/// A plaintext that is being written. It is wiped wherever it lay.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn new(version: u32) -> Self {
        let mut writer = Self(Zeroizing::new(Vec::with_capacity(FIRST_CAPACITY)));
        writer.u32(version);
        writer
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// How many items follow.
    pub(crate) fn count(&mut self, items: usize) {
        self.u32(u32::try_from(items).unwrap_or(u32::MAX));
    }

    pub(crate) fn curve25519_pair(&mut self, key: &Curve25519SecretKey) {
        self.bytes(key.public_key().as_bytes());
        self.bytes(key.secret_bytes());
    }

    /// The plaintext, with room for `additional` bytes.
    pub(crate) fn finish(mut self, additional: usize) -> Zeroizing<Vec<u8>> {
        self.reserve(additional);
        self.0
    }

    /// Moves to a larger allocation and wipes the old one, which growing by itself would not do.
    fn reserve(&mut self, additional: usize) {
        let needed = self.0.len() + additional;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }
}

/// Enough for a session that has not skipped much, and for group sessions.
const FIRST_CAPACITY: usize = 512;
