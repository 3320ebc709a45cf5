//! The table of the framework: a test for each row, a line for each cell. `-`: nothing changes and nothing is sent.

mod support;

use support::table::check;

const X: &str = "Cancelled [m.unexpected_message B1]";
const X_ALL: &str = "Cancelled [m.unexpected_message B1,B2]";
const X_ROOM: &str = "Cancelled [m.unexpected_message]";
/// In `WaitDone`: the exchange ends, the result stays.
const ENDS: &str = "Done [m.unexpected_message B1]";

// VER-36, VER-44, VER-60, VER-95
#[test]
fn local_cancel() {
    let cells = [
        ("Idle", "-"),
        ("Sent", "Cancelled [m.user B1,B2]"),
        ("Requested", "Cancelled [m.user B1]"),
        ("Ready", "Cancelled [m.user B1]"),
        ("QrShown", "Cancelled [m.user B1]"),
        ("StartSent", "Cancelled [m.user B1]"),
        ("WaitDone", "Done"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "cancel", &cells);
    check(
        true,
        "cancel",
        &[("Sent", "Cancelled [m.user]"), ("Passive", "-"), ("Compare", "Cancelled [m.user]")],
    );
}

#[test]
fn local_accept() {
    let cells = [
        ("Idle", "-"),
        ("Sent", "-"),
        ("Requested", "Ready [ready B1]"),
        ("Ready", "-"),
        ("QrShown", "-"),
        ("StartSent", "-"),
        ("WaitDone", "-"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "accept", &cells);
    check(true, "accept", &[("Requested", "Ready [ready]"), ("Passive", "-")]);
}

// QR-18
#[test]
fn local_show_qr() {
    let cells = [
        ("Idle", "-"),
        ("Sent", "-"),
        ("Requested", "-"),
        ("Ready", "QrShown"),
        ("QrShown", "-"),
        ("StartSent", "-"),
        ("WaitDone", "-"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "show", &cells);
    check(true, "show", &[("Ready", "QrShown"), ("Passive", "-")]);
}

#[test]
fn local_start_sas() {
    let cells = [
        ("Idle", "-"),
        ("Sent", "-"),
        ("Requested", "-"),
        ("Ready", "StartSent [start B1]"),
        ("QrShown", "StartSent [start B1]"),
        ("StartSent", "-"),
        ("Reciprocated", "-"),
        ("Scanned", "-"),
        ("WaitDone", "-"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "start SAS", &cells);
    check(true, "start SAS", &[("Ready", "StartSent [start]"), ("Passive", "-")]);
}

// QR-30
#[test]
fn local_scan() {
    let cells = [
        ("Idle", "-"),
        ("Sent", "-"),
        ("Requested", "-"),
        ("Ready", "Reciprocated [start B1]"),
        ("QrShown", "Reciprocated [start B1]"),
        ("StartSent", "-"),
        ("WaitDone", "-"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "scan", &cells);
}

// VER-21, VER-74, VER-81
#[test]
fn request_with_the_same_id() {
    let cells = [
        ("Idle", "Requested"),
        ("Sent", X_ALL),
        ("Requested", X),
        ("Ready", X),
        ("QrShown", X),
        ("StartSent", X),
        ("WaitDone", ENDS),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "request again", &cells);
}

// VER-74: Alice's name comes first, so that her request stays.
#[test]
fn request_with_another_id() {
    let both = "Cancelled [m.unexpected_message B1; m.unexpected_message B1]";
    let cells = [
        ("Sent", "-"),
        ("Requested", both),
        ("Ready", both),
        ("QrShown", both),
        ("StartSent", both),
        ("WaitDone", "Done"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "another request", &cells);
    let both = "Cancelled [m.unexpected_message; m.unexpected_message]";
    check(
        true,
        "another request",
        &[("Sent", "-"), ("Requested", both), ("Compare", both), ("Passive", "-")],
    );
    // Another device is another matter, unless all were asked.
    check(
        false,
        "another request of B2",
        &[("Sent", "-"), ("Requested", "-"), ("Ready", "-"), ("WaitDone", "-")],
    );
}

// VER-37, VER-39, VER-40, VER-42, VER-45, VER-80
#[test]
fn ready() {
    let cells = [
        ("Idle", "Idle [m.unknown_transaction B1]"),
        ("Sent", "Ready [m.accepted B2]"),
        ("Requested", X),
        ("Ready", X),
        ("answered", X),
        ("QrShown", X),
        ("StartSent", X),
        ("Reciprocated", X),
        ("WaitDone", ENDS),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "ready", &cells);
    let cells =
        [("Sent", "Ready"), ("Requested", X_ROOM), ("Ready", X_ROOM), ("Compare", X_ROOM), ("Passive", "-")];
    check(true, "ready", &cells);
    check(false, "ready of nothing", &[("Sent", "Cancelled [m.unknown_method B1,B2]")]);
}

// VER-39, VER-45, VER-47
#[test]
fn ready_of_another_device_of_the_peer() {
    for state in ["Ready", "QrShown", "StartSent", "Compare", "Scanned", "Reciprocated", "WaitDone"] {
        let mut stage = support::table::Stage::new(state, false);
        let before = stage.result();
        stage.happen("ready of B2");
        assert_eq!(stage.result(), format!("{before} [m.accepted B2]"));
        stage.happen("ready of B2");
        assert_eq!(stage.result(), before, "once");
        stage.happen("ready of B3");
        assert_eq!(stage.result(), before, "not asked");
        check(true, "ready of B2", &[(state, "-")]);
    }
    check(false, "ready of B3", &[("Sent", "-"), ("Done", "-"), ("Cancelled", "-")]);
    check(false, "ready of B2", &[("answered", "-"), ("Requested", "-"), ("Done", "-"), ("Cancelled", "-")]);
}

// VER-42, VER-45
#[test]
fn events_of_our_own_other_device() {
    let open = [("Requested", "Passive"), ("Sent", "-"), ("Ready", "-"), ("Compare", "-"), ("WaitDone", "-")];
    check(true, "ready of A2", &open);
    check(true, "start of A2", &open);
    let end = [
        ("Requested", "Passive"),
        ("answered", "Passive"),
        ("Sent", "Passive"),
        ("Compare", "Passive"),
        ("WaitDone", "Done"),
    ];
    check(true, "cancel of A2", &end);
    check(true, "done of A2", &end);
    // Our own `ready` stands earlier in the timeline.
    check(true, "ready of A2", &[("answered", "-")]);
}

// VER-52, VER-54, VER-55, VER-63
#[test]
fn start_of_a_known_method() {
    let cells = [
        ("Idle", "StartReceived"),
        ("Sent", X_ALL),
        ("Requested", X),
        ("Ready", "AcceptSent [accept B1]"),
        ("QrShown", "AcceptSent [accept B1]"),
        ("Scanned", X),
        ("WaitDone", "-"),
        ("Confirmed", ENDS),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "SAS", &cells);
    check(true, "SAS", &[("Requested", X_ROOM), ("Ready", "AcceptSent [accept]"), ("Passive", "-")]);
    let cells = [
        ("Idle", "Cancelled [m.unknown_method B1]"),
        ("Sent", X_ALL),
        ("Requested", X),
        ("QrShown", "Scanned"),
        ("WaitDone", ENDS),
        ("Done", "-"),
    ];
    check(false, "reciprocate", &cells);
    check(false, "reciprocate bad", &[("Ready", X)]);
    check(
        false,
        "SAS without hash",
        &[("Idle", "Cancelled [m.unknown_method B1]"), ("Ready", "Cancelled [m.unknown_method B1]")],
    );
}

// VER-39
#[test]
fn start_of_another_device_of_the_peer() {
    for state in ["Ready", "QrShown", "StartSent", "Compare", "Scanned"] {
        check(false, "SAS of B2", &[(state, "-")]);
        check(false, "SAS of B3", &[(state, X)]);
        check(true, "SAS of B3", &[(state, "-")]);
    }
    check(false, "SAS of B3", &[("Sent", "-"), ("WaitDone", ENDS)]);
    check(false, "SAS of B2", &[("Sent", X_ALL), ("answered", X)]);
}

// VER-55
#[test]
fn start_of_an_unknown_method() {
    let unknown = "Cancelled [m.unknown_method B1]";
    let cells = [
        ("Idle", unknown),
        ("Sent", "Cancelled [m.unknown_method B1,B2]"),
        ("Requested", unknown),
        ("Ready", unknown),
        ("QrShown", unknown),
        ("StartSent", unknown),
        ("Compare", unknown),
        ("Scanned", unknown),
        ("Reciprocated", unknown),
        ("WaitDone", ENDS),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "unknown start", &cells);
    check(true, "unknown start", &[("Sent", "Cancelled [m.unknown_method]"), ("Passive", "-")]);
}

// VER-64, VER-80
#[test]
fn accept_key_and_mac() {
    for event in ["rx accept", "key", "mac"] {
        let cells = [
            ("Idle", "-"),
            ("Sent", X_ALL),
            ("Requested", X),
            ("Ready", X),
            ("QrShown", X),
            ("Scanned", X),
            ("Reciprocated", X),
            ("WaitDone", ENDS),
            ("Done", "-"),
            ("Cancelled", "-"),
        ];
        check(false, event, &cells);
        check(true, event, &[("Sent", X_ROOM), ("Ready", X_ROOM), ("Passive", "-")]);
    }
}

// VER-90
#[test]
fn done() {
    let cells = [
        ("Idle", "-"),
        ("Sent", X_ALL),
        ("Requested", X),
        ("Ready", X),
        ("QrShown", X),
        ("WaitDone", "Done"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "done", &cells);
    check(true, "done", &[("Sent", X_ROOM), ("WaitDone", "Done"), ("Passive", "-")]);
}

// VER-41, VER-43, VER-46, VER-81, VER-95
#[test]
fn cancel() {
    let sent_on = "Cancelled [m.user B1]";
    let cells = [
        ("Idle", "-"),
        ("Sent", "Cancelled [m.user B1,B2]"),
        ("Requested", "Cancelled"),
        ("answered", "Cancelled"),
        ("Ready", sent_on),
        ("QrShown", sent_on),
        ("StartSent", sent_on),
        ("Compare", sent_on),
        ("Reciprocated", sent_on),
        ("Scanned", sent_on),
        ("WaitDone", "Done"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "rx cancel", &cells);
    let cells = [
        ("Sent", "Cancelled"),
        ("Requested", "Cancelled"),
        ("Ready", "Cancelled"),
        ("Compare", "Cancelled"),
        ("Passive", "-"),
    ];
    check(true, "rx cancel", &cells);
    check(false, "rx m.accepted", &[("Requested", "Passive"), ("answered", "Passive")]);
}

// VER-34
#[test]
fn prompt_that_nobody_answers() {
    let cells = [
        ("Sent", "-"),
        ("Requested", "Passive"),
        ("Ready", "-"),
        ("QrShown", "-"),
        ("Compare", "-"),
        ("WaitDone", "-"),
    ];
    check(false, "prompt over", &cells);
    check(true, "prompt over", &[("Requested", "Passive")]);
}

// VER-61, VER-70, VER-95
#[test]
fn time_that_is_over() {
    let timeout = "Cancelled [m.timeout B1]";
    let cells = [
        ("Sent", "Cancelled [m.timeout B1,B2]"),
        ("Requested", "Passive"),
        ("Ready", timeout),
        ("QrShown", timeout),
        ("StartSent", timeout),
        ("KeySent", timeout),
        ("AcceptSent", timeout),
        ("Compare", timeout),
        ("PeerConfirmed", timeout),
        ("MacSent", timeout),
        ("Scanned", timeout),
        ("Reciprocated", timeout),
        ("WaitDone", "Done"),
        ("Confirmed", "Done"),
        ("Cancelled", "Idle"),
        ("Done", "Idle"),
    ];
    check(false, "time over", &cells);
    check(true, "time over", &[("Sent", "Cancelled [m.timeout]"), ("Passive", "Idle")]);
}

// VER-17, VER-67
#[test]
fn malformed() {
    let invalid = "Cancelled [m.invalid_message B1]";
    let cells = [
        ("Idle", "-"),
        ("Sent", "Cancelled [m.invalid_message B1,B2]"),
        ("Requested", invalid),
        ("Ready", invalid),
        ("KeySent", invalid),
        ("Compare", invalid),
        ("WaitDone", "Done [m.invalid_message B1]"),
        ("Done", "-"),
        ("Cancelled", "-"),
    ];
    check(false, "malformed", &cells);
    check(true, "malformed", &[("Ready", "Cancelled [m.invalid_message]"), ("Passive", "-")]);
}
