//! Whole verifications between two devices.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_qr_code::ScanError;
use mx_types::RandomnessFailed;
use mx_verification::{
    ActError, Consequence, FlowState, Incoming, Methods, Outgoing, Phase, Verified, Via, What,
};
use rand_chacha::rand_core::{TryCryptoRng, TryRng};
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

// QR-14, QR-20, QR-24: a code that is stale, unreadable, or that this device cannot vouch for, cancels nothing.
#[test]
fn a_scan_that_fails_here_is_said_here() {
    let (mut a, mut b, at_a, at_b) = ready(false);
    let (_, mut other, _, at_other) = ready(true);
    let stale = other.show_qr(&at_other).unwrap();
    assert_eq!(a.scan(&at_a, &stale), Err(ActError::Scan(ScanError::OtherFlow)));
    let code = b.show_qr(&at_b).unwrap();
    assert!(matches!(a.scan(&at_a, &code[..40]), Err(ActError::Code(_))));
    assert_eq!((a.state(&at_a), a.out.len()), (Some(FlowState::Ready), 0));
    a.scan(&at_a, &code).unwrap();

    let (mut one, mut two) = (alice(), Client::new(ALICE, "A2"));
    (one.store.trusted, two.store.trusted) = (false, false);
    let flow = one.request_to_device(ALICE, &["A2"]);
    deliver(&mut [&mut one, &mut two]);
    two.accept(&flow).unwrap();
    deliver(&mut [&mut one, &mut two]);
    let code = one.show_qr(&flow).unwrap();
    assert_eq!(two.scan(&flow, &code), Err(ActError::Scan(ScanError::OwnMasterNotTrusted)));
    two.start_sas(&flow).unwrap();
}

struct Broken;

impl TryRng for Broken {
    type Error = RandomnessFailed;

    fn try_next_u32(&mut self) -> Result<u32, RandomnessFailed> {
        Err(RandomnessFailed)
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomnessFailed> {
        Err(RandomnessFailed)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), RandomnessFailed> {
        Err(RandomnessFailed)
    }
}

impl TryCryptoRng for Broken {}

// Where the generator fails nothing has happened: the same message, or act, goes through later.
#[test]
fn a_generator_that_fails_loses_nothing() {
    for both_start in [false, true] {
        let (mut a, mut b, at_a, at_b) = ready(false);
        let time = a.time();
        assert!(a.machine.start_sas(&mut Broken, time, &at_a).is_err());
        assert_eq!(a.state(&at_a), Some(FlowState::Ready));
        assert!(a.machine.show_qr(&mut Broken, &a.store, &at_a).is_err());
        a.start_sas(&at_a).unwrap();
        if both_start {
            b.start_sas(&at_b).unwrap();
        }
        let before = b.state(&at_b);
        let start = a.out.remove(0);
        let via = Via::ToDevice { olm_sender: None };
        let message = Incoming { sender: ALICE, event_type: &start.event_type, content: &start.content, via };
        assert!(!format!("{message:?}").contains("hashes"));
        for _ in 0..2 {
            let time = b.time();
            assert_eq!(
                b.machine.receive(&mut Broken, time, &b.store, &message).unwrap_err(),
                RandomnessFailed
            );
            assert_eq!(b.state(&at_b), before);
        }
        b.receive(&start);
        deliver(&mut [&mut a, &mut b]);
        assert_eq!(a.short_string(), b.short_string());
        assert!(a.short_string().is_some());
    }
}

// A start has the secret of a code in it: it is not in `Debug`.
#[test]
fn debug_has_no_contents() {
    let (mut a, mut b, at_a, at_b) = ready(false);
    let code = b.show_qr(&at_b).unwrap();
    let time = a.time();
    let step = a.machine.scan(time, &a.store, &at_a, &code).unwrap();
    let Outgoing::ToDevice { content, .. } = &step.messages[0] else { panic!("to-device") };
    let secret = mx_types::base64::encode_to_string(&code[code.len() - 16..]);
    assert!(content.contains(&secret));
    let machines = format!("{step:?} {:?} {:?}", a.machine, b.machine);
    assert!(!machines.contains(&secret) && machines.contains("Reciprocated"));
    let bytes: Vec<String> = code[code.len() - 16..].iter().map(u8::to_string).collect();
    assert!(!machines.contains(&bytes.join(", ")));
}
