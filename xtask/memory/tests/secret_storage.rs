//! Keys and texts of secret storage and secret sharing leave nothing on the heap, not even where JSON has escapes in them.

#![cfg(feature = "alloc")]

use std::num::NonZeroU32;

use memory::{Pattern, Watching, freed_with_bytes, freed_with_secret, pattern};
use mx_secret_storage::{
    KeyDerivation, KeyDescription, KnownDevice, MASTER, MAX_ITERATIONS, OwnDeviceTrust, Secret,
    SecretRequest, SecretSend, SecretSharing, SecretStorageKey, StoredSecret,
};
use mx_types::{DeviceId, UserId};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// The text of the secret that is the key `pattern(3)`, of which the first 32 characters are looked for.
fn text() -> [u8; 32] {
    *Secret::from_key(&pattern(3)).as_str().as_bytes().first_chunk().expect("has 43 characters")
}

/// Stores the secret and opens it again; by a passphrase, by the key as it is shown, and as bytes.
fn store_and_open() {
    let key = SecretStorageKey::from_bytes(&pattern(5));
    let description = KeyDescription::new(&mut Pattern(0), &key).unwrap();
    drop(description.unlock(&key.to_representation(), MAX_ITERATIONS).unwrap().finish().unwrap());
    drop(KeyDerivation::new(&mut Pattern(0), "passphrase", NonZeroU32::MIN).unwrap().finish());
    let mut stored = StoredSecret::new(MASTER);
    stored.encrypt(&mut Pattern(0), "id", &key, &Secret::from_key(&pattern(3))).unwrap();
    let stored = StoredSecret::parse(MASTER, &stored.to_json()).unwrap();
    let read = stored.decrypt("id", &key).unwrap().validate(|secret| secret.key()).unwrap();
    assert_eq!(*read, pattern(3));
}

/// Sends the secret to another device, which reads it from this JSON.
fn share(escape: impl FnOnce(&str) -> zeroize::Zeroizing<String>) {
    let alice = UserId::parse("@alice:example.org").unwrap();
    let device = |id| DeviceId::parse(id).unwrap();
    let known =
        |id| KnownDevice { user_id: alice, device_id: device(id), trust: OwnDeviceTrust::CrossSigned };
    let mut laptop = SecretSharing::new(alice, device("LAPTOP"));
    let mut phone = SecretSharing::new(alice, device("PHONE"));
    let asked = laptop.request(&mut Pattern(0), MASTER, &[device("PHONE")]).unwrap();
    phone.receive_request(alice, SecretRequest::parse(&asked.content).unwrap()).unwrap();
    let permit = phone.permit(&known("LAPTOP"), &asked.request_id).unwrap();
    let json = escape(&permit.answer(&Secret::from_key(&pattern(3))).content);
    let answer = SecretSend::parse(&json).unwrap();
    let received = laptop.receive_secret(&known("PHONE"), &answer).unwrap();
    let key = received.validate(&mut laptop, |secret| secret.key()).unwrap().value;
    assert_eq!(*key, pattern(3));
}

#[test]
fn attack_029_secrets_that_were_stored_and_opened() {
    let (_, leaked) = freed_with_bytes(text(), store_and_open);
    assert_eq!(leaked, 0, "the text of the secret");
    for n in [3, 5] {
        let (_, leaked) = freed_with_secret(n, store_and_open);
        assert_eq!(leaked, 0, "a key");
    }
}

#[test]
fn attack_029_secrets_that_were_shared() {
    let as_it_is = |json: &str| zeroize::Zeroizing::new(json.to_owned());
    // The last character of the secret is escaped, so that all of it is copied.
    let escaped = |json: &str| {
        let (start, last) = json.split_at(json.len() - 3);
        let mut out = zeroize::Zeroizing::new(String::with_capacity(json.len() + 5));
        out.push_str(start);
        out.push_str(&format!("\\u{:04x}", u32::from(last.chars().next().unwrap())));
        out.push_str(&last[1..]);
        out
    };
    let (_, leaked) = freed_with_bytes(text(), || share(as_it_is));
    assert_eq!(leaked, 0, "as it is");
    let (_, leaked) = freed_with_bytes(text(), || share(escaped));
    assert_eq!(leaked, 0, "with an escape");
    let (_, leaked) = freed_with_bytes(text(), || drop(String::from_utf8(text().to_vec())));
    assert_eq!(leaked, 1, "the search finds what is there");
}
