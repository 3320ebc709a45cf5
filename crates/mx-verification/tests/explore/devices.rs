//! Three devices: one request to two devices of a user, in a room and to devices, and requests that cross.

use crate::device::{ALICE, BOB, Directory, End, FlowView, Input, Setup, key};
use crate::forge;
use crate::judge::agreement;
use crate::world::{May, Network, Outcome, Scenario, explore};

const START: May = May { start: true, show: false, scan: false, cancel: false, err: false };
const FAIR: Network = Network::AnyOrder { drops: false, duplicates: false, forges: false, faults: 0 };

fn scenario(name: &'static str, request: Input, network: Network) -> Scenario {
    let keys = Directory::full();
    Scenario {
        name,
        setups: vec![
            Setup::new(ALICE, "A1", &keys),
            Setup::new(BOB, "B1", &keys),
            Setup::new(BOB, "B2", &keys),
        ],
        requests: vec![(0, request)],
        may: vec![START; 3],
        network,
        forged: forge::to_both,
        impatient: false,
        most_states: 4_000_000,
    }
}

/// One pair has verified each other, or nobody anybody; the rest have ended, and not with an error.
fn one_pair(outcome: &Outcome<'_>) -> Result<(), String> {
    let views: Vec<Option<&FlowView>> = outcome.nodes.iter().map(|node| node.seen.0.first()).collect();
    let verified = |index: usize| views[index].and_then(|view| view.verified.as_deref());
    let alice = format!("{ALICE} A1={} master={}", key(0x10), key(0x18));
    let partner = [(1, "B1", 0x20), (2, "B2", 0x21)].into_iter().filter(|(index, device_id, byte)| {
        let theirs = format!("{BOB} {device_id}={} master={}", key(*byte), key(0x28));
        verified(0) == Some(&theirs) && verified(*index) == Some(&alice)
    });
    match (partner.count(), [0, 1, 2].map(verified).into_iter().flatten().count()) {
        (0, 0) | (1, 2) => Ok(()),
        _ => Err("not one pair".into()),
    }
}

/// One of a pair has verified the other, and does not believe that it is the same on the other side.
fn one_side(outcome: &Outcome<'_>) -> Result<(), String> {
    let views: Vec<&FlowView> = outcome.nodes.iter().filter_map(|node| node.seen.0.first()).collect();
    let mut verified = views.iter().filter(|view| view.verified.is_some());
    match (verified.next(), verified.next()) {
        (Some(view), None) if view.end == Some(End::Unconfirmed) => Ok(()),
        _ => Err("neither a pair nor one side of it".into()),
    }
}

fn is_verified(outcome: &Outcome<'_>, index: usize) -> bool {
    outcome.nodes[index].seen.0.iter().any(|view| view.verified.is_some())
}

// VER-42, VER-45
#[test]
fn two_answer_in_a_room() {
    let room = scenario("two devices answer in a room", Input::RequestInRoom(BOB), Network::Timeline);
    explore(&room, |outcome| {
        one_pair(outcome)?;
        if !is_verified(outcome, 0) {
            return Err("Alice has verified nobody".into());
        }
        let third = outcome.nodes.iter().find(|node| node.seen.0.iter().all(|view| view.verified.is_none()));
        match third.and_then(|third| third.seen.0.first()).and_then(|view| view.end.as_ref()) {
            Some(End::Elsewhere) => Ok(()),
            other => Err(format!("the third device: {other:?}")),
        }
    });
}

// VER-41, VER-42, VER-45
#[test]
fn two_answer_in_a_room_or_decline() {
    let mut room =
        scenario("two devices answer in a room, or decline", Input::RequestInRoom(BOB), Network::Timeline);
    room.may = vec![START, May { cancel: true, ..START }, May { cancel: true, ..START }];
    explore(&room, |outcome| {
        // A cancel after the last `mac` can come between the two; the third has no part in it.
        one_pair(outcome).or_else(|_| one_side(outcome))
    });
}

// VER-32, VER-39, VER-40, VER-43, VER-47
#[test]
fn two_answer_to_device() {
    for (name, network) in
        [("one request to two devices, in order", Network::InOrder), ("one request to two devices", FAIR)]
    {
        let asked = scenario(name, Input::Request(BOB, &["B1", "B2"]), network);
        explore(&asked, |outcome| {
            one_pair(outcome)?;
            let must = network == Network::InOrder;
            if is_verified(outcome, 0) || !must { Ok(()) } else { Err("Alice has verified nobody".into()) }
        });
    }
}

// VER-41, VER-46
#[test]
fn two_answer_to_device_or_decline() {
    let mut asked =
        scenario("one request to two devices, one may decline", Input::Request(BOB, &["B1", "B2"]), FAIR);
    asked.may[2].cancel = true;
    explore(&asked, |outcome| {
        for view in outcome.nodes.iter().flat_map(|node| &node.seen.0) {
            // Nobody is left waiting until the time runs out.
            if matches!(&view.end, Some(End::ByUs(code)) if code == "m.timeout") {
                return Err("somebody was left waiting".into());
            }
        }
        one_pair(outcome).or_else(|_| one_side(outcome))
    });
}

// VER-74
#[test]
fn requests_that_cross() {
    for (name, network) in
        [("requests that cross, in order", Network::InOrder), ("requests that cross", FAIR)]
    {
        let mut crossing = scenario(name, Input::Request(BOB, &["B1"]), network);
        crossing.setups.truncate(2);
        crossing.may.truncate(2);
        crossing.requests.push((1, Input::Request(ALICE, &["A1"])));
        let sides = [(ALICE, "A1", 0x10, 0x18), (BOB, "B1", 0x20, 0x28)];
        let [alice, bob] = sides.map(|(user_id, device_id, device, master)| {
            format!("{user_id} {device_id}={} master={}", key(device), key(master))
        });
        explore(&crossing, |outcome| {
            // A request that arrives after all else is a second attempt in the middle of the first, and may come between the last messages.
            let is_late = network != Network::InOrder;
            agreement(&Outcome { dropped: is_late, ..*outcome }, [&[&bob], &[&alice]])?;
            if network == Network::InOrder && !is_verified(outcome, 0) {
                return Err("both have asked, and neither has verified".into());
            }
            Ok(())
        });
    }
}
