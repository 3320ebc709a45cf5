//! `identity bootstrap`: what is made is what other commands and crates take, and nothing is ever replaced.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]
#![allow(clippy::std_instead_of_alloc, reason = "a program has an operating system")]

#[path = "support/identity.rs"]
mod identity;
#[path = "support/server.rs"]
mod server;
mod support;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use identity::{ALICE, Answer, BOB, public};
use mx_canonical_json::Limits;
use mx_curve25519::Curve25519SecretKey;
use mx_secret_storage::{KeyCheck, KeyDescription, SecretStorageKey, StoredSecret};
use mx_signing::SignedObject;
use mx_types::{Ed25519PublicKey, KeyId};
use serde_json::{Map, Value, json};
use server::{Request, Response, Server, ok, refused};
use support::{Done, Folder, run, shell};

/// What a server would have after the requests of a document.
struct Account {
    account_data: Map<String, Value>,
    /// The answer to `/keys/query`.
    keys: Answer,
    backup: Option<Value>,
    paths: Vec<String>,
}

impl Account {
    fn of(document: &Value, mut keys: Answer) -> Self {
        let (mut account_data, mut backup, mut paths) = (Map::new(), None, Vec::new());
        for request in document["requests"].as_array().unwrap() {
            let (path, body) = (request["path"].as_str().unwrap(), &request["body"]);
            let path = path.strip_prefix("/_matrix/client/v3/").unwrap();
            match (request["method"].as_str().unwrap(), path) {
                ("POST", "keys/device_signing/upload") => {
                    for role in ["master", "self_signing", "user_signing"] {
                        keys.0[format!("{role}_keys")][ALICE] = body[format!("{role}_key")].clone();
                    }
                }
                ("POST", "keys/signatures/upload") => {
                    for (device_id, object) in body[ALICE].as_object().unwrap() {
                        for (key_id, signature) in object["signatures"][ALICE].as_object().unwrap() {
                            keys.0["device_keys"][ALICE][device_id]["signatures"][ALICE][key_id] =
                                signature.clone();
                        }
                    }
                }
                ("POST", "room_keys/version") => backup = Some(body.clone()),
                ("PUT", path) => {
                    let event_type = path.strip_prefix("user/%40alice%3Aexample.org/account_data/").unwrap();
                    assert!(account_data.insert(event_type.to_owned(), body.clone()).is_none());
                }
                other => panic!("{other:?}"),
            }
            let known = path.rsplit('/').next().unwrap();
            paths.push(
                if known.starts_with("m.secret_storage.key.") { "m.secret_storage.key" } else { known }
                    .to_owned(),
            );
        }
        Self { account_data, keys, backup, paths }
    }

    fn secret(&self, name: &str, key: &SecretStorageKey) -> String {
        let key_id = self.account_data["m.secret_storage.default_key"]["key"].as_str().unwrap();
        let stored = StoredSecret::parse(name, &self.account_data[name].to_string()).unwrap();
        stored
            .decrypt(key_id, key)
            .unwrap()
            .validate(|secret| Ok::<_, ()>(secret.as_str().to_owned()))
            .unwrap()
    }

    fn description(&self) -> KeyDescription {
        let key_id = self.account_data["m.secret_storage.default_key"]["key"].as_str().unwrap();
        let content = self.account_data[&format!("m.secret_storage.key.{key_id}")].to_string();
        KeyDescription::parse(&content).unwrap()
    }
}

fn recovery_key(folder: &Folder) -> SecretStorageKey {
    let text = String::from_utf8(folder.read("key")).unwrap();
    SecretStorageKey::from_representation(text.trim_end()).unwrap()
}

fn document(folder: &Folder) -> Value {
    serde_json::from_slice(&folder.read("out.json")).unwrap()
}

/// An account with a device, and nothing else.
fn bare() -> Answer {
    Answer::new().device(ALICE, "PHONE")
}

/// Runs it offline on an account with this answer and this account data.
fn bootstrap(folder: &Folder, keys: &Answer, account_data: &Value, args: &[&str]) -> Done {
    let keys = folder.write("keys.json", keys.text());
    let account_data = folder.write("account-data.json", account_data.to_string());
    let (key, out) = (folder.text_path("key"), folder.text_path("out.json"));
    let start =
        ["identity", "bootstrap", "--own", ALICE, "--keys-query", &keys, "--account-data", &account_data];
    run(start.into_iter().chain(args.iter().copied()).chain(["--key-file", &key, &out]))
}

// IDC-20, SSS-2, SSS-29, BAK-2
#[test]
fn what_is_made_opens_with_the_key_and_signs_a_device_later() {
    let folder = Folder::new();
    let done = bootstrap(&folder, &bare(), &json!({ "m.other": {} }), &["--json"]).assert_code(0);
    assert!(done.stderr.contains("--backup"), "{}", done.stderr);
    let document = document(&folder);
    assert_eq!(done.lines()[0]["master_signing_key"], document["master_signing_key"]);
    let account = Account::of(&document, bare());
    assert_eq!(
        account.paths,
        [
            "upload",
            "m.secret_storage.key",
            "m.cross_signing.master",
            "m.cross_signing.self_signing",
            "m.cross_signing.user_signing",
            "m.megolm_backup.v1",
            "version",
            "m.secret_storage.default_key",
        ]
    );

    // The backup's key is in secret storage, and the master signing key vouches for it.
    let key = recovery_key(&folder);
    assert_eq!(account.description().check(&key), KeyCheck::Valid);
    let auth_data = &account.backup.as_ref().unwrap()["auth_data"];
    assert_eq!(account.backup.as_ref().unwrap()["algorithm"], "m.megolm_backup.v1.curve25519-aes-sha2");
    let mut backup_key = [0; 32];
    mx_types::base64::decode_secret(&account.secret("m.megolm_backup.v1", &key), &mut backup_key).unwrap();
    let backup_key = Curve25519SecretKey::from_secret_bytes(&backup_key).public_key();
    assert_eq!(auth_data["public_key"], backup_key.to_string());
    let msk = document["master_signing_key"].as_str().unwrap();
    let (text, key_id) = (auth_data.to_string(), format!("ed25519:{msk}"));
    let signed = SignedObject::parse(&text, &Limits::DEFAULT).unwrap();
    let by = Ed25519PublicKey::from_base64(msk).unwrap();
    assert!(signed.verify(ALICE, KeyId::parse(&key_id).unwrap(), by).is_ok());

    // With the key alone another command signs a device.
    let keys = folder.write("keys-2.json", account.keys.text());
    let account_data = folder.write("account-data-2.json", Value::Object(account.account_data).to_string());
    let line = format!(
        "\"$TOOL\" identity sign-device --own {ALICE} --device PHONE --keys-query \"$0\" --account-data \"$1\" \
         --recovery-key-fd 3 3<\"$2\""
    );
    let signed =
        shell(&line, &[Path::new(&keys), Path::new(&account_data), &folder.path("key")]).assert_code(0);
    assert!(signed.lines()[0][ALICE]["PHONE"].is_object(), "{}", signed.text());
}

#[test]
fn a_device_is_signed_at_once() {
    let folder = Folder::new();
    let args = ["--device", "PHONE", "--fingerprint", &public("PHONE"), "--no-backup"];
    let done = bootstrap(&folder, &bare(), &json!({}), &args).assert_code(0);
    assert_eq!(done.stderr, "");
    let document = document(&folder);
    assert_eq!(document["device_id"], "PHONE");
    let account = Account::of(&document, bare());
    assert!(account.backup.is_none() && !account.account_data.contains_key("m.megolm_backup.v1"));
    let keys = folder.write("keys-2.json", account.keys.text());
    let own = format!("{ALICE}={}", document["master_signing_key"].as_str().unwrap());
    let audit = run(["identity", "audit", "--json", "--own", &own, &keys]).assert_code(0);
    let is_phone = |line: &Value| line["device_id"] == "PHONE" && line["trust"] == "verified";
    assert!(audit.lines().iter().any(is_phone), "{}", audit.text());
}

#[test]
fn a_device_that_is_not_there_or_has_another_key_is_refused() {
    let folder = Folder::new();
    let refused = |keys: &Answer, args: &[&str], word: &str| {
        bootstrap(&folder, keys, &json!({}), args).assert_says(1, &[word, "nothing was written"]);
        assert_eq!(folder.names(), ["account-data.json", "keys.json"]);
    };
    refused(&bare(), &["--device", "LAPTOP"], "no such device");
    refused(&bare(), &["--device", "PHONE", "--fingerprint", &public("LAPTOP")], &public("PHONE"));
    let mut forged = bare();
    forged.0["device_keys"][ALICE]["PHONE"]["keys"]["ed25519:PHONE"] = public("MALLORY").into();
    refused(&forged, &["--device", "PHONE"], "no such device");
    bootstrap(&folder, &bare(), &json!({}), &["--device", "PHONE"])
        .assert_says(0, &["without --fingerprint"]);
}

#[test]
fn an_account_that_has_any_of_it_is_refused() {
    let folder = Folder::new();
    let secret = json!({ "encrypted": { "id": {} } });
    let none = json!({});
    let identity = Answer::new().identity(ALICE, "a");
    let only = |role: &str| {
        let mut keys = bare();
        keys.0[format!("{role}_keys")][ALICE] = identity.0[format!("{role}_keys")][ALICE].clone();
        keys
    };
    let cases = [
        (only("master"), none.clone(), "master signing key"),
        (only("self_signing"), none.clone(), "self-signing key"),
        (only("user_signing"), none.clone(), "user-signing key"),
        (bare(), json!({ "m.secret_storage.default_key": { "key": "id" } }), "default key"),
        (bare(), json!({ "m.cross_signing.master": secret }), "m.cross_signing.master"),
        (bare(), json!({ "m.cross_signing.self_signing": secret }), "m.cross_signing.self_signing"),
        (bare(), json!({ "m.cross_signing.user_signing": secret }), "m.cross_signing.user_signing"),
        (bare(), json!({ "m.megolm_backup.v1": secret }), "m.megolm_backup.v1"),
    ];
    for (keys, account_data, word) in cases {
        bootstrap(&folder, &keys, &account_data, &[]).assert_says(1, &[word, "already"]);
        assert_eq!(folder.names(), ["account-data.json", "keys.json"]);
    }
    // What cannot be understood might be something.
    for account_data in [
        json!({ "m.secret_storage.default_key": { "key": 1 } }),
        json!({ "m.cross_signing.master": { "encrypted": [] } }),
    ] {
        bootstrap(&folder, &bare(), &account_data, &[]).assert_code(1);
    }
    bootstrap(&folder, &Answer::new().device(BOB, "PHONE"), &none, &[]).assert_says(1, &["says nothing of"]);
    let version = folder.write("version.json", r#"{"version":"1","algorithm":"a","auth_data":{}}"#);
    bootstrap(&folder, &bare(), &none, &["--backup", &version]).assert_says(1, &["a key backup already"]);
    assert_eq!(folder.names(), ["account-data.json", "keys.json", "version.json"]);
}

#[test]
fn what_was_emptied_is_nothing_and_unknown_members_stay() {
    let folder = Folder::new();
    let version = folder.write("version.json", r#"{"errcode":"M_NOT_FOUND","error":"No backup found"}"#);
    let account_data = json!({
        "m.secret_storage.default_key": {},
        "m.cross_signing.master": { "x.y": [1.5] },
        "m.megolm_backup.v1": { "encrypted": {} },
    });
    let done = bootstrap(&folder, &bare(), &account_data, &["--backup", &version]).assert_code(0);
    assert_eq!(done.stderr, "");
    let account = Account::of(&document(&folder), bare());
    assert_eq!(account.account_data["m.cross_signing.master"]["x.y"], json!([1.5]));
}

#[test]
fn the_key_is_shown_on_a_terminal_or_in_a_private_file_only() {
    let folder = Folder::new();
    let out = folder.text_path("out.json");
    let start = ["identity", "bootstrap", "--own", ALICE, "--unchecked"];
    run(start.into_iter().chain([out.as_str()])).assert_says(2, &["no terminal", "--key-file"]);
    let same = folder.text_path("./out.json");
    for (key, out) in [("-", "-"), (out.as_str(), out.as_str()), (same.as_str(), out.as_str())] {
        run(start.into_iter().chain(["--force", "--key-file", key, out])).assert_says(2, &["one place"]);
    }
    assert_eq!(folder.names(), Vec::<String>::new());

    let key = folder.text_path("key");
    let done = run(start.into_iter().chain(["--key-file", &key, &out])).assert_code(0);
    let shown = String::from_utf8(folder.read("key")).unwrap();
    assert!(!done.text().contains(shown.trim_end()) && !done.stderr.contains(shown.trim_end()));
    let text = String::from_utf8(folder.read("out.json")).unwrap();
    assert!(!text.contains(shown.trim_end()));
    for name in ["key", "out.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // Neither is replaced.
    run(start.into_iter().chain(["--key-file", &key, &folder.text_path("new")])).assert_code(2);
    run(start.into_iter().chain(["--key-file", &folder.text_path("new"), &out])).assert_code(2);
    assert_eq!(folder.names(), ["key", "out.json"]);
    let on_standard_output =
        run(start.into_iter().chain(["--key-file", "-", "--force", &out])).assert_code(0);
    assert!(SecretStorageKey::from_representation(on_standard_output.text().trim_end()).is_ok());
}

#[test]
fn a_passphrase_opens_what_was_made() {
    let folder = Folder::new();
    let line = format!(
        "printf 'open sesame\\n' | \"$TOOL\" identity bootstrap --own {ALICE} --unchecked --passphrase-fd 0 \
         --rounds 10 --key-file \"$0\" \"$1\""
    );
    shell(&line, &[&folder.path("key"), &folder.path("out.json")]).assert_says(0, &["cheap"]);
    let account = Account::of(&document(&folder), bare());
    let unlocked = account.description().unlock("open sesame", 10).unwrap().finish().unwrap();
    assert_eq!(unlocked.key.as_bytes(), recovery_key(&folder).as_bytes());
    let line = line.replace("open sesame", "").replace("$0", "$0-2").replace("$1", "$1-2");
    shell(&line, &[&folder.path("key"), &folder.path("out.json")]).assert_says(1, &["empty"]);
    assert_eq!(folder.names(), ["key", "out.json"]);
}

#[test]
fn files_are_needed_unless_the_account_is_new() {
    let folder = Folder::new();
    let (key, out) = (folder.text_path("key"), folder.text_path("out.json"));
    run(["identity", "bootstrap", "--own", ALICE, "--key-file", &key, &out])
        .assert_says(2, &["--keys-query", "--account-data", "--unchecked"]);
    run(["identity", "bootstrap", "--unchecked", "--key-file", &key, &out]).assert_code(2);
    run(["identity", "bootstrap", "--own", "alice", "--unchecked", "--key-file", &key, &out]).assert_code(2);
    assert_eq!(folder.names(), Vec::<String>::new());
}

/// A homeserver with this account, which wants a password for new cross-signing keys. It refuses the request to `fails`.
fn homeserver(fails: &'static str) -> (Server, Arc<Mutex<Answer>>) {
    let keys = Arc::new(Mutex::new(bare()));
    let state = Arc::clone(&keys);
    let server = Server::start(move |request: &Request| -> Response {
        let path = request.path.strip_prefix("/_matrix/client/v3/").unwrap();
        if request.token.as_deref() != Some("syt_token") {
            return refused(401, "M_UNKNOWN_TOKEN", "who is this?");
        }
        if !fails.is_empty() && request.method != "GET" && path.contains(fails) {
            return refused(500, "M_UNKNOWN", "out of order");
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match (request.method.as_str(), path) {
            ("GET", "account/whoami") => ok(&json!({ "user_id": ALICE, "device_id": "PHONE" })),
            ("GET", _) => refused(404, "M_NOT_FOUND", "nothing here"),
            ("POST", "keys/query") => ok(&state.lock().unwrap().0),
            ("POST", "keys/device_signing/upload") => {
                let flows =
                    json!({ "flows": [{ "stages": ["m.login.password"] }], "params": {}, "session": "s" });
                let auth = &body["auth"];
                if auth.is_null() {
                    return (401, None, flows.to_string());
                }
                let right = json!({
                    "type": "m.login.password", "password": "pass\"word", "session": "s",
                    "identifier": { "type": "m.id.user", "user": ALICE },
                });
                if *auth != right {
                    return refused(403, "M_FORBIDDEN", "invalid password");
                }
                state.lock().unwrap().0["master_keys"][ALICE] = body["master_key"].clone();
                ok(&json!({}))
            }
            ("POST", "room_keys/version") => ok(&json!({ "version": "1" })),
            ("POST", "keys/signatures/upload") => ok(&json!({ "failures": {} })),
            ("PUT", _) => ok(&json!({})),
            other => panic!("{other:?}"),
        }
    });
    (server, keys)
}

fn against(server: &Server, folder: &Folder, password: &str, args: &str) -> Done {
    folder.write("token", "syt_token\n");
    folder.write("password", password);
    let line = format!(
        "\"$TOOL\" identity bootstrap --homeserver {} --token-file \"$0\" --password-fd 3 {args} --key-file \"$1\" \
         \"$2\" 3<\"$3\"",
        server.url
    );
    let paths = [folder.path("token"), folder.path("key"), folder.path("out.json"), folder.path("password")];
    shell(&line, &paths.each_ref().map(|path| path.as_path()))
}

#[test]
fn everything_is_sent_to_a_homeserver_in_its_order() {
    let folder = Folder::new();
    let (server, _) = homeserver("");
    let args = format!("--device PHONE --fingerprint {} --json", public("PHONE"));
    let done = against(&server, &folder, "pass\"word\n", &args).assert_code(0);
    assert_eq!(done.lines()[0]["result"], "sent");
    let sent: Vec<_> = server.requests().into_iter().filter(|request| request.method != "GET").collect();
    let document = document(&folder);
    let expected: Vec<_> = document["requests"].as_array().unwrap().iter().collect();
    let written =
        |request: &&Request| !request.path.ends_with("/keys/query") && !request.body.contains("\"auth\"");
    let sent: Vec<_> = sent.iter().filter(written).collect();
    assert_eq!(sent.len(), expected.len());
    for (sent, expected) in sent.iter().zip(expected) {
        assert_eq!(sent.path, expected["path"]);
        assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap(), expected["body"]);
    }
    let text = document.to_string();
    assert!(!text.contains("pass\\\"word") && !text.contains("syt_token"));

    // And not again.
    let again = Folder::new();
    against(&server, &again, "pass\"word\n", "").assert_says(1, &["master signing key already"]);
    assert_eq!(again.names(), ["password", "token"]);
}

#[test]
fn what_a_homeserver_refuses_is_named_with_what_is_left() {
    let folder = Folder::new();
    let (server, _) = homeserver("");
    against(&server, &folder, "wrong\n", "")
        .assert_says(1, &["M_FORBIDDEN", "nothing was changed on the server"]);
    let (server, _) = homeserver("m.megolm_backup.v1");
    against(&server, &folder, "pass\"word\n", "--force")
        .assert_says(1, &["M_UNKNOWN", "5 of 8 requests were accepted", "out.json"]);
    assert_eq!(folder.names(), ["key", "out.json", "password", "token"]);
}
