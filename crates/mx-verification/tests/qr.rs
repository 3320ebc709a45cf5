//! The table of `m.reciprocate.v1`: a test for each row, a line for each cell. `-`: nothing changes and nothing is sent.

mod support;

use support::table::check;

const X: &str = "Cancelled [m.unexpected_message B1]";
const MISMATCH: &str = "Cancelled [m.key_mismatch B1]";

// QR-20, QR-25
#[test]
fn scan() {
    let cells = [
        ("QrShown", "Reciprocated [start B1]"),
        ("Scanned", "-"),
        ("Confirmed", "-"),
        ("Ready", "Reciprocated [start B1]"),
        ("Reciprocated", "-"),
    ];
    check(false, "scan", &cells);
    let cells = [
        ("QrShown", MISMATCH),
        ("Scanned", "-"),
        ("Confirmed", "-"),
        ("Ready", MISMATCH),
        ("Reciprocated", "-"),
    ];
    check(false, "scan bad", &cells);
}

// VER-56
#[test]
fn local_start_sas() {
    let cells = [
        ("QrShown", "StartSent [start B1]"),
        ("Scanned", "-"),
        ("Confirmed", "-"),
        ("Ready", "StartSent [start B1]"),
        ("Reciprocated", "-"),
    ];
    check(false, "start SAS", &cells);
}

// QR-31, VER-57: Alice's name comes first, so that she ignores Bob's start when she has scanned.
#[test]
fn start_of_the_peer() {
    check(false, "reciprocate", &[("QrShown", "Scanned")]);
    let cells = [
        ("QrShown", MISMATCH),
        ("Scanned", X),
        ("Confirmed", "Done [m.unexpected_message B1]"),
        ("Ready", X),
        ("Reciprocated", "-"),
        ("Reciprocated, shown", "-"),
    ];
    check(false, "reciprocate bad", &cells);
}

// VER-51, VER-56, QR-37
#[test]
fn sas_of_the_peer() {
    let cells = [
        ("QrShown", "AcceptSent [accept B1]"),
        ("Scanned", X),
        ("Confirmed", "Done [m.unexpected_message B1]"),
        ("Ready", "AcceptSent [accept B1]"),
        ("Reciprocated", X),
    ];
    check(false, "SAS", &cells);
}

// QR-32
#[test]
fn confirm_and_deny() {
    let cells = [
        ("QrShown", "-"),
        ("Scanned", "WaitDone [done B1]"),
        ("Confirmed", "-"),
        ("Ready", "-"),
        ("Reciprocated", "-"),
    ];
    check(false, "confirm", &cells);
    let user = "Cancelled [m.user B1]";
    let cells = [
        ("QrShown", user),
        ("Scanned", user),
        ("Confirmed", "Done"),
        ("Ready", user),
        ("Reciprocated", user),
    ];
    check(false, "cancel", &cells);
}

// QR-33, QR-34
#[test]
fn done() {
    let cells = [
        ("QrShown", X),
        ("Scanned", "-"),
        ("Confirmed", "Done"),
        ("Ready", X),
        ("Reciprocated", "Done [done B1]"),
    ];
    check(false, "done", &cells);
}

// QR-34, VER-95
#[test]
fn cancel_and_timeout() {
    for (event, sent) in [("rx cancel", ""), ("time over", " [m.timeout]")] {
        let cancelled = format!("Cancelled{sent}");
        let cells = [
            ("QrShown", cancelled.as_str()),
            ("Scanned", &cancelled),
            ("Confirmed", "Done"),
            ("Ready", &cancelled),
            ("Reciprocated", &cancelled),
        ];
        check(true, event, &cells);
    }
}
