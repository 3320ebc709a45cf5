//! Timers and restarts.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_pickle::{Generation, PickleKey, UnpickleError};
use mx_types::{DeviceId, UserId};
use mx_verification::{Config, FlowState, Limits, What};
use support::table::Stage;
use support::{ALICE, BOB, Client, MINUTE, Verifications, alice, at, bob, deliver, key};

// VER-70, VER-71, VER-72, VER-73
#[test]
fn both_waits_are_parameters_and_time_is_an_argument() {
    let limits = Limits { lifetime_ms: 60 * MINUTE, idle_ms: 3 * MINUTE, ..Limits::DEFAULT };
    let mut a = Client::with(ALICE, "A1", Config { limits, ..Config::DEFAULT });
    let mut b = bob();
    let flow = a.request_to_device(BOB, &["B1"]);
    deliver(&mut [&mut a, &mut b]);
    a.pass(2 * MINUTE);
    b.accept(&at(&a, &flow)).unwrap();
    deliver(&mut [&mut a, &mut b]);
    a.pass(3 * MINUTE - 1);
    assert_eq!(a.state(&flow), Some(FlowState::Ready), "a message has come meanwhile");
    assert_eq!(a.machine.next_tick(), Some(a.now + 1));
    a.pass(1);
    assert_eq!(a.sent(), ["m.timeout B1"]);
    assert_eq!(a.cancel_code().as_deref(), Some("us m.timeout"));
    a.pass(10 * MINUTE);
    assert_eq!((a.state(&flow), a.machine.next_tick()), (None, None), "forgotten");
    // A message after its time finds the flow over, also without a tick.
    let mut stage = Stage::new("Sent", false);
    stage.a.now += 10 * MINUTE;
    stage.happen("ready");
    assert_eq!(stage.result(), "Cancelled [m.timeout B1,B2]");
}

fn restart(client: &mut Client) {
    let pickle_key = PickleKey::new(&[7; 32]);
    let pickle = client.machine.pickle_to_vec(&mut client.rng, &pickle_key).unwrap();
    assert_eq!(client.machine.generation(), Generation::of(&pickle).unwrap());
    client.now = 5;
    let time = client.time();
    let user_id = UserId::parse(client.user_id).unwrap();
    let device_id = DeviceId::parse(client.device_id).unwrap();
    let restore = |oldest, pickle: &[u8]| {
        let ed25519 = key(device_id.as_str());
        Verifications::from_pickle(
            user_id,
            device_id,
            ed25519,
            Config::DEFAULT,
            time,
            &pickle_key,
            oldest,
            pickle,
        )
    };
    let newer = Generation::of(&pickle).unwrap().next().unwrap();
    assert!(matches!(restore(newer, &pickle), Err(UnpickleError::Stale { .. })));
    for len in 0..pickle.len() {
        assert!(restore(Generation::NEVER_PICKLED, &pickle[..len]).is_err());
    }
    let (machine, step) = restore(Generation::NEVER_PICKLED, &pickle).unwrap();
    client.machine = machine;
    client.apply(step);
}

// VER-76, SAS section 6, QR section 5
#[test]
fn a_restart_in_each_state() {
    let cells = [
        ("Sent", "Cancelled [m.timeout B1,B2]"),
        ("Requested", "Idle"),
        ("Ready", "Cancelled [m.timeout B1]"),
        ("answered", "Cancelled [m.timeout B1]"),
        ("QrShown", "Cancelled [m.timeout B1]"),
        ("StartSent", "Cancelled [m.timeout B1]"),
        ("KeySent", "Cancelled [m.timeout B1]"),
        ("AcceptSent", "Cancelled [m.timeout B1]"),
        ("Compare", "Cancelled [m.timeout B1]"),
        ("PeerConfirmed", "Cancelled [m.timeout B1]"),
        ("MacSent", "Cancelled [m.timeout B1]"),
        ("Scanned", "Cancelled [m.timeout B1]"),
        ("Reciprocated", "Cancelled [m.timeout B1]"),
        ("WaitDone", "Done"),
        ("Confirmed", "Done"),
        ("Done", "Done"),
        ("Cancelled", "Cancelled"),
    ];
    for (state, expected) in cells {
        let mut stage = Stage::new(state, false);
        restart(&mut stage.a);
        assert_eq!(stage.result(), expected, "{state}");
        // What is read again opens nothing.
        if state != "Requested" {
            stage.happen("SAS");
            assert_eq!(stage.result(), expected.split(' ').next().unwrap(), "{state}");
        }
        stage.a.pass(10 * MINUTE);
        assert_eq!(stage.result(), "Idle");
        assert_eq!(stage.a.machine.flows().count(), 0);
    }
    let mut stage = Stage::new("Compare", true);
    restart(&mut stage.a);
    assert_eq!(stage.result(), "Cancelled [m.timeout]");
    let mut stage = Stage::new("Passive", true);
    restart(&mut stage.a);
    assert_eq!(stage.result(), "Passive");
}

// VER-76: a request that nobody had accepted is shown when it comes again, and something was verified before is not withdrawn.
#[test]
fn what_comes_again_after_a_restart() {
    let (mut a, mut b) = (alice(), bob());
    a.request_to_device(BOB, &["B1"]);
    let request = a.out.remove(0);
    b.receive(&request);
    restart(&mut b);
    b.receive(&request);
    let shown = b.events.iter().filter(|event| matches!(event.what, What::Requested { .. })).count();
    assert_eq!(shown, 2);
    assert!(b.out.is_empty());
}

// VER-76: whatever must survive is said to be saved, before the messages go out.
#[test]
fn steps_say_when_to_save() {
    let (mut a, mut b) = (alice(), bob());
    let flow = a.request_to_device(BOB, &["B1"]);
    assert_eq!(a.saves, 1);
    deliver(&mut [&mut a, &mut b]);
    assert_eq!(b.saves, 1);
    b.accept(&at(&a, &flow)).unwrap();
    assert_eq!(b.saves, 2);
    deliver(&mut [&mut a, &mut b]);
    assert_eq!(a.saves, 2, "the device is known");
    a.start_sas(&flow).unwrap();
    assert_eq!(a.saves, 2, "methods are not stored");
    a.cancel(&flow).unwrap();
    assert_eq!(a.saves, 3);
}
