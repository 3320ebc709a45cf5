//! Responses to queries, lists of changes and stored lists: nothing is taken that its device has not signed, a list is current only after an
//! answer, and what is taken from a pickle is written again as it was.

#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_device_list::{Config, Counts, DeviceList, DeviceLists, Known, OwnDevice, Timestamp, Tracker, Write};
use mx_pickle::{Generation, Kind, PickleKey, sealed_len};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

fuzz_target!(|data: &[u8]| {
    stored(data);
    let Ok(text) = core::str::from_utf8(data) else { return };
    let _ = serde_json::from_str::<Counts>(text);
    let alice = UserId::parse("@a:b").expect("is a user ID");
    let bob = UserId::parse("@c:d").expect("is a user ID");
    let ed25519 = Ed25519SecretKey::from_seed(&[3; 32]).public_key();
    let curve25519 = Curve25519SecretKey::from_secret_bytes(&[4; 32]).public_key();
    let own = OwnDevice::new(alice, DeviceId::parse("D").expect("is a device ID"), ed25519, curve25519);
    let mut tracker = Tracker::new(own, Config::DEFAULT, []);
    let _ = tracker.track([bob]).split();
    if let Ok(lists) = serde_json::from_str::<DeviceLists<'_>>(text) {
        let _ = tracker.receive_lists(&lists, |_| true, ()).split();
    }

    let Ok(response) = KeysQueryResponse::parse(text) else { return };
    let query = tracker.poll_query(Timestamp(1)).expect("two users are outdated");
    let mut memory = SignatureMemory::default();
    let known = |_: UserId<'_>| Ok::<_, Infallible>(Known::default());
    let Ok(step) = tracker.on_response(Timestamp(2), query.id, &response, &mut memory, known);
    let (changes, sealed) = step.split();
    for write in changes.writes() {
        if let Write::List(list) = write {
            assert_eq!(list.devices().count(), 0, "nobody has signed this");
        }
    }
    let outcome = sealed.release(changes).expect("they belong together");
    let order: Vec<_> = outcome.events.iter().map(|event| (&event.user_id, &event.device_id)).collect();
    assert!(order.is_sorted());
    for user_id in [alice, bob] {
        let is_answered = outcome.users.iter().any(|user| user.user_id == user_id.as_str());
        assert!(tracker.flags(user_id).outdated || is_answered);
    }
});

/// A list from any bytes that were sealed.
fn stored(data: &[u8]) {
    let key = PickleKey::new(&[7; 32]);
    let none = Generation::NEVER_PICKLED;
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut out = vec![0; sealed_len(data.len())];
    let kind = Kind { type_tag: 24, layout: 1 };
    let mut writer = key.seal(&mut rng, kind, none, data.len(), &mut out).expect("there is room");
    writer.bytes(data);
    writer.finish().expect("it has the length that was announced");
    let Ok(list) = DeviceList::from_pickle(&key, none, &out) else { return };
    let again = list.pickle_to_vec(&mut rng, &key).expect("the generator works");
    let read = DeviceList::from_pickle(&key, none, &again).expect("it was written just now");
    assert!(read.devices().eq(list.devices()) && read.former() == list.former());
    assert_eq!(again.len(), out.len());
}
