//! What is taken of a response, and what is not.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_device_list::{Config, Known, UserRefused, What};
use mx_signing::{DeviceKeysError, DeviceRefused, KeysQueryResponse, SignatureMemory, VerifyError};
use serde_json::{Value, json};
use support::{
    ALICE, BOB, CAROL, World, curve25519, device, device_keys, key, response, signed, told, unsigned, user,
};

/// A response about Bob with these objects as they stand.
fn body(devices: &[(&str, &str)]) -> String {
    let devices: Vec<_> = devices.iter().map(|(id, text)| format!("\"{id}\":{text}")).collect();
    format!(r#"{{"device_keys":{{"{BOB}":{{{}}}}}}}"#, devices.join(","))
}

/// Bob has a good device and one of this text: why that one is not taken. The good one is, and a stored one stays.
#[track_caller]
fn refused(text: &str) -> DeviceRefused {
    let good = device_keys(BOB, "GOOD", "good").to_string();
    let stored = device_keys(BOB, "D", "d").to_string();
    let mut why = Vec::new();
    for first in [None, Some(&stored)] {
        let mut world = World::new();
        world.track(BOB);
        if let Some(first) = first {
            world.query(BOB, &body(&[("D", first)]));
        }
        let before = world.device_ids(BOB);
        let body = body(&[("D", text), ("GOOD", &good)]);
        let events = world.query(BOB, &body);
        let complaints: Vec<_> = events
            .iter()
            .filter_map(|event| match event.what {
                What::DeviceRefused(refused) => Some((event.device_id.as_deref(), refused)),
                _ => None,
            })
            .collect();
        assert_eq!(complaints.len(), 1, "{text} was taken");
        assert_eq!(complaints[0].0, Some("D"));
        why.push(complaints[0].1);
        let mut expected = before;
        expected.push("GOOD".to_owned());
        assert_eq!(world.device_ids(BOB), expected);
        assert!(!world.outdated(BOB), "one bad device does not make the list outdated");
        if first.is_some() {
            let list = &world.store.lists[BOB];
            assert_eq!(list.device(device("D")).unwrap().keys().ed25519, key("d").public_key());
        }
    }
    why[0]
}

/// Signs what may lack its IDs, as Bob's device `D`.
fn sign(mut object: Value, name: &str) -> String {
    let text = mx_canonical_json::canonicalize(&object.to_string(), &mx_canonical_json::Limits::DEFAULT);
    let signature = key(name).sign(text.unwrap().as_bytes()).to_string();
    object["signatures"] = json!({ BOB: { "ed25519:D": signature } });
    object.to_string()
}

// DL-30, DL-41
#[test]
fn each_member_missing_or_of_a_wrong_type() {
    for member in ["user_id", "device_id", "algorithms", "keys"] {
        let mut object = unsigned(BOB, "D", "d");
        object.as_object_mut().unwrap().remove(member);
        refused(&sign(object, "d"));
        for wrong in [json!(null), json!(3), json!(true), json!("x"), json!({ "x": [] }), json!([3])] {
            let mut object = unsigned(BOB, "D", "d");
            object[member] = wrong;
            refused(&sign(object, "d"));
        }
    }
    for member in ["ed25519:D", "curve25519:D"] {
        let mut object = unsigned(BOB, "D", "d");
        object["keys"].as_object_mut().unwrap().remove(member);
        refused(&sign(object, "d"));
        for wrong in [json!(null), json!(3), json!([]), json!("AAAA"), json!("\u{e9}"), json!("A".repeat(43))]
        {
            let mut object = unsigned(BOB, "D", "d");
            object["keys"][member] = wrong;
            refused(&sign(object, "d"));
        }
    }
    for wrong in [
        json!(null),
        json!(3),
        json!([]),
        json!({}),
        json!({ BOB: 3 }),
        json!({ BOB: {} }),
        json!({ BOB: { "ed25519:D": 3 } }),
    ] {
        let mut object = device_keys(BOB, "D", "d");
        object["signatures"] = wrong;
        assert!(matches!(refused(&object.to_string()), DeviceRefused::Keys(DeviceKeysError::Signature(_))));
    }
    for text in ["null", "3", "\"x\"", "[]", "{}"] {
        refused(text);
    }
}

// DL-30
#[test]
fn each_member_doubled() {
    let object = device_keys(BOB, "D", "d");
    for (member, value) in object.as_object().unwrap() {
        let text = object.to_string().replacen('{', &format!("{{\"{member}\":{value},"), 1);
        refused(&text);
    }
    let text = object.to_string().replacen("\"keys\":{", "\"keys\":{\"ed25519:D\":\"x\",", 1);
    refused(&text);
}

// DL-30
#[test]
fn attack_125_map_keys_that_disagree_with_the_content() {
    let other_device = device_keys(BOB, "E", "d").to_string();
    assert_eq!(refused(&other_device), DeviceRefused::Keys(DeviceKeysError::OtherDevice));
    let other_user = device_keys(CAROL, "D", "d").to_string();
    assert_eq!(refused(&other_user), DeviceRefused::Keys(DeviceKeysError::OtherUser));
    // Signed by another device's key, under the right name.
    let mut foreign = unsigned(BOB, "D", "d");
    foreign["keys"]["curve25519:D"] = curve25519("mallory").to_string().into();
    let error = DeviceKeysError::Signature(VerifyError::InvalidSignature);
    assert_eq!(refused(&sign(foreign.clone(), "mallory")), DeviceRefused::Keys(error));
    // Keys under the ID of another device.
    let mut foreign = unsigned(BOB, "D", "d");
    foreign["keys"] = unsigned(BOB, "E", "d")["keys"].clone();
    assert_eq!(refused(&sign(foreign, "d")), DeviceRefused::Keys(DeviceKeysError::NoEd25519Key));
}

// DL-30
#[test]
fn attack_041_one_bad_device_among_a_hundred() {
    let mut devices: Vec<_> = (0..100)
        .map(|n| {
            let id = format!("D{n:02}");
            let object = device_keys(BOB, &id, &id).to_string();
            (id, object)
        })
        .collect();
    devices[42].1 = devices[42].1.replace("m.olm.v1", "m.olm.v2");
    let devices: Vec<_> = devices.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let mut world = World::new();
    world.track(BOB);
    let body = body(&devices);
    let events = world.query(BOB, &body);
    assert_eq!(world.device_ids(BOB).len(), 99);
    let refused: Vec<_> =
        events.iter().filter(|event| matches!(event.what, What::DeviceRefused(_))).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].device_id.as_deref(), Some("D42"));
    // It is not reported again while it stays as bad as it is.
    assert_eq!(world.query(BOB, &body), []);
}

// DL-31
#[test]
fn attack_124_changed_key_of_a_known_device() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &response(&[(BOB, &[("D", device_keys(BOB, "D", "d"))])]));
    world.wait(5);
    let other = response(&[(BOB, &[("D", device_keys(BOB, "D", "mallory"))])]);
    let events = world.query(BOB, &other);
    let alert = What::DeviceRefused(DeviceRefused::Ed25519Changed);
    assert_eq!(told(&events), [(BOB, Some("D"), alert)]);
    let list = &world.store.lists[BOB];
    assert_eq!(list.device(device("D")).unwrap().keys().ed25519, key("d").public_key());

    // The Curve25519 key may change, if the device says so itself.
    let mut object = unsigned(BOB, "D", "d");
    object["keys"]["curve25519:D"] = curve25519("other").to_string().into();
    let by_itself = response(&[(BOB, &[("D", signed(object.clone(), "d"))])]);
    let curve25519 = Some(curve25519("other"));
    let changed = What::DeviceChanged { curve25519, other_curve25519: true };
    assert_eq!(told(&world.query(BOB, &by_itself)), [(BOB, Some("D"), changed)]);
    let first_seen = world.store.lists[BOB].device(device("D")).unwrap().first_seen();
    assert_eq!(first_seen.0, 1_000_000, "it is the same device");
    let by_another = response(&[(BOB, &[("D", signed(object, "mallory"))])]);
    let error = DeviceKeysError::Signature(VerifyError::InvalidSignature);
    let events = world.query(BOB, &by_another);
    assert_eq!(events[0].what, What::DeviceRefused(DeviceRefused::Keys(error)));
}

// DL-32
#[test]
fn attack_130_own_device_missing_or_replaced() {
    let own = || device_keys(ALICE, "THIS", "this");
    let mut world = World::new();
    let events = world.query(ALICE, &response(&[(ALICE, &[("THIS", own())])]));
    assert!(matches!(events[0].what, What::DeviceNew { returned: false, .. }));

    let without = response(&[(ALICE, &[("OTHER", device_keys(ALICE, "OTHER", "other"))])]);
    let events = world.query(ALICE, &without);
    assert_eq!(events[1].what, What::ThisDeviceMissing);
    assert_eq!(events[1].device_id.as_deref(), Some("THIS"));
    assert_eq!(world.device_ids(ALICE), ["OTHER", "THIS"]);
    assert_eq!(world.query(ALICE, &without), [], "said once");

    let mut other_curve25519 = unsigned(ALICE, "THIS", "this");
    other_curve25519["keys"]["curve25519:THIS"] = curve25519("mallory").to_string().into();
    for lie in [device_keys(ALICE, "THIS", "mallory"), signed(other_curve25519, "this")] {
        let mut fresh = World::new();
        let body = response(&[(ALICE, &[("THIS", lie)])]);
        for world in [&mut world, &mut fresh] {
            let events = world.query(ALICE, &body);
            let lies = |event: &&mx_device_list::Event| event.device_id.as_deref() == Some("THIS");
            let event = events.iter().find(lies).unwrap();
            assert_eq!(event.what, What::DeviceRefused(DeviceRefused::NotThisDevice));
            // Let the next one be news.
            world.query(ALICE, &response(&[(ALICE, &[("THIS", own())])]));
        }
        assert_eq!(fresh.device_ids(ALICE), ["THIS"]);
    }
    // The same ID of another user is another device.
    world.track(BOB);
    let events = world.query(BOB, &response(&[(BOB, &[("THIS", device_keys(BOB, "THIS", "bob"))])]));
    assert!(matches!(events[0].what, What::DeviceNew { .. }));
}

// DL-23, DL-24
#[test]
fn attack_129_failed_server_read_as_no_devices() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &response(&[(BOB, &[("D", device_keys(BOB, "D", "d"))])]));
    world.changed(BOB);
    let mut waited = 0;
    for wait in [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000] {
        let query = world.poll().unwrap();
        let body = json!({ "device_keys": {}, "failures": { "elsewhere.org": { "status": 503 } } });
        let body = body.to_string();
        let outcome = world.respond(query.id, &body);
        assert!(outcome.users.is_empty() && outcome.events.is_empty());
        assert_eq!(world.device_ids(BOB), ["D"]);
        assert!(world.outdated(BOB));
        world.wait(wait - 1);
        assert_eq!(world.poll(), None);
        world.wait(1);
        waited += wait;
    }
    assert!(waited > 0);
    let query = world.poll().unwrap();
    world.respond(query.id, &response(&[(BOB, &[])]));
    assert!(!world.outdated(BOB));
    assert_eq!(world.device_ids(BOB), [""; 0]);
}

// DL-40
#[test]
fn attack_132_a_hundred_thousand_devices() {
    let devices: Vec<_> = (0..100_000).map(|n| format!("\"D{n}\":{{}}")).collect();
    let body = format!(r#"{{"device_keys":{{"{BOB}":{{{}}}}}}}"#, devices.join(","));
    let mut world = World::new();
    world.track(BOB);
    let events = world.query(BOB, &body);
    let refused = UserRefused::TooManyDevices { count: 100_000 };
    assert_eq!(told(&events), [(BOB, None, What::UserRefused(refused))]);
    assert_eq!(world.memory.verifications(), 0);
    assert!(world.outdated(BOB) && world.device_ids(BOB).is_empty());
    assert_eq!(world.poll(), None, "it waits");

    // As many as are taken, and one more: never some of them.
    let config = Config { max_devices: 3, ..Config::DEFAULT };
    let devices: Vec<_> = ["A", "B", "C", "D"].map(|id| (id, device_keys(BOB, id, id))).into_iter().collect();
    let mut world = World::with(config);
    world.track(BOB);
    world.query(BOB, &response(&[(BOB, &devices[..3])]));
    assert_eq!(world.device_ids(BOB), ["A", "B", "C"]);
    let body = response(&[(BOB, &devices)]);
    let events = world.query(BOB, &body);
    assert_eq!(events[0].what, What::UserRefused(UserRefused::TooManyDevices { count: 4 }));
    assert_eq!(world.device_ids(BOB), ["A", "B", "C"]);
}

// DL-40
#[test]
fn attack_132_a_hundred_thousand_signatures() {
    let mut object = device_keys(BOB, "D", "d");
    let signature = object["signatures"][BOB]["ed25519:D"].clone();
    for n in 0..100_000 {
        object["signatures"][BOB][format!("ed25519:K{n}")] = signature.clone();
    }
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &response(&[(BOB, &[("D", object)])]));
    assert_eq!(world.device_ids(BOB), ["D"]);
    assert_eq!(world.memory.verifications(), 1);
}

// DL-40
#[test]
fn bounds_of_a_response() {
    let config = Config { max_users: 2, ..Config::DEFAULT };
    let mut world = World::with(config);
    world.track(BOB);
    let bob = || (BOB, [("D", device_keys(BOB, "D", "d"))]);
    let (name, devices) = bob();
    let events = world.query(BOB, &response(&[(name, &devices), ("@x:y", &[]), ("@y:y", &[])]));
    assert_eq!(events[0].what, What::UserRefused(UserRefused::TooManyUsers { count: 3 }));
    assert!(world.outdated(BOB));
    world.query(BOB, &response(&[(name, &devices), ("@x:y", &[])]));
    assert_eq!(world.device_ids(BOB), ["D"]);

    let mut long = unsigned(BOB, "E", "e");
    long["x"] = "x".repeat(70_000).into();
    let long = response(&[(BOB, &[("E", signed(long, "e"))])]);
    let events = world.query(BOB, &long);
    assert!(matches!(events[1].what, What::DeviceRefused(DeviceRefused::TooLong { len: 70_000.. })));
}

#[test]
fn members_of_the_response_of_a_wrong_type() {
    for body in ["", "3", "[]", r#"{"device_keys":3}"#, r#"{"device_keys":{},"device_keys":{}}"#] {
        assert!(KeysQueryResponse::parse(body).is_err(), "{body}");
    }
    // Nobody knows which servers have failed: then all have.
    let good = device_keys(BOB, "D", "d");
    for wrong in [json!(3), json!([]), json!("x")] {
        let mut world = World::new();
        world.track(BOB);
        let body = json!({ "device_keys": { BOB: { "D": good } }, "failures": wrong }).to_string();
        assert_eq!(world.query(BOB, &body), []);
        assert!(world.outdated(BOB) && world.device_ids(BOB).is_empty());
        assert_eq!(world.poll(), None);
    }
    // Users of a wrong type take nothing from others, nor do broken cross-signing keys.
    let mut world = World::new();
    world.track(BOB);
    world.track(CAROL);
    let query = world.poll().unwrap();
    let body = json!({ "device_keys": { BOB: { "D": good }, CAROL: 3 }, "master_keys": 3 }).to_string();
    let outcome = world.respond(query.id, &body);
    assert_eq!(told(&outcome.events)[1], (CAROL, None, What::UserRefused(UserRefused::Malformed)));
    assert!(!world.outdated(BOB) && world.outdated(CAROL));
}

// DL-22
#[test]
fn users_who_were_not_asked_for_are_not_looked_at() {
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    world.track(CAROL);
    let body = response(&[
        (BOB, &[]),
        (CAROL, &[("D", device_keys(CAROL, "D", "d"))]),
        (ALICE, &[("X", device_keys(ALICE, "X", "x"))]),
    ]);
    let outcome = world.respond(query.id, &body);
    assert_eq!(outcome.users.len(), 1);
    assert!(world.outdated(CAROL));
    assert_eq!(world.memory.verifications(), 0);
}

// DL-35, DL-36, DL-41
#[test]
fn algorithms() {
    let mut world = World::new();
    world.track(BOB);
    let mut plain = unsigned(BOB, "PLAIN", "p");
    plain["algorithms"] = json!(["m.other"]);
    plain["keys"].as_object_mut().unwrap().remove("curve25519:PLAIN");
    let mut more = unsigned(BOB, "MORE", "m");
    more["algorithms"] = json!(["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2", "m.new"]);
    more["keys"]["mlkem:MORE"] = "x".into();
    more["new_member"] = json!({ "a": 1 });
    let body = response(&[(BOB, &[("PLAIN", signed(plain, "p")), ("MORE", signed(more, "m"))])]);
    let events = world.query(BOB, &body);
    // A device that cannot encrypt is no reason for a warning.
    assert!(events.iter().all(|event| matches!(event.what, What::DeviceNew { .. })));
    let list = &world.store.lists[BOB];
    let olm: Vec<_> = list.olm_devices().map(|device| device.device_id()).collect();
    assert_eq!(olm, ["MORE"]);
    let object = list.device(device("MORE")).unwrap().object();
    assert!(object.contains(r#""new_member":{"a":1}"#) && object.contains("mlkem"));
    // Nor is a user without any device.
    world.track(CAROL);
    assert_eq!(world.query(CAROL, &response(&[(CAROL, &[])])), []);
    assert!(!world.outdated(CAROL));
}

// DL-37
#[test]
fn display_names_are_nothing() {
    let mut world = World::new();
    world.track(BOB);
    let mut object = device_keys(BOB, "D", "d");
    object["unsigned"] = json!({ "device_display_name": "Bob's phone" });
    world.query(BOB, &response(&[(BOB, &[("D", object.clone())])]));
    let list = &world.store.lists[BOB];
    assert!(!list.device(device("D")).unwrap().object().contains("phone"));
    object["unsigned"] = json!({ "device_display_name": "Verified \u{2705}" });
    assert_eq!(world.query(BOB, &response(&[(BOB, &[("D", object)])])), []);
}

// DL-41
#[test]
fn devices_with_a_cross_signing_key() {
    let master = key("msk").public_key();
    let object = |key: mx_types::Ed25519PublicKey| json!({ "user_id": BOB, "usage": ["master"], "keys": { format!("ed25519:{key}"): key.to_string() } });
    let devices = json!({ BOB: { "D": device_keys(BOB, "D", "msk"), "E": device_keys(BOB, "E", "e") } });
    // Claimed by the same response, in whatever role.
    for member in ["master_keys", "self_signing_keys", "user_signing_keys"] {
        let mut world = World::new();
        world.track(BOB);
        let body = json!({ "device_keys": devices, member: { BOB: object(master) } }).to_string();
        let events = world.query(BOB, &body);
        assert_eq!(events[0].what, What::DeviceRefused(DeviceRefused::IsSigningKey));
        assert_eq!(world.device_ids(BOB), ["E"]);
    }
    // Known from before.
    let mut world = World::new();
    world.track(BOB);
    let query = world.poll().unwrap();
    let body = json!({ "device_keys": devices }).to_string();
    let body = KeysQueryResponse::parse(&body).unwrap();
    let mut memory = SignatureMemory::default();
    let step = world.tracker.on_response(world.now, query.id, &body, &mut memory, |user_id| {
        assert_eq!(user_id, user(BOB));
        Ok::<_, ()>(Known { list: None, signing_keys: vec![master] })
    });
    let events = world.save(step.unwrap()).events;
    assert_eq!(events[0].what, What::DeviceRefused(DeviceRefused::IsSigningKey));
    assert_eq!(world.device_ids(BOB), ["E"]);
}
