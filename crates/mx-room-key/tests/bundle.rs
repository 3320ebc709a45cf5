//! Bundles and withheld notices.

mod keys;

use keys::{ROOM, curve25519, data_at, data_of, device, entry, outbound, room, with};
use mx_room_key::{
    BundleList, MAX_BUNDLE_ENTRIES, MAX_BUNDLE_LEN, MAX_REASON_LEN, MalformedObject, ParseError, Provenance,
    RefusedEntry, RoomKey, RoomKeyBundle, Withheld, WithheldCode,
};
use mx_types::{DeviceId, InvalidIdentifier, RoomId, SessionId};
use serde_json::{Value, json};

fn withheld_entry(session_id: &str) -> Value {
    json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "session_id": session_id,
        "sender_key": curve25519(9).to_string(),
        "code": "m.history_not_shared",
        "reason": "not \"yours\"",
    })
}

fn bundle(room_keys: &Value, withheld: &Value) -> String {
    json!({ "room_keys": room_keys, "withheld": withheld }).to_string()
}

fn parse(text: &str) -> Result<mx_room_key::ReceivedBundle, ParseError> {
    RoomKeyBundle::parse(text.as_bytes(), room())
}

// SHR-23, EXP-30
#[test]
fn bundles_are_read_and_written() {
    let mut bundle = RoomKeyBundle::new(room());
    bundle.room_keys.push(data_at(3));
    let session_id = SessionId::parse("other").unwrap();
    bundle.withheld.push(Withheld::new(room(), session_id, curve25519(9), WithheldCode::HistoryNotShared));
    let written: Value = serde_json::from_slice(&bundle.emit_to_vec()).unwrap();
    let mut entry = with(entry(), "shared_history", Value::Null);
    entry = with(entry, "forwarding_curve25519_key_chain", Value::Null);
    let expected = json!({
        "room_keys": [entry],
        "withheld": [with(withheld_entry("other"), "reason", Value::Null)],
    });
    assert_eq!(written, expected);

    let received = parse(&written.to_string()).unwrap();
    assert_eq!(received.bundle.room_id(), ROOM);
    assert_eq!(received.bundle.withheld, bundle.withheld);
    assert_eq!(received.bundle.room_keys[0].session_key.as_bytes(), data_at(3).session_key.as_bytes());
    assert!(received.bundle.room_keys[0].shared_history);
    assert!(received.refused.is_empty());
    assert_eq!((received.of_other_rooms, received.withheld_and_shared), (0, 0));
}

// SHR-32, EXP-29: one bad entry never loses the others
#[test]
fn malformed_entries_are_reported_with_their_place() {
    let room_keys = json!([null, entry(), with(entry(), "session_id", json!("x")), 5, entry()]);
    let withheld = json!([withheld_entry("a"), {}, with(withheld_entry("b"), "code", json!("m.no_olm"))]);
    let received = parse(&bundle(&room_keys, &withheld)).unwrap();
    assert_eq!((received.bundle.room_keys.len(), received.bundle.withheld.len()), (2, 1));
    let refused = |list, index, reason| RefusedEntry { list, index, reason };
    let no_object = ParseError::Object(MalformedObject::NotAnObject);
    let missing = |member| ParseError::Object(MalformedObject::Missing { member });
    let expected = [
        refused(BundleList::RoomKeys, 0, no_object),
        refused(BundleList::RoomKeys, 2, ParseError::SessionId),
        refused(BundleList::RoomKeys, 3, no_object),
        refused(BundleList::Withheld, 1, missing("algorithm")),
        refused(BundleList::Withheld, 2, missing("room_id")),
    ];
    assert_eq!(received.refused, expected);
}

#[test]
fn what_is_no_bundle_is_refused() {
    let wrong_type = |member| ParseError::Object(MalformedObject::WrongType { member });
    let missing = ParseError::Object(MalformedObject::Missing { member: "room_keys" });
    assert_eq!(parse("{}").unwrap_err(), missing);
    assert_eq!(parse(&bundle(&json!({}), &json!([]))).unwrap_err(), wrong_type("room_keys"));
    assert_eq!(parse(&bundle(&json!([]), &json!(1))).unwrap_err(), wrong_type("withheld"));
    assert!(parse("{\"room_keys\":[]}").unwrap().bundle.withheld.is_empty());
    let text = bundle(&json!([entry()]), &json!([withheld_entry("a")]));
    for len in 0..text.len() {
        assert!(parse(&text[..len]).is_err());
    }
}

// SHR-31
#[test]
fn bounds_of_a_bundle() {
    let with_entries = |keys: usize, withheld: usize| {
        let list = |len: usize| format!("[{}]", vec!["0"; len].join(","));
        parse(&format!("{{\"room_keys\":{},\"withheld\":{}}}", list(keys), list(withheld)))
    };
    assert_eq!(with_entries(60_000, 40_000).unwrap().refused.len(), MAX_BUNDLE_ENTRIES);
    let (member, len, limit) = ("room_keys and withheld", MAX_BUNDLE_ENTRIES + 1, MAX_BUNDLE_ENTRIES);
    assert_eq!(with_entries(60_000, 40_001).unwrap_err(), ParseError::TooLong { member, len, limit });
    let mut text = bundle(&json!([]), &json!([]));
    text.push_str(&" ".repeat(MAX_BUNDLE_LEN - text.len()));
    parse(&text).unwrap();
    text.push(' ');
    let (len, limit) = (MAX_BUNDLE_LEN + 1, MAX_BUNDLE_LEN);
    assert_eq!(parse(&text).unwrap_err(), ParseError::Object(MalformedObject::TooLong { len, limit }));
    // Nothing is allocated for what is too much.
    let many = format!("{{\"room_keys\":[{}0]}}", "0,".repeat(1_000_000));
    let info = allocation_counter::measure(|| drop(parse(&many)));
    assert_eq!(info.count_total, 0);
}

// SHR-22, SHR-23, SHR-30, SHR-32, SHR-28
#[test]
fn attack_143_other_rooms_and_sessions_in_both_lists() {
    let elsewhere = json!("!elsewhere:example.org");
    let id = data_at(3).session_id();
    // An entry of another room is ignored, and cannot be anything else, however broken.
    let room_keys = json!([
        with(entry(), "room_id", elsewhere.clone()),
        with(with(entry(), "room_id", elsewhere.clone()), "session_key", json!("x")),
        with(with(entry(), "shared_history", json!(false)), "forwarding_curve25519_key_chain", json!([])),
    ]);
    let withheld = json!([
        withheld_entry(id.as_str()),
        with(withheld_entry("a"), "room_id", elsewhere),
        withheld_entry("b"),
    ]);
    let received = parse(&bundle(&room_keys, &withheld)).unwrap();
    assert_eq!((received.of_other_rooms, received.withheld_and_shared), (3, 1));
    assert!(received.refused.is_empty());
    let [session] = <[_; 1]>::try_from(received.bundle.room_keys).unwrap();
    assert_eq!(session.session_id(), id);
    assert_eq!(received.bundle.withheld.len(), 1);
    assert_eq!(received.bundle.withheld[0].session_id(), Some("b"));

    let room_key = RoomKey::from_bundle(room(), session, device("@inviter:x"));
    assert!(matches!(&room_key.origin().provenance, Provenance::Bundle(by) if by.user_id() == "@inviter:x"));

    // Nor do we write one.
    let mut bundle = RoomKeyBundle::new(room());
    bundle.room_keys.push(data_of(&outbound(2), 0));
    bundle.room_keys.push(data_at(3));
    let elsewhere = RoomId::parse("!elsewhere:example.org").unwrap();
    for (room_id, session_id) in [(room(), id.as_str()), (elsewhere, "a"), (room(), "b")] {
        let session_id = SessionId::parse(session_id).unwrap();
        let code = WithheldCode::HistoryNotShared;
        bundle.withheld.push(Withheld::new(room_id, session_id, curve25519(9), code));
    }
    bundle.withheld.push(Withheld::no_olm(curve25519(9)));
    let written: Value = serde_json::from_slice(&bundle.emit_to_vec()).unwrap();
    assert_eq!(written["room_keys"].as_array().unwrap().len(), 2);
    assert_eq!(written["withheld"].as_array().unwrap().len(), 1);
    assert_eq!(written["withheld"][0]["session_id"], "b");
}

// ENV-84
#[test]
fn withheld_notices_are_read_and_written() {
    let text = with(withheld_entry("id"), "from_device", json!("DEVICE"));
    let withheld = Withheld::parse(text.to_string().as_bytes()).unwrap();
    assert_eq!((withheld.room_id(), withheld.session_id()), (Some(ROOM), Some("id")));
    assert_eq!((withheld.reason(), withheld.from_device()), (Some("not \"yours\""), Some("DEVICE")));
    assert_eq!((&withheld.code, withheld.sender_key), (&WithheldCode::HistoryNotShared, curve25519(9)));
    assert_eq!(serde_json::from_slice::<Value>(&withheld.emit_to_vec()).unwrap(), text);
    let built = Withheld::new(room(), SessionId::parse("id").unwrap(), curve25519(9), withheld.code.clone());
    let built = built.with_reason("not \"yours\"").with_from_device(DeviceId::parse("DEVICE").unwrap());
    assert_eq!(built, withheld);

    let missing = |member| ParseError::Object(MalformedObject::Missing { member });
    for member in ["algorithm", "room_id", "session_id", "sender_key", "code"] {
        let text = with(withheld_entry("id"), member, Value::Null).to_string();
        assert_eq!(Withheld::parse(text.as_bytes()).unwrap_err(), missing(member));
    }
    // ENV-86
    let mut text = with(withheld_entry("id"), "code", json!("m.no_olm"));
    text = with(with(with(text, "room_id", Value::Null), "session_id", Value::Null), "reason", Value::Null);
    let withheld = Withheld::parse(text.to_string().as_bytes()).unwrap();
    assert_eq!(withheld, Withheld::no_olm(curve25519(9)));
    assert_eq!(serde_json::from_slice::<Value>(&withheld.emit_to_vec()).unwrap(), text);
}

// ENV-85
#[test]
fn withheld_codes() {
    let known = [
        ("m.blacklisted", WithheldCode::Blacklisted),
        ("m.unverified", WithheldCode::Unverified),
        ("m.unauthorised", WithheldCode::Unauthorised),
        ("m.unavailable", WithheldCode::Unavailable),
        ("m.no_olm", WithheldCode::NoOlm),
        ("m.history_not_shared", WithheldCode::HistoryNotShared),
        ("org.example.why", WithheldCode::Custom("org.example.why".to_owned())),
        ("m.unauthorized", WithheldCode::Custom("m.unauthorized".to_owned())),
    ];
    for (name, code) in known {
        assert_eq!(WithheldCode::parse(name), Ok(code.clone()));
        assert_eq!((code.as_str(), code.to_string().as_str()), (name, name));
    }
    let parse = |code: &str| WithheldCode::parse(code).unwrap_err();
    assert_eq!(parse(""), InvalidIdentifier::Empty);
    assert_eq!(parse("a\u{1b}[2J"), InvalidIdentifier::ControlCharacter);
    assert_eq!(parse(&"a".repeat(256)), InvalidIdentifier::TooLong { len: 256 });
}

/// As matrix-sdk-crypto writes it beside a code that it does not know.
#[test]
fn a_reason_that_is_null_is_none() {
    let text = r#"{"algorithm":"m.megolm.v1.aes-sha2","code":"m.unavailable","reason":null,"room_id":"!room:example.org","sender_key":"hPQNcabIABgGnx3/ACv/jmMmiQHoeFfuLB17tzWp6Hw","session_id":"id"}"#;
    assert_eq!(Withheld::parse(text.as_bytes()).unwrap().reason(), None);
    for other in ["1", "false", "[]", "{}"] {
        assert!(Withheld::parse(text.replace("null", other).as_bytes()).is_err(), "{other}");
    }
}

#[test]
fn reasons_are_bounded() {
    let with_reason = |reason: String| {
        let text = with(withheld_entry("id"), "reason", json!(reason)).to_string();
        Withheld::parse(text.as_bytes())
    };
    with_reason("ä".repeat(MAX_REASON_LEN / 2)).unwrap();
    let (member, len, limit) = ("reason", MAX_REASON_LEN + 1, MAX_REASON_LEN);
    assert_eq!(with_reason("a".repeat(len)).unwrap_err(), ParseError::TooLong { member, len, limit });
    let cut = Withheld::no_olm(curve25519(9)).with_reason(&format!("a{}", "ä".repeat(MAX_REASON_LEN)));
    assert_eq!(cut.reason().unwrap().len(), MAX_REASON_LEN - 1);
    let whole = Withheld::no_olm(curve25519(9)).with_reason("why");
    assert_eq!(whole.reason(), Some("why"));
}
