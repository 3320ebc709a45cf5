//! Objects that may have secrets: what is read of one is in it, and each value can be read by itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_json::{Value, all_members, elements, leading_members, members, read_members, value};

fuzz_target!(|text: &[u8]| {
    let named = members(text, &["a", "b"]);
    let leading = leading_members(text, &["a", "b"]);
    assert!(leading.is_ok() || named.is_err(), "the whole is an object, its beginning is not");
    let mut handed_out = 0;
    let one_by_one = read_members(text, &["a", "b"], |_, unread| {
        handed_out += 1;
        unread.value().map(drop)
    });
    assert_eq!(one_by_one.err(), named.as_ref().err().copied());
    if let Ok(named) = &named {
        assert_eq!(named.iter().flatten().count(), handed_out);
    }
    let Ok(all) = all_members(text) else {
        return;
    };
    let mut known = 0;
    for (name, text) in all {
        known += usize::from(name.is("a") || name.is("b"));
        match value(text).expect("the value of a member is one") {
            Value::Array(array) => assert!(elements(array).all(|element| value(element).is_some())),
            Value::Text(text) => assert_eq!(text.to_str().is_some(), text.with_secret(|_| ()).is_some()),
            _ => {}
        }
    }
    match named {
        Ok(named) => assert_eq!(named.iter().flatten().count(), known),
        Err(_) => assert!(known > 1, "a name is there twice"),
    }
});
