//! AES-256-CTR with less code, for whoever builds with `--cfg aes_backend_soft="compact"`: one block after the other, and a
//! counter that is counted byte by byte. Tests compare with the `ctr` crate.

use cbc::cipher::BlockCipherEncrypt;

use crate::{block::Aes256Enc, wipe::wipe};

/// The keystream of a key and a first counter block, with the methods that those of the `ctr` crate have.
pub(crate) struct OneBlockCtr<'k> {
    aes: &'k Aes256Enc,
    /// The counter block of the start; all of it counts.
    start: [u8; BLOCK],
    /// In bytes from the start.
    position: u64,
    /// The keystream's block around the position. Of no use at its beginning.
    block: [u8; BLOCK],
}

impl<'k> OneBlockCtr<'k> {
    pub(crate) const fn new(aes: &'k Aes256Enc, start: &[u8; BLOCK]) -> Self {
        Self { aes, start: *start, position: 0, block: [0; BLOCK] }
    }

    pub(crate) fn apply_keystream(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let [low, ..] = self.position.to_le_bytes();
            if low % 16 == 0 {
                self.fill();
            }
            *byte ^= self.block.get(usize::from(low % 16)).copied().unwrap_or_default();
            self.position = self.position.wrapping_add(1);
        }
    }

    pub(crate) fn seek(&mut self, position: u64) {
        self.position = position;
        self.fill();
    }

    fn fill(&mut self) {
        self.block = self.start;
        let mut carry = self.position / 16;
        for byte in self.block.iter_mut().rev() {
            carry += u64::from(*byte);
            [*byte, ..] = carry.to_le_bytes();
            carry >>= 8;
        }
        self.aes.encrypt_block((&mut self.block).into());
    }
}

impl Drop for OneBlockCtr<'_> {
    fn drop(&mut self) {
        wipe(&mut self.block);
    }
}

/// Bytes of a block of AES.
const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use cbc::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherSeek};

    use super::*;

    #[test]
    fn it_is_the_keystream_of_the_ctr_crate() {
        let aes = Aes256Enc::new(&[7; 32].into());
        for start in [[0; 16], [0xff; 16], [0x80; 16], *b"\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xfe"] {
            let mut expected = [0; 200];
            let core = ctr::CtrCore::inner_iv_init(&aes, &start.into());
            let mut theirs = ctr::Ctr128BE::<&Aes256Enc>::from_core(core);
            theirs.apply_keystream(&mut expected);
            for cut in 0..expected.len() {
                let (mut whole, mut sought) = ([0; 200], [0; 200]);
                let mut ours = OneBlockCtr::new(&aes, &start);
                let (first, rest) = whole.split_at_mut(cut);
                ours.apply_keystream(first);
                ours.apply_keystream(rest);
                assert_eq!(whole, expected, "{cut}");
                ours.seek(cut as u64);
                ours.apply_keystream(&mut sought[cut..]);
                assert_eq!(sought[cut..], expected[cut..], "{cut}");
            }
            let (mut ours, mut far) = (OneBlockCtr::new(&aes, &start), [[0; 50]; 2]);
            for position in [0x1234_5678_9abc, u64::MAX - 1000] {
                ours.seek(position);
                ours.apply_keystream(&mut far[0]);
                theirs.seek(position);
                far[1] = [0; 50];
                theirs.apply_keystream(&mut far[1]);
                assert_eq!(far[0], far[1]);
                far[0] = [0; 50];
            }
        }
    }
}
