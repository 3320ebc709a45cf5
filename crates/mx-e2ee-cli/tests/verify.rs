//! `verify`: two processes, which know nothing of each other but what comes through the folder.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "support/identity.rs"]
mod identity;
#[path = "support/secrets.rs"]
mod secrets;
#[path = "support/sides.rs"]
mod sides;
mod support;

use std::{fs, io::Write as _};

use identity::{ALICE, Answer, BOB, alice_and_bob, public, signed_bytes};
use mx_curve25519::verify;
use mx_types::Ed25519Signature;
use secrets::Storage;
use serde_json::{Value, json};
use sides::{AtTerminal, Side, compare, numbers};
use support::{Folder, run};

/// A folder for messages, and files with keys.
fn stage(answer: &Answer) -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("mail")).unwrap();
    folder.write("keys.json", answer.text());
    folder
}

/// A side's arguments; its master signing key is known to it.
fn side(folder: &Folder, user_id: &str, device_id: &str, prefix: &str) -> String {
    format!(
        "--exchange {} --keys-query {} --own {user_id}={} --device {device_id} --fingerprint {}",
        folder.text_path("mail"),
        folder.text_path("keys.json"),
        public(&format!("{prefix}-m")),
        public(device_id)
    )
}

fn alice(folder: &Folder) -> String {
    side(folder, ALICE, "PHONE", "a")
}

fn bob(folder: &Folder) -> String {
    side(folder, BOB, "LAPTOP", "b")
}

/// Bob waits, Alice asks.
fn both(folder: &Folder) -> [Side; 2] {
    let b = Side::start(&format!("{} --wait {ALICE}", bob(folder)));
    let a = Side::start(&format!("{} {BOB}", alice(folder)));
    [a, b]
}

// SAS-23, SAS-24, SAS-26, SAS-36, SAS-43, VER-30, VER-36, VER-90
#[test]
fn two_users_verify_each_other() {
    let folder = stage(&alice_and_bob());
    let mut b = Side::start(&format!("{} --language de_AT --wait {ALICE}", bob(&folder)));
    let mut a = Side::start(&format!("{} {BOB}", alice(&folder)));
    assert_eq!(b.wait("requested")["device_id"], "PHONE");
    assert_eq!(a.wait("ready")["device_id"], "LAPTOP");
    let [of_a, of_b] = [&mut a, &mut b].map(|side| side.wait("short_string"));
    let indices = |shown: &Value| {
        let emoji = shown["emoji"].as_array().unwrap();
        emoji.iter().map(|emoji| (emoji["index"].clone(), emoji["symbol"].clone())).collect::<Vec<_>>()
    };
    assert_eq!((&of_a["decimal"], indices(&of_a)), (&of_b["decimal"], indices(&of_b)));
    assert_eq!(indices(&of_a).len(), 7);
    assert_ne!(of_a["emoji"], of_b["emoji"], "one side has German words");
    for side in [&mut a, &mut b] {
        side.wait("compare");
        side.answer(&numbers(&of_a));
    }
    let [a, b] = [a, b].map(|side| side.end(0));
    let expected = |user_id, device_id, msk| {
        json!({
            "event": "end", "result": "verified", "user_id": user_id, "device_id": device_id,
            "fingerprint": public(device_id), "master_signing_key": public(msk),
            "other_side": "is done, too",
        })
    };
    for (end, expected) in [(a, expected(BOB, "LAPTOP", "b-m")), (b, expected(ALICE, "PHONE", "a-m"))] {
        let mut end = end;
        let means = end.as_object_mut().unwrap().remove("means").unwrap();
        assert!(means.as_str().unwrap().contains("every device"), "{means}");
        assert_eq!(end, expected);
    }
}

// SAS-36
#[test]
fn at_a_terminal_only_a_whole_word_after_the_question_counts() {
    let folder = stage(&alice_and_bob());
    let mut b = AtTerminal::start(&format!("{} --wait {ALICE}", bob(&folder)));
    b.wait("waiting for @alice:example.org to ask");
    b.type_line("yes");
    let mut a = AtTerminal::start(&format!("{} {BOB}", alice(&folder)));
    for side in [&mut a, &mut b] {
        side.wait("Type yes or no");
        for not_an_answer in ["", "y", "ok"] {
            side.type_line(not_an_answer);
            side.wait("Type yes or no");
        }
    }
    let list = |text: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with("Compare with")).skip(2);
        lines.take_while(|line| !line.starts_with("Is it")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&a.text), list(&b.text));
    assert!(
        list(&a.text).iter().take(7).all(|line| line.starts_with("    ") && line.contains('\t')),
        "{}",
        a.text
    );
    assert!(a.text.contains("or the numbers  "), "{}", a.text);
    a.type_line("yes");
    b.type_line("Yes");
    for (side, user_id) in [(a, BOB), (b, ALICE)] {
        let done = side.end(0);
        let text = done.text();
        assert!(text.contains("result") && text.contains("verified") && text.contains(user_id), "{text}");
    }
}

// SAS-42
#[test]
fn what_differs_is_not_verified() {
    for answer in ["no", "1000 1000 1000"] {
        let folder = stage(&alice_and_bob());
        let [mut a, mut b] = both(&folder);
        a.wait("compare");
        b.wait("compare");
        a.answer(answer);
        let (a, b) = (a.end(1), b.end(1));
        for (end, by) in [(a, "this device"), (b, "the other side")] {
            assert_eq!(
                (&end["result"], &end["code"], &end["ended_by"]),
                (&json!("not verified"), &json!("m.mismatched_sas"), &json!(by))
            );
        }
    }
}

// SAS-36
#[test]
fn a_script_that_says_yes_has_compared_nothing() {
    let folder = stage(&alice_and_bob());
    let [mut a, mut b] = both(&folder);
    b.wait("compare");
    for _ in 0..3 {
        a.wait("compare");
        a.answer("yes");
    }
    a.wait("compare");
    a.leave();
    assert_eq!(a.end(1)["code"], "m.user");
    assert_eq!(b.end(1)["code"], "m.user");
}

// VER-36, VER-44
#[test]
fn ctrl_c_is_told_to_the_other_side() {
    for at in ["asked", "compare"] {
        let folder = stage(&alice_and_bob());
        let mut a = Side::start(&format!("{} {BOB}", alice(&folder)));
        let b = (at == "compare").then(|| Side::start(&format!("{} --wait {ALICE}", bob(&folder))));
        a.wait(at);
        a.signal("-INT");
        let stderr = a.end(130);
        assert!(stderr.as_str().unwrap().contains("interrupted"), "{stderr}");
        let lines = fs::read_to_string(folder.path("mail/%40alice%3Aexample.org_PHONE.jsonl")).unwrap();
        let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["type"], &last["content"]["code"]),
            (&json!("m.key.verification.cancel"), &json!("m.user"))
        );
        if let Some(b) = b {
            let end = b.end(1);
            assert_eq!((&end["code"], &end["ended_by"]), (&json!("m.user"), &json!("the other side")));
        }
    }
}

// VER-70
#[test]
fn a_side_that_is_gone_is_not_waited_for_for_ever() {
    let folder = stage(&alice_and_bob());
    let mut a = Side::start(&format!("{} --timeout 4 {BOB}", alice(&folder)));
    let mut b = Side::start(&format!("{} --wait {ALICE}", bob(&folder)));
    a.wait("compare");
    b.wait("compare");
    b.signal("-KILL");
    assert_eq!(a.end(1)["code"], "m.timeout");
    // Nobody answers, nobody asks.
    let folder = stage(&alice_and_bob());
    assert_eq!(Side::start(&format!("{} --timeout 1 {BOB}", alice(&folder))).end(1)["code"], "m.timeout");
    let end = Side::start(&format!("{} --timeout 1 --wait {ALICE}", bob(&folder))).end(1);
    assert_eq!(end["why"], "nobody has asked");
}

// VER-74
#[test]
fn both_may_ask() {
    let folder = stage(&alice_and_bob());
    let mut a = Side::start(&format!("{} {BOB}", alice(&folder)));
    let mut b = Side::start(&format!("{} {ALICE}", bob(&folder)));
    compare(&mut a, &mut b);
    assert_eq!(a.end(0)["result"], "verified");
    assert_eq!(b.end(0)["result"], "verified");
}

// SAS-34, SAS-43, XS-42
#[test]
fn who_vouches_for_nobody_is_verified_as_a_device() {
    let folder = stage(&alice_and_bob());
    let mut b = Side::start(&format!("{} --wait {ALICE}", bob(&folder)));
    let args = alice(&folder).replace(&format!("={}", public("a-m")), "");
    let mut a = Side::start(&format!("{args} --with LAPTOP {BOB}"));
    a.wait("device_only");
    compare(&mut a, &mut b);
    let (a, b) = (a.end(0), b.end(0));
    assert_eq!(a["master_signing_key"], public("b-m"));
    assert_eq!((&b["device_id"], &b["master_signing_key"]), (&json!("PHONE"), &Value::Null));
    assert!(b["means"].as_str().unwrap().contains("only device PHONE"), "{b}");
}

// XS-41, XS-43, SAS-43
#[test]
fn a_new_device_of_ones_own_is_verified() {
    let answer = Answer::new().identity(ALICE, "a").cross_signed(ALICE, "PHONE", "a-s").device(ALICE, "NEW");
    let folder = stage(&answer);
    let new = side(&folder, ALICE, "NEW", "a").replace(&format!("={}", public("a-m")), "");
    let mut b = Side::start(&format!("{new} --wait {ALICE}"));
    let mut a = Side::start(&format!("{} {ALICE}", alice(&folder)));
    compare(&mut a, &mut b);
    let (a, b) = (a.end(0), b.end(0));
    assert_eq!((&a["device_id"], &a["fingerprint"]), (&json!("NEW"), &json!(public("NEW"))));
    assert!(a["means"].as_str().unwrap().contains("device NEW is yours"), "{a}");
    assert_eq!(b["master_signing_key"], public("a-m"));
    assert!(b["means"].as_str().unwrap().contains("the master signing key is yours"), "{b}");
}

/// What Bob's server says of Alice is another thing than what Alice's says. She confirms; that is enough for Bob to see it.
#[track_caller]
fn assert_key_mismatch(of_bob: &Answer) {
    let folder = stage(&alice_and_bob());
    let other = folder.write("other.json", of_bob.text());
    let keys = folder.text_path("keys.json");
    let mut b = Side::start(&format!("{} --wait {ALICE}", bob(&folder).replace(&keys, &other)));
    let mut a = Side::start(&format!("{} {BOB}", alice(&folder)));
    b.wait("compare");
    let shown = a.wait("short_string");
    a.answer(&numbers(&shown));
    let (a, b) = (a.end(1), b.end(1));
    assert_eq!((&b["code"], &b["ended_by"]), (&json!("m.key_mismatch"), &json!("this device")));
    assert_eq!((&a["result"], &a["code"]), (&json!("not verified"), &json!("m.key_mismatch")));
}

// SAS-37
#[test]
fn keys_that_a_server_has_exchanged_are_found_out() {
    // Everything of Alice is somebody else's.
    let mallory = Answer::new().identity(ALICE, "x").cross_signed(ALICE, "PHONE", "x-s");
    let mut of_bob = alice_and_bob();
    of_bob.0["master_keys"][ALICE] = mallory.0["master_keys"][ALICE].clone();
    for member in ["self_signing_keys", "user_signing_keys"] {
        of_bob.0[member][ALICE] = mallory.0[member][ALICE].clone();
    }
    assert_nothing_of_alice(&of_bob);
    let mut of_bob = alice_and_bob();
    let mut other = identity::device(ALICE, "PHONE2");
    let text = other.to_string().replace("PHONE2", "PHONE");
    other = serde_json::from_str(&text).unwrap();
    other["keys"]["ed25519:PHONE"] = public("PHONE2").into();
    other["signatures"] = json!({});
    identity::sign(&mut other, ALICE, "ed25519:PHONE", "PHONE2");
    of_bob.0["device_keys"][ALICE]["PHONE"] = other;
    assert_key_mismatch(&of_bob);
}

/// The device is the same, so that is what is verified: never the other's master signing key.
#[track_caller]
fn assert_nothing_of_alice(of_bob: &Answer) {
    let folder = stage(&alice_and_bob());
    let other = folder.write("other.json", of_bob.text());
    let keys = folder.text_path("keys.json");
    let mut b = Side::start(&format!("{} --wait {ALICE}", bob(&folder).replace(&keys, &other)));
    let mut a = Side::start(&format!("{} {BOB}", alice(&folder)));
    compare(&mut a, &mut b);
    let (_, b) = (a.end(0), b.end(0));
    assert_eq!((&b["device_id"], &b["master_signing_key"]), (&json!("PHONE"), &Value::Null));
    assert!(b["means"].as_str().unwrap().contains("only device PHONE"), "{b}");
}

// XS-40, XS-41, SSS-29
#[test]
fn what_was_verified_is_signed() {
    let answer = Answer::new()
        .identity(ALICE, "a")
        .cross_signed(ALICE, "PHONE", "a-s")
        .device(ALICE, "NEW")
        .identity(BOB, "b")
        .cross_signed(BOB, "LAPTOP", "b-s");
    let storage = Storage::new().identity("a");
    for (peer, side_of_peer, key, place, name) in [
        (BOB, (BOB, "LAPTOP", "b"), "a-u", json!(public("b-m")), "master_keys"),
        (ALICE, (ALICE, "NEW", "a"), "a-s", json!("NEW"), "device_keys"),
    ] {
        let folder = stage(&answer);
        folder.write("data.json", storage.text());
        folder.write("secret", format!("{}\n", storage.recovery_key));
        let (user_id, device_id, prefix) = side_of_peer;
        let mut b = Side::start(&format!("{} --wait {ALICE}", side(&folder, user_id, device_id, prefix)));
        let args = alice(&folder).replace(&format!("={}", public("a-m")), "");
        // The secret comes first on the descriptor, the answer after it.
        let mut a = Side::start(&format!(
            "{args} --sign --account-data {} --recovery-key-fd 0 --with {device_id} {peer}",
            folder.text_path("data.json")
        ));
        a.answer(&storage.recovery_key);
        compare(&mut a, &mut b);
        let (a, _) = (a.end(0), b.end(0));
        let body: Value = serde_json::from_str(a["signatures_upload"].as_str().unwrap()).unwrap();
        let object = &body[peer][place.as_str().unwrap()];
        let signature = &object["signatures"][ALICE][format!("ed25519:{}", public(key))];
        let signature = Ed25519Signature::from_base64(signature.as_str().unwrap()).unwrap();
        let mut original = &answer.0[name][peer];
        if name == "device_keys" {
            original = &original["NEW"];
        }
        let bytes = signed_bytes(original);
        assert_eq!(signed_bytes(object), bytes);
        verify(&identity::key(key).public_key(), bytes.as_bytes(), &signature).unwrap();
    }
}

#[test]
fn what_cannot_be_verified_is_refused_before_anybody_is_asked() {
    let folder = stage(&alice_and_bob());
    let args = alice(&folder);
    let start = |args: String| {
        let args = format!("verify --answer-fd 0 {args}");
        let done = run(args.split_whitespace());
        assert!(folder.names().contains(&"mail".to_owned()));
        assert_eq!(
            fs::read_dir(folder.path("mail")).unwrap().count(),
            0,
            "nothing was sent: {}",
            done.stderr
        );
        done
    };
    start(args.replace(&public("PHONE"), &public("LAPTOP")) + " " + BOB)
        .assert_says(1, &["with the fingerprint"]);
    start(format!("{args} @carol:example.org")).assert_says(1, &["no devices of @carol:example.org"]);
    start(format!("{args} {ALICE}")).assert_says(1, &["no other device"]);
    start(format!("{args} --with PHONE {BOB}")).assert_says(1, &["no other device PHONE"]);
    start(args.replace(&public("a-m"), &public("b-m")) + " " + BOB)
        .assert_says(1, &["does not have", &public("b-m")]);
    start(args.replace("--fingerprint", "--with") + " " + BOB).assert_says(2, &["--fingerprint"]);
    start(args.replace("--device PHONE", "") + " " + BOB).assert_says(2, &["--device"]);
    start(args.replace("--exchange", "--account-data") + " " + BOB).assert_says(2, &["--exchange"]);
    start(format!("{args} bob")).assert_says(2, &["bob"]);
    start(format!("{args} --sign {BOB}")).assert_says(2, &["--account-data"]);
    start(format!("{args} --language tlh {BOB}")).assert_says(2, &["there are words in: ", "de", "en"]);
    start(format!("{args} --timeout 0 {BOB}")).assert_says(2, &["--timeout"]);
    let mut broken = alice_and_bob();
    broken.0["master_keys"][BOB]["usage"] = json!(["self_signing"]);
    folder.write("keys.json", broken.text());
    start(format!("{args} {BOB}")).assert_says(1, &["identity of @bob:example.com", "is not taken"]);
    folder.write("keys.json", "{");
    start(format!("{args} {BOB}")).assert_says(1, &["/keys/query"]);
    let gone = args.replace(&folder.text_path("keys.json"), "/nonexistent");
    start(format!("{gone} {BOB}")).assert_says(3, &["cannot open /nonexistent"]);
    folder.write("keys.json", alice_and_bob().text());
    let gone = args.replace(&folder.text_path("mail"), "/nonexistent");
    start(format!("{gone} {BOB}")).assert_says(3, &["cannot write /nonexistent"]);
    // Nobody could answer.
    let args = format!("verify {args} {BOB}");
    run(args.split_whitespace()).assert_says(2, &["standard input is no terminal", "--answer-fd"]);
}

// VER-17
#[test]
fn a_folder_may_have_anything_in_it() {
    let folder = stage(&alice_and_bob());
    folder.write("mail/notes.txt", "not looked at");
    folder.write("mail/a.jsonl", "not JSON\n\n{}\n[1,2]\n{\"sender\":1}\n");
    fs::create_dir(folder.path("mail/b.jsonl")).unwrap();
    let line = |sender: &str, event_type: &str, content: &str| {
        format!(
            "{{\"sender\":\"{sender}\",\"to\":\"{ALICE}\",\"devices\":[\"PHONE\"],\"type\":\"{event_type}\",\
             \"content\":{content}}}\n"
        )
    };
    let lines = [
        line("@mallory:example.org", "m.key.verification.cancel", "{}"),
        line(BOB, "m.room_key", "{}"),
        line(BOB, "m.key.verification.done", "[]"),
        line(BOB, "m.key.verification.ready", "{\"transaction_id\":\"x\"}"),
        "{\"sender\":\"@bob:example.com\",\"to\":\"not ended".to_owned(),
    ];
    folder.write("mail/c.jsonl", lines.concat());
    let [mut a, mut b] = both(&folder);
    compare(&mut a, &mut b);
    a.end(0);
    b.end(0);
    // A folder is for one verification.
    let args = format!("verify --answer-fd 0 {} {BOB}", alice(&folder));
    run(args.split_whitespace()).assert_says(2, &["exists", "an empty one"]);
    // What has no end is no line.
    let folder = stage(&alice_and_bob());
    let mut file = fs::File::create(folder.path("mail/a.jsonl")).unwrap();
    file.write_all(&vec![b'x'; 2 << 20]).unwrap();
    let args = format!("verify --answer-fd 0 {} {BOB}", alice(&folder));
    run(args.split_whitespace()).assert_says(1, &["a.jsonl", "that is no message"]);
}

// QR-10, QR-11, QR-20, QR-30, QR-32, QR-33
#[test]
fn a_code_is_displayed_and_scanned() {
    let folder = stage(&alice_and_bob());
    let code = folder.text_path("code.png");
    let mut b = Side::start(&format!("{} --show-qr={code} --wait {ALICE}", bob(&folder)));
    let mut a = Side::start(&format!("{} --scan-qr {code} {BOB}", alice(&folder)));
    b.wait("scanned");
    a.wait("code_accepted");
    b.answer("yes");
    let (a, b) = (a.end(0), b.end(0));
    assert_eq!((&a["master_signing_key"], &a["device_id"]), (&json!(public("b-m")), &Value::Null));
    assert_eq!((&b["master_signing_key"], &b["device_id"]), (&json!(public("a-m")), &Value::Null));

    // An old picture is not taken, and a no is a no. A picture of SVG is for the display only.
    fs::remove_dir_all(folder.path("mail")).unwrap();
    fs::create_dir(folder.path("mail")).unwrap();
    let fresh = folder.text_path("fresh.png");
    let mut b = Side::start(&format!("{} --show-qr={fresh} --wait {ALICE}", bob(&folder)));
    let mut a = Side::start(&format!("{} --scan-qr {code} {BOB}", alice(&folder)));
    let why = a.wait("not_read")["text"].clone();
    assert!(why.as_str().unwrap().contains("not the code for this verification"), "{why}");
    b.wait("code_shown");
    fs::write(&code, "no picture").unwrap();
    let why = a.wait("not_read")["text"].clone();
    assert!(why.as_str().unwrap().contains("neither PNG nor JPEG"), "{why}");
    fs::rename(&fresh, &code).unwrap();
    b.wait("scanned");
    b.answer("no");
    assert_eq!(b.end(1)["code"], "m.user");
    assert_eq!(a.end(1)["code"], "m.user");

    let args = format!("verify --answer-fd 0 {} --show-qr={code} {BOB}", alice(&folder));
    run(args.split_whitespace()).assert_says(2, &["code.png exists"]);
    run(args.replace("code.png", "code.gif").split_whitespace())
        .assert_says(2, &["code.gif", ".svg or .png"]);
    run(format!("{args} --scan-qr x").replace("code", "c2").split_whitespace())
        .assert_says(2, &["--scan-qr"]);
}

// QR-2, QR-3, VER-56
#[test]
fn where_no_code_is_possible_emoji_are_compared() {
    let folder = stage(&alice_and_bob());
    let mut b = Side::start(&format!("{} --wait {ALICE}", bob(&folder)));
    let mut a = Side::start(&format!("{} --show-qr {BOB}", alice(&folder)));
    a.wait("no_code");
    compare(&mut a, &mut b);
    a.end(0);
    b.end(0);
}

// VER-85, XS-32
#[test]
fn attack_103_nobody_is_verified_who_has_a_device_named_as_a_signing_key() {
    let name = public("b-m");
    let text = identity::device(BOB, "TABLET").to_string().replace("TABLET", &name);
    let mut device: Value = serde_json::from_str(&text).unwrap();
    device["signatures"] = json!({});
    identity::sign(&mut device, BOB, &format!("ed25519:{name}"), "TABLET");
    let mut answer = alice_and_bob();
    answer.0["device_keys"][BOB][&name] = device;
    let folder = stage(&answer);
    let args = format!("verify --answer-fd 0 {} {BOB}", alice(&folder));
    run(args.split_whitespace()).assert_says(1, &["is one of the user's cross-signing keys"]);
    let sent = fs::read(folder.path("mail/%40alice%3Aexample.org_PHONE.jsonl")).unwrap();
    assert!(sent.is_empty(), "{sent:?}");
}
