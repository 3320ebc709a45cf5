//! What the commitment is over, and the values of the methods.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use alloc::format;
use alloc::string::{String, ToString};

use mx_qr_code::ReciprocateSecret;
use mx_sas::{Choice, Commitment, MacMethod, Offer, SasError, ShortStrings};

use super::*;

const LIMITS: MessageLimits = MessageLimits::DEFAULT;
const OFFER: &str = r#""from_device":"ALICEDEVICE","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256"],"message_authentication_codes":["hkdf-hmac-sha256.v2"],"method":"m.sas.v1","short_authentication_string":["decimal","emoji"]"#;

fn start(content: &str, transport: Transport) -> Result<Start, Malformed> {
    match parse("m.key.verification.start", content, transport, &LIMITS)?.unwrap().content {
        Content::Start(start) => Ok(start),
        other => panic!("{other:?}"),
    }
}

// SAS-13, SAS-14: the whole content as it was sent, unknown members, `signatures` and `unsigned` included.
#[test]
fn a_start_is_canonical_as_it_came() {
    let came = format!(
        r#"{{ "unsigned": {{"age":1}}, "signatures": {{}}, {OFFER}, "x": {{"b":[],"a":"\u0041"}}, "transaction_id": "t" }}"#
    );
    let expected = format!(
        r#"{{{OFFER},"signatures":{{}},"transaction_id":"t","unsigned":{{"age":1}},"x":{{"a":"A","b":[]}}}}"#
    );
    assert_eq!(start(&came, Transport::ToDevice).unwrap().canonical(), expected);

    let came = format!(r#"{{{OFFER},"m.relates_to":{{"rel_type":"m.reference","y":null,"event_id":"$e"}}}}"#);
    let start = start(&came, Transport::Room).unwrap();
    let relation = r#""m.relates_to":{"event_id":"$e","rel_type":"m.reference","y":null}"#;
    assert!(start.canonical().contains(relation), "{}", start.canonical());
}

// SAS-15, VER-17
#[test]
fn a_start_without_a_canonical_form_is_refused() {
    for member in [
        r#""x":1.5"#,
        r#""x":1e3"#,
        r#""x":9007199254740992"#,
        r#""x":[{"a":1,"\u0061":2}]"#,
        r#""x":1,"x":1"#,
        r#""method":"m.sas.v1""#,
        r#""x":"\ud800""#,
    ] {
        for other in [OFFER, r#""from_device":"D","method":"other""#] {
            let content = format!(r#"{{{other},{member},"transaction_id":"t"}}"#);
            let malformed = start(&content, Transport::ToDevice).unwrap_err();
            assert!(matches!(malformed.fault, Fault::NotCanonical(_) | Fault::Twice { .. }), "{malformed:?}");
            assert_eq!(malformed.flow_id.as_deref(), Some("t"));
        }
    }
    let deep = format!(r#"{{{OFFER},"x":{}{},"transaction_id":"t"}}"#, "[".repeat(128), "]".repeat(128));
    assert!(matches!(start(&deep, Transport::ToDevice).unwrap_err().fault, Fault::NotCanonical(_)));
}

// VER-75
#[test]
fn a_start_of_more_than_16_kib_is_refused() {
    let of_len = |len: usize| {
        let content = format!(r#"{{{OFFER},"transaction_id":"t","x":"{}"}}"#, "");
        let filler = "x".repeat(len - content.len());
        start(&format!(r#"{{{OFFER},"transaction_id":"t","x":"{filler}"}}"#), Transport::ToDevice)
    };
    assert!(of_len(16 << 10).is_ok());
    let malformed = of_len((16 << 10) + 1).unwrap_err();
    assert_eq!(malformed.fault, Fault::StartTooLong { max: 16 << 10 });
    assert_eq!(malformed.flow_id.as_deref(), Some("t"));
}

// SAS-2, SAS-15, VER-18: nothing in ours that others would lose when they write it anew, and what we send is what we commit to.
#[test]
fn our_start() {
    let id = FlowId::Transaction("txn-0001");
    let ours = Start::sas("ALICEDEVICE", id, ShortStrings::ALL);
    assert!(matches!(&ours.method, StartMethod::Sas(_)));
    let sent = ours.canonical().to_string();
    if cfg!(not(feature = "legacy-mac")) {
        // The vector V4 of requirements/sas.md.
        assert_eq!(sent, format!(r#"{{{OFFER},"transaction_id":"txn-0001"}}"#));
    }
    assert_eq!(start(&sent, Transport::ToDevice).unwrap().canonical(), sent);
    assert_eq!(Content::Start(ours).emit(id), sent);

    let id = FlowId::Event("$evt:example.org");
    let sent = Content::Start(Start::sas("ALICEDEVICE", id, ShortStrings::ALL)).emit(id);
    assert!(
        sent.contains(r#""m.relates_to":{"event_id":"$evt:example.org","rel_type":"m.reference"},"#),
        "{sent}"
    );
    assert!(!sent.contains("transaction_id"));
    assert_eq!(start(&sent, Transport::Room).unwrap().canonical(), sent);
}

// SAS-8, SAS-9, SAS-11
#[test]
fn what_is_chosen() {
    let offered = |lists: [&str; 4]| {
        let [agreements, hashes, macs, strings] = lists;
        let content = format!(
            r#"{{"from_device":"D","method":"m.sas.v1","transaction_id":"t","key_agreement_protocols":{agreements},"hashes":{hashes},"message_authentication_codes":{macs},"short_authentication_string":{strings}}}"#
        );
        match start(&content, Transport::ToDevice).unwrap().method {
            StartMethod::Sas(offer) => offer.choose(ShortStrings::ALL),
            other => panic!("{other:?}"),
        }
    };
    let good = [
        r#"["curve25519","curve25519-hkdf-sha256"]"#,
        r#"["sha512","sha256"]"#,
        r#"["hmac-sha256","hkdf-hmac-sha256.v2","hkdf-hmac-sha256"]"#,
        r#"["emoji","knocking"]"#,
    ];
    let emoji = ShortStrings { decimal: false, emoji: true };
    let choice = Choice { mac: MacMethod::HkdfHmacSha256V2, short_strings: emoji };
    assert_eq!(offered(good), Ok(choice));
    for bad in 0..4 {
        let mut lists = good;
        *lists.get_mut(bad).unwrap() = r#"["curve25519","hmac-sha256"]"#;
        assert_eq!(offered(lists), Err(SasError::NoCommonMethod));
    }

    let accept = Accept::new(&choice, Commitment::from_base64(&"A".repeat(43)).unwrap());
    assert_eq!(accept.choice(ShortStrings::ALL), Ok(choice));
    let mut changed = Accept { hash: "sha512".into(), ..accept };
    assert_eq!(changed.choice(ShortStrings::ALL), Err(SasError::NotOffered));
    changed.hash = "sha256".into();
    // SAS-10
    changed.short_authentication_string = alloc::vec!["decimal".into(), "knocking".into()];
    assert!(changed.choice(ShortStrings::ALL).is_ok());
    changed.short_authentication_string = alloc::vec!["knocking".into()];
    assert_eq!(changed.choice(ShortStrings::ALL), Err(SasError::NoCommonMethod));
    assert_eq!(Offer::OURS.hashes, ["sha256"]);
}

// SAS-3: `method` is never required, and may be anything.
#[test]
fn an_accept_needs_no_method() {
    let key = "A".repeat(43);
    for method in ["", r#","method":"m.sas.v1""#, r#","method":7"#, r#","method":1,"method":2"#] {
        let content = format!(
            r#"{{"transaction_id":"t","hash":"","key_agreement_protocol":"","message_authentication_code":"","short_authentication_string":[""],"commitment":"{key}"{method}}}"#
        );
        let message = parse("m.key.verification.accept", &content, Transport::ToDevice, &LIMITS);
        assert!(message.unwrap().is_some(), "{method}");
    }
}

// SAS-6, SAS-18, VER-17: Base64 with or without padding, of 32 bytes.
#[test]
fn base64_of_keys_and_macs() {
    let zeros = "A".repeat(42);
    for (text, public, mac) in [
        (format!("{zeros}A"), true, true),
        (format!("{zeros}A="), true, true),
        // Bits that belong to no byte: a key has one spelling.
        (format!("{zeros}B"), false, true),
        (format!("{zeros}A=="), false, false),
        (format!("{zeros}-"), false, false),
        (zeros.clone(), false, false),
        (format!("{zeros}AA"), false, false),
        (format!(" {zeros}A"), false, false),
        (String::new(), false, false),
    ] {
        let read = |kind: Kind, content: String| {
            let read = parse(kind.event_type(Transport::Room), &content, Transport::ToDevice, &LIMITS);
            read.map(|message| message.is_some())
        };
        let key = read(Kind::Key, format!(r#"{{"transaction_id":"t","key":"{text}"}}"#));
        assert_eq!(key.is_ok(), public, "{text}");
        let good = "A".repeat(43);
        for (one, list) in [(&text, &good), (&good, &text)] {
            let content =
                format!(r#"{{"transaction_id":"t","mac":{{"ed25519:D":"{one}"}},"keys":"{list}"}}"#);
            assert_eq!(read(Kind::Mac, content).is_ok(), mac, "{text}");
        }
    }
}

// Attack 107: an ID that stands there twice is seen by mx-sas.
#[test]
fn a_key_id_that_stands_there_twice() {
    let key = "A".repeat(43);
    let content = format!(
        r#"{{"transaction_id":"t","mac":{{"b":"{key}","a":"{key}","\u0062":"{key}"}},"keys":"{key}"}}"#
    );
    let message = parse("m.key.verification.mac", &content, Transport::ToDevice, &LIMITS).unwrap().unwrap();
    let Content::Mac(mac) = message.content else { panic!("not a mac") };
    let ids = mac.received(|mac| mac.mac.iter().map(|(id, _)| String::from(*id)).collect::<Vec<_>>());
    assert_eq!(ids, ["b", "a", "b"]);
}

// QR-30, QR-13, QR-31
#[test]
fn secrets() {
    let secret = |text: &str| {
        let content = format!(
            r#"{{"from_device":"D","method":"m.reciprocate.v1","secret":"{text}","transaction_id":"t"}}"#
        );
        start(&content, Transport::ToDevice).map(|start| match start.method {
            StartMethod::Reciprocate(secret) => secret.as_bytes().len(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(secret("ICEiIyQlJic").unwrap(), 8);
    assert_eq!(secret("ICEiIyQlJic=").unwrap(), 8);
    assert_eq!(secret(&"A".repeat(86)).unwrap(), 64);
    for bad in ["", "ICEiIyQlJg", "ICEiIyQlJi", "ICEiIyQlJi-", &"A".repeat(87)] {
        assert_eq!(secret(bad).unwrap_err().fault, Fault::Invalid { field: "secret" }, "{bad}");
    }

    let id = FlowId::Event("$e");
    let sent = emit_reciprocate("D", &ReciprocateSecret::from_bytes(b" !\"#$%&'").unwrap(), id);
    let expected = r#"{"from_device":"D","m.relates_to":{"event_id":"$e","rel_type":"m.reference"},"method":"m.reciprocate.v1","secret":"ICEiIyQlJic"}"#;
    assert_eq!(sent, expected);
    let start = start(&sent, Transport::Room).unwrap();
    assert_eq!(start.canonical(), expected);
    assert!(!format!("{start:?}").contains("ICEi"));
}

// VER-55, VER-20
#[test]
fn other_methods_have_a_name() {
    for name in ["", "m.qr_code.show.v1", "com.example.knocking"] {
        let content = format!(r#"{{"from_device":"D","method":"{name}","transaction_id":"t"}}"#);
        let start = start(&content, Transport::ToDevice).unwrap();
        assert!(matches!(start.method, StartMethod::Other));
    }
}

// VER-3
#[test]
fn relations_of_encrypted_events() {
    let relation = r#"{ "event_id": "$e", "rel_type": "m.reference" }"#;
    let encrypted = format!(r#"{{"ciphertext":"","m.relates_to":{relation}}}"#);
    assert_eq!(with_relation("{}", &encrypted), format!(r#"{{"m.relates_to":{relation}}}"#));
    assert_eq!(
        with_relation(" {\n\"a\":1.5}", &encrypted),
        format!("{{\"m.relates_to\":{relation},\n\"a\":1.5}}")
    );
    // One that has a relation keeps it; so does one that has it twice, or is no object, or where there is nothing to give.
    for decrypted in
        [r#"{"m.relates_to":1}"#, r#"{"m.relates_to":1,"m.relates_to":2}"#, "", "[]", "{", "{\"a\"}"]
    {
        assert_eq!(with_relation(decrypted, &encrypted), decrypted);
    }
    for encrypted in ["", "[]", "{}", r#"{"m.relates_to":1,"m.relates_to":2}"#] {
        assert_eq!(with_relation("{}", encrypted), "{}");
    }
}

// VER-21
#[test]
fn a_message_is_known_again_however_it_is_spelt() {
    let digest_of = |content| digest("m.key.verification.done", content);
    let first = digest_of(r#"{"transaction_id":"t","x":"A"}"#);
    assert_eq!(digest_of(r#"{ "x":"\u0041", "transaction_id":"t" }"#), first);
    assert_ne!(digest_of(r#"{"transaction_id":"t","x":"B"}"#), first);
    assert_ne!(digest("m.key.verification.mac", r#"{"transaction_id":"t","x":"A"}"#), first);
    // Without a canonical form, only by the same text.
    assert_eq!(digest_of(r#"{"x":1.5}"#), digest_of(r#"{"x":1.5}"#));
    assert_ne!(digest_of(r#"{"x":1.5}"#), digest_of(r#"{ "x":1.5}"#));
}

// SAS-15: canonical whatever the texts are.
#[test]
fn what_is_written_is_canonical() {
    let nasty: String = ('\u{0}'..'\u{a0}').chain("\u{fffd}\u{1f600}\"\\/".chars()).collect();
    let id = FlowId::Transaction(&nasty);
    let contents = [
        Content::Cancel { code: None, reason: Some(nasty.clone()) },
        Content::Ready { from_device: nasty.clone(), methods: alloc::vec![nasty.clone()] },
        Content::Mac(Mac {
            mac: alloc::vec![("b".into(), nasty.clone()), ("a".into(), "".into())],
            keys: nasty.clone(),
        }),
        Content::Start(Start::sas(&nasty, id, ShortStrings::ALL)),
    ];
    for content in contents {
        let emitted = content.emit(id);
        let canonical = mx_canonical_json::canonicalize(&emitted, &mx_canonical_json::Limits::DEFAULT);
        assert_eq!(canonical.unwrap(), emitted);
    }
}
