//! The table of `m.sas.v1`: a test for each row, a line for each cell. `-`: nothing changes and nothing is sent.

mod support;

use support::table::check;

const X: &str = "Cancelled [m.unexpected_message B1]";
const ENDS: &str = "Done [m.unexpected_message B1]";

// SAS-11, SAS-16, VER-63
#[test]
fn accept() {
    let cells = [
        ("StartSent", "KeySent [key B1]"),
        ("KeySent", X),
        ("AcceptSent", X),
        ("Compare", X),
        ("PeerConfirmed", X),
        ("MacSent", X),
        ("WaitDone", ENDS),
    ];
    check(false, "rx accept", &cells);
    let cells =
        [("StartSent", "Cancelled [m.unknown_method B1]"), ("KeySent", X), ("AcceptSent", X), ("Compare", X)];
    check(false, "rx accept bad", &cells);
}

// SAS-17, SAS-18, VER-69
#[test]
fn key() {
    let cells = [
        ("StartSent", X),
        ("KeySent", "Cancelled [m.mismatched_commitment B1]"),
        ("AcceptSent", "Compare [key B1]"),
        ("Compare", X),
        ("PeerConfirmed", X),
        ("MacSent", X),
        ("WaitDone", ENDS),
    ];
    check(false, "key", &cells);
    check(false, "key of zeros", &[("AcceptSent", "Cancelled [m.key_mismatch B1]")]);
}

// SAS-36, SAS-62
#[test]
fn local_match() {
    let cells = [
        ("StartSent", "-"),
        ("KeySent", "-"),
        ("AcceptSent", "-"),
        ("Compare", "MacSent [mac B1]"),
        ("PeerConfirmed", "WaitDone [mac B1; done B1]"),
        ("MacSent", "-"),
        ("WaitDone", "-"),
    ];
    check(false, "confirm", &cells);
}

// SAS-42, VER-69
#[test]
fn local_mismatch() {
    let mismatch = "Cancelled [m.mismatched_sas B1]";
    let cells = [
        ("StartSent", "-"),
        ("KeySent", "-"),
        ("AcceptSent", "-"),
        ("Compare", mismatch),
        ("PeerConfirmed", mismatch),
        ("MacSent", "-"),
        ("WaitDone", "-"),
    ];
    check(false, "mismatch", &cells);
}

// SAS-39, VER-65
#[test]
fn wrong_mac() {
    let cells = [
        ("StartSent", X),
        ("KeySent", X),
        ("AcceptSent", X),
        ("Compare", "Cancelled [m.key_mismatch B1]"),
        ("PeerConfirmed", X),
        ("MacSent", "Cancelled [m.key_mismatch B1]"),
        ("WaitDone", ENDS),
    ];
    check(false, "mac", &cells);
}

// SAS-60
#[test]
fn done() {
    let cells = [
        ("StartSent", X),
        ("KeySent", X),
        ("AcceptSent", X),
        ("Compare", X),
        ("PeerConfirmed", "-"),
        ("MacSent", "-"),
        ("WaitDone", "Done"),
    ];
    check(false, "done", &cells);
}

// VER-50, VER-53: Alice's name comes first.
#[test]
fn start() {
    let cells = [
        ("StartSent", "-"),
        ("KeySent", "-"),
        ("AcceptSent", X),
        ("Compare", "-"),
        ("PeerConfirmed", "-"),
        ("MacSent", "-"),
        ("WaitDone", "-"),
    ];
    check(false, "SAS", &cells);
    // VER-51
    check(false, "reciprocate bad", &[("StartSent", X), ("KeySent", X), ("AcceptSent", X), ("Compare", X)]);
}

#[test]
fn cancel_and_timeout() {
    for state in ["StartSent", "KeySent", "AcceptSent", "Compare", "PeerConfirmed", "MacSent"] {
        check(false, "cancel", &[(state, "Cancelled [m.user B1]")]);
        check(true, "cancel", &[(state, "Cancelled [m.user]")]);
        check(true, "rx cancel", &[(state, "Cancelled")]);
        check(true, "time over", &[(state, "Cancelled [m.timeout]")]);
    }
}
