//! Rows of the attack catalogue.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use std::thread;

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_signing::{
    ClaimError, DeviceKeys, DeviceKeysError, KeysClaimResponse, KeysQueryResponse, OneTimeKey,
    OneTimeKeyError, SignedObject, VerifyError,
};
use mx_types::base64::encode_to_string;
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519Signature, KeyId, UserId};
use serde_json::{Value, json};

fn secret() -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&[7; 32])
}

fn curve25519() -> Curve25519PublicKey {
    Curve25519SecretKey::from_secret_bytes(&[1; 32]).public_key()
}

fn alice() -> UserId<'static> {
    UserId::parse("@alice:example.org").unwrap()
}

fn device(id: &str) -> DeviceId<'_> {
    DeviceId::parse(id).unwrap()
}

fn sign(text: &str) -> String {
    let key_id = KeyId::parse("ed25519:PHONE").unwrap();
    SignedObject::parse(text, &Limits::DEFAULT).unwrap().sign(&secret(), alice().as_str(), key_id).unwrap()
}

fn verify_as(text: &str, entity: &str, key_id: &str) -> Result<String, VerifyError> {
    let object = SignedObject::parse(text, &Limits::DEFAULT).unwrap();
    object.verify(entity, KeyId::parse(key_id).unwrap(), secret().public_key()).map(|text| text.to_string())
}

fn verify(text: &str) -> Result<String, VerifyError> {
    verify_as(text, alice().as_str(), "ed25519:PHONE")
}

fn with_signature(signature: &[u8; 64]) -> String {
    json!({ "signatures": { "@alice:example.org": { "ed25519:PHONE": encode_to_string(signature) } } })
        .to_string()
}

// SIG-9
#[test]
fn attack_001_the_order_added_to_s_is_another_signature() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = *secret().sign(b"{}").as_bytes();
    assert!(verify(&with_signature(&signature)).is_ok());
    for _ in 0..7 {
        let mut carry = 0;
        for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert_eq!(verify(&with_signature(&signature)), Err(VerifyError::InvalidSignature));
    }
}

// SIG-9
#[test]
fn attack_002_a_signature_for_every_object() {
    let mut identity = [0; 32];
    identity[0] = 1;
    // R is the identity, S is zero: it would verify under the identity as key.
    let mut signature = [0; 64];
    signature[0] = 1;
    assert_eq!(verify(&with_signature(&signature)), Err(VerifyError::InvalidSignature));
    let text = json!({
        "algorithms": [],
        "device_id": "PHONE",
        "keys": { "ed25519:PHONE": encode_to_string(&identity) },
        "signatures": { "@alice:example.org": { "ed25519:PHONE": Ed25519Signature::from_bytes(signature) } },
        "user_id": "@alice:example.org",
    })
    .to_string();
    let refused = DeviceKeys::verify(&text, alice(), device("PHONE"));
    assert_eq!(refused.unwrap_err(), DeviceKeysError::InvalidKey);
}

/// Encodings of points of small order, and encodings that are not canonical, for both curves.
fn weak_keys() -> Vec<String> {
    let hex = |text: &str| -> Vec<u8> {
        (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let p = |low: &str, high: &str| format!("{low}{}{high}", "ff".repeat(30));
    let mut keys: Vec<_> = [
        format!("00{}", "00".repeat(31)),
        format!("01{}", "00".repeat(31)),
        p("ec", "7f"),
        p("ed", "7f"),
        p("ee", "7f"),
    ]
    .iter()
    .map(|key| encode_to_string(&hex(key)))
    .collect();
    // The same with the sign bit.
    for key in keys.clone() {
        let mut bytes =
            mx_types::base64::decode_to_vec(&key, mx_types::base64::TrailingBits::Refused).unwrap();
        bytes[31] |= 0x80;
        keys.push(encode_to_string(&bytes));
    }
    keys
}

// SIG-9
#[test]
fn attack_003_weak_keys_in_every_slot() {
    for weak in weak_keys() {
        for (ed25519, curve) in
            [(weak.clone(), curve25519().to_string()), (secret().public_key().to_string(), weak.clone())]
        {
            let object = json!({
                "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
                "device_id": "PHONE",
                "keys": { "curve25519:PHONE": curve, "ed25519:PHONE": ed25519 },
                "user_id": "@alice:example.org",
            });
            let refused = DeviceKeys::verify(&sign(&object.to_string()), alice(), device("PHONE"));
            assert_eq!(refused.unwrap_err(), DeviceKeysError::InvalidKey, "{weak}");
        }
        for object in [json!({ "key": weak }), json!({ "key": weak, "fallback": true })] {
            let refused = OneTimeKey::verify(
                &sign(&object.to_string()),
                alice(),
                device("PHONE"),
                secret().public_key(),
            );
            assert_eq!(refused.unwrap_err(), OneTimeKeyError::Malformed, "{weak}");
        }
    }
}

// JSON-6, SIG-7
#[test]
fn attack_032_what_is_signed_has_no_floats() {
    for text in [
        r#"{"a":1.0}"#,
        r#"{"a":{"unsigned":1e3}}"#,
        r#"{"a":9007199254740992}"#,
        r#"{"a":[-9007199254740992]}"#,
    ] {
        assert!(SignedObject::parse(text, &Limits::DEFAULT).is_err(), "{text}");
    }
}

// JSON-14
#[test]
fn attack_036_depth_costs_no_stack() {
    thread::Builder::new()
        .stack_size(8 << 10)
        .spawn(|| {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let deep = open.repeat(100_000) + "1" + &close.repeat(100_000);
                for text in [
                    format!("{{\"a\":{deep}}}"),
                    format!("{{\"signatures\":{deep}}}"),
                    format!("{{\"signatures\":{{\"@alice:example.org\":{{\"ed25519:PHONE\":{deep}}}}}}}"),
                    format!("{{\"unsigned\":{deep}}}"),
                ] {
                    let refused = SignedObject::parse(&text, &Limits::DEFAULT);
                    assert!(matches!(refused, Err(CanonicalizeError::TooDeep { .. })));
                }
                // In answers, it is the one entry that is refused.
                let body = format!(
                    "{{\"device_keys\":{{\"@alice:example.org\":{{\"PHONE\":{deep}}}}},\"x\":{deep}}}"
                );
                let response = KeysQueryResponse::parse(&body).unwrap();
                let mut devices = response.devices(alice()).unwrap();
                let refused = devices.next().unwrap().keys;
                assert!(matches!(refused, Err(DeviceKeysError::Json(CanonicalizeError::TooDeep { .. }))));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

// SIG-1, SIG-7
#[test]
fn attack_037_unknown_members_are_covered() {
    let text = r#"{"content":{"signatures":{},"unsigned":{"a":1}},"x":{"y":[1]}}"#;
    let signed = sign(text);
    assert_eq!(verify(&signed).unwrap(), text);
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut object: Value = serde_json::from_str(&signed).unwrap();
        change(&mut object);
        assert_eq!(verify(&object.to_string()), Err(VerifyError::InvalidSignature), "{object}");
    };
    refused(&|object| object["added"] = json!(null));
    refused(&|object| object["x"]["y"] = json!([1, 1]));
    refused(&|object| object["content"]["unsigned"]["a"] = json!(2));
    refused(&|object| object["content"]["unsigned"] = json!({}));
    refused(&|object| object["content"]["signatures"] = json!({ "a": "b" }));
    refused(&|object| drop(object.as_object_mut().unwrap().remove("x")));
    refused(&|object| drop(object["content"].as_object_mut().unwrap().remove("unsigned")));
}

// SIG-1, SIG-7, JSON-13
#[test]
fn attack_038_every_changed_byte_outside_of_what_is_not_signed() {
    let signed =
        sign(r#"{"a":"\n\"\u0001é","b":[-1,0,10,true,null,{"":{}}],"z":{"c":1,"d":2},"unsigned":{"x":1}}"#);
    let original = verify(&signed).unwrap();
    let not_signed = [r#""signatures":{"#, r#""unsigned":{"#].map(|start| {
        let from = signed.find(start).unwrap() + start.len();
        from..from + signed[from..].find(if start.starts_with("\"s") { "}}" } else { "}" }).unwrap()
    });
    let mut same = 0;
    for at in (0..signed.len()).filter(|at| !not_signed.iter().any(|range| range.contains(at))) {
        for byte in (0..=u8::MAX).filter(|byte| *byte != signed.as_bytes()[at]) {
            let mut bytes = signed.clone().into_bytes();
            bytes[at] = byte;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let Ok(object) = SignedObject::parse(&text, &Limits::DEFAULT) else { continue };
            let key_id = KeyId::parse("ed25519:PHONE").unwrap();
            if let Ok(verified) = object.verify(alice().as_str(), key_id, secret().public_key()) {
                // Only where it is the same object.
                assert_eq!(*verified, original, "{text}");
                same += 1;
            }
        }
    }
    assert_eq!(same, 0);
    // One text has one reading: equal keys are refused, wherever they are.
    for text in [
        signed.replacen('{', r#"{"a":"","#, 1),
        signed.replacen(r#""unsigned":{"#, r#""unsigned":{},"\u0075nsigned":{"#, 1),
        signed.replacen(r#""signatures":{"#, r#""signatures":{"@bob:b":{},"@bob:b":{},"#, 1),
    ] {
        let refused = SignedObject::parse(&text, &Limits::DEFAULT);
        assert!(matches!(refused, Err(CanonicalizeError::DuplicateKey { .. })), "{text}");
    }
}

// SIG-4, SIG-5, SIG-6
#[test]
fn attack_040_a_signature_counts_for_its_entity_and_key_id_only() {
    let signed = sign("{}");
    assert!(verify(&signed).is_ok());
    for (entity, key_id) in [
        ("@bob:example.org", "ed25519:PHONE"),
        ("@Alice:example.org", "ed25519:PHONE"),
        ("@alice:example.org:80", "ed25519:PHONE"),
        ("alice:example.org", "ed25519:PHONE"),
        ("", "ed25519:PHONE"),
        ("@alice:example.org", "ed25519:OTHER"),
        ("@alice:example.org", "ed25519:phone"),
        ("@alice:example.org", "ed25519:PHONE:"),
    ] {
        assert_eq!(verify_as(&signed, entity, key_id), Err(VerifyError::NoSignature), "{entity} {key_id}");
    }
    let algorithm = verify_as(&signed, alice().as_str(), "curve25519:PHONE");
    assert_eq!(algorithm, Err(VerifyError::UnsupportedAlgorithm));
    for moved in [
        signed.replace("@alice:example.org", "@bob:example.org"),
        signed.replace("ed25519:PHONE", "ed25519:OTHER"),
        signed.replace("ed25519:PHONE", "curve25519:PHONE"),
        signed.replace("ed25519:PHONE", "PHONE"),
    ] {
        assert_eq!(verify(&moved), Err(VerifyError::NoSignature), "{moved}");
    }
    // Bob's name on Alice's keys does not make them his.
    let keys = DeviceKeys::new(alice(), device("PHONE"), curve25519(), secret().public_key());
    let keys = keys.sign(&secret()).unwrap();
    let bob = UserId::parse("@bob:example.org").unwrap();
    assert_eq!(DeviceKeys::verify(&keys, bob, device("PHONE")).unwrap_err(), DeviceKeysError::OtherUser);
    let renamed = keys.replace("@alice:example.org", "@bob:example.org");
    assert_eq!(
        DeviceKeys::verify(&renamed, bob, device("PHONE")).unwrap_err(),
        DeviceKeysError::Signature(VerifyError::InvalidSignature)
    );
}

// OTK-12
#[test]
fn attack_041_one_malformed_device_among_a_hundred() {
    let id = |n: usize| format!("DEVICE{n:02}");
    let mut devices: Vec<String> = (0..100)
        .map(|n| {
            let id = id(n);
            let keys = DeviceKeys::new(alice(), device(&id), curve25519(), secret().public_key());
            format!("{:?}:{}", id, keys.sign(&secret()).unwrap())
        })
        .collect();
    let mut keys: Vec<String> = (0..100)
        .map(|n| {
            let key = OneTimeKey { key: curve25519(), fallback: n % 2 == 0 };
            let key = key.sign(&secret(), alice(), device(&id(n))).unwrap();
            format!(r#"{:?}:{{"signed_curve25519:AAAAAQ":{key}}}"#, id(n))
        })
        .collect();
    for bad in [
        "null",
        "7",
        "-9223372036854775808",
        "1e400",
        "\"\\ud800\"",
        "[[]]",
        "{}",
        r#"{"a":1,"a":1}"#,
        r#"{"key":1.5}"#,
        r#"{"user_id":9007199254740992}"#,
        r#"{"signatures":7}"#,
        r#"{"algorithms":{}}"#,
    ] {
        devices[42] = format!("\"DEVICE42\":{bad}");
        let body = format!(r#"{{"device_keys":{{"@alice:example.org":{{{}}}}}}}"#, devices.join(","));
        let response = KeysQueryResponse::parse(&body).unwrap();
        let (good, bad_ones): (Vec<_>, Vec<_>) =
            response.devices(alice()).unwrap().partition(|device| device.keys.is_ok());
        assert_eq!((good.len(), bad_ones.len()), (99, 1), "{bad}");
        assert_eq!(bad_ones[0].device_id, "DEVICE42");

        keys[42] = format!(r#""DEVICE42":{{"signed_curve25519:AAAAAQ":{bad}}}"#);
        let body = format!(r#"{{"one_time_keys":{{"@alice:example.org":{{{}}}}}}}"#, keys.join(","));
        let response = KeysClaimResponse::parse(&body).unwrap();
        let taken = (0..100)
            .filter(|n| response.one_time_key(alice(), device(&id(*n)), secret().public_key()).is_ok())
            .count();
        assert_eq!(taken, 99, "{bad}");
        let refused = response.one_time_key(alice(), device("DEVICE42"), secret().public_key());
        assert!(matches!(refused, Err(ClaimError::Key(_))), "{bad}");
    }
}

#[test]
fn attack_042_identifiers_are_bounded_and_inert() {
    let long = "D".repeat(64 << 10);
    let hostile = ["../../etc", "__proto__", "a\0b", "a\" OR 1=1", long.as_str()];
    let object = |id: &str| {
        json!({
            "algorithms": [],
            "device_id": id,
            "keys": { format!("ed25519:{id}"): secret().public_key() },
            "user_id": alice(),
        })
    };
    let devices: serde_json::Map<_, _> = hostile
        .iter()
        .map(|id| {
            // Signed under that very key ID, as far as it can be one.
            let text = object(id).to_string();
            let parsed = SignedObject::parse(&text, &Limits::DEFAULT).unwrap();
            let key_id = format!("ed25519:{id}");
            let signed = match KeyId::parse(&key_id) {
                Ok(key_id) => parsed.sign(&secret(), alice().as_str(), key_id).unwrap(),
                Err(_) => text.clone(),
            };
            ((*id).to_owned(), serde_json::from_str(&signed).unwrap())
        })
        .collect();
    let body = json!({ "device_keys": { alice().as_str(): devices } }).to_string();
    let response = KeysQueryResponse::parse(&body).unwrap();
    for device in response.devices(alice()).unwrap() {
        let bounded = device.device_id.len() < 255 && !device.device_id.contains('\0');
        match device.keys {
            // Inert: it is the text that it is, nothing else.
            Ok(keys) => assert!(bounded && keys.device_id == device.device_id),
            Err(error) => assert!(!bounded && matches!(error, DeviceKeysError::Identifier(_)), "{error}"),
        }
    }
}

// OTK-9, FBK-1, SIG-12
#[test]
fn attack_056_a_claimed_key_that_its_device_has_not_signed() {
    let phone = device("PHONE");
    let check =
        |text: &str| OneTimeKey::verify(text, alice(), phone, secret().public_key()).map(|key| key.fallback);
    let invalid = Err(OneTimeKeyError::Signature(VerifyError::InvalidSignature));
    let missing = Err(OneTimeKeyError::Signature(VerifyError::NoSignature));
    let key = curve25519();
    let signed = OneTimeKey { key, fallback: false }.sign(&secret(), alice(), phone).unwrap();
    let fallback = OneTimeKey { key, fallback: true }.sign(&secret(), alice(), phone).unwrap();
    assert_eq!((check(&signed), check(&fallback)), (Ok(false), Ok(true)));

    // Not signed at all, or by another key.
    assert_eq!(check(&json!({ "key": key }).to_string()), missing);
    assert_eq!(check(&json!({ "key": key, "signatures": {} }).to_string()), missing);
    let foreign = Ed25519SecretKey::from_seed(&[8; 32]);
    assert_eq!(check(&OneTimeKey { key, fallback: false }.sign(&foreign, alice(), phone).unwrap()), invalid);
    // By the right key, but for another device or user.
    let laptop = OneTimeKey { key, fallback: false }.sign(&secret(), alice(), device("LAPTOP")).unwrap();
    assert_eq!(check(&laptop), missing);
    let bob = UserId::parse("@bob:example.org").unwrap();
    assert_eq!(check(&OneTimeKey { key, fallback: false }.sign(&secret(), bob, phone).unwrap()), missing);
    // `fallback` added, taken away, or changed after signing; the key exchanged.
    for (from, change) in
        [(&signed, json!(true)), (&signed, json!(false)), (&fallback, json!(false)), (&fallback, Value::Null)]
    {
        let mut object: Value = serde_json::from_str(from).unwrap();
        match change {
            Value::Null => drop(object.as_object_mut().unwrap().remove("fallback")),
            change => object["fallback"] = change,
        }
        assert_eq!(check(&object.to_string()), invalid, "{object}");
    }
    let other = Curve25519SecretKey::from_secret_bytes(&[2; 32]).public_key();
    assert_eq!(check(&signed.replace(&key.to_string(), &other.to_string())), invalid);
    // A flag that nobody has signed is not the flag.
    let unsigned = fallback
        .replace(r#""fallback":true,"#, "")
        .replace(r#""signatures""#, r#""unsigned":{"fallback":true},"signatures""#);
    assert_eq!(check(&unsigned), invalid);

    // Under a key ID of another algorithm.
    for id in
        ["curve25519:AAAAAQ", "ed25519:AAAAAQ", "signed_curve25519", "Signed_curve25519:AAAAAQ", ":AAAAAQ"]
    {
        let signed: Value = serde_json::from_str(&signed).unwrap();
        let body =
            json!({ "one_time_keys": { "@alice:example.org": { "PHONE": { id: signed } } } }).to_string();
        let claimed =
            KeysClaimResponse::parse(&body).unwrap().one_time_key(alice(), phone, secret().public_key());
        assert_eq!(claimed.unwrap_err(), ClaimError::UnsupportedAlgorithm, "{id}");
    }
}
