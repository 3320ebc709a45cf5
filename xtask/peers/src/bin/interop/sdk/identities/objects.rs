//! Devices, cross-signing keys and answers of a server, put together as JSON and signed by neither side's code for that: keys
//! have names, and a name is a seed.

use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_types::Ed25519PublicKey;
use serde_json::{Map, Value, json};

use crate::{canonical_json::ruma, report::Failure};

/// The key of a name.
pub fn key(name: &str) -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&mx_aes_sha2::sha256(&[b"a key of the interop tests", name.as_bytes()]))
}

pub fn public(name: &str) -> Ed25519PublicKey {
    key(name).public_key()
}

/// What the signatures on an object cover, in ruma's canonical form.
pub fn covered(object: &Value) -> Result<String, Failure> {
    let mut members = object.as_object().ok_or("no object")?.clone();
    members.remove("signatures");
    members.remove("unsigned");
    Ok(ruma(&Value::Object(members).to_string())?)
}

/// Adds the signature of a user's key under a key ID.
pub fn sign(object: &mut Value, signer: &str, user_id: &str, id: &str) -> Result<(), Failure> {
    let signature = key(signer).sign(covered(object)?.as_bytes());
    put_signature(object, user_id, id, &signature.to_string())
}

pub fn put_signature(object: &mut Value, user_id: &str, id: &str, signature: &str) -> Result<(), Failure> {
    let members = object.as_object_mut().ok_or("no object")?;
    let signatures = members.entry("signatures").or_insert_with(|| json!({}));
    let of_user = signatures.as_object_mut().ok_or("no object")?.entry(user_id).or_insert_with(|| json!({}));
    of_user[format!("ed25519:{id}")] = signature.into();
    Ok(())
}

/// Adds the signature of a cross-signing key, which stands under the key itself.
pub fn sign_by(object: &mut Value, signer: &str, user_id: &str) -> Result<(), Failure> {
    sign(object, signer, user_id, &public(signer).to_string())
}

pub fn signing_key(user_id: &str, usage: &str, name: &str) -> Value {
    let key = public(name);
    json!({ "user_id": user_id, "usage": [usage], "keys": { format!("ed25519:{key}"): key.to_string() } })
}

/// A device, signed by itself.
pub fn device_keys(user_id: &str, device_id: &str, name: &str) -> Result<Value, Failure> {
    let curve25519 = Curve25519SecretKey::from_secret_bytes(&mx_aes_sha2::sha256(&[name.as_bytes()]));
    let mut object = json!({
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            format!("curve25519:{device_id}"): curve25519.public_key().to_string(),
            format!("ed25519:{device_id}"): public(name).to_string(),
        },
    });
    sign(&mut object, name, user_id, device_id)?;
    Ok(object)
}

/// An answer to `/keys/query`.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub devices: Map<String, Value>,
    pub msks: Map<String, Value>,
    pub ssks: Map<String, Value>,
    pub usks: Map<String, Value>,
}

impl Answer {
    /// A user's identity; each of the other two keys is signed by the first. No device yet.
    pub fn identity(&mut self, user_id: &str, [msk, ssk, usk]: [&str; 3]) -> Result<(), Failure> {
        self.msks.insert(user_id.into(), signing_key(user_id, "master", msk));
        for (keys, usage, name) in
            [(&mut self.ssks, "self_signing", ssk), (&mut self.usks, "user_signing", usk)]
        {
            let mut object = signing_key(user_id, usage, name);
            sign_by(&mut object, msk, user_id)?;
            keys.insert(user_id.into(), object);
        }
        self.devices.entry(user_id).or_insert_with(|| json!({}));
        Ok(())
    }

    pub fn device(&mut self, user_id: &str, device_id: &str, object: Value) {
        self.devices.entry(user_id).or_insert_with(|| json!({}))[device_id] = object;
    }

    pub fn body(&self) -> String {
        json!({
            "device_keys": self.devices,
            "failures": {},
            "master_keys": self.msks,
            "self_signing_keys": self.ssks,
            "user_signing_keys": self.usks,
        })
        .to_string()
    }
}
