//! Somebody in the middle, who is Bob for Alice and Alice for Bob, with keys of her own.

use crate::automaton::addressed;
use crate::device::{ALICE, Act, BOB, Device, Directory, End, Input, Setup, key};
use crate::message::Messages;

/// Two devices that have only each other to talk to.
struct Line {
    setups: [Setup; 2],
    devices: [Device; 2],
    messages: Messages,
}

impl Line {
    fn new(setups: [Setup; 2]) -> Self {
        let devices = [0, 1].map(|index: usize| Device::new(&setups[index]));
        Self { setups, devices, messages: Messages::default() }
    }

    /// Lets it happen, and delivers all that follows.
    fn happen(&mut self, index: usize, input: &Input) {
        let outgoing = self.devices[index].apply(input, &self.messages.all).unwrap();
        for (to, message) in addressed(&self.setups[index], outgoing, &self.setups, &mut self.messages) {
            self.happen(usize::from(to), &Input::Receive(message));
        }
    }

    fn act(&mut self, index: usize, act: Act) {
        self.happen(index, &Input::On(0, act));
    }

    fn end(&self, index: usize) -> Option<&End> {
        let view = &self.devices[index].seen.0[0];
        assert_eq!(view.verified, None);
        view.end.as_ref()
    }
}

/// Alice with Mallory, and Mallory with Bob, until there is something to compare.
fn lines() -> [Line; 2] {
    let honest = Directory::full();
    let mallory = |user_id, device_id| {
        let mut keys = Directory::full();
        for (_, device) in &mut keys.users.get_mut(user_id).unwrap().devices {
            *device = key(0x66);
        }
        Setup { salt: 1, ..Setup::new(user_id, device_id, &keys) }
    };
    let alice = Line::new([Setup::new(ALICE, "A1", &honest), mallory(BOB, "B1")]);
    let bob = Line::new([mallory(ALICE, "A1"), Setup::new(BOB, "B1", &honest)]);
    let mut lines = [alice, bob];
    for line in &mut lines {
        line.happen(0, &Input::Request(BOB, &["B1"]));
        line.act(1, Act::Accept);
        line.act(0, Act::StartSas);
    }
    lines
}

// SAS-42, attack 111
#[test]
fn attack_096_users_see_who_is_in_the_middle() {
    let mut lines = lines();
    let strings = [(0, 0), (1, 1)].map(|(line, index): (usize, usize)| {
        lines[line].devices[index].seen.0[0].short_string.clone().unwrap()
    });
    assert!(!strings[0].matches(&strings[1]));
    for (line, (mallory, user)) in lines.iter_mut().zip([(1, 0), (0, 1)]) {
        line.act(user, Act::Mismatch);
        assert_eq!(line.end(user), Some(&End::ByUs("m.mismatched_sas".into())));
        assert_eq!(line.end(mallory), Some(&End::ByThem("m.mismatched_sas".into())));
    }
}

// SAS-37: and whoever confirms all the same has not verified her keys.
#[test]
fn attack_105_keys_in_the_middle_are_not_those_that_are_known() {
    for (mut line, (mallory, user)) in lines().into_iter().zip([(1, 0), (0, 1)]) {
        line.act(user, Act::Confirm);
        line.act(mallory, Act::Confirm);
        assert_eq!(line.end(user), Some(&End::ByUs("m.key_mismatch".into())));
    }
}
