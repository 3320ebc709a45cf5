//! Whole verifications between two devices.

mod support;

use mx_verification::{Consequence, FlowState, Methods, Phase, Verified, What};
use support::{ALICE, BOB, Client, alice, at, bob, deliver, key, ready};

fn master(user_id: &str) -> mx_types::Ed25519PublicKey {
    key(&format!("master {user_id}"))
}

fn user_verified(user_id: &str, device_id: Option<&str>) -> Verified {
    Verified {
        user_id: user_id.into(),
        device: device_id.map(|device_id| (device_id.into(), key(device_id))),
        master_signing_key: Some(master(user_id)),
        consequences: vec![Consequence::SignUser {
            user_id: user_id.into(),
            master_signing_key: master(user_id),
        }],
    }
}

// VER-1, VER-2, VER-10, VER-11, VER-12, VER-13, VER-14, VER-16, VER-90, VER-91, VER-93, SAS-12, SAS-16, SAS-36, SAS-43, SAS-62, XS-40
#[test]
fn two_users_verify_each_other_by_short_strings() {
    for in_room in [false, true] {
        for (a_starts, a_confirms_first) in [(true, true), (true, false), (false, true), (false, false)] {
            let (mut a, mut b, at_a, at_b) = ready(in_room);
            if a_starts {
                a.start_sas(&at_a).unwrap()
            } else {
                b.start_sas(&at_b).unwrap()
            }
            deliver(&mut [&mut a, &mut b]);
            assert_eq!(a.state(&at_a), Some(FlowState::Started(Phase::Compare)));
            assert_eq!(a.short_string().unwrap(), b.short_string().unwrap());
            assert_eq!((a.verified(), b.verified()), (None, None));
            if a_confirms_first {
                a.confirm(&at_a).unwrap()
            } else {
                b.confirm(&at_b).unwrap()
            }
            deliver(&mut [&mut a, &mut b]);
            assert_eq!((a.verified(), b.verified()), (None, None), "nothing before both have confirmed");
            if a_confirms_first {
                b.confirm(&at_b).unwrap()
            } else {
                a.confirm(&at_a).unwrap()
            }
            deliver(&mut [&mut a, &mut b]);
            assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Done), Some(FlowState::Done)));
            assert_eq!(a.verified(), Some(&user_verified(BOB, Some("B1"))));
            assert_eq!(b.verified(), Some(&user_verified(ALICE, Some("A1"))));
            assert_eq!(a.events.last().unwrap().what, What::Done);
            assert_eq!(b.events.last().unwrap().what, What::Done);
        }
    }
}

// XS-41, XS-43, SAS-34, VER-7, VER-93: the new device vouches for itself only, the old one for both.
#[test]
fn two_devices_of_a_user_verify_each_other_by_short_strings() {
    let (mut old, mut new) = (alice(), Client::new(ALICE, "A2"));
    new.store.trusted = false;
    let flow = old.request_to_device(ALICE, &["A1", "A2"]);
    deliver(&mut [&mut old, &mut new]);
    new.accept(&flow).unwrap();
    deliver(&mut [&mut old, &mut new]);
    let vouches = |client: &Client| {
        client.events.iter().find_map(|event| match event.what {
            What::Ready { vouches_for_own_user, .. } => Some(vouches_for_own_user),
            _ => None,
        })
    };
    assert_eq!((vouches(&old), vouches(&new)), (Some(true), Some(false)));
    new.start_sas(&flow).unwrap();
    deliver(&mut [&mut old, &mut new]);
    old.confirm(&flow).unwrap();
    new.confirm(&flow).unwrap();
    deliver(&mut [&mut old, &mut new]);
    assert_eq!((old.state(&flow), new.state(&flow)), (Some(FlowState::Done), Some(FlowState::Done)));
    let sign =
        |device_id: &str| Consequence::SignOwnDevice { device_id: device_id.into(), ed25519: key(device_id) };
    let trust = Consequence::TrustOwnMaster { master_signing_key: master(ALICE) };
    assert_eq!(old.verified().unwrap().consequences, [sign("A2")]);
    assert_eq!(new.verified().unwrap().consequences, [trust, sign("A1")]);
}

// XS-42, SAS-43: without identities only devices are verified, and that stays local.
#[test]
fn without_identities_only_devices_are_verified() {
    let (mut a, mut b) = (alice(), bob());
    a.store.trusted = false;
    b.store.trusted = false;
    let at_a = a.request_to_device(BOB, &["B1"]);
    let at_b = at(&a, &at_a);
    deliver(&mut [&mut a, &mut b]);
    b.accept(&at_b).unwrap();
    deliver(&mut [&mut a, &mut b]);
    a.start_sas(&at_a).unwrap();
    deliver(&mut [&mut a, &mut b]);
    a.confirm(&at_a).unwrap();
    b.confirm(&at_b).unwrap();
    deliver(&mut [&mut a, &mut b]);
    let verified = a.verified().unwrap();
    assert!(verified.is_device_only());
    assert_eq!(
        verified.consequences,
        [Consequence::TrustDevice { user_id: BOB.into(), device_id: "B1".into(), ed25519: key("B1") }]
    );
}

// QR-1, QR-2, QR-3, QR-11, QR-12, QR-22, QR-30, QR-32, QR-33, QR-34, QR-35, QR-36, VER-37
#[test]
fn two_users_verify_each_other_by_a_code() {
    for (in_room, a_shows, done_first) in
        [(false, true, false), (false, false, false), (true, true, false), (true, false, false)]
    {
        let _ = done_first;
        let (mut a, mut b, at_a, at_b) = ready(in_room);
        let (shows, scans, at_shows, at_scans) =
            if a_shows { (&mut a, &mut b, &at_a, &at_b) } else { (&mut b, &mut a, &at_b, &at_a) };
        let code = shows.show_qr(at_shows).unwrap();
        assert_eq!(shows.state(at_shows), Some(FlowState::QrShown));
        scans.scan(at_scans, &code).unwrap();
        assert_eq!(scans.state(at_scans), Some(FlowState::Started(Phase::Reciprocated)));
        deliver(&mut [shows, scans]);
        assert_eq!(shows.state(at_shows), Some(FlowState::Started(Phase::Scanned)));
        assert_eq!((shows.verified(), scans.verified()), (None, None), "attack 116: our user is asked first");
        shows.confirm(at_shows).unwrap();
        deliver(&mut [shows, scans]);
        assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Done), Some(FlowState::Done)));
        assert_eq!(a.verified(), Some(&user_verified(BOB, None)));
        assert_eq!(b.verified(), Some(&user_verified(ALICE, None)));
    }
}

// QR-11, QR-12, QR-23, QR-24, QR-35, QR-36, QR-39
#[test]
fn two_devices_of_a_user_verify_each_other_by_a_code() {
    for old_shows in [true, false] {
        let (mut old, mut new) = (alice(), Client::new(ALICE, "A2"));
        new.store.trusted = false;
        let flow = new.request_to_device(ALICE, &["A1"]);
        deliver(&mut [&mut old, &mut new]);
        old.accept(&flow).unwrap();
        deliver(&mut [&mut old, &mut new]);
        let methods = Methods { sas: true, show_qr: true, scan_qr: true };
        assert!(
            new.events
                .iter()
                .any(|event| matches!(&event.what, What::Ready { methods: m, .. } if *m == methods))
        );
        let (shows, scans) = if old_shows { (&mut old, &mut new) } else { (&mut new, &mut old) };
        let code = shows.show_qr(&flow).unwrap();
        assert_eq!(code[7], if old_shows { 1 } else { 2 }, "mode");
        scans.scan(&flow, &code).unwrap();
        deliver(&mut [shows, scans]);
        shows.confirm(&flow).unwrap();
        deliver(&mut [shows, scans]);
        let sign = Consequence::SignOwnDevice { device_id: "A2".into(), ed25519: key("A2") };
        let trust = Consequence::TrustOwnMaster { master_signing_key: master(ALICE) };
        assert_eq!(old.verified().unwrap().consequences, [sign]);
        assert_eq!(new.verified().unwrap().consequences, [trust]);
        assert_eq!((old.state(&flow), new.state(&flow)), (Some(FlowState::Done), Some(FlowState::Done)));
    }
}
