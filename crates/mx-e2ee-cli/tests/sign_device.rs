//! `identity sign-device`: what it signs, and everything that it refuses.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "support/identity.rs"]
mod identity;
#[path = "support/secrets.rs"]
mod secrets;
#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Mutex;

use identity::{ALICE, Answer, BOB, device, public, sign, signed_bytes};
use mx_curve25519::verify;
use mx_types::Ed25519Signature;
use secrets::{PASSPHRASE, Storage};
use serde_json::{Value, json};
use server::{Request, Response, Server, ok, refused};
use support::{Done, Folder, run, shell};

/// Alice's identity, her phone, which is cross-signed, and a bot, which is not.
fn answer() -> Answer {
    Answer::new().identity(ALICE, "a").cross_signed(ALICE, "PHONE", "a-s").device(ALICE, "BOT")
}

fn storage() -> Storage {
    Storage::new().identity("a")
}

/// Runs the command on files, with a secret on descriptor 3.
fn sign_bot(answer: &Answer, storage: &Storage, secret: &str, args: &str) -> Done {
    let folder = Folder::new();
    folder.write("keys.json", answer.text());
    folder.write("data.json", storage.text());
    folder.write("secret", format!("{secret}\n"));
    in_folder(&folder, &format!("--account-data data.json {args}"))
}

fn in_folder(folder: &Folder, args: &str) -> Done {
    let own = if args.contains("--own") { "" } else { "--own @alice:example.org" };
    let device = if args.contains("--device") { "" } else { "--device BOT" };
    let line = format!(
        "cd \"$0\"; exec \"$TOOL\" identity sign-device --keys-query keys.json --recovery-key-fd 3 {own} {device} {args} 3<secret"
    );
    shell(&line, &[&folder.path("")])
}

/// The body has the bot, with the self-signing key's signature and no other.
#[track_caller]
fn assert_signs_the_bot(body: &Value, answer: &Answer) {
    let object = &body[ALICE]["BOT"];
    let key_id = format!("ed25519:{}", public("a-s"));
    assert_eq!(body.as_object().unwrap().len(), 1);
    assert_eq!(body[ALICE].as_object().unwrap().len(), 1);
    assert_eq!(object["signatures"].as_object().unwrap().len(), 1);
    let signatures = object["signatures"][ALICE].as_object().unwrap();
    assert_eq!(signatures.keys().collect::<Vec<_>>(), [&key_id]);
    let bytes = signed_bytes(&answer.0["device_keys"][ALICE]["BOT"]);
    assert_eq!(signed_bytes(object), bytes);
    let signature = Ed25519Signature::from_base64(signatures[&key_id].as_str().unwrap()).unwrap();
    verify(&identity::key("a-s").public_key(), bytes.as_bytes(), &signature).unwrap();
}

fn json_of(done: &Done) -> Value {
    serde_json::from_str(done.text()).unwrap()
}

// XS-26, XS-41, SSS-3, SSS-20, SSS-21, SSS-29, SSS-33
#[test]
fn a_device_is_signed_and_each_check_is_told() {
    let (answer, storage) = (answer(), storage());
    let args = format!("--fingerprint {}", public("BOT"));
    let done = sign_bot(&answer, &storage, &storage.recovery_key, &args).assert_code(0);
    assert_signs_the_bot(&json_of(&done), &answer);
    for check in [
        "the self-signing key of @alice:example.org is signed by the master signing key",
        "device BOT is one of @alice:example.org, and has signed its own keys",
        "its fingerprint is the one that you gave",
        "opens key default of secret storage",
        "the private self-signing key in secret storage is that of the answer",
        "the private master signing key in secret storage is that of the answer",
    ] {
        assert!(done.stderr.contains(check), "{check}: {}", done.stderr);
    }
    assert!(!done.stderr.contains("NOT CHECKED"));
    let done = sign_bot(&answer, &storage, &storage.recovery_key, "").assert_code(0);
    assert!(done.stderr.contains("NOT CHECKED") && done.stderr.contains(&public("BOT")), "{}", done.stderr);
    let done = sign_bot(&answer, &storage, &storage.recovery_key, "--json").assert_code(0);
    let checks: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(
        checks["checks"].as_array().unwrap().iter().filter(|check| check["checked"] == false).count(),
        1
    );

    // What was signed makes the device one that is cross-signed.
    let mut signed = answer.clone();
    let signature = json_of(&done)[ALICE]["BOT"]["signatures"][ALICE].clone();
    for (key_id, signature) in signature.as_object().unwrap() {
        identity::put(&mut signed.0["device_keys"][ALICE]["BOT"], ALICE, key_id, signature.as_str().unwrap());
    }
    let own = format!("{ALICE}={}", public("a-m"));
    let audit = support::run_with(["identity", "audit", "--own", &own, "-"], signed.text().as_bytes());
    assert_eq!(audit.assert_code(0).text().matches("trust: verified").count(), 2);
    let done = sign_bot(&signed, &storage, &storage.recovery_key, "").assert_code(0);
    assert_eq!(done.text(), "{}\n");
    assert!(done.stderr.contains("already signed"), "{}", done.stderr);
    // Who knows the master signing key is not asked for anything.
    let done = sign_bot(&signed, &Storage::new(), "not looked at", &format!("--own {own}")).assert_code(0);
    assert_eq!(done.text(), "{}\n");
}

// SSS-11, SSS-14
#[test]
fn the_passphrase_opens_secret_storage_as_well_as_the_key() {
    let (answer, storage) = (answer(), Storage::with_passphrase().identity("a"));
    for secret in [PASSPHRASE, &storage.recovery_key] {
        let done = sign_bot(&answer, &storage, secret, "").assert_code(0);
        assert_signs_the_bot(&json_of(&done), &answer);
    }
    sign_bot(&answer, &storage, "something else", "").assert_says(1, &["neither the passphrase nor the key"]);
    let mut storage = storage;
    storage.account_data["m.secret_storage.key.default"]["passphrase"]["iterations"] =
        json!(4_000_000_000_u64);
    sign_bot(&answer, &storage, PASSPHRASE, "").assert_says(1, &["4000000000 iterations"]);
    sign_bot(&answer, &storage, &storage.recovery_key, "").assert_code(0);
}

// SSS-4, SSS-29
#[test]
fn the_default_key_comes_first_and_another_can_be_named() {
    let answer = answer();
    let other = Storage::new().key("other", 2);
    let mut only_other = Storage::new();
    only_other.key("other", 2);
    let only_other = only_other.secret_with("other", &other, "m.cross_signing.master", "a-m").secret_with(
        "other",
        &other,
        "m.cross_signing.self_signing",
        "a-s",
    );
    let words = other.to_representation().to_string();
    let done = sign_bot(&answer, &only_other, &words, "").assert_code(0);
    assert!(done.stderr.contains("key other of secret storage"), "{}", done.stderr);
    sign_bot(&answer, &only_other, &words, "--key-id default")
        .assert_says(1, &["not encrypted with key default", "other"]);
    sign_bot(&answer, &storage(), &storage().recovery_key, "--key-id default").assert_code(0);

    let mut both = storage();
    let entry = &only_other.account_data["m.cross_signing.self_signing"]["encrypted"]["other"];
    both.account_data["m.cross_signing.self_signing"]["encrypted"]["other"] = entry.clone();
    sign_bot(&answer, &both, &both.recovery_key, "").assert_code(0);
    both.account_data["m.secret_storage.default_key"] = json!({});
    sign_bot(&answer, &both, &both.recovery_key, "").assert_says(1, &["--key-id", "default, other"]);
    // A description without a check: the secrets tell.
    let mut unchecked = storage();
    unchecked.account_data["m.secret_storage.key.default"].as_object_mut().unwrap().remove("mac");
    let done = sign_bot(&answer, &unchecked, &unchecked.recovery_key, "").assert_code(0);
    assert!(done.stderr.contains("has no check"), "{}", done.stderr);
    sign_bot(&answer, &unchecked, &words, "")
        .assert_says(1, &["m.cross_signing.self_signing, with key default"]);
}

// TRU-1, XS-37
#[test]
fn the_master_signing_key_is_the_known_one_or_that_of_secret_storage() {
    let answer = answer();
    let without_master = Storage::new().secret("m.cross_signing.self_signing", "a-s");
    let key = &without_master.recovery_key;
    sign_bot(&answer, &without_master, key, "").assert_says(1, &["m.cross_signing.master", "--own USER=KEY"]);
    let own = |name: &str| format!("--own {ALICE}={}", public(name));
    let done = sign_bot(&answer, &without_master, key, &own("a-m")).assert_code(0);
    assert!(done.stderr.contains("the master signing key which you know"), "{}", done.stderr);
    sign_bot(&answer, &storage(), key, &own("z-m")).assert_says(1, &["and not", &public("z-m")]);
    // It is not even decrypted where it is not needed.
    let mut broken = storage();
    broken.account_data["m.cross_signing.master"] = json!({ "encrypted": { "default": {} } });
    sign_bot(&answer, &broken, &broken.recovery_key, &own("a-m")).assert_code(0);
    sign_bot(&answer, &broken, &broken.recovery_key, "").assert_code(1);
}

/// Nothing is signed, and the reason is said. Nobody is asked for a secret where the keys alone suffice to refuse.
#[track_caller]
fn assert_refused(answer: &Answer, storage: &Storage, args: &str, words: &[&str]) {
    let done = sign_bot(answer, storage, &storage.recovery_key, args).assert_says(1, words);
    assert_eq!(done.text(), "");
}

// XS-12, XS-13, XS-32, DL-30
#[test]
fn attack_103_a_device_that_must_not_be_signed_is_not() {
    let storage = storage();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut answer = answer();
        change(&mut answer.0);
        answer
    };
    let bot = |change: &dyn Fn(&mut Value)| {
        let mut answer = answer();
        change(&mut answer.0["device_keys"][ALICE]["BOT"]);
        answer
    };
    assert_refused(
        &answer(),
        &storage,
        &format!("--fingerprint {}", public("PHONE")),
        &["has the fingerprint", "and not"],
    );
    assert_refused(&answer(), &storage, "--device NOBODY", &["has no device NOBODY"]);
    assert_refused(&answer(), &storage, "--own @carol:example.org", &["no devices of @carol:example.org"]);
    assert_refused(
        &bot(&|bot| bot["signatures"] = json!({})),
        &storage,
        "",
        &["BOT in the answer is not taken"],
    );
    assert_refused(&bot(&|bot| bot["user_id"] = BOB.into()), &storage, "", &["name another user"]);
    assert_refused(&bot(&|bot| bot["algorithms"] = json!([])), &storage, "", &["does not verify"]);
    assert_refused(
        &bot(&|bot| {
            bot["keys"]["ed25519:BOT"] = public("a-m").into();
            bot["signatures"] = json!({});
            sign(bot, ALICE, "ed25519:BOT", "a-m");
        }),
        &storage,
        "",
        &["is a cross-signing key"],
    );
    for name in ["a-m", "a-s", "a-u"] {
        let id = public(name);
        let named = change(&|answer| {
            let mut object = device(ALICE, "BOT");
            object["device_id"] = id.as_str().into();
            object["keys"] = json!({
                format!("curve25519:{id}"): object["keys"]["curve25519:BOT"],
                format!("ed25519:{id}"): public("BOT"),
            });
            object["signatures"] = json!({});
            sign(&mut object, ALICE, &format!("ed25519:{id}"), "BOT");
            answer["device_keys"][ALICE][&id] = object;
        });
        assert_refused(&named, &storage, &format!("--device {id}"), &["must never be signed"]);
    }
    assert_refused(
        &change(&|answer| answer["self_signing_keys"][ALICE]["signatures"] = json!({})),
        &storage,
        "",
        &[
            "identity of @alice:example.org in the answer is not taken",
            "not signed by the master signing key",
        ],
    );
    assert_refused(
        &change(&|answer| answer["user_signing_keys"] = json!({})),
        &storage,
        "",
        &["no user-signing key"],
    );
    assert_refused(
        &change(&|answer| answer["master_keys"] = json!({})),
        &storage,
        "",
        &["no cross-signing identity"],
    );
    // Another identity altogether, perfect in itself: the private keys tell.
    let replaced = Answer::new().identity(ALICE, "z").device(ALICE, "BOT");
    assert_refused(&replaced, &storage, "", &["not that of the present self-signing key", "the server lies"]);
    // Our self-signing key under another master signing key.
    let mut stolen = Answer::new().identity(ALICE, "z").device(ALICE, "BOT");
    let mut ssk = identity::signing_key(ALICE, "self_signing", "a-s");
    sign(&mut ssk, ALICE, &format!("ed25519:{}", public("z-m")), "z-m");
    stolen.0["self_signing_keys"][ALICE] = ssk;
    assert_refused(&stolen, &storage, "", &["not that of the present master signing key"]);
    assert_refused(&stolen, &storage, &format!("--own {ALICE}={}", public("a-m")), &["and not"]);
}

// SSS-22, SSS-23
#[test]
fn attack_138_secrets_that_are_not_what_their_names_say() {
    let answer = answer();
    let mut swapped = storage();
    let master = swapped.account_data["m.cross_signing.master"].clone();
    swapped.account_data["m.cross_signing.self_signing"] = master;
    assert_refused(&answer, &swapped, "", &["m.cross_signing.self_signing"]);
    // Encrypted under the right name, but another key.
    assert_refused(
        &answer,
        &storage().secret("m.cross_signing.self_signing", "a-u"),
        "",
        &["not that of the present self-signing key"],
    );
    // An IV that the server has changed: no MAC covers it.
    let mut flipped = storage();
    let iv = &mut flipped.account_data["m.cross_signing.self_signing"]["encrypted"]["default"]["iv"];
    *iv = "AAAAAAAAAAAAAAAAAAAAAA".into();
    assert_refused(&answer, &flipped, "", &["m.cross_signing.self_signing"]);
    let mut none = storage();
    none.account_data["m.cross_signing.self_signing"] = json!({});
    assert_refused(&answer, &none, "", &["m.cross_signing.self_signing is not stored"]);
    assert_refused(&answer, &Storage::new(), "", &["m.cross_signing.self_signing is not stored"]);
    let wrong = Storage::new().key("x", 7).to_representation().to_string();
    sign_bot(&answer, &storage(), &wrong, "").assert_says(1, &["a key, but not this one"]);
    sign_bot(&answer, &storage(), "EsTx", "").assert_code(1);
    let mut undescribed = storage();
    undescribed.account_data.remove("m.secret_storage.key.default");
    assert_refused(&answer, &undescribed, "", &["m.secret_storage.key.default: there is none"]);
    let mut malformed = storage();
    malformed.account_data["m.secret_storage.key.default"]["mac"] = 7.into();
    assert_refused(&answer, &malformed, "", &["m.secret_storage.key.default"]);
    malformed.account_data["m.secret_storage.default_key"] = json!([]);
    assert_refused(&answer, &malformed, "", &["m.secret_storage.default_key"]);
}

#[test]
fn account_data_comes_as_a_folder_or_a_document() {
    let (answer, storage) = (answer(), storage());
    let folder = Folder::new();
    folder.write("keys.json", answer.text());
    folder.write("secret", &storage.recovery_key);
    let events: Vec<_> = storage
        .account_data
        .iter()
        .map(|(name, content)| json!({ "type": name, "content": content }))
        .collect();
    std::fs::create_dir(folder.path("data")).unwrap();
    for (at, (name, content)) in storage.account_data.iter().enumerate() {
        let event = json!({ "type": name, "content": content });
        match at % 3 {
            0 => folder.write(&format!("data/{name}"), content.to_string()),
            1 => folder.write(&format!("data/{name}.json"), content.to_string()),
            _ => folder.write(&format!("data/{name}.json"), event.to_string()),
        };
    }
    folder.write("list.json", json!(events).to_string());
    folder.write("sync.json", json!({ "account_data": { "events": events } }).to_string());
    for place in ["data", "list.json", "sync.json"] {
        let done = in_folder(&folder, &format!("--account-data {place}")).assert_code(0);
        assert_signs_the_bot(&json_of(&done), &answer);
    }
    folder.write("bad.json", "[1]");
    in_folder(&folder, "--account-data bad.json")
        .assert_says(1, &["bad.json", "list of account data events"]);
    in_folder(&folder, "--account-data none").assert_says(3, &["none"]);
}

// A key ID is the server's word: it names no file outside of the folder.
#[test]
fn attack_042_a_key_id_is_no_path() {
    let mut storage = storage();
    let secret = storage.account_data["m.cross_signing.self_signing"]["encrypted"]["default"].clone();
    storage.account_data["m.cross_signing.self_signing"]["encrypted"] = json!({ "/../../outside": secret });
    let folder = Folder::new();
    folder.write("keys.json", answer().text());
    folder.write("secret", &storage.recovery_key);
    folder.write("outside", storage.account_data["m.secret_storage.key.default"].to_string());
    std::fs::create_dir_all(folder.path("data/m.secret_storage.key.")).unwrap();
    for (name, content) in &storage.account_data {
        folder.write(&format!("data/{name}"), content.to_string());
    }
    in_folder(&folder, "--account-data data")
        .assert_says(1, &["m.secret_storage.key./../../outside: there is none"]);
}

#[test]
fn the_command_line_says_what_is_missing() {
    for (args, words) in [
        ("", "--own"),
        ("--own @a:b --device D --keys-query k", "--account-data"),
        ("--homeserver https://example.org", "--token"),
        ("--homeserver http://example.org --token-fd 0", "https:// is needed"),
        ("--own @a:b --device D --keys-query - --account-data -", "standard input"),
        ("--own @a:b --device D --keys-query k --account-data d --token-file t", "--homeserver"),
        ("--own @a:b --device D --fingerprint AAAA --keys-query k --account-data d", "fingerprint"),
        ("--own @a:b --device D --keys-query k --account-data d --dry-run", "--homeserver"),
        ("--homeserver https://example.org --token-fd 0 --account-data d", "cannot be used with"),
    ] {
        let args = ["identity", "sign-device"].into_iter().chain(args.split_whitespace());
        run(args).assert_says(2, &[words]);
    }
    let help = run(["identity", "sign-device", "--help"]).assert_code(0);
    assert!(
        !help.text().contains("--token ") && !help.text().contains("--recovery-key "),
        "no secret is an argument"
    );
}

/// A homeserver with the answer and account data, which takes signatures.
fn homeserver(answer: Answer, storage: Storage) -> Server {
    let answer = Mutex::new(answer);
    Server::start(move |request| serve(&mut answer.lock().unwrap(), &storage, request))
}

fn serve(answer: &mut Answer, storage: &Storage, request: &Request) -> Response {
    if request.token.as_deref() != Some(TOKEN) {
        return refused(401, "M_UNKNOWN_TOKEN", "Unrecognised access token");
    }
    let path = request.path.strip_prefix("/_matrix/client/v3/").unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "account/whoami") => ok(&json!({ "user_id": ALICE, "device_id": "BOT" })),
        ("POST", "keys/query") => ok(&answer.0),
        ("POST", "keys/signatures/upload") => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let signatures = &body[ALICE]["BOT"]["signatures"][ALICE];
            for (key_id, signature) in signatures.as_object().unwrap() {
                identity::put(
                    &mut answer.0["device_keys"][ALICE]["BOT"],
                    ALICE,
                    key_id,
                    signature.as_str().unwrap(),
                );
            }
            ok(&json!({}))
        }
        ("GET", path) => {
            let event_type =
                path.strip_prefix("user/%40alice%3Aexample.org/account_data/").unwrap_or_default();
            match storage.account_data.get(event_type) {
                Some(content) => ok(content),
                None => refused(404, "M_NOT_FOUND", "Account data not found"),
            }
        }
        _ => refused(404, "M_UNRECOGNIZED", "Unrecognized request"),
    }
}

const TOKEN: &str = "syt_a_token";

fn at_server(server: &Server, secret: &str, args: &str) -> Done {
    let folder = Folder::new();
    folder.write("token", format!("{TOKEN}\n"));
    folder.write("secret", secret);
    let token = if args.contains("--token") { "" } else { "--token-file token" };
    let line = format!(
        "cd \"$0\"; exec \"$TOOL\" identity sign-device --homeserver {} {token} --recovery-key-fd 3 {args} 3<secret 4<token",
        server.url
    );
    shell(&line, &[&folder.path("")])
}

// XS-26, XS-41
#[test]
fn at_a_homeserver_the_signature_is_sent_and_seen() {
    let (answer, storage) = (answer(), storage());
    let server = homeserver(answer.clone(), storage.clone());
    let done = at_server(&server, &storage.recovery_key, "--dry-run").assert_code(0);
    assert_signs_the_bot(&json_of(&done), &answer);
    let uploads = |server: &Server| {
        let requests = server.requests().into_iter();
        requests.filter(|request| request.path.ends_with("keys/signatures/upload")).collect::<Vec<_>>()
    };
    assert!(uploads(&server).is_empty());

    let args = format!("--json --token-fd 4 --fingerprint {}", public("BOT"));
    let done = at_server(&server, &storage.recovery_key, &args).assert_code(0);
    let report = json_of(&done);
    assert_eq!((&report["result"], &report["device_id"]), (&json!("signed"), &json!("BOT")));
    assert_eq!(uploads(&server).len(), 1);
    assert_signs_the_bot(&serde_json::from_str(&uploads(&server)[0].body).unwrap(), &answer);
    let done = at_server(&server, &storage.recovery_key, "--json").assert_code(0);
    assert_eq!(json_of(&done)["result"], "already signed");
    assert_eq!(uploads(&server).len(), 1);
    // Neither the private keys nor what opens them leave this machine.
    let words: Vec<_> = ["a-m", "a-s", "a-u"]
        .map(|name| mx_types::base64::encode_to_string(identity::key(name).seed().unwrap()))
        .into();
    for request in server.requests() {
        for word in words.iter().chain([&storage.recovery_key]) {
            assert!(!request.body.contains(word) && !request.path.contains(word));
        }
    }
}

// XS-47
#[test]
fn what_a_homeserver_refuses_is_said_with_its_words() {
    let key = storage().recovery_key;
    let failures = json!({ ALICE: { "BOT": { "errcode": "M_INVALID_SIGNATURE", "error": "no" } } });
    let html = |status| (status, None, "<html>".to_owned());
    let token = refused(401, "M_UNKNOWN_TOKEN", "Invalid \u{1b}[2J token");
    let cases: [(&str, Response, &str, &[&str]); 10] = [
        ("/whoami", token, "", &["401 M_UNKNOWN_TOKEN: Invalid", "access token of this server"]),
        ("/whoami", html(200), "", &["whoami is malformed"]),
        ("/whoami", html(404), "", &["404", "is this the URL of a homeserver"]),
        (
            "/whoami",
            ok(&json!({ "user_id": BOB })),
            "--own @alice:example.org",
            &["that of @bob:example.com"],
        ),
        ("/whoami", ok(&json!({ "user_id": ALICE })), "", &["no device", "--device"]),
        (
            "/keys/query",
            refused(429, "M_LIMIT_EXCEEDED", "Too many"),
            "",
            &["429 M_LIMIT_EXCEEDED: Too many"],
        ),
        ("m.cross_signing.master", refused(500, "M_UNKNOWN", "oops"), "", &["master", "500 M_UNKNOWN: oops"]),
        ("/upload", refused(400, "M_INVALID_SIGNATURE", "no"), "", &["400 M_INVALID_SIGNATURE"]),
        ("/upload", ok(&json!({ "failures": failures })), "", &["signature on BOT", "M_INVALID_SIGNATURE"]),
        ("/upload", ok(&json!({})), "", &["does not show it"]),
    ];
    for (path, response, args, words) in cases {
        // One request is answered in another way than an honest server would.
        let answer = Mutex::new(answer());
        let server = Server::start(move |request| {
            let is_it = request.path.ends_with(path);
            if is_it { response.clone() } else { serve(&mut answer.lock().unwrap(), &storage(), request) }
        });
        let done = at_server(&server, &key, args).assert_says(1, words);
        assert!(!done.stderr.contains('\u{1b}') && !done.stderr.contains(TOKEN), "{}", done.stderr);
    }
    // A server that is not there.
    at_server(&Server::gone(), &key, "").assert_says(3, &["http://127.0.0.1:9"]);
}

#[test]
fn no_redirect_carries_the_token_elsewhere() {
    let elsewhere = Server::start(|_| ok(&json!({ "user_id": ALICE, "device_id": "BOT" })));
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/_matrix/client/v3/account/whoami", elsewhere.url);
        let server = Server::start(move |_| (status, Some(("Location", location.clone())), String::new()));
        let words = [&status.to_string(), "redirect is not followed", elsewhere.url.as_str()];
        at_server(&server, "x", "").assert_says(1, &words);
    }
    assert!(elsewhere.requests().is_empty());
    // Nor does a proxy get what is not encrypted.
    let proxy = Server::start(|_| ok(&json!({})));
    let server = homeserver(answer(), storage());
    let folder = Folder::new();
    folder.write("token", TOKEN);
    folder.write("secret", &storage().recovery_key);
    let line = format!(
        "cd \"$0\"; export http_proxy={0} HTTP_PROXY={0} ALL_PROXY={0}; exec \"$TOOL\" identity sign-device --homeserver {1} --token-file token --recovery-key-fd 3 3<secret",
        proxy.url, server.url
    );
    shell(&line, &[&folder.path("")]).assert_code(0);
    assert!(proxy.requests().is_empty());
}
