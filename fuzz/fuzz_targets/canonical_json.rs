//! Canonical JSON against serde_json: whatever we take has the same value there, and what we call malformed is
//! malformed there, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_canonical_json::{CanonicalizeError as Error, Limits, canonicalize, canonicalize_bytes, to_canonical};
use serde_json::{Deserializer, Value, de::SliceRead};

fuzz_target!(|data: &[u8]| {
    let theirs = parse(data);
    match canonicalize_bytes(data, &Limits::DEFAULT) {
        Ok(text) => {
            let value = theirs.map(without_negative_zero).expect("serde_json takes whatever we take");
            // Its maps are sorted by bytes and its escapes are the canonical ones.
            assert_eq!(text, value.to_string());
            assert_eq!(canonicalize(&text, &Limits::DEFAULT).as_ref(), Ok(&text));
            assert_eq!(to_canonical(&value, &Limits::DEFAULT).as_ref(), Ok(&text));
        }
        Err(
            Error::Syntax { .. }
            | Error::UnexpectedEnd { .. }
            | Error::InvalidUtf8 { .. }
            | Error::UnpairedSurrogate { .. },
        ) => {
            assert!(theirs.is_none(), "we refuse what serde_json reads: {theirs:?}");
        }
        // What JSON allows and canonical JSON does not.
        Err(_) => {}
    }
});

fn parse(data: &[u8]) -> Option<Value> {
    let mut deserializer = Deserializer::new(SliceRead::new(data));
    deserializer.disable_recursion_limit();
    let value = serde::Deserialize::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok().map(|()| value)
}

/// serde_json reads `-0` as a float; nothing else that we take is one there.
fn without_negative_zero(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::from(0),
        Value::Array(items) => items.into_iter().map(without_negative_zero).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, without_negative_zero(value))).collect()
        }
        other => other,
    }
}
