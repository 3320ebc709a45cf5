//! Identities that change: the tables of states and events, and what must survive.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_cross_signing::{
    CannotSign, Event, Identity, IdentityError, KeyUnusable, MAX_DISCARDED_KEYS, MAX_REPLACED_KEYS,
    OwnIdentity, OwnState, TrustLevel, Usage, UserIdentity, UserState, Verification, sign_pending,
    verify_user,
};
use mx_pickle::{Generation, PickleKey};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use support::*;

use UserState::{PinViolation, Pinned, VerificationViolation, Verified};

/// Bob's identity, signed by Alice's user-signing key.
fn signed(prefix: &str) -> Answer {
    bob(prefix).verified(BOB, ALICE, "a-u")
}

/// A phone that sees Bob in a state.
fn in_state(state: Option<UserState>) -> Phone {
    let mut phone = Phone::verified();
    match state {
        None => {}
        Some(Pinned) => drop(phone.receive(&bob("b"))),
        Some(PinViolation) => {
            phone.receive(&bob("b"));
            phone.receive(&bob("c"));
        }
        Some(Verified) => drop(phone.receive(&signed("b"))),
        Some(_) => {
            phone.receive(&signed("b"));
            phone.receive(&bob("c"));
        }
    }
    assert_eq!(phone.state(BOB), state);
    phone
}

/// Bob's state after a restart, which must be the same.
fn state(phone: &mut Phone) -> Option<UserState> {
    let state = phone.state(BOB);
    phone.restart();
    assert_eq!(phone.state(BOB), state);
    state
}

impl Phone {
    /// Everything is stored and read again.
    fn restart(&mut self) {
        let (key, mut rng) = (PickleKey::new(&[1; 32]), ChaCha20Rng::from_seed([2; 32]));
        let pickle = self.own.pickle_to_vec(&mut rng, &key).unwrap();
        self.own = OwnIdentity::from_pickle(&key, self.own.generation(), &pickle).unwrap();
        for mut user in self.store.users().cloned().collect::<Vec<_>>() {
            let pickle = user.pickle_to_vec(&mut rng, &key).unwrap();
            self.store.insert_user(UserIdentity::from_pickle(&key, Generation::from(1), &pickle).unwrap());
        }
    }
}

fn verify_bob(phone: &mut Phone) -> Verification {
    let (keys, own) = (phone.keys(), phone.own.clone());
    let user = phone.user_mut(BOB);
    let msk = user.identity().master_signing_key().clone();
    verify_user(&own, &keys, user, &msk, ["LAPTOP"]).unwrap()
}

// IDC-1, IDC-3, IDC-4, IDC-5, IDC-6, IDC-7, IDC-10, IDC-11
#[test]
fn the_table_of_another_users_states() {
    type Act = fn(&mut Phone);
    let events: [(&str, Act); 10] = [
        ("changed", |phone| drop(phone.receive(&bob("d")))),
        ("changed and signed", |phone| drop(phone.receive(&signed("d")))),
        ("verified", |phone| assert!(matches!(verify_bob(phone), Verification::Signed(_)))),
        ("pin", |phone| phone.user_mut(BOB).pin()),
        ("withdraw", |phone| {
            let own = phone.own.clone();
            phone.user_mut(BOB).withdraw(&own);
        }),
        ("own changes", |phone| drop(phone.receive(&Answer::new().identity(ALICE, "x")))),
        ("own changes and comes back", |phone| {
            phone.receive(&Answer::new().identity(ALICE, "x"));
            phone.receive(&alice());
        }),
        ("signed meanwhile", |phone| {
            phone.receive(&Answer::new().identity(ALICE, "x"));
            let current = if phone.user(BOB).unwrap().identity().has_key(public("b-m")) { "b" } else { "c" };
            phone.receive(&bob(current));
            phone.receive(&alice());
            phone.receive(&signed(current));
        }),
        ("self-signing key changed", |phone| {
            let current = if phone.user(BOB).unwrap().identity().has_key(public("b-m")) { "b" } else { "c" };
            phone.receive(&bob(current).ssk(BOB, "new-s", &format!("{current}-m")));
        }),
        ("missing", |phone| {
            phone.receive(&Answer::new().raw_device(BOB, "LAPTOP", device_keys(BOB, "LAPTOP", "LAPTOP")));
        }),
    ];
    let table = [
        (None, [Some(Pinned), Some(Verified), None, None, None, None, None, None, None, None]),
        (
            Some(Pinned),
            [PinViolation, Verified, Verified, Pinned, Pinned, Pinned, Pinned, Verified, Pinned, Pinned]
                .map(Some),
        ),
        (
            Some(PinViolation),
            [
                PinViolation,
                Verified,
                Verified,
                Pinned,
                Pinned,
                PinViolation,
                PinViolation,
                Verified,
                PinViolation,
                PinViolation,
            ]
            .map(Some),
        ),
        (
            Some(Verified),
            [
                VerificationViolation,
                Verified,
                Verified,
                Verified,
                Verified,
                VerificationViolation,
                Verified,
                Verified,
                Verified,
                Verified,
            ]
            .map(Some),
        ),
        (
            Some(VerificationViolation),
            [
                VerificationViolation,
                Verified,
                Verified,
                VerificationViolation,
                Pinned,
                VerificationViolation,
                VerificationViolation,
                Verified,
                VerificationViolation,
                VerificationViolation,
            ]
            .map(Some),
        ),
    ];
    for (before, after) in table {
        for ((name, act), after) in events.iter().zip(after) {
            // Nothing can be done about a user of whom nothing was seen.
            if before.is_some() || after.is_some() {
                let mut phone = in_state(before);
                act(&mut phone);
                assert_eq!(state(&mut phone), after, "{before:?}, {name}");
                let latched = matches!(after, Some(Verified | VerificationViolation));
                assert_eq!(phone.user(BOB).unwrap().previously_verified(), latched, "{before:?}, {name}");
            }
        }
    }
}

// IDC-2, IDC-6, IDC-7, IDC-15
#[test]
fn what_a_pin_is_and_what_it_is_not() {
    // Back at the pin there is no violation, whatever was in between; the latch does not care.
    let mut phone = in_state(Some(PinViolation));
    phone.receive(&bob("b"));
    assert_eq!(state(&mut phone), Some(Pinned));
    assert_eq!(phone.user(BOB).unwrap().pinned(), public("b-m"));
    let mut phone = in_state(Some(VerificationViolation));
    phone.user_mut(BOB).pin();
    assert_eq!(phone.user(BOB).unwrap().pinned(), public("c-m"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));

    // Withdrawing from a user who is verified would turn the next change into a mere pin violation.
    let mut phone = in_state(Some(Verified));
    let own = phone.own.clone();
    assert!(!phone.user_mut(BOB).withdraw(&own));
    phone.receive(&bob("c"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));
    let own = phone.own.clone();
    assert!(phone.user_mut(BOB).withdraw(&own));
    assert!(!phone.user_mut(BOB).withdraw(&own));
    assert_eq!(state(&mut phone), Some(Pinned));
    phone.receive(&bob("d"));
    assert_eq!(state(&mut phone), Some(PinViolation));
}

// IDC-8, IDC-19
#[test]
fn each_change_is_reported_once() {
    let mut phone = Phone::verified();
    let (b, c, d) = (public("b-m"), public("c-m"), public("d-m"));
    let user_id = || BOB.to_owned();
    for (answer, events) in [
        (bob("b"), vec![Event::IdentityNew { user_id: user_id(), state: Pinned }]),
        (bob("b"), vec![]),
        (signed("b"), vec![Event::StateChanged { user_id: user_id(), from: Pinned, to: Verified }]),
        (bob("b"), vec![]),
        (
            bob("c"),
            vec![Event::IdentityChanged { user_id: user_id(), from: b, to: c, state: VerificationViolation }],
        ),
        (bob("c"), vec![]),
        (signed("d"), vec![Event::IdentityChanged { user_id: user_id(), from: c, to: d, state: Verified }]),
        (
            bob("d").ssk(BOB, "new-s", "d-m"),
            vec![Event::KeyReplaced { user_id: user_id(), usage: Usage::SelfSigning }],
        ),
        (
            bob("d"),
            vec![Event::IdentityKept {
                user_id: user_id(),
                error: IdentityError::Replaced { usage: Usage::SelfSigning },
            }],
        ),
    ] {
        let update = phone.receive(&answer);
        assert_eq!(update.events, events);
        if events.is_empty() {
            assert!(update.users.is_empty() && !update.own_changed);
            let devices = update.devices.iter().flat_map(|user| &user.devices);
            assert!(
                devices.into_iter().all(|device| device.change == mx_cross_signing::DeviceChange::Unchanged)
            );
        }
    }
}

// IDC-9, IDC-10, TRU-1, TRU-2
#[test]
fn the_table_of_our_own_states() {
    let mut phone = Phone::new();
    assert_eq!(phone.own.state(), OwnState::NoIdentity);
    let update = phone.receive(&alice());
    assert_eq!(update.events, [Event::OwnIdentityNew { state: OwnState::NeverVerified }]);
    assert!(!phone.own.withdraw());

    // Never verified: a change is reported, and the state stays.
    let x = || Answer::new().identity(ALICE, "x");
    let update = phone.receive(&x());
    let (from, to) = (public("a-m"), public("x-m"));
    assert_eq!(update.events, [Event::OwnIdentityChanged { from, to, state: OwnState::NeverVerified }]);
    phone.receive(&alice());
    phone.verify_own();
    assert_eq!(phone.own.state(), OwnState::Verified);
    assert!(!phone.own.withdraw());

    // Verified: only the master signing key matters, and a missing identity is kept.
    phone.receive(&alice().ssk(ALICE, "new-s", "a-m").usk(ALICE, "new-u", "a-m"));
    assert_eq!(phone.own.state(), OwnState::Verified);
    phone.receive(&Answer::new().device(ALICE, "PHONE", None));
    assert_eq!(phone.own.state(), OwnState::Verified);
    let update = phone.receive(&x());
    let state = OwnState::VerificationViolation;
    assert_eq!(update.events, [Event::OwnIdentityChanged { from, to, state }]);
    phone.restart();
    assert_eq!(phone.own.state(), state);

    // It comes back by itself as long as no other one was verified. Each change is reported.
    let back = || alice().ssk(ALICE, "new-s", "a-m").usk(ALICE, "new-u", "a-m");
    let update = phone.receive(&back());
    assert_eq!(update.events[0], Event::OwnIdentityChanged { from: to, to: from, state: OwnState::Verified });
    assert!(update.refresh_all);
    phone.receive(&x());
    phone.verify_own();
    assert_eq!(phone.own.state(), OwnState::Verified);
    phone.receive(&back());
    assert_eq!(phone.own.state(), state);

    assert!(phone.own.withdraw());
    assert_eq!(phone.own.state(), OwnState::NeverVerified);
    assert_eq!(phone.own.verified_master_signing_key(), None);

    // Another key than the present one is not verified.
    let other = phone.user_key("x");
    assert!(phone.own.verify(&other).is_err());
    assert_eq!(phone.own.state(), OwnState::NeverVerified);
}

// IDC-4, IDC-17, TRU-8
#[test]
fn our_own_identity_comes_first_whatever_the_order() {
    // In one answer our own identity comes back and a user has our signature; the user's ID stands before ours.
    for friend in ["@aaron:example.org", "@zoe:example.org"] {
        let mut phone = Phone::verified();
        phone.receive(&Answer::new().identity(ALICE, "x"));
        phone.receive(&Answer::new().identity(friend, "f"));
        let mut answer = alice();
        answer.msks.extend(Answer::new().identity(friend, "f").verified(friend, ALICE, "a-u").msks);
        let answer = answer.ssk(friend, "f-s", "f-m").raw_device(friend, "D", serde_json::json!(null));
        let update = phone.receive(&answer);
        assert!(update.refresh_all);
        assert_eq!(phone.state(friend), Some(Verified));
        assert!(phone.user(friend).unwrap().previously_verified());
    }

    // Signatures that came before we were verified count once we are, with the latch.
    let mut phone = Phone::new();
    phone.receive(&alice());
    phone.receive(&signed("b"));
    assert_eq!(phone.state(BOB), Some(Pinned));
    assert!(!phone.user(BOB).unwrap().previously_verified());
    phone.verify_own();
    assert_eq!(phone.state(BOB), Some(Verified));
    phone.receive(&Answer::new().identity(ALICE, "x"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));
}

// XS-18, XS-20, IDC-13
#[test]
fn what_a_server_leaves_out_is_not_lost_and_what_it_makes_up_is_not_kept() {
    let mut phone = in_state(Some(Verified));
    let laptop = |phone: &Phone| phone.level(BOB, "LAPTOP").unwrap();
    assert_eq!(laptop(&phone), TrustLevel::Verified);
    // Without our signature, without that of the self-signing key, without any key, without the user.
    phone.receive(&bob("b"));
    phone.receive(&Answer::new().identity(BOB, "b").device(BOB, "LAPTOP", None));
    phone.receive(&Answer::new().device(BOB, "LAPTOP", None));
    phone.receive_text(r#"{"device_keys":{}}"#, &[user(BOB)]);
    let mut half = bob("c");
    half.ssks.clear();
    let update = phone.receive(&half);
    let error = IdentityError::Missing { usage: Usage::SelfSigning };
    assert_eq!(update.events, [Event::IdentityKept { user_id: BOB.to_owned(), error }]);
    assert_eq!((state(&mut phone), laptop(&phone)), (Some(Verified), TrustLevel::Verified));

    // Wrong signatures are reported, and take the place of no right one.
    let mut wrong = bob("b").device(BOB, "LAPTOP", None);
    wrong.msks[BOB] = sign(wrong.msks[BOB].take(), &key("mallory"), ALICE, &public("a-u").to_string());
    let object = device_keys(BOB, "LAPTOP", "LAPTOP");
    let object = sign(object, &key("mallory"), BOB, &public("b-s").to_string());
    let update = phone.receive(&wrong.raw_device(BOB, "LAPTOP", object));
    let invalid = |event: &&Event| matches!(event, Event::InvalidSignature { .. });
    assert_eq!(update.events.iter().filter(invalid).count(), 2, "{:?}", update.events);
    assert_eq!((state(&mut phone), laptop(&phone)), (Some(Verified), TrustLevel::Verified));

    // A changed device has no right to the old signature.
    let mut changed = device_keys(BOB, "LAPTOP", "LAPTOP");
    changed.as_object_mut().unwrap().remove("signatures");
    changed["algorithms"] = serde_json::json!(["m.olm.v1.curve25519-aes-sha2"]);
    let changed = sign(changed, &key("LAPTOP"), BOB, "LAPTOP");
    phone.receive(&bob("b").raw_device(BOB, "LAPTOP", changed));
    assert_eq!(laptop(&phone), TrustLevel::Unsigned);
}

// IDC-16, TRU-9, XS-12
#[test]
fn a_self_signing_key_that_was_replaced_does_not_come_back() {
    let with = |n: usize| {
        let name = format!("b-s{n}");
        Answer::new().identity(BOB, "b").ssk(BOB, &name, "b-m").device(BOB, "LAPTOP", Some(&name))
    };
    let ssk = |phone: &Phone| phone.user(BOB).unwrap().identity().public_key(Usage::SelfSigning).unwrap();
    let mut phone = Phone::verified();
    for n in 0..=MAX_REPLACED_KEYS {
        phone.receive(&with(n));
        assert_eq!(ssk(&phone), public(&format!("b-s{n}")));
    }
    for n in 0..MAX_REPLACED_KEYS {
        phone.restart();
        let update = phone.receive(&with(n));
        let error = IdentityError::Replaced { usage: Usage::SelfSigning };
        assert_eq!(update.events, [Event::IdentityKept { user_id: BOB.to_owned(), error }]);
        assert_eq!(ssk(&phone), public(&format!("b-s{MAX_REPLACED_KEYS}")));
    }
    // Not even by way of another identity, which anybody who runs the server can make up.
    for n in 0..20 {
        phone.receive(&bob(&format!("made-up-{n}")));
    }
    phone.receive(&with(MAX_REPLACED_KEYS - 1));
    assert!(!phone.user(BOB).unwrap().identity().has_key(public("b-m")));
    phone.receive(&with(MAX_REPLACED_KEYS));
    assert_eq!(phone.state(BOB), Some(Pinned));

    // The same for our own user-signing key.
    let mut phone = Phone::verified();
    phone.receive(&alice().usk(ALICE, "new-u", "a-m"));
    let update = phone.receive(&alice());
    let error = IdentityError::Replaced { usage: Usage::UserSigning };
    assert_eq!(update.events, [Event::IdentityKept { user_id: ALICE.to_owned(), error }]);
    phone.receive(&Answer::new().identity(ALICE, "x"));
    phone.receive(&alice());
    assert_eq!(phone.own.state(), OwnState::VerificationViolation);
}

// IDC-18, IDC-3
#[test]
fn an_old_signature_does_not_count_on_a_key_that_was_discarded() {
    // Bob is verified, loses his keys, makes new ones and is verified again.
    for how in 0..3 {
        let mut phone = in_state(Some(VerificationViolation));
        let own = phone.own.clone();
        match how {
            0 => assert!(matches!(verify_bob(&mut phone), Verification::Signed(_))),
            1 => assert!(phone.user_mut(BOB).withdraw(&own)),
            _ => drop(phone.receive(&signed("c"))),
        }
        let accepted = phone.state(BOB).unwrap();
        // Whoever has the old keys and the server puts them back, with our old signature.
        let update = phone.receive(&signed("b"));
        let changed = |event: &Event| matches!(event, Event::IdentityChanged { .. });
        assert!(update.events.iter().any(changed));
        let expected = if accepted == Verified { VerificationViolation } else { Pinned };
        if how == 1 {
            assert_eq!(state(&mut phone), Some(PinViolation));
        } else {
            assert_eq!(state(&mut phone), Some(expected));
        }
        assert!(phone.user(BOB).unwrap().is_discarded());
        assert_ne!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::Verified));

        // Pinning it does not give its signature back. A new verification does.
        let own = phone.own.clone();
        phone.user_mut(BOB).withdraw(&own);
        assert_eq!(state(&mut phone), Some(Pinned));
        drop(verify_bob(&mut phone));
        assert_eq!(state(&mut phone), Some(Verified));
    }

    // What comes back before the other one was accepted was never discarded.
    let mut phone = in_state(Some(VerificationViolation));
    phone.receive(&bob("b"));
    assert_eq!(state(&mut phone), Some(Verified));

    // The list has a bound; nobody but the user and our own signatures put anything on it.
    let mut phone = in_state(Some(Verified));
    for n in 0..=MAX_DISCARDED_KEYS {
        phone.receive(&signed(&format!("n{n}")));
        for m in 0..3 {
            phone.receive(&bob(&format!("made-up-{m}")));
        }
        phone.receive(&signed(&format!("n{n}")));
    }
    for n in 0..MAX_DISCARDED_KEYS {
        phone.receive(&signed(&format!("n{n}")));
        assert_eq!(state(&mut phone), Some(VerificationViolation), "{n}");
    }
}

// IDC-11, XS-40, XS-46
#[test]
fn what_was_verified_here_is_signed_when_that_becomes_possible() {
    // Our own identity is not verified: the state stays, and the verification is remembered.
    let mut phone = Phone::new();
    phone.receive(&alice());
    phone.receive(&bob("b"));
    assert_eq!(verify_bob(&mut phone), Verification::Pending(CannotSign::OwnIdentityNotVerified));
    assert_eq!(state(&mut phone), Some(Pinned));
    phone.verify_own();
    let (keys, own) = (phone.keys(), phone.own.clone());
    let upload = sign_pending(&own, &keys, phone.user_mut(BOB)).unwrap();
    assert!(upload.body().contains(&public("b-m").to_string()));
    assert_eq!(state(&mut phone), Some(Verified));
    assert!(sign_pending(&own, &keys, phone.user_mut(BOB)).is_none());

    // Our user-signing key is replaced: its signatures are void, and users count as violated.
    phone.receive(&alice().usk(ALICE, "new-u", "a-m"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));
    let own = phone.own.clone();
    assert!(sign_pending(&own, &keys, phone.user_mut(BOB)).is_none(), "the old key signs nothing");
    let keys = phone.keys_of("a-m", "a-s", "new-u");
    sign_pending(&own, &keys, phone.user_mut(BOB)).unwrap();
    assert_eq!(state(&mut phone), Some(Verified));

    // Verified by another device of ours: we do not sign by ourselves.
    let mut phone = in_state(Some(Verified));
    phone.receive(&alice().usk(ALICE, "new-u", "a-m"));
    let (keys, own) = (phone.keys_of("a-m", "a-s", "new-u"), phone.own.clone());
    assert!(sign_pending(&own, &keys, phone.user_mut(BOB)).is_none());

    // Not for a key that came after the verification, nor after another one was accepted.
    let mut phone = Phone::verified();
    phone.receive(&bob("b"));
    let (none, own) = (phone.no_keys(), phone.own.clone());
    let user = phone.user_mut(BOB);
    let msk = user.identity().master_signing_key().clone();
    let pending = verify_user(&own, &none, user, &msk, []).unwrap();
    assert_eq!(pending, Verification::Pending(CannotSign::Key(KeyUnusable::Missing)));
    phone.receive(&bob("c"));
    let keys = phone.keys();
    assert!(sign_pending(&own, &keys, phone.user_mut(BOB)).is_none());
    phone.user_mut(BOB).pin();
    phone.receive(&bob("b"));
    assert!(sign_pending(&own, &keys, phone.user_mut(BOB)).is_none());
}

// IDC-10
#[test]
fn attack_122_a_verified_user_who_changes_is_never_silently_someone_else() {
    let mut phone = in_state(Some(Verified));
    phone.receive(&bob("c"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));
    // Neither more changes, nor omissions, nor a restart end it.
    phone.receive(&bob("d"));
    phone.receive(&Answer::new().raw_device(BOB, "LAPTOP", device_keys(BOB, "LAPTOP", "LAPTOP")));
    phone.receive_text(r#"{"device_keys":{}}"#, &[user(BOB)]);
    assert_eq!(state(&mut phone), Some(VerificationViolation));
    assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::CrossSignedViolation));
    // Back at the old key, which was signed: as it was, but still latched.
    phone.receive(&bob("b"));
    assert_eq!(state(&mut phone), Some(Verified));
    phone.receive(&bob("d"));
    assert_eq!(state(&mut phone), Some(VerificationViolation));
}

// TRU-1, IDC-2, IDC-5, IDC-10
#[test]
fn what_another_program_remembers_is_compared_with_the_present_keys() {
    let answer = bob("b");
    let body = answer.body();
    let response = KeysQueryResponse::parse(&body).unwrap();
    let identity = Identity::verify(&mut SignatureMemory::default(), &response, user(BOB)).unwrap();
    for (pinned, state) in [("b-m", Pinned), ("c-m", PinViolation)] {
        let mut phone = Phone::verified();
        phone.store.insert_user(UserIdentity::with_pin(identity.clone(), public(pinned)));
        let update = phone.receive(&answer);
        assert!(update.users.is_empty() && update.events.is_empty(), "{:?}", update.events);
        assert_eq!(phone.state(BOB), Some(state));
        phone.user_mut(BOB).pin();
        assert_eq!(phone.state(BOB), Some(Pinned));
        assert!(!phone.user(BOB).unwrap().is_discarded());
    }
    for (verified, state) in [("a-m", OwnState::Verified), ("z-m", OwnState::VerificationViolation)] {
        let mut phone = Phone::new();
        phone.own = phone.own.with_verified(public(verified));
        assert_eq!(phone.own.state(), OwnState::NoIdentity);
        phone.receive(&alice());
        assert_eq!(phone.own.state(), state);
    }
}
