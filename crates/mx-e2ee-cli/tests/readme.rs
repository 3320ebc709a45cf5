//! What the README of the workspace shows, on the files that it names.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use support::{run, shell};

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

// EXP-44
#[test]
fn the_key_file_of_matrix_sdk_crypto_is_counted() {
    let line = "echo 1234 | \"$TOOL\" keys info --passphrase-fd 0 \"$0\"";
    let done = shell(line, &[data("keys.txt").as_ref()]).assert_code(0);
    assert!(done.text().contains("!test:localhost"), "{}", done.text());
    let line = "echo 1235 | \"$TOOL\" keys info --passphrase-fd 0 \"$0\"";
    shell(line, &[data("keys.txt").as_ref()]).assert_says(1, &["wrong passphrase"]);
}

// ENV-50
#[test]
fn the_events_of_matrix_sdk_crypto_are_decrypted() {
    let line =
        "echo 'a pass phrase of theirs' | \"$TOOL\" events decrypt --keys \"$0\" --passphrase-fd 0 \"$1\"";
    let done = shell(line, &[data("room-keys.txt").as_ref(), data("room.jsonl").as_ref()]).assert_code(0);
    assert_eq!(done.lines().len(), 8);
    assert!(done.text().contains("message 7, with \u{201e}quotes\u{201c} and a tail"), "{}", done.text());
}

// ATT-40
#[test]
fn the_attachment_of_matrix_sdk_crypto_is_decrypted() {
    let (event, attachment) = (data("event.json"), data("attachment"));
    let done = run(["media", "decrypt", "--info", &event, &attachment, "-"]).assert_code(0);
    assert_eq!(done.text(), "It's a secret to everybody");
}
