use zeroize::Zeroizing;

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
    let mut message = [0; HASH + SHORT_INFO + 1];
    let end = HASH + info.len();
    let Some(place) = message.get_mut(HASH..end).filter(|_| info.len() <= SHORT_INFO) else {
        return expand_long(key, info, output);
    };
    place.copy_from_slice(info);
    for (i, part) in (1..=u8::MAX).zip(output.chunks_mut(HASH)) {
        if let Some(counter) = message.get_mut(end) {
            *counter = i;
        }
        let start = if i == 1 { HASH } else { 0 };
        let block = key.mac(message.get(start..=end).unwrap_or_default());
        part.copy_from_slice(block.get(..part.len()).unwrap_or_default());
        if let Some(previous) = message.first_chunk_mut() {
            *previous = block;
        }
    }
    wipe(&mut message);
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
/// The longest `info` for which `T(i-1) ‖ info ‖ i` is put together in one place; it is one block of SHA-256 then.
const SHORT_INFO: usize = 22;
