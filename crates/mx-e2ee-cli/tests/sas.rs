//! `sas`, on the transcript of the requirements that libolm confirmed, and on mistakes in it.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_curve25519::SharedSecret;
use mx_sas::{
    Flow, MacMethod, Party,
    hazmat::{self, KEY_IDS, Side, Values},
};
use mx_types::{Curve25519PublicKey, DeviceId, UserId};
use serde_json::{Value, json};
use support::{run, run_with};

const A_KEY: &str = "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8";
const B_KEY: &str = "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ";
const A_PRIVATE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const B_PRIVATE: &str = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
const SECRET: &str = "9663aa1da97e848a914a436d04163dfbb89178f107f1b5b77ed3854203382854";
const DEVICE: &str = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w";
const MASTER: &str = "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q";
const DEVICE_ID: &str = "ed25519:ALICEDEVICE";
const MASTER_ID: &str = "ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q";

fn start() -> Value {
    json!({ "from_device": "ALICEDEVICE", "hashes": ["sha256"], "key_agreement_protocols": ["curve25519-hkdf-sha256"],
        "message_authentication_codes": ["hkdf-hmac-sha256.v2"], "method": "m.sas.v1",
        "short_authentication_string": ["decimal", "emoji"], "transaction_id": "txn-0001" })
}

fn message(kind: &str, content: Value) -> Value {
    json!({ "type": format!("m.key.verification.{kind}"), "content": content })
}

/// Everything recorded, and all of it right.
fn transcript() -> Value {
    let accept = json!({ "commitment": "eUAhjwNvg6RIFyuGVWPe96FF5ENbdvlH1NGKx9riYp0", "hash": "sha256",
        "key_agreement_protocol": "curve25519-hkdf-sha256", "message_authentication_code": "hkdf-hmac-sha256.v2",
        "short_authentication_string": ["decimal", "emoji"], "transaction_id": "txn-0001" });
    let mac = json!({ "transaction_id": "txn-0001", "keys": "zr1BwPC2s7FlILrkSVuGQTYCwAS0Qp6hjRhvsbSknwE", "mac": {
        DEVICE_ID: "WOhM+isZO7EEq7yHI1S6XYdkXgRJb7PVZ9jhqqbBOkw",
        MASTER_ID: "yOjP0/M+Zl/3grGUA58IXl9Nmvts2b1rL5mTsmFCUVg" } });
    json!({
        "starter": { "user_id": "@alice:example.org", "device_id": "ALICEDEVICE", "private_key": A_PRIVATE,
            "keys": { DEVICE_ID: DEVICE, MASTER_ID: MASTER } },
        "accepter": { "user_id": "@bob:example.org", "device_id": "BOBDEVICE", "public_key": B_KEY },
        "messages": [message("start", start()), message("accept", accept),
            message("key", json!({ "key": A_KEY, "transaction_id": "txn-0001" })),
            message("key", json!({ "key": B_KEY, "transaction_id": "txn-0001" })), message("mac", mac)],
        "displayed": { "decimal": [7494, 3487, 6453], "emoji": [50, 47, 9, 45, 58, 41, 42] },
    })
}

#[track_caller]
fn lines(document: &Value, code: i32) -> Vec<Value> {
    run_with(["sas", "--json"], document.to_string().as_bytes()).assert_code(code).lines()
}

/// The only value that does not fit.
#[track_caller]
fn misfit(document: &Value) -> Value {
    let mut misfits = lines(document, 1);
    misfits.retain(|line| line["verdict"] == "DOES NOT FIT");
    assert_eq!(misfits.len(), 1, "{misfits:?}");
    misfits.remove(0)
}

fn what<'l>(lines: &'l [Value], what: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["what"] == what).collect()
}

fn values(f: impl FnOnce(&Values<'_>)) {
    let party = |user, device| Party {
        user_id: UserId::parse(user).unwrap(),
        device_id: DeviceId::parse(device).unwrap(),
    };
    let (alice, bob) = (party("@alice:example.org", "ALICEDEVICE"), party("@bob:example.org", "BOBDEVICE"));
    let flow = Flow::new("txn-0001", alice, bob).unwrap();
    let secret = core::array::from_fn(|at| u8::from_str_radix(&SECRET[2 * at..2 * at + 2], 16).unwrap());
    let [a, b] = [A_KEY, B_KEY].map(|key| Curve25519PublicKey::from_base64(key).unwrap());
    f(&Values::new(flow, a, b, SharedSecret::from_bytes(secret).unwrap()));
}

// SAS-13, SAS-20, SAS-23, SAS-24, SAS-26, SAS-30, SAS-31, SAS-32, SAS-33
#[test]
fn a_recorded_flow_fits_and_its_values_are_told() {
    let said = lines(&transcript(), 0);
    let checks = what(&said, "check");
    assert_eq!(checks.len(), 10);
    assert!(checks.iter().all(|check| check["verdict"] == "fits"));
    assert_eq!(what(&said, "commitment")[0]["value"], "eUAhjwNvg6RIFyuGVWPe96FF5ENbdvlH1NGKx9riYp0");
    let string = what(&said, "short string")[0];
    assert_eq!(string["bytes"], "caf26dea9a8a");
    assert_eq!(string["decimal"], json!([7494, 3487, 6453]));
    assert_eq!(string["emoji_indices"], json!([50, 47, 9, 45, 58, 41, 42]));
    assert_eq!(string["emoji"][6], "\u{1f4d5} Book");
    let info = "MATRIX_KEY_VERIFICATION_SAS|@alice:example.org|ALICEDEVICE|j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8|@bob:example.org|BOBDEVICE|NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ|txn-0001";
    assert_eq!(string["derived_from"], info);
    let macs = what(&said, "mac");
    assert_eq!(macs.len(), 3);
    assert_eq!(macs[1]["hkdf-hmac-sha256.v2"], "yOjP0/M+Zl/3grGUA58IXl9Nmvts2b1rL5mTsmFCUVg");
    assert_eq!(macs[1]["hkdf-hmac-sha256"], "yOjPUPM+TSv3U3YzVTNZelZUTlplbFpVVGxwbGJGcFY");
    assert_eq!(macs[2]["hkdf-hmac-sha256"], "zr1BQvC2QzJlekpsZWtwc1pXdHdjMXBYZEhkak1YQlk");
    assert_eq!(
        macs[2]["derived_from"],
        "MATRIX_KEY_VERIFICATION_MAC@alice:example.orgALICEDEVICE@bob:example.orgBOBDEVICEtxn-0001KEY_IDS"
    );
}

#[test]
fn one_secret_of_either_side_or_the_shared_one_leads_to_the_same() {
    let expected = lines(&transcript(), 0);
    let mut of_bob = transcript();
    of_bob["starter"].as_object_mut().unwrap().remove("private_key");
    of_bob["accepter"] =
        json!({ "user_id": "@bob:example.org", "device_id": "BOBDEVICE", "private_key": B_PRIVATE });
    let mut shared = transcript();
    shared["starter"].as_object_mut().unwrap().remove("private_key");
    shared["shared_secret"] = SECRET.into();
    for document in [of_bob, shared] {
        let said = lines(&document, 0);
        for part in ["short string", "mac", "commitment"] {
            assert_eq!(what(&said, part), what(&expected, part));
        }
    }
}

#[test]
fn words_come_in_other_languages() {
    let input = transcript().to_string();
    let said = run_with(["sas", "--json", "--language", "de-AT"], input.as_bytes()).assert_code(0).lines();
    assert_eq!(what(&said, "short string")[0]["emoji"][6], "\u{1f4d5} Buch");
    run_with(["sas", "--language", "tlh"], input.as_bytes()).assert_says(2, &["there are words in ar, bg"]);
}

// SAS-13, SAS-14, SAS-15
#[test]
fn a_wrong_commitment_is_found_with_its_mistake() {
    let [a, b] = [A_KEY, B_KEY].map(|key| Curve25519PublicKey::from_base64(key).unwrap());
    let canonical = start().to_string();
    let cases = [
        (a, canonical.clone(), "over the key of the starter"),
        (
            b,
            canonical.replace(r#""transaction_id":"txn-0001""#, "").replace(",}", "}"),
            "without transaction_id",
        ),
        (b, "{}".to_owned(), "no known mistake"),
    ];
    for (key, content, why) in cases {
        let mut wrong = transcript();
        let commitment = hazmat::commitment(&key, content.as_bytes());
        wrong["messages"][1]["content"]["commitment"] = commitment.to_base64(&mut [0; 43]).into();
        let misfit = misfit(&wrong);
        assert_eq!((&misfit["message"], &misfit["value"]), (&json!("accept"), &json!("commitment")));
        assert!(misfit["why"].as_str().unwrap().contains(why), "{misfit}");
        assert_eq!(misfit["calculated"], "eUAhjwNvg6RIFyuGVWPe96FF5ENbdvlH1NGKx9riYp0");
    }
    // Members that nobody knows are in it, though some clients leave them out.
    let mut unknown = transcript();
    unknown["messages"][0]["content"]["com.example.a"] = 1.into();
    unknown["messages"][0]["content"]["com.example.b"] = 2.into();
    assert_eq!(misfit(&unknown)["why"], "over the start without com.example.a, com.example.b");
    // And the text is not what it is over.
    let spaced = transcript()
        .to_string()
        .replace(r#"{"from_device":"ALICEDEVICE""#, r#"{ "from_device": "ALICEDEVICE""#);
    assert_eq!(run_with(["sas"], spaced.as_bytes()).code, Some(0));
    let float = transcript().to_string().replace(r#""method":"#, r#""a":1.5,"method":"#);
    run_with(["sas"], float.as_bytes()).assert_says(1, &["no canonical JSON"]);
}

// SAS-30, SAS-31, SAS-33, SAS-37
#[test]
fn a_wrong_mac_is_found_with_its_mistake() {
    values(|values| {
        let of = |side, id: &str, text: &str| {
            values.mac(side, id, text, MacMethod::HkdfHmacSha256V2).as_str().to_owned()
        };
        let list = format!("{DEVICE_ID},{MASTER_ID}");
        let cases = [
            (DEVICE_ID, of(Side::Accepter, DEVICE_ID, DEVICE), "exchanged"),
            (DEVICE_ID, of(Side::Starter, "", DEVICE), "the key ID is not"),
            (DEVICE_ID, of(Side::Starter, DEVICE_ID, &format!("{DEVICE}=")), "padded"),
            (DEVICE_ID, of(Side::Starter, KEY_IDS, DEVICE), "KEY_IDS instead"),
            (DEVICE_ID, of(Side::Starter, DEVICE_ID, MASTER), "of another key"),
            (
                MASTER_ID,
                "yOjPUPM+TSv3U3YzVTNZelZUTlplbFpVVGxwbGJGcFY".to_owned(),
                "spelt as hkdf-hmac-sha256 has it",
            ),
            (KEY_IDS, of(Side::Starter, KEY_IDS, &format!("{MASTER_ID},{DEVICE_ID}")), "another order"),
            (KEY_IDS, of(Side::Starter, KEY_IDS, &list.replace("ed25519:", "")), "without ed25519:"),
            (KEY_IDS, of(Side::Starter, KEY_IDS, DEVICE_ID), "no known mistake"),
        ];
        for (id, mac, why) in cases {
            let mut wrong = transcript();
            let content = &mut wrong["messages"][4]["content"];
            *(if id == KEY_IDS { &mut content["keys"] } else { &mut content["mac"][id] }) = mac.into();
            let misfit = misfit(&wrong);
            assert_eq!((&misfit["key_id"], &misfit["by"]), (&json!(id), &json!("starter")));
            assert!(misfit["why"].as_str().unwrap().contains(why), "{misfit}");
        }
    });
    // Without an accept either spelling may be meant.
    let mut old = transcript();
    old["messages"].as_array_mut().unwrap().remove(1);
    old["messages"][3]["content"]["mac"][DEVICE_ID] = "WOhMTSsZc1oEMW9FTVc5RlRWYzVSbFJXWXpWU2JGSlg=".into();
    let said = lines(&old, 0);
    assert!(said.iter().any(|line| line["what"] == "check" && line["method"] == "hkdf-hmac-sha256"));
    // A key that is not known is not judged.
    let mut unknown = transcript();
    unknown["starter"]["keys"].as_object_mut().unwrap().remove(MASTER_ID);
    let said = lines(&unknown, 0);
    assert_eq!(said.iter().filter(|line| line["verdict"] == "not checked").count(), 1);
}

#[test]
fn what_else_does_not_fit_is_named() {
    let change = |change: &dyn Fn(&mut Value)| {
        let mut wrong = transcript();
        change(&mut wrong);
        misfit(&wrong)
    };
    let other = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08";
    let said = change(&|wrong| wrong["messages"][3]["content"]["key"] = other.into());
    assert_eq!((&said["message"], &said["by"]), (&json!("key"), &json!("accepter")));
    let said = change(&|wrong| wrong["messages"][2]["content"]["key"] = "AAAA".into());
    assert_eq!((&said["message"], &said["by"]), (&json!("key"), &json!("starter")));
    // SAS-11
    let said = change(&|wrong| wrong["messages"][1]["content"]["hash"] = "sha512".into());
    assert_eq!((&said["message"], &said["value"]), (&json!("accept"), &json!("choice")));
    let said = change(&|wrong| wrong["displayed"]["decimal"] = json!([1000, 1000, 1000]));
    assert_eq!((&said["message"], &said["value"]), (&json!("displayed"), &json!("decimal")));
    let said = change(&|wrong| wrong["messages"][4]["content"]["transaction_id"] = "other".into());
    assert_eq!(said["recorded"], "other");
}

#[test]
fn without_a_secret_the_commitment_is_there_all_the_same() {
    let mut document = transcript();
    document["starter"].as_object_mut().unwrap().remove("private_key");
    let said = lines(&document, 0);
    assert_eq!(what(&said, "commitment").len(), 1);
    assert!(what(&said, "missing")[0]["missing"].as_str().unwrap().contains("shared secret"));
    assert!(what(&said, "short string").is_empty());
}

#[test]
fn messages_of_one_user_are_told_apart_by_their_place_or_by_name() {
    let mut own = transcript();
    own["accepter"]["user_id"] = "@alice:example.org".into();
    own.as_object_mut().unwrap().remove("displayed");
    own["messages"].as_array_mut().unwrap().truncate(4);
    for message in own["messages"].as_array_mut().unwrap() {
        message["sender"] = "@alice:example.org".into();
    }
    lines(&own, 0);
    own["messages"].as_array_mut().unwrap().swap(2, 3);
    assert_eq!(lines(&own, 1).iter().filter(|line| line["verdict"] == "DOES NOT FIT").count(), 2);
    own["messages"][2]["by"] = "accepter".into();
    own["messages"][3]["by"] = "starter".into();
    lines(&own, 0);
}

#[test]
fn what_is_no_transcript_is_refused() {
    type Change<'c> = &'c dyn Fn(&mut Value);
    let cases: [(Change<'_>, &str); 9] = [
        (&|wrong| wrong["shared_secrets"] = "".into(), "unknown field"),
        (&|wrong| wrong["starter"]["private_key"] = "AAAA".into(), "starter.private_key: 3 bytes"),
        (&|wrong| wrong["starter"]["private_key"] = "zz".repeat(32).into(), "hexadecimal"),
        (&|wrong| wrong["starter"]["public_key"] = B_KEY.into(), "does not belong"),
        (&|wrong| wrong["shared_secret"] = A_PRIVATE.into(), "do not lead to one secret"),
        (&|wrong| wrong["starter"]["user_id"] = "alice".into(), "starter: "),
        (&|wrong| wrong["starter"]["keys"][DEVICE_ID] = "AAAA".into(), "starter.keys, ed25519:ALICEDEVICE"),
        (&|wrong| wrong["messages"][4] = wrong["messages"][0].clone(), "a second start"),
        (&|wrong| wrong["messages"][2]["sender"] = "@eve:example.org".into(), "neither starter nor accepter"),
    ];
    for (change, why) in cases {
        let mut wrong = transcript();
        change(&mut wrong);
        run_with(["sas"], wrong.to_string().as_bytes()).assert_says(1, &[why]);
    }
    run(["sas"]).assert_says(1, &["not a transcript"]);
    run(["sas", "/nowhere/at/all"]).assert_says(3, &["cannot open"]);
}

#[test]
fn no_secret_is_printed() {
    let mut document = transcript();
    document["shared_secret"] = SECRET.into();
    let base64 =
        ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "lmOqHal+hIqRSkNtBBY9+7iRePEH8bW3ftOFQgM4KFQ"];
    for args in [&["sas"][..], &["sas", "--json"]] {
        let done = run_with(args.iter().copied(), document.to_string().as_bytes()).assert_code(0);
        for secret in [A_PRIVATE, SECRET].into_iter().chain(base64) {
            assert!(!done.text().contains(&secret[..12]) && !done.stderr.contains(&secret[..12]));
        }
    }
}
