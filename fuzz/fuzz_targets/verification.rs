//! Any messages to a device in the middle of a verification, in rooms and to devices: no panic, the bounds hold, nothing is verified that
//! our user has not confirmed, and no flow outlives its time.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mx_curve25519::Ed25519SecretKey;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::{
    Config, FlowKey, Incoming, Keys, Limits, Outgoing, Step, Time, UserKeys, Verifications, Via, What,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

const ALICE: &str = "@alice:example.org";
const BOB: &str = "@bob:example.org";
const ROOM: &str = "!room:example.org";

struct Store;

impl Keys for Store {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        let (device_id, [device, master]) = match user_id.as_str() {
            ALICE => ("A", [KEYS[0], KEYS[1]]),
            BOB => ("B", [KEYS[2], KEYS[3]]),
            _ => return UserKeys::UNKNOWN,
        };
        UserKeys {
            is_outdated: false,
            devices: vec![(device_id.into(), device)],
            master_signing_key: Some(master),
            ..UserKeys::UNKNOWN
        }
    }

    fn own_master_is_trusted(&self) -> bool {
        true
    }
}

/// Each is asked for with every message.
static KEYS: LazyLock<[Ed25519PublicKey; 4]> =
    LazyLock::new(|| [1, 2, 3, 4].map(|seed| Ed25519SecretKey::from_seed(&[seed; 32]).public_key()));

/// Both devices and their one generator.
struct World {
    alice: Verifications,
    bob: Verifications,
    rng: ChaCha20Rng,
}

impl World {
    fn new() -> Self {
        let device = |user_id, device_id, key| {
            let (user_id, device_id) = (UserId::parse(user_id), DeviceId::parse(device_id));
            Verifications::new(user_id.expect("good"), device_id.expect("good"), key, Config::DEFAULT)
        };
        Self {
            alice: device(ALICE, "A", KEYS[0]),
            bob: device(BOB, "B", KEYS[2]),
            rng: ChaCha20Rng::seed_from_u64(1),
        }
    }

    /// Delivers a step of Alice's, or of Bob's, with all that follows from it.
    fn deliver(&mut self, from_alice: bool, step: Step) {
        for message in step.messages {
            let Outgoing::ToDevice { event_type, content, .. } = message else { continue };
            let (to, sender) = if from_alice { (&mut self.bob, ALICE) } else { (&mut self.alice, BOB) };
            let via = Via::ToDevice { olm_sender: None };
            let message = Incoming { sender, event_type, content: &content, via };
            let answer = to.receive(&mut self.rng, time(0), &Store, &message).expect("random");
            self.deliver(!from_alice, answer);
        }
    }

    /// Goes some steps along a verification, by short strings or by a code.
    fn go(&mut self, steps: u8, by_code: bool) -> Option<(FlowKey, FlowKey)> {
        let bob = UserId::parse(BOB).ok()?;
        let (at_alice, step) =
            self.alice.request_to_device(&mut self.rng, time(0), &Store, bob, &["B"]).ok()?;
        let at_bob = FlowKey { user_id: ALICE.into(), ..at_alice.clone() };
        self.deliver(true, step);
        if steps > 0 {
            let step = self.bob.accept(&mut self.rng, time(0), &Store, &at_bob).ok()?;
            self.deliver(false, step);
        }
        if steps > 1 && by_code {
            let code = self.alice.show_qr(&mut self.rng, &Store, &at_alice).ok()?;
            if steps > 2 {
                let step = self.bob.scan(time(0), &Store, &at_bob, &code).ok()?;
                self.deliver(false, step);
            }
        } else if steps > 1 {
            let step = self.bob.start_sas(&mut self.rng, time(0), &at_bob).ok()?;
            self.deliver(false, step);
            if steps > 2 {
                let step = self.bob.confirm(time(0), &Store, &at_bob).ok()?;
                self.deliver(false, step);
            }
        }
        Some((at_alice, at_bob))
    }
}

fn time(ms: u64) -> Time {
    Time { monotonic_ms: ms, unix_ms: 1_700_000_000_000 + ms }
}

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    let mut world = World::new();
    let (flow, _) = world.go(how & 3, how & 4 != 0).expect("honest");
    let limits = Limits::DEFAULT;

    // Each line is a message: who, which type, and the content, in which `%` is the ID of the flow and `~` the types' prefix.
    for (place, line) in text.lines().enumerate() {
        let mut parts = line.splitn(3, ' ');
        let (Some(who), Some(kind), Some(content)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let content = content.replace('%', &flow.id);
        let event_type = kind.replace('~', "m.key.verification.");
        let event_id = format!("${place}");
        let via = if who.contains('r') {
            Via::Room {
                room_id: ROOM,
                event_id: &event_id,
                origin_server_ts: 1_700_000_000_000,
                from_this_device: who.contains('h'),
                encrypted: None,
            }
        } else {
            Via::ToDevice { olm_sender: who.contains('o').then_some("B") }
        };
        let sender = if who.contains('m') { ALICE } else { BOB };
        let message = Incoming { sender, event_type: &event_type, content: &content, via };
        let step = world.alice.receive(&mut world.rng, time(place as u64), &Store, &message).expect("random");
        assert!(
            step.events.iter().all(|event| !matches!(event.what, What::Verified(_))),
            "nobody has confirmed"
        );
        assert!(world.alice.flows().count() <= limits.flows);
        assert!(step.messages.len() <= 4, "{} messages for one", step.messages.len());
    }
    let _ = world.alice.tick(time(limits.lifetime_ms + data.len() as u64));
    assert_eq!(world.alice.flows().count(), 0);
});
