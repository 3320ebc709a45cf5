//! Sessions in files and backups, and the events that carry sessions.

mod keys;

use keys::{
    ROOM, curve25519, data_at, ed25519, entry, exported_at, forwarded_content_at, room, shared_at, with,
};
use mx_megolm::SessionKeyError;
use mx_room_key::{
    BackedUpSessionData, ExportedSessionData, ForwardedRoomKeyContent, MAX_FORWARDING_CHAIN_LEN,
    MAX_SESSION_DATA_LEN, MalformedObject, ParseError, RoomKeyContent, WithheldCode,
};
use mx_types::{InvalidIdentifier, InvalidKey};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(value: &Value) -> Result<ExportedSessionData<'static>, ParseError> {
    ExportedSessionData::parse(value.to_string().as_bytes()).map(ExportedSessionData::into_owned)
}

fn missing(member: &'static str) -> ParseError {
    ParseError::Object(MalformedObject::Missing { member })
}

fn wrong_type(member: &'static str) -> ParseError {
    ParseError::Object(MalformedObject::WrongType { member })
}

// EXP-21, EXP-22, SHR-40
#[test]
fn an_entry_is_read_and_written() {
    let read = parse(&entry()).unwrap();
    assert_eq!(read.room_id(), ROOM);
    assert_eq!(read.session_id(), data_at(3).session_id());
    assert_eq!(read.session.session_key.first_known_index(), 3);
    assert_eq!(read.session.sender_key, curve25519(9));
    assert_eq!(read.session.sender_claimed_ed25519, Some(ed25519(8)));
    assert_eq!(read.session.forwarding_chain, [curve25519(4), curve25519(5)]);
    assert!(read.session.shared_history);

    let written: Value = serde_json::from_slice(&read.emit_to_vec()).unwrap();
    assert_eq!(written, entry());
    let backed_up: Value = serde_json::from_slice(&read.session.emit_to_vec()).unwrap();
    let without_place = with(with(entry(), "room_id", Value::Null), "session_id", Value::Null);
    assert_eq!(backed_up, without_place);
    assert!(BackedUpSessionData::parse(without_place.to_string().as_bytes()).is_ok());
}

// EXP-22
#[test]
fn an_entry_is_read_whatever_follows_it() {
    let entry = entry().to_string();
    for rest in ["", ",", "]", "}", " ", ",{\"", "\0"] {
        let text = format!("{entry}{rest}");
        let (read, len) = ExportedSessionData::parse_leading(text.as_bytes()).unwrap();
        assert_eq!((read.room_id(), len), (ROOM, entry.len()));
    }
    for end in 0..entry.len() {
        assert!(ExportedSessionData::parse_leading(&entry.as_bytes()[..end]).is_err(), "{end}");
    }
    let long = format!("{{\"a\":\"{}\",{}", "a".repeat(MAX_SESSION_DATA_LEN), &entry[1..]);
    assert!(ExportedSessionData::parse_leading(long.as_bytes()).is_err());
}

// EXP-22: entries that matrix-rust-sdk and mautrix-go wrote
#[test]
fn entries_of_peers_are_read_and_written() {
    let peers: Value = serde_json::from_str(include_str!("vectors/peers.json")).unwrap();
    for entry in peers["exported"].as_array().unwrap() {
        let read = parse(entry).unwrap();
        assert_eq!(read.session_id().as_str(), entry["session_id"]);
        let written: Value = serde_json::from_slice(&read.emit_to_vec()).unwrap();
        for (member, value) in entry.as_object().unwrap() {
            assert_eq!(written[member], *value, "{member}");
        }
    }
    let backed_up = peers["backed_up"].as_array().unwrap();
    assert_eq!(backed_up.len(), 3);
    for entry in backed_up {
        let read = BackedUpSessionData::parse(entry.to_string().as_bytes()).unwrap();
        let written: Value = serde_json::from_slice(&read.emit_to_vec()).unwrap();
        for (member, value) in entry.as_object().unwrap() {
            assert_eq!(written[member], *value, "{member}");
        }
    }
}

// EXP-24
#[test]
fn claims_may_be_missing_and_unknown_members_are_passed_over() {
    for claimed in [Value::Null, json!({}), json!({ "curve25519": 5 })] {
        let read = parse(&with(entry(), "sender_claimed_keys", claimed)).unwrap();
        assert_eq!(read.session.sender_claimed_ed25519, None);
        assert!(String::from_utf8_lossy(&read.emit_to_vec()).contains("\"sender_claimed_keys\":{},"));
    }
    let read = parse(&with(entry(), "forwarding_curve25519_key_chain", Value::Null)).unwrap();
    assert!(read.session.forwarding_chain.is_empty());
    let unknown = json!([{ "a": [1.5e-3, null, true, "\\u0000\\\""] }, {}, []]);
    assert!(parse(&with(entry(), "org.example.unknown", unknown)).is_ok());
}

// EXP-21, EXP-29
#[test]
fn each_fault_of_an_entry_has_a_name() {
    for member in ["algorithm", "room_id", "session_id", "session_key", "sender_key"] {
        assert_eq!(parse(&with(entry(), member, Value::Null)).unwrap_err(), missing(member));
        assert_eq!(parse(&with(entry(), member, json!(1))).unwrap_err(), wrong_type(member));
    }
    for member in ["sender_claimed_keys", "forwarding_curve25519_key_chain"] {
        assert_eq!(parse(&with(entry(), member, json!("x"))).unwrap_err(), wrong_type(member));
    }
    let claimed = json!({ "ed25519": [] });
    assert_eq!(
        parse(&with(entry(), "sender_claimed_keys", claimed)).unwrap_err(),
        wrong_type("sender_claimed_keys")
    );
    assert_eq!(parse(&with(entry(), "algorithm", json!("m.megolm.v2"))).unwrap_err(), ParseError::Algorithm);
    assert_eq!(
        parse(&with(entry(), "room_id", json!("#a:b"))).unwrap_err(),
        ParseError::Identifier { member: "room_id", error: InvalidIdentifier::WrongSigil { expected: '!' } }
    );
    assert_eq!(
        parse(&with(entry(), "room_id", json!(format!("!{}", "a".repeat(255))))).unwrap_err(),
        ParseError::Identifier { member: "room_id", error: InvalidIdentifier::TooLong { len: 256 } }
    );
    assert_eq!(
        parse(&with(entry(), "sender_key", json!("A".repeat(43)))).unwrap_err(),
        ParseError::Key { member: "sender_key", error: InvalidKey::SmallOrder }
    );
    let key = parse(&with(entry(), "sender_claimed_keys", json!({ "ed25519": "A" }))).unwrap_err();
    assert!(matches!(key, ParseError::Key { member: "sender_claimed_keys", .. }), "{key:?}");
    let key = parse(&with(entry(), "forwarding_curve25519_key_chain", json!(["A"]))).unwrap_err();
    assert!(matches!(key, ParseError::Key { member: "forwarding_curve25519_key_chain", .. }), "{key:?}");
    let key = parse(&with(entry(), "forwarding_curve25519_key_chain", json!([null]))).unwrap_err();
    assert_eq!(key, wrong_type("forwarding_curve25519_key_chain"));
    assert_eq!(parse(&json!([])).unwrap_err(), ParseError::Object(MalformedObject::NotAnObject));
    assert_eq!(parse(&json!(null)).unwrap_err(), ParseError::Object(MalformedObject::NotAnObject));
}

// EXP-25, MEG-45: for a key that is right in itself
#[test]
fn session_id_must_be_the_public_key() {
    let other = keys::data_of(&keys::outbound(2), 0).session_id();
    for id in [json!(other.as_str()), json!(""), json!(format!("{}=", data_at(3).session_id()))] {
        assert_eq!(parse(&with(entry(), "session_id", id)).unwrap_err(), ParseError::SessionId);
    }
}

// MEG-44, MEG-48
#[test]
fn sharing_format_is_refused_where_exports_belong() {
    let shared = json!(*shared_at(3).to_base64_string());
    let version = ParseError::SessionKey(SessionKeyError::Version { expected: 1, found: 2 });
    assert_eq!(parse(&with(entry(), "session_key", shared.clone())).unwrap_err(), version);
    let forwarded: Value = serde_json::from_slice(&forwarded_content_at(3).emit_to_vec()).unwrap();
    let forwarded = with(forwarded, "session_key", shared).to_string();
    assert_eq!(ForwardedRoomKeyContent::parse(forwarded.as_bytes()).unwrap_err(), version);
}

#[test]
fn bounds_are_kept() {
    let padding = |len: usize| {
        let mut text = entry().to_string();
        text.push_str(&" ".repeat(len - text.len()));
        ExportedSessionData::parse(text.as_bytes()).map(drop)
    };
    padding(MAX_SESSION_DATA_LEN).unwrap();
    let (len, limit) = (MAX_SESSION_DATA_LEN + 1, MAX_SESSION_DATA_LEN);
    assert_eq!(padding(len).unwrap_err(), ParseError::Object(MalformedObject::TooLong { len, limit }));

    let chain = |len| {
        let chain = vec![json!(curve25519(4).to_string()); len];
        parse(&with(entry(), "forwarding_curve25519_key_chain", json!(chain)))
    };
    chain(MAX_FORWARDING_CHAIN_LEN).unwrap();
    let (len, limit) = (MAX_FORWARDING_CHAIN_LEN + 1, MAX_FORWARDING_CHAIN_LEN);
    let member = "forwarding_curve25519_key_chain";
    assert_eq!(chain(len).unwrap_err(), ParseError::TooLong { member, len, limit });
}

// MEG-53, EXP-23
#[test]
fn shared_history_in_three_spellings() {
    let spellings = ["shared_history", "m.shared_history", "org.matrix.msc3061.shared_history"];
    let values = [Value::Null, json!(true), json!(false), json!("true"), json!(1)];
    for choice in 0..values.len().pow(3) {
        let chosen = [0, 1, 2].map(|place| &values[choice / values.len().pow(place) % values.len()]);
        let mut entry = entry();
        let room_key = RoomKeyContent::new(room(), shared_at(3), true).emit_to_vec();
        let mut room_key: Value = serde_json::from_slice(&room_key).unwrap();
        for (spelling, value) in spellings.iter().zip(chosen) {
            entry = with(entry, spelling, value.clone());
            room_key = with(room_key, spelling, value.clone());
        }
        let expected = chosen.contains(&&json!(true)) && !chosen.contains(&&json!(false));
        let read = parse(&entry).unwrap();
        assert_eq!(read.session.shared_history, expected, "{chosen:?}");
        let room_key = RoomKeyContent::parse(room_key.to_string().as_bytes()).unwrap();
        assert_eq!(room_key.shared_history, expected, "{chosen:?}");

        let written: Value = serde_json::from_slice(&read.emit_to_vec()).unwrap();
        assert_eq!(written["shared_history"], expected);
        assert!(spellings[1..].iter().all(|spelling| written.get(spelling).is_none()));
    }
}

// MEG-53, ENV-60, ENV-61
#[test]
fn content_of_room_key() {
    let content = RoomKeyContent::new(room(), shared_at(3), true);
    let text: Value = serde_json::from_slice(&content.emit_to_vec()).unwrap();
    let key = shared_at(3);
    let expected = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "session_id": key.session_id().as_str(),
        "session_key": *key.to_base64_string(),
        "shared_history": true,
    });
    assert_eq!(text, expected);
    let parse = |value: Value| RoomKeyContent::parse(value.to_string().as_bytes());
    let read = parse(text.clone()).unwrap();
    assert_eq!((read.room_id(), read.session_id(), read.shared_history), (ROOM, key.session_id(), true));

    for member in ["algorithm", "room_id", "session_id", "session_key"] {
        assert_eq!(parse(with(text.clone(), member, Value::Null)).unwrap_err(), missing(member));
    }
    let other = keys::outbound(2).session_key().session_id();
    let other = with(text.clone(), "session_id", json!(other.as_str()));
    assert_eq!(parse(other).unwrap_err(), ParseError::SessionId);
    // MEG-44, MEG-43
    let exported = with(text.clone(), "session_key", json!(*data_at(3).session_key.to_base64_string()));
    let version = SessionKeyError::Version { expected: 2, found: 1 };
    assert_eq!(parse(exported).unwrap_err(), ParseError::SessionKey(version));
    let mut forged = key.to_base64_string().to_string();
    forged.replace_range(300..301, if &forged[300..301] == "A" { "B" } else { "A" });
    let forged = with(text, "session_key", json!(forged));
    assert_eq!(parse(forged).unwrap_err(), ParseError::SessionKey(SessionKeyError::Signature));
}

// MEG-54, KR-9
#[test]
fn content_of_forwarded_room_key() {
    let mut content = forwarded_content_at(3);
    content.forwarding_chain = vec![curve25519(4)];
    content.withheld = Some((WithheldCode::Unauthorised, Some("not \"then\"\n".to_owned())));
    let text: Value = serde_json::from_slice(&content.emit_to_vec()).unwrap();
    let expected = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "sender_key": curve25519(9).to_string(),
        "session_id": data_at(3).session_id().as_str(),
        "session_key": *data_at(3).session_key.to_base64_string(),
        "sender_claimed_ed25519_key": ed25519(8).to_string(),
        "forwarding_curve25519_key_chain": [curve25519(4).to_string()],
        "withheld": { "code": "m.unauthorised", "reason": "not \"then\"\n" },
    });
    assert_eq!(text, expected);
    let parse = |value: &Value| ForwardedRoomKeyContent::parse(value.to_string().as_bytes());
    let read = parse(&text).unwrap();
    assert_eq!((read.room_id(), read.session_id()), (ROOM, data_at(3).session_id()));
    assert_eq!((&read.forwarding_chain, &read.withheld), (&content.forwarding_chain, &content.withheld));
    assert_eq!((read.sender_key, read.sender_claimed_ed25519), (curve25519(9), ed25519(8)));

    for member in expected.as_object().unwrap().keys().filter(|member| *member != "withheld") {
        let error = parse(&with(text.clone(), member, Value::Null)).unwrap_err();
        assert!(matches!(error, ParseError::Object(MalformedObject::Missing { member: m }) if m == member));
    }
    assert_eq!(parse(&with(text.clone(), "withheld", Value::Null)).unwrap().withheld, None);
    assert_eq!(parse(&with(text.clone(), "withheld", json!({}))).unwrap_err(), missing("code"));
    let other = keys::outbound(2).session_key().session_id();
    let other = with(text, "session_id", json!(other.as_str()));
    assert_eq!(parse(&other).unwrap_err(), ParseError::SessionId);
}

// Some writers escape the slashes of Base64.
#[test]
fn escapes_are_undone_wherever_they_stand() {
    let text = entry().to_string().replace('/', "\\/").replace("algorithm", "\\u0061lgorithm");
    let text = text.replace("!room", "!\\ud83d\\ude00");
    let read = ExportedSessionData::parse(text.as_bytes()).unwrap();
    assert_eq!(read.room_id(), "!😀:example.org");
    assert_eq!(read.session.session_key.as_bytes(), data_at(3).session_key.as_bytes());

    for half in ["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\u0041", "\\ud83d\\ud83d"] {
        let text = entry().to_string().replace("!room", &format!("!{half}"));
        assert_eq!(ExportedSessionData::parse(text.as_bytes()).unwrap_err(), wrong_type("room_id"), "{half}");
    }
    let control = entry().to_string().replace("!room", "!\\u0000");
    let error = InvalidIdentifier::ControlCharacter;
    let error = ParseError::Identifier { member: "room_id", error };
    assert_eq!(ExportedSessionData::parse(control.as_bytes()).unwrap_err(), error);
}

#[test]
fn a_wanted_member_may_stand_there_once() {
    let text = entry().to_string().replacen('{', "{\"session_id\":1,", 1);
    let repeated = ParseError::Object(MalformedObject::Repeated { member: "session_id" });
    assert_eq!(ExportedSessionData::parse(text.as_bytes()).unwrap_err(), repeated);
    let text = entry().to_string().replacen('{', "{\"x\":1,\"x\":2,", 1);
    assert!(ExportedSessionData::parse(text.as_bytes()).is_ok());
}

#[test]
fn every_truncation_is_refused() {
    let text = entry().to_string();
    for len in 0..text.len() {
        let error = ExportedSessionData::parse(&text.as_bytes()[..len]).unwrap_err();
        let ParseError::Object(MalformedObject::Syntax { position }) = error else { panic!("{error}") };
        assert!(position <= len);
    }
}

// CONTRIBUTING: a failed call has changed nothing
#[test]
fn attack_063_buffer_one_byte_too_small() {
    let data = exported_at(3);
    let needed = data.emitted_len();
    assert_eq!(needed, data.emit_to_vec().len());
    let mut out = vec![0x55; needed + 1];
    assert_eq!(data.emit(&mut out[..needed - 1]).unwrap_err().needed, needed);
    assert!(out.iter().all(|byte| *byte == 0x55));
    assert_eq!(data.emit(&mut out).unwrap(), &**data.emit_to_vec());
    let needed = data.session.emitted_len();
    assert_eq!(data.session.emit(&mut out[..needed - 1]).unwrap_err().needed, needed);
    assert_eq!(data.session.emit(&mut out).unwrap(), &**data.session.emit_to_vec());
}

#[test]
fn attack_068_session_keys_are_not_printed() {
    let secret = data_at(3).session_key.to_base64_string();
    let secret = &secret[6..20];
    let data = exported_at(3);
    let printed = format!("{data:?} {:?} {:?}", data.session, forwarded_content_at(3));
    assert!(!printed.contains(secret));
    assert!(!printed.contains(&format!("{:?}", &data.session.session_key.as_bytes()[5..9])));
    let printed = format!("{:?}", RoomKeyContent::new(room(), shared_at(3), true));
    assert!(printed.contains("session_key: SessionKey { session_id"), "{printed}");
}

#[test]
fn reading_an_entry_allocates_for_its_chain_only() {
    let text = with(entry(), "forwarding_curve25519_key_chain", json!([])).to_string();
    let info = allocation_counter::measure(|| drop(ExportedSessionData::parse(text.as_bytes()).unwrap()));
    assert_eq!(info.count_total, 0);
    let text = entry().to_string();
    let info = allocation_counter::measure(|| drop(ExportedSessionData::parse(text.as_bytes()).unwrap()));
    assert_eq!(info.count_total, 1);
}

/// JSON of any kind.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let members = prop::collection::hash_map(any::<String>(), inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether our reader takes it for JSON.
fn is_json(text: &[u8]) -> bool {
    let error = ExportedSessionData::parse(text).map(drop);
    !matches!(
        error,
        Err(ParseError::Object(MalformedObject::Syntax { .. } | MalformedObject::TooDeep { .. }))
    )
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_passed_over(value in any_json(), pretty: bool) {
        let entry = with(entry(), "x", value);
        let text = if pretty { serde_json::to_string_pretty(&entry) } else { serde_json::to_string(&entry) };
        let read = ExportedSessionData::parse(text.unwrap().as_bytes()).map(drop);
        prop_assert_eq!(read, Ok(()));
    }

    #[test]
    fn json_is_what_serde_json_takes_for_it(
        value in any_json(),
        place: prop::sample::Index,
        bytes in prop::sample::subsequence(&b"{}[],:\"\\u0eE+-.19 \ntrfn\x00"[..], 0..3),
        cut in 0..3_usize,
    ) {
        let mut text = value.to_string().into_bytes();
        let place = place.index(text.len() + 1);
        text.splice(place..(place + cut).min(text.len()), bytes);
        if let Ok(text) = String::from_utf8(text) {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(text.as_bytes()), expected, "{}", text);
        }
    }
}

#[test]
fn nesting_is_bounded_and_needs_no_stack() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_json(nested(127).as_bytes()));
    assert!(!is_json(nested(128).as_bytes()));
    assert!(!is_json(nested(30_000).as_bytes()));
    let objects = |depth: usize| format!("{{\"x\":{}1{}}}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(is_json(objects(127).as_bytes()));
    assert!(!is_json(objects(128).as_bytes()));
}

#[test]
fn text_is_utf_8() {
    for (bytes, valid) in
        [(&b"\xc3\xa4"[..], true), (b"\xc3", false), (b"\xff", false), (b"aaaaaaaaaaa\xed\xa0\x80", false)]
    {
        let text = [b"{\"x\":\"", bytes, b"\"}"].concat();
        assert_eq!(is_json(&text), valid);
        assert!(!is_json(&[b"{\"x\":", bytes, b"}"].concat()));
    }
}
