//! `message explain`, on messages and session keys that libolm made.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Folder, run, run_with, shell};

const OLM: &str = include_str!("../../mx-olm/tests/vectors/olm.json");
const MEGOLM: &str = include_str!("../../mx-megolm/tests/vectors/megolm.json");

fn olm(name: &str) -> String {
    serde_json::from_str::<Value>(OLM).unwrap()[name].as_str().unwrap().to_owned()
}

fn megolm(group: &str, name: &str) -> String {
    serde_json::from_str::<Value>(MEGOLM).unwrap()[group][name].as_str().unwrap().to_owned()
}

#[track_caller]
fn explain(input: &str) -> Vec<Value> {
    run_with(["message", "explain", "--json"], input.as_bytes()).assert_code(0).lines()
}

#[track_caller]
fn explain_one(input: &str) -> Value {
    let mut lines = explain(input);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[test]
fn an_olm_pre_key_message_names_its_session_and_keys() {
    let said = explain_one(&olm("prekey_msg_0_plaintext_Hello"));
    let publics: Value = serde_json::from_str::<Value>(OLM).unwrap()["publics"].take();
    assert_eq!(said["what"], "Olm pre-key message");
    assert_eq!(said["version"], 3);
    assert_eq!(said["session_id"], olm("session_id").as_str());
    assert_eq!(said["senders_identity_key"], publics["alice_identity"]);
    assert_eq!(said["base_key"], publics["alice_base"]);
    assert_eq!(said["receivers_one_time_key"], publics["bob_one_time"]);
    assert_eq!(said["ratchet_key"], publics["alice_ratchet"]);
    assert_eq!((&said["chain_index"], &said["ciphertext_bytes"]), (&json!(0), &json!(16)));
    assert_eq!(explain_one(&olm("prekey_msg_1_plaintext_empty"))["chain_index"], 1);
}

#[test]
fn an_olm_normal_message_names_its_chain() {
    let said = explain_one(&olm("bob_reply_plaintext_World"));
    assert_eq!(said["what"], "Olm normal message");
    assert_eq!(said["ratchet_key"], "c2hF1U6H3gnWuxFKpwQsUKSgFb2ZAdGgAm9ZVlM6FRk");
    assert_eq!(said["plaintext_bytes"], "0 to 15");
}

#[test]
fn a_megolm_message_is_checked_against_the_session_that_its_event_names() {
    let (message, id) =
        (megolm("libolm_group_session", "message"), megolm("libolm_group_session", "session_id"));
    let said = explain_one(&message);
    assert_eq!((&said["what"], &said["message_index"]), (&json!("Megolm message"), &json!(0)));
    assert!(said["signature"].as_str().unwrap().starts_with("not checked"));

    let event = |id: &str| {
        json!({ "type": "m.room.encrypted", "event_id": "$e", "room_id": "!r:x", "sender": "@a:x", "content":
            { "algorithm": "m.megolm.v1.aes-sha2", "session_id": id, "ciphertext": message } })
        .to_string()
    };
    let said = explain_one(&event(&id));
    assert!(said["signature"].as_str().unwrap().starts_with("valid"), "{said}");
    assert_eq!((&said["event_id"], &said["session_id"]), (&json!("$e"), &json!(id)));

    let other = megolm("self_made", "session_id");
    let done = run_with(["message", "explain"], event(&other).as_bytes()).assert_code(1);
    assert!(done.text().contains("WRONG"), "{}", done.text());
}

#[test]
fn an_olm_event_is_explained_for_each_receiver() {
    let event = json!({ "type": "m.room.encrypted", "content": {
        "algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x",
        "ciphertext": {
            "Z13VdO13iTELPS52gfN5C0ZsdzsVIf7PNld5WDcepS8": { "type": 0, "body": olm("prekey_msg_0_plaintext_Hello") },
            "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ": { "type": 1, "body": olm("bob_reply_plaintext_World") },
        } } });
    let said = explain(&event.to_string());
    assert_eq!(said.len(), 2);
    assert_eq!(said[0]["what"], "Olm normal message");
    assert_eq!(said[1]["receivers_identity_key"], "Z13VdO13iTELPS52gfN5C0ZsdzsVIf7PNld5WDcepS8");
}

#[test]
fn session_keys_of_both_formats_are_told_apart_and_compared_with_the_id_beside_them() {
    let shared = megolm("libolm_group_session", "session_key");
    let id = megolm("libolm_group_session", "session_id");
    let said = explain_one(&shared);
    assert_eq!(said["what"], "Megolm session key, sharing format");
    assert_eq!((&said["session_id"], &said["first_known_index"]), (&json!(id), &json!(0)));

    let exported = megolm("self_made", "export_v1_at_0");
    let own = megolm("self_made", "session_id");
    assert_eq!(explain_one(&exported)["what"], "Megolm session key, export format");
    let session = |id: &str| json!({ "room_id": "!r:x", "session_id": id, "session_key": exported });
    assert_eq!(explain_one(&session(&own).to_string())["session_id_beside_it"], "the same");

    let both = json!([session(&own), session(&id)]).to_string();
    let done = run_with(["message", "explain", "--json"], both.as_bytes()).assert_code(1);
    assert_eq!(done.lines()[1]["session_id_beside_it"], "ANOTHER");
}

#[test]
fn no_secret_is_printed() {
    for key in [megolm("libolm_group_session", "session_key"), megolm("self_made", "export_v1_at_0")] {
        for args in [&["message", "explain"][..], &["message", "explain", "--json"]] {
            let done = run_with(args.iter().copied(), key.as_bytes()).assert_code(0);
            let said = format!("{}{}", done.text(), done.stderr);
            // Behind version and index, 5 bytes, come 128 bytes of ratchet.
            let ratchet = &key[8..172];
            for at in 0..ratchet.len() - 6 {
                assert!(!said.contains(&ratchet[at..at + 6]), "{said}");
            }
        }
    }
}

#[test]
fn base64_may_be_broken_into_lines_or_padded_and_values_may_follow_each_other() {
    let key = megolm("libolm_group_session", "session_key");
    let (a, b) = key.split_at(76);
    assert_eq!(explain_one(&format!("  {a}\r\n{b}==\n"))["first_known_index"], 0);
    let message = megolm("libolm_group_session", "message");
    assert_eq!(explain(&format!("{}\n{}", json!(message), json!({ "ciphertext": message }))).len(), 2);
}

#[test]
fn what_is_not_understood_is_said_and_why() {
    let cases = [
        ("hello, world", "neither JSON nor Base64"),
        ("{\"a\":1}", "no ciphertext and no session_key"),
        ("{\"a\":", "not JSON"),
        ("[[1]]", "neither an object"),
        ("AwgAEhAcbh6U", "as a Megolm message: message is too short"),
        ("BAgAEhAcbh6U", "version 4"),
        ("CQgAEhAcbh6U", "version 9"),
        ("AQgAEhAcbh6U", "9 bytes instead of 165"),
        ("AggAEhAcbh6U", "9 bytes instead of 229"),
        ("{\"ciphertext\":{\"k\":{\"type\":7,\"body\":\"\"}}}", "type 7"),
        ("{\"session_key\":\"\"}", "not Base64"),
    ];
    for (input, why) in cases {
        let done = run_with(["message", "explain", "--json"], input.as_bytes()).assert_code(1);
        let lines = done.lines();
        assert!(lines[0]["why"].as_str().is_some_and(|said| said.contains(why)), "{input}: {lines:?}");
    }
    run(["message", "explain"]).assert_says(1, &["standard input is empty"]);
    run_with(["message", "explain"], b"\xff\xfe").assert_says(1, &["standard input is not text"]);
    run_with(["message", "explain"], &vec![b'A'; 2_000_000]).assert_says(1, &["longer than"]);
    run(["message", "explain", "/nowhere/at/all"]).assert_says(3, &["cannot open /nowhere/at/all"]);
    run(["message", "explain", "a", "b"]).assert_says(2, &["unexpected argument"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error_to_talk_about() {
    let folder = Folder::new();
    let message = json!(megolm("libolm_group_session", "message")).to_string();
    let many = folder.write("many", format!("{message}\n").repeat(4_000));
    let line = "{ \"$TOOL\" message explain \"$0\"; echo $? >&2; } | head -n 1";
    let done = shell(line, &[many.as_ref()]);
    assert_eq!(done.stderr, "3\n");
    shell("\"$TOOL\" message explain \"$0\" >/dev/full", &[many.as_ref()])
        .assert_says(3, &["cannot write standard output", "space"]);
}
