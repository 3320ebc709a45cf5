//! Files, descriptions and generators for the tests.
#![allow(dead_code, reason = "no test uses everything")]
#![expect(clippy::unwrap_used, reason = "tests")]

use core::convert::Infallible;

use mx_attachment::{AttachmentInfo, AttachmentKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng as _, TryCryptoRng, TryRng};

/// A generator that is the same in each run.
pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

/// A file with something in it.
pub(crate) fn file(len: usize) -> Vec<u8> {
    (0..len).map(|i| i.wrapping_mul(31).to_le_bytes()[0] ^ (i >> 8).to_le_bytes()[0]).collect()
}

/// A file encrypted, and its info.
pub(crate) fn encrypted(plaintext: &[u8]) -> (Vec<u8>, AttachmentInfo) {
    let mut ciphertext = plaintext.to_vec();
    let info = AttachmentKey::generate(&mut rng()).unwrap().encrypt_in_place(&mut ciphertext);
    (ciphertext, info)
}

/// Gives these bytes, one after the other.
pub(crate) struct Given(pub(crate) Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let given: Vec<u8> = self.0.drain(..out.len()).collect();
        out.copy_from_slice(&given);
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// A stream decrypted in pieces: all that came out, if it was verified.
pub(crate) fn decrypt_stream(info: &AttachmentInfo, file: &[u8], piece: usize) -> Option<Vec<u8>> {
    let mut file = file.to_vec();
    let mut decryptor = info.decryptor();
    let mut plaintext = Vec::new();
    for piece in file.chunks_mut(piece) {
        plaintext.extend_from_slice(decryptor.update(piece).expose_unverified());
    }
    decryptor.finish().ok().map(|_| plaintext)
}
