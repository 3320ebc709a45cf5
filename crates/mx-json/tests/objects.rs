//! What is read of an object, and what is refused; `serde_json` stands beside it.

#![allow(clippy::unwrap_used, reason = "tests")]

extern crate alloc;

use alloc::collections::BTreeMap;

use mx_json::{
    MalformedObject, Value, all_members, check_len, elements, leading_members, members, read_members,
    required,
};
use proptest::prelude::*;

#[test]
fn members_are_found_in_any_order_and_spelling() {
    let text = br#" { "b" : [1 , {"c":2}], "\u0061":"x\ny" , "z" : null, "t":true, "n":-1.5e3 } "#;
    let [a, b, missing, t, n] = members(text, &["a", "b", "missing", "t", "n"]).unwrap();
    assert_eq!(required::string(a, "a").unwrap(), "x\ny");
    let array = required::array(b, "b").unwrap();
    assert_eq!(elements(array).collect::<Vec<_>>(), [&b"1"[..], br#"{"c":2}"#]);
    assert!(missing.is_none());
    assert!(required::boolean(t, "t").unwrap());
    assert!(matches!(n, Some(Value::Number(b"-1.5e3"))));
}

#[test]
fn a_member_that_is_required_is_there_and_of_its_type() {
    let [text, object, number] =
        members(br#"{"text":"a","object":{},"number":7}"#, &["text", "object", "number"]).unwrap();
    assert_eq!(required::object(object, "object"), Ok(&b"{}"[..]));
    assert_eq!(required::count(number, "number"), Ok(7));
    assert_eq!(required::count(text, "text"), Err(MalformedObject::WrongType { member: "text" }));
    assert_eq!(required::boolean(text, "text"), Err(MalformedObject::WrongType { member: "text" }));
    assert_eq!(required::array(object, "object"), Err(MalformedObject::WrongType { member: "object" }));
    assert_eq!(required::object(text, "text"), Err(MalformedObject::WrongType { member: "text" }));
    assert_eq!(required::string(number, "number"), Err(MalformedObject::WrongType { member: "number" }));
    assert_eq!(required::string(None, "other"), Err(MalformedObject::Missing { member: "other" }));
    for number in ["9007199254740992", "-1", "1.0", "1e3", "18446744073709551616"] {
        let text = format!(r#"{{"n":{number}}}"#);
        let [n] = members(text.as_bytes(), &["n"]).unwrap();
        assert_eq!(required::count(n, "n"), Err(MalformedObject::WrongType { member: "n" }), "{number}");
    }
}

#[test]
fn what_is_no_object_is_refused_with_the_place() {
    let refused = |text: &[u8]| members(text, &["a"]).unwrap_err();
    assert_eq!(refused(b"[]"), MalformedObject::NotAnObject);
    assert_eq!(refused(b""), MalformedObject::Syntax { position: 0 });
    assert_eq!(refused(b"{"), MalformedObject::Syntax { position: 1 });
    assert_eq!(refused(b"{} {}"), MalformedObject::Syntax { position: 3 });
    assert_eq!(refused(br#"{"a":01}"#), MalformedObject::Syntax { position: 7 });
    assert_eq!(refused(b"{\"a\":\"\xff\"}"), MalformedObject::Syntax { position: 6 });
    assert_eq!(refused(br#"{"a":1,"\u0061":2}"#), MalformedObject::Repeated { member: "a" });
    assert_eq!(check_len(b"{}", 1), Err(MalformedObject::TooLong { len: 2, limit: 1 }));
    assert_eq!(check_len(b"{}", 2), Ok(()));
    let nested = |depth| format!(r#"{{"b":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(members(nested(127).as_bytes(), &["a"]).is_ok());
    assert_eq!(refused(nested(128).as_bytes()), MalformedObject::TooDeep { position: 132 });
}

#[test]
fn what_is_nested_is_read_in_one_pass() {
    let text = br#"{"other":{"a":1},"key":{"k":"x","k2":[{}]},"left":{"k":3},"list":["a",{"b":[]}],"n":1}"#;
    let (mut k, mut list, mut places) = (None, 0, Vec::new());
    read_members(text, &["n", "key", "list", "left"], |place, unread| {
        places.push(place);
        match place {
            1 => unread.members("key", &["k"], |_, unread| {
                k = Some(required::string(Some(unread.value()?), "k")?);
                Ok(())
            }),
            2 => unread.elements(|_| list += 1).map(|unread| assert!(unread.is_none())),
            // Dropped: checked and left out.
            3 => Ok(()),
            _ => unread.elements(|_| unreachable!("is no array")).map(|unread| assert!(unread.is_some())),
        }
    })
    .unwrap();
    assert_eq!((k.as_deref(), list, &places[..]), (Some("x"), 2, &[1, 3, 2, 0][..]));
}

#[test]
fn what_is_wrong_in_a_nested_object_is_told_with_the_place() {
    let refused = |text: &str| {
        let nested = read_members(text.as_bytes(), &["a"], |_, unread| {
            unread.members("a", &["b"], |_, unread| unread.value().map(drop))
        });
        let dropped = read_members(text.as_bytes(), &["a"], |_, _| Ok(()));
        (nested.err(), dropped.err())
    };
    let both = |error| (Some(error), Some(error));
    assert_eq!(refused(r#"{"a":{"b":1}}"#), (None, None));
    assert_eq!(refused(r#"{"a":{"b":01}}"#), both(MalformedObject::Syntax { position: 12 }));
    assert_eq!(refused(r#"{"a":{"b":1}"#), both(MalformedObject::Syntax { position: 12 }));
    assert_eq!(refused(r#"{"a":{}} {}"#), both(MalformedObject::Syntax { position: 9 }));
    assert_eq!(refused("[]"), both(MalformedObject::NotAnObject));
    assert_eq!(refused(r#"{"a":{},"a":{}}"#), both(MalformedObject::Repeated { member: "a" }));
    let twice = MalformedObject::Repeated { member: "b" };
    assert_eq!(refused(r#"{"a":{"b":1,"b":1}}"#), (Some(twice), None));
    assert_eq!(refused(r#"{"a":[]}"#), (Some(MalformedObject::WrongType { member: "a" }), None));
}

#[test]
fn what_follows_the_leading_object_is_left_alone() {
    let ([a], len) = leading_members(br#" {"a":1} not JSON"#, &["a"]).unwrap();
    assert!(matches!(a, Some(Value::Number(b"1"))));
    assert_eq!(len, 8);
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    for text in [r"\ud83d", r"\ude00", r"\ud83d\n", r"\ud83d\u0041", r"\ud83dx"] {
        let json = format!(r#"{{"a":"{text}"}}"#);
        let [a] = members(json.as_bytes(), &["a"]).unwrap();
        assert_eq!(required::string(a, "a"), Err(MalformedObject::WrongType { member: "a" }), "{text}");
        assert_eq!(required::text(a, "a").unwrap().with_secret(str::len), None, "{text}");
        assert!(!required::text(a, "a").unwrap().is("a"), "{text}");
    }
}

#[test]
fn debug_output_has_no_value_in_it() {
    let [a, b, c] =
        members(br#"{"a":"secret","b":{"x":"secret"},"c":["secret"]}"#, &["a", "b", "c"]).unwrap();
    assert_eq!(format!("{a:?}{b:?}{c:?}"), "Some(Text(..))Some(Object(..))Some(Array(..))");
    assert_eq!(format!("{:?}", required::text(a, "a").unwrap()), "Text(..)");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    scalar.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn an_object_is_what_serde_json_makes_of_it(object in prop::collection::btree_map(any::<String>(), json(), 0..8)) {
        let text = serde_json::to_string_pretty(&object).unwrap();
        let mut read = BTreeMap::new();
        for (name, value) in all_members(text.as_bytes()).unwrap() {
            let value: serde_json::Value = serde_json::from_slice(value).unwrap();
            read.insert(name.to_str().unwrap().into_owned(), value);
        }
        prop_assert_eq!(read, object);
    }

    #[test]
    fn elements_are_what_serde_json_makes_of_them(array in prop::collection::vec(json(), 0..8)) {
        let text = serde_json::to_string(&array).unwrap();
        let read: Vec<serde_json::Value> =
            elements(text.as_bytes()).map(|element| serde_json::from_slice(element).unwrap()).collect();
        prop_assert_eq!(read, array);
    }

    #[test]
    fn a_text_that_one_refuses_the_other_refuses(text in r#"[{}\[\]",:\\ u0a1.e-]{0,12}"#) {
        let text = format!(r#"{{"k":{text}}}"#);
        let read = members(text.as_bytes(), &[]).is_ok();
        // Half of a surrogate pair is JSON here, and the range of a number is not looked at.
        let other = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert!(read || other.is_err(), "{}", text);
        prop_assert!(!read || other.is_ok() || text.contains('u') || text.contains('e'), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let _ = members(&bytes, &["a"]);
        let _ = mx_json::value(&bytes);
        let _ = elements(&bytes).count();
    }
}
