//! Branches and addresses that depend on secrets, as valgrind finds them in the program of this package.
//!
//! `cargo xtask memory` runs these where valgrind is; elsewhere they would only say that it is missing.

use std::process::Command;

/// Runs the rows of the program whose names begin so; the controls run always.
fn check(rows: &str) {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--log-file=/dev/null", env!("CARGO_BIN_EXE_memory"), rows]);
    let output = valgrind.output().expect("valgrind can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success() && text.contains("\n0 failed, "), "{text}");
}

#[test]
#[ignore = "needs valgrind"]
fn attack_010_secrets_are_coded_without_tables() {
    check("Base64");
    check("key representation");
}

#[test]
#[ignore = "needs valgrind"]
fn attack_011_no_table_of_aes_is_indexed_by_a_secret() {
    check("AES");
}

#[test]
#[ignore = "needs valgrind"]
fn attack_012_macs_are_compared_as_a_whole() {
    check("MAC");
    check("HMAC");
}

#[test]
#[ignore = "needs valgrind"]
fn attack_027_curve_arithmetic_does_not_branch_on_secrets() {
    check("X25519");
    check("Ed25519");
}
