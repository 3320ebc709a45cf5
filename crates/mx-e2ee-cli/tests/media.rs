//! `media encrypt` and `media decrypt`, with files that others made, and what can go wrong with files.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Folder, run, run_with};

/// A file of matrix-sdk-crypto's tests (ATT-40).
const CIPHERTEXT: &[u8] = &[
    0xb3, 0x9a, 0x76, 0x7f, 0xba, 0x7f, 0x6e, 0x21, 0xcb, 0x21, 0x21, 0x86, 0x43, 0x64, 0xad, 0x2e, 0xeb,
    0x1b, 0xd7, 0xac, 0x24, 0x1a, 0x4b, 0x2f, 0x21, 0xa0,
];
const PLAINTEXT: &[u8] = b"It's a secret to everybody";

fn description() -> Value {
    json!({
        "v": "v2", "url": "mxc://localhost/secret",
        "key": { "kty": "oct", "alg": "A256CTR", "ext": true, "key_ops": ["encrypt", "decrypt"],
            "k": "Voq2nkPme_x8no5-Tjq_laDAdxE6iDbxnlQXxwFPgE4" },
        "iv": "i0DovxYdJEcAAAAAAAAAAA",
        "hashes": { "sha256": "ANdt819a8bZl4jKy3Z+jcqtiNICa2y0AW4BBJ/iQRAU" },
    })
}

fn damaged() -> Vec<u8> {
    let mut damaged = CIPHERTEXT.to_vec();
    damaged[3] ^= 1;
    damaged
}

// ATT-8, ATT-40
#[test]
fn a_file_is_decrypted_by_its_event_its_content_or_its_description() {
    let folder = Folder::new();
    let input = folder.write("in", CIPHERTEXT);
    let content = json!({ "msgtype": "m.file", "body": "x", "file": description() });
    let event = json!({ "type": "m.room.message", "event_id": "$e", "content": content });
    let image = json!({ "content": { "msgtype": "m.image", "info": { "thumbnail_file": description() } } });
    for (name, info, option) in [
        ("event", event, None),
        ("content", content, None),
        ("file", description(), None),
        ("thumbnail", image, Some("--thumbnail")),
    ] {
        let info = folder.write("info", info.to_string());
        let output = folder.text_path(name);
        let args = ["media", "decrypt", "--info", &info].into_iter().chain(option);
        let done = run(args.chain([input.as_str(), output.as_str()])).assert_code(0);
        assert_eq!((done.stderr.as_str(), done.text()), ("", ""));
        assert_eq!(folder.read(name), PLAINTEXT, "{name}");
    }
}

// ATT-20
#[test]
fn attack_023_a_damaged_file_gives_no_plaintext_to_files_pipes_or_terminals() {
    let folder = Folder::new();
    let info = folder.write("info", description().to_string());
    let output = folder.text_path("out");
    let mut longer = CIPHERTEXT.to_vec();
    longer.push(0);
    for bad in [damaged(), longer, CIPHERTEXT[..25].to_vec(), Vec::new()] {
        let input = folder.write("in", &bad);
        run(["media", "decrypt", "--info", &info, &input, &output])
            .assert_says(1, &["damaged", "nothing was written"]);
        assert_eq!(folder.names(), ["in", "info"]);
        let done =
            run(["media", "decrypt", "--info", &info, &input, "-"]).assert_says(1, &["nothing was written"]);
        assert_eq!(done.text(), "");
        let done = run_with(["media", "decrypt", "--info", &info, "-", "-"], &bad).assert_code(1);
        assert_eq!(done.text(), "");
    }
}

#[test]
fn pipes_may_stand_on_either_side() {
    let folder = Folder::new();
    let info = folder.write("info", description().to_string());
    let input = folder.write("in", CIPHERTEXT);
    let done = run_with(["media", "decrypt", "--info", &info, "-", "-"], CIPHERTEXT).assert_code(0);
    assert_eq!(done.stdout, PLAINTEXT);
    assert_eq!(run(["media", "decrypt", "--info", &info, &input, "-"]).assert_code(0).stdout, PLAINTEXT);
    run_with(["media", "decrypt", "--info", &info, "-", &folder.text_path("out")], CIPHERTEXT).assert_code(0);
    assert_eq!(folder.read("out"), PLAINTEXT);
    let done =
        run_with(["media", "decrypt", "--info", "-", &input, "-"], description().to_string().as_bytes());
    assert_eq!(done.assert_code(0).stdout, PLAINTEXT);
}

// ATT-1, ATT-8, ATT-11
#[test]
fn what_is_encrypted_is_decrypted_whatever_its_length() {
    for len in [0, 1, 131_072, 1_000_003] {
        let folder = Folder::new();
        let film: Vec<u8> = (0..len).map(|at: u32| (at % 251) as u8).collect();
        let input = folder.write("in", &film);
        let (secret, info, out) =
            (folder.text_path("secret"), folder.text_path("info"), folder.text_path("out"));
        let done =
            run(["media", "encrypt", "--url", "mxc://x/y", "--info", &info, &input, &secret]).assert_code(0);
        assert_eq!((done.stderr.as_str(), done.text()), ("", ""));
        assert!(len < 32 || folder.read("secret") != film);
        assert_eq!(folder.read("secret").len(), film.len());
        let description: Value = serde_json::from_slice(&folder.read("info")).unwrap();
        assert_eq!(description["url"], "mxc://x/y");
        assert!(description["iv"].as_str().unwrap().ends_with("AAAAAAAAAAA"));
        run(["media", "decrypt", "--info", &info, &secret, &out]).assert_code(0);
        assert_eq!(folder.read("out"), film);

        // From pipe to pipe, and with another key.
        let again = folder.text_path("again");
        let done = run_with(["media", "encrypt", "--info", &again, "-", "-"], &film).assert_code(0);
        assert_ne!(folder.read("info"), folder.read("again"));
        let done = run_with(["media", "decrypt", "--info", &again, "-", "-"], &done.stdout).assert_code(0);
        assert_eq!(done.stdout, film);
    }
}

#[cfg(unix)]
#[test]
fn written_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let input = folder.write("in", PLAINTEXT);
    let (info, out) = (folder.text_path("info"), folder.text_path("out"));
    // Also where the file that is replaced was for all.
    folder.write("out", "old");
    run(["media", "encrypt", "--force", "--info", &info, &input, &out]).assert_code(0);
    for name in ["info", "out"] {
        let mode = std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_exists_is_replaced_only_by_force_and_only_by_a_whole_file() {
    let folder = Folder::new();
    let info = folder.write("info", description().to_string());
    let (input, out) = (folder.write("in", CIPHERTEXT), folder.write("out", "old"));
    run(["media", "decrypt", "--info", &info, &input, &out]).assert_says(2, &["exists", "--force"]);
    let bad = folder.write("bad", damaged());
    run(["media", "decrypt", "--force", "--info", &info, &bad, &out]).assert_code(1);
    assert_eq!(folder.read("out"), b"old");
    run(["media", "decrypt", "--force", "--info", &info, &input, &out]).assert_code(0);
    assert_eq!(folder.read("out"), PLAINTEXT);
    // The file may take the place of its own ciphertext.
    run(["media", "decrypt", "--force", "--info", &info, &input, &input]).assert_code(0);
    assert_eq!(folder.read("in"), PLAINTEXT);
    assert_eq!(folder.names(), ["bad", "in", "info", "out"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_and_not_followed_and_devices_are_left_alone() {
    let folder = Folder::new();
    let info = folder.write("info", description().to_string());
    let input = folder.write("in", CIPHERTEXT);
    folder.write("target", "old");
    std::os::unix::fs::symlink(folder.path("target"), folder.path("link")).unwrap();
    let link = folder.text_path("link");
    run(["media", "decrypt", "--info", &info, &input, &link]).assert_says(2, &["exists"]);
    run(["media", "decrypt", "--force", "--info", &info, &input, &link]).assert_code(0);
    assert_eq!((folder.read("target"), folder.read("link")), (b"old".to_vec(), PLAINTEXT.to_vec()));
    for device in ["/dev/full", "/dev/null"] {
        run(["media", "decrypt", "--force", "--info", &info, &input, device])
            .assert_says(2, &["device", "- >"]);
    }
    run(["media", "decrypt", "--force", "--info", &info, &input, &folder.text_path("")]).assert_code(2);
    run(["media", "decrypt", "--info", &info, &input, "/nowhere/out"])
        .assert_says(3, &["cannot write /nowhere/out"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_behind() {
    let folder = Folder::new();
    let input = folder.write("in", vec![7; 1_000_000]);
    let info = folder.path("info");
    let done =
        support::shell("\"$TOOL\" media encrypt --info \"$0\" \"$1\" - >/dev/full", &[&info, input.as_ref()]);
    done.assert_says(3, &["cannot write standard output", "space"]);
    // A limit on the size of files is a full disk that a test can have.
    let line = "trap '' XFSZ; ulimit -f 100; \"$TOOL\" media encrypt --info \"$0\" \"$1\" \"$2\"";
    let done = support::shell(line, &[&info, input.as_ref(), &folder.path("out")]);
    done.assert_says(3, &["cannot write", "out"]);
    assert_eq!(folder.names(), ["in"]);
}

// ATT-21 to ATT-25, ATT-30
#[test]
fn attack_024_a_description_that_is_none_says_what_is_wrong_with_it() {
    let folder = Folder::new();
    let (input, out) = (folder.write("in", CIPHERTEXT), folder.text_path("out"));
    let with = |pointer: &str, value: Value| {
        let mut changed = description();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let cases = [
        (with("/v", json!("v1")), "`v2`; --lenient"),
        (with("/key/kty", json!("RSA")), "`oct`"),
        (with("/key/alg", json!("A128CTR")), "`A256CTR`"),
        (with("/key/ext", json!(false)), "`ext`"),
        (with("/key/key_ops", json!(["encrypt"])), "`key_ops`"),
        (with("/key/k", json!("AAAA")), "`k`"),
        (with("/iv", json!("AAAA")), "`iv`"),
        (with("/hashes", json!({ "sha512": "AAAA" })), "`sha256`"),
        (with("/hashes/sha256", json!("5/Gy1JftyyQ")), "32 bytes"),
        (json!({ "content": { "body": "x" } }).to_string(), "no `content.file`"),
        (json!([1]).to_string(), "not the description"),
        ("{\"v\":".to_owned(), "not the description"),
        (String::new(), "not the description"),
    ];
    for (info, word) in cases {
        let info = folder.write("info", info);
        let done = run(["media", "decrypt", "--info", &info, &input, &out]).assert_says(1, &["info: ", word]);
        assert!(!done.stderr.contains("Voq2nk"), "{}", done.stderr);
        assert_eq!(folder.names(), ["in", "info"]);
    }
    let info = folder.write("info", with("/key/key_ops", json!([])));
    run(["media", "decrypt", "--lenient", "--info", &info, &input, &out]).assert_code(0);
    run(["media", "decrypt", "--thumbnail", "--info", &info, &input, &out])
        .assert_says(1, &["no `content.info.thumbnail_file`"]);

    // This IV is not one that the specification allows, but the hash decides.
    let info = folder.write("info", with("/iv", json!("i0DovxYdJEcAAAAAAAAAAQ")));
    run(["media", "decrypt", "--force", "--info", &info, &input, &out]).assert_says(0, &["IV"]);
}

#[test]
fn command_lines_that_cannot_be_meant_are_refused() {
    let folder = Folder::new();
    let file = folder.write("in", CIPHERTEXT);
    run(["media", "decrypt", "--info", "-", "-", "-"]).assert_says(2, &["both come from standard input"]);
    run(["media", "encrypt", "--info", "x", &file, "x"]).assert_says(2, &["one place"]);
    run(["media", "decrypt", &file, "x"]).assert_says(2, &["--info"]);
    run(["media", "decrypt", "--info", "/nowhere", &file, "x"]).assert_says(3, &["cannot open /nowhere"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_program_leaves_nothing_behind() {
    use std::io::Write as _;
    let folder = Folder::new();
    let (info, out) = (folder.text_path("info"), folder.text_path("out"));
    for signal in ["INT", "TERM", "HUP"] {
        let mut command = support::tool(["media", "encrypt", "--info", &info, "-", &out]);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds: once all of it is written, the tool has begun.
        stdin.write_all(&[7; 300_000]).unwrap();
        assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
        let line = format!("kill -{signal} {}", child.id());
        support::shell(&line, &[]).assert_code(0);
        drop(stdin);
        let done = support::Done::of(child.wait_with_output().unwrap());
        done.assert_says(130, &["interrupted"]);
        assert_eq!(folder.names(), [""; 0]);
    }
}
