//! Requests: how old, to whom, from whom, with which keys, and answers that nobody waits for.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_types::UserId;
use mx_verification::{ActError, Config, FlowState, Methods, RequestError, What};
use serde_json::json;
use support::table::Stage;
use support::{ALICE, BOB, Client, EPOCH, MINUTE, Way, alice, at, bob, deliver};

fn requested(client: &Client) -> usize {
    client.events.iter().filter(|event| matches!(event.what, What::Requested { .. })).count()
}

// VER-30
#[test]
fn requests_are_taken_from_ten_minutes_old_to_five_ahead() {
    for in_room in [false, true] {
        for (offset, taken) in
            [(-600_001_i64, false), (-600_000, true), (0, true), (300_000, true), (300_001, false)]
        {
            let (mut a, mut b) = (alice(), bob());
            b.now = 20 * MINUTE;
            a.now = b.now.checked_add_signed(offset).unwrap();
            if in_room {
                drop(a.request_in_room(BOB))
            } else {
                drop(a.request_to_device(BOB, &["B1"]))
            }
            b.receive(&a.out.remove(0));
            assert_eq!(requested(&b), usize::from(taken), "{offset}");
            assert!(b.out.is_empty(), "nothing is answered");
        }
    }
}

// VER-34: whichever comes first, ten minutes after it was sent or two after it came.
#[test]
fn a_prompt_is_dismissed_when_its_time_is_over() {
    for (age, ms) in [(0, 2 * MINUTE), (9 * MINUTE, MINUTE), (10 * MINUTE, 0)] {
        let (mut a, mut b) = (alice(), bob());
        b.now = a.now + age;
        let flow = a.request_to_device(BOB, &["B1"]);
        deliver(&mut [&mut a, &mut b]);
        let flow = at(&a, &flow);
        if ms > 0 {
            b.pass(ms - 1);
            assert_eq!(b.state(&flow), Some(FlowState::Requested));
            assert_eq!(b.machine.next_tick(), Some(b.now + 1));
        }
        b.pass(1);
        assert_eq!(b.state(&flow), Some(FlowState::Passive));
        assert_eq!(b.events.last().unwrap().what, What::Dismissed);
        assert_eq!(b.accept(&flow), Err(ActError::UnknownFlow));
        assert!(b.out.is_empty(), "nothing is sent");
    }
}

// VER-5, VER-31, VER-32, VER-40, VER-44, VER-68
#[test]
fn one_request_goes_to_several_devices_and_never_to_this_one() {
    let mut a = alice();
    let flow = a.request_to_device(ALICE, &["A2", "A1", "A2"]);
    assert_eq!(flow.id.len(), 32);
    assert_ne!(flow.id, a.request_to_device(BOB, &["B1"]).id);
    assert_eq!(a.sent(), ["request A2", "request B1"]);
    let time = a.time();
    let own = UserId::parse(ALICE).unwrap();
    let nobody = a.machine.request_to_device(&mut a.rng, time, &a.store, own, &["A1"]);
    assert_eq!(nobody.unwrap_err(), RequestError::NoDevices);

    let mut a = alice();
    let mut devices = ["B1", "B2", "B3"].map(|device_id| Client::new(BOB, device_id));
    let [one, two, three] = &mut devices;
    let flow = a.request_to_device(BOB, &["B1", "B2", "B3"]);
    deliver(&mut [&mut a, one, two, three]);
    two.accept(&at(&a, &flow)).unwrap();
    deliver(&mut [&mut a, one, two, three]);
    for other in [one, three] {
        assert_eq!(other.state(&at(&a, &flow)), Some(FlowState::Passive));
        assert_eq!(other.events.last().unwrap().what, What::Elsewhere);
    }
    assert_eq!((a.state(&flow), two.state(&at(&a, &flow))), (Some(FlowState::Ready), Some(FlowState::Ready)));
}

// VER-41
#[test]
fn what_one_device_declines_is_over_for_all() {
    let (mut a, mut one, mut two) = (alice(), bob(), Client::new(BOB, "B2"));
    let flow = a.request_to_device(BOB, &["B1", "B2"]);
    deliver(&mut [&mut a, &mut one, &mut two]);
    one.cancel(&at(&a, &flow)).unwrap();
    deliver(&mut [&mut a, &mut one, &mut two]);
    assert_eq!(a.cancel_code().as_deref(), Some("them m.user"));
    assert_eq!(two.cancel_code().as_deref(), Some("them m.user"));
}

// VER-33, VER-37
#[test]
fn without_a_common_method_the_user_is_told() {
    let (mut a, mut b) = (alice(), bob());
    let flow = a.request_to_device(BOB, &["B1"]);
    let mut request = a.out.remove(0);
    request.content = request.content.replace("m.", "org.example.");
    request.content = request.content.replace("org.example.org", "example.org");
    b.receive(&request);
    let flow = at(&a, &flow);
    let What::Requested { methods, .. } = &b.events[0].what else { panic!("request") };
    assert!(methods.is_empty());
    assert_eq!(b.accept(&flow), Err(ActError::NoCommonMethod));
    assert_eq!(b.state(&flow), Some(FlowState::Requested));
    b.cancel(&flow).unwrap();
    assert_eq!(b.sent(), ["m.user A1"]);
}

// VER-18, VER-37, QR-1, QR-2, QR-4
#[test]
fn methods_are_listed_where_they_can_succeed_and_answered_the_other_way_round() {
    let listed = |client: &Client| {
        let methods = client.out[0].json()["methods"].clone();
        let methods: Vec<String> = serde_json::from_value(methods).unwrap();
        methods.join(" ").replace("m.qr_code.", "").replace("m.", "").replace(".v1", "")
    };
    let request = |trusted: bool, own_master: bool, their_master: bool| {
        let mut a = alice();
        a.store.trusted = trusted;
        if !own_master {
            a.store.user_mut(ALICE).master_signing_key = None;
        }
        if !their_master {
            a.store.user_mut(BOB).master_signing_key = None;
        }
        a.request_to_device(BOB, &["B1"]);
        listed(&a)
    };
    assert_eq!(request(true, true, true), "sas show scan reciprocate");
    assert_eq!(request(false, true, true), "sas");
    assert_eq!(request(true, false, true), "sas");
    assert_eq!(request(true, true, false), "sas");
    let mut a = alice();
    a.store.trusted = false;
    a.request_to_device(ALICE, &["A2"]);
    assert_eq!(listed(&a), "sas show scan reciprocate");

    // Bob only scans.
    let (mut a, config) = (alice(), Config { show_qr: false, ..Config::DEFAULT });
    let mut b = Client::with(BOB, "B1", config);
    let flow = a.request_to_device(BOB, &["B1"]);
    deliver(&mut [&mut a, &mut b]);
    b.accept(&at(&a, &flow)).unwrap();
    assert_eq!(listed(&b), "sas scan reciprocate");
    deliver(&mut [&mut a, &mut b]);
    let What::Ready { methods, .. } = &a.events[0].what else { panic!("ready") };
    assert_eq!(*methods, Methods { sas: true, show_qr: true, scan_qr: false });
    assert_eq!(a.scan(&flow, &[]), Err(ActError::NotInCommon));
    assert_eq!(b.show_qr(&at(&a, &flow)), Err(ActError::NotInCommon));
    // What the lists said does not hold any more: nothing is cancelled.
    a.store.trusted = false;
    assert_eq!(a.show_qr(&flow), Err(ActError::NoMasterSigningKey));
    assert_eq!(a.state(&flow), Some(FlowState::Ready));
}

// VER-35, SAS-63
#[test]
fn messages_wait_for_keys() {
    // A request from a device that is not known yet, and what comes after it.
    let (mut a, mut b) = (alice(), bob());
    b.store.user_mut(ALICE).devices.clear();
    let flow = a.request_to_device(BOB, &["B1"]);
    deliver(&mut [&mut a, &mut b]);
    assert_eq!((b.queries.as_slice(), requested(&b)), ([ALICE.to_owned()].as_slice(), 0));
    b.store = support::Store::new();
    b.keys_changed(ALICE);
    assert_eq!(requested(&b), 1);

    // A list that is outdated: the ready waits, and so does what comes behind it.
    a.store.user_mut(BOB).is_outdated = true;
    let at_b = at(&a, &flow);
    b.accept(&at_b).unwrap();
    b.start_sas(&at_b).unwrap();
    deliver(&mut [&mut a, &mut b]);
    assert_eq!((a.queries.as_slice(), a.state(&flow)), ([BOB.to_owned()].as_slice(), Some(FlowState::Sent)));
    // A query that failed leaves the list as it is.
    a.keys_changed(BOB);
    assert_eq!(a.state(&flow), Some(FlowState::Sent));
    a.store.user_mut(BOB).is_outdated = false;
    a.keys_changed(BOB);
    deliver(&mut [&mut a, &mut b]);
    assert_eq!(a.short_string(), b.short_string());
    assert!(a.short_string().is_some());
}

// VER-35
#[test]
fn keys_that_never_come() {
    // A request was not seen; a ready, or a start without a request, is m.key_mismatch: after the query, or after 30 seconds.
    for after_query in [true, false] {
        for event in ["another request", "ready", "SAS"] {
            let mut stage = Stage::new(if event == "ready" { "Sent" } else { "Idle" }, false);
            let devices = &mut stage.a.store.user_mut(BOB).devices;
            devices.clear();
            if !after_query {
                stage.a.store.user_mut(BOB).is_outdated = true;
            }
            stage.happen(event);
            assert_eq!(stage.a.queries, [BOB]);
            assert!(stage.a.out.is_empty());
            if after_query {
                stage.a.keys_changed(BOB);
            } else {
                stage.a.keys_changed(BOB);
                stage.a.pass(29_999);
                assert!(stage.a.out.is_empty());
                stage.a.pass(1);
            }
            let expected = match event {
                "ready" => "Cancelled [m.key_mismatch B1,B2]",
                "SAS" => "Cancelled [m.key_mismatch B1]",
                _ => "Idle",
            };
            assert_eq!(stage.result(), expected);
        }
    }
}

// VER-48
#[test]
fn a_cancel_that_comes_before_its_request() {
    let (mut a, mut b) = (alice(), bob());
    let flow = a.request_to_device(BOB, &["B1"]);
    a.cancel(&flow).unwrap();
    a.out.reverse();
    deliver(&mut [&mut a, &mut b]);
    assert_eq!(requested(&b), 0);
}

// VER-62, VER-80
#[test]
fn unknown_transactions_are_answered_once_where_the_device_is_known() {
    for (event, olm, answered) in [
        ("ready", false, true),
        ("key", false, false),
        ("key", true, true),
        ("done", true, true),
        ("mac", true, true),
        ("rx accept", true, true),
        ("rx cancel", true, false),
    ] {
        let mut stage = Stage::new("Idle", false);
        for attempt in 0..2 {
            let mut message = stage.message(
                event.trim_start_matches("rx "),
                match event {
                    "ready" => json!({ "from_device": "B1", "methods": ["m.sas.v1"], "x": attempt }),
                    "key" => json!({ "key": "eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo", "x": attempt }),
                    "mac" => json!({ "mac": {}, "keys": "eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo" }),
                    "rx accept" => json!({
                        "commitment": "eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo", "hash": "sha256",
                        "key_agreement_protocol": "k", "message_authentication_code": "m",
                        "short_authentication_string": ["decimal"],
                    }),
                    _ => json!({ "code": "m.user", "reason": "" }),
                },
            );
            if let Way::ToDevice { olm: through_olm, .. } = &mut message.way {
                *through_olm = olm;
            }
            stage.a.receive(&message);
            let expected: &[&str] =
                if answered && attempt == 0 { &["m.unknown_transaction B1"] } else { &[] };
            assert_eq!(stage.a.sent(), expected, "{event}");
        }
        let mut in_room = Stage::new("Sent", true);
        in_room.flow.id = "$other".into();
        in_room.happen(event);
        assert!(in_room.a.out.is_empty(), "in rooms, history is read again");
    }
}

// VER-19, VER-22
#[test]
fn what_this_device_has_sent_itself_is_no_input() {
    let mut a = alice();
    a.request_to_device(ALICE, &["A2"]);
    let mut echo = a.out.remove(0);
    echo.way = Way::ToDevice { user_id: ALICE.into(), device_ids: vec!["A1".into()], olm: false };
    a.receive(&echo);
    assert_eq!(requested(&a), 0);
    for event_type in ["ready", "start"] {
        let mut stage = Stage::new("Sent", false);
        let mut message =
            stage.message(event_type, json!({ "from_device": "A1", "methods": [], "method": "m" }));
        message.sender = ALICE.into();
        stage.a.receive(&message);
        assert_eq!(stage.result(), "Sent");
    }
    // Another device of ours asks somebody, or us, in a room.
    let (mut a1, mut a2) = (alice(), Client::new(ALICE, "A2"));
    a2.request_in_room(BOB);
    deliver(&mut [&mut a1, &mut a2]);
    assert_eq!((requested(&a1), requested(&a2)), (0, 0));
}

// VER-83, VER-86, VER-39, VER-46
#[test]
fn messages_through_olm_count_only_from_the_device_of_the_flow() {
    for (device_id, state) in [("B1", "Cancelled"), ("B2", "Ready"), ("B3", "Ready")] {
        let mut stage = Stage::new("Ready", false);
        let mut cancel = stage.message("cancel", json!({ "code": "m.user", "reason": "" }));
        cancel.from_device = device_id.into();
        let Way::ToDevice { olm, .. } = &mut cancel.way else { panic!("to-device") };
        *olm = true;
        stage.a.receive(&cancel);
        assert_eq!(stage.result(), state, "{device_id}: and nothing is sent on");
    }
    // All of it through Olm.
    let (mut a, mut b) = (alice(), bob());
    let flow = a.request_to_device(BOB, &["B1"]);
    let olm = |from: &mut Client, to: &mut Client| {
        for mut message in from.out.split_off(0) {
            let Way::ToDevice { olm, .. } = &mut message.way else { panic!("to-device") };
            *olm = true;
            to.receive(&message);
        }
    };
    olm(&mut a, &mut b);
    b.accept(&at(&a, &flow)).unwrap();
    olm(&mut b, &mut a);
    a.start_sas(&flow).unwrap();
    for _ in 0..2 {
        olm(&mut a, &mut b);
        olm(&mut b, &mut a);
    }
    assert_eq!(a.short_string(), b.short_string());
    assert!(a.short_string().is_some());
}

// VER-74: both ask at the same time, whoever reads first; then they verify each other.
#[test]
fn crossing_requests() {
    for in_room in [false, true] {
        let (mut a, mut b) = (alice(), bob());
        let at_a = if in_room { a.request_in_room(BOB) } else { a.request_to_device(BOB, &["B1"]) };
        let bobs = if in_room { b.request_in_room(ALICE) } else { b.request_to_device(ALICE, &["A1"]) };
        deliver(&mut [&mut a, &mut b]);
        let at_b = at(&a, &at_a);
        assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Sent), Some(FlowState::Requested)));
        assert_eq!(b.state(&bobs), Some(FlowState::Cancelled));
        assert_eq!(requested(&a), 0);
        b.accept(&at_b).unwrap();
        deliver(&mut [&mut a, &mut b]);
        assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Ready), Some(FlowState::Ready)));
        // A new request of ours ends what we had begun.
        let again = if in_room { a.request_in_room(BOB) } else { a.request_to_device(BOB, &["B1"]) };
        deliver(&mut [&mut a, &mut b]);
        assert_eq!(
            (a.state(&at_a), b.state(&at_b)),
            (Some(FlowState::Cancelled), Some(FlowState::Cancelled))
        );
        assert_eq!(b.state(&at(&a, &again)), Some(FlowState::Requested));
    }
}

// VER-1: the answer of a fast server comes before the ID of the request's event.
#[test]
fn an_answer_that_comes_before_the_id_of_the_request() {
    use mx_types::RoomId;
    use support::ROOM;
    let (mut a, mut b) = (alice(), bob());
    let (time, bob_id) = (a.time(), UserId::parse(BOB).unwrap());
    let (request, step) =
        a.machine.request_in_room(time, &a.store, RoomId::parse(ROOM).unwrap(), bob_id).unwrap();
    let mx_verification::Outgoing::RoomRequest { content, .. } = &step.messages[0] else { panic!("request") };
    let message = support::Message {
        sender: ALICE.into(),
        from_device: "A1".into(),
        event_type: "m.room.message".into(),
        content: content.clone(),
        way: Way::Room { event_id: "$request".into(), sent: EPOCH + a.now },
    };
    b.receive(&message);
    let flow = b.events[0].flow.clone();
    b.accept(&flow).unwrap();
    let ready = b.out.remove(0);
    a.receive(&ready);
    let sent = a.machine.request_sent(&mut a.rng, time, &a.store, request, "$request");
    let (flow, step) = sent.unwrap();
    a.apply(step);
    assert_eq!(a.state(&flow), Some(FlowState::Ready));
    let again = a.machine.request_sent(&mut a.rng, time, &a.store, request, "$request");
    assert_eq!(again.unwrap_err(), RequestError::UnknownRequest);
}
