//! Canonical text of `serde` values.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "tests"
)]
#![cfg(feature = "serde")]

use std::collections::BTreeMap;

use mx_canonical_json::{Limits, MAX_INTEGER, MIN_INTEGER, SerializeError, canonicalize, to_canonical};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;

fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<String, SerializeError> {
    to_canonical(value, &Limits::DEFAULT)
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
enum Choice {
    Plain,
    One(u8),
    Two(u8, u8),
    Named { z: u8, a: u8 },
}

#[derive(Serialize)]
struct Everything<'a> {
    z: Option<u8>,
    y: Option<u8>,
    text: &'a str,
    character: char,
    unit: (),
    unit_struct: Unit,
    newtype: Newtype,
    tuple: (u8, bool),
    bytes: &'a [u8],
    choices: [Choice; 4],
    signed: (i8, i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64, u128),
    map: BTreeMap<&'a str, u8>,
}

// JSON-2, JSON-7, JSON-12
#[test]
fn every_shape_is_written_as_serde_json_does_and_sorted() {
    let value = Everything {
        z: None,
        y: Some(1),
        text: "a\"\\/\u{b}\u{7f}日",
        character: '\n',
        unit: (),
        unit_struct: Unit,
        newtype: Newtype(7),
        tuple: (1, true),
        bytes: b"\x01\xff",
        choices: [Choice::Plain, Choice::One(1), Choice::Two(1, 2), Choice::Named { z: 1, a: 2 }],
        signed: (i8::MIN, i16::MIN, i32::MIN, MIN_INTEGER, MAX_INTEGER.into()),
        unsigned: (1, 2, 3, 4, 5),
        map: BTreeMap::from([("b", 1), ("a\n", 2), ("", 3)]),
    };
    let ours = canonical(&value).unwrap();
    assert!(ours.starts_with(r#"{"bytes":[1,255],"character":"\n","choices":["Plain",{"One":1},{"Two":[1,2]},{"Named":{"a":2,"z":1}}]"#));
    assert!(ours.contains(r#""text":"a\"\\/\u000b"#));
    let theirs = serde_json::to_string(&value).unwrap();
    assert_eq!(canonicalize(&theirs, &Limits::DEFAULT), Ok(ours));
}

// JSON-3
#[test]
fn keys_may_be_whatever_serializes_as_a_string() {
    #[derive(Eq, Ord, PartialEq, PartialOrd, Serialize)]
    enum Key {
        B,
        A,
    }
    #[derive(Eq, Ord, PartialEq, PartialOrd, Serialize)]
    struct Name(String);
    assert_eq!(canonical(&BTreeMap::from([(Key::B, 1), (Key::A, 2)])).unwrap(), r#"{"A":2,"B":1}"#);
    assert_eq!(canonical(&BTreeMap::from([(Name("\"".into()), 1)])).unwrap(), r#"{"\"":1}"#);
    assert_eq!(canonical(&BTreeMap::from([('"', 1)])).unwrap(), r#"{"\"":1}"#);
    assert_eq!(canonical(&BTreeMap::from([(Some("a"), 1)])).unwrap(), r#"{"a":1}"#);
}

#[test]
fn other_keys_are_refused() {
    fn refused<K: Serialize + Ord>(key: K) {
        assert_eq!(canonical(&BTreeMap::from([(key, 1)])), Err(SerializeError::KeyNotString));
    }
    refused(1_u8);
    refused(-1_i64);
    refused(true);
    refused(());
    refused(None::<&str>);
    refused((1, 2));
    refused(vec!["a"]);
    refused(BTreeMap::from([("a", 1)]));
}

// JSON-5, JSON-6
#[test]
fn attack_032_floats_and_integers_out_of_range() {
    for float in [0.0, -0.0, 1.0, 1.5, 1e300, f64::NAN, f64::INFINITY] {
        assert_eq!(canonical(&float), Err(SerializeError::Float));
        assert_eq!(canonical(&[Some(float)]), Err(SerializeError::Float));
    }
    assert_eq!(canonical(&1.0_f32), Err(SerializeError::Float));
    assert_eq!(canonical(&json!({ "a": 1.0 })), Err(SerializeError::Float));
}

// JSON-5
#[test]
fn attack_041_extreme_integers_of_every_type() {
    for integer in [i64::MIN, i64::MAX, MIN_INTEGER - 1, MAX_INTEGER + 1] {
        assert_eq!(canonical(&integer), Err(SerializeError::IntegerOutOfRange));
        assert_eq!(canonical(&i128::from(integer)), Err(SerializeError::IntegerOutOfRange));
    }
    assert_eq!(canonical(&u64::MAX), Err(SerializeError::IntegerOutOfRange));
    assert_eq!(canonical(&u128::MAX), Err(SerializeError::IntegerOutOfRange));
    assert_eq!(canonical(&i128::MIN), Err(SerializeError::IntegerOutOfRange));
    assert_eq!(canonical(&MIN_INTEGER).unwrap(), "-9007199254740991");
    assert_eq!(canonical(&9_007_199_254_740_991_u64).unwrap(), "9007199254740991");
}

struct Pairs(&'static [(&'static str, u8)]);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

// JSON-10
#[test]
fn duplicate_keys_are_refused() {
    assert_eq!(canonical(&Pairs(&[("a", 1), ("b", 2)])).unwrap(), r#"{"a":1,"b":2}"#);
    assert_eq!(canonical(&Pairs(&[("a", 1), ("a", 1)])), Err(SerializeError::DuplicateKey));
    assert_eq!(canonical(&[Pairs(&[("b", 1), ("a", 1), ("b", 1)])]), Err(SerializeError::DuplicateKey));
}

// JSON-14
#[test]
fn depth_and_length_are_bounded() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert!(canonical(&nested(128)).is_ok());
    assert_eq!(canonical(&nested(129)), Err(SerializeError::TooDeep { max: 128 }));
    // Not the number of containers, but those in each other.
    let choices = || [Choice::One(1), Choice::Two(1, 2), Choice::Named { z: 1, a: 2 }];
    let many: Vec<_> = (0..100).flat_map(|_| choices()).collect();
    assert!(to_canonical(&many, &Limits { depth: 3, ..Limits::DEFAULT }).is_ok());
    let refused = to_canonical(&many, &Limits { depth: 2, ..Limits::DEFAULT });
    assert_eq!(refused, Err(SerializeError::TooDeep { max: 2 }));

    struct Long;
    impl Serialize for Long {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // Not really: without the guard the test must fail, not the machine.
            serializer.collect_seq(std::iter::repeat_n("x", 100_000))
        }
    }
    let limits = Limits { len: 1000, ..Limits::DEFAULT };
    assert_eq!(to_canonical(&Long, &limits), Err(SerializeError::TooLong { max: 1000 }));
    assert_eq!(to_canonical("12", &Limits { len: 4, ..limits }).unwrap(), "\"12\"");
    assert_eq!(to_canonical("123", &Limits { len: 4, ..limits }), Err(SerializeError::TooLong { max: 4 }));
}

#[test]
fn text_that_only_serde_json_can_write_is_refused() {
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        #[serde(rename = "$serde_json::private::RawValue")]
        text: &'static str,
    }
    assert_eq!(canonical(&Raw { text: "1" }), Err(SerializeError::Custom));
    assert_eq!(SerializeError::Custom.to_string(), "value cannot be serialised");
}
