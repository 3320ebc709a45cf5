#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use mx_canonical_json::{Limits, canonicalize};
use serde_json::{Map, Value, json};

use super::*;

const LIMITS: MessageLimits = MessageLimits::DEFAULT;
const KEY: &str = "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ";
const TRANSPORTS: [Transport; 2] = [Transport::ToDevice, Transport::Room];

/// The members that a content has beside the ID of its flow.
fn fields(kind: Kind, transport: Transport) -> Value {
    match (kind, transport) {
        (Kind::Request, Transport::ToDevice) => {
            json!({ "from_device": "D", "methods": ["m.sas.v1"], "timestamp": 1_700_000_000_000_u64 })
        }
        (Kind::Request, Transport::Room) => json!({
            "from_device": "D", "methods": ["m.sas.v1"], "msgtype": "m.key.verification.request", "to": "@b:x",
        }),
        (Kind::Ready, _) => json!({ "from_device": "D", "methods": ["m.sas.v1"] }),
        (Kind::Start, _) => json!({
            "from_device": "D", "method": "m.sas.v1",
            "key_agreement_protocols": ["curve25519-hkdf-sha256"], "hashes": ["sha256"],
            "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
            "short_authentication_string": ["decimal", "emoji"],
        }),
        (Kind::Accept, _) => json!({
            "key_agreement_protocol": "curve25519-hkdf-sha256", "hash": "sha256",
            "message_authentication_code": "hkdf-hmac-sha256.v2", "short_authentication_string": ["decimal"],
            "commitment": KEY,
        }),
        (Kind::Key, _) => json!({ "key": KEY }),
        (Kind::Mac, _) => json!({ "mac": { "ed25519:D": KEY }, "keys": KEY }),
        (Kind::Done, _) => json!({}),
        (Kind::Cancel, _) => json!({ "code": "m.user", "reason": "no" }),
    }
}

fn reciprocate() -> Value {
    json!({ "from_device": "D", "method": "m.reciprocate.v1", "secret": "ICEiIyQlJic" })
}

/// Every kind of message, with the kind of start that has other members.
fn all(transport: Transport) -> Vec<(Kind, Map<String, Value>)> {
    let mut all: Vec<_> = Kind::ALL.map(|kind| (kind, fields(kind, transport))).into();
    all.push((Kind::Start, reciprocate()));
    all.into_iter().map(|(kind, fields)| (kind, with_id(kind, fields, transport))).collect()
}

fn with_id(kind: Kind, fields: Value, transport: Transport) -> Map<String, Value> {
    let Value::Object(mut content) = fields else { panic!("not an object") };
    match transport {
        Transport::ToDevice => content.insert("transaction_id".into(), json!("flow")),
        Transport::Room if kind != Kind::Request => {
            content.insert("m.relates_to".into(), json!({ "rel_type": "m.reference", "event_id": "flow" }))
        }
        Transport::Room => None,
    };
    content
}

fn read(kind: Kind, content: &Map<String, Value>, transport: Transport) -> Result<Message, Malformed> {
    let content = Value::Object(content.clone()).to_string();
    parse(kind.event_type(transport), &content, transport, &LIMITS).map(|message| message.unwrap())
}

fn changed(content: &Map<String, Value>, field: &str, value: Value) -> Map<String, Value> {
    let mut content = content.clone();
    content.insert(field.into(), value);
    content
}

const fn id(transport: Transport) -> FlowId<'static> {
    match transport {
        Transport::ToDevice => FlowId::Transaction("flow"),
        Transport::Room => FlowId::Event("flow"),
    }
}

// VER-1, VER-10, VER-11, VER-12, VER-13, VER-14, VER-15, VER-16, SAS-1, SAS-3, SAS-4, SAS-5, QR-30
#[test]
fn what_is_complete_is_read_and_comes_out_as_it_was() {
    for transport in TRANSPORTS {
        for (kind, content) in all(transport) {
            let message = read(kind, &content, transport).unwrap();
            assert_eq!(message.content.kind(), kind);
            let in_room_request = (kind, transport) == (Kind::Request, Transport::Room);
            assert_eq!(message.flow_id.as_deref(), (!in_room_request).then_some("flow"));

            let mut expected = content;
            if kind == Kind::Accept {
                expected.insert("method".into(), json!("m.sas.v1"));
            } else if in_room_request {
                expected.insert("body".into(), json!(emit::BODY));
            }
            let emitted = message.content.emit(id(transport));
            assert_eq!(serde_json::from_str::<Value>(&emitted).unwrap(), Value::Object(expected));
            assert_eq!(canonicalize(&emitted, &Limits::DEFAULT).unwrap(), emitted);
        }
    }
}

// VER-17: each member missing, of each other type, too long; the flow is named all the same.
#[test]
fn what_lacks_a_member_is_refused_by_its_name() {
    let others =
        [json!(null), json!(true), json!(-1), json!(1.5), json!("="), json!(["\u{0}", 1]), json!({ "a": 1 })];
    for transport in TRANSPORTS {
        for (kind, content) in all(transport) {
            let room_request = (kind, transport) == (Kind::Request, Transport::Room);
            for field in
                content.keys().filter(|field| kind != Kind::Cancel || *field != "code" && *field != "reason")
            {
                // Not a request at all.
                if field == "msgtype" {
                    continue;
                }
                let mut without = content.clone();
                without.remove(field);
                let malformed = read(kind, &without, transport).unwrap_err();
                let is_id = ["transaction_id", "m.relates_to"].contains(&field.as_str());
                assert_eq!(malformed.fault, Fault::Missing { field: leak(field) });
                assert_eq!(malformed.kind, kind);
                assert_eq!(malformed.flow_id.as_deref(), (!is_id && !room_request).then_some("flow"));
                let names_device = content.contains_key("from_device") && field != "from_device";
                assert_eq!(malformed.from_device.as_deref(), names_device.then_some("D"));

                for other in &others {
                    // Texts and lists of methods may be anything.
                    let taken = match field.as_str() {
                        "hash" | "key_agreement_protocol" | "message_authentication_code" | "method" => {
                            other.is_string()
                        }
                        "from_device" | "transaction_id" => other.is_string(),
                        _ => false,
                    };
                    let result = read(kind, &changed(&content, field, other.clone()), transport);
                    assert_eq!(result.is_ok(), taken, "{kind:?} {field} {other}");
                    if let Err(malformed) = result {
                        assert!(malformed.to_string().starts_with("m.key.verification."), "{malformed}");
                    }
                }
            }
        }
    }
}

// VER-75
#[test]
fn what_is_too_much_is_refused() {
    for transport in TRANSPORTS {
        for (kind, content) in all(transport) {
            if kind == Kind::Cancel {
                continue;
            }
            for (field, value) in &content {
                match value {
                    Value::String(text) if field != "msgtype" => {
                        let limit = format!("{text}{}", "/".repeat(255 - text.len()));
                        let fits = read(kind, &changed(&content, field, json!(limit)), transport);
                        let of_32_bytes =
                            ["commitment", "key", "keys", "secret", "to"].contains(&field.as_str());
                        assert_eq!(fits.is_ok(), !of_32_bytes || field == "to", "{kind:?} {field}");
                        let fault = read(kind, &changed(&content, field, json!(limit + "/")), transport);
                        let fault = fault.unwrap_err().fault;
                        assert_eq!(fault, Fault::TooLong { field: leak(field), max: 255 });
                    }
                    Value::Array(_) => {
                        for (count, item) in [(16, "x".to_owned()), (16, "x".repeat(255))] {
                            let list = vec![item; count];
                            read(kind, &changed(&content, field, json!(list)), transport).unwrap();
                        }
                        let fault = read(kind, &changed(&content, field, json!(vec!["x"; 17])), transport);
                        assert_eq!(fault.unwrap_err().fault, Fault::TooMany { field: leak(field), max: 16 });
                        let fault =
                            read(kind, &changed(&content, field, json!(["x".repeat(256)])), transport);
                        assert_eq!(fault.unwrap_err().fault, Fault::TooLong { field: leak(field), max: 255 });
                    }
                    _ => {}
                }
            }
        }
    }
    let macs = |count: usize| {
        let mac: Map<_, _> = (0..count).map(|index| (index.to_string(), json!(KEY))).collect();
        let content = with_id(Kind::Mac, json!({ "mac": mac, "keys": KEY }), Transport::ToDevice);
        read(Kind::Mac, &content, Transport::ToDevice)
    };
    assert!(macs(32).is_ok());
    assert_eq!(macs(33).unwrap_err().fault, Fault::TooMany { field: "mac", max: 32 });
}

// VER-17, SAS-44, VER-33: what may be empty and what may not.
#[test]
fn empty_values() {
    let none = json!([]);
    for transport in TRANSPORTS {
        for (kind, content) in all(transport) {
            for (field, value) in content.iter().filter(|_| kind != Kind::Cancel) {
                let (empty, taken) = match value {
                    Value::Array(_) => (none.clone(), field == "methods"),
                    Value::Object(_) => (json!({}), field == "mac"),
                    Value::String(_) => (
                        json!(""),
                        ["hash", "key_agreement_protocol", "message_authentication_code", "method"]
                            .contains(&field.as_str()),
                    ),
                    _ => continue,
                };
                if field == "msgtype" {
                    continue;
                }
                let result = read(kind, &changed(&content, field, empty), transport);
                assert_eq!(result.is_ok(), taken, "{kind:?} {field}");
            }
        }
    }
}

// VER-17, VER-15: a cancel is honoured.
#[test]
fn a_cancel_may_have_anything_in_it() {
    let cancel = |members: &str| {
        let content = format!(r#"{{"transaction_id":"flow"{members}}}"#);
        let message = parse("m.key.verification.cancel", &content, Transport::ToDevice, &LIMITS);
        match message.unwrap().unwrap().content {
            Content::Cancel { code, reason } => (code, reason),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(cancel(""), (None, None));
    assert_eq!(cancel(r#","code":1,"reason":[]"#), (None, None));
    assert_eq!(cancel(r#","code":"m.user","code":"m.timeout""#), (None, None));
    assert_eq!(cancel(r#","code":"com.example.x""#), (Some("com.example.x".into()), None));
    assert_eq!(cancel(&format!(r#","code":"{}""#, "x".repeat(256))).0, None);
    // VER-75: cut between two characters.
    let reason = "\u{e9}".repeat(600);
    assert_eq!(cancel(&format!(r#","reason":"{reason}""#)).1.unwrap(), "\u{e9}".repeat(512));
    let reason = format!("a{reason}");
    assert_eq!(cancel(&format!(r#","reason":"{reason}""#)).1.unwrap().len(), 1023);
}

#[test]
fn other_events_are_not_ours() {
    let none =
        |event_type, content, transport| parse(event_type, content, transport, &LIMITS).unwrap().is_none();
    assert!(none("m.room.message", r#"{"msgtype":"m.text","body":""}"#, Transport::Room));
    assert!(none("m.room.message", "no JSON", Transport::Room));
    assert!(none("m.room.message", r#"{"msgtype":"m.key.verification.request"}"#, Transport::ToDevice));
    assert!(none("m.key.verification.request", "{}", Transport::Room));
    assert!(none("m.key.verification.unknown", "{}", Transport::ToDevice));
    assert!(none("m.dummy", "{}", Transport::ToDevice));
}

// VER-17: a message that does not name its flow, or twice, has none that could be cancelled.
#[test]
fn no_flow_is_named() {
    let flow_of = |content: &str, transport| {
        let malformed = parse("m.key.verification.key", content, transport, &LIMITS).unwrap_err();
        malformed.flow_id
    };
    for content in ["", "{", "[]", "null", "1", r#"{"a":1,}"#, r#"{"transaction_id":"a"} {}"#] {
        assert_eq!(flow_of(content, Transport::ToDevice), None, "{content}");
    }
    assert_eq!(flow_of(r#"{"transaction_id":"a","transaction_id":"a"}"#, Transport::ToDevice), None);
    assert_eq!(flow_of(r#"{"transaction_\u0069d":"a"}"#, Transport::ToDevice).as_deref(), Some("a"));
    for relation in [
        r#"{"rel_type":"m.annotation","event_id":"a"}"#,
        r#"{"event_id":"a"}"#,
        r#"{"rel_type":"m.reference"}"#,
        r#"{"rel_type":"m.reference","event_id":""}"#,
        r#"{"rel_type":"m.reference","event_id":"a","event_id":"b"}"#,
        "null",
    ] {
        let content = format!(r#"{{"m.relates_to":{relation},"transaction_id":"a"}}"#);
        assert_eq!(flow_of(&content, Transport::Room), None, "{content}");
    }
    // The other transport's is not looked at.
    let both = r#"{"m.relates_to":{"rel_type":"m.reference","event_id":"a"},"transaction_id":"b"}"#;
    assert_eq!(flow_of(both, Transport::Room).as_deref(), Some("a"));
    assert_eq!(flow_of(both, Transport::ToDevice).as_deref(), Some("b"));
}

// VER-17: members that nobody knows are ignored, whatever they are; those that count stand there once.
#[test]
fn surplus_members() {
    for transport in TRANSPORTS {
        for (kind, content) in all(transport).into_iter().filter(|(kind, _)| *kind != Kind::Start) {
            let text = Value::Object(content.clone()).to_string();
            let inner = text.strip_prefix('{').unwrap();
            let separator = if inner == "}" { "" } else { "," };
            let surplus = r#""x":1.5,"x":[{"y":1e999,"y":null}],"":12345678901234567890"#;
            let surplus = format!("{{{surplus}{separator}{inner}");
            parse(kind.event_type(transport), &surplus, transport, &LIMITS).unwrap().unwrap();

            for (field, value) in
                content.iter().filter(|(field, _)| kind != Kind::Cancel || *field == "transaction_id")
            {
                let twice = format!(r#"{{"{field}":{value},{inner}"#);
                let result = parse(kind.event_type(transport), &twice, transport, &LIMITS);
                match result {
                    Ok(None) => assert_eq!(field, "msgtype"),
                    Ok(Some(message)) => panic!("{message:?}"),
                    Err(malformed) => assert_eq!(malformed.fault, Fault::Twice { field: leak(field) }),
                }
            }
        }
    }
}

// VER-5, VER-10: any integer that canonical JSON has.
#[test]
fn timestamps() {
    let request = |timestamp: &str| {
        let content =
            format!(r#"{{"from_device":"D","methods":[],"timestamp":{timestamp},"transaction_id":"f"}}"#);
        parse("m.key.verification.request", &content, Transport::ToDevice, &LIMITS).is_ok()
    };
    for (timestamp, taken) in [
        ("0", true),
        ("9007199254740991", true),
        ("9007199254740992", false),
        ("-1", false),
        ("1.0", false),
        ("1e3", false),
        ("\"1\"", false),
    ] {
        assert_eq!(request(timestamp), taken, "{timestamp}");
    }
}

/// Names of members live as long as the program does, in the tests, too.
fn leak(name: &str) -> &'static str {
    String::from(name).leak()
}
