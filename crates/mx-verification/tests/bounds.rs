//! What a device keeps, whatever comes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use mx_types::UserId;
use mx_verification::{Config, FlowState, Limits, RequestError};
use serde_json::json;
use support::table::Stage;
use support::{ALICE, BOB, Client, Way, alice};

/// A request of a device of Bob's that nobody else has.
fn request(stage: &mut Stage, number: usize) -> support::Message {
    let device_id = format!("D{number}");
    let devices = &mut stage.a.store.user_mut(BOB).devices;
    devices.push((device_id.clone(), support::key(&device_id)));
    let content = json!({
        "from_device": device_id, "methods": ["m.sas.v1"], "timestamp": support::EPOCH + stage.a.now,
        "transaction_id": format!("t{number}"),
    });
    stage.message("request", content)
}

// VER-75: a 17th is ignored, and makes no room for itself; one of our own is refused before anything is sent.
#[test]
fn sixteen_verifications_at_a_time() {
    let mut stage = Stage::new("Idle", false);
    for number in 0..20 {
        let message = request(&mut stage, number);
        stage.a.receive(&message);
        assert_eq!(stage.a.machine.flows().count(), 16.min(number + 1));
    }
    assert!(stage.a.sent().is_empty());
    let (time, alice_id) = (stage.a.time(), UserId::parse(ALICE).unwrap());
    let client = &mut stage.a;
    let refused = client.machine.request_to_device(&mut client.rng, time, &client.store, alice_id, &["A2"]);
    assert_eq!(refused.unwrap_err(), RequestError::TooManyFlows);
    assert_eq!(stage.a.machine.flows().count(), 16);

    // One that has verified, and only waits for `done`, makes room.
    let mut stage = Stage::new("WaitDone", false);
    for number in 0..16 {
        let message = request(&mut stage, number);
        stage.a.receive(&message);
    }
    assert_eq!(stage.a.machine.flows().count(), 16);
    assert_eq!(stage.a.state(&stage.flow), Some(FlowState::Done));
}

// VER-75
#[test]
fn a_request_goes_to_256_devices_at_most() {
    let mut a = alice();
    let device_ids: Vec<String> = (0..257).map(|number| format!("B{number}")).collect();
    let device_ids: Vec<&str> = device_ids.iter().map(String::as_str).collect();
    let (time, bob_id) = (a.time(), UserId::parse(BOB).unwrap());
    let refused = a.machine.request_to_device(&mut a.rng, time, &a.store, bob_id, &device_ids);
    assert_eq!(refused.unwrap_err(), RequestError::TooManyDevices { count: 257 });
    assert!(a.machine.request_to_device(&mut a.rng, time, &a.store, bob_id, &device_ids[1..]).is_ok());
}

// VER-35, VER-75: nine messages wait in a flow, and sixteen flows.
#[test]
fn messages_that_wait_are_bounded() {
    let mut stage = Stage::new("Idle", false);
    stage.a.store.user_mut(BOB).is_outdated = true;
    for number in 0..40 {
        let message = request(&mut stage, number);
        stage.a.receive(&message);
    }
    assert_eq!(stage.a.queries.len(), 16);
    // Behind the first: twelve starts, of which eight are kept, each an attempt that ends all.
    let limits = Limits { held: 2, ..Limits::DEFAULT };
    let mut a = Client::with(ALICE, "A1", Config { limits, ..Config::DEFAULT });
    a.store.user_mut(BOB).is_outdated = true;
    let mut stage = Stage::new("Idle", false);
    let first = request(&mut stage, 1);
    a.store.users = stage.a.store.users.clone();
    a.store.user_mut(BOB).is_outdated = true;
    a.receive(&first);
    for code in ["m.a", "m.b", "m.c", "m.d"] {
        let content = json!({ "code": code, "reason": "", "transaction_id": "t1" });
        a.receive(&stage.message("cancel", content));
    }
    a.store.user_mut(BOB).is_outdated = false;
    a.keys_changed(BOB);
    assert_eq!(a.cancel_code().as_deref(), Some("them m.a"));
}

// VER-48, VER-75, VER-80: IDs that nobody knows are remembered, and answered, sixteen at a time.
#[test]
fn unknown_ids_are_bounded() {
    let mut stage = Stage::new("Idle", false);
    let mut answered = 0;
    for number in 0..100 {
        for (name, content) in [
            ("done", json!({ "transaction_id": format!("d{number}") })),
            ("cancel", json!({ "transaction_id": format!("c{number}"), "code": "m.user", "reason": "" })),
        ] {
            let mut message = stage.message(name, content);
            if let Way::ToDevice { olm, .. } = &mut message.way {
                *olm = true;
            }
            stage.a.receive(&message);
            answered += stage.a.sent().len();
        }
    }
    assert_eq!(answered, 16);
    // Ten minutes later there is room again.
    stage.a.pass(10 * support::MINUTE);
    let mut message = stage.message("done", json!({ "transaction_id": "d99" }));
    if let Way::ToDevice { olm, .. } = &mut message.way {
        *olm = true;
    }
    stage.a.receive(&message);
    assert_eq!(stage.a.sent(), ["m.unknown_transaction B1"]);
}

// VER-21, VER-75: what is remembered of a flow's messages is bounded, and so is that of flows that are over.
#[test]
fn what_is_over_is_forgotten_in_time() {
    let limits = Limits { remembered: 4, ..Limits::DEFAULT };
    let mut a = Client::with(ALICE, "A1", Config { limits, ..Config::DEFAULT });
    let flows: Vec<_> = (0..6).map(|_| a.request_to_device(BOB, &["B1"])).collect();
    let known: Vec<bool> = flows.iter().map(|flow| a.state(flow).is_some()).collect();
    assert_eq!(known, [false, true, true, true, true, true]);
}
