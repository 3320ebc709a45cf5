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
    expand(&extract(salt, ikm), info, output.as_mut_slice());
    output
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
    let mut previous: &[u8] = &[];
    let mut block = [0; HASH];
    for (counter, part) in (1..=u8::MAX).zip(output.chunks_mut(HASH)) {
        let mut mac = key.start();
        mac.update(previous);
        mac.update(info);
        mac.update(&[counter]);
        block = mac.finish();
        for (output, byte) in part.iter_mut().zip(&block) {
            *output = *byte;
        }
        previous = part;
    }
    wipe(&mut block);
}

/// Bytes of a SHA-256 hash.
const HASH: usize = 32;
