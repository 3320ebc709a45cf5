//! `keys`: key files as people have them, good and bad.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use core::num::NonZeroU32;

use mx_key_export::{KeyDerivation, KeyExportWriter};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId};
use serde_json::{Value, json};

use support::{Done, Folder, piped, run, shell, tool};

const ROOM: &str = "!room:example.org";
const OTHER: &str = "!other:example.org";

/// A session, from an index on.
fn session(of: &OutboundGroupSession, room_id: &'static str, index: u32) -> ExportedSessionData<'static> {
    let exported = InboundGroupSession::new(&of.session_key()).export_at(index).unwrap();
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    ExportedSessionData::new(RoomId::parse(room_id).unwrap(), BackedUpSessionData::new(exported, sender_key))
}

fn new_session() -> OutboundGroupSession {
    OutboundGroupSession::new(&mut getrandom::SysRng).unwrap()
}

fn entry(session: &ExportedSessionData<'_>) -> Value {
    serde_json::from_slice(&session.emit_to_vec()).unwrap()
}

/// A key file with the passphrase "secret" and ten rounds, from any JSON objects.
fn file(entries: &[Value]) -> String {
    let rounds = NonZeroU32::new(10).unwrap();
    let keys = KeyDerivation::new(&mut getrandom::SysRng, "secret", rounds).unwrap().finish();
    let mut writer = KeyExportWriter::new(&mut getrandom::SysRng, &keys, Vec::new()).unwrap();
    for entry in entries {
        writer.write_json(entry.to_string().as_bytes()).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

/// The tool with the passphrase "secret" on descriptor 3. `$1` and so on are `args`.
fn keys(line: &str, args: &[&str]) -> Done {
    let secret = "secret\nsecret\nsecret\n";
    let mut command = tool([]);
    command = {
        let mut shell = std::process::Command::new("sh");
        let line = format!("exec \"$TOOL\" keys {line} 3<<'E'\n{secret}E\n");
        shell.arg("-c").arg(line).arg("sh").args(args).env("TOOL", command.get_program());
        shell.stdin(std::process::Stdio::null());
        shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        shell
    };
    Done::of(command.output().unwrap())
}

fn info(path: &str) -> Value {
    keys("info --json --passphrase-fd 3 \"$1\"", &[path]).assert_code(0).lines().pop().unwrap()
}

fn two_rooms() -> (Vec<Value>, [String; 3]) {
    let [a, b, c] = [new_session(), new_session(), new_session()];
    let mut shareable = session(&c, OTHER, 0);
    shareable.session.shared_history = true;
    let sessions = [session(&a, ROOM, 0), session(&b, ROOM, 7), shareable];
    let ids = sessions.each_ref().map(|session| session.session_id().to_string());
    (sessions.iter().map(entry).collect(), ids)
}

// EXP-12, EXP-14: what stands around and between
#[test]
fn info_counts_rooms_and_sessions_of_any_form_of_file() {
    let folder = Folder::new();
    let text = file(&two_rooms().0);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let armour = |body: &str, newline: &str| {
        format!(
            "-----BEGIN MEGOLM SESSION DATA-----{newline}{body}{newline}-----END MEGOLM SESSION DATA-----"
        )
    };
    let spaced: String = body.chars().flat_map(|c| [c, ' ']).collect();
    for (number, text) in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        armour(&body, "\n"),
        armour(body.trim_end_matches('='), "\n"),
        armour(&spaced, "\n\n"),
        format!("Hello,\n\nhere are my keys:\n{text}\n-- \nBob\n"),
        text.replace("-----BEGIN", "\u{feff}\n-----BEGIN"),
    ]
    .iter()
    .enumerate()
    {
        let path = folder.write(&format!("{number}.txt"), text);
        let done = keys("info --json --passphrase-fd 3 \"$1\"", &[&path]).assert_code(0);
        let lines = done.lines();
        assert_eq!(lines.len(), 3, "{number}");
        let other = json!({
            "room_id": OTHER, "sessions": 1, "from_index_0": 1, "lowest_index": 0, "highest_index": 0,
            "shared_history": 1,
        });
        assert_eq!(lines[0], other, "{number}");
        assert_eq!((&lines[1]["sessions"], &lines[1]["highest_index"]), (&json!(2), &json!(7)));
        let total = json!({
            "file": path, "rounds": 10, "rooms": 2, "sessions": 3, "from_index_0": 2, "lowest_index": 0,
            "highest_index": 7, "shared_history": 1, "refused": 0,
        });
        assert_eq!(lines[2], total);
    }
    let table = keys("info --passphrase-fd 3 \"$1\"", &[&folder.text_path("0.txt")]).assert_code(0);
    assert!(table.text().contains("!room:example.org"));
}

#[test]
fn list_says_what_there_is_of_each_session_and_no_secret() {
    let folder = Folder::new();
    let (entries, ids) = two_rooms();
    let path = folder.write("keys.txt", file(&entries));
    let done = keys("list --json --passphrase-fd 3 \"$1\"", &[&path]).assert_code(0);
    let lines = done.lines();
    assert_eq!(lines.len(), 3);
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap().to_string();
    let expected = json!({
        "room_id": ROOM, "session_id": ids[1], "first_known_index": 7, "shared_history": false, "forwarded": 0,
        "sender_key": sender_key,
    });
    assert_eq!(lines[1], expected);
    assert!(!done.text().contains(&entries[0]["session_key"].as_str().unwrap()[8..40]));
    for (option, value, count) in [
        ("--room", ROOM, 2),
        ("--room", OTHER, 1),
        ("--session", ids[2].as_str(), 1),
        ("--sender", sender_key.as_str(), 3),
        ("--sender", "nobody", 0),
    ] {
        let done = keys(&format!("list --json --passphrase-fd 3 {option} \"$2\" \"$1\""), &[&path, value]);
        assert_eq!(done.assert_code(0).lines().len(), count, "{option} {value}");
    }
}

// EXP-29
#[test]
fn refused_entries_are_named_and_counted_and_the_others_come() {
    let folder = Folder::new();
    let (mut entries, ids) = two_rooms();
    entries.insert(1, json!({ "algorithm": "m.megolm.v2" }));
    entries.insert(3, json!({ "algorithm": "m.megolm.v1.aes-sha2" }));
    entries[0]["session_id"] = json!(ids[1]);
    let path = folder.write("keys.txt", file(&entries));
    let done = keys("info --json --passphrase-fd 3 \"$1\"", &[&path]);
    let done = done.assert_says(
        1,
        &[
            "entry 0: session_id is not the public key",
            "entry 1: algorithm is not m.megolm.v1.aes-sha2",
            "entry 3: session_key is missing",
        ],
    );
    assert_eq!(done.lines().last().unwrap()["refused"], 3);
    assert_eq!(done.lines().last().unwrap()["sessions"], 2);

    let out = folder.text_path("out.txt");
    let done =
        keys("filter --json --passphrase-fd 3 --room '!room:example.org' \"$1\" \"$2\"", &[&path, &out]);
    let report = &done.assert_says(1, &["entry 0"]).lines()[0];
    assert_eq!(
        (&report["written"], &report["not_selected"], &report["refused"]),
        (&json!(1), &json!(1), &json!(3))
    );
    // What is no session for us may be one for somebody else.
    let done = keys(
        "rekey --json --passphrase-fd 3 --new-passphrase-fd 3 --rounds 1 \"$1\" \"$2\"",
        &[&path, &folder.text_path("b")],
    );
    let report = &done.assert_says(0, &["guessing the passphrase cheap"]).lines()[0];
    assert_eq!((&report["written"], &report["copied_but_no_sessions"]), (&json!(5), &json!(3)));
}

#[test]
fn a_million_entries_that_are_no_sessions_are_counted_in_little_memory() {
    let folder = Folder::new();
    let rounds = NonZeroU32::MIN;
    let new_keys = KeyDerivation::new(&mut getrandom::SysRng, "secret", rounds).unwrap().finish();
    let mut writer = KeyExportWriter::new(&mut getrandom::SysRng, &new_keys, Vec::new()).unwrap();
    for _ in 0..1_000_000 {
        writer.write_json(b"{}").unwrap();
    }
    let path = folder.write("keys.txt", writer.finish().unwrap());
    let done = keys("info --json --passphrase-fd 3 \"$1\"", &[&path]).assert_code(1);
    assert_eq!(done.lines()[0]["refused"], 1_000_000);
    assert!(done.stderr.lines().count() <= 1_001);
    assert!(done.stderr.contains("only counted"));
}

#[test]
fn filter_copies_entries_as_they_stand() {
    let folder = Folder::new();
    let (mut entries, ids) = two_rooms();
    entries[1]["org.example.unknown"] = json!([1, { "a": null }]);
    let path = folder.write("keys.txt", file(&entries));
    let out = folder.text_path("out.txt");
    let done =
        keys("filter --json --passphrase-fd 3 --session \"$3\" \"$1\" \"$2\"", &[&path, &out, &ids[1]]);
    assert_eq!(done.assert_code(0).lines()[0]["written"], 1);
    let text = folder.read("out.txt");
    let mut written = mx_key_export::KeyExport::from_slice(&text).unwrap();
    assert_eq!(written.rounds(), 10);
    let derived = written.derive("secret", 10).unwrap().finish();
    assert_eq!(*written.plaintext_to_vec(&derived).unwrap(), json!([entries[1]]).to_string().into_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path("out.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    keys("filter --passphrase-fd 3 \"$1\" \"$2\"", &[&path, &out]).assert_says(2, &["--room"]);
    for line in ["filter --room x", "salvage", "merge -o x"] {
        let line = format!("{line} --rounds 9 --passphrase-fd 3 \"$1\" \"$2\"");
        keys(&line, &[&path, &folder.text_path("x")]).assert_says(2, &["--rounds needs a new passphrase"]);
    }
    // A new passphrase for somebody else.
    let line =
        "filter --room \"$3\" --passphrase-fd 3 --new-passphrase-fd 4 --rounds 100000 \"$1\" \"$2\" 4<\"$4\"";
    let other = folder.write("other", "other\n");
    keys(line, &[&path, &folder.text_path("bob.txt"), ROOM, &other]).assert_code(0);
    let text = folder.read("bob.txt");
    let mut written = mx_key_export::KeyExport::from_slice(&text).unwrap();
    assert_eq!(written.rounds(), 100_000);
    let derived = written.derive("other", 100_000).unwrap().finish();
    assert!(written.sessions(&derived).is_ok());
}

// EXP-26
#[test]
fn merge_keeps_the_lowest_index_of_connected_copies() {
    let folder = Folder::new();
    let [a, b, c] = [new_session(), new_session(), new_session()];
    let mut shareable = session(&a, ROOM, 5);
    shareable.session.shared_history = true;
    // Another session under the ID of b, as only who made b, or made this up, can have it.
    let mut made_up = session(&c, ROOM, 0).session.session_key.as_bytes().to_vec();
    made_up.splice(133.., session(&b, ROOM, 0).session.session_key.as_bytes()[133..].iter().copied());
    let made_up = mx_megolm::ExportedSessionKey::from_bytes(&made_up).unwrap();
    let mut forged = session(&b, ROOM, 0);
    forged.session.session_key = made_up;
    assert_eq!(forged.session_id(), session(&b, ROOM, 0).session_id());

    let first = folder.write("first.txt", file(&[entry(&shareable), entry(&session(&b, ROOM, 3))]));
    let second = [entry(&session(&a, ROOM, 2)), entry(&forged), entry(&session(&c, OTHER, 1)), json!({})];
    let second = folder.write("second.txt", file(&second));
    let out = folder.text_path("out.txt");
    let line = "merge --json --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$2\" -o \"$3\"";
    let done = keys(line, &[&first, &second, &out]);
    let done = done.assert_says(
        1,
        &["second.txt: entry 3", "is not the session that", session(&b, ROOM, 0).session_id().as_ref()],
    );
    let expected = json!({
        "file": out, "written": 3, "new": 3, "better": 1, "equal_or_worse": 0, "unconnected": 1, "refused": 1,
    });
    assert_eq!(done.lines()[0], expected);
    let list = keys("list --json --passphrase-fd 3 \"$1\"", &[&out]).assert_code(0).lines();
    let of = |session: &OutboundGroupSession| {
        let id = session.session_id().to_string();
        list.iter().find(|line| line["session_id"] == id).unwrap().clone()
    };
    // Not shareable, because the copy that begins earlier was not.
    assert_eq!((&of(&a)["first_known_index"], &of(&a)["shared_history"]), (&json!(2), &json!(false)));
    assert_eq!((&of(&b)["first_known_index"], &of(&c)["first_known_index"]), (&json!(3), &json!(1)));

    let done = keys("diff --json --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$2\"", &[&first, &second])
        .assert_code(1);
    let lines = done.lines();
    let difference = |session: &OutboundGroupSession| {
        let id = session.session_id().to_string();
        let line = lines.iter().find(|line| line["session_id"] == id).unwrap();
        (line["difference"].clone(), line["first_index"].clone(), line["second_index"].clone())
    };
    assert_eq!(difference(&a), (json!("earlier in second"), json!(5), json!(2)));
    assert_eq!(difference(&b), (json!("unconnected"), json!(3), json!(0)));
    assert_eq!(difference(&c), (json!("only in second"), Value::Null, json!(1)));
    assert_eq!((&lines[3]["equal"], &lines[3]["refused"]), (&json!(0), &json!(1)));
    keys("diff --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$1\"", &[&first]).assert_code(0);
}

#[test]
fn many_sessions_are_merged_in_several_passes() {
    let folder = Folder::new();
    let base = session(&new_session(), ROOM, 0);
    // Sessions need no signing key to be merged: any public key makes an ID.
    let numbered = |number: u32, index: u32| {
        let mut bytes = base.session.session_key.as_bytes().to_vec();
        bytes[1..5].copy_from_slice(&index.to_be_bytes());
        bytes[133..137].copy_from_slice(&number.to_be_bytes());
        bytes[164] = 1;
        let session_key = mx_megolm::ExportedSessionKey::from_bytes(&bytes).unwrap();
        let session = BackedUpSessionData::new(session_key, base.session.sender_key);
        entry(&ExportedSessionData::new(RoomId::parse(ROOM).unwrap(), session))
    };
    // 100,000 entries of 600 bytes and more are more than one pass takes.
    let first: Vec<_> = (0..50_000).map(|number| numbered(number, 0)).collect();
    let second: Vec<_> = (20_000..70_000).map(|number| numbered(number, 0)).collect();
    let (first, second) = (folder.write("a", file(&first)), folder.write("b", file(&second)));
    let out = folder.text_path("out");
    let line = "merge --json --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$2\" -o \"$3\"";
    let report = keys(line, &[&first, &second, &out]).assert_code(0).lines().remove(0);
    assert_eq!(
        (&report["written"], &report["new"], &report["equal_or_worse"]),
        (&json!(70_000), &json!(70_000), &json!(30_000))
    );
    assert_eq!(info(&out)["sessions"], 70_000);
    let line = "diff --json --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$2\"";
    let total = keys(line, &[&first, &out]).assert_code(1).lines().pop().unwrap();
    assert_eq!(
        (&total["equal"], &total["only_in_second"], &total["only_in_first"]),
        (&json!(50_000), &json!(20_000), &json!(0))
    );
}

// EXP-2, EXP-8, EXP-13
#[test]
fn attack_141_files_that_are_not_what_they_say() {
    let folder = Folder::new();
    let good = file(&two_rooms().0);
    let path = folder.write("good.txt", &good);
    let wrong = shell(
        "exec \"$TOOL\" keys verify --passphrase-fd 3 \"$1\" 3<<E\nwrong\nE",
        &["sh".as_ref(), path.as_ref()],
    );
    let wrong = wrong.assert_says(1, &["wrong passphrase, or the file was damaged"]);
    let mut damaged = good.clone();
    damaged.replace_range(300..301, if &good[300..301] == "A" { "B" } else { "A" });
    let path = folder.write("damaged.txt", damaged);
    let damaged = keys("verify --passphrase-fd 3 \"$1\"", &[&path]).assert_code(1);
    assert_eq!(
        damaged.stderr.split_once(": ").unwrap().1.split_once(": ").unwrap().1,
        wrong.stderr.split_once(": ").unwrap().1.split_once(": ").unwrap().1
    );

    let armoured = |body: &[u8]| {
        let body = mx_types::base64::encode_to_string(body);
        format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----\n")
    };
    let header = |version: u8, rounds: u32| {
        let mut body = vec![version];
        body.extend([7; 32]);
        body.extend(rounds.to_be_bytes());
        body
    };
    for len in 37..69 {
        let mut body = header(1, 1);
        body.resize(len, 5);
        let path = folder.write("short.txt", armoured(&body));
        keys("verify --passphrase-fd 3 \"$1\"", &[&path]).assert_says(1, &["too few for a key export"]);
    }
    for (version, rounds, says) in [
        (2, 1, "version 2"),
        (1, 0, "no rounds"),
        (1, 10_000_001, "10000001 rounds, at most 10000000 are done"),
        (1, u32::MAX, "at most 10000000 are done"),
    ] {
        let mut body = header(version, rounds);
        body.resize(200, 5);
        let path = folder.write("header.txt", armoured(&body));
        // Before a passphrase is asked for.
        run(["keys", "verify", &path]).assert_says(1, &[says]);
    }
    for (text, says) in [
        (String::new(), "no key export"),
        ("no keys".to_owned(), "no key export"),
        (good.replace("-----END", "-----FIN"), "end"),
    ] {
        let path = folder.write("text.txt", text);
        keys("verify --passphrase-fd 3 \"$1\"", &[&path]).assert_says(1, &[says]);
    }
    keys("verify --passphrase-fd 3 \"$1\"", &[&folder.text_path("absent")]).assert_says(3, &["cannot open"]);
    assert_eq!(
        keys("verify --json --passphrase-fd 3 \"$1\"", &[&folder.text_path("good.txt")])
            .assert_code(0)
            .lines()[0]["authentic"],
        true
    );
}

#[test]
fn outputs_appear_whole_or_not_at_all() {
    let folder = Folder::new();
    let path = folder.write("keys.txt", file(&two_rooms().0));
    let out = folder.write("out.txt", "precious");
    let line = "rekey --passphrase-fd 3 --new-passphrase-fd 3 --rounds 10 \"$1\" \"$2\"";
    // Refused before anything is asked or derived.
    run(["keys", "rekey", &path, &out]).assert_says(2, &["exists", "--force"]);
    assert_eq!(folder.read("out.txt"), b"precious");
    keys(&format!("{line} --force"), &[&path, &out]).assert_code(0);
    assert_eq!(info(&out)["sessions"], 3);

    let broken = folder.write("broken.txt", file(&two_rooms().0).replace("-----END", "-----FIN"));
    for line in [line, "filter --passphrase-fd 3 --room x \"$1\" \"$2\""] {
        keys(line, &[&broken, &folder.text_path("new.txt")]).assert_code(1);
    }
    assert_eq!(folder.names(), ["broken.txt", "keys.txt", "out.txt"]);
    keys("rekey --passphrase-fd 3 --new-passphrase-fd 3 --rounds 0 \"$1\" -", &[&path]).assert_code(2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let folder = Folder::new();
    let path = folder.write("keys.txt", file(&two_rooms().0));
    let line = "rekey --passphrase-fd 3 --new-passphrase-fd 3 --rounds 10 \"$1\" - >/dev/full";
    keys(line, &[&path]).assert_says(3, &["cannot write standard output", "No space left"]);
    keys("list --passphrase-fd 3 \"$1\" >/dev/full", &[&path]).assert_says(3, &["No space left"]);
}

#[test]
fn files_go_through_pipes() {
    let folder = Folder::new();
    let (entries, _) = two_rooms();
    let path = folder.write("keys.txt", file(&entries));
    let line = "filter --room '!room:example.org' --passphrase-fd 3 - - <\"$1\"";
    let done = keys(line, &[&path]).assert_code(0);
    assert!(done.text().starts_with("-----BEGIN"));
    assert!(done.stderr.contains("written"), "{}", done.stderr);
    let filtered = done.stdout;

    let secret = folder.write("secret", "secret\n");
    let mut command = std::process::Command::new("sh");
    command
        .arg("-c")
        .arg("exec \"$TOOL\" keys info --json --passphrase-fd 3 - 3<\"$1\"")
        .args(["sh", &secret]);
    command.env("TOOL", tool([]).get_program());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let done = piped(command, &filtered).assert_code(0);
    assert_eq!(done.lines().pop().unwrap()["sessions"], 2);
    let line = "merge --passphrase-fd 3 - - -o \"$1\"";
    keys(line, &[&folder.text_path("x")]).assert_says(2, &["only one file"]);
}

#[test]
fn salvage_is_loud_and_saves_what_is_left() {
    let folder = Folder::new();
    let entries: Vec<_> = (0..50).map(|_| entry(&session(&new_session(), ROOM, 0))).collect();
    let text = file(&entries);
    let cut = folder.write("cut.txt", &text[..text.len() / 2]);
    let out = folder.text_path("rest.txt");
    keys("info --passphrase-fd 3 \"$1\"", &[&cut]).assert_says(1, &["the file was cut off", "keys salvage"]);
    let done = keys("salvage --json --passphrase-fd 3 \"$1\" \"$2\"", &[&cut, &out]);
    let done = done.assert_says(1, &["UNAUTHENTICATED"]);
    let report = &done.lines()[0];
    let written = report["written"].as_u64().unwrap();
    assert!((23..=25).contains(&written), "{written}");
    assert_eq!(report["authenticated"], false);
    assert_eq!(info(&out)["sessions"], written);

    let line = "exec \"$TOOL\" keys salvage --passphrase-fd 3 \"$1\" \"$2\" 3<<E\nwrong\nE";
    let done = shell(line, &["sh".as_ref(), cut.as_ref(), folder.path("none.txt").as_ref()]);
    done.assert_code(1);
    assert_eq!(folder.names(), ["cut.txt", "rest.txt"]);
}
