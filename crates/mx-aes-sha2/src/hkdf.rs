use zeroize::Zeroizing;

#[cfg(not(sha2_backend_soft = "compact"))]
use crate::sha256::BLOCK;
use crate::{hmac::HmacKey, wipe::wipe};

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

/// [`hkdf_sha256`] with an `info` that is the concatenation of `parts`.
///
/// ```
/// # use mx_aes_sha2::{hkdf_sha256, hkdf_sha256_of_parts};
/// let whole = hkdf_sha256::<32>(&[], b"input key material", b"MATRIX|@alice:example.org");
/// assert_eq!(whole, hkdf_sha256_of_parts(&[], b"input key material", &[b"MATRIX|", b"@alice:example.org"]));
/// ```
#[must_use]
pub fn hkdf_sha256_of_parts<const N: usize>(salt: &[u8], ikm: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * HASH, "HKDF-SHA-256 gives at most 255 * 32 bytes") };
    let mut output = Zeroizing::new([0; N]);
    expand_long(&extract(salt, ikm), parts, output.as_mut_slice());
    output
}

/// [`hkdf_sha256`] to a slice of at most 255 * 32 bytes, which the caller wipes.
#[cfg(sha2_backend_soft = "compact")]
pub(crate) fn hkdf_sha256_to(salt: &[u8], ikm: &[u8], info: &[u8], output: &mut [u8]) {
    expand_long(&extract(salt, ikm), &[info], output);
}

/// [`hkdf_sha256`] to a slice of at most 255 * 32 bytes, which the caller wipes.
#[cfg(not(sha2_backend_soft = "compact"))]
pub(crate) fn hkdf_sha256_to(salt: &[u8], ikm: &[u8], info: &[u8], output: &mut [u8]) {
    // Laid out before the key is derived: a processor waits for bytes that were written just before they are hashed.
    match Layout::new(info) {
        Some(layout) => layout.expand(&extract(salt, ikm), output),
        None => expand_long(&extract(salt, ikm), &[info], output),
    }
}

/// `PRK = HMAC(salt, IKM)`, as a key.
fn extract(salt: &[u8], ikm: &[u8]) -> HmacKey {
    let salt = if salt.is_empty() { HmacKey::ZERO } else { HmacKey::new(salt) };
    let mut pseudorandom_key = salt.mac(ikm);
    let key = HmacKey::new(&pseudorandom_key);
    wipe(&mut pseudorandom_key);
    key
}

/// The blocks of SHA-256 behind that of the key, `info ‖ 1` and `T(i-1) ‖ info ‖ i` with their padding, where each is one.
#[cfg(not(sha2_backend_soft = "compact"))]
struct Layout {
    first: [u8; BLOCK],
    next: [u8; BLOCK],
    /// Where `i` stands in `next`.
    counter: usize,
}

#[cfg(not(sha2_backend_soft = "compact"))]
impl Layout {
    /// `None` if `info` does not fit.
    fn new(info: &[u8]) -> Option<Self> {
        let counter = HASH + info.len();
        Some(Self { first: block(0, info, 1)?, next: block(HASH, info, 2)?, counter })
    }

    /// `T(i) = HMAC(PRK, T(i-1) ‖ info ‖ i)`.
    fn expand(mut self, key: &HmacKey, output: &mut [u8]) {
        let mut parts = output.chunks_mut(HASH);
        let mut previous = key.mac_block(&self.first);
        let put = |part: &mut [u8], hash: &[u8; HASH]| {
            part.copy_from_slice(hash.get(..part.len()).unwrap_or_default())
        };
        if let Some(part) = parts.next() {
            put(part, &previous);
        }
        for part in parts {
            if let Some(start) = self.next.first_chunk_mut() {
                *start = previous;
            }
            previous = key.mac_block(&self.next);
            if let Some(i) = self.next.get_mut(self.counter) {
                *i = i.wrapping_add(1);
            }
            put(part, &previous);
        }
        wipe(&mut self.next);
        wipe(&mut previous);
    }
}

/// `info ‖ i` behind `offset` bytes, with its padding. `None` if that does not fit a block.
#[cfg(not(sha2_backend_soft = "compact"))]
fn block(offset: usize, info: &[u8], i: u8) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let counter = offset + info.len();
    let (message, length) = block.split_last_chunk_mut::<8>()?;
    message.get_mut(offset..counter)?.copy_from_slice(info);
    *message.get_mut(counter)? = i;
    *message.get_mut(counter + 1)? = 0x80;
    // In bits, with the block of the key before.
    *length = (8 * (BLOCK + counter + 1) as u64).to_be_bytes();
    Some(block)
}

/// The same for an `info` that does not fit or comes in parts: the name of a secret may have any length.
fn expand_long(key: &HmacKey, info: &[&[u8]], output: &mut [u8]) {
    let mut previous: &[u8] = &[];
    for (i, part) in (1..=u8::MAX).zip(output.chunks_mut(HASH)) {
        let mut mac = key.start();
        mac.update(previous);
        for part in info {
            mac.update(part);
        }
        mac.update(&[i]);
        part.copy_from_slice(mac.finish().get(..part.len()).unwrap_or_default());
        previous = part;
    }
}

/// Bytes of a SHA-256 hash.
const HASH: usize = 32;
