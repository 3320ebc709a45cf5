//! Known answers: `vectors/json-kat.json` and the examples of the specification's appendices.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "tests"
)]

use mx_canonical_json::{CanonicalizeError, Limits, Numbers, canonicalize, canonicalize_bytes};
use serde_json::Value;

const LENIENT: Limits = Limits { numbers: Numbers::ExactIntegers, ..Limits::DEFAULT };

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/json-kat.json")).unwrap()
}

fn cases(vectors: &Value, list: &str) -> Vec<(String, String, bool)> {
    let text = |case: &Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    vectors[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (text(case, "in"), text(case, "out") + &text(case, "error"), case["lenient"] == true))
        .collect()
}

/// The word that the vectors have for an error.
fn kind(error: CanonicalizeError) -> &'static str {
    match error {
        CanonicalizeError::TooDeep { .. } => "depth",
        CanonicalizeError::InvalidUtf8 { .. } => "invalid UTF-8",
        CanonicalizeError::Syntax { .. } | CanonicalizeError::UnexpectedEnd { .. } => "syntax",
        CanonicalizeError::UnpairedSurrogate { .. } => "lone surrogate",
        CanonicalizeError::DuplicateKey { .. } => "duplicate key",
        CanonicalizeError::Float { .. } => "float",
        CanonicalizeError::IntegerOutOfRange { .. } => "range",
        other => panic!("{other:?} is not among the vectors"),
    }
}

// JSON-1, JSON-2, JSON-3, JSON-4, JSON-5, JSON-6, JSON-7, JSON-8, JSON-11, JSON-12
#[test]
fn accepted_texts_have_the_canonical_form_of_the_vectors() {
    let cases = cases(&vectors(), "ok");
    assert_eq!(cases.len(), 45);
    for (text, canonical, lenient) in cases {
        if lenient {
            assert_eq!(kind(canonicalize(&text, &Limits::DEFAULT).unwrap_err()), "float", "{text}");
        } else {
            assert_eq!(canonicalize(&text, &Limits::DEFAULT).as_ref(), Ok(&canonical), "{text}");
        }
        assert_eq!(canonicalize(&text, &LENIENT), Ok(canonical), "{text}, lenient");
    }
}

// JSON-5, JSON-6, JSON-9, JSON-10, JSON-14, JSON-16
#[test]
fn refused_texts_give_the_errors_of_the_vectors() {
    let cases = cases(&vectors(), "refuse");
    assert_eq!(cases.len(), 37);
    for (text, error, _) in cases {
        let strict = kind(canonicalize(&text, &Limits::DEFAULT).unwrap_err());
        let lenient = canonicalize(&text, &LENIENT).map_err(kind);
        match error.as_str() {
            "float" => {
                assert_eq!(strict, "float", "{text}");
                assert!(lenient.is_ok(), "{text}");
            }
            "float (also lenient)" => assert_eq!((strict, lenient), ("float", Err("float")), "{text}"),
            "range (lenient; without expanding)" => {
                assert_eq!((strict, lenient), ("float", Err("range")), "{text}");
            }
            error => assert_eq!((strict, lenient.unwrap_err()), (error, error), "{text}"),
        }
    }
}

// JSON-9
#[test]
fn refused_bytes_give_the_errors_of_the_vectors() {
    for (hex, error, _) in cases(&vectors(), "refuse_hex") {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let refused = canonicalize_bytes(&bytes, &Limits::DEFAULT).unwrap_err();
        assert_eq!(refused, CanonicalizeError::InvalidUtf8 { offset: 1 }, "{hex}");
        assert_eq!(kind(refused), error, "{hex}");
    }
}

// JSON-14: 128 containers are taken, one more is not
#[test]
fn the_deepest_vector_is_taken() {
    let vectors = vectors();
    let deepest = &vectors["accept_depth"];
    let text = deepest["in"].as_str().unwrap();
    assert_eq!(text.len(), 2 * Limits::DEFAULT.depth);
    assert_eq!(canonicalize(text, &Limits::DEFAULT).unwrap(), deepest["out"].as_str().unwrap());
}

// JSON-1, JSON-2, JSON-6, JSON-8
#[test]
fn examples_of_the_appendices() {
    for (text, canonical) in [
        (r"{}", r"{}"),
        (r#"{"one": 1, "two": "Two"}"#, r#"{"one":1,"two":"Two"}"#),
        (r#"{"b": "2", "a": "1"}"#, r#"{"a":"1","b":"2"}"#),
        (r#"{"b":"2","a":"1"}"#, r#"{"a":"1","b":"2"}"#),
        (
            r#"{
                "auth": {
                    "success": true,
                    "mxid": "@john.doe:example.com",
                    "profile": {
                        "display_name": "John Doe",
                        "three_pids": [
                            { "medium": "email", "address": "john.doe@example.org" },
                            { "medium": "msisdn", "address": "123456789" }
                        ]
                    }
                }
            }"#,
            concat!(
                r#"{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":"#,
                r#"[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"#,
                r#""success":true}}"#,
            ),
        ),
        (r#"{"a": "日本語"}"#, r#"{"a":"日本語"}"#),
        (r#"{"本": 2, "日": 1}"#, r#"{"日":1,"本":2}"#),
        (r#"{"a": "\u65E5"}"#, r#"{"a":"日"}"#),
        (r#"{"a": null}"#, r#"{"a":null}"#),
    ] {
        assert_eq!(canonicalize(text, &Limits::DEFAULT).as_deref(), Ok(canonical), "{text}");
    }
    let floats = r#"{"a": -0, "b": 1e10}"#;
    assert_eq!(canonicalize(floats, &Limits::DEFAULT), Err(CanonicalizeError::Float { offset: 15 }));
    assert_eq!(canonicalize(floats, &LENIENT).as_deref(), Ok(r#"{"a":0,"b":10000000000}"#));
}
