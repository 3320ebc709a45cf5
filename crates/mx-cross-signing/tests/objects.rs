//! The objects of an identity, as they come from a server: which are taken, and why others are not.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_cross_signing::{
    CrossSigningKey, Device, Identity, IdentityError, KeyObjectError, LocalTrust, Master, MasterSigningKey,
    OwnState, SelfSigningKey, TrustLevel, Usage, UserSigningKey,
};
use mx_curve25519::Ed25519SecretKey;
use mx_signing::{
    DeviceKeysError, DeviceRefused, KeysQueryResponse, MAX_OBJECT_LEN, SignatureMemory, VerifyError,
};
use mx_types::Ed25519PublicKey;
use mx_types::base64::{TrailingBits, decode_array};
use serde_json::{Value, json};
use support::*;

fn verify(answer: &Answer) -> Result<Identity, IdentityError> {
    let body = answer.body();
    let response = KeysQueryResponse::parse(&body).unwrap();
    Identity::verify_own(&mut SignatureMemory::default(), &response, user(ALICE))
}

fn msk(object: &Value) -> Result<MasterSigningKey, KeyObjectError> {
    MasterSigningKey::parse(&object.to_string(), user(ALICE))
}

/// The keys of `@example:localhost`, as matrix-rust-sdk's tests have them. Not signed by this crate.
fn fixture() -> String {
    let user_id = "@example:localhost";
    let key = |usage: &str, key: &str, signer: &str, signature: &str| {
        json!({
            "user_id": user_id,
            "usage": [usage],
            "keys": { format!("ed25519:{key}"): key },
            "signatures": { user_id: { format!("ed25519:{signer}"): signature } },
        })
    };
    let device = |id: &str, curve: &str, ed: &str, signatures: Value| {
        json!({
            "user_id": user_id,
            "device_id": id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": { format!("curve25519:{id}"): curve, format!("ed25519:{id}"): ed },
            "signatures": { user_id: signatures },
        })
    };
    let msk = "rJ2TAGkEOP6dX41Ksll6cl8K3J48l8s/59zaXyvl2p0";
    let ssk = "0C8lCBxrvrv/O7BQfsKnkYogHZX3zAgw3RfJuyiq210";
    json!({
        "device_keys": { user_id: {
            "WSKKLTJZCL": device(
                "WSKKLTJZCL",
                "wnip2tbJBJxrFayC88NNJpm61TeSNgYcqBH4T9yEDhU",
                "lQ+eshkhgKoo+qp9Qgnj3OX5PBoWMU5M9zbuEevwYqE",
                json!({
                    "ed25519:WSKKLTJZCL": "SKpIUnq7QK0xleav0PrIQyKjVm+TgZr7Yi8cKjLeZDtkgyToE2d4/e3Aj79dqOlLB92jFVE4d1cM/Ry04wFwCA",
                    format!("ed25519:{ssk}"): "9UGu1iC5YhFCdELGfB29YaV+QE0t/X5UDSsPf4QcdZyXIwyp9zBbHX2lh9vWudNQ+akZpaq7ZRaaM+4TCnw/Ag",
                }),
            ),
            "LVWOVGOXME": device(
                "LVWOVGOXME",
                "KMfWKUhnDW1D11hNzATs/Ax1FQRsJxKCWzq0NyGtIiI",
                "k+NC3L7CBD6fBClcHBrKLOkqCyGNSKhWXiH5Q2STRnA",
                json!({
                    "ed25519:LVWOVGOXME": "39Ir5Bttpc5+bQwzLj7rkjm5E5/cp/JTbMJ/t0enj6J5w9MXVBFOUqqM2hpaRaRwILMMpwYbJ8IOGjl0Y/MGAw",
                }),
            ),
        }},
        "master_keys": { user_id: key("master", msk, "WSKKLTJZCL",
            "ZzJp1wtmRdykXAUEItEjNiFlBrxx8L6/Vaen9am8AuGwlxxJtOkuY4m+4MPLvDPOgavKHLsrRuNLAfCeakMlCQ") },
        "self_signing_keys": { user_id: key("self_signing", ssk, msk,
            "AC7oDUW4rUhtInwb4lAoBJ0wAuu4a5k+8e34B5+NKsDB8HXRwgVwUWN/MRWc/sJgtSbVlhzqS9THEmQQ1C51Bw") },
        "user_signing_keys": { user_id: key("user_signing", "DU9z4gBFKFKCk7a13sW9wjT0Iyg7Hqv5f0BPM7DEhPo", msk,
            "C4L2sx9frGqj8w41KyynHGqwUbbwBYRZpYCB+6QWnvQFA5Oi/1PJj8w5anwzEsoO0TWmLYmf7FXuAGewanOWDg") },
    })
    .to_string()
}

// XS-1, XS-2, XS-5, XS-12, XS-14, TRU-3
#[test]
fn an_identity_that_others_have_made_is_taken_and_its_devices_judged() {
    let me = user("@example:localhost");
    let body = fixture();
    let response = KeysQueryResponse::parse(&body).unwrap();
    let mut phone = Phone::new();
    phone.own = mx_cross_signing::OwnIdentity::new(
        me,
        device("OTHER"),
        Ed25519PublicKey::from_base64("k+NC3L7CBD6fBClcHBrKLOkqCyGNSKhWXiH5Q2STRnA").unwrap(),
    );
    let update = phone.store.receive(&mut phone.memory, &mut phone.own, &response, &[me]);
    assert_eq!(update.events.len(), 1, "{:?}", update.events);
    assert_eq!(phone.own.state(), OwnState::NeverVerified);
    let level = |phone: &Phone, id| phone.level("@example:localhost", id).unwrap();
    assert_eq!(level(&phone, "WSKKLTJZCL"), TrustLevel::CrossSignedTofu);
    assert_eq!(level(&phone, "LVWOVGOXME"), TrustLevel::Unsigned);
    phone.verify_own();
    assert_eq!(level(&phone, "WSKKLTJZCL"), TrustLevel::Verified);
    assert_eq!(level(&phone, "LVWOVGOXME"), TrustLevel::Unsigned);

    // Each character of each signature matters.
    for (signature, all_is_lost) in [
        ("AC7oDUW4rUhtInwb4lAoBJ0wAuu4a5k", true),
        ("C4L2sx9frGqj8w41KyynHGqwUbbwBYR", true),
        ("9UGu1iC5YhFCdELGfB29YaV", false),
    ] {
        let changed = if signature.starts_with('A') { "B" } else { "A" };
        let body = body.replace(signature, &format!("{changed}{}", &signature[1..]));
        assert_ne!(body, fixture());
        let response = KeysQueryResponse::parse(&body).unwrap();
        let identity = Identity::verify_own(&mut SignatureMemory::default(), &response, me);
        assert_eq!(identity.is_err(), all_is_lost);
    }
}

// XS-1, XS-36
#[test]
fn seeds_that_others_have_published_give_the_keys_that_they_say() {
    for (seed, public) in [
        ("9kquJqAtEUoTXljh5W2QSsCm4FH9WvWzIkDkIMUsM2k", "KOS8zz9SJnMOxpfPOx9LO2+abuEcnZP/lxDo5RsXao4"),
        ("QifnGfudByh/GpBgJYEMzq7/DGbp6fZjp58faQj3n1M", "9gXJQzvqZ+KQunfBTd0g9AkrulwEeFfspyWTSQFqqrw"),
        ("zQSosK46giUFs2ACsaf32bA7drcIXbmViyEt+TLfloI", "mvzOc2EuHoVfZTk1hX3y0hyjUs4MrfPv2V/PUFzMQJY"),
        ("bSa0nVTocZArMzL7OLmeFUIVF4ycp64rrkVMgqOYg6Y", "EPVg/QLG9+FmNvKjNXfycZEpQLtfHDaTN+rENAURZSk"),
        ("MQ7b3MDXvOEMDvIOWkuH1XCNUyqBLqbdd1bT00p8HPU", "WXLer0esHUanp8DCeu2Be0xB5ms9aKFFBrCFl50COjw"),
        ("v77s+TlT5/NbcQym2B7Rwf20HOAhyInF2p1ZUYDPtow", "MXob/N/bYI7U2655O1/AI9NOX1245RnE03Nl4Hvf+u0"),
    ] {
        let seed = decode_array(seed, TrailingBits::Refused).unwrap();
        let key = Ed25519SecretKey::from_seed(&seed).public_key();
        assert_eq!(key.to_string(), public);
        let object = CrossSigningKey::<Master>::new(user(ALICE), key);
        assert_eq!(
            object.object(),
            format!(r#"{{"keys":{{"ed25519:{public}":"{public}"}},"usage":["master"],"user_id":"{ALICE}"}}"#),
        );
        assert_eq!(MasterSigningKey::parse(object.object(), user(ALICE)), Ok(object));
    }
}

// XS-3
#[test]
fn attack_120_another_usage_or_several_are_no_key_of_that_role() {
    let good = signing_key(ALICE, "master", "a-m");
    assert!(msk(&good).is_ok());
    for usage in [
        json!([]),
        json!(["self_signing"]),
        json!(["user_signing"]),
        json!(["Master"]),
        json!(["master", "master"]),
        json!(["master", "self_signing"]),
        json!(["self_signing", "user_signing"]),
        json!(["master", "x"]),
    ] {
        let mut object = good.clone();
        object["usage"] = usage;
        assert_eq!(msk(&object), Err(KeyObjectError::WrongUsage), "{object}");
    }
    // Each role in the slots of the others.
    for usage in Usage::ALL {
        let text = signing_key(ALICE, usage.as_str(), "a-m").to_string();
        assert_eq!(MasterSigningKey::parse(&text, user(ALICE)).is_ok(), usage == Usage::Master);
        assert_eq!(SelfSigningKey::parse(&text, user(ALICE)).is_ok(), usage == Usage::SelfSigning);
        assert_eq!(UserSigningKey::parse(&text, user(ALICE)).is_ok(), usage == Usage::UserSigning);
    }
    let mut answer = alice();
    answer.ssks[ALICE] = sign_by(signing_key(ALICE, "user_signing", "a-s"), "a-m", ALICE);
    let error = KeyObjectError::WrongUsage;
    assert_eq!(verify(&answer).unwrap_err(), IdentityError::Object { usage: Usage::SelfSigning, error });
}

// XS-2, XS-4, XS-11
#[test]
fn each_field_missing_of_a_wrong_type_doubled_or_foreign() {
    let good = signing_key(ALICE, "master", "a-m");
    let members = ["user_id", "usage", "keys"];
    for member in members {
        let mut object = good.clone();
        object.as_object_mut().unwrap().remove(member);
        assert_eq!(msk(&object), Err(KeyObjectError::Malformed), "{object}");
        for wrong in [json!(null), json!(1), json!(true), json!([1]), json!({ "a": 1 }), json!([["master"]])]
        {
            let mut object = good.clone();
            object[member] = wrong;
            assert_eq!(msk(&object), Err(KeyObjectError::Malformed), "{object}");
        }
        let doubled = good.to_string().replacen('{', &format!(r#"{{"{member}":{},"#, good[member]), 1);
        let refused = MasterSigningKey::parse(&doubled, user(ALICE)).unwrap_err();
        assert!(matches!(refused, KeyObjectError::Json(_)), "{doubled}");
    }
    let of_bob = signing_key(BOB, "master", "a-m");
    assert_eq!(msk(&of_bob), Err(KeyObjectError::OtherUser));

    let (key, other) = (public("a-m").to_string(), public("b-m").to_string());
    for (keys, error) in [
        (json!({}), KeyObjectError::NotOneKey),
        (
            json!({ format!("ed25519:{key}"): key, format!("ed25519:{other}"): other }),
            KeyObjectError::NotOneKey,
        ),
        (json!({ format!("ed25519:{key}"): key, "curve25519:x": key }), KeyObjectError::NotOneKey),
        (json!({ format!("curve25519:{key}"): key }), KeyObjectError::UnsupportedAlgorithm),
        (json!({ key.clone(): key }), KeyObjectError::UnsupportedAlgorithm),
        (json!({ format!("ed25519:{other}"): key }), KeyObjectError::OtherKeyId),
        (json!({ "ed25519:PHONE": key }), KeyObjectError::OtherKeyId),
        (json!({ format!("ed25519:{key}="): format!("{key}=") }), KeyObjectError::OtherKeyId),
        (json!({ format!("ed25519:{}", &key[1..]): key[1..] }), KeyObjectError::InvalidKey),
        (json!({ "ed25519:": "" }), KeyObjectError::InvalidKey),
        (json!({ format!("ed25519:{}", "A".repeat(43)): "A".repeat(43) }), KeyObjectError::InvalidKey),
        (json!({ format!("ed25519:{}", "A".repeat(44)): "A".repeat(44) }), KeyObjectError::InvalidKey),
    ] {
        let mut object = good.clone();
        object["keys"] = keys;
        assert_eq!(msk(&object), Err(error), "{object}");
    }
    // Padding of the key itself is read, as everywhere.
    let mut object = good.clone();
    object["keys"] = json!({ format!("ed25519:{key}"): format!("{key}=") });
    assert_eq!(msk(&object).unwrap().public_key(), public("a-m"));

    // Whatever else is in it is covered by signatures, and kept.
    let mut object = good.clone();
    object["more"] = json!({ "unsigned": [1, null] });
    object["unsigned"] = json!({ "not": 1.5 });
    let read = msk(&object).unwrap();
    assert!(read.object().contains(r#""more":{"unsigned":[1,null]}"#) && !read.object().contains("not"));

    object["more"] = "x".repeat(MAX_OBJECT_LEN).into();
    assert!(matches!(msk(&object), Err(KeyObjectError::TooLong { .. })));
    for text in ["", "null", "[]", "\"x\"", "{", "{}x"] {
        assert!(MasterSigningKey::parse(text, user(ALICE)).is_err(), "{text}");
    }
}

// XS-6
#[test]
fn keys_are_equal_by_user_and_key_only() {
    let good = signing_key(ALICE, "master", "a-m");
    let mut more = sign_by(good.clone(), "b-u", BOB);
    more["more"] = 1.into();
    assert_eq!(msk(&good), msk(&more));
    assert_ne!(msk(&good), msk(&signing_key(ALICE, "master", "b-m")));
    let of_bob = MasterSigningKey::parse(&signing_key(BOB, "master", "a-m").to_string(), user(BOB));
    assert_ne!(msk(&good), of_bob);
}

// XS-10, XS-12, XS-17
#[test]
fn an_identity_is_taken_whole_or_not_at_all() {
    assert!(verify(&alice()).is_ok());

    type Keys = fn(&mut Answer) -> &mut serde_json::Map<String, Value>;
    let maps: [(Usage, Keys); 3] = [
        (Usage::Master, |answer| &mut answer.msks),
        (Usage::SelfSigning, |answer| &mut answer.ssks),
        (Usage::UserSigning, |answer| &mut answer.usks),
    ];
    for (usage, map) in maps {
        let mut answer = alice();
        map(&mut answer).remove(ALICE);
        assert_eq!(verify(&answer).unwrap_err(), IdentityError::Missing { usage });
        let mut answer = alice();
        map(&mut answer)[ALICE] = json!([]);
        assert!(
            matches!(verify(&answer).unwrap_err(), IdentityError::Object { usage: found, .. } if found == usage)
        );
        let name = ["master_keys", "self_signing_keys", "user_signing_keys"][usage as usize];
        let mut body: Value = serde_json::from_str(&alice().body()).unwrap();
        body[name] = json!([]);
        let body = body.to_string();
        let response = KeysQueryResponse::parse(&body).unwrap();
        let refused = Identity::verify_own(&mut SignatureMemory::default(), &response, user(ALICE));
        assert_eq!(refused.unwrap_err(), IdentityError::MalformedResponse { usage });
        if usage == Usage::Master {
            continue;
        }

        // Unsigned; signed by others, under their own names and under that of the master signing key.
        let role = usage.as_str();
        let unsigned = signing_key(ALICE, role, "x");
        let wrong = VerifyError::InvalidSignature;
        let none = VerifyError::NoSignature;
        let id = public("a-m").to_string();
        for (object, error) in [
            (unsigned.clone(), none),
            (sign_by(unsigned.clone(), "b-m", ALICE), none),
            (sign_by(unsigned.clone(), "a-m", BOB), none),
            (sign(unsigned.clone(), &key("a-m"), ALICE, "PHONE"), none),
            (sign(unsigned.clone(), &key("b-m"), ALICE, &id), wrong),
            (sign(unsigned.clone(), &key("x"), ALICE, &id), wrong),
        ] {
            let mut answer = alice();
            map(&mut answer)[ALICE] = object;
            assert_eq!(verify(&answer).unwrap_err(), IdentityError::NotSigned { usage, error });
        }
        // Signed well, and changed afterwards.
        let mut answer = alice();
        map(&mut answer)[ALICE]["more"] = 1.into();
        assert_eq!(verify(&answer).unwrap_err(), IdentityError::NotSigned { usage, error: wrong });
    }

    // Of others the user-signing key is not looked at.
    let mut answer = bob("b");
    answer.usks[BOB] = json!("rubbish");
    let body = answer.body();
    let response = KeysQueryResponse::parse(&body).unwrap();
    let identity = Identity::verify(&mut SignatureMemory::default(), &response, user(BOB)).unwrap();
    assert!(identity.user_signing_key().is_none());
}

// XS-13
#[test]
fn attack_121_one_key_in_two_roles() {
    for (ssk, usk, first, second) in [
        ("a-m", "a-u", Usage::Master, Usage::SelfSigning),
        ("a-s", "a-m", Usage::Master, Usage::UserSigning),
        ("a-s", "a-s", Usage::SelfSigning, Usage::UserSigning),
    ] {
        let answer = alice().ssk(ALICE, ssk, "a-m").usk(ALICE, usk, "a-m");
        assert_eq!(verify(&answer).unwrap_err(), IdentityError::SameKey { first, second });
    }
    // Keys of different users may be the same.
    let mut phone = Phone::verified();
    phone.receive(&bob("a"));
    assert!(phone.user(BOB).is_some());
}

// TRU-7
#[test]
fn the_keys_of_this_device_as_it_uploaded_them() {
    let object = device_keys(ALICE, "PHONE", "PHONE");
    let own = Device::own(&object.to_string(), user(ALICE), device("PHONE")).unwrap();
    assert_eq!((own.user_id(), own.device_id(), own.ed25519()), (ALICE, "PHONE", public("PHONE")));
    assert_eq!(own.local_trust(), LocalTrust::Verified);
    assert!(own.cross_signature().is_none() && !own.is_dehydrated());

    let other = Device::own(&object.to_string(), user(ALICE), device("LAPTOP"));
    assert_eq!(other.err(), Some(DeviceRefused::Keys(DeviceKeysError::OtherDevice)));
    // What could not be read back is not taken.
    let mut long = object;
    long["x"] = "x".repeat(MAX_OBJECT_LEN).into();
    let long = sign(long, &key("PHONE"), ALICE, "PHONE").to_string();
    let refused = Device::own(&long, user(ALICE), device("PHONE"));
    assert!(matches!(refused.err(), Some(DeviceRefused::TooLong { .. })));
}
