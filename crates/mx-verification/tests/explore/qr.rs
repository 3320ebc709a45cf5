//! QR codes between two devices, and beside SAS.

use crate::device::{ALICE, BOB, Directory, Input, Setup, key};
use crate::forge;
use crate::judge::agreement;
use crate::world::{Found, May, Network, Outcome, Scenario, explore};

const NOTHING: May = May { start: false, show: false, scan: false, cancel: false, err: false };
const SHOW: May = May { show: true, ..NOTHING };
const SCAN: May = May { scan: true, ..NOTHING };
const BOTH: May = May { show: true, scan: true, ..NOTHING };
const SAS: May = May { start: true, ..NOTHING };
const FAIR: Network = Network::AnyOrder { drops: false, duplicates: false, forges: false, faults: 0 };
const FAULTY: Network = Network::AnyOrder { drops: true, duplicates: true, forges: false, faults: 2 };
const HOSTILE: Network = Network::AnyOrder { drops: true, duplicates: true, forges: true, faults: 2 };

/// Between Alice and Bob: mode 0.
fn users(name: &'static str, may: [May; 2], network: Network) -> Scenario {
    let keys = Directory::full();
    Scenario {
        name,
        setups: vec![Setup::new(ALICE, "A1", &keys), Setup::new(BOB, "B1", &keys)],
        requests: vec![(0, Input::Request(BOB, &["B1"]))],
        may: may.into(),
        network,
        forged: forge::to_both,
        impatient: false,
        most_states: 2_000_000,
    }
}

/// Between two devices of Alice, of which the first asks, and the one called `trusting` trusts her master signing key: modes 1 and 2.
fn own_devices(name: &'static str, may: [May; 2], trusting: &str, network: Network) -> Scenario {
    let setup = |device_id| {
        let keys = Directory { trusts_own_master: device_id == trusting, ..Directory::full() };
        Setup::new(ALICE, device_id, &keys)
    };
    Scenario {
        setups: vec![setup("A1"), setup("A2")],
        requests: vec![(0, Input::Request(ALICE, &["A2"]))],
        ..users(name, may, network)
    }
}

fn master(user_id: &str, byte: u8) -> String {
    format!("{user_id} master={}", key(byte))
}

fn device(user_id: &str, device_id: &str, byte: u8) -> String {
    format!("{user_id} {device_id}={}", key(byte))
}

fn of_users(outcome: &Outcome<'_>) -> Result<(), String> {
    scanner_is_not_alone(outcome)?;
    agreement(outcome, [&[&master(BOB, 0x28)], &[&master(ALICE, 0x18)]])
}

/// QR-38: whoever scans has verified only when whoever displays has.
fn scanner_is_not_alone(outcome: &Outcome<'_>) -> Result<(), String> {
    for (index, node) in outcome.nodes.iter().enumerate() {
        let (Some(view), Some(other)) = (node.seen.0.first(), outcome.nodes[1 - index].seen.0.first()) else {
            continue;
        };
        let alone = view.verified.is_some() && other.verified.is_none();
        if alone
            && view.has_done("scan")
            && !other.has_done("scan")
            && !view.has_done("confirm")
            && !outcome.forged
        {
            return Err(format!("{index} has scanned and verified alone"));
        }
    }
    Ok(())
}

fn both_verify(found: &Found) {
    let all = found.outcomes.keys().all(|outcome| outcome.iter().all(|side| side == "verified, Done"));
    assert!(all && !found.outcomes.is_empty(), "{found:?}");
}

// QR-32, QR-33, QR-34, QR-35
#[test]
fn mode_0() {
    both_verify(&explore(&users("QR, mode 0", [SHOW, SCAN], FAIR), of_users));
    both_verify(&explore(&users("QR, mode 0, asked by the one who scans", [SCAN, SHOW], FAIR), of_users));
}

// QR-35, QR-36
#[test]
fn modes_1_and_2() {
    for (name, may, trusting, keys) in [
        ("QR, mode 1", [SHOW, SCAN], "A1", [device(ALICE, "A2", 0x11), master(ALICE, 0x18)]),
        ("QR, mode 2", [SHOW, SCAN], "A2", [master(ALICE, 0x18), device(ALICE, "A1", 0x10)]),
        // QR-39: the same keys in both directions.
        (
            "QR, modes 1 and 2, both scan",
            [BOTH, BOTH],
            "A1",
            [device(ALICE, "A2", 0x11), master(ALICE, 0x18)],
        ),
    ] {
        let judge = |outcome: &Outcome<'_>| {
            scanner_is_not_alone(outcome)?;
            agreement(outcome, [&[&keys[0]], &[&keys[1]]])
        };
        both_verify(&explore(&own_devices(name, may, trusting, FAIR), judge));
        explore(&own_devices(name, may, trusting, FAULTY), judge);
    }
}

// QR-37, VER-57
#[test]
fn both_scan() {
    both_verify(&explore(&users("QR, both scan", [BOTH, BOTH], FAIR), of_users));
    explore(&users("QR, both scan, two faults", [BOTH, BOTH], FAULTY), of_users);
}

// QR-38
#[test]
fn loss_and_repetition() {
    explore(&users("QR, two faults", [SHOW, SCAN], FAULTY), of_users);
    let impatient = Scenario { impatient: true, ..users("QR, one fault, impatient", [SHOW, SCAN], FAULTY) };
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: false, faults: 1 };
    explore(&Scenario { network, ..impatient }, of_users);
}

// Attacks 115 and 116: what is put in verifies nothing that is not there.
#[test]
fn attack_116_no_word_of_the_network_verifies() {
    explore(&users("QR, two messages put in", [SHOW, SCAN], HOSTILE), of_users);
    let cancels = May { cancel: true, ..SHOW };
    let network = Network::AnyOrder { drops: true, duplicates: true, forges: true, faults: 1 };
    explore(&users("QR, one put in, and Alice may cancel", [cancels, SCAN], network), of_users);
}

// VER-51, VER-56
#[test]
fn beside_sas() {
    let sas = |user_id, device_id, device, mastered| {
        format!("{user_id} {device_id}={} master={}", key(device), key(mastered))
    };
    let judge = |outcome: &Outcome<'_>| {
        let alice = [sas(ALICE, "A1", 0x10, 0x18), master(ALICE, 0x18)];
        let bob = [sas(BOB, "B1", 0x20, 0x28), master(BOB, 0x28)];
        agreement(outcome, [&[&bob[0], &bob[1]], &[&alice[0], &alice[1]]])
    };
    let found =
        explore(&users("SAS of one side, QR of the other", [SAS, May { show: false, ..SCAN }], FAIR), judge);
    both_verify(&found);
    let everything = May { start: true, ..BOTH };
    let network = Network::InOrder;
    explore(&users("SAS and QR of both sides, in order", [everything, everything], network), judge);
    explore(&users("SAS and QR of both sides", [everything, everything], FAIR), judge);
}

/// The same with a wider bound: see `sas::far`.
#[test]
#[ignore = "takes minutes"]
fn far() {
    let everything = May { start: true, ..BOTH };
    let far = |name, may, network| Scenario { most_states: 40_000_000, ..users(name, [may, may], network) };
    let three = Network::AnyOrder { drops: true, duplicates: true, forges: true, faults: 3 };
    explore(&far("QR, both scan, two messages put in", BOTH, HOSTILE), of_users);
    explore(&far("QR, both scan, three messages put in", BOTH, three), of_users);
    explore(&far("SAS and QR of both sides, two faults", everything, FAULTY), |_| Ok(()));
}
