//! Keys that change between any two messages: nothing is verified, and the code says why.

use crate::device::{ALICE, BOB, Device, Directory, Setup, key};
use crate::message::Message;
use crate::run::{Honest, How, Plan, Wire};

/// What changes on one device, and in the server's answers that it has.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// The key of the other device.
    TheirDevice,
    /// The other device is gone.
    TheirDeviceIsGone,
    /// The master signing key of the other user.
    TheirMaster,
    /// The master signing key of our own user, which is not trusted then.
    OwnMaster,
    /// The other user has a device that is called like a cross-signing key.
    NameOfAKey,
}

const CHANGES: [Change; 5] = [
    Change::TheirDevice,
    Change::TheirDeviceIsGone,
    Change::TheirMaster,
    Change::OwnMaster,
    Change::NameOfAKey,
];

struct Changing {
    place: usize,
    /// On which device.
    on: usize,
    change: Change,
    /// Whether the machine is told at once, or finds out.
    told: bool,
    /// Where the device stood then: whether its keys were fixed, and whether it had verified.
    stood: (bool, bool),
}

impl Wire for Changing {
    fn pass(&mut self, _: usize, message: &Message) -> Vec<Message> {
        vec![message.clone()]
    }

    fn before(
        &mut self,
        place: usize,
        devices: &mut [Device],
    ) -> Vec<(usize, Vec<mx_verification::Outgoing>)> {
        if place != self.place {
            return Vec::new();
        }
        let (own, theirs) = if self.on == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        let device = &mut devices[self.on];
        if let Some(view) = device.seen.0.first() {
            self.stood = (view.is_ready || view.has_done("accept"), view.verified.is_some());
        }
        let other = key(0x77);
        let user = match self.change {
            Change::OwnMaster => own,
            _ => theirs,
        };
        let keys = device.keys.users.get_mut(user).unwrap();
        match self.change {
            Change::TheirDevice => keys.devices[0].1 = other,
            Change::TheirDeviceIsGone => drop(keys.devices.remove(0)),
            Change::TheirMaster => keys.master_signing_key = Some(other),
            Change::OwnMaster => {
                keys.master_signing_key = Some(other);
                device.keys.trusts_own_master = false;
            }
            Change::NameOfAKey => {
                let name = keys.master_signing_key.unwrap().to_string();
                keys.devices.push((name, other));
            }
        }
        if self.told { vec![(self.on, device.keys_changed(user))] } else { Vec::new() }
    }
}

fn plan(how: How, in_room: bool) -> Plan {
    let keys = Directory::full();
    Plan { setups: [Setup::new(ALICE, "A1", &keys), Setup::new(BOB, "B1", &keys)], how, in_room }
}

// VER-84, VER-85, XS-31, QR-26
#[test]
fn attack_105_keys_change_between_two_messages() {
    let mut runs = 0;
    for (how, in_room) in [(How::Sas, false), (How::Sas, true), (How::Qr, false)] {
        let plan = plan(how, in_room);
        let places = plan.run(&mut Honest).sent.len();
        for change in CHANGES {
            for (on, told) in [(0, true), (0, false), (1, true), (1, false)] {
                for place in 0..places {
                    let mut changing = Changing { place, on, change, told, stood: (false, false) };
                    let ran = plan.run(&mut changing);
                    let what =
                        format!("{how:?}, {change:?} on {on} before {place}: {}, {}", ran.end(0), ran.end(1));
                    let verified = ran.verified(on);
                    match changing.stood {
                        // What is verified stays.
                        (_, true) => assert_eq!(ran.end(on), "verified", "{what}"),
                        // There is no code any more, which is for this device to say; short strings could still be compared.
                        (true, false) if how == How::Qr && ran.end(on) == "m.timeout" => {
                            assert!(matches!(change, Change::OwnMaster) && verified.is_none(), "{what}");
                        }
                        (true, false) => {
                            assert_eq!((ran.end(on).as_str(), verified), ("m.key_mismatch", None), "{what}")
                        }
                        (false, false) if matches!(change, Change::NameOfAKey) => {
                            assert_eq!((ran.end(on).as_str(), verified), ("m.key_mismatch", None), "{what}");
                        }
                        // The keys of that moment are those that count, and nobody can prove the new one.
                        (false, false) => {
                            let new = key(0x77).to_string();
                            assert!(!verified.is_some_and(|keys| keys.contains(&new)), "{what}");
                        }
                    }
                    runs += 1;
                }
            }
        }
    }
    println!("{runs} verifications with changing keys");
}
