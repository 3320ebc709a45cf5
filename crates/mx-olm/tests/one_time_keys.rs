//! One-time and fallback keys: names, order, publishing, use.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use mx_olm::{Account, InboundSessionError, OneTimeKeys, Session, UsedKey};
use mx_types::base64::{TrailingBits, decode_array};
use support::{begin, rng, send};

// OTK-2: number and first bytes of the key, 12 characters; FBK-7: fallback keys take from the same numbers.
#[test]
fn names() {
    let mut random = rng(1);
    let mut keys = OneTimeKeys::<10, 10>::new();
    let one = keys.generate(&mut random).unwrap().key;
    let two = keys.generate_fallback(&mut random).unwrap().key;
    let three = keys.generate(&mut random).unwrap().key;
    for (number, key) in [(1, one), (2, two), (3, three)] {
        let name = decode_array::<9>(&key.id.to_string(), TrailingBits::Refused).unwrap();
        assert_eq!(name[..4], [0, 0, 0, number]);
        assert_eq!(name[4..], key.key.as_bytes()[..5]);
        assert_eq!(format!("{:?}", key.id), format!("OneTimeKeyId({})", key.id));
    }
}

// OTK-2, PIC-6: keys from libolm keep their names, and no new key gets one of them.
#[cfg(feature = "alloc")]
#[test]
fn names_of_imported_keys() {
    use mx_curve25519::Curve25519SecretKey;
    use mx_olm::hazmat::{OneTimeKeyState, account_from_state, account_state};

    let mut random = rng(2);
    let account: Account = Account::new(&mut random).unwrap();
    let mut state = account_state(&account);
    for number in 1..=3 {
        let key = Curve25519SecretKey::generate(&mut random).unwrap();
        state.one_time_keys.push(OneTimeKeyState { number, short_id: true, published: false, key });
    }
    state.last_number = 3;
    let mut account: Account = account_from_state(state).unwrap();
    let names = |account: &Account| {
        account.one_time_keys().unpublished().map(|key| key.id.to_string()).collect::<Vec<_>>()
    };
    let imported = names(&account);
    assert_eq!(imported, ["AAAAAQ", "AAAAAg", "AAAAAw"]);
    for _ in 0..20 {
        let _ = account.one_time_keys_mut().generate(&mut random).unwrap();
    }
    let after = names(&account);
    assert_eq!(after[..3], imported);
    assert!(after[3..].iter().all(|name| name.len() == 12));
    let key = mx_pickle::PickleKey::new(&[1; 32]);
    let mut out = vec![0; account.pickle_len()];
    let pickle = account.pickle(&mut random, &key, &mut out).unwrap();
    let restored: Account = Account::from_pickle(&key, mx_pickle::Generation::default(), pickle).unwrap();
    assert_eq!(names(&restored), after);
    assert_eq!(restored.ed25519_key(), account.ed25519_key());
    assert_eq!(restored.sign(b"message"), account.sign(b"message"));
}

// OTK-4, OTK-5, FBK-6
#[test]
fn what_is_offered_for_upload() {
    let mut random = rng(3);
    let mut keys = OneTimeKeys::<100, 10>::new();
    assert_eq!(keys.needed(0), 50);
    assert_eq!(keys.needed(49), 1);
    assert_eq!(keys.needed(50), 0);
    assert_eq!(keys.needed(1_000_000), 0);
    let first = keys.generate(&mut random).unwrap().key;
    let second = keys.generate(&mut random).unwrap().key;
    let fallback = keys.generate_fallback(&mut random).unwrap().key;
    // The same again until the server has confirmed them, and no more of them.
    for _ in 0..2 {
        assert_eq!(keys.unpublished().collect::<Vec<_>>(), [first, second]);
        assert_eq!(keys.unpublished_fallback(), Some(fallback));
        assert_eq!(keys.needed(0), 0);
    }
    keys.mark_as_published();
    assert_eq!(keys.unpublished().count(), 0);
    assert_eq!(keys.unpublished_fallback(), None);
    assert_eq!(keys.fallback(), Some(fallback));
    assert_eq!(keys.needed(2), 48);
    let other = keys.generate_fallback(&mut random).unwrap().key;
    assert_eq!(keys.unpublished_fallback(), Some(other));
    keys.mark_as_published();
    assert_eq!(keys.unpublished_fallback(), None);
    assert_eq!(keys.len(), 2);
    assert!(!keys.is_empty());
}

// OTK-5: what the server has is not offered again, when the list has moved to a larger place or was stored.
#[test]
fn published_stays_published() {
    let mut random = rng(6);
    let mut account: Account = Account::new(&mut random).unwrap();
    for _ in 0..3 {
        let _ = account.one_time_keys_mut().generate(&mut random).unwrap();
    }
    let _ = account.one_time_keys_mut().generate_fallback(&mut random).unwrap();
    account.one_time_keys_mut().mark_as_published();
    let mut fresh = Vec::new();
    for _ in 0..20 {
        fresh.push(account.one_time_keys_mut().generate(&mut random).unwrap().key);
    }
    let offered = |account: &Account| account.one_time_keys().unpublished().collect::<Vec<_>>();
    assert_eq!(offered(&account), fresh);

    let key = mx_pickle::PickleKey::new(&[1; 32]);
    let mut out = vec![0; account.pickle_len()];
    let pickle = account.pickle(&mut random, &key, &mut out).unwrap();
    let restored: Account = Account::from_pickle(&key, mx_pickle::Generation::default(), pickle).unwrap();
    assert_eq!(offered(&restored), fresh);
    assert_eq!(restored.one_time_keys().unpublished_fallback(), None);
}

// OTK-3: twice as many are kept as are advertised.
#[test]
fn capacity() {
    assert_eq!(OneTimeKeys::<100, 200>::ADVERTISED, 50);
    assert_eq!(OneTimeKeys::<8, 8>::ADVERTISED, 4);
    assert_eq!(OneTimeKeys::<1, 1>::ADVERTISED, 0);
}

// OTK-6, OTK-7: a one-time key serves once; of the fallback keys the current and the previous serve.
#[test]
fn keys_are_used_up_or_not() {
    let mut random = rng(4);
    let alice: Account = Account::new(&mut random).unwrap();
    let mut bob: Account = Account::new(&mut random).unwrap();
    let one_time = bob.one_time_keys_mut().generate(&mut random).unwrap().key;
    let fallback = bob.one_time_keys_mut().generate_fallback(&mut random).unwrap().key;
    let mut from = |bob: &mut Account, key: mx_olm::PublicOneTimeKey| {
        let mut session: Session =
            Session::outbound(&mut random, alice.identity(), &bob.curve25519_key(), &key.key).unwrap();
        let sent = send(&mut session, &mut random, b"message");
        let mut out = [0; 100];
        let claimed = alice.curve25519_key();
        let used =
            bob.inbound_session::<200>(&claimed, &sent.pre_key(), &mut out).map(|inbound| inbound.used)?;
        assert!(begin::<200>(bob, &alice, &sent).is_err(), "the same message once more");
        Ok::<_, InboundSessionError>(used)
    };
    assert_eq!(from(&mut bob, one_time), Ok(UsedKey::OneTime(one_time)));
    assert_eq!(from(&mut bob, one_time), Err(InboundSessionError::UnknownOneTimeKey));
    for _ in 0..3 {
        assert_eq!(from(&mut bob, fallback), Ok(UsedKey::Fallback(fallback)));
    }
    assert!(bob.one_time_keys().is_empty());
}

// ACC-1: two keys, and signatures with the one that signs.
#[test]
fn an_account_signs() {
    use mx_curve25519::{Signer, verify};

    let account: Account = Account::new(&mut rng(5)).unwrap();
    let signature = account.sign(b"message");
    assert_eq!(Signer::sign(&account, b"message"), signature);
    assert_eq!(verify(&account.ed25519_key(), b"message", &signature), Ok(()));
    assert_ne!(account.ed25519_key().as_bytes(), account.curve25519_key().as_bytes());
}
