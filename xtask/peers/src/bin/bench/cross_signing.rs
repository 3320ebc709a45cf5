//! Device keys in numbers, and one change among many devices. How many signatures are verified is checked here, so that the
//! names of the rows are true.

use std::collections::BTreeMap;

use mx_canonical_json::Limits;
use mx_cross_signing::{Identities, KeyStorage, OwnIdentity, SigningKeys, Subject, TrustLevel, Usage};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_signing::{DeviceKeys, KeysQueryResponse, SignatureMemory, SignedObject};
use mx_types::{DeviceId, KeyId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::{
    measure::{Case, on_each},
    table::{Row, Table},
};

/// Devices that each user has.
const DEVICES: usize = 10;

pub fn rows(table: &mut Table) {
    if table.wants("10,000 device keys") {
        many_keys(table);
    }
    for (work, users) in [
        ("1 device changed among 1,000 (2 verified)", 100),
        ("1 device changed among 100,000 (2 verified)", 10_000),
    ] {
        if table.wants(work) {
            one_change(table, work, users);
        }
    }
}

fn many_keys(table: &mut Table) {
    let user_id = user(0);
    let user_id = UserId::parse(&user_id).expect("is a user ID");
    let objects: Vec<_> = (0..10_000).map(|number| device_object(user_id, number, 0, None)).collect();
    let verify = |memory: &mut SignatureMemory| {
        for (number, text) in objects.iter().enumerate() {
            let id = device(number);
            let id = DeviceId::parse(&id).expect("is a device ID");
            DeviceKeys::verify_with(memory, text, user_id, id).expect("is signed");
        }
        memory.verifications()
    };
    let ours: Case<'_> =
        Box::new(|count| on_each(0..count, |_| assert_eq!(verify(&mut SignatureMemory::default()), 10_000)));
    let parsed: Vec<_> = objects
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let object = SignedObject::parse(text, &Limits::DEFAULT).expect("is an object");
            let id = device(number);
            let key_id = KeyId::new("ed25519", &id).expect("is a key ID");
            let signature = object.signature(user_id.as_str(), key_id).expect("is signed");
            let key = secret(number).public_key();
            (
                vodozemac::Ed25519PublicKey::from_slice(key.as_bytes()).expect("is a key"),
                object.canonical().to_owned(),
                vodozemac::Ed25519Signature::from_slice(signature.as_bytes()).expect("is a signature"),
            )
        })
        .collect();
    // The signature alone, without the JSON around it.
    let vodozemac: Case<'_> = Box::new(|count| {
        on_each(0..count, |_| {
            for (key, message, signature) in &parsed {
                key.verify(message.as_bytes(), signature).expect("is signed");
            }
        })
    });
    let peers = vec![("vodozemac", vodozemac)];
    table.row(Row { work: "10,000 device keys, one by one (curve)", target: 1.0, ours, peers });

    let mut memory = SignatureMemory::default();
    verify(&mut memory);
    let again: Case<'_> = Box::new(|count| on_each(0..count, |_| assert_eq!(verify(&mut memory), 10_000)));
    let vodozemac: Case<'_> = Box::new(|count| {
        on_each(0..count, |_| {
            for (key, message, signature) in &parsed {
                key.verify(message.as_bytes(), signature).expect("is signed");
            }
        })
    });
    let peers = vec![("vodozemac", vodozemac)];
    table.row(Row { work: "10,000 device keys, seen before", target: 2.5, ours: again, peers });
}

/// One user's answer comes with one device changed: parsed, judged, stored, and the trust in that device computed.
fn one_change(table: &mut Table, work: &'static str, users: usize) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let alice = UserId::parse("@alice:example.org").expect("is a user ID");
    let phone = DeviceId::parse("PHONE").expect("is a device ID");
    let ours = SigningKeys::generate(&mut rng, alice, KeyStorage::Secure).expect("the generator works");
    let mut own = OwnIdentity::new(alice, phone, secret(0).public_key());
    own.adopt(ours.identity().expect("all keys are there")).expect("it is ours");
    let mut memory = SignatureMemory::with_capacity(1 << 20);
    let mut store = Identities::default();

    let usk = ours.export(&own, Usage::UserSigning).expect("is there");
    let usk = secret_of(&usk);
    let mut keys = BTreeMap::new();
    for number in 0..users {
        let user_id = user(number);
        let user_id = UserId::parse(&user_id).expect("is a user ID");
        let theirs =
            SigningKeys::generate(&mut rng, user_id, KeyStorage::Secure).expect("the generator works");
        let body = answer(user_id, &theirs, alice, &usk, number * DEVICES, 0);
        let response = KeysQueryResponse::parse(&body).expect("is an answer");
        let _ = store.receive(&mut memory, &mut own, &response, &[user_id]);
        keys.insert(number, theirs);
    }
    assert_eq!(memory.verifications(), (users * (2 * DEVICES + 2)) as u64);

    let mut version = 0;
    let case: Case<'_> = Box::new(move |count| {
        let bodies: Vec<_> = (0..count)
            .map(|_| {
                version += 1;
                let number = version * 7 % users;
                let id = user(number);
                let user_id = UserId::parse(&id).expect("is a user ID");
                // Its keys as they were, but for the first device.
                let body = answer(user_id, &keys[&number], alice, &usk, number * DEVICES, version);
                (id, number, body)
            })
            .collect();
        on_each(bodies, |(id, number, body)| {
            let before = memory.verifications();
            let user_id = UserId::parse(&id).expect("is a user ID");
            let response = KeysQueryResponse::parse(&body).expect("is an answer");
            let _ = store.receive(&mut memory, &mut own, &response, &[user_id]);
            let device = device(number * DEVICES);
            let device = DeviceId::parse(&device).expect("is a device ID");
            let Ok(subject) = Subject::load(&store, user_id, device);
            let subject = subject.expect("is stored");
            assert_eq!(subject.trust(&own).level, TrustLevel::Verified);
            assert_eq!(memory.verifications() - before, 2);
        })
    });
    table.row(Row { work, target: 1.0, ours: case, peers: Vec::new() });
}

/// An answer about one user. The first device's object is another in each version.
fn answer(
    user_id: UserId<'_>,
    keys: &SigningKeys,
    alice: UserId<'_>,
    usk: &Ed25519SecretKey,
    first: usize,
    version: usize,
) -> String {
    let upload = keys.device_signing_upload::<Ed25519SecretKey>(None).expect("all keys are there");
    let mut own = OwnIdentity::new(user_id, DeviceId::parse("X").expect("is an ID"), secret(1).public_key());
    own.adopt(keys.identity().expect("all keys are there")).expect("is theirs");
    let ssk = secret_of(&keys.export(&own, Usage::SelfSigning).expect("is there"));
    let devices: Vec<_> = (first..first + DEVICES)
        .map(|number| {
            let version = if number == first { version } else { 0 };
            format!(r#""{}":{}"#, device(number), device_object(user_id, number, version, Some(&ssk)))
        })
        .collect();
    let msk = upload.master_key.expect("is there");
    let msk = sign(&msk, usk, alice.as_str());
    format!(
        r#"{{"device_keys":{{"{user_id}":{{{}}}}},"master_keys":{{"{user_id}":{msk}}},"self_signing_keys":{{"{user_id}":{}}}}}"#,
        devices.join(","),
        upload.self_signing_key.expect("is there"),
    )
}

fn device_object(
    user_id: UserId<'_>,
    number: usize,
    version: usize,
    ssk: Option<&Ed25519SecretKey>,
) -> String {
    let (id, secret) = (device(number), secret(number));
    let id = DeviceId::parse(&id).expect("is a device ID");
    let curve25519 = Curve25519SecretKey::from_secret_bytes(&seed(number)).public_key();
    let mut keys = DeviceKeys::new(user_id, id, curve25519, secret.public_key());
    if version > 0 {
        keys.algorithms.push(format!("org.example.version{version}"));
    }
    let text = keys.sign(&secret).expect("can be signed");
    ssk.map(|ssk| sign(&text, ssk, user_id.as_str())).unwrap_or(text)
}

fn sign(text: &str, secret: &Ed25519SecretKey, user_id: &str) -> String {
    let name = secret.public_key().to_string();
    let key_id = KeyId::new("ed25519", &name).expect("is a key ID");
    let object = SignedObject::parse(text, &Limits::DEFAULT).expect("is an object");
    object.sign(secret, user_id, key_id).expect("can be signed")
}

fn secret_of(seed: &str) -> Ed25519SecretKey {
    let mut bytes = [0; 32];
    mx_types::base64::decode_secret(seed, &mut bytes).expect("is a seed");
    Ed25519SecretKey::from_seed(&bytes)
}

fn seed(number: usize) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    seed
}

fn secret(number: usize) -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&seed(number))
}

fn user(number: usize) -> String {
    format!("@user{number}:example.org")
}

fn device(number: usize) -> String {
    format!("DEVICE{number}")
}
