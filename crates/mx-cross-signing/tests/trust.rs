//! Trust in devices: the truth table, the links, and what carries none.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_cross_signing::{
    Event, Gap, LinkKind, LocalTrust, NoAnswer, NotCrossSigned, OwnIdentity, OwnState, Reason, Step,
    TrustLevel, UserState, Verification, VerifyUserError, migration, receive, user_chain, verify_user,
};
use mx_curve25519::verify;
use mx_signing::{DeviceKeysError, DeviceRefused, KeysQueryResponse, QueryError};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use support::*;

/// Bob, signed by us or not, with a device signed by `ssk`.
fn bob_with(prefix: &str, verified: bool, ssk: Option<&str>) -> Answer {
    let answer = Answer::new().identity(BOB, prefix).device(BOB, "LAPTOP", ssk);
    if verified { answer.verified(BOB, ALICE, "a-u") } else { answer }
}

// TRU-4, TRU-5, TRU-6, TRU-11, TRU-12
#[test]
fn the_truth_table_for_devices_of_others() {
    use LocalTrust::{Blacklisted, Ignored, Unset, Verified};
    for cross_signed in [true, false] {
        for (name, verified, latch, pinned, signed) in [
            ("never seen", false, false, true, None),
            ("pinned", false, false, true, Some(TrustLevel::CrossSignedTofu)),
            ("pin violation", false, false, false, Some(TrustLevel::CrossSignedPinViolation)),
            ("violation", false, true, false, Some(TrustLevel::CrossSignedViolation)),
            ("violation, pinned", false, true, true, Some(TrustLevel::CrossSignedViolation)),
            ("verified", true, true, true, Some(TrustLevel::Verified)),
            ("verified, pin is stale", true, true, false, Some(TrustLevel::Verified)),
        ] {
            let mut phone = Phone::verified();
            let ssk = |prefix: &str| cross_signed.then(|| format!("{prefix}-s"));
            let answer = |prefix: &str, verified| bob_with(prefix, verified, ssk(prefix).as_deref());
            match name {
                "never seen" => {
                    drop(phone.receive(&Answer::new().device(BOB, "LAPTOP", ssk("b").as_deref())))
                }
                "pinned" => drop(phone.receive(&answer("b", false))),
                "verified" => drop(phone.receive(&answer("b", true))),
                _ => {
                    phone.receive(&answer("b", latch && !verified));
                    phone.receive(&answer("c", verified));
                }
            }
            if name == "violation, pinned" {
                phone.user_mut(BOB).pin();
            }
            if let Some(user) = phone.user(BOB) {
                assert_eq!(user.is_verified(&phone.own), verified, "{name}");
                assert_eq!(user.previously_verified(), latch, "{name}");
                assert_eq!(
                    user.pinned() == user.identity().master_signing_key().public_key(),
                    pinned,
                    "{name}"
                );
            }
            let level = signed.filter(|_| cross_signed).unwrap_or(TrustLevel::Unsigned);
            for (local, expected) in [
                (Unset, level),
                (Ignored, level),
                (Verified, TrustLevel::Verified),
                (Blacklisted, TrustLevel::Blacklisted),
            ] {
                phone.store.device_mut(user(BOB), device("LAPTOP")).unwrap().set_local_trust(local);
                assert_eq!(phone.level(BOB, "LAPTOP"), Some(expected), "{name}, {local:?}");
            }
        }
    }
    // The order of the levels is that of the requirement.
    use TrustLevel as T;
    assert!(T::Blacklisted < T::Unsigned && T::Unsigned < T::CrossSignedViolation);
    assert!(T::CrossSignedViolation < T::CrossSignedPinViolation);
    assert!(T::CrossSignedPinViolation < T::CrossSignedTofu && T::CrossSignedTofu < T::Verified);
}

// TRU-5, TRU-6, TRU-7
#[test]
fn the_truth_table_for_own_devices() {
    for (state, signed, expected) in [
        (OwnState::NoIdentity, true, TrustLevel::Unsigned),
        (OwnState::NeverVerified, true, TrustLevel::CrossSignedTofu),
        (OwnState::NeverVerified, false, TrustLevel::Unsigned),
        (OwnState::Verified, true, TrustLevel::Verified),
        (OwnState::Verified, false, TrustLevel::Unsigned),
        (OwnState::VerificationViolation, true, TrustLevel::CrossSignedViolation),
        (OwnState::VerificationViolation, false, TrustLevel::Unsigned),
    ] {
        let mut phone = Phone::new();
        let answer = |prefix: &str| {
            let ssk = format!("{prefix}-s");
            Answer::new()
                .identity(ALICE, prefix)
                .device(ALICE, "TABLET", signed.then_some(&ssk))
                .device(ALICE, "PHONE", None)
        };
        match state {
            OwnState::NoIdentity => drop(phone.receive(&Answer {
                msks: Default::default(),
                ssks: Default::default(),
                usks: Default::default(),
                ..answer("a")
            })),
            OwnState::NeverVerified => drop(phone.receive(&answer("a"))),
            _ => {
                phone.receive(&answer("a"));
                phone.verify_own();
                if state == OwnState::VerificationViolation {
                    phone.receive(&answer("x"));
                }
            }
        }
        assert_eq!(phone.own.state(), state);
        assert_eq!(phone.level(ALICE, "TABLET"), Some(expected), "{state:?}");
        // This very device needs nobody.
        assert_eq!(phone.level(ALICE, "PHONE"), Some(TrustLevel::Verified), "{state:?}");
        phone
            .store
            .device_mut(user(ALICE), device("PHONE"))
            .unwrap()
            .set_local_trust(LocalTrust::Blacklisted);
        assert_eq!(phone.level(ALICE, "PHONE"), Some(TrustLevel::Verified), "{state:?}");
        for (local, expected) in
            [(LocalTrust::Verified, TrustLevel::Verified), (LocalTrust::Blacklisted, TrustLevel::Blacklisted)]
        {
            phone.store.device_mut(user(ALICE), device("TABLET")).unwrap().set_local_trust(local);
            assert_eq!(phone.level(ALICE, "TABLET"), Some(expected), "{state:?}");
        }
    }
}

// TRU-4, TRU-10
#[test]
fn each_link_has_the_object_and_the_signature_that_carries_it() {
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", true, Some("b-s")));
    phone.with_trust(BOB, "LAPTOP", |trust| {
        assert_eq!((trust.level, trust.reason), (TrustLevel::Verified, Reason::Chain));
        assert_eq!((trust.user, trust.chain.gap()), (Some(UserState::Verified), None));
        let mut steps = trust.chain.steps();
        assert_eq!(steps.next(), Some(Step::OwnIdentityVerified(public("a-m"))));
        for (kind, signer, subject) in [
            (LinkKind::UserSigningKey, "a-m", "a-u"),
            (LinkKind::MasterSigningKey, "a-u", "b-m"),
            (LinkKind::SelfSigningKey, "b-m", "b-s"),
            (LinkKind::Device, "b-s", "LAPTOP"),
        ] {
            let Some(Step::Signed(link)) = steps.next() else { panic!("{kind:?}") };
            assert_eq!((link.kind, link.signer, link.subject), (kind, public(signer), public(subject)));
            verify(&link.signer, link.object.as_bytes(), &link.signature).unwrap();
            assert!(link.object.contains(&link.subject.to_string()));
        }
        assert_eq!(steps.next(), None);
    });
    assert_eq!(user_chain(&phone.own, &phone.user(BOB).unwrap()).gap(), None);
    phone.receive(&alice().device(ALICE, "TABLET", Some("a-s")));
    phone.with_trust(ALICE, "TABLET", |trust| {
        assert_eq!((trust.level, trust.reason, trust.user), (TrustLevel::Verified, Reason::Chain, None));
        assert_eq!(trust.chain.steps().count(), 3);
    });

    // What is missing is named, and the rest is there, too.
    let gap =
        |phone: &Phone| phone.with_trust(BOB, "LAPTOP", |trust| (trust.reason, trust.chain.gap())).unwrap();
    let mut phone = Phone::new();
    phone.receive(&Answer::new().device(BOB, "LAPTOP", None));
    assert_eq!(gap(&phone), (Reason::Missing(Gap::NoIdentity), Some(Gap::NoOwnIdentity)));
    phone.receive(&alice());
    phone.receive(&bob_with("b", false, Some("b-s")));
    assert_eq!(
        gap(&phone),
        (Reason::Missing(Gap::OwnIdentityNotVerified), Some(Gap::OwnIdentityNotVerified))
    );
    phone.verify_own();
    assert_eq!(gap(&phone), (Reason::Missing(Gap::UserNotSigned), Some(Gap::UserNotSigned)));
    phone.receive(&bob_with("b", true, None));
    phone.receive(&Answer::new().identity(ALICE, "x"));
    let verified = public("a-m");
    assert_eq!(gap(&phone).1, Some(Gap::OwnIdentityChanged { verified }));
    phone.receive(&alice());
    phone.receive(&Answer::new().identity(BOB, "b").ssk(BOB, "new-s", "b-m").device(BOB, "LAPTOP", None));
    let signer = public("b-s");
    let not_signed = Gap::Device(NotCrossSigned::SignedByOtherKey { signer });
    assert_eq!(gap(&phone), (Reason::Missing(not_signed), Some(not_signed)));
    phone.receive(&bob_with("c", true, Some("c-s")));
    phone.receive(&bob_with("b", true, Some("b-s")).ssk(BOB, "new-s", "b-m"));
    assert_eq!(gap(&phone).1, Some(Gap::MasterSigningKeyDiscarded));
}

// TRU-2
#[test]
fn attack_117_nobody_is_verified_while_our_own_identity_is_not() {
    let mut phone = Phone::new();
    phone.receive(&alice());
    phone.receive(&bob_with("b", true, Some("b-s")));
    assert_eq!(phone.state(BOB), Some(UserState::Pinned));
    assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::CrossSignedTofu));
    // A signature of this very device on the master signing key, brought by the server, is no verification.
    let mut answer = alice();
    answer.msks[ALICE] = sign(answer.msks[ALICE].take(), &key("PHONE"), ALICE, "PHONE");
    phone.receive(&answer);
    assert_eq!(phone.own.state(), OwnState::NeverVerified);
    assert_eq!(phone.state(BOB), Some(UserState::Pinned));
}

// TRU-1, TRU-9
#[test]
fn attack_118_a_server_that_swaps_our_own_keys_is_trusted_in_nothing() {
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", false, Some("b-s")));
    // Its own identity for us, with a device of its own, and with our phone's signature on another identity of ours.
    let mut x = Answer::new().identity(ALICE, "x").device(ALICE, "EVIL", Some("x-s"));
    x.msks[ALICE] = sign(x.msks[ALICE].take(), &key("PHONE"), ALICE, "PHONE");
    phone.receive(&x);
    phone.receive(&bob_with("b", false, Some("b-s")).verified(BOB, ALICE, "x-u"));
    assert_eq!(phone.own.state(), OwnState::VerificationViolation);
    assert_eq!(phone.level(ALICE, "EVIL"), Some(TrustLevel::CrossSignedViolation));
    assert_eq!(phone.state(BOB), Some(UserState::Pinned));
    assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::CrossSignedTofu));

    // Only the self-signing or user-signing key, not signed by our master signing key.
    for answer in [alice().ssk(ALICE, "x-s", "x-m"), alice().usk(ALICE, "x-u", "x-m")] {
        let mut phone = Phone::verified();
        phone.receive(&answer.device(ALICE, "EVIL", Some("x-s")));
        phone.receive(&bob_with("b", false, None).verified(BOB, ALICE, "x-u"));
        assert_eq!(phone.level(ALICE, "EVIL"), Some(TrustLevel::Unsigned));
        assert_eq!(phone.state(BOB), Some(UserState::Pinned));
    }
}

// XS-20, XS-33, TRU-3
#[test]
fn attack_121_a_key_of_one_role_says_nothing_in_another() {
    // On a device: all keys but the owner's self-signing key, under their own ID and under that of the right one.
    let right = public("b-s").to_string();
    for signer in ["b-m", "b-u", "a-m", "a-s", "a-u", "LAPTOP", "PHONE", "mallory"] {
        let own_id = public(signer).to_string();
        for (id, by) in [(&own_id, BOB), (&own_id, ALICE), (&right, BOB), (&right, ALICE)] {
            let mut phone = Phone::verified();
            let object = sign(device_keys(BOB, "LAPTOP", "LAPTOP"), &key(signer), by, id);
            phone.receive(&bob_with("b", true, None).raw_device(BOB, "LAPTOP", object));
            assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::Unsigned), "{signer} as {by} {id}");
        }
    }
    // On a master signing key: all keys but our user-signing key.
    let right = public("a-u").to_string();
    for signer in ["a-m", "a-s", "b-m", "b-s", "b-u", "PHONE", "LAPTOP", "mallory"] {
        let own_id = public(signer).to_string();
        for (id, by) in [(&own_id, ALICE), (&own_id, BOB), (&right, ALICE), (&right, BOB)] {
            let mut phone = Phone::verified();
            let mut answer = bob_with("b", false, Some("b-s"));
            answer.msks[BOB] = sign(answer.msks[BOB].take(), &key(signer), by, id);
            phone.receive(&answer);
            assert_eq!(phone.state(BOB), Some(UserState::Pinned), "{signer} as {by} {id}");
        }
    }
    // A device whose key is one of the three: the device is refused, the identity stays.
    for role in ["m", "s"] {
        let mut phone = Phone::verified();
        let name = format!("b-{role}");
        let object = sign_by(device_keys(BOB, "ROGUE", &name), "b-s", BOB);
        let update = phone.receive(&bob_with("b", true, Some("b-s")).raw_device(BOB, "ROGUE", object));
        assert_eq!(update.devices[0].refused, [("ROGUE".to_owned(), DeviceRefused::IsSigningKey)]);
        assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::Verified));
        assert_eq!(phone.level(BOB, "ROGUE"), None);
        // Also when the identity is known already, or takes the device's key for its own later.
        let name = if role == "m" { "c-m" } else { "c-s" };
        let object = device_keys(BOB, "ROGUE", name);
        phone.receive(&bob_with("b", true, Some("b-s")).raw_device(BOB, "ROGUE", object.clone()));
        assert_eq!(phone.level(BOB, "ROGUE"), Some(TrustLevel::Unsigned));
        let object = sign_by(object, "c-s", BOB);
        phone.receive(&bob_with("c", true, Some("c-s")).raw_device(BOB, "ROGUE", object));
        let gap = Gap::Device(NotCrossSigned::DeviceKeyIsSigningKey);
        let reason = phone.with_trust(BOB, "ROGUE", |trust| (trust.level, trust.reason));
        assert_eq!(reason, Some((TrustLevel::Unsigned, Reason::Missing(gap))));
    }
}

// XS-30, XS-31, XS-32, XS-44, XS-48
#[test]
fn attack_103_a_device_named_like_a_key_is_never_verified() {
    for (name, role) in [("b-m", "master"), ("b-s", "self-signing")] {
        let id = public(name).to_string();
        for id in [id.clone(), format!("{id}="), format!("{id}==")] {
            let mut phone = Phone::verified();
            // The device's own signature and that of the key stand in one place, if both are there.
            let object = device_keys(BOB, &id, "ROGUE");
            let object = if id == public("b-s").to_string() { object } else { sign_by(object, "b-s", BOB) };
            let update = phone.receive(&bob_with("b", false, Some("b-s")).raw_device(BOB, &id, object));
            let warned = |event: &Event| matches!(event, Event::DeviceIdIsSigningKey { device_id, .. } if *device_id == id);
            assert!(update.events.iter().any(warned), "{role}");
            let gap = Gap::Device(NotCrossSigned::DeviceIdIsSigningKey);
            let reason = phone.with_trust(BOB, &id, |trust| (trust.level, trust.reason));
            assert_eq!(reason, Some((TrustLevel::Unsigned, Reason::Missing(gap))));
            // The user cannot be verified at all.
            let (keys, own) = (phone.keys(), phone.own.clone());
            let bob = phone.user_mut(BOB);
            let msk = bob.identity().master_signing_key().clone();
            let refused = verify_user(&own, &keys, bob, &msk, ["LAPTOP", &id]);
            assert_eq!(refused, Err(VerifyUserError::DeviceIdIsSigningKey));
            assert_eq!(phone.state(BOB), Some(UserState::Pinned));
        }
    }
    // Ours, too; the ID has the key of the name, whatever it is called elsewhere.
    let mut phone = Phone::verified();
    let id = public("a-u").to_string();
    let object = sign_by(device_keys(ALICE, &id, "ROGUE"), "a-s", ALICE);
    phone.receive(&alice().raw_device(ALICE, &id, object));
    assert_eq!(phone.level(ALICE, &id), Some(TrustLevel::Unsigned));

    // What was verified is the key that was fixed then, not the one that is stored now.
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", false, None));
    let (keys, own) = (phone.keys(), phone.own.clone());
    let msk = phone.user(BOB).unwrap().identity().master_signing_key().clone();
    phone.receive(&bob_with("c", false, None));
    let refused = verify_user(&own, &keys, phone.user_mut(BOB), &msk, []);
    assert_eq!(refused, Err(VerifyUserError::KeysChanged));
    assert_eq!(phone.state(BOB), Some(UserState::PinViolation));
}

// TRU-3
#[test]
fn an_identity_says_nothing_about_devices_and_users_of_others() {
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", true, Some("b-s")));
    let carol = "@carol:example.org";
    // Bob's self-signing key on Carol's device, and Bob's identity given for hers.
    let object = sign_by(device_keys(carol, "LAPTOP", "LAPTOP"), "b-s", BOB);
    phone.receive(&Answer::new().raw_device(carol, "LAPTOP", sign_by(object, "b-s", carol)));
    let bobs = phone.user(BOB).unwrap();
    let carols = phone.device(carol, "LAPTOP").unwrap();
    let judged = mx_cross_signing::trust(&phone.own, Some(&bobs), &carols);
    assert_eq!((judged.level, judged.user), (TrustLevel::Unsigned, None));
    // Nor one of ours for that of others.
    let bobs = phone.device(BOB, "LAPTOP").unwrap();
    let judged = mx_cross_signing::trust(&phone.own, None, &bobs);
    assert_eq!(judged.level, TrustLevel::Unsigned);
    // Users who were not asked for are not looked at.
    let body = bob_with("c", true, None).body();
    let update = phone.receive_text(&body, &[]);
    assert!(update.users.is_empty() && update.events.is_empty() && update.devices.is_empty());
}

// XS-45, XS-14
#[test]
fn a_device_that_was_verified_by_itself_can_vouch_for_its_user() {
    let prepare = |own_verified: bool| {
        let mut phone = Phone::new();
        phone.receive(&alice());
        if own_verified {
            phone.verify_own();
        }
        phone.receive(&Answer::new().device(BOB, "LAPTOP", None));
        phone.store.device_mut(user(BOB), device("LAPTOP")).unwrap().set_local_trust(LocalTrust::Verified);
        phone
    };
    let offer = |phone: &Phone| {
        let bob = phone.user(BOB).unwrap();
        let devices: Vec<_> = phone.store.devices(user(BOB)).cloned().collect();
        migration(&phone.own, &bob, &devices).map(|offer| (offer.msk.public_key(), offer.device.ed25519()))
    };
    let by_device = |prefix: &str, signer: &str| {
        let mut answer = bob_with(prefix, false, Some(&format!("{prefix}-s")));
        answer.msks[BOB] = sign(answer.msks[BOB].take(), &key(signer), BOB, "LAPTOP");
        answer
    };
    let mut phone = prepare(true);
    phone.receive(&by_device("b", "LAPTOP"));
    assert_eq!(offer(&phone), Some((public("b-m"), public("LAPTOP"))));
    // The user is not verified by that alone.
    assert_eq!(phone.state(BOB), Some(UserState::Pinned));

    // Not without our own identity, with a wrong signature, a device that is not verified or gone, or a changed identity.
    let mut phone = prepare(false);
    phone.receive(&by_device("b", "LAPTOP"));
    assert_eq!(offer(&phone), None);
    let mut phone = prepare(true);
    phone.receive(&by_device("b", "mallory"));
    assert_eq!(offer(&phone), None);
    let mut phone = prepare(true);
    phone.receive(&by_device("b", "LAPTOP"));
    phone.store.device_mut(user(BOB), device("LAPTOP")).unwrap().set_local_trust(LocalTrust::Unset);
    assert_eq!(offer(&phone), None);
    let mut phone = prepare(true);
    phone.receive(&by_device("b", "LAPTOP"));
    phone.receive(&Answer::new().identity(BOB, "b"));
    assert_eq!(offer(&phone), None);
    let mut phone = prepare(true);
    phone.receive(&bob_with("b", false, None));
    phone.receive(&by_device("c", "LAPTOP"));
    assert_eq!(phone.state(BOB), Some(UserState::PinViolation));
    assert_eq!(offer(&phone), None);
    // What vouched for one key does not vouch for the next.
    let mut phone = prepare(true);
    phone.receive(&by_device("b", "LAPTOP"));
    phone.receive(&bob_with("c", false, None));
    phone.user_mut(BOB).pin();
    assert_eq!(offer(&phone), None);
}

// DL-30 is mx-signing's; here: one bad entry takes nothing from the others, and bounds hold.
#[test]
fn attack_041_one_bad_device_among_a_hundred() {
    for bad in 0..6 {
        let mut phone = Phone::verified();
        let mut answer = Answer::new().identity(BOB, "b");
        for n in 0..99 {
            answer = answer.device(BOB, &format!("D{n:02}"), Some("b-s"));
        }
        let mut object = sign_by(device_keys(BOB, "BAD", "BAD"), "b-s", BOB);
        match bad {
            0 => object = json!(null),
            1 => object["user_id"] = ALICE.into(),
            2 => object["device_id"] = "D00".into(),
            3 => object["keys"] = json!([]),
            4 => object["more"] = (-(1_i64 << 53)).into(),
            _ => object["signatures"] = json!({ BOB: { "ed25519:BAD": "x" } }),
        }
        let update = phone.receive(&answer.raw_device(BOB, "BAD", object));
        assert_eq!(update.devices[0].devices.len(), 99);
        assert_eq!(update.devices[0].refused.len(), 1);
        assert_eq!(phone.level(BOB, "D42"), Some(TrustLevel::CrossSignedTofu));
    }
}

#[test]
fn devices_that_the_server_lies_about() {
    // Other keys for this device; another key for a known one; map keys that disagree.
    let mut phone = Phone::verified();
    let update = phone.receive(&alice().raw_device(ALICE, "PHONE", device_keys(ALICE, "PHONE", "EVIL")));
    assert!(matches!(update.devices[0].refused[..], [(_, DeviceRefused::NotThisDevice)]));
    assert_eq!(phone.device(ALICE, "PHONE").unwrap().ed25519(), public("PHONE"));
    let mut fresh = Phone::new();
    let update = fresh.receive(&alice().raw_device(ALICE, "PHONE", device_keys(ALICE, "PHONE", "EVIL")));
    assert!(matches!(update.devices[0].refused[..], [(_, DeviceRefused::NotThisDevice)]));

    phone.receive(&bob_with("b", true, Some("b-s")));
    let object = sign_by(device_keys(BOB, "LAPTOP", "EVIL"), "b-s", BOB);
    let update = phone.receive(&bob_with("b", true, None).raw_device(BOB, "LAPTOP", object));
    assert!(matches!(update.devices[0].refused[..], [(_, DeviceRefused::Ed25519Changed)]));
    assert_eq!(phone.device(BOB, "LAPTOP").unwrap().ed25519(), public("LAPTOP"));

    let update = phone.receive(&bob_with("b", true, None).raw_device(
        BOB,
        "OTHER",
        device_keys(BOB, "LAPTOP", "LAPTOP"),
    ));
    let other = DeviceRefused::Keys(DeviceKeysError::OtherDevice);
    assert!(update.devices[0].refused.contains(&("OTHER".to_owned(), other)));
}

#[test]
fn an_answer_about_a_user_is_taken_whole_or_not_at_all() {
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", true, Some("b-s")));
    let mut answer = bob_with("c", false, None);
    for n in 0..3 {
        answer = answer.device(BOB, &format!("D{n}"), None);
    }
    let malformed = Answer { devices: [(BOB.to_owned(), json!([]))].into_iter().collect(), ..answer.clone() };
    let absent = Answer { devices: Default::default(), ..answer.clone() };
    for (answer, max, problem) in [
        (&answer, 3, NoAnswer::TooManyDevices { count: 4 }),
        (&malformed, 9, NoAnswer::Query(QueryError::Malformed)),
        (&absent, 9, NoAnswer::Query(QueryError::NoAnswer)),
    ] {
        let body = answer.body();
        let response = KeysQueryResponse::parse(&body).unwrap();
        let Ok(update) = receive(&mut phone.memory, &phone.own, &phone.store, &response, &[user(BOB)], max);
        assert_eq!(update.events, [Event::NoAnswer { user_id: BOB.to_owned(), problem }]);
        assert!(update.users.is_empty() && update.devices.is_empty());
    }
}

// TRU-10
#[test]
fn attack_132_only_signatures_that_can_mean_something_are_verified() {
    // A hundred thousand signatures on one object and many on the others, the right ones among them.
    let flood = |mut object: serde_json::Value, user_id: &str, count: usize| {
        let signatures = object["signatures"].as_object_mut().unwrap();
        for n in 0..count {
            let user_id = if n % 2 == 0 { user_id.to_owned() } else { format!("@u{n}:example.org") };
            let of_user = signatures.entry(user_id).or_insert_with(|| json!({}));
            of_user[format!("ed25519:D{n}")] = "A".repeat(86).into();
        }
        object
    };
    let mut phone = Phone::verified();
    let mut answer = bob_with("b", true, None);
    answer.msks[BOB] = flood(answer.msks[BOB].take(), BOB, 100_000);
    answer.ssks[BOB] = flood(answer.ssks[BOB].take(), BOB, 1_000);
    let object = sign_by(device_keys(BOB, "LAPTOP", "LAPTOP"), "b-s", BOB);
    let answer = answer.raw_device(BOB, "LAPTOP", flood(object, BOB, 1_000));
    let before = phone.memory.verifications();
    phone.receive(&answer);
    assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::Verified));
    // The self-signing key, our signature, the device's own and its cross-signature.
    assert_eq!(phone.memory.verifications() - before, 4);
    phone.receive(&answer);
    assert_eq!(phone.memory.verifications() - before, 4, "what was verified is not verified again");
    let mut user = phone.user(BOB).unwrap();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let pickle = user.pickle_to_vec(&mut rng, &mx_pickle::PickleKey::new(&[1; 32])).unwrap();
    assert!(pickle.len() < 2_000, "{}", pickle.len());
}

#[test]
fn a_verification_is_shown_at_once_and_to_the_server() {
    let mut phone = Phone::verified();
    phone.receive(&bob_with("b", false, Some("b-s")));
    let (keys, own) = (phone.keys(), phone.own.clone());
    let bob = phone.user_mut(BOB);
    let msk = bob.identity().master_signing_key().clone();
    let Ok(Verification::Signed(_)) = verify_user(&own, &keys, bob, &msk, ["LAPTOP"]) else { panic!() };
    assert_eq!(phone.level(BOB, "LAPTOP"), Some(TrustLevel::Verified));
    let own_msk = own.identity().unwrap().master_signing_key().clone();
    let mut nobody = OwnIdentity::new(user(BOB), device("LAPTOP"), public("LAPTOP"));
    assert!(nobody.verify(&own_msk).is_err());
}
