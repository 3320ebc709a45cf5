//! Rows of the attack catalogue.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "tests"
)]

use std::thread;

use mx_canonical_json::{
    CanonicalObject, CanonicalizeError as Error, Limits, Numbers, canonicalize, canonicalize_bytes,
};

fn canonical(text: &str) -> Result<String, Error> {
    canonicalize(text, &Limits::DEFAULT)
}

#[test]
fn attack_026_long_input_is_read_as_short_input_is() {
    // What is special stands at every place of a block of eight, in keys and in values, far from both ends.
    for len in 4096..4096 + 16 {
        let plain = "é".repeat(len / 2) + &"a".repeat(len % 2);
        for (escape, form) in [
            (r#"\""#, r#"\""#),
            (r"\\", r"\\"),
            (r"\/", "/"),
            (r"\u001F", r"\u001f"),
            (r"\ud83d\ude00", "😀"),
        ] {
            for spaces in ["", " "] {
                let text = format!(
                    "{{\"z{plain}{escape}{plain}\":{spaces}1,\"a{plain}\":[\"{plain}{escape}{plain}\"]{spaces}}}"
                );
                let expected =
                    format!("{{\"a{plain}\":[\"{plain}{form}{plain}\"],\"z{plain}{form}{plain}\":1}}");
                assert_eq!(canonical(&text).unwrap(), expected);
            }
        }
        for raw in ['\n', '\0', '\u{1f}'] {
            let text = format!("\"{plain}{raw}{plain}\"");
            assert_eq!(canonical(&text), Err(Error::Syntax { offset: 1 + plain.len() }));
        }
        let unended = format!("\"{plain}");
        assert_eq!(canonical(&unended), Err(Error::UnexpectedEnd { offset: unended.len() }));
    }
}

// JSON-4, JSON-5, JSON-6
#[test]
fn attack_032_numbers_that_are_no_integers_in_range() {
    for text in [
        "-0.0",
        "1.0",
        "1e3",
        "1E0",
        "1e+0",
        "9007199254740992",
        "-9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551616",
        "1e400",
        "NaN",
        "Infinity",
        "01",
        "-00",
    ] {
        for text in [text.to_owned(), format!("[{text}]"), format!("{{\"a\":{{\"b\":{text}}}}}")] {
            assert!(canonical(&text).is_err(), "{text}");
        }
    }
    // The specification's own example has `-0` for `0`; who wants it refused says so.
    let strict = Limits { numbers: Numbers::Canonical, ..Limits::DEFAULT };
    assert_eq!(canonicalize("[-0]", &strict), Err(Error::NegativeZero { offset: 1 }));
    assert_eq!(canonical("[-0]").unwrap(), "[0]");
    for text in ["9007199254740991", "-9007199254740991"] {
        assert_eq!(canonical(text).unwrap(), text);
    }
}

// JSON-2
#[test]
fn attack_033_keys_are_in_the_order_of_code_points() {
    assert_eq!(canonical("{\"\u{1F600}\":1,\"\u{FB33}\":2}").unwrap(), "{\"\u{FB33}\":2,\"\u{1F600}\":1}");
    assert_eq!(canonical(r#"{"\ud83d\ude00":1,"\ufb33":2}"#).unwrap(), "{\"\u{FB33}\":2,\"\u{1F600}\":1}");
    assert_eq!(canonical("{\"\u{1F600}\":1,\"\\ufb33\":2}").unwrap(), "{\"\u{FB33}\":2,\"\u{1F600}\":1}");
}

// JSON-7
#[test]
fn attack_034_every_escape_has_its_one_form() {
    let short = [(8, 'b'), (9, 't'), (10, 'n'), (12, 'f'), (13, 'r')];
    for code in 0..0x20_u32 {
        let expected = match short.iter().find(|(short, _)| *short == code) {
            Some((_, letter)) => format!("\"\\{letter}\""),
            None => format!("\"\\u{code:04x}\""),
        };
        assert_eq!(canonical(&format!("\"\\u{code:04x}\"")).unwrap(), expected);
        assert_eq!(canonical(&format!("\"\\u{code:04X}\"")).unwrap(), expected);
        assert_eq!(canonical(&expected).unwrap(), expected);
        let raw = char::from_u32(code).unwrap();
        assert_eq!(canonical(&format!("\"{raw}\"")), Err(Error::Syntax { offset: 1 }));
    }
    for (escaped, raw) in [
        (r"\u007f", "\u{7f}"),
        (r"\u2028", "\u{2028}"),
        (r"\u2029", "\u{2029}"),
        (r"\udbff\udfff", "\u{10ffff}"),
        (r"\/", "/"),
        (r"\u002F", "/"),
        (r"\u0020", " "),
        (r"\u0022", "\\\""),
        (r"\u005C", "\\\\"),
        (r"\uFFFE", "\u{fffe}"),
        (r"\ud800\udc00", "\u{10000}"),
        (r"\uD7FF", "\u{d7ff}"),
        (r"\ue000", "\u{e000}"),
    ] {
        assert_eq!(canonical(&format!("\"{escaped}\"")).unwrap(), format!("\"{raw}\""));
        assert_eq!(canonical(&format!("\"{raw}\"")).unwrap(), format!("\"{raw}\""));
    }
}

// JSON-9
#[test]
fn attack_035_what_has_no_utf_8_form() {
    for text in [r#""\ud800""#, r#""\udc00\ud800""#, r#"{"\udfff":1}"#, r#"{"unsigned":"\ud800"}"#] {
        assert!(matches!(canonical(text), Err(Error::UnpairedSurrogate { .. })), "{text}");
        let object = CanonicalObject::parse(text, &["unsigned"], &Limits::DEFAULT);
        assert!(matches!(object, Err(Error::UnpairedSurrogate { .. })), "{text}");
    }
    for bytes in [
        b"\"\xed\xa0\x80\"".as_slice(),
        b"\"\xed\xa0\xbd\xed\xb8\x80\"",
        b"\"\xc0\x80\"",
        b"\"\xff\"",
        b"\"\xe2\x82\"",
        b"\"\xf4\x90\x80\x80\"",
    ] {
        assert_eq!(canonicalize_bytes(bytes, &Limits::DEFAULT), Err(Error::InvalidUtf8 { offset: 1 }));
    }
}

/// Runs on the smallest stack that the system gives a thread.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(8 << 10).spawn(run).unwrap().join().unwrap();
}

// JSON-14
#[test]
fn attack_036_depth_costs_no_stack() {
    on_a_small_stack(|| {
        let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
        for (open, close) in [("[", "]"), ("{\"b\":", "}"), ("[{\"a\":", "}]"), ("{\"b\":1,\"a\":", "}")] {
            let text = deep(open, close);
            assert!(matches!(canonical(&text), Err(Error::TooDeep { .. })));
            assert!(matches!(canonical(&open.repeat(100_000)), Err(Error::TooDeep { .. })));
            let left_out = format!("{{\"unsigned\":{text}}}");
            let object = CanonicalObject::parse(&left_out, &["unsigned"], &Limits::DEFAULT);
            assert!(matches!(object, Err(Error::TooDeep { .. })));
        }
        // Even where the caller allows it.
        let limits = Limits { depth: usize::MAX, ..Limits::DEFAULT };
        let text = deep("[", "]");
        assert!(canonicalize(&text, &limits).as_deref() == Ok(&text));
        assert!(canonicalize(&"[".repeat(100_000), &limits).is_err());
    });
}

// JSON-10
#[test]
fn attack_036_many_members_cost_no_stack() {
    on_a_small_stack(|| {
        let keys: String = (0..50_000).map(|n| format!("\"{}\":{n},", (n * 7919) % 50_000)).collect();
        let canonical = canonical(&format!("{{{keys}\"z\":0}}")).unwrap();
        assert!(canonical.starts_with(r#"{"0":0,"1":"#));
        let duplicate = canonicalize(&format!("{{{keys}\"49999\":0}}"), &Limits::DEFAULT);
        assert!(matches!(duplicate, Err(Error::DuplicateKey { .. })));
    });
}

// SIG-1
#[test]
fn attack_037_only_outermost_members_are_left_out() {
    let text = r#"{"unsigned":{"x":0.5},"content":{"unsigned":1,"signatures":{}},"signatures":{"a":{"b":"c"}},"x":1}"#;
    let object = CanonicalObject::parse(text, &["signatures", "unsigned"], &Limits::DEFAULT).unwrap();
    assert_eq!(object.as_str(), r#"{"content":{"signatures":{},"unsigned":1},"x":1}"#);
    assert_eq!(object.left_out("signatures"), Some(r#"{"a":{"b":"c"}}"#));
    assert_eq!(object.left_out("unsigned"), Some(r#"{"x":0.5}"#));
    // Whatever the spelling of the key.
    let escaped = r#"{"a":1,"\u0073ignatures":{}}"#;
    let object = CanonicalObject::parse(escaped, &["signatures"], &Limits::DEFAULT).unwrap();
    assert_eq!((object.as_str(), object.left_out("signatures")), (r#"{"a":1}"#, Some("{}")));
}

// JSON-10, JSON-17
#[test]
fn attack_038_one_text_has_one_reading() {
    for (text, offset) in [
        (r#"{"signatures":{},"a":1,"signatures":{}}"#, 23),
        (r#"{"signatures":{},"\u0073ignatures":{}}"#, 17),
        (r#"{"unsigned":{"a":1,"a":2}}"#, 19),
        (r#"{"a":1,"signatures":{},"a":2}"#, 23),
    ] {
        let object = CanonicalObject::parse(text, &["signatures", "unsigned"], &Limits::DEFAULT);
        assert_eq!(object.unwrap_err(), Error::DuplicateKey { offset }, "{text}");
    }
}

// JSON-5
#[test]
fn attack_041_extreme_integers() {
    for (integer, fits) in [
        (i128::from(i64::MIN), false),
        (i128::from(i64::MAX), false),
        (i128::from(u64::MAX), false),
        (i128::MIN, false),
        (i128::MAX, false),
        ((1 << 53) - 1, true),
        (1 << 53, false),
        (-(1 << 53) + 1, true),
        (-(1 << 53), false),
    ] {
        for numbers in [Numbers::Canonical, Numbers::Integers, Numbers::ExactIntegers] {
            let limits = Limits { numbers, ..Limits::DEFAULT };
            for text in [format!("{integer}"), format!("{{\"a\":[{integer}]}}")] {
                match canonicalize(&text, &limits) {
                    Ok(canonical) => assert!(fits && canonical == text, "{text}"),
                    Err(error) => {
                        assert!(!fits && matches!(error, Error::IntegerOutOfRange { .. }), "{text}")
                    }
                }
            }
            let object = format!("{{\"unsigned\":{integer}}}");
            let object = CanonicalObject::parse(&object, &["unsigned"], &limits).unwrap();
            assert_eq!(object.left_out("unsigned"), Some(integer.to_string().as_str()));
        }
    }
}
