//! Who gets keys, and which messages are shown: every row of the tables.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_cross_signing::{
    Device, LocalTrust, Member, MemberProblem, Membership, Origin, OwnState, Recipient, SharePolicy,
    ShareProblem, ShowPolicy, Showing, Strategy, TrustLevel, UserState, Warning, WithheldCode, room_state,
};
use support::*;

use LocalTrust::{Blacklisted, Ignored, Unset, Verified};
use Strategy::{AllDevices, ErrorOnVerifiedUserProblem, IdentityBased, OnlyTrusted};

const SHARE: Result<Recipient, ShareProblem> = Ok(Recipient::Share);
const UNVERIFIED: Result<Recipient, ShareProblem> = Ok(Recipient::Withhold(WithheldCode::Unverified));
const BLACKLISTED: Result<Recipient, ShareProblem> = Ok(Recipient::Withhold(WithheldCode::Blacklisted));

/// What Bob is, and whether his device is cross-signed.
fn prepare(own: OwnState, bob_is: Option<UserState>, cross_signed: bool) -> Phone {
    let mut phone = Phone::new();
    if own != OwnState::NoIdentity {
        phone.receive(&alice());
        phone.verify_own();
    }
    let answer = |prefix: &str, verified: bool| {
        let ssk = format!("{prefix}-s");
        let answer = Answer::new().identity(BOB, prefix).device(BOB, "LAPTOP", cross_signed.then_some(&ssk));
        if verified { answer.verified(BOB, ALICE, "a-u") } else { answer }
    };
    match bob_is {
        None => drop(phone.receive(&Answer::new().device(BOB, "LAPTOP", None))),
        Some(UserState::Pinned) => drop(phone.receive(&answer("b", false))),
        Some(UserState::Verified) => drop(phone.receive(&answer("b", true))),
        Some(state) => {
            phone.receive(&answer("b", state == UserState::VerificationViolation));
            phone.receive(&answer("c", false));
        }
    }
    match own {
        OwnState::NeverVerified => {
            phone.receive(&Answer::new().identity(ALICE, "x"));
            phone.own.withdraw();
        }
        OwnState::VerificationViolation => drop(phone.receive(&Answer::new().identity(ALICE, "x"))),
        _ => {}
    }
    assert_eq!(phone.own.state(), own);
    phone
}

fn recipient(phone: &Phone, policy: SharePolicy, local: LocalTrust) -> Result<Recipient, ShareProblem> {
    let mut laptop = phone.device(BOB, "LAPTOP").unwrap();
    laptop.set_local_trust(local);
    policy.recipient(&phone.own, phone.user(BOB).as_ref(), &laptop)
}

// IDC-22, TRU-5, TRU-12
#[test]
fn attack_131_who_gets_keys() {
    assert_eq!(SharePolicy::default(), SharePolicy { strategy: IdentityBased, ignore_pin_violations: false });
    let violation = Err(ShareProblem::VerificationViolation);
    let unsigned = Err(ShareProblem::UnsignedDevice);
    let (pinned, verified) = (Some(UserState::Pinned), Some(UserState::Verified));
    let violated = Some(UserState::VerificationViolation);
    // Strategy, Bob, cross-signed, what he gets for each of: unset, ignored, verified, blacklisted.
    for (strategy, bob, cross_signed, expected) in [
        (AllDevices, None, false, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (AllDevices, pinned, false, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (AllDevices, verified, false, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (AllDevices, violated, true, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (ErrorOnVerifiedUserProblem, None, false, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (ErrorOnVerifiedUserProblem, pinned, false, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (ErrorOnVerifiedUserProblem, verified, true, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (ErrorOnVerifiedUserProblem, verified, false, [unsigned, SHARE, unsigned, BLACKLISTED]),
        (ErrorOnVerifiedUserProblem, violated, true, [violation; 4]),
        (IdentityBased, None, false, [UNVERIFIED, SHARE, UNVERIFIED, BLACKLISTED]),
        (IdentityBased, pinned, true, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (IdentityBased, pinned, false, [UNVERIFIED, SHARE, UNVERIFIED, BLACKLISTED]),
        (IdentityBased, verified, true, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (IdentityBased, verified, false, [UNVERIFIED, SHARE, UNVERIFIED, BLACKLISTED]),
        (IdentityBased, violated, true, [violation; 4]),
        (IdentityBased, violated, false, [violation; 4]),
        (OnlyTrusted, None, false, [UNVERIFIED, SHARE, SHARE, BLACKLISTED]),
        (OnlyTrusted, pinned, true, [UNVERIFIED, SHARE, SHARE, BLACKLISTED]),
        (OnlyTrusted, verified, true, [SHARE, SHARE, SHARE, BLACKLISTED]),
        (OnlyTrusted, verified, false, [UNVERIFIED, SHARE, SHARE, BLACKLISTED]),
        (OnlyTrusted, violated, true, [UNVERIFIED, SHARE, SHARE, BLACKLISTED]),
    ] {
        let phone = prepare(OwnState::Verified, bob, cross_signed);
        let policy = SharePolicy { strategy, ignore_pin_violations: false };
        let found = [Unset, Ignored, Verified, Blacklisted].map(|local| recipient(&phone, policy, local));
        assert_eq!(found, expected, "{strategy:?}, {bob:?}, {cross_signed}");
    }
    // A changed identity stops everything until it is acknowledged, unless the caller wants it otherwise.
    for strategy in [AllDevices, ErrorOnVerifiedUserProblem, IdentityBased, OnlyTrusted] {
        let mut phone = prepare(OwnState::Verified, Some(UserState::PinViolation), true);
        let policy = SharePolicy { strategy, ignore_pin_violations: false };
        assert_eq!(recipient(&phone, policy, Verified), Err(ShareProblem::PinViolation));
        let ignoring = SharePolicy { ignore_pin_violations: true, ..policy };
        assert_eq!(recipient(&phone, ignoring, Verified), SHARE);
        phone.user_mut(BOB).pin();
        assert_eq!(recipient(&phone, policy, Verified), SHARE);
    }
    // Our own identity.
    for (own, expected) in [
        (OwnState::NoIdentity, Err(ShareProblem::CrossSigningNotSetUp)),
        (OwnState::NeverVerified, Err(ShareProblem::OwnIdentityNotVerified)),
        (OwnState::VerificationViolation, Err(ShareProblem::OwnIdentityNotVerified)),
        (OwnState::Verified, SHARE),
    ] {
        let phone = prepare(own, pinned, true);
        assert_eq!(recipient(&phone, SharePolicy::default(), Ignored), expected);
        let old = SharePolicy { strategy: AllDevices, ..SharePolicy::default() };
        assert_eq!(recipient(&phone, old, Unset), SHARE);
    }
    assert_eq!(
        (WithheldCode::Unverified.as_str(), WithheldCode::Blacklisted.as_str()),
        ("m.unverified", "m.blacklisted")
    );
}

// IDC-22
#[test]
fn dehydrated_devices_have_no_privilege() {
    for (cross_signed, violated) in [(true, false), (false, false), (true, true)] {
        let mut phone = Phone::verified();
        let mut object = device_keys(BOB, "LAPTOP", "LAPTOP");
        object["dehydrated"] = true.into();
        object.as_object_mut().unwrap().remove("signatures");
        let mut object = sign(object, &key("LAPTOP"), BOB, "LAPTOP");
        if violated {
            phone.receive(&bob("old").verified(BOB, ALICE, "a-u"));
            phone.store.remove_device(user(BOB), device("LAPTOP"));
        }
        if cross_signed {
            object = sign_by(object, "b-s", BOB);
        }
        phone.receive(&Answer::new().identity(BOB, "b").raw_device(BOB, "LAPTOP", object));
        assert!(phone.device(BOB, "LAPTOP").unwrap().is_dehydrated());
        let share = |strategy| recipient(&phone, SharePolicy { strategy, ..SharePolicy::default() }, Unset);
        let fair = if cross_signed && !violated { SHARE } else { UNVERIFIED };
        assert_eq!(share(AllDevices), fair);
        let violation = Err(ShareProblem::VerificationViolation);
        assert_eq!(share(IdentityBased), if violated { violation } else { fair });
        assert_eq!(share(ErrorOnVerifiedUserProblem), if violated { violation } else { fair });
    }
}

// IDC-8, IDC-14, IDC-22
#[test]
fn problems_of_all_members_are_named_and_nothing_is_shared() {
    let mut phone = Phone::verified();
    phone.receive(&alice().device(ALICE, "TABLET", Some("a-s")).device(ALICE, "OLD", None));
    phone.receive(&bob("b"));
    let carol = "@carol:example.org";
    phone.receive(&Answer::new().identity(carol, "c").device(carol, "PAD", Some("c-s")));
    let devices = |phone: &Phone, id: &str| phone.store.devices(user(id)).cloned().collect::<Vec<Device>>();
    let all = |phone: &Phone, policy: SharePolicy| {
        let (ours, bobs, carols) = (devices(phone, ALICE), devices(phone, BOB), devices(phone, carol));
        let (bob, carol_identity) = (phone.user(BOB), phone.user(carol));
        let members = [
            Member { user_id: ALICE, identity: None, devices: &ours },
            Member { user_id: BOB, identity: bob.as_ref(), devices: &bobs },
            Member { user_id: carol, identity: carol_identity.as_ref(), devices: &carols },
        ];
        let recipients = policy.recipients(&phone.own, members);
        recipients.map(|all| {
            all.into_iter().map(|(device, what)| (device.device_id().to_owned(), what)).collect::<Vec<_>>()
        })
    };
    let expected = [
        ("OLD", Recipient::Withhold(WithheldCode::Unverified)),
        ("PHONE", Recipient::ThisDevice),
        ("TABLET", Recipient::Share),
        ("LAPTOP", Recipient::Share),
        ("PAD", Recipient::Share),
    ];
    let expected: Vec<_> = expected.map(|(id, what)| (id.to_owned(), what)).into();
    assert_eq!(all(&phone, SharePolicy::default()), Ok(expected));

    // Bob and Carol change.
    phone.receive(&bob("x"));
    phone.receive(&Answer::new().identity(carol, "c").verified(carol, ALICE, "a-u"));
    phone.receive(&Answer::new().identity(carol, "y"));
    let problem =
        |user_id: &str, problem| MemberProblem { user_id: user_id.to_owned(), device_id: None, problem };
    let changed =
        vec![problem(BOB, ShareProblem::PinViolation), problem(carol, ShareProblem::VerificationViolation)];
    assert_eq!(all(&phone, SharePolicy::default()), Err(changed));
    phone.receive(&Answer::new().identity(ALICE, "x"));
    let ours = all(&phone, SharePolicy::default()).unwrap_err();
    assert_eq!(ours[0], problem(ALICE, ShareProblem::OwnIdentityNotVerified));
    assert_eq!(ours.len(), 4);

    // A verified user with an unsigned device, named with it.
    let mut phone = Phone::verified();
    phone.receive(&bob("b").device(BOB, "OLD", None).verified(BOB, ALICE, "a-u"));
    let policy = SharePolicy { strategy: ErrorOnVerifiedUserProblem, ..SharePolicy::default() };
    let named = MemberProblem {
        user_id: BOB.to_owned(),
        device_id: Some("OLD".to_owned()),
        problem: ShareProblem::UnsignedDevice,
    };
    assert_eq!(all(&phone, policy).unwrap_err(), [named]);

    // What a room tells.
    let bobs = phone.user(BOB);
    let show = |id, user, membership| room_state(&phone.own, id, user, membership);
    for membership in [Membership::Join, Membership::Invite] {
        assert_eq!(show(BOB, bobs.as_ref(), membership), Some(UserState::Verified));
        assert_eq!(show(BOB, None, membership), Some(UserState::Pinned));
        assert_eq!(show(carol, bobs.as_ref(), membership), Some(UserState::Pinned));
        assert_eq!(show(ALICE, None, membership), None);
    }
    for membership in [Membership::Leave, Membership::Ban, Membership::Knock] {
        assert_eq!(show(BOB, bobs.as_ref(), membership), Some(UserState::Pinned));
    }
}

// IDC-23, IDC-25, TRU-12
#[test]
fn attack_131_which_messages_are_shown() {
    use ShowPolicy::{CrossSigned, CrossSignedOrLegacy, Untrusted};
    let (pinned, verified) = (Some(UserState::Pinned), Some(UserState::Verified));
    let (violated, changed) = (Some(UserState::VerificationViolation), Some(UserState::PinViolation));
    let show = |phone: &Phone, policy: ShowPolicy, local: LocalTrust, sender: &str, legacy: bool| {
        let mut laptop = phone.device(BOB, "LAPTOP").unwrap();
        laptop.set_local_trust(local);
        let identity = phone.user(BOB);
        policy.show(
            &phone.own,
            Origin::Device { device: &laptop, identity: identity.as_ref(), sender },
            legacy,
        )
    };
    use Showing::{Hide, Show, Warn};
    let violation = Hide(Warning::VerificationViolation);
    let unsigned = Hide(Warning::UnsignedDevice);
    let blacklisted = Hide(Warning::Blacklisted);
    let (tofu, pin) = (Warn(Warning::UnverifiedIdentity), Warn(Warning::PinViolation));
    for (bob, cross_signed, expected) in [
        (None, false, [unsigned, Warn(Warning::UnsignedDevice), Show, blacklisted]),
        (pinned, true, [tofu, tofu, Show, blacklisted]),
        (pinned, false, [unsigned, Warn(Warning::UnsignedDevice), Show, blacklisted]),
        (changed, true, [pin, pin, pin, blacklisted]),
        (verified, true, [Show, Show, Show, blacklisted]),
        (verified, false, [unsigned, Warn(Warning::UnsignedDevice), Show, blacklisted]),
        (violated, true, [violation, violation, violation, blacklisted]),
        (violated, false, [violation, violation, violation, blacklisted]),
    ] {
        let phone = prepare(OwnState::Verified, bob, cross_signed);
        let found =
            [Unset, Ignored, Verified, Blacklisted].map(|local| show(&phone, CrossSigned, local, BOB, false));
        assert_eq!(found, expected, "{bob:?}, {cross_signed}");
        // Everything is shown where nothing is asked, with the same warnings.
        for (local, expected) in [Unset, Ignored, Verified, Blacklisted].into_iter().zip(expected) {
            let expected = if let Hide(warning) = expected { Warn(warning) } else { expected };
            assert_eq!(show(&phone, Untrusted, local, BOB, false), expected);
        }
        // Old messages of devices that nobody vouches for, but none against the user's word.
        let found = show(&phone, CrossSignedOrLegacy, Unset, BOB, true);
        let old = if expected[0] == unsigned { Warn(Warning::UnsignedDevice) } else { expected[0] };
        assert_eq!(found, old);
        assert_eq!(show(&phone, CrossSignedOrLegacy, Unset, BOB, false), expected[0]);
        assert_eq!(show(&phone, CrossSignedOrLegacy, Blacklisted, BOB, true), blacklisted);
    }

    // A bridge's bot: with a warning if the owner's identity vouches for the device, otherwise not.
    for (bob, cross_signed, expected) in [
        (pinned, true, Warn(Warning::MismatchedSender)),
        (verified, true, Warn(Warning::MismatchedSender)),
        (verified, false, unsigned),
        (None, false, unsigned),
        (violated, true, violation),
    ] {
        let phone = prepare(OwnState::Verified, bob, cross_signed);
        assert_eq!(show(&phone, CrossSigned, Unset, "@ghost:example.org", false), expected);
    }
    // Nobody vouches for it, and only the user has verified the device: no word for others.
    let phone = prepare(OwnState::Verified, None, false);
    assert_eq!(show(&phone, CrossSigned, Verified, BOB, false), Show);
    assert_eq!(show(&phone, CrossSigned, Verified, "@ghost:example.org", false), unsigned);

    let phone = Phone::verified();
    for (origin, warning) in
        [(Origin::UnknownDevice, Warning::UnknownDevice), (Origin::InsecureSource, Warning::InsecureSource)]
    {
        assert_eq!(CrossSigned.show(&phone.own, origin, true), Hide(warning));
        assert_eq!(CrossSignedOrLegacy.show(&phone.own, origin, false), Hide(warning));
        assert_eq!(CrossSignedOrLegacy.show(&phone.own, origin, true), Warn(warning));
        assert_eq!(Untrusted.show(&phone.own, origin, false), Warn(warning));
    }
    // Our own devices, and this one.
    let mut phone = Phone::verified();
    phone.receive(&alice().device(ALICE, "TABLET", Some("a-s")));
    let own_show = |phone: &Phone, id: &str| {
        let device = phone.device(ALICE, id).unwrap();
        CrossSigned.show(&phone.own, Origin::Device { device: &device, identity: None, sender: ALICE }, false)
    };
    assert_eq!(own_show(&phone, "TABLET"), Show);
    phone.receive(
        &Answer::new().identity(ALICE, "x").device(ALICE, "TABLET", Some("x-s")).device(ALICE, "PHONE", None),
    );
    assert_eq!(phone.level(ALICE, "TABLET"), Some(TrustLevel::CrossSignedViolation));
    assert_eq!(own_show(&phone, "TABLET"), violation);
    assert_eq!(own_show(&phone, "PHONE"), Show);
}

// IDC-24
#[test]
fn devices_without_keys_do_not_count() {
    let mut phone = Phone::verified();
    // A device without end-to-end encryption is not in `device_keys`: nothing is known, warned or withheld of it.
    let update = phone.receive(&Answer::new().identity(BOB, "b"));
    assert!(update.devices[0].devices.is_empty() && update.devices[0].refused.is_empty());
    let bobs = phone.user(BOB);
    let member = Member { user_id: BOB, identity: bobs.as_ref(), devices: &[] };
    assert!(SharePolicy::default().recipients(&phone.own, [member]).unwrap().is_empty());
}
