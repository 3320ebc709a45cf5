//! Both sides of a flow: what each verifies, and what neither does.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_qr_code::{
    Displayed, Displaying, InvalidSecret, OwnMasterSigningKey, QrCode, ReciprocateSecret, ScanError, Scanner,
    VerifiedKey, WrongSecret,
};
use mx_types::base64::{self, DecodeError};
use support::{keys, rng, rng_of};

const FLOW: &str = "$request:example.org";

/// A code of each mode, what its scanner knows, and what the displaying and the scanning side verify.
fn flows() -> [(Displaying, Scanner, VerifiedKey, VerifiedKey); 3] {
    let [a, b, c, _] = keys();
    [
        (
            Displaying::ToOtherUser { own_master: a, their_master: b },
            Scanner::OtherUser { own_master: OwnMasterSigningKey::Trusted(b), their_master: a },
            VerifiedKey::MasterSigningKey(b),
            VerifiedKey::MasterSigningKey(a),
        ),
        (
            Displaying::Trusting { own_master: a, their_device: b },
            Scanner::OwnUser {
                own_master: OwnMasterSigningKey::NotTrusted(a),
                own_device: b,
                their_device: c,
            },
            VerifiedKey::DeviceKey(b),
            VerifiedKey::MasterSigningKey(a),
        ),
        (
            Displaying::NotTrusting { own_device: c, own_master: a },
            Scanner::OwnUser { own_master: OwnMasterSigningKey::Trusted(a), own_device: b, their_device: c },
            VerifiedKey::MasterSigningKey(a),
            VerifiedKey::DeviceKey(c),
        ),
    ]
}

fn emit(displayed: &Displayed<&str>) -> Vec<u8> {
    let mut out = [0; Displayed::MAX_LEN];
    displayed.emit(&mut out).unwrap().to_vec()
}

// QR-11, QR-22, QR-23, QR-24, QR-31, QR-35
#[test]
fn each_side_verifies_the_others_key() {
    for (displaying, scanner, at_displaying, at_scanning) in flows() {
        let displayed = Displayed::new(&mut rng(), FLOW, displaying).unwrap();
        let scanned = QrCode::parse(&emit(&displayed)).unwrap().check(FLOW, &scanner).unwrap();
        let mut start = [0; ReciprocateSecret::MAX_BASE64_LEN];
        let start = scanned.secret().to_base64(&mut start);
        assert_eq!(start.len(), 22);
        let waiting = displayed.receive_start(&ReciprocateSecret::from_base64(start).unwrap()).unwrap();
        assert_eq!(waiting.confirm(), at_displaying);
        assert_eq!(scanned.receive_done(), at_scanning);
    }
}

// QR-20, QR-21
#[test]
fn a_code_of_another_flow_or_for_others() {
    for (code, (displaying, ..)) in flows().into_iter().enumerate() {
        let code_bytes = emit(&Displayed::new(&mut rng(), FLOW, displaying).unwrap());
        let check = |flow, scanner: &Scanner| {
            QrCode::parse(&code_bytes).unwrap().check(flow, scanner).map(drop).unwrap_err()
        };
        for (scanner_of, (_, scanner, ..)) in flows().into_iter().enumerate() {
            for other in ["", "$request:example.or", "$request:example.org2", "$Request:example.org"] {
                assert_eq!(check(other, &scanner), ScanError::OtherFlow);
            }
            if (code == 0) != (scanner_of == 0) {
                assert_eq!(check(FLOW, &scanner), ScanError::WrongMode);
            }
        }
    }
}

// QR-25, QR-26
#[test]
fn attack_114_every_bit_of_both_keys_counts() {
    for (displaying, scanner, ..) in flows() {
        let code = emit(&Displayed::new(&mut rng(), FLOW, displaying).unwrap());
        let keys_at = 10 + FLOW.len();
        for bit in 0..8 * 64 {
            let mut flipped = code.clone();
            flipped[keys_at + bit / 8] ^= 1 << (bit % 8);
            let error = QrCode::parse(&flipped).unwrap().check(FLOW, &scanner).map(drop).unwrap_err();
            assert_eq!(error, ScanError::KeyMismatch, "bit {bit}");
            assert_eq!(error.cancel_code(), Some("m.key_mismatch"));
        }
        // The two keys in each other's place.
        let mut swapped = code.clone();
        swapped[keys_at..keys_at + 64].rotate_left(32);
        let error = QrCode::parse(&swapped).unwrap().check(FLOW, &scanner).map(drop).unwrap_err();
        assert_eq!(error, ScanError::KeyMismatch);
    }
}

// QR-22, QR-24
#[test]
fn who_does_not_trust_its_own_user_verifies_nobody_by_it() {
    let [a, b, c, _] = keys();
    let untrusted = |key| OwnMasterSigningKey::NotTrusted(key);
    let [to_other, _, not_trusting] = flows().map(|(displaying, ..)| displaying);
    let check = |displaying, scanner: Scanner| {
        let code = emit(&Displayed::new(&mut rng(), FLOW, displaying).unwrap());
        QrCode::parse(&code).unwrap().check(FLOW, &scanner).map(drop).unwrap_err()
    };
    let error = check(to_other, Scanner::OtherUser { own_master: untrusted(b), their_master: a });
    assert_eq!((error, error.cancel_code()), (ScanError::OwnMasterNotTrusted, None));
    let scanner = |own_master| Scanner::OwnUser { own_master, own_device: b, their_device: c };
    let error = check(not_trusting, scanner(untrusted(a)));
    assert_eq!((error, error.cancel_code()), (ScanError::OwnMasterNotTrusted, None));
    // A wrong key is a wrong key, trusted or not.
    assert_eq!(check(not_trusting, scanner(untrusted(b))), ScanError::KeyMismatch);
}

// QR-13, QR-31
#[test]
fn attack_115_no_other_secret_is_taken() {
    let displaying = flows()[0].0;
    let displayed = |seed| Displayed::new(&mut rng_of(seed), FLOW, displaying).unwrap();
    let right = displayed(1).secret().as_bytes().to_vec();
    for bit in 0..8 * right.len() {
        let mut wrong = right.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let wrong = ReciprocateSecret::from_bytes(&wrong).unwrap();
        assert_eq!(displayed(1).receive_start(&wrong), Err(WrongSecret), "bit {bit}");
    }
    // Of an earlier flow, cut, and with more behind it: zeros, too.
    assert_eq!(displayed(2).receive_start(displayed(1).secret()), Err(WrongSecret));
    for len in 8..16 {
        let cut = ReciprocateSecret::from_bytes(&right[..len]).unwrap();
        assert_eq!(displayed(1).receive_start(&cut), Err(WrongSecret));
    }
    for len in 17..=64 {
        let mut longer = right.clone();
        longer.resize(len, 0);
        let longer = ReciprocateSecret::from_bytes(&longer).unwrap();
        assert_eq!(displayed(1).receive_start(&longer), Err(WrongSecret));
    }
    // Zeros differ in their number.
    let zeros = |len: usize| ReciprocateSecret::from_bytes(&vec![0; len]).unwrap();
    assert_eq!(zeros(8).verify(&zeros(9)), Err(WrongSecret));
    assert_eq!(zeros(8).verify(&zeros(8)), Ok(()));
    // None is too short for one.
    for len in 0..8 {
        let error = InvalidSecret::TooShort { len };
        let text = base64::encode_to_string(&vec![0; len]);
        assert_eq!(ReciprocateSecret::from_base64(&text).map(drop).unwrap_err(), error);
        assert_eq!(ReciprocateSecret::from_bytes(&vec![0; len]).map(drop).unwrap_err(), error);
    }
    assert_eq!(WrongSecret::CANCEL_CODE, "m.key_mismatch");
}

#[test]
fn the_secret_of_a_start() {
    let read = |text: &str| ReciprocateSecret::from_base64(text).map(|secret| secret.as_bytes().to_vec());
    assert_eq!(read("AAECAwQFBgcI").unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(read("AAECAwQFBgc=").unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    for text in ["AAECAwQF Bgc", "AAECAwQFBgc-", "AAECAwQFBgcIC"] {
        assert!(matches!(read(text), Err(InvalidSecret::Base64(_))), "{text}");
    }
    assert_eq!(read("AAECAwQFBgc=="), Err(InvalidSecret::Base64(DecodeError::InvalidPadding)));
    for len in [65, 66, 3_000] {
        assert_eq!(read(&base64::encode_to_string(&vec![7; len])), Err(InvalidSecret::TooLong { len }));
    }
    assert_eq!(read(&base64::encode_to_string(&[7; 64])).unwrap(), [7; 64]);
}

// QR-32, QR-34: the types have no other way to a verified key than the user's word, and the other side's `done`.
#[test]
fn attack_116_nothing_is_verified_before_it_is_confirmed() {
    let (displaying, scanner, ..) = flows()[1];
    let displayed = Displayed::new(&mut rng(), FLOW, displaying).unwrap();
    let scanned = QrCode::parse(&emit(&displayed)).unwrap().check(FLOW, &scanner).unwrap();
    let waiting = displayed.receive_start(scanned.secret()).unwrap();
    // What is dropped here was never verified: only `confirm` and `receive_done` consume the states and give a key.
    assert!(format!("{waiting:?}").starts_with("WaitingForUser"));
    assert_eq!(waiting.confirm(), VerifiedKey::DeviceKey(keys()[1]));
    assert_eq!(scanned.receive_done(), VerifiedKey::MasterSigningKey(keys()[0]));
}
