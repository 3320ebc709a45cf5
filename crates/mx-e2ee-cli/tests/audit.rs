//! `identity audit`: what it says of answers, honest and hostile.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

#[path = "support/identity.rs"]
mod identity;
mod support;

use identity::{ALICE, Answer, BOB, alice_and_bob, device, public, put, sign, signed_bytes, signing_key};
use serde_json::{Value, json};
use support::{Done, Folder, run, run_with};

/// Runs the audit with JSON, and finds what it says.
struct Audit {
    code: Option<i32>,
    lines: Vec<Value>,
    summary: Value,
}

impl Audit {
    fn of(answer: &Answer, args: &[&str]) -> Self {
        let args = ["identity", "audit", "--json"].iter().chain(args).chain(&["-"]).copied();
        Self::read(&run_with(args, answer.text().as_bytes()))
    }

    fn read(done: &Done) -> Self {
        let summary = done.stderr.lines().last().unwrap();
        let summary = serde_json::from_str(summary).unwrap_or_else(|_| panic!("{}", done.stderr));
        Self { code: done.code, lines: done.lines(), summary }
    }

    fn find(&self, what: &str, member: &str, name: &str) -> &Value {
        let is_it = |line: &&Value| line["what"] == what && line[member] == name;
        self.lines.iter().find(is_it).unwrap_or_else(|| panic!("no {name} in {:#?}", self.lines))
    }

    fn device(&self, device_id: &str) -> &Value {
        self.find("device", "device_id", device_id)
    }

    fn user(&self, user_id: &str) -> &Value {
        self.find("user", "user_id", user_id)
    }

    fn key(&self, user_id: &str, usage: &str) -> &Value {
        let is_it = |line: &&Value| line["user_id"] == user_id && line["usage"] == usage;
        self.lines.iter().find(is_it).unwrap()
    }

    #[track_caller]
    fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{:#?}", self.lines);
        assert_eq!(self.summary["all_is_well"], code == 0);
        self
    }
}

fn own(prefix: &str) -> String {
    format!("{ALICE}={}", public(&format!("{prefix}-m")))
}

fn says(value: &Value, words: &str) -> bool {
    value.as_str().is_some_and(|text| text.contains(words))
}

/// The verdict and its reason for the signature under a key ID.
fn signature<'o>(object: &'o Value, key_id: &str) -> (&'o str, &'o str) {
    let found = object["signatures"].as_array().unwrap().iter().find(|found| found["key_id"] == key_id);
    let found = found.unwrap_or_else(|| panic!("no {key_id} in {object:#}"));
    (found["verdict"].as_str().unwrap(), found["why"].as_str().unwrap())
}

// XS-5, XS-12, TRU-3, SIG-1, SIG-5: keys and signatures that matrix-sdk-crypto has made.
#[test]
fn what_others_have_signed_verifies() {
    let file = format!("{}/tests/data/keys-query.json", env!("CARGO_MANIFEST_DIR"));
    let msk = "rJ2TAGkEOP6dX41Ksll6cl8K3J48l8s/59zaXyvl2p0";
    let own = format!("@example:localhost={msk}");
    let done = run(["identity", "audit", "--json", "--own", &own, &file]).assert_code(0);
    let audit = Audit::read(&done);
    assert_eq!(audit.summary["valid_signatures"], 8);
    assert_eq!(audit.summary["devices"], 4);
    assert_eq!(audit.device("WSKKLTJZCL")["trust"], "verified");
    for device in ["LVWOVGOXME", "GBEWHQOYGS", "BNYQQWUMXO"] {
        assert_eq!(audit.device(device)["trust"], "unsigned", "{device}");
        assert!(says(&audit.device(device)["why"], "self-signing key"));
    }
    assert_eq!(audit.device("BNYQQWUMXO")["unauthenticated_name"], "Alice's mobile phone");
    let text = run(["identity", "audit", "--pin", &own, &file]).assert_code(0);
    assert!(text.text().contains("trust: cross-signed by the pinned identity"), "{}", text.text());

    // One changed byte, and it is said which bytes the signature must cover.
    let changed =
        std::fs::read_to_string(&file).unwrap().replace("KMfWKUhnDW1D11hNzATs", "KMfWKUhnDW1D11hNzATt");
    let done = run_with(["identity", "audit", "-"], changed.as_bytes()).assert_code(1);
    let bytes = r#"{"algorithms":["m.olm.v1.curve25519-aes-sha2","m.megolm.v1.aes-sha2"],"device_id":"LVWOVGOXME","keys":{"curve25519:LVWOVGOXME":"KMfWKUhnDW1D11hNzATt"#;
    assert!(done.text().contains(bytes), "{}", done.text());
    assert!(
        done.text().contains("DROPPED  the device's signature on its own keys: signature does not verify")
    );
}

// TRU-1, TRU-2, TRU-4, IDC-5
#[test]
fn trust_rests_on_what_the_command_line_says_and_each_link_is_named() {
    let answer = alice_and_bob();
    let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(0);
    assert_eq!(audit.user(ALICE)["identity"], "verified");
    assert_eq!(audit.user(BOB)["identity"], "verified");
    let laptop = audit.device("LAPTOP");
    assert_eq!(laptop["trust"], "verified");
    let links = laptop["links"].as_array().unwrap();
    assert_eq!(links.len(), 5);
    for (link, name) in links.iter().zip(["a-m", "a-u", "b-m", "b-s", "LAPTOP"]) {
        assert_eq!(link["there"], true);
        assert!(says(&link["link"], &public(name)), "{name} in {link}");
    }

    // Without a word about her own identity nobody is verified.
    let audit = Audit::of(&answer, &["--own", ALICE]).assert_code(0);
    assert_eq!(
        (&audit.device("LAPTOP")["trust"], &audit.device("PHONE")["trust"]),
        (&json!("cross-signed"), &json!("cross-signed"))
    );
    assert!(says(&audit.device("LAPTOP")["why"], "you have not verified your own identity"));
    let audit = Audit::of(&answer, &[]).assert_code(0);
    assert_eq!(audit.device("LAPTOP")["trust"], "cross-signed");
    assert_eq!(audit.device("LAPTOP")["links"].as_array().unwrap().len(), 2);

    // Another identity than the one that she has verified: nothing is.
    let audit = Audit::of(&answer, &["--own", &own("z")]).assert_code(1);
    assert_eq!(audit.user(ALICE)["identity"], "not the verified identity");
    assert!(says(&audit.user(ALICE)["problems"][0], &public("z-m")));
    assert_eq!(audit.device("PHONE")["trust"], "cross-signed by another identity than the verified one");
    assert_eq!(audit.device("LAPTOP")["trust"], "cross-signed");
}

// IDC-1, IDC-5
#[test]
fn pins_are_compared_and_answers_with_those_before() {
    let answer = alice_and_bob();
    let pin = |name: &str| format!("{BOB}={}", public(name));
    let audit = Audit::of(&answer, &["--pin", &pin("b-m")]).assert_code(0);
    assert_eq!(audit.device("LAPTOP")["trust"], "cross-signed by the pinned identity");
    let audit = Audit::of(&answer, &["--pin", &pin("z-m")]).assert_code(1);
    assert_eq!(audit.device("LAPTOP")["trust"], "cross-signed by another identity than the pinned one");
    assert!(says(&audit.user(BOB)["problems"][0], &public("z-m")));
    let audit = Audit::of(&answer, &["--pin", &format!("@carol:b={}", public("z-m"))]).assert_code(1);
    assert!(audit.lines.iter().any(|line| says(&line["problem"], "@carol:b is in no answer")));

    let folder = Folder::new();
    let first = folder.write("first.json", answer.text());
    let second = folder
        .write("second.json", Answer::new().identity(BOB, "c").cross_signed(BOB, "LAPTOP", "c-s").text());
    let args = ["identity", "audit", "--json", "--own", &own("a"), &first, &second].map(str::to_owned);
    let audit = Audit::read(&run(args.iter().map(String::as_str)).assert_code(1));
    let users: Vec<_> =
        audit.lines.iter().filter(|line| line["what"] == "user" && line["user_id"] == BOB).collect();
    assert_eq!(
        (&users[0]["identity"], &users[1]["identity"]),
        (&json!("verified"), &json!("not the pinned identity"))
    );
    run(["identity", "audit", &first, &first]).assert_code(0);
}

// XS-2, XS-3, XS-4, XS-11, XS-12, XS-13
#[test]
fn keys_are_dropped_for_a_reason() {
    let padded = format!("{}=", public("a-m"));
    let other = public("z-m");
    type Change<'c> = &'c dyn Fn(&mut Value);
    let cases: [(&str, &str, &str, Change<'_>); 9] = [
        ("master", "usage", "another usage, or for several: [\"self_signing\"]", &|answer| {
            answer["master_keys"][ALICE]["usage"] = json!(["self_signing"]);
        }),
        ("master", "two usages", "several", &|answer| {
            answer["master_keys"][ALICE]["usage"] = json!(["master", "user_signing"]);
        }),
        ("master", "padded ID", "the Base64 in it is padded", &|answer| {
            answer["master_keys"][ALICE]["keys"] = json!({ format!("ed25519:{padded}"): public("a-m") });
        }),
        ("master", "ID of another key", "ID of the cross-signing key is not the key", &|answer| {
            answer["master_keys"][ALICE]["keys"] = json!({ format!("ed25519:{other}"): public("a-m") });
        }),
        ("master", "two keys", "exactly one key", &|answer| {
            answer["master_keys"][ALICE]["keys"][format!("ed25519:{other}")] = other.as_str().into();
        }),
        ("self_signing", "user", "names another user", &|answer| {
            answer["self_signing_keys"][ALICE]["user_id"] = BOB.into();
        }),
        ("self_signing", "not signed", "master signing key has not signed it", &|answer| {
            answer["self_signing_keys"][ALICE]["signatures"] = json!({});
        }),
        ("self_signing", "same key", "taken as a whole", &|answer| {
            let mut object = signing_key(ALICE, "self_signing", "a-m");
            sign(&mut object, ALICE, &format!("ed25519:{}", public("a-m")), "a-m");
            answer["self_signing_keys"][ALICE] = object;
        }),
        ("master", "no object", "not a cross-signing key", &|answer| {
            answer["master_keys"][ALICE] = json!({})
        }),
    ];
    for (usage, name, why, change) in cases {
        let mut answer = alice_and_bob();
        change(&mut answer.0);
        let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(1);
        let key = audit.key(ALICE, usage);
        assert!(says(&key["dropped"], why), "{name}: {key:#}");
        assert!(says(&audit.user(ALICE)["problems"][0], "the identity is not taken"), "{name}");
        assert_eq!(audit.device("PHONE")["trust"], "unsigned", "{name}");
        assert_ne!(audit.device("LAPTOP")["trust"], "verified", "{name}");
        // Bob lost nothing.
        assert!(audit.key(BOB, usage)["dropped"].is_null());
    }
}

// DL-30, DL-41, XS-13, XS-30, XS-32
#[test]
fn devices_are_dropped_for_a_reason() {
    type Change<'c> = &'c dyn Fn(&mut Value);
    let cases: [(&str, Change<'_>); 9] = [
        ("name another user", &|device| device["user_id"] = BOB.into()),
        ("name another device", &|device| device["device_id"] = "TABLET".into()),
        ("has not signed its own keys", &|device| device["signatures"] = json!({})),
        ("not 64 bytes in Base64", &|device| put(device, ALICE, "ed25519:PHONE", "AAAA")),
        ("does not verify", &|device| device["algorithms"] = json!(["m.olm.v1.curve25519-aes-sha2"])),
        ("no Ed25519 key", &|device| device["keys"] = json!({})),
        ("key of the device is invalid", &|device| device["keys"]["ed25519:PHONE"] = "AAAA".into()),
        ("not the keys of a device", &|device| device["algorithms"] = json!("all")),
        ("number", &|device| device["more"] = json!(1.5)),
    ];
    for (why, change) in cases {
        let mut answer = alice_and_bob();
        change(&mut answer.0["device_keys"][ALICE]["PHONE"]);
        let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(1);
        let phone = audit.device("PHONE");
        assert!(says(&phone["dropped"], why), "{why}: {phone:#}");
        assert!(phone["trust"].is_null());
        assert_eq!(audit.summary["dropped"], 1);
        assert_eq!(audit.device("LAPTOP")["trust"], "verified", "nothing is taken from others");
    }

    // A device with a cross-signing key's ID stays, but is not cross-signed; one with such a key goes.
    let id = public("a-m");
    let mut named = device(ALICE, "PHONE");
    named["device_id"] = id.as_str().into();
    named["keys"] = json!({
        format!("curve25519:{id}"): named["keys"]["curve25519:PHONE"],
        format!("ed25519:{id}"): public("PHONE"),
    });
    named["signatures"] = json!({});
    sign(&mut named, ALICE, &format!("ed25519:{id}"), "PHONE");
    sign(&mut named, ALICE, &format!("ed25519:{}", public("a-s")), "a-s");
    let mut answer = alice_and_bob();
    answer.0["device_keys"][ALICE][&id] = named;
    let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(1);
    assert!(says(&audit.device(&id)["warning"], "never verify it"));
    assert_eq!(audit.device(&id)["trust"], "unsigned");
    assert_eq!(audit.device("PHONE")["trust"], "verified");
    let mut answer = alice_and_bob().device(ALICE, "TABLET");
    let tablet = &mut answer.0["device_keys"][ALICE]["TABLET"];
    tablet["keys"]["ed25519:TABLET"] = public("a-s").into();
    sign(tablet, ALICE, "ed25519:TABLET", "a-s");
    let audit = Audit::of(&answer, &[]).assert_code(1);
    assert!(says(&audit.device("TABLET")["dropped"], "is a cross-signing key"));
}

// XS-15, XS-20, XS-33, SIG-8
#[test]
fn signatures_that_prove_nothing_are_named_and_nothing_is_wrong_with_that() {
    let mut answer = alice_and_bob();
    let phone = &mut answer.0["device_keys"][ALICE]["PHONE"];
    let key_id = |name: &str| format!("ed25519:{}", public(name));
    sign(phone, ALICE, &key_id("a-m"), "a-m");
    sign(phone, ALICE, &key_id("a-u"), "a-u");
    sign(phone, ALICE, &key_id("old"), "old");
    sign(phone, ALICE, "ed448:PHONE", "PHONE");
    sign(phone, ALICE, "no colon", "PHONE");
    sign(phone, BOB, &key_id("b-s"), "b-s");
    sign(phone, "example.org", "ed25519:a_1", "server");
    phone["signatures"]["@carol:b"] = json!([1]);
    let msk = &mut answer.0["master_keys"][BOB];
    sign(msk, ALICE, &key_id("a-s"), "a-s");
    sign(msk, ALICE, "ed25519:PHONE", "PHONE");
    let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(0);
    let phone = audit.device("PHONE");
    for (key_id, why) in [
        (key_id("a-m").as_str(), "only its owner's self-signing key"),
        (&key_id("a-u"), "only its owner's self-signing key"),
        (&key_id("b-s"), "only its owner's self-signing key"),
        (&key_id("old"), "no key that is taken has this ID"),
        ("ed448:PHONE", "algorithm is unknown"),
        ("no colon", "no key ID"),
        ("ed25519:a_1", "no cross-signing key of that user"),
    ] {
        let (verdict, found) = signature(phone, key_id);
        assert_eq!(verdict, "proves nothing");
        assert!(found.contains(why), "{key_id}: {found}");
    }
    assert!(phone["signatures"].as_array().unwrap().iter().any(|found| says(&found["why"], "not an object")));
    assert_eq!(phone["trust"], "verified");
    let msk = audit.key(BOB, "master");
    assert!(
        signature(msk, &key_id("a-s")).1.contains("only devices of the user and user-signing keys of others")
    );
    assert_eq!(signature(msk, "ed25519:PHONE").0, "proves nothing");
    assert_eq!(signature(msk, &key_id("a-u")), ("valid", "that user has verified this one"));
    assert_eq!(audit.summary["signatures_that_prove_nothing"], 10);
}

// SIG-1, XS-33
#[test]
fn a_failing_signature_comes_with_its_bytes_and_with_the_mistake_if_it_is_a_known_one() {
    let by_ssk = format!("ed25519:{}", public("a-s"));
    let plain = alice_and_bob().device(ALICE, "TABLET");
    let tablet = |answer: &mut Answer| answer.0["device_keys"][ALICE]["TABLET"].take();

    let mut cases = Vec::new();
    // By the master signing key under the self-signing key's name.
    let mut object = tablet(&mut plain.clone());
    sign(&mut object, ALICE, &by_ssk, "a-m");
    cases.push((object, by_ssk.clone(), "was made by the user's master signing key instead"));
    // Over `unsigned`.
    let mut object = tablet(&mut plain.clone());
    object["unsigned"] = json!({ "device_display_name": "tablet" });
    let mut covered = object.clone();
    covered["more"] = covered["unsigned"].take();
    let bytes = signed_bytes(&covered)
        .replace("\"more\":{\"device_display_name\":\"tablet\"},", "")
        .replace("\"unsigned\":null,", "");
    let bytes =
        bytes.replace(",\"user_id\"", ",\"unsigned\":{\"device_display_name\":\"tablet\"},\"user_id\"");
    put(&mut object, ALICE, &by_ssk, &identity::key("a-s").sign(bytes.as_bytes()).to_string());
    cases.push((object, by_ssk.clone(), "it covers `unsigned`"));
    // Over an empty `signatures`.
    let mut object = tablet(&mut plain.clone());
    let bytes = signed_bytes(&object).replace(",\"user_id\"", ",\"signatures\":{},\"user_id\"");
    put(&mut object, ALICE, &by_ssk, &identity::key("a-s").sign(bytes.as_bytes()).to_string());
    cases.push((object, by_ssk.clone(), "it covers `signatures`"));
    // Under a padded ID, where nobody looks.
    let mut object = tablet(&mut plain.clone());
    sign(&mut object, ALICE, &format!("{by_ssk}="), "a-s");
    cases.push((object, format!("{by_ssk}="), "is padded"));
    // Of something else.
    let mut object = tablet(&mut plain.clone());
    put(&mut object, ALICE, &by_ssk, &identity::key("a-s").sign(b"{}").to_string());
    cases.push((object, by_ssk.clone(), "signature does not verify"));
    for (object, key_id, why) in cases {
        let mut answer = plain.clone();
        answer.0["device_keys"][ALICE]["TABLET"] = object.clone();
        let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(1);
        let tablet = audit.device("TABLET");
        let (verdict, found) = signature(tablet, &key_id);
        assert_eq!(verdict, "fails");
        assert!(found.contains(why), "{why}: {found}");
        assert_eq!(tablet["signed"], signed_bytes(&object));
        let hex: String = signed_bytes(&object).bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(tablet["signed_hex"], hex);
        assert_eq!((&tablet["trust"], &tablet["dropped"]), (&json!("unsigned"), &Value::Null), "{why}");
        assert!(audit.device("PHONE").get("signed").is_none());
    }
    let audit = Audit::of(&plain, &["--bytes"]).assert_code(0);
    let phone = &plain.0["device_keys"][ALICE]["PHONE"];
    assert_eq!(audit.device("PHONE")["signed"], signed_bytes(phone));
}

// XS-17, DL-23, DL-40
#[test]
fn what_is_missing_is_said() {
    let mut answer = alice_and_bob();
    answer.0["failures"]["example.net"] = json!({});
    answer.0["device_keys"]["carol"] = json!({});
    answer.0["device_keys"]["@dave:b"] = json!([]);
    answer.0["master_keys"]["@erin:b"] = signing_key("@erin:b", "master", "e-m");
    let audit = Audit::of(&answer, &[]).assert_code(1);
    assert!(audit.lines.iter().any(|line| says(&line["problem"], "example.net was not reached")));
    for (user, why) in
        [("carol", "no user ID"), ("@dave:b", "malformed"), ("@erin:b", "not in `device_keys`")]
    {
        assert!(says(&audit.user(user)["problems"][0], why), "{:#}", audit.user(user));
    }
    assert_eq!(audit.device("LAPTOP")["trust"], "cross-signed");

    let audit =
        Audit::of(&alice_and_bob().device(BOB, "A").device(BOB, "B"), &["--max-devices", "2"]).assert_code(1);
    assert!(says(&audit.user(BOB)["problems"][0], "3 devices"));
    assert!(says(&audit.device("LAPTOP")["dropped"], "nothing of the user is taken"));
    assert_eq!(audit.device("PHONE")["trust"], "cross-signed");
    // Who has the name of nobody is somebody like others.
    let answer = Answer::new().identity("@:invalid", "n").cross_signed("@:invalid", "N", "n-s");
    let mut answer = answer;
    answer.0["user_signing_keys"] = json!({});
    assert_eq!(Audit::of(&answer, &[]).assert_code(0).device("N")["trust"], "cross-signed");
}

#[test]
fn what_is_no_answer_is_refused_with_the_reason() {
    for (text, why) in [
        ("", "it is not JSON"),
        ("{", "line 1"),
        ("[]", "no answer to /keys/query"),
        ("{}", "no answer to /keys/query"),
        ("{\"device_keys\":[]}", "no answer to /keys/query"),
    ] {
        run_with(["identity", "audit", "-"], text.as_bytes()).assert_says(1, &["standard input", why]);
    }
    run_with(["identity", "audit", "-"], b"\xff").assert_says(1, &["UTF-8"]);
    run(["identity", "audit", "/no/such/file"]).assert_says(3, &["cannot open"]);
    run(["identity", "audit"]).assert_says(2, &["KEYS_QUERY"]);
    let key = public("a-m");
    for args in [
        &["--pin", "@a:b"][..],
        &["--pin", &format!("@a:b={key}"), "--pin", &format!("@a:b={}", public("b-m"))],
        &["--own", &format!("@a:b={key}"), "--pin", &format!("@a:b={key}")],
        &["--own", "@a:b=AAAA"],
        &["--dot", "--json"],
    ] {
        let args = ["identity", "audit"].iter().chain(args).chain(&["-"]).copied();
        run(args).assert_code(2);
    }
}

#[test]
fn names_steer_neither_terminal_nor_graphviz() {
    let mut answer = alice_and_bob();
    let phone = &mut answer.0["device_keys"][ALICE]["PHONE"];
    phone["unsigned"] = json!({ "device_display_name": "\u{1b}[2J\u{202e}\"]; evil [label=\"&lt;" });
    put(phone, "\"]; x\u{9b}", "ed25519:\\N\n", "AAAA");
    answer.0["device_keys"]["@evil\"];\u{7}:b"] = json!({});
    for form in [&[][..], &["--json"], &["--dot"]] {
        let args = ["identity", "audit"].iter().chain(form).chain(&["-"]).copied();
        let done = run_with(args, answer.text().as_bytes()).assert_code(1);
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!done.text().contains(steers), "{}", done.text());
    }
    let done = run_with(["identity", "audit", "--dot", "-"], answer.text().as_bytes());
    // Outside of strings there is nothing but this program's own words.
    let mut outside = String::new();
    let (mut in_string, mut escaped) = (false, false);
    for c in done.text().chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            c if !in_string => outside.push(c),
            _ => {}
        }
    }
    assert!(!in_string && !outside.contains("evil") && outside.trim_end().ends_with('}'), "{outside}");
    let braces = |brace: char| outside.chars().filter(|c| *c == brace).count();
    assert_eq!(braces('{'), braces('}'));
    for arrow in ["forestgreen", "grey", "k1_0_self_signing ->"] {
        assert!(outside.contains(arrow), "{arrow}");
    }
}

#[test]
fn attack_036_depth_costs_no_stack() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let text = alice_and_bob().text().replacen("\"algorithms\":[", &format!("\"algorithms\":[{deep},"), 1);
    let done = run_with(["identity", "audit", "--json", "-"], text.as_bytes()).assert_code(1);
    assert!(says(&Audit::read(&done).device("PHONE")["dropped"], "deep"), "{}", done.text());
}

// DL-30
#[test]
fn attack_041_one_malformed_device_among_a_hundred() {
    let mut answer = Answer::new().identity(ALICE, "a");
    for number in 0..100 {
        answer = answer.cross_signed(ALICE, &format!("D{number}"), "a-s");
    }
    answer.0["device_keys"][ALICE]["D50"] = json!(i64::MIN);
    let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(1);
    assert_eq!((&audit.summary["devices"], &audit.summary["dropped"]), (&json!(100), &json!(1)));
    let verified = audit.lines.iter().filter(|line| line["trust"] == "verified").count();
    assert_eq!(verified, 99);
}

#[test]
fn attack_132_signatures_by_the_thousand_are_listed_and_not_verified() {
    let mut answer = alice_and_bob();
    let signature = identity::key("x").sign(b"").to_string();
    let many: serde_json::Map<_, _> =
        (0..100_000).map(|number| (format!("ed25519:K{number}"), signature.clone().into())).collect();
    let phone = &mut answer.0["device_keys"][ALICE]["PHONE"]["signatures"];
    phone[BOB] = many.clone().into();
    phone[ALICE].as_object_mut().unwrap().extend(many);
    let begin = std::time::Instant::now();
    let audit = Audit::of(&answer, &["--own", &own("a")]).assert_code(0);
    assert_eq!(audit.summary["signatures_that_prove_nothing"], 200_000);
    assert_eq!(audit.device("PHONE")["trust"], "verified");
    // As many verifications would take more than this, even on a fast machine.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}
