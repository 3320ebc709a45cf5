//! SAS between two devices.

use crate::device::{ALICE, BOB, Directory, Input, Setup, key};
use crate::forge;
use crate::judge::agreement;
use crate::world::{Found, May, Network, Outcome, Scenario, explore};

const START: May = May { start: true, show: false, scan: false, cancel: false, err: false };
const FAIR: Network = Network::AnyOrder { drops: false, duplicates: false, forges: false, faults: 0 };

fn scenario(name: &'static str, network: Network) -> Scenario {
    let keys = Directory::full();
    Scenario {
        name,
        setups: vec![Setup::new(ALICE, "A1", &keys), Setup::new(BOB, "B1", &keys)],
        requests: vec![(0, Input::Request(BOB, &["B1"]))],
        may: vec![START, May::default()],
        network,
        forged: forge::to_both,
        impatient: false,
        most_states: 2_000_000,
    }
}

fn judge(outcome: &Outcome<'_>) -> Result<(), String> {
    let [alice, bob] =
        [(ALICE, "A1", 0x10, 0x18), (BOB, "B1", 0x20, 0x28)].map(|(user_id, device_id, device, master)| {
            format!("{user_id} {device_id}={} master={}", key(device), key(master))
        });
    agreement(outcome, [&[&bob], &[&alice]])
}

fn both_verify(found: &Found) {
    let all = found.outcomes.keys().all(|outcome| outcome.iter().all(|side| side == "verified, Done"));
    assert!(all, "{found:?}");
}

// SAS-64, SAS-16, VER-90, VER-91
#[test]
fn nothing_but_order() {
    both_verify(&explore(&scenario("SAS, any order", FAIR), judge));
}

// VER-50, VER-52, VER-53
#[test]
fn both_start() {
    let in_order = scenario("SAS, both start, in order", Network::InOrder);
    both_verify(&explore(&Scenario { may: vec![START; 2], ..in_order }, judge));
    let both = Scenario { may: vec![START; 2], ..scenario("SAS, both start", FAIR) };
    explore(&both, judge);
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: false, faults: 1 };
    explore(&Scenario { name: "SAS, both start, one fault", network, ..both }, judge);
}

// SAS-60, VER-21, VER-95
#[test]
fn loss_and_repetition() {
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: false, faults: 2 };
    explore(&scenario("SAS, two faults", network), judge);
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: false, faults: 1 };
    explore(&Scenario { impatient: true, ..scenario("SAS, one fault, impatient", network) }, judge);
}

// VER-60, VER-95, SAS-42
#[test]
fn users_who_change_their_minds() {
    let may = vec![May { cancel: true, ..START }, May { cancel: true, err: true, ..May::default() }];
    let changeable = Scenario { may, ..scenario("SAS, users cancel or err", FAIR) };
    explore(&changeable, |outcome| {
        let after_a_word = outcome
            .nodes
            .iter()
            .flat_map(|node| &node.seen.0)
            .any(|view| view.has_done("cancel") || view.has_done("mismatch"));
        match judge(outcome) {
            Err(_) if after_a_word => Ok(()),
            other => other,
        }
    });
}

// VER-4, SAS-64
#[test]
fn in_a_room() {
    let room = || Scenario {
        requests: vec![(0, Input::RequestInRoom(BOB))],
        forged: forge::to_both_in_room,
        ..scenario("SAS in a room, any order", FAIR)
    };
    both_verify(&explore(&room(), judge));
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: true, faults: 2 };
    explore(&Scenario { name: "SAS in a room, two messages put in", network, ..room() }, judge);
}

// Attacks 096, 097, 109: whatever the network puts in, between any two messages.
#[test]
fn attack_097_two_messages_put_in() {
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: true, faults: 2 };
    explore(&scenario("SAS, two messages put in", network), judge);
}

/// The same with a wider bound: `cargo test -p mx-verification --test explore -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn far() {
    let hostile = |faults| Network::AnyOrder { drops: true, duplicates: true, forges: true, faults };
    let may = vec![May { cancel: true, err: true, ..START }; 2];
    let far =
        |name, network| Scenario { may: may.clone(), most_states: 40_000_000, ..scenario(name, network) };
    explore(
        &Scenario { may: vec![START; 2], ..far("SAS, both start, two messages put in", hostile(2)) },
        judge,
    );
    explore(
        &Scenario { may: vec![START; 2], ..far("SAS, both start, three messages put in", hostile(3)) },
        judge,
    );
    explore(
        &Scenario { impatient: true, ..far("SAS, users who err, impatient, one message put in", hostile(1)) },
        |_| Ok(()),
    );
}
