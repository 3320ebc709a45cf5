//! One-time keys and fallback keys on the server, and claimed ones.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_device_list::{
    Claims, Config, Counts, FallbackRetirement, MissingCount, ServerKeys, Timestamp, ToUpload,
};
use mx_signing::{ClaimError, KeysClaimResponse, OneTimeKey};
use serde_json::json;
use support::{BOB, curve25519, device, key, user};

const fn counts(signed_curve25519: u64) -> Counts {
    Counts { signed_curve25519: Some(signed_curve25519) }
}

const fn keys(one_time_keys: u64) -> Option<ToUpload> {
    Some(ToUpload { one_time_keys, fallback_key: false })
}

// DL-60
#[test]
fn counts_and_missing_counts() {
    let parse = |text| serde_json::from_str::<Counts>(text);
    assert_eq!(parse(r#"{"curve25519":7,"signed_curve25519":20}"#).unwrap(), counts(20));
    assert_eq!(parse("{}").unwrap(), Counts::default());
    for wrong in
        ["3", r#"{"signed_curve25519":-1}"#, r#"{"signed_curve25519":"20"}"#, r#"{"signed_curve25519":1.5}"#]
    {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    let mut server = ServerKeys::default();
    assert_eq!(server.to_upload(50), None, "nothing is known");
    server.receive_sync(Some(counts(20)), None, MissingCount::Zero);
    assert_eq!(server.to_upload(50), keys(30));
    for missing in [None, Some(Counts::default())] {
        server.receive_sync(missing, None, MissingCount::Unchanged);
        assert_eq!(server.to_upload(50), keys(30));
    }
    for missing in [None, Some(Counts::default())] {
        server.receive_sync(Some(counts(20)), None, MissingCount::Zero);
        server.receive_sync(missing, None, MissingCount::Zero);
        assert_eq!(server.to_upload(50), keys(50));
    }
    server.receive_sync(Some(counts(u64::MAX)), None, MissingCount::Zero);
    assert_eq!(server.to_upload(50), None);
}

// DL-61
#[test]
fn nothing_is_generated_while_an_upload_is_on_its_way() {
    let mut server = ServerKeys::default();
    server.receive_sync(Some(counts(0)), None, MissingCount::Zero);
    server.upload_sent();
    server.receive_sync(Some(counts(0)), None, MissingCount::Zero);
    assert_eq!(server.to_upload(50), None);
    server.upload_accepted(counts(50), false);
    assert_eq!(server.to_upload(50), None);
    server.receive_sync(Some(counts(49)), None, MissingCount::Zero);
    assert_eq!(server.to_upload(50), keys(1));
    server.upload_sent();
    server.upload_refused();
    assert_eq!(server.to_upload(50), keys(1));
    server.upload_accepted(Counts::default(), false);
    assert_eq!(server.to_upload(50), keys(50), "a count that is missing from the response is zero");
}

// DL-62, DL-63
#[test]
fn fallback_key() {
    let mut server = ServerKeys::default();
    server.receive_sync(Some(counts(50)), None, MissingCount::Zero);
    assert_eq!(server.to_upload(50), None, "the server does not know fallback keys");
    server.receive_sync(Some(counts(50)), Some(&["curve25519".into()]), MissingCount::Zero);
    let fallback = Some(ToUpload { one_time_keys: 0, fallback_key: true });
    assert_eq!(server.to_upload(50), fallback);
    server.upload_sent();
    server.upload_accepted(counts(50), true);
    assert_eq!(server.to_upload(50), None, "one at a time");
    server.receive_sync(Some(counts(50)), Some(&["signed_curve25519".into()]), MissingCount::Zero);
    assert_eq!(server.to_upload(50), None);
    server.receive_sync(Some(counts(50)), Some(&[]), MissingCount::Zero);
    assert_eq!(server.to_upload(50), fallback, "it was used");

    // The one before is kept for an hour after the first message on the present one.
    let mut retirement = FallbackRetirement::default();
    assert!(!retirement.is_due(Timestamp(u64::MAX)));
    retirement.present_used(Timestamp(1_000));
    retirement.present_used(Timestamp(2_000_000));
    assert!(!retirement.is_due(Timestamp(3_600_999)));
    assert!(retirement.is_due(Timestamp(3_601_000)));
    retirement.replaced();
    assert!(!retirement.is_due(Timestamp(u64::MAX)));
}

// DL-63, DL-64
#[test]
fn claimed_keys_are_verified_and_failing_devices_left_alone() {
    let claim = |signer: &str, fallback: bool| {
        let one_time_key = OneTimeKey { key: curve25519("one-time"), fallback };
        let text = one_time_key.sign(&key(signer), user(BOB), device("D")).unwrap();
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        let body = json!({ "one_time_keys": { BOB: { "D": { "signed_curve25519:AAAAAQ": object } } } });
        let body = body.to_string();
        let response = KeysClaimResponse::parse(&body).unwrap();
        response.one_time_key(user(BOB), device("D"), key("d").public_key()).map(|key| key.into_inner())
    };
    assert!(!claim("d", false).unwrap().fallback);
    assert!(claim("d", true).unwrap().fallback, "covered by the signature, and told");
    assert!(matches!(claim("mallory", false), Err(ClaimError::Key(_))));

    let mut claims = Claims::new(&Config::DEFAULT);
    let mut now = 0;
    for wait in [15_000, 30_000, 60_000] {
        assert!(claims.may_claim(Timestamp(now), user(BOB), device("D")));
        claims.failed(Timestamp(now), user(BOB), device("D"));
        now += wait;
        assert!(!claims.may_claim(Timestamp(now - 1), user(BOB), device("D")));
        assert!(claims.may_claim(Timestamp(now - 1), user(BOB), device("E")));
    }
    claims.failed(Timestamp(now), user(BOB), device("D"));
    claims.succeeded(user(BOB), device("D"));
    assert!(claims.may_claim(Timestamp(now), user(BOB), device("D")));
    assert_eq!(Claims::TIMEOUT, 10_000);

    // Bounded: with more, the one whose wait ends first is forgotten.
    for n in 0..1025_u32 {
        claims.failed(Timestamp(now + u64::from(n)), user(BOB), device(&n.to_string()));
    }
    assert!(claims.may_claim(Timestamp(now), user(BOB), device("0")));
    assert!(!claims.may_claim(Timestamp(now), user(BOB), device("1")));
}
