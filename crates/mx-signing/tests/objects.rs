//! Objects in general: signing keeps what is there, verifying takes what was signed.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_curve25519::Ed25519SecretKey;
use mx_signing::{Malformed, SignError, SignedObject, VerifyError, sign_value};
use mx_types::{Ed25519Signature, KeyId};
use proptest::prelude::*;
use serde_json::{Value, json};
use signature::Signer;

const ALICE: &str = "@alice:example.org";

fn secret() -> Ed25519SecretKey {
    Ed25519SecretKey::from_seed(&[7; 32])
}

fn key_id(text: &str) -> KeyId<'_> {
    KeyId::parse(text).unwrap()
}

fn parse(text: &str) -> SignedObject<'_> {
    SignedObject::parse(text, &Limits::DEFAULT).unwrap()
}

fn sign(text: &str) -> String {
    parse(text).sign(&secret(), ALICE, key_id("ed25519:1")).unwrap()
}

fn verify(text: &str) -> Result<String, VerifyError> {
    parse(text).verify(ALICE, key_id("ed25519:1"), secret().public_key()).map(|text| text.to_string())
}

// SIG-2, SIG-7, SIG-10
#[test]
fn signing_adds_one_entry_and_keeps_all_else() {
    let text = r#"{"unsigned":{"age":1.50,"x":[1e999]},"x":{"unknown":[true]},"signatures":{"@bob:b":{"ed25519:B":"?","z:1":1.5,"weird":{}},"@alice:example.org":{"ed25519:2":"old"}}}"#;
    let signed = sign(text);
    // serde_json cannot hold 1e999: compare the texts.
    let signature = parse(&signed).signature(ALICE, key_id("ed25519:1")).unwrap();
    let expected = format!(
        r#"{{"signatures":{{"@alice:example.org":{{"ed25519:1":"{signature}","ed25519:2":"old"}},"@bob:b":{{"ed25519:B":"?","weird":{{}},"z:1":1.5}}}},"unsigned":{{"age":1.50,"x":[1e999]}},"x":{{"unknown":[true]}}}}"#
    );
    assert_eq!(signed, expected);
    assert_eq!(verify(&signed).unwrap(), r#"{"x":{"unknown":[true]}}"#);
    assert_eq!(parse(&signed).unauthenticated(), Some(r#"{"age":1.50,"x":[1e999]}"#));
    assert_eq!(sign(&signed), signed);
}

// SIG-14: a text that is canonical already can be signed and verified as bytes
#[test]
fn canonical_bytes_can_be_signed_without_this_crate() {
    let signed = sign(r#"{ "b": 1, "a": [2] }"#);
    let signature = parse(&signed).signature(ALICE, key_id("ed25519:1")).unwrap();
    assert_eq!(parse(&signed).canonical(), r#"{"a":[2],"b":1}"#);
    assert_eq!(secret().sign(br#"{"a":[2],"b":1}"#), signature);
    assert!(mx_curve25519::verify(&secret().public_key(), br#"{"a":[2],"b":1}"#, &signature).is_ok());
}

// SIG-11
#[test]
fn signing_again_replaces_the_entry_under_the_same_key_id() {
    let first = sign(r#"{"a":1}"#);
    let other = Ed25519SecretKey::from_seed(&[8; 32]);
    let second = parse(&first).sign(&other, ALICE, key_id("ed25519:1")).unwrap();
    assert_eq!(verify(&second), Err(VerifyError::InvalidSignature));
    assert!(parse(&second).verify(ALICE, key_id("ed25519:1"), other.public_key()).is_ok());
    let mut difference: Value = serde_json::from_str(&second).unwrap();
    difference["signatures"][ALICE]["ed25519:1"] =
        json!(parse(&first).signature(ALICE, key_id("ed25519:1")).unwrap());
    assert_eq!(difference.to_string(), first);

    let both = parse(&first).sign(&other, ALICE, key_id("ed25519:2")).unwrap();
    assert!(verify(&both).is_ok());
    let ids: Vec<_> = parse(&both).key_ids(ALICE).map(|id| id.to_string()).collect();
    assert_eq!(ids, ["ed25519:1", "ed25519:2"]);
}

// SIG-11
#[test]
fn what_cannot_be_signed() {
    for (text, error) in [
        ("[]", CanonicalizeError::NotAnObject),
        ("null", CanonicalizeError::NotAnObject),
        ("{\"a\":1.5}", CanonicalizeError::Float { offset: 5 }),
        ("{\"a\":1,\"a\":1}", CanonicalizeError::DuplicateKey { offset: 7 }),
        ("", CanonicalizeError::UnexpectedEnd { offset: 0 }),
    ] {
        assert_eq!(SignedObject::parse(text, &Limits::DEFAULT).unwrap_err(), error);
    }
    for text in [
        r#"{"signatures":[]}"#,
        r#"{"signatures":null}"#,
        r#"{"signatures":"x"}"#,
        r#"{"signatures":{"@alice:example.org":[]}}"#,
        r#"{"signatures":{"@alice:example.org":"x"}}"#,
        r#"{"signatures":{"@bob:b":1,"@alice:example.org":{}}}"#,
    ] {
        assert_eq!(
            parse(text).sign(&secret(), ALICE, key_id("ed25519:1")),
            Err(SignError::SignaturesNotAnObject)
        );
        assert_eq!(verify(text), Err(VerifyError::NoSignature), "{text}");
    }
    for id in ["curve25519:1", "ed448:1", "Ed25519:1", "signed_curve25519:1"] {
        assert_eq!(parse("{}").sign(&secret(), ALICE, key_id(id)), Err(SignError::UnsupportedAlgorithm));
    }
    assert!(matches!(sign_value(&[1], &secret(), ALICE, key_id("ed25519:1")), Err(SignError::Json(_))));
    assert!(matches!(
        sign_value(&json!({ "a": 0.5 }), &secret(), ALICE, key_id("ed25519:1")),
        Err(SignError::Value(_))
    ));
}

#[test]
fn a_signer_that_fails_is_reported() {
    struct Broken;
    impl Signer<Ed25519Signature> for Broken {
        fn try_sign(&self, _: &[u8]) -> Result<Ed25519Signature, signature::Error> {
            Err(signature::Error::new())
        }
    }
    let signer: &dyn Signer<Ed25519Signature> = &Broken;
    assert_eq!(parse("{}").sign(signer, ALICE, key_id("ed25519:1")), Err(SignError::Signer));
}

// SIG-5, SIG-8, SIG-11
#[test]
fn every_way_to_have_no_valid_signature_has_its_name() {
    let signature = parse(&sign("{}")).signature(ALICE, key_id("ed25519:1")).unwrap().to_string();
    let with = |value: &str| format!(r#"{{"signatures":{{"{ALICE}":{{"ed25519:1":{value}}}}}}}"#);
    assert!(verify(&with(&format!("\"{signature}\""))).is_ok());
    // B64-2: padded, too
    assert!(verify(&with(&format!("\"{signature}==\""))).is_ok());

    for value in ["1", "null", "[]", "{}", "true", "1e999", "\"\"", "\"x\"", "\"!\""] {
        assert_eq!(verify(&with(value)), Err(VerifyError::MalformedSignature), "{value}");
    }
    // B64-4, B64-7, B64-8: other lengths, surplus padding, other characters
    for text in [
        &signature[1..],
        &signature[2..],
        &format!("{signature}A"),
        &format!("{signature}AA"),
        &format!("{signature}="),
        &format!("{signature}==="),
        &format!("{signature}\\n"),
        &format!(" {signature}"),
        &signature.replace('/', "_"),
        &"A".repeat(88),
    ] {
        if *text != signature {
            assert_eq!(verify(&with(&format!("\"{text}\""))), Err(VerifyError::MalformedSignature), "{text}");
        }
    }
    assert_eq!(verify(&with(&format!("\"{}\"", "A".repeat(86)))), Err(VerifyError::InvalidSignature));
    for text in [
        "{}",
        r#"{"signatures":{}}"#,
        r#"{"signatures":{"@alice:example.org":{}}}"#,
        r#"{"signatures":{"@bob:b":{"ed25519:1":"x"}}}"#,
    ] {
        assert_eq!(verify(text), Err(VerifyError::NoSignature), "{text}");
    }
    let object = parse("{}");
    let unsupported = object.verify(ALICE, key_id("curve25519:1"), secret().public_key());
    assert_eq!(unsupported.unwrap_err(), VerifyError::UnsupportedAlgorithm);
}

// SIG-8
#[test]
fn a_bad_signature_hides_no_valid_one() {
    let signature = parse(&sign("{}")).signature(ALICE, key_id("ed25519:1")).unwrap();
    for (before, after) in [
        (r#""ed25519:0":1.5,"#, r#","ed25519:2":null"#),
        (r#""nonsense":{},"#, r#","":[[]]"#),
        (r#""ed25519:0":"AAAA","#, r#","curve25519:1":"x""#),
    ] {
        for others in ["", r#""@bob:b":[],"#, r#""":1e999,"#, r#""@zoe:z":{"ed25519:1":false},"#] {
            let text = format!(
                r#"{{"signatures":{{{others}"{ALICE}":{{{before}"ed25519:1":"{signature}"{after}}}}}}}"#
            );
            assert_eq!(verify(&text).unwrap(), "{}", "{text}");
        }
    }
}

// SIG-5: signatures of unknown algorithms are passed over
#[test]
fn key_ids_are_those_of_ed25519() {
    let text = r#"{"signatures":{"@alice:example.org":{"ed448:1":"x","ed25519:b":"x","ed25519:":"x","ed25519":"x","ed25519:a+/":1},"@bob:b":7}}"#;
    let ids = |entity| parse(text).key_ids(entity).map(|id| id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(ALICE), ["ed25519:a+/", "ed25519:b"]);
    assert_eq!((ids("@bob:b"), ids("@carol:c")), (vec![], vec![]));
}

// SIG-8
#[test]
fn entries_are_all_that_stands_in_the_place_of_signatures() {
    let entries = |text: &str| -> Option<Vec<(String, Option<String>)>> {
        let object = parse(text);
        let entries = object.entries()?;
        Some(entries.map(|(entity, key_id)| (entity.to_owned(), key_id.map(str::to_owned))).collect())
    };
    let of = |entity: &str, key_id: Option<&str>| (entity.to_owned(), key_id.map(str::to_owned));
    assert_eq!(entries("{}"), Some(vec![]));
    assert_eq!(
        entries(r#"{"signatures":{"b":{"ed25519:1":1,"":"x"},"a":7,"c":{}}}"#),
        Some(vec![of("a", None), of("b", Some("")), of("b", Some("ed25519:1"))])
    );
    assert_eq!(entries(r#"{"signatures":[]}"#), None);
}

// SIG-7: the value is read from the text that was verified
#[test]
fn a_verified_value_has_nothing_of_the_unsigned_part() {
    #[derive(serde::Deserialize)]
    struct Content<'t> {
        name: &'t str,
        unsigned: Option<Value>,
        signatures: Option<Value>,
    }
    let signed = sign(r#"{"name":"n","unsigned":{"name":"m"}}"#);
    let object = parse(&signed);
    let verified = object.verify(ALICE, key_id("ed25519:1"), secret().public_key()).unwrap();
    assert_eq!(verified.key(), secret().public_key());
    let content = verified.clone().parse::<Content<'_>>().unwrap();
    assert_eq!((content.name, &content.unsigned, &content.signatures), ("n", &None, &None));
    assert_eq!(verified.parse::<Vec<u8>>().unwrap_err(), Malformed);
    assert_eq!(content.into_inner().name, "n");
}

/// Any value that has a canonical form.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\u{e000}\u{10000}]{0,3}|signatures|unsigned", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    // SIG-1, SIG-2, SIG-7, JSON-13
    #[test]
    fn whatever_is_signed_verifies_and_is_kept(
        members in prop::collection::btree_map("[a-z\"\\\\\u{0}-\u{1f}\u{10000}]{0,4}", value(), 0..5),
        unsigned in prop::option::of(value()),
    ) {
        let mut object = Value::Object(members.into_iter().collect());
        if let Some(unsigned) = unsigned {
            object["unsigned"] = unsigned;
        }
        let signed = sign(&serde_json::to_string_pretty(&object).unwrap());
        prop_assert!(verify(&signed).is_ok());
        let mut back: Value = serde_json::from_str(&signed).unwrap();
        prop_assert!(back.as_object_mut().unwrap().remove("signatures").is_some());
        prop_assert_eq!(back, object);
        let canonical = mx_canonical_json::canonicalize(&signed, &Limits::DEFAULT);
        prop_assert_eq!(canonical, Ok(signed));
    }
}
