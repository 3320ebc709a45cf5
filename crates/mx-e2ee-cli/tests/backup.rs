//! `backup decrypt`: answers of servers, good and bad.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use mx_key_backup::{ALGORITHM, AuthData, BackupDecryptionKey, KeySource, ServerBackup, TrustAnchors};
use mx_key_export::read;
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::BackedUpSessionData;
use mx_types::{Curve25519PublicKey, UserId};
use serde_json::{Map, Value, json};

use support::{Done, Folder};

const ROOM: &str = "!room:example.org";

fn key() -> BackupDecryptionKey {
    BackupDecryptionKey::from_bytes(&[7; 32])
}

fn version(members: &Value) -> String {
    let mut auth_data = json!({"public_key": key().public_key().to_string()});
    auth_data.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({"algorithm": ALGORITHM, "auth_data": auth_data, "version": "1", "etag": "0", "count": 3})
        .to_string()
}

/// An entry of the backup, and the session's ID.
fn entry() -> (String, Value) {
    let outbound = OutboundGroupSession::new(&mut getrandom::SysRng).unwrap();
    let session = InboundGroupSession::new(&outbound.session_key());
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    (
        outbound.session_id().to_string(),
        encrypted(&BackedUpSessionData::new(session.export(), sender_key).emit_to_vec()),
    )
}

fn encrypted(plaintext: &[u8]) -> Value {
    let key = key();
    let anchors = TrustAnchors {
        user_id: UserId::parse("@a:b").unwrap(),
        master_signing_key: None,
        devices: &[],
        decryption_key: Some((&key, KeySource::TypedIn)),
    };
    let backup = ServerBackup::parse(&version(&json!({}))).unwrap().trust(&anchors).unwrap();
    let data = backup.encrypt_bytes(&mut getrandom::SysRng, plaintext).unwrap().emit();
    let data: Value = serde_json::from_str(&data).unwrap();
    json!({"first_message_index": 0, "forwarded_count": 0, "is_verified": false, "session_data": data})
}

/// Three sessions of a room.
fn sessions() -> (Vec<String>, Map<String, Value>) {
    let sessions: Map<_, _> = (0..3).map(|_| entry()).collect();
    (sessions.keys().cloned().collect(), sessions)
}

fn whole(sessions: Map<String, Value>) -> String {
    json!({"rooms": {ROOM: {"sessions": sessions}}}).to_string()
}

/// The tool with a key on descriptor 3 and a passphrase on 4. `$1` and so on are `args`.
fn decrypt(key: &str, options: &str, args: &[&str]) -> Done {
    let line = format!(
        "exec \"$TOOL\" backup decrypt --key-fd 3 --new-passphrase-fd 4 --rounds 10 {options} 3<<'K' 4<<'P'\n{key}\nK\nsecret\nP\n"
    );
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).arg("sh").args(args).env("TOOL", env!("CARGO_BIN_EXE_mx-e2ee"));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Done::of(shell.output().unwrap())
}

/// The session IDs in a key file.
fn ids(file: &[u8]) -> Vec<String> {
    let sessions = read(file, "secret").unwrap();
    assert!(sessions.refused.is_empty());
    sessions.sessions.iter().map(|session| session.session_id().to_string()).collect()
}

#[test]
fn an_answer_becomes_a_key_file_and_each_session_says_what_it_is() {
    let folder = Folder::new();
    let (session_ids, sessions) = sessions();
    let answer = folder.write("answer.json", whole(sessions.clone()));
    let (base64, shown) = (key().to_base64(), key().to_key_representation());
    let padded = format!("{}=", *base64);
    let decimal = key().as_bytes().map(|byte| byte.to_string()).join(",");
    let forms = [shown.as_str(), &shown.replace(' ', ""), base64.as_str(), &padded, &decimal];
    for (number, form) in forms.into_iter().enumerate() {
        let out = folder.text_path(&format!("{number}.txt"));
        let done = decrypt(form, "--json \"$1\" \"$2\"", &[&answer, &out]).assert_code(0);
        let lines = done.lines();
        assert_eq!(lines.len(), 4);
        for (index, (line, id)) in lines.iter().zip(&session_ids).enumerate() {
            let expected = json!({
                "entry": index, "room_id": ROOM, "session_id": id, "verdict": "restored", "first_known_index": 0,
                "authenticated": false,
            });
            assert_eq!(*line, expected);
        }
        let summary = json!({
            "file": out, "written": 3, "entries": 3, "not_decrypted": 0, "unknown_algorithm": 0, "refused": 0,
            "complete": true, "authenticated": false,
        });
        assert_eq!(lines[3], summary);
        assert_eq!(ids(&folder.read(&format!("{number}.txt"))), session_ids);
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    }

    // As a table, and the file to standard output.
    let table = decrypt(&base64, "\"$1\" \"$2\"", &[&answer, &folder.text_path("table.txt")]).assert_code(0);
    assert!(
        table.text().contains("restored") && table.text().contains("authenticated      no"),
        "{}",
        table.text()
    );
    let piped = decrypt(&base64, "--json - - <\"$1\"", &[&answer]).assert_code(0);
    assert_eq!(ids(&piped.stdout), session_ids);
    assert_eq!(piped.stderr.lines().filter(|line| line.starts_with('{')).count(), 4, "{}", piped.stderr);

    // Of one room, and of one session.
    let room = folder.write("room.json", json!({"sessions": sessions}).to_string());
    let out = folder.text_path("of-room.txt");
    decrypt(&base64, "--room '!room:example.org' \"$1\" \"$2\"", &[&room, &out]).assert_code(0);
    assert_eq!(ids(&folder.read("of-room.txt")), session_ids);
    let session = folder.write("session.json", sessions[&session_ids[1]].to_string());
    let out = folder.text_path("of-session.txt");
    let options = "--room '!room:example.org' --session \"$3\" \"$1\" \"$2\"";
    decrypt(&base64, options, &[&session, &out, &session_ids[1]]).assert_code(0);
    assert_eq!(ids(&folder.read("of-session.txt")), session_ids[1..2]);
}

#[test]
fn each_bad_entry_is_named_and_the_others_are_written() {
    let folder = Folder::new();
    let (session_ids, mut sessions) = sessions();
    let good = sessions[&session_ids[0]].clone();
    let mut changed = good.clone();
    changed["session_data"]["mac"] = "AAAAAAAAAAA".into();
    let mut short = good.clone();
    short["session_data"]["mac"] = "AAAA".into();
    let unknown = encrypted(br#"{"algorithm":"org.example.v2"}"#);
    let bad = [
        ("\u{1b}[2J", json!(1), "refused", "control character"),
        ("a", changed, "not decrypted", "not encrypted for this key, or damaged"),
        ("b", short, "refused", "mac: 8 bytes of Base64 expected, 3 found"),
        ("c", unknown, "unknown algorithm", "algorithm is not m.megolm.v1.aes-sha2"),
        ("d", good, "refused", "session is not the one that it is filed under"),
    ];
    for (id, value, ..) in &bad {
        sessions.insert((*id).to_owned(), value.clone());
    }
    let answer = folder.write("answer.json", whole(sessions));
    let out = folder.text_path("keys.txt");
    let done = decrypt(&key().to_base64(), "--json \"$1\" \"$2\"", &[&answer, &out]).assert_code(1);
    let lines = done.lines();
    for (id, _, verdict, why) in bad {
        let line = lines.iter().find(|line| line["session_id"] == id).unwrap();
        assert_eq!(line["verdict"], verdict);
        assert!(line["why"].as_str().unwrap().contains(why), "{line}");
    }
    let summary = lines.last().unwrap();
    let counts =
        ["written", "entries", "not_decrypted", "unknown_algorithm", "refused"].map(|name| &summary[name]);
    assert_eq!(counts, [3, 8, 1, 1, 3]);
    let mut written = ids(&folder.read("keys.txt"));
    written.sort();
    let mut expected = session_ids;
    expected.sort();
    assert_eq!(written, expected);
    assert!(!done.text().contains('\u{1b}'), "nothing steers the terminal");
    let table = decrypt(&key().to_base64(), "--force \"$1\" \"$2\"", &[&answer, &out]).assert_code(1);
    assert!(!table.text().contains('\u{1b}'));
}

#[test]
fn a_key_of_another_backup_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let answer = folder.write("answer.json", whole(sessions().1));
    let out = folder.text_path("keys.txt");
    let auth_data = folder.write("version.json", version(&json!({})));
    let (right, wrong) = (key().to_base64(), BackupDecryptionKey::from_bytes(&[8; 32]).to_base64());
    let options = "--auth-data \"$3\" \"$1\" \"$2\"";
    decrypt(&wrong, options, &[&answer, &out, &auth_data])
        .assert_says(1, &["not the key of this backup", &key().public_key().to_string()]);
    decrypt(&wrong, "\"$1\" \"$2\"", &[&answer, &out])
        .assert_says(1, &["nothing was decrypted", "--auth-data"]);
    assert_eq!(folder.names(), ["answer.json", "version.json"]);
    decrypt(&right, options, &[&answer, &out, &auth_data]).assert_code(0);
    decrypt(&right, options, &[&answer, &out, &auth_data]).assert_says(2, &["exists", "--force"]);

    for (text, words) in [
        ("{}", "auth_data is missing"),
        ("[", "not JSON"),
        (&version(&json!({})).replace(ALGORITHM, "org.example.v9"), "algorithm of the backup is not"),
        (&version(&json!({"public_key": "AA"})), "public"),
    ] {
        let auth_data = folder.write("bad.json", text);
        let options = format!("--force {options}");
        decrypt(&right, &options, &[&answer, &out, &auth_data]).assert_says(1, &["bad.json", words]);
    }
    // Mistyped.
    let shown = key().to_key_representation();
    let mistyped = shown.replacen('E', "F", 1);
    for (typed, words) in [
        (mistyped.as_str(), "backup decryption key: "),
        (&shown[..20], "too short"),
        ("", "too short"),
        (&right.replacen('B', "-", 1), "Base64"),
    ] {
        let done = decrypt(typed, "--force \"$1\" \"$2\"", &[&answer, &out]).assert_says(1, &[words]);
        assert!(typed.is_empty() || !done.stderr.contains(typed), "the key is not shown");
    }
}

// BAK-6
#[test]
fn the_passphrase_of_an_old_backup_is_as_good_as_its_key() {
    let folder = Folder::new();
    let salted = json!({"private_key_salt": "salt", "private_key_iterations": 1000});
    let derived = AuthData::parse(&json!({
        "public_key": key().public_key().to_string(), "private_key_salt": "salt", "private_key_iterations": 1000,
    }).to_string());
    let info = derived.unwrap().passphrase().unwrap().unwrap();
    let derived = info.derive("open sesame", 1000).unwrap().finish();
    let version =
        version(&salted).replace(&key().public_key().to_string(), &derived.public_key().to_string());
    let auth_data = folder.write("version.json", version);
    let (answer, out) = (folder.write("answer.json", r#"{"rooms":{}}"#), folder.text_path("keys.txt"));
    let options = "--force --auth-data \"$3\" \"$1\" \"$2\"";
    let args = [answer.as_str(), &out, &auth_data];
    decrypt("open sesame", options, &args).assert_code(0);
    decrypt(&derived.to_base64(), options, &args).assert_code(0);
    decrypt("open, sesame", options, &args).assert_says(1, &["not the key of this backup"]);
    let many = json!({"private_key_salt": "salt", "private_key_iterations": 4_000_000_000_u32});
    let auth_data = folder.write("many.json", self::version(&many));
    decrypt("open sesame", options, &[&answer, &out, &auth_data])
        .assert_says(1, &["4000000000 iterations, at most 10000000"]);
}

#[test]
fn an_answer_that_is_cut_off_gives_what_came_before() {
    let folder = Folder::new();
    let (session_ids, sessions) = sessions();
    let text = whole(sessions.clone());
    let cut = text.find(&session_ids[2]).unwrap();
    let answer = folder.write("answer.json", &text[..cut]);
    let out = folder.text_path("keys.txt");
    let done = decrypt(&key().to_base64(), "--json \"$1\" \"$2\"", &[&answer, &out]);
    let done = done.assert_says(1, &["answer.json: the answer is cut off"]);
    assert_eq!(done.lines().last().unwrap()["complete"], false);
    assert_eq!(ids(&folder.read("keys.txt")), session_ids[..2]);

    let room = json!({"sessions": sessions}).to_string();
    for (text, words) in [
        ("", "cut off"),
        ("nonsense", "no JSON object"),
        (&room, "--room"),
        ("{\"errcode\":\"M_NOT_FOUND\"}", "no member rooms"),
    ] {
        let answer = folder.write("none.json", text);
        let out = folder.text_path("none.txt");
        decrypt(&key().to_base64(), "\"$1\" \"$2\"", &[&answer, &out]).assert_says(1, &["none.json", words]);
        assert!(!folder.names().contains(&"none.txt".to_owned()));
    }
    let missing = folder.text_path("missing.json");
    decrypt(&key().to_base64(), "\"$1\" \"$2\"", &[&missing, &folder.text_path("x")])
        .assert_says(3, &["cannot open"]);
    let options = "--session x \"$1\" \"$2\"";
    decrypt(&key().to_base64(), options, &[&answer, &out]).assert_says(2, &["--room"]);
    decrypt(&key().to_base64(), "--room x --force \"$1\" \"$2\"", &[&answer, &out])
        .assert_says(2, &["--room"]);
    decrypt(&key().to_base64(), "--auth-data - --force - \"$1\"", &[&out]).assert_says(2, &["only one file"]);
    assert!(folder.names().iter().all(|name| !name.starts_with('.')), "nothing is left behind");
}
