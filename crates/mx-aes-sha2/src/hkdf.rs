use zeroize::Zeroizing;

use crate::{hmac::HmacKey, sha256::BLOCK, wipe::wipe};

/// `N` bytes of HKDF-SHA-256 (RFC 5869): `T(1) ‖ T(2) ‖ …`.
///
/// An empty `salt` stands for zeros, as the RFC has it and as Olm and Megolm use it; an all-zero salt of 32 bytes
/// gives the same. `N` beyond 255 × 32, which HKDF cannot give, does not compile:
///
/// ```
/// # use mx_aes_sha2::hkdf_sha256;
/// let keys = hkdf_sha256::<80>(&[], b"input key material", b"MEGOLM_KEYS");
/// # let _ = keys;
/// ```
/// ```compile_fail
/// # use mx_aes_sha2::hkdf_sha256;
/// let keys = hkdf_sha256::<8161>(&[], b"input key material", b"MEGOLM_KEYS");
/// ```
#[must_use]
pub fn hkdf_sha256<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * HASH, "HKDF-SHA-256 gives at most 255 * 32 bytes") };
    let mut output = Zeroizing::new([0; N]);
    hkdf_sha256_to(salt, ikm, info, output.as_mut_slice());
    output
}

/// [`hkdf_sha256`] to a slice of at most 255 * 32 bytes, which the caller wipes.
pub(crate) fn hkdf_sha256_to(salt: &[u8], ikm: &[u8], info: &[u8], output: &mut [u8]) {
    expand(&extract(salt, ikm), info, output);
}

/// `PRK = HMAC(salt, IKM)`, as a key.
fn extract(salt: &[u8], ikm: &[u8]) -> HmacKey {
    let salt = if salt.is_empty() { HmacKey::ZERO } else { HmacKey::new(salt) };
    let mut pseudorandom_key = salt.mac(ikm);
    let key = HmacKey::new(&pseudorandom_key);
    wipe(&mut pseudorandom_key);
    key
}

/// `T(i) = HMAC(PRK, T(i-1) ‖ info ‖ i)`.
fn expand(key: &HmacKey, info: &[u8], output: &mut [u8]) {
    let (Some(mut first), Some(mut next)) = (OneBlock::new(0, info), OneBlock::new(HASH, info)) else {
        return expand_long(key, info, output);
    };
    let mut previous = [0; HASH];
    for (i, part) in (1..=u8::MAX).zip(output.chunks_mut(HASH)) {
        let message = if i == 1 { &mut first } else { &mut next };
        previous = message.mac(key, &previous, i);
        part.copy_from_slice(previous.get(..part.len()).unwrap_or_default());
    }
    wipe(&mut next.block);
    wipe(&mut previous);
}

/// `T(i-1) ‖ info ‖ i` with SHA-256's padding behind it, where all of that is one block: only `T(i-1)` and `i` change.
struct OneBlock {
    block: [u8; BLOCK],
    /// Where `i` stands.
    counter: usize,
}

impl OneBlock {
    /// Leaves `offset` bytes for `T(i-1)`. `None` if `info` does not fit.
    fn new(offset: usize, info: &[u8]) -> Option<Self> {
        let mut block = [0; BLOCK];
        let counter = offset + info.len();
        let (message, length) = block.split_last_chunk_mut::<8>()?;
        message.get_mut(offset..counter)?.copy_from_slice(info);
        *message.get_mut(counter + 1)? = 0x80;
        // In bits, with the block of the key before.
        *length = (8 * (BLOCK + counter + 1) as u64).to_be_bytes();
        Some(Self { block, counter })
    }

    fn mac(&mut self, key: &HmacKey, previous: &[u8; HASH], i: u8) -> [u8; HASH] {
        if self.counter >= HASH
            && let Some(start) = self.block.first_chunk_mut()
        {
            *start = *previous;
        }
        if let Some(counter) = self.block.get_mut(self.counter) {
            *counter = i;
        }
        key.mac_block(&self.block)
    }
}

/// The same for an `info` that does not fit: the name of a secret may have any length.
fn expand_long(key: &HmacKey, info: &[u8], output: &mut [u8]) {
    let mut previous: &[u8] = &[];
    for (i, part) in (1..=u8::MAX).zip(output.chunks_mut(HASH)) {
        let mut mac = key.start();
        mac.update(previous);
        mac.update(info);
        mac.update(&[i]);
        part.copy_from_slice(mac.finish().get(..part.len()).unwrap_or_default());
        previous = part;
    }
}

/// Bytes of a SHA-256 hash.
const HASH: usize = 32;
