//! Users, devices and their signatures, put together as JSON: also such as no client makes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "each suite uses a part"
)]

use mx_canonical_json::{CanonicalObject, Limits};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use serde_json::{Value, json};

pub const ALICE: &str = "@alice:example.org";
pub const BOB: &str = "@bob:example.com";

/// A secret key by its name.
pub fn key(name: &str) -> Ed25519SecretKey {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Ed25519SecretKey::from_seed(&seed)
}

/// Its public half in Base64.
pub fn public(name: &str) -> String {
    key(name).public_key().to_string()
}

/// What a signature on the object must cover.
pub fn signed_bytes(object: &Value) -> String {
    let text = object.to_string();
    CanonicalObject::parse(&text, &["signatures", "unsigned"], &Limits::DEFAULT).unwrap().into_string()
}

/// Puts a signature by the key of a name on an object.
pub fn sign(object: &mut Value, user_id: &str, key_id: &str, name: &str) {
    let signature = key(name).sign(signed_bytes(object).as_bytes());
    put(object, user_id, key_id, &signature.to_string());
}

pub fn put(object: &mut Value, user_id: &str, key_id: &str, signature: &str) {
    object["signatures"][user_id][key_id] = signature.into();
}

/// A cross-signing key object without signatures.
pub fn signing_key(user_id: &str, usage: &str, name: &str) -> Value {
    let key = public(name);
    json!({ "user_id": user_id, "usage": [usage], "keys": { format!("ed25519:{key}"): key }, "signatures": {} })
}

/// A device with the key of the name of its ID, signed by itself.
pub fn device(user_id: &str, device_id: &str) -> Value {
    let curve25519 = Curve25519SecretKey::from_secret_bytes(key(device_id).seed().unwrap()).public_key();
    let mut object = json!({
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            format!("curve25519:{device_id}"): curve25519.to_string(),
            format!("ed25519:{device_id}"): public(device_id),
        },
        "signatures": {},
    });
    sign(&mut object, user_id, &format!("ed25519:{device_id}"), device_id);
    object
}

/// An answer to `/keys/query`.
#[derive(Clone, Debug)]
pub struct Answer(pub Value);

impl Answer {
    pub fn new() -> Self {
        Self(json!({
            "device_keys": {}, "failures": {},
            "master_keys": {}, "self_signing_keys": {}, "user_signing_keys": {},
        }))
    }

    /// A user with an identity, whose keys are called `prefix-m`, `-s` and `-u`.
    pub fn identity(mut self, user_id: &str, prefix: &str) -> Self {
        let [m, s, u] = ["m", "s", "u"].map(|role| format!("{prefix}-{role}"));
        self.0["device_keys"][user_id] = json!({});
        self.0["master_keys"][user_id] = signing_key(user_id, "master", &m);
        let by = format!("ed25519:{}", public(&m));
        for (member, usage, name) in
            [("self_signing_keys", "self_signing", s), ("user_signing_keys", "user_signing", u)]
        {
            let mut object = signing_key(user_id, usage, &name);
            sign(&mut object, user_id, &by, &m);
            self.0[member][user_id] = object;
        }
        self
    }

    /// A device, signed by a self-signing key of this name.
    pub fn cross_signed(mut self, user_id: &str, device_id: &str, ssk: &str) -> Self {
        self = self.device(user_id, device_id);
        let by = format!("ed25519:{}", public(ssk));
        sign(&mut self.0["device_keys"][user_id][device_id], user_id, &by, ssk);
        self
    }

    pub fn device(mut self, user_id: &str, device_id: &str) -> Self {
        self.0["device_keys"][user_id][device_id] = device(user_id, device_id);
        self
    }

    /// A user-signing key of this name and user signs a master signing key.
    pub fn verified(mut self, user_id: &str, by: &str, usk: &str) -> Self {
        let key_id = format!("ed25519:{}", public(usk));
        sign(&mut self.0["master_keys"][user_id], by, &key_id, usk);
        self
    }

    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Alice with a phone, and Bob, whom she has verified, with a laptop; both are cross-signed.
pub fn alice_and_bob() -> Answer {
    Answer::new()
        .identity(ALICE, "a")
        .cross_signed(ALICE, "PHONE", "a-s")
        .identity(BOB, "b")
        .cross_signed(BOB, "LAPTOP", "b-s")
        .verified(BOB, ALICE, "a-u")
}
