//! What is refused, where the error points, and that nothing of any input panics.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "tests"
)]

use mx_canonical_json::{
    CanonicalObject, CanonicalizeError as Error, Limits, MAX_EVENT_LEN, MAX_INTEGER, MIN_INTEGER, Numbers,
    canonicalize, canonicalize_bytes,
};

fn refused(text: &str) -> Error {
    canonicalize(text, &Limits::DEFAULT).unwrap_err()
}

const DOCUMENT: &str = r#" { "z" : [ 1 , -2, {} , [ ] ], "\u0061\n" : { "日" : "\ud83d\ude00\/", "b" : true },
    "a" : false, "" : null, "n" : -9007199254740991, "long string" : "0123456789abcdef\\\"" } "#;

// JSON-16
#[test]
fn every_truncation_is_refused() {
    assert!(canonicalize(DOCUMENT, &Limits::DEFAULT).is_ok());
    let end = DOCUMENT.trim_end().len();
    for len in 0..end {
        assert!(canonicalize_bytes(&DOCUMENT.as_bytes()[..len], &Limits::DEFAULT).is_err(), "{len} bytes");
    }
}

// JSON-16
#[test]
fn every_changed_byte_is_refused_or_gives_valid_canonical_text() {
    for at in 0..DOCUMENT.len() {
        for byte in 0..=u8::MAX {
            let mut bytes = DOCUMENT.as_bytes().to_vec();
            bytes[at] = byte;
            for numbers in [Numbers::Canonical, Numbers::Integers, Numbers::ExactIntegers] {
                let limits = Limits { numbers, ..Limits::DEFAULT };
                if let Ok(text) = canonicalize_bytes(&bytes, &limits) {
                    assert_eq!(
                        canonicalize(&text, &Limits { numbers: Numbers::Canonical, ..limits }),
                        Ok(text)
                    );
                }
            }
        }
    }
}

// JSON-16: the offset names the byte that cannot stand there
#[test]
fn syntax_errors_point_at_the_byte() {
    for (text, offset) in [
        ("\u{feff}{}", 0),
        ("x", 0),
        ("'a'", 0),
        ("+1", 0),
        (".5", 0),
        ("NaN", 0),
        ("nul1", 3),
        ("truE", 3),
        ("01", 1),
        ("-01", 2),
        ("-a", 1),
        ("00", 1),
        ("1 2", 2),
        ("1.x", 2),
        ("1ex", 2),
        ("1e+x", 3),
        ("{}{}", 2),
        ("[] ,", 3),
        ("]", 0),
        ("[}", 1),
        ("{]", 1),
        ("{,}", 1),
        ("{1:2}", 1),
        ("{\"a\"}", 4),
        ("{\"a\",1}", 4),
        ("{\"a\":}", 5),
        ("{\"a\"::1}", 5),
        ("{\"a\":1,}", 7),
        ("{\"a\":1]", 6),
        ("{\"a\" 1}", 5),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1:2]", 2),
        ("[1}", 2),
        ("/* */1", 0),
        ("\"a\nb\"", 2),
        ("\"a\0\"", 2),
        ("\"0123456789\u{1f}\"", 11),
        ("\"\\x\"", 2),
        ("\"\\U0041\"", 2),
        ("\"\\u12g4\"", 5),
        ("\"\\u+123\"", 3),
        ("\u{a0}1", 0),
        ("1\u{c}", 1),
    ] {
        assert_eq!(refused(text), Error::Syntax { offset }, "{text:?}");
    }
    for text in [
        "", " \n", "{", "[", "[1", "[1,", "{\"a", "{\"a\"", "{\"a\":", "\"\\", "\"\\u12", "-", "1.", "1e",
        "1e-", "t",
    ] {
        assert_eq!(refused(text), Error::UnexpectedEnd { offset: text.len() }, "{text:?}");
    }
}

// JSON-10: also where spelled differently, and in order or not
#[test]
fn duplicate_keys_are_refused_wherever_they_stand() {
    for (text, offset) in [
        (r#"{"a":1,"a":1}"#, 7),
        (r#"{"a":1,"b":1,"a":1}"#, 13),
        (r#"{"b":1,"a":1,"b":1}"#, 13),
        (r#"{"b":1,"c":1,"a":1,"b":1}"#, 19),
        (r#"{"a":1,"\u0061":2}"#, 7),
        (r#"{"z":1,"\u0061":2,"a":2}"#, 18),
        (r#"{"\n":1,"\u000a":2}"#, 8),
        (r#"{"/":1,"\/":2}"#, 7),
        (r#"{"\ud83d\ude00":1,"😀":2}"#, 18),
        (r#"{"":1,"":2}"#, 6),
        (r#"[[{"x":{"b":1,"b":2}}]]"#, 14),
    ] {
        assert_eq!(refused(text), Error::DuplicateKey { offset }, "{text}");
    }
    assert_eq!(canonicalize(r#"{"a":{"a":{"a":1}}}"#, &Limits::DEFAULT).unwrap(), r#"{"a":{"a":{"a":1}}}"#);
}

// JSON-9
#[test]
fn unpaired_surrogates_point_at_the_escape() {
    for (text, offset) in [
        (r#""\ud800""#, 1),
        (r#""\udfff""#, 1),
        (r#""ab\ud800\ud800""#, 3),
        (r#""\udc00\ud800""#, 1),
        (r#""\ud800\n""#, 1),
        (r#""\ud800\udbff""#, 1),
        (r#""\udbff\ue000""#, 1),
        (r#""\ud800\ue000""#, 1),
        (r#""\ud7ff\udc00""#, 7),
        (r#""\ud800x\udc00""#, 1),
        (r#""\ud83d\ude00\ud83d""#, 13),
        (r#"{"\ud800x":1}"#, 2),
    ] {
        assert_eq!(refused(text), Error::UnpairedSurrogate { offset }, "{text}");
    }
}

// JSON-5, JSON-6
#[test]
fn numbers_by_mode() {
    use Numbers::{Canonical, ExactIntegers, Integers};
    let float = Err(Error::Float { offset: 0 });
    let range = Err(Error::IntegerOutOfRange { offset: 0 });
    let zeros = "0".repeat(100_000);
    let cases: Vec<(String, [Result<&str, Error>; 3])> = vec![
        ("0".into(), [Ok("0"); 3]),
        ("-0".into(), [Err(Error::NegativeZero { offset: 0 }), Ok("0"), Ok("0")]),
        ("-0.0".into(), [float, float, Ok("0")]),
        ("-0e5".into(), [float, float, Ok("0")]),
        ("1.0".into(), [float, float, Ok("1")]),
        ("-1.50e1".into(), [float, float, Ok("-15")]),
        ("1.5".into(), [float; 3]),
        ("15e-2".into(), [float; 3]),
        ("1e-999999999999999999999999".into(), [float; 3]),
        ("1e999999999999999999999999".into(), [float, float, range]),
        ("0e999999999999999999999999".into(), [float, float, Ok("0")]),
        ("9007199254740991".into(), [Ok("9007199254740991"); 3]),
        ("9007199254740992".into(), [range; 3]),
        ("-9007199254740991".into(), [Ok("-9007199254740991"); 3]),
        ("-9007199254740992".into(), [range; 3]),
        ("9007199254740991.0".into(), [float, float, Ok("9007199254740991")]),
        ("9007199254740991.5".into(), [float, float, range]),
        ("900719925474099.1e1".into(), [float, float, Ok("9007199254740991")]),
        ("900719925474099.2e1".into(), [float, float, range]),
        ("9223372036854775808".into(), [range; 3]),
        ("-9223372036854775808".into(), [range; 3]),
        ("18446744073709551616".into(), [range; 3]),
        (format!("1{zeros}"), [range; 3]),
        (format!("1{zeros}e-100000"), [float, float, Ok("1")]),
        (format!("0.{zeros}7e100001"), [float, float, Ok("7")]),
        (format!("1.{zeros}"), [float, float, Ok("1")]),
    ];
    for (text, expected) in cases {
        for (numbers, expected) in [Canonical, Integers, ExactIntegers].into_iter().zip(expected) {
            let limits = Limits { numbers, ..Limits::DEFAULT };
            let canonical = canonicalize(&text, &limits);
            // A number of which a digit remains after the range is exceeded may be a float or out of range.
            if expected == range && text.ends_with(".5") {
                assert!(canonical.is_err());
            } else {
                assert_eq!(
                    canonical.as_deref().map_err(|error| *error),
                    expected,
                    "{:.30} {numbers:?}",
                    text
                );
            }
        }
    }
    assert_eq!((MIN_INTEGER, MAX_INTEGER), (-9_007_199_254_740_991, 9_007_199_254_740_991));
}

// JSON-14
#[test]
fn depth_counts_open_containers_of_both_kinds() {
    for depth in [0, 1, 2, 7, 128, 1000] {
        let limits = Limits { depth, ..Limits::DEFAULT };
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |levels: usize| match (open, levels) {
                (_, 0) => "1".to_owned(),
                _ => open.repeat(levels) + "1" + &close.repeat(levels),
            };
            assert_eq!(canonicalize(&nested(depth), &limits), Ok(nested(depth)));
            let offset = depth * open.len();
            assert_eq!(canonicalize(&nested(depth + 1), &limits), Err(Error::TooDeep { offset }));
        }
    }
    // Not the number of containers, but those open at once.
    let side_by_side = format!("[{}[]]", "[],".repeat(1000));
    assert_eq!(canonicalize(&side_by_side, &Limits { depth: 2, ..Limits::DEFAULT }), Ok(side_by_side));
}

// JSON-15: what is measured is the canonical text, which a caller compares with this number
#[test]
fn the_limit_of_events_is_that_of_their_canonical_form() {
    let event = format!(r#"{{ "a": "{}" }}"#, "x".repeat(MAX_EVENT_LEN - 8));
    let limits = Limits { len: MAX_EVENT_LEN, ..Limits::DEFAULT };
    assert_eq!(
        canonicalize(&event, &limits),
        Err(Error::TooLong { len: MAX_EVENT_LEN + 3, max: MAX_EVENT_LEN })
    );
    let canonical = canonicalize(&event, &Limits::DEFAULT).unwrap();
    assert_eq!(canonical.len(), MAX_EVENT_LEN);
    assert_eq!(canonicalize(&canonical, &limits), Ok(canonical));
}

#[test]
fn the_length_is_checked_before_anything_else() {
    let limits = Limits { len: 4, ..Limits::DEFAULT };
    let too_long = Error::TooLong { len: 5, max: 4 };
    assert_eq!(canonicalize_bytes(&[0xff; 5], &limits), Err(too_long));
    assert_eq!(canonicalize("     ", &limits), Err(too_long));
    assert_eq!(CanonicalObject::parse("{ \t }", &[], &limits).unwrap_err(), too_long);
    assert_eq!(canonicalize("null", &limits).as_deref(), Ok("null"));
}

// JSON-12: any value has a canonical form, but only an object is one
#[test]
fn only_an_object_is_an_object() {
    for text in ["null", "[]", "\"{}\"", "1", "[{}]"] {
        assert!(canonicalize(text, &Limits::DEFAULT).is_ok());
        assert_eq!(
            CanonicalObject::parse(text, &[], &Limits::DEFAULT).unwrap_err(),
            Error::NotAnObject,
            "{text}"
        );
    }
    assert!(CanonicalObject::parse(" {}", &[], &Limits::DEFAULT).is_ok());
}

#[test]
fn errors_say_where() {
    assert_eq!(refused("[1,]").to_string(), "not JSON at byte 3");
    assert_eq!(refused("\"\\ud800\"").to_string(), "unpaired surrogate at byte 1");
    assert_eq!(refused("[1.5]").to_string(), "number at byte 1 is not an integer");
    assert_eq!(Error::TooLong { len: 2, max: 1 }.to_string(), "text of 2 bytes is longer than 1 bytes");
}
