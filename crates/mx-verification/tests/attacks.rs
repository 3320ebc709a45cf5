//! Attacks on whole flows.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_types::UserId;
use mx_verification::{ActError, Cancelled, FlowState, Phase, Reason, RequestError, What};
use serde_json::json;
use support::table::{Stage, check};
use support::{ALICE, BOB, MALLORY, Message, Way, alice, at, bob, deliver, key, ready};

fn comparing(in_room: bool) -> Stage {
    let mut stage = Stage::new("Compare", in_room);
    stage.a.out.clear();
    stage
}

// SAS-16: a key before the accept, and a second one.
#[test]
fn attack_097_a_key_out_of_turn() {
    let x = "Cancelled [m.unexpected_message B1]";
    check(false, "key", &[("StartSent", x), ("Compare", x), ("PeerConfirmed", x), ("MacSent", x)]);
    // Ours is not sent before their accept, or their key.
    for (state, sent) in [("StartSent", "start"), ("AcceptSent", "accept")] {
        let (mut a, mut b, at_a, at_b) = ready(false);
        if state == "StartSent" {
            a.start_sas(&at_a).unwrap();
        } else {
            b.start_sas(&at_b).unwrap();
            a.receive(&b.out.remove(0));
        }
        assert_eq!(a.sent(), [format!("{sent} B1")]);
    }
}

// VER-85, XS-30, XS-32, SAS-40
#[test]
fn attack_103_a_device_named_like_a_key_is_not_verified() {
    for (user_id, padding) in [(BOB, ""), (BOB, "="), (ALICE, "")] {
        let own = [format!("master {user_id}"), format!("self {user_id}")];
        for name in own {
            let spoil = |client: &mut support::Client| {
                let device_id = format!("{}{padding}", key(&name));
                client.store.user_mut(user_id).devices.push((device_id, key("B1")));
            };
            // Nobody is asked,
            let mut a = alice();
            spoil(&mut a);
            let (time, bob_id) = (a.time(), UserId::parse(BOB).unwrap());
            let refused = a.machine.request_to_device(&mut a.rng, time, &a.store, bob_id, &["B1"]);
            assert_eq!(refused.unwrap_err(), RequestError::DeviceIdIsSigningKey);
            // an answer ends it,
            let mut stage = Stage::new("Sent", false);
            spoil(&mut stage.a);
            stage.happen("ready");
            assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1,B2]");
            let What::Cancelled(Cancelled::ByUs(reason)) = &stage.a.events[0].what else { panic!("end") };
            assert_eq!(*reason, Reason::DeviceIdIsSigningKey, "the user is warned");
            // a request is not accepted,
            let mut stage = Stage::new("Requested", false);
            spoil(&mut stage.a);
            stage.happen("accept");
            assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]");
            // a start without one is not taken,
            let mut stage = Stage::new("Idle", false);
            spoil(&mut stage.a);
            stage.happen("SAS");
            assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]");
            // and one that turns up in the middle ends it, too.
            let mut stage = Stage::new("PeerConfirmed", false);
            spoil(&mut stage.a);
            stage.happen("confirm");
            assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]");
            assert_eq!(stage.a.verified(), None);
        }
    }
}

// VER-65, VER-84, XS-31, XS-44
#[test]
fn attack_105_keys_that_change_in_the_middle() {
    let changes: [fn(&mut support::Client); 6] = [
        |client| client.store.user_mut(BOB).devices[0].1 = key("other"),
        |client| drop(client.store.user_mut(BOB).devices.remove(0)),
        |client| client.store.user_mut(BOB).master_signing_key = Some(key("other")),
        |client| client.store.user_mut(BOB).master_signing_key = None,
        |client| client.store.user_mut(ALICE).master_signing_key = Some(key("other")),
        |client| client.store.user_mut(ALICE).master_signing_key = None,
    ];
    for change in changes {
        for state in ["Ready", "Compare", "PeerConfirmed"] {
            let mut stage = Stage::new(state, false);
            change(&mut stage.a);
            if state == "Ready" {
                stage.a.start_sas(&stage.flow.clone()).unwrap();
            }
            if state != "PeerConfirmed" {
                deliver(&mut [&mut stage.a, &mut stage.b]);
                stage.b.confirm(&stage.at_b).unwrap();
                deliver(&mut [&mut stage.a, &mut stage.b]);
            }
            stage.happen("confirm");
            assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]", "{state}");
            assert_eq!(stage.a.verified(), None);
        }
        let mut stage = Stage::new("Scanned", false);
        change(&mut stage.a);
        stage.happen("confirm");
        assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]");
        let mut stage = Stage::new("Reciprocated", false);
        stage.a.out.clear();
        change(&mut stage.a);
        stage.happen("done");
        assert_eq!(stage.result(), "Cancelled [m.key_mismatch B1]");
        assert_eq!(stage.a.verified(), None);
    }
}

// VER-4, VER-6, VER-21, VER-66
#[test]
fn attack_106_a_third_party_in_the_flow() {
    for in_room in [false, true] {
        for name in ["ready", "start", "accept", "key", "mac", "done", "cancel"] {
            for state in ["Requested", "Ready", "KeySent", "Compare", "Scanned", "WaitDone"] {
                let mut stage = Stage::new(state, in_room);
                let before = stage.a.state(&stage.flow);
                let message =
                    stage.message_of(MALLORY, "M1", name, json!({ "from_device": "M1", "code": "m.user" }));
                stage.a.receive(&message);
                assert_eq!(stage.a.state(&stage.flow), before, "{name} in {state}");
                assert!(stage.a.sent().is_empty() && stage.a.events.is_empty());
                // Over the other way, with the right name.
                let mut other = message.clone();
                other.sender = BOB.into();
                other.from_device = "B1".into();
                let mut content = json!({ "code": "m.user", "reason": "", "transaction_id": stage.flow.id });
                content["m.relates_to"] = json!({ "event_id": stage.flow.id, "rel_type": "m.reference" });
                other.content = content.to_string();
                other.event_type = "m.key.verification.cancel".into();
                other.way = if in_room {
                    Way::ToDevice { user_id: ALICE.into(), device_ids: vec!["A1".into()], olm: false }
                } else {
                    Way::Room { event_id: "$other".into(), sent: 0 }
                };
                stage.a.receive(&other);
                assert_eq!(stage.a.state(&stage.flow), before);
                assert!(stage.a.sent().is_empty());
            }
        }
        // A request in a room that asks somebody else.
        let (mut mallory, mut b) = (support::Client::new(MALLORY, "M1"), bob());
        let mut request = {
            mallory.request_in_room(ALICE);
            mallory.out.remove(0)
        };
        b.receive(&request);
        assert!(b.events.is_empty());
        request.content = request.content.replace(ALICE, BOB);
        b.receive(&request);
        assert_eq!(b.events.len(), 1);
    }
}

// SAS-37, SAS-38, SAS-44, VER-92
#[test]
fn attack_107_macs_added_removed_or_renamed() {
    type Spoil = fn(&mut serde_json::Value);
    let spoil: [(Spoil, &str); 5] = [
        (
            |content| content["mac"]["ed25519:X"] = json!("eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo"),
            "m.key_mismatch",
        ),
        (|content| drop(content["mac"].as_object_mut().unwrap().remove("ed25519:B1")), "m.key_mismatch"),
        (|content| content["mac"] = json!({}), "m.key_mismatch"),
        (|content| content["keys"] = json!("eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo"), "m.key_mismatch"),
        (|content| content["keys"] = json!("short"), "m.invalid_message"),
    ];
    for (spoil, code) in spoil {
        for confirm_first in [true, false] {
            let mut stage = comparing(false);
            if confirm_first {
                stage.happen("confirm");
                stage.a.out.clear();
            }
            stage.b.confirm(&stage.at_b).unwrap();
            let mut mac: Message = stage.b.out.remove(0);
            let mut content = mac.json();
            spoil(&mut content);
            mac.content = content.to_string();
            stage.a.receive(&mac);
            assert_eq!(stage.result(), format!("Cancelled [{code} B1]"));
            assert_eq!(stage.a.verified(), None);
        }
    }
}

// VER-50, VER-52, VER-53: both start, in each order of delivery; then they verify each other.
#[test]
fn attack_109_both_start_the_same() {
    for in_room in [false, true] {
        for order in [[true, true], [true, false], [false, true], [false, false]] {
            let (mut a, mut b, at_a, at_b) = ready(in_room);
            a.start_sas(&at_a).unwrap();
            b.start_sas(&at_b).unwrap();
            for to_bob in order {
                let from = if to_bob { &mut a } else { &mut b };
                if !from.out.is_empty() {
                    let message = from.out.remove(0);
                    a.receive(&message);
                    b.receive(&message);
                }
            }
            deliver(&mut [&mut a, &mut b]);
            assert_eq!(a.state(&at_a), Some(FlowState::Started(Phase::Compare)));
            assert_eq!(a.short_string(), b.short_string());
            a.confirm(&at_a).unwrap();
            b.confirm(&at_b).unwrap();
            deliver(&mut [&mut a, &mut b]);
            assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Done), Some(FlowState::Done)));
        }
    }
}

// VER-51: two methods at a time.
#[test]
fn attack_109_both_start_and_not_the_same() {
    let (mut a, mut b, at_a, at_b) = ready(false);
    let code = b.show_qr(&at_b).unwrap();
    a.scan(&at_a, &code).unwrap();
    b.start_sas(&at_b).unwrap();
    deliver(&mut [&mut a, &mut b]);
    assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Cancelled), Some(FlowState::Cancelled)));
    assert_eq!((a.verified(), b.verified()), (None, None));
}

// VER-57, QR-37, QR-39: each scans the other's code.
#[test]
fn attack_109_both_scan() {
    for a_reads_first in [true, false] {
        let (mut a, mut b, at_a, at_b) = ready(false);
        let (alices, bobs) = (a.show_qr(&at_a).unwrap(), b.show_qr(&at_b).unwrap());
        a.scan(&at_a, &bobs).unwrap();
        b.scan(&at_b, &alices).unwrap();
        if a_reads_first {
            deliver(&mut [&mut b, &mut a])
        } else {
            deliver(&mut [&mut a, &mut b])
        }
        assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Done), Some(FlowState::Done)));
        assert!(a.verified().is_some() && b.verified().is_some());
    }
}

// VER-21: what comes twice, counts once; a request is accepted once.
#[test]
fn attack_109_everything_comes_twice() {
    for in_room in [false, true] {
        let (mut a, mut b) = (alice(), bob());
        let at_a = if in_room { a.request_in_room(BOB) } else { a.request_to_device(BOB, &["B1"]) };
        let at_b = at(&a, &at_a);
        let twice = |a: &mut support::Client, b: &mut support::Client| {
            let mut all: Vec<Message> = Vec::new();
            while let Some(message) = a.out.pop().or_else(|| b.out.pop()) {
                all.push(message);
                for message in &all {
                    a.receive(message);
                    b.receive(message);
                }
            }
        };
        twice(&mut a, &mut b);
        b.accept(&at_b).unwrap();
        assert_eq!(b.accept(&at_b), Err(ActError::NotNow));
        twice(&mut a, &mut b);
        a.start_sas(&at_a).unwrap();
        twice(&mut a, &mut b);
        a.confirm(&at_a).unwrap();
        twice(&mut a, &mut b);
        b.confirm(&at_b).unwrap();
        twice(&mut a, &mut b);
        assert_eq!((a.state(&at_a), b.state(&at_b)), (Some(FlowState::Done), Some(FlowState::Done)));
    }
}

// SAS-42, VER-81: after a mismatch nothing of the flow is left to try again with.
#[test]
fn attack_111_no_second_try_after_a_mismatch() {
    let mut stage = comparing(false);
    stage.happen("mismatch");
    assert_eq!(stage.result(), "Cancelled [m.mismatched_sas B1]");
    for event in
        ["confirm", "start SAS", "SAS", "key", "mac", "done", "ready", "request again", "show", "scan"]
    {
        stage.happen(event);
        assert_eq!(stage.result(), "Cancelled", "{event}");
    }
    assert_eq!(stage.a.verified(), None);
    assert_eq!(stage.a.confirm(&stage.flow.clone()), Err(ActError::UnknownFlow));
}

// QR-31, VER-17
#[test]
fn attack_115_secrets_that_are_wrong_absent_or_replayed() {
    let start = |stage: &mut Stage, secret: serde_json::Value| {
        let content = json!({ "from_device": "B1", "method": "m.reciprocate.v1", "secret": secret });
        let message = stage.message("start", content);
        stage.a.receive(&message);
        stage.result()
    };
    let mismatch = "Cancelled [m.key_mismatch B1]";
    let invalid = "Cancelled [m.invalid_message B1]";
    // Of another flow.
    let mut other = Stage::new("Ready", false);
    let code = other.a.show_qr(&other.flow.clone()).unwrap();
    let replayed = mx_types::base64::encode_to_string(&code[code.len() - 16..]);
    let mut stage = Stage::new("answered", false);
    stage.happen("show");
    assert_eq!(start(&mut stage, json!(replayed)), mismatch);
    let What::Cancelled(Cancelled::ByUs(Reason::WrongSecret(_))) = &stage.a.events[0].what else {
        panic!("end")
    };
    for (secret, expected) in [
        (json!("AAAAAAAAAAAAAAAAAAAAAA"), mismatch),
        (json!(""), invalid),
        (json!("AAAAAAAAAA"), invalid),
        (json!("no base64!"), invalid),
        (json!(null), invalid),
        (json!(7), invalid),
    ] {
        let mut stage = Stage::new("QrShown", false);
        assert_eq!(start(&mut stage, secret), expected);
        // Nothing is displayed: nothing is equal to nothing.
        let mut stage = Stage::new("Ready", false);
        assert!(start(&mut stage, json!("AAAAAAAAAAAAAAAAAAAAAA")).contains("m.unexpected_message"));
    }
}

// QR-32, QR-33: neither their start nor their done stands for our user.
#[test]
fn attack_116_nothing_is_verified_before_our_user_confirms() {
    let mut stage = Stage::new("Scanned", false);
    stage.happen("done");
    assert_eq!((stage.result().as_str(), stage.a.verified()), ("Scanned", None));
    stage.happen("confirm");
    assert_eq!(stage.result(), "Done [done B1]");
    assert!(stage.a.verified().is_some());
    let mut stage = Stage::new("PeerConfirmed", false);
    stage.happen("done");
    assert_eq!((stage.result().as_str(), stage.a.verified()), ("PeerConfirmed", None));
    stage.happen("confirm");
    assert_eq!(stage.result(), "Done [mac B1; done B1]");
}
