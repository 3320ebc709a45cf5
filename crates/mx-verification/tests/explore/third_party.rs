//! Somebody else writes into a verification, in the middle of it and with its ID.

use crate::device::{ALICE, BOB, Device, Directory, Input, Setup};
use crate::forge;
use crate::message::{Message, Messages};
use crate::run::{How, Plan, Wire};

const MALLORY: &str = "@mallory:example.org";

/// Before each message, everything that Mallory can say, to whom it goes; and in a room, to both.
struct Mallory {
    in_room: bool,
    said: usize,
}

impl Wire for Mallory {
    fn pass(&mut self, _: usize, message: &Message) -> Vec<Message> {
        vec![message.clone()]
    }

    fn before(&mut self, _: usize, devices: &mut [Device]) -> Vec<(usize, Vec<mx_verification::Outgoing>)> {
        let flow = devices.iter().find_map(|device| Some(device.seen.0.first()?.flow.id.clone())).unwrap();
        for device in devices {
            for message in said_by_mallory(&flow, self.in_room) {
                self.said += 1;
                let before = seen(device);
                let mut messages = Messages::default();
                let number = messages.number(message.clone());
                let outgoing = device.apply(&Input::Receive(number), &messages.all).unwrap();
                assert!(outgoing.is_empty(), "{message:?} was answered: {outgoing:?}");
                assert_eq!(seen(device), before, "{message:?} has changed something");
            }
        }
        Vec::new()
    }
}

/// All flows and what the user sees. Apart from that it is remembered that Mallory has cancelled a flow of that name, with her.
fn seen(device: &Device) -> String {
    let flows: Vec<_> = device.machine.flows().collect();
    format!("{flows:?}{:?}", device.seen)
}

/// With the names of the devices that take part, and with a device of her own.
fn said_by_mallory(flow: &str, in_room: bool) -> Vec<Message> {
    let contents = ["A1", "B1", "M1"].into_iter().flat_map(forge::kinds);
    contents
        // A `start` to a device needs no request: it would be a verification with Mallory.
        .filter(|(kind, _)| in_room || !["start", "ready"].contains(kind))
        .map(|(kind, fields)| {
            let message = forge::message((MALLORY, "M1"), kind, forge::with_transaction(fields, flow));
            if in_room { forge::in_room(message, flow) } else { message }
        })
        .collect()
}

// VER-4, VER-6, VER-66
#[test]
fn attack_106_a_third_party_changes_nothing() {
    let keys = Directory::full();
    for (how, in_room) in [(How::Sas, false), (How::Sas, true), (How::Qr, false), (How::Qr, true)] {
        let plan =
            Plan { setups: [Setup::new(ALICE, "A1", &keys), Setup::new(BOB, "B1", &keys)], how, in_room };
        let mut mallory = Mallory { in_room, said: 0 };
        let ran = plan.run(&mut mallory);
        assert_eq!((ran.end(0), ran.end(1)), ("verified".into(), "verified".into()));
        println!("{how:?}, in a room: {in_room}: {} messages of a third party", mallory.said);
    }
}
