//! What becomes of a list, how it is stored, and how it goes together with cross-signing.

#![allow(
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod support;

use mx_cross_signing::{Identities, KeySource as _, LocalTrust, OwnIdentity};
use mx_curve25519::Ed25519SecretKey;
use mx_device_list::{DeviceList, MAX_FORMER_DEVICES, Timestamp, What};
use mx_pickle::{Generation, PickleKey};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};
use support::{
    ALICE, BOB, CAROL, World, curve25519, device, device_keys, key, response, signed, told, unsigned, user,
};

fn bob(devices: &[(&str, &str)]) -> String {
    let devices: Vec<_> = devices.iter().map(|(id, name)| (*id, device_keys(BOB, id, name))).collect();
    response(&[(BOB, &devices)])
}

fn new(name: &str, returned: bool) -> What {
    What::DeviceNew { curve25519: Some(curve25519(name)), returned }
}

fn deleted(name: &str) -> What {
    What::DeviceDeleted { curve25519: Some(curve25519(name)) }
}

// DL-50, DL-51, DL-52
#[test]
fn events_in_the_order_of_users_and_devices() {
    let mut world = World::new();
    world.track(CAROL);
    world.track(BOB);
    let query = world.poll().unwrap();
    let of = |user_id: &'static str, names: &[&'static str]| -> Vec<(&'static str, Value)> {
        names.iter().map(|name| (*name, device_keys(user_id, name, name))).collect()
    };
    let body = response(&[(CAROL, &of(CAROL, &["B", "A"])), (BOB, &of(BOB, &["D", "B", "C"]))]);
    let outcome = world.respond(query.id, &body);
    let expected = [
        (BOB, Some("B"), new("B", false)),
        (BOB, Some("C"), new("C", false)),
        (BOB, Some("D"), new("D", false)),
        (CAROL, Some("A"), new("A", false)),
        (CAROL, Some("B"), new("B", false)),
    ];
    assert_eq!(told(&outcome.events), expected);

    world.changed(BOB);
    world.changed(CAROL);
    let query = world.poll().unwrap();
    let mut changed = unsigned(BOB, "C", "C");
    changed["more"] = json!(1);
    let devices = [("A", device_keys(BOB, "A", "A")), ("C", signed(changed, "C")), ("D", json!({}))];
    let body = json!({
        "device_keys": { BOB: devices.into_iter().collect::<std::collections::BTreeMap<_, _>>(), CAROL: 3 },
    })
    .to_string();
    let events = world.respond(query.id, &body).events;
    let kinds: Vec<_> = told(&events);
    assert_eq!(kinds[0], (BOB, Some("A"), new("A", false)));
    assert_eq!(kinds[1], (BOB, Some("B"), deleted("B")));
    let what = What::DeviceChanged { curve25519: Some(curve25519("C")), other_curve25519: false };
    assert_eq!(kinds[2], (BOB, Some("C"), what));
    assert!(matches!(kinds[3], (BOB, Some("D"), What::DeviceRefused(_))));
    assert!(matches!(kinds[4], (CAROL, None, What::UserRefused(_))));
    assert_eq!(kinds.len(), 5);
}

// DL-16
#[test]
fn no_difference_is_no_event_and_no_write() {
    let mut world = World::new();
    world.track(BOB);
    let body = bob(&[("D", "d"), ("E", "e")]);
    world.query(BOB, &body);
    world.changed(BOB);
    let query = world.poll().unwrap();
    let parsed = KeysQueryResponse::parse(&body).unwrap();
    let (store, memory) = (&world.store, &mut world.memory);
    let before = memory.verifications();
    let Ok(step) = world.tracker.on_response(world.now, query.id, &parsed, memory, |id| store.known(id));
    assert_eq!(memory.verifications(), before, "verified once");
    let (changes, sealed) = step.split();
    let writes: Vec<_> = changes.writes().map(|write| format!("{write:?}")).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].contains("outdated: false"));
    assert_eq!(sealed.release(changes).unwrap().events, []);
}

// DL-5, DL-33, DL-34
#[test]
fn deleted_devices() {
    let mut world = World::new();
    world.track(BOB);
    world.query(BOB, &bob(&[("D", "d"), ("E", "e")]));
    let list = world.store.lists.get_mut(BOB).unwrap();
    let stored = list.device_mut(device("D")).unwrap();
    stored.set_no_olm_sent(true);
    stored.count_wedging();
    world.wait(1000);

    assert_eq!(told(&world.query(BOB, &bob(&[("E", "e")]))), [(BOB, Some("D"), deleted("d"))]);
    let list = &world.store.lists[BOB];
    assert!(list.device(device("D")).is_none(), "nothing is encrypted for it");
    assert_eq!(list.olm_devices().count(), 1);
    let former: Vec<_> = list.with_curve25519(curve25519("d")).collect();
    assert_eq!(former.len(), 1, "its messages are still its");
    assert!(former[0].is_deleted());

    // Back with another key: another device, of which nothing is remembered.
    assert_eq!(
        told(&world.query(BOB, &bob(&[("D", "d2"), ("E", "e")]))),
        [(BOB, Some("D"), new("d2", false))]
    );
    let list = &world.store.lists[BOB];
    let other = list.device(device("D")).unwrap();
    assert_eq!((other.first_seen(), other.no_olm_sent(), other.wedgings()), (Timestamp(1_001_000), false, 0));
    assert_eq!(list.former().len(), 1);

    // That one is gone, and the first is back.
    world.query(BOB, &bob(&[("E", "e")]));
    assert_eq!(told(&world.query(BOB, &bob(&[("D", "d"), ("E", "e")]))), [(BOB, Some("D"), new("d", true))]);
    let list = &world.store.lists[BOB];
    let back = list.device(device("D")).unwrap();
    assert_eq!((back.first_seen(), back.no_olm_sent(), back.wedgings()), (Timestamp(1_000_000), true, 1));
    assert!(!back.is_deleted());
    assert_eq!(list.former().len(), 1);
    assert_eq!(list.former()[0].keys().ed25519, key("d2").public_key());
}

#[test]
fn deleted_devices_are_bounded() {
    let mut world = World::new();
    world.track(BOB);
    let batch = |first: usize| -> Vec<(String, Value)> {
        (first..first + 512)
            .map(|n| (format!("D{n:04}"), device_keys(BOB, &format!("D{n:04}"), "d")))
            .collect()
    };
    for first in [0, 512, 1024, 1536] {
        let devices = batch(first);
        let devices: Vec<_> = devices.iter().map(|(id, object)| (id.as_str(), object.clone())).collect();
        world.query(BOB, &response(&[(BOB, &devices)]));
    }
    let list = &world.store.lists[BOB];
    assert_eq!(list.former().len(), MAX_FORMER_DEVICES);
    assert_eq!(list.former()[0].device_id(), "D0512");
}

// DL-1, DL-5
#[test]
fn stored_and_read_again() {
    let mut world = World::new();
    world.track(BOB);
    let mut dehydrated = unsigned(BOB, "DEHYDRATED", "h");
    dehydrated["dehydrated"] = json!(true);
    let mut plain = unsigned(BOB, "PLAIN", "p");
    plain["algorithms"] = json!([]);
    plain["keys"].as_object_mut().unwrap().remove("curve25519:PLAIN");
    let devices = [
        ("D", device_keys(BOB, "D", "d")),
        ("DEHYDRATED", signed(dehydrated, "h")),
        ("PLAIN", signed(plain, "p")),
    ];
    world.query(BOB, &response(&[(BOB, &devices)]));
    world.query(BOB, &response(&[(BOB, &devices[1..])]));
    let mut list = world.store.lists[BOB].clone();
    list.device_mut(device("PLAIN")).unwrap().set_no_olm_sent(true);
    assert!(list.device(device("DEHYDRATED")).unwrap().is_dehydrated());

    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let pickle_key = PickleKey::new(&[7; 32]);
    let pickle = list.pickle_to_vec(&mut rng, &pickle_key).unwrap();
    let none = Generation::NEVER_PICKLED;
    let read = DeviceList::from_pickle(&pickle_key, none, &pickle).unwrap();
    assert_eq!(read.generation(), Generation::from(1));
    assert_eq!(read.user_id(), BOB);
    assert!(read.devices().eq(list.devices()));
    assert_eq!(read.former(), list.former());

    let again = read.pickle_to_vec(&mut rng, &pickle_key).unwrap();
    assert!(DeviceList::from_pickle(&pickle_key, Generation::from(2), &pickle).is_err(), "stale");
    assert!(DeviceList::from_pickle(&pickle_key, Generation::from(2), &again).is_ok());
    for len in 0..pickle.len() {
        assert!(DeviceList::from_pickle(&pickle_key, none, &pickle[..len]).is_err());
    }
    for index in 0..pickle.len() {
        let mut pickle = pickle.clone();
        pickle[index] ^= 1;
        assert!(DeviceList::from_pickle(&pickle_key, none, &pickle).is_err());
    }
}

/// Adds a signature of the key of `name`, under a user and a key ID.
fn sign(mut object: Value, signer: &Ed25519SecretKey, id: &str) -> Value {
    let mut covered = object.clone();
    covered.as_object_mut().unwrap().remove("signatures");
    let text = mx_canonical_json::canonicalize(&covered.to_string(), &mx_canonical_json::Limits::DEFAULT);
    let signature = signer.sign(text.unwrap().as_bytes()).to_string();
    let signatures = object.as_object_mut().unwrap().entry("signatures").or_insert_with(|| json!({}));
    let of_user = signatures.as_object_mut().unwrap().entry(BOB).or_insert_with(|| json!({}));
    of_user[format!("ed25519:{id}")] = signature.into();
    object
}

// DL-38, DL-39, DL-41
#[test]
fn lists_and_identities_of_one_response_in_one_transaction() {
    let (msk, ssk) = (key("msk"), key("ssk"));
    let signing_key = |usage: &str, key: &Ed25519SecretKey| {
        let key = key.public_key();
        json!({ "user_id": BOB, "usage": [usage], "keys": { format!("ed25519:{key}"): key.to_string() } })
    };
    let self_signing = sign(signing_key("self_signing", &ssk), &msk, &msk.public_key().to_string());
    let named = msk.public_key().to_string();
    let body = |device: Value| {
        json!({
            "device_keys": { BOB: {
                "D": sign(device, &ssk, &ssk.public_key().to_string()),
                &named: device_keys(BOB, &named, "named"),
            } },
            "master_keys": { BOB: signing_key("master", &msk) },
            "self_signing_keys": { BOB: self_signing },
        })
        .to_string()
    };
    let mut world = World::new();
    world.track(BOB);
    let mut identities = Identities::default();
    let this = key("this").public_key();
    let mut own = OwnIdentity::new(user(ALICE), device("THIS"), this);
    let mut memory = SignatureMemory::default();

    let mut other = unsigned(BOB, "D", "d");
    other["keys"]["curve25519:D"] = curve25519("other").to_string().into();
    for (round, object) in [device_keys(BOB, "D", "d"), signed(other, "d")].into_iter().enumerate() {
        world.changed(BOB);
        let query = world.poll().unwrap();
        let body = body(object);
        let parsed = KeysQueryResponse::parse(&body).unwrap();
        let store = &world.store;
        let known = |id: mx_types::UserId<'_>| store.known(id);
        let Ok(step) = world.tracker.on_response(world.now, query.id, &parsed, &mut memory, known);
        let (changes, sealed) = step.split();
        // The cross-signing keys of exactly these users count, and are judged before anything is saved.
        let users: Vec<_> = changes.cross_signing().iter().map(|keys| user(&keys.user_id)).collect();
        assert_eq!(users, [user(BOB)]);
        assert!(changes.cross_signing()[0].master.unwrap().contains("master"));
        let update = identities.receive(&mut memory, &mut own, &parsed, &users);
        world.store.save(&changes);
        let outcome = sealed.release(changes).unwrap();
        assert!(!outcome.events.is_empty());

        let named = update
            .events
            .iter()
            .any(|event| matches!(event, mx_cross_signing::Event::DeviceIdIsSigningKey { .. }));
        assert!(named);
        let trusted = identities.device_mut(user(BOB), device("D")).unwrap();
        let signer = trusted.cross_signature().unwrap().signer();
        assert_eq!(signer, ssk.public_key(), "by the self-signing key of the same response");
        if round == 0 {
            trusted.set_local_trust(LocalTrust::Verified);
        } else {
            assert_eq!(trusted.local_trust(), LocalTrust::Verified, "it hangs on the Ed25519 key");
        }
    }
    let stored = world.store.lists[BOB].device(device("D")).unwrap();
    assert_eq!(stored.keys().curve25519, Some(curve25519("other")));
    assert!(identities.device(user(BOB), device("D")).unwrap().is_some());
}
