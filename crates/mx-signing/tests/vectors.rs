//! Known answers: `vectors/signing-kat.json`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use mx_canonical_json::Limits;
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_signing::{DeviceKeys, DeviceKeysError, OneTimeKey, SignedObject, VerifyError};
use mx_types::base64::{self, TrailingBits};
use mx_types::{DeviceId, Ed25519PublicKey, KeyId, UserId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/signing-kat.json")).unwrap()
}

fn ramp(first: u8) -> [u8; 32] {
    core::array::from_fn(|index| first + u8::try_from(index).unwrap())
}

// SIG-1, SIG-2, SIG-3, SIG-4
#[test]
fn objects_of_the_appendices() {
    let vectors = &vectors()["appendices"];
    // The specification prints it with trailing bits.
    let seed = base64::decode_array(vectors["seed"].as_str().unwrap(), TrailingBits::Ignored).unwrap();
    let secret = Ed25519SecretKey::from_seed(&seed);
    assert_eq!(secret.public_key().to_string(), vectors["public"].as_str().unwrap());
    let entity = vectors["entity"].as_str().unwrap();
    let key_id = KeyId::parse(vectors["key_id"].as_str().unwrap()).unwrap();

    for case in vectors["objects"].as_array().unwrap() {
        let text = case["object"].to_string();
        let signed =
            SignedObject::parse(&text, &Limits::DEFAULT).unwrap().sign(&secret, entity, key_id).unwrap();
        let mut expected = case["object"].clone();
        expected["signatures"] = json!({ "domain": { "ed25519:1": case["signature"] } });
        assert_eq!(serde_json::from_str::<Value>(&signed).unwrap(), expected);
        let signed = SignedObject::parse(&signed, &Limits::DEFAULT).unwrap();
        assert!(signed.verify(entity, key_id, secret.public_key()).is_ok());
    }
}

// JSON-1, SIG-1: the content hash of the minimal event is that of its canonical form without three members
#[test]
fn content_hash_of_the_minimal_event() {
    let event = vectors()["appendices"]["objects"][2]["object"].to_string();
    let names = ["hashes", "signatures", "unsigned"];
    let object = mx_canonical_json::CanonicalObject::parse(&event, &names, &Limits::DEFAULT).unwrap();
    let hash = base64::encode_to_string(&Sha256::digest(object.as_str()));
    assert_eq!(format!(r#"{{"sha256":"{hash}"}}"#), object.left_out("hashes").unwrap());
}

// ACC-2, SIG-3, SIG-13
#[test]
fn device_keys_of_the_rust_sdk() {
    for object in vectors()["device_keys"].as_array().unwrap() {
        let user_id = UserId::parse(object["user_id"].as_str().unwrap()).unwrap();
        let device_id = DeviceId::parse(object["device_id"].as_str().unwrap()).unwrap();
        let keys = DeviceKeys::verify(&object.to_string(), user_id, device_id).unwrap();
        let curve25519 = &object["keys"][format!("curve25519:{device_id}")];
        assert_eq!(&json!(keys.curve25519), curve25519);
        assert_eq!(json!(keys.ed25519), object["keys"][format!("ed25519:{device_id}")]);
        assert_eq!(json!(keys.algorithms), object["algorithms"]);

        let mut changed = object.clone();
        let foreign = Curve25519SecretKey::from_secret_bytes(&[9; 32]).public_key();
        changed["keys"][format!("curve25519:{device_id}")] = json!(foreign);
        assert_eq!(
            DeviceKeys::verify(&changed.to_string(), user_id, device_id).unwrap_err(),
            DeviceKeysError::Signature(VerifyError::InvalidSignature)
        );
    }
}

// OTK-1, FBK-1, SIG-12
#[test]
fn one_time_and_fallback_key() {
    let vectors = &vectors()["one_time_keys"];
    let secret = Ed25519SecretKey::from_seed(&ramp(0));
    let public = Ed25519PublicKey::from_base64(vectors["ed25519_public"].as_str().unwrap()).unwrap();
    assert_eq!(secret.public_key(), public);
    let key = Curve25519SecretKey::from_secret_bytes(&ramp(0x80)).public_key();
    let user_id = UserId::parse("@a:b").unwrap();
    let device_id = DeviceId::parse("DEVICE").unwrap();

    for (name, fallback) in [("one_time", false), ("fallback", true)] {
        let signed = OneTimeKey { key, fallback }.sign(&secret, user_id, device_id).unwrap();
        let mut expected: Value = serde_json::from_str(vectors[name]["canonical"].as_str().unwrap()).unwrap();
        expected["signatures"] = json!({ "@a:b": { "ed25519:DEVICE": vectors[name]["signature"] } });
        assert_eq!(signed, expected.to_string());
        let object = SignedObject::parse(&signed, &Limits::DEFAULT).unwrap();
        assert_eq!(object.canonical(), vectors[name]["canonical"].as_str().unwrap());
        let verified = OneTimeKey::verify(&signed, user_id, device_id, public).unwrap();
        assert_eq!(*verified, OneTimeKey { key, fallback });
    }
}
