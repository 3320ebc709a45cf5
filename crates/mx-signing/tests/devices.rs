//! Device keys, one-time keys and fallback keys: uploaded, queried, claimed.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use mx_canonical_json::{Limits, canonicalize};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_signing::{
    ClaimError, DeviceKeys, DeviceKeysError, DeviceRefused, KeysClaimResponse, KeysQueryResponse, KeysUpload,
    KnownDevice, MAX_OBJECT_LEN, MEGOLM, MalformedResponse, OLM, OneTimeKey, OneTimeKeyError, QueryError,
    SignError, SignatureMemory, SignedObject, VerifyError,
};
use mx_types::{Curve25519PublicKey, DeviceId, InvalidIdentifier, KeyId, UserId};
use serde_json::{Value, json};

fn secret() -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&[7; 32])
}

fn curve25519(seed: u8) -> Curve25519PublicKey {
    Curve25519SecretKey::from_secret_bytes(&[seed; 32]).public_key()
}

fn alice() -> UserId<'static> {
    UserId::parse("@alice:example.org").unwrap()
}

fn phone() -> DeviceId<'static> {
    DeviceId::parse("PHONE").unwrap()
}

fn device_keys() -> DeviceKeys {
    DeviceKeys::new(alice(), phone(), curve25519(1), secret().public_key())
}

/// Signs a changed object anew, as a device may do that is not honest.
fn resign(mut object: Value) -> String {
    object.as_object_mut().unwrap().remove("signatures");
    let text = object.to_string();
    let key_id = KeyId::new("ed25519", "PHONE").unwrap();
    SignedObject::parse(&text, &Limits::DEFAULT).unwrap().sign(&secret(), alice().as_str(), key_id).unwrap()
}

// ACC-2, OTK-1, FBK-1, SIG-12
#[test]
fn the_body_of_an_upload() {
    let keys = device_keys();
    let upload = KeysUpload {
        device_keys: Some(&keys),
        one_time_keys: &[("AAAAAQ", curve25519(2)), ("AAAAAg", curve25519(3))],
        fallback_key: Some(("AAAAAw", curve25519(4))),
    };
    let text = upload.sign(&secret(), alice(), phone()).unwrap();
    assert_eq!(canonicalize(&text, &Limits::DEFAULT).as_ref(), Ok(&text));

    let body: Value = serde_json::from_str(&text).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&body), ["device_keys", "fallback_keys", "one_time_keys"]);
    let mut uploaded = body["device_keys"].clone();
    let verified = DeviceKeys::verify(&uploaded.to_string(), alice(), phone()).unwrap();
    assert_eq!(*verified, keys);
    uploaded.as_object_mut().unwrap().remove("signatures");
    let expected = json!({
        "user_id": "@alice:example.org",
        "device_id": "PHONE",
        "algorithms": [OLM, MEGOLM],
        "keys": { "curve25519:PHONE": curve25519(1), "ed25519:PHONE": secret().public_key() },
    });
    assert_eq!(uploaded, expected);

    assert_eq!(names(&body["one_time_keys"]), ["signed_curve25519:AAAAAQ", "signed_curve25519:AAAAAg"]);
    assert_eq!(names(&body["fallback_keys"]), ["signed_curve25519:AAAAAw"]);
    for (object, seed, fallback) in [
        (&body["one_time_keys"]["signed_curve25519:AAAAAQ"], 2, false),
        (&body["one_time_keys"]["signed_curve25519:AAAAAg"], 3, false),
        (&body["fallback_keys"]["signed_curve25519:AAAAAw"], 4, true),
    ] {
        let names = names(object);
        assert_eq!(names.contains(&"fallback".to_owned()), fallback, "{names:?}");
        let key = OneTimeKey::verify(&object.to_string(), alice(), phone(), secret().public_key()).unwrap();
        assert_eq!(*key, OneTimeKey { key: curve25519(seed), fallback });
    }

    assert_eq!(KeysUpload::default().sign(&secret(), alice(), phone()).unwrap(), "{}");
}

// OTK-2: a key ID never names two one-time keys. FBK-7: vodozemac counts its fallback keys apart.
#[test]
fn what_is_not_uploaded() {
    let twice = [("AAAAAQ", curve25519(2)), ("AAAAAQ", curve25519(3))];
    let upload = KeysUpload { one_time_keys: &twice, ..KeysUpload::default() };
    assert_eq!(upload.sign(&secret(), alice(), phone()), Err(SignError::DuplicateKeyId));
    let upload =
        KeysUpload { one_time_keys: &twice[..1], fallback_key: Some(twice[1]), ..KeysUpload::default() };
    assert!(upload.sign(&secret(), alice(), phone()).is_ok());
    let upload = KeysUpload { fallback_key: Some(("", curve25519(2))), ..KeysUpload::default() };
    assert!(matches!(upload.sign(&secret(), alice(), phone()), Err(SignError::Identifier(_))));

    let keys = device_keys();
    let upload = KeysUpload { device_keys: Some(&keys), ..KeysUpload::default() };
    let laptop = DeviceId::parse("LAPTOP").unwrap();
    let bob = UserId::parse("@bob:example.org").unwrap();
    assert_eq!(upload.sign(&secret(), alice(), laptop), Err(SignError::OtherDevice));
    assert_eq!(upload.sign(&secret(), bob, phone()), Err(SignError::OtherDevice));

    let foreign = Ed25519SecretKey::from_seed(&[8; 32]);
    assert_eq!(keys.sign(&foreign), Err(SignError::WrongKey));
    let long = "D".repeat(250);
    let keys = DeviceKeys { device_id: long, ..keys };
    assert!(matches!(keys.sign(&secret()), Err(SignError::Identifier(InvalidIdentifier::TooLong { .. }))));
    let keys = DeviceKeys { user_id: "alice".to_owned(), ..device_keys() };
    assert!(matches!(keys.sign(&secret()), Err(SignError::Identifier(_))));
}

// ACC-2
#[test]
fn device_keys_that_are_not_taken() {
    let honest: Value = serde_json::from_str(&device_keys().sign(&secret()).unwrap()).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut object = honest.clone();
        change(&mut object);
        DeviceKeys::verify(&resign(object), alice(), phone()).unwrap_err()
    };
    let remove =
        |value: &mut Value, name: &str| assert!(value.as_object_mut().unwrap().remove(name).is_some());

    assert_eq!(refused(&|object| object["user_id"] = json!("@bob:example.org")), DeviceKeysError::OtherUser);
    assert_eq!(
        refused(&|object| object["user_id"] = json!("@Alice:example.org")),
        DeviceKeysError::OtherUser
    );
    assert_eq!(refused(&|object| object["device_id"] = json!("LAPTOP")), DeviceKeysError::OtherDevice);
    for name in ["user_id", "device_id", "algorithms", "keys"] {
        assert_eq!(refused(&|object| remove(object, name)), DeviceKeysError::Malformed);
        for wrong in [json!(null), json!(1), json!([1]), json!({ "a": [] })] {
            let error = refused(&|object| object[name] = wrong.clone());
            let missing = name == "keys" && wrong.is_object();
            let expected = if missing { DeviceKeysError::NoEd25519Key } else { DeviceKeysError::Malformed };
            assert_eq!(error, expected, "{name}: {wrong}");
        }
    }
    assert_eq!(
        refused(&|object| remove(&mut object["keys"], "ed25519:PHONE")),
        DeviceKeysError::NoEd25519Key
    );
    assert_eq!(
        refused(&|object| remove(&mut object["keys"], "curve25519:PHONE")),
        DeviceKeysError::NoCurve25519Key
    );
    for name in ["ed25519:PHONE", "curve25519:PHONE"] {
        for wrong in
            [json!(null), json!(1), json!(""), json!("A".repeat(44)), json!("A".repeat(43)), json!({})]
        {
            assert_eq!(
                refused(&|object| object["keys"][name] = wrong.clone()),
                DeviceKeysError::InvalidKey,
                "{wrong}"
            );
        }
    }
    // Another device's key does not stand in for its own.
    let renamed = refused(&|object| {
        let key = object["keys"]["ed25519:PHONE"].clone();
        remove(&mut object["keys"], "ed25519:PHONE");
        object["keys"]["ed25519:LAPTOP"] = key;
    });
    assert_eq!(renamed, DeviceKeysError::NoEd25519Key);

    // Without Olm a device may lack the Curve25519 key, and what nobody knows is left alone.
    let mut object = honest.clone();
    remove(&mut object["keys"], "curve25519:PHONE");
    object["algorithms"] = json!(["org.example.other"]);
    object["keys"]["org.example:PHONE"] = json!({ "x": 1 });
    object["dehydrated"] = json!(true);
    let keys = DeviceKeys::verify(&resign(object), alice(), phone()).unwrap();
    assert_eq!(
        (keys.curve25519, keys.supports(OLM), keys.supports("org.example.other")),
        (None, false, true)
    );
    let again = keys.into_inner().sign(&secret()).unwrap();
    assert!(DeviceKeys::verify(&again, alice(), phone()).is_ok());
}

// SIG-10: `unsigned` may say what it likes
#[test]
fn the_server_may_add_a_display_name() {
    let mut object: Value = serde_json::from_str(&device_keys().sign(&secret()).unwrap()).unwrap();
    object["unsigned"] =
        json!({ "device_display_name": "Alice's phone", "user_id": "@bob:example.org", "x": 0.1 });
    let text = object.to_string();
    assert_eq!(*DeviceKeys::verify(&text, alice(), phone()).unwrap(), device_keys());
    let unauthenticated = SignedObject::parse(&text, &Limits::DEFAULT).unwrap().unauthenticated().unwrap();
    assert_eq!(serde_json::from_str::<Value>(unauthenticated).unwrap(), object["unsigned"]);
}

#[test]
fn an_answer_to_a_query() {
    let object: Value = serde_json::from_str(&device_keys().sign(&secret()).unwrap()).unwrap();
    let body = json!({
        "failures": { "down.example": {} },
        "device_keys": {
            "@alice:example.org": { "PHONE": object, "LAPTOP": object, "": object, "TV": 7 },
            "@bob:example.org": { "PHONE": object },
            "@carol:example.org": [],
        },
        "master_keys": 1.5,
    })
    .to_string();
    let response = KeysQueryResponse::parse(&body).unwrap();

    let devices: Vec<_> = response.devices(alice()).unwrap().collect();
    let ids: Vec<_> = devices.iter().map(|device| device.device_id.as_str()).collect();
    assert_eq!(ids, ["", "LAPTOP", "PHONE", "TV"]);
    assert!(matches!(devices[0].keys, Err(DeviceKeysError::Identifier(_))));
    assert!(matches!(devices[1].keys, Err(DeviceKeysError::OtherDevice)));
    assert_eq!(**devices[2].keys.as_ref().unwrap(), device_keys());
    assert_eq!(serde_json::from_str::<Value>(devices[2].text).unwrap(), object);
    assert!(matches!(devices[3].keys, Err(DeviceKeysError::Json(_))));

    let bob: Vec<_> = response.devices(UserId::parse("@bob:example.org").unwrap()).unwrap().collect();
    assert!(matches!(bob[0].keys, Err(DeviceKeysError::OtherUser)));
    let failed = |user| response.devices(UserId::parse(user).unwrap()).map(Iterator::count);
    assert_eq!(failed("@carol:example.org"), Err(QueryError::Malformed));
    assert_eq!(failed("@dan:down.example"), Err(QueryError::NoAnswer));
    for body in [
        "",
        "[]",
        r#"{"device_keys":[]}"#,
        r#"{"device_keys":null}"#,
        r#"{"device_keys":{},"device_keys":{}}"#,
        r#"{"device_keys":{"@a:b":{},"@a:b":{}}}"#,
    ] {
        assert_eq!(KeysQueryResponse::parse(body).unwrap_err(), MalformedResponse, "{body}");
    }
    // ruma leaves out what is empty.
    assert_eq!(KeysQueryResponse::parse("{}").unwrap().devices(alice()).map(drop), Err(QueryError::NoAnswer));
    let twice =
        KeysQueryResponse::parse(r#"{"device_keys":{"@alice:example.org":{"A":1,"\u0041":2}}}"#).unwrap();
    assert_eq!(twice.devices(alice()).map(Iterator::count), Err(QueryError::Malformed));
}

// OTK-9, OTK-12
#[test]
fn an_answer_to_a_claim() {
    let signed =
        OneTimeKey { key: curve25519(2), fallback: false }.sign(&secret(), alice(), phone()).unwrap();
    let signed: Value = serde_json::from_str(&signed).unwrap();
    let body = json!({
        "failures": {},
        "one_time_keys": {
            "@alice:example.org": {
                "PHONE": { "signed_curve25519:AAAAAQ": signed },
                "PLAIN": { "curve25519:AAAAAQ": curve25519(2) },
                "EMPTY": {},
                "WRONG": [],
                "TWO": { "signed_curve25519:AAAAAQ": signed, "signed_curve25519:AAAAAg": signed },
                "OTHER": { "signed_curve25519:AAAAAQ": signed },
                "TEXT": { "signed_curve25519:AAAAAQ": curve25519(2) },
            },
            "@carol:example.org": 0.5,
        },
    })
    .to_string();
    let response = KeysClaimResponse::parse(&body).unwrap();
    let claim = |user, device| {
        let (user, device) = (UserId::parse(user).unwrap(), DeviceId::parse(device).unwrap());
        response.one_time_key(user, device, secret().public_key()).map(|key| key.key)
    };
    let alice = alice().as_str();
    assert_eq!(claim(alice, "PHONE"), Ok(curve25519(2)));
    assert_eq!(claim(alice, "PLAIN"), Err(ClaimError::UnsupportedAlgorithm));
    assert_eq!(claim(alice, "EMPTY"), Err(ClaimError::NoKey));
    assert_eq!(claim(alice, "MISSING"), Err(ClaimError::NoKey));
    assert_eq!(claim("@bob:example.org", "PHONE"), Err(ClaimError::NoKey));
    assert_eq!(claim("@carol:example.org", "PHONE"), Err(ClaimError::Malformed));
    assert_eq!(claim(alice, "WRONG"), Err(ClaimError::Malformed));
    assert_eq!(claim(alice, "TWO"), Err(ClaimError::Malformed));
    let unsigned = Err(ClaimError::Key(OneTimeKeyError::Signature(VerifyError::NoSignature)));
    assert_eq!(claim(alice, "OTHER"), unsigned);
    assert!(matches!(claim(alice, "TEXT"), Err(ClaimError::Key(OneTimeKeyError::Json(_)))));
    for body in ["", "{}", r#"{"one_time_keys":null}"#] {
        assert_eq!(KeysClaimResponse::parse(body).unwrap_err(), MalformedResponse);
    }
}

// OTK-9
#[test]
fn signed_objects_that_are_no_one_time_keys() {
    for object in [
        json!({}),
        json!({ "key": 1 }),
        json!({ "key": "AAAA" }),
        json!({ "key": "A".repeat(43) }),
        json!({ "key": curve25519(1), "fallback": "true" }),
        json!({ "key": curve25519(1), "fallback": null }),
        json!({ "key": curve25519(1), "fallback": 1 }),
    ] {
        let verified = OneTimeKey::verify(&resign(object.clone()), alice(), phone(), secret().public_key());
        assert_eq!(verified.unwrap_err(), OneTimeKeyError::Malformed, "{object}");
    }
    let unknown = resign(json!({ "key": curve25519(1), "fallback": false, "org.example": { "x": 1 } }));
    let key = OneTimeKey::verify(&unknown, alice(), phone(), secret().public_key()).unwrap();
    assert_eq!(*key, OneTimeKey { key: curve25519(1), fallback: false });
}

// TRU-10
#[test]
fn what_was_verified_is_not_verified_again_but_nothing_else_is_taken_for_it() {
    let text = device_keys().sign(&secret()).unwrap();
    let key_id = KeyId::new("ed25519", "PHONE").unwrap();
    let mut memory = SignatureMemory::with_capacity(4);
    for _ in 0..3 {
        DeviceKeys::verify_with(&mut memory, &text, alice(), phone()).unwrap();
    }
    assert_eq!((memory.verifications(), memory.len()), (1, 1));

    // Another key, a changed object, a changed signature: each is verified, and fails again and again.
    let object = SignedObject::parse(&text, &Limits::DEFAULT).unwrap();
    let other = Ed25519SecretKey::from_seed(&[8; 32]).public_key();
    let changed = text.replace("aes-sha2", "aes-sha3");
    let mut signature = *secret().sign(object.canonical().as_bytes()).as_bytes();
    signature[40] ^= 1;
    let resigned = text.replace(
        &secret().sign(object.canonical().as_bytes()).to_string(),
        &mx_types::Ed25519Signature::from_bytes(signature).to_string(),
    );
    for round in 0..2 {
        let refused = object.verify_with(&mut memory, alice().as_str(), key_id, other);
        assert_eq!(refused.unwrap_err(), VerifyError::InvalidSignature);
        for text in [&changed, &resigned] {
            let refused = DeviceKeys::verify_with(&mut memory, text, alice(), phone());
            assert_eq!(refused.unwrap_err(), DeviceKeysError::Signature(VerifyError::InvalidSignature));
        }
        assert_eq!((memory.verifications(), memory.len()), (4 + 3 * round, 1));
    }
}

// TRU-10
#[test]
fn a_memory_keeps_its_bound_and_at_least_the_latest_half() {
    for capacity in [0, 1, 2, 9, 64] {
        let mut memory = SignatureMemory::with_capacity(capacity);
        let texts: Vec<_> = (0..40).map(|n| resign(json!({ "n": n }))).collect();
        let key_id = KeyId::new("ed25519", "PHONE").unwrap();
        let mut look = |text: &str| {
            let before = memory.verifications();
            let object = SignedObject::parse(text, &Limits::DEFAULT).unwrap();
            object.verify_with(&mut memory, alice().as_str(), key_id, secret().public_key()).unwrap();
            (memory.len(), memory.verifications() == before)
        };
        for text in &texts {
            let (len, known) = look(text);
            assert!(len <= capacity && !known);
        }
        let latest = texts.len() - texts.len().min(capacity / 2);
        for text in &texts[latest..] {
            let (len, known) = look(text);
            assert!(len <= capacity && known, "{capacity}");
        }
    }
}

// XS-10, XS-17
#[test]
fn cross_signing_keys_of_an_answer_are_given_as_they_came() {
    let alice_only = |keys: &str| format!(r#"{{"@alice:example.org":{keys}}}"#);
    let body = format!(
        r#"{{"device_keys":{},"master_keys":{},"self_signing_keys":[],"user_signing_keys":{{}}}}"#,
        alice_only("{}"),
        alice_only(r#"{ "any": 1.5 }"#)
    );
    let answer = KeysQueryResponse::parse(&body).unwrap();
    assert_eq!(answer.master_key(alice()), Ok(r#"{ "any": 1.5 }"#));
    assert_eq!(answer.self_signing_key(alice()), Err(QueryError::Malformed));
    assert_eq!(answer.user_signing_key(alice()), Err(QueryError::NoAnswer));
    assert_eq!(answer.device_count(alice()), Ok(0));
    let more = body.replace(r#""user_signing_keys":{}"#, r#""user_signing_keys":{"no user":1}"#);
    let more = KeysQueryResponse::parse(&more).unwrap();
    assert_eq!(more.user_ids().into_iter().collect::<Vec<_>>(), ["@alice:example.org", "no user"]);
    let without = KeysQueryResponse::parse(r#"{"device_keys":{}}"#).unwrap();
    assert!(without.user_ids().is_empty());
    assert_eq!(without.master_key(alice()), Err(QueryError::NoAnswer));
    assert_eq!(without.device_count(alice()), Err(QueryError::NoAnswer));
}

// DL-31, DL-32, DL-41: each complaint comes before those behind it.
#[test]
fn a_queried_device_is_held_against_what_is_known() {
    let text =
        |object: &Value| json!({ "device_keys": { "@alice:example.org": { "PHONE": object } } }).to_string();
    let receive = |text: &str, known: &KnownDevice, is_signing_key: bool| {
        let response = KeysQueryResponse::parse(text).unwrap();
        let queried = response.devices(alice()).unwrap().next().unwrap();
        queried.receive(known, |_| is_signing_key).map(|taken| {
            assert_eq!(taken.keys, device_keys());
            (taken.object.canonical().to_owned(), taken.is_dehydrated)
        })
    };
    let object: Value = serde_json::from_str(&device_keys().sign(&secret()).unwrap()).unwrap();
    let good = text(&object);
    let other = Ed25519SecretKey::from_seed(&[8; 32]).public_key();

    let mut covered = object.clone();
    covered.as_object_mut().unwrap().remove("signatures");
    let taken = (canonicalize(&covered.to_string(), &Limits::DEFAULT).unwrap(), false);
    let same = KnownDevice {
        own_ed25519: Some(secret().public_key()),
        own_curve25519: Some(curve25519(1)),
        stored_ed25519: Some(secret().public_key()),
    };
    for known in [KnownDevice::default(), same] {
        assert_eq!(receive(&good, &known, false).as_ref(), Ok(&taken));
        assert_eq!(receive(&good, &known, true), Err(DeviceRefused::IsSigningKey));
    }

    let mut known = KnownDevice { stored_ed25519: Some(other), ..same };
    assert_eq!(receive(&good, &known, true), Err(DeviceRefused::Ed25519Changed));
    known.own_curve25519 = Some(curve25519(2));
    assert_eq!(receive(&good, &known, true), Err(DeviceRefused::NotThisDevice));
    known = KnownDevice { own_ed25519: Some(other), ..known };
    known.own_curve25519 = None;
    assert_eq!(receive(&good, &known, true), Err(DeviceRefused::NotThisDevice));

    // What is signed has a bound; what is not does not count.
    let len = covered.to_string().len();
    let padded = |count: usize| {
        let mut object = object.clone();
        object["x"] = "x".repeat(count).into();
        let mut object: Value = serde_json::from_str(&resign(object)).unwrap();
        object["unsigned"] = json!({ "x": "x".repeat(count) });
        text(&object)
    };
    let longest = MAX_OBJECT_LEN - len - r#""x":"","#.len();
    assert!(receive(&padded(longest), &same, false).is_ok());
    let too_long = DeviceRefused::TooLong { len: MAX_OBJECT_LEN + 1 };
    assert_eq!(receive(&padded(longest + 1), &known, true), Err(too_long));

    let mut unsigned = object.clone();
    unsigned["x"] = 1.into();
    let error = DeviceKeysError::Signature(VerifyError::InvalidSignature);
    assert_eq!(receive(&text(&unsigned), &known, true), Err(DeviceRefused::Keys(error)));

    for (mark, is_dehydrated) in [(json!(true), true), (json!(false), false), (json!(1), false)] {
        let mut object = object.clone();
        object["dehydrated"] = mark;
        let object = serde_json::from_str(&resign(object)).unwrap();
        assert_eq!(receive(&text(&object), &same, false).unwrap().1, is_dehydrated);
    }
}
