//! Random histories: keys change and come back, signatures come and go, users act. Both sides see the same; where they come to
//! different ends a requirement must decide it.

use std::collections::BTreeMap;

use matrix_sdk_crypto::UserIdentity;
use mx_cross_signing::{IdentityError, OwnState, UserState};
use rand_chacha::ChaCha20Rng;

use super::{
    super::{below, block_on},
    graphs::{DEVICES, Edge},
    objects::{Answer, device_keys, public},
    pair::{ALICE, BOB, Disagreement, Pair, THIS},
};
use crate::report::{Failure, Outcome, failure};

const HISTORIES: usize = 300;
const STEPS: usize = 12;

/// What the server has.
#[derive(Clone, Debug)]
struct World {
    alice: Keys,
    bob: Keys,
    /// Alice's present user-signing key on Bob's present master signing key.
    verified: Edge,
    /// The present self-signing keys on [`DEVICES`].
    devices: [Edge; 4],
    /// Whether Bob's second device is there, and his identity in the answers.
    has_desk: bool,
    shows_bob: bool,
}

/// Which keys of a user are in use: by number, the last two under the first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Keys {
    user: &'static str,
    msk: usize,
    ssk: usize,
    usk: usize,
}

impl Keys {
    fn names(self) -> [String; 3] {
        let Self { user, msk, ssk, usk } = self;
        [format!("{user}-m{msk}"), format!("{user}-m{msk}-s{ssk}"), format!("{user}-m{msk}-u{usk}")]
    }
}

/// Until the first disagreement of each history: all of them must have a requirement that decides.
pub fn histories(rng: &mut ChaCha20Rng) -> Outcome {
    let mut decided = BTreeMap::<_, usize>::new();
    let mut compared = 0;
    for number in 0..HISTORIES {
        let mut pair = Pair::new()?;
        let mut world = World {
            alice: Keys { user: "a", msk: 0, ssk: 0, usk: 0 },
            bob: Keys { user: "b", msk: 0, ssk: 0, usk: 0 },
            verified: Edge::Absent,
            devices: [Edge::Valid; 4],
            has_desk: true,
            shows_bob: true,
        };
        let mut told = Vec::new();
        // Whether Bob's identity, as it was shown last, has a key that came back: they have taken it, and we have refused it.
        let mut is_refused = false;
        pair.receive(&world.answer(&pair)?)?;
        for _ in 0..STEPS {
            let before = world.clone();
            told.push(step(rng, &mut pair, &mut world)?);
            let kept = pair.receive(&world.answer(&pair)?)?;
            if world.shows_bob {
                is_refused = kept.iter().any(|(user_id, error)| user_id == BOB && is_replaced(error));
            }
            compared += DEVICES.len() + 3;
            let Some(disagreement) = pair.compare(&DEVICES)? else { continue };
            let Some(requirement) = decides(&pair, [&before, &world], &kept, is_refused, &disagreement)?
            else {
                return failure(format!(
                    "history {number}, {}: {told:?}, then {world:?}",
                    disagreement.words
                ));
            };
            *decided.entry(requirement).or_default() += 1;
            break;
        }
    }
    let decided: Vec<_> = decided.into_iter().map(|(id, count)| format!("{id} {count}")).collect();
    Ok(format!("{HISTORIES} histories, {compared} judgements; decided otherwise by {}", decided.join(", ")))
}

impl World {
    fn answer(&self, pair: &Pair) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        for (user_id, keys) in [(ALICE, self.alice), (BOB, self.bob)] {
            let [msk, ssk, usk] = keys.names();
            answer.identity(user_id, [&msk, &ssk, &usk])?;
        }
        let ([msk, ssk, usk], [_, bobs_ssk, _]) = (self.alice.names(), self.bob.names());
        self.verified.put(&mut answer.msks[BOB], &usk, ALICE, &msk)?;
        if !self.shows_bob {
            answer.msks.remove(BOB);
        }
        for ((user_id, device), edge) in DEVICES.into_iter().zip(self.devices) {
            let mut object = match device {
                THIS => pair.this.clone(),
                _ => device_keys(user_id, device, device)?,
            };
            let ssk = if user_id == ALICE { &ssk } else { &bobs_ssk };
            edge.put(&mut object, ssk, user_id, &msk)?;
            if self.has_desk || device != "DESK" {
                answer.device(user_id, device, object);
            }
        }
        Ok(answer)
    }
}

/// Something happens, to the server or to both sides.
fn step(rng: &mut ChaCha20Rng, pair: &mut Pair, world: &mut World) -> Result<&'static str, Failure> {
    Ok(match below(rng, 14) {
        0 => {
            world.bob = Keys { msk: below(rng, 3), ..world.bob };
            world.verified = Edge::random(rng);
            "Bob's identity"
        }
        1 => {
            world.bob.ssk = below(rng, 3);
            "Bob's self-signing key"
        }
        2 => {
            world.alice.msk = below(rng, 3);
            world.verified = Edge::random(rng);
            "own identity"
        }
        3 => {
            world.alice.usk = below(rng, 3);
            world.verified = Edge::random(rng);
            "own user-signing key"
        }
        4 => {
            world.alice.ssk = below(rng, 3);
            "own self-signing key"
        }
        5 | 6 => {
            world.verified = next(rng, world.verified);
            "signature on Bob"
        }
        7 => {
            let device = below(rng, 4);
            world.devices[device] = next(rng, world.devices[device]);
            "signature on a device"
        }
        8 => {
            world.has_desk ^= true;
            "a device of Bob's"
        }
        9 => {
            world.shows_bob ^= true;
            "Bob's identity in the answer"
        }
        10 | 11 => {
            pair.verify_own()?;
            "own identity verified"
        }
        12 => {
            pair.ours.own.withdraw();
            if let Some(own) = pair.theirs.identity(ALICE)?.and_then(UserIdentity::own) {
                block_on(own.withdraw_verification())?;
            }
            "own identity withdrawn"
        }
        _ => {
            let theirs = pair.theirs.identity(BOB)?.and_then(UserIdentity::other);
            // In their `Verified` a withdrawal clears the latch (IDC-7 forbids that): no client offers it then.
            let withdraws = below(rng, 2) == 0 && pair.ours.user_state(BOB)? != Some(UserState::Verified);
            let own = pair.ours.own.clone();
            match (pair.ours.user_mut(BOB)?, theirs.ok_or("no identity of Bob")?) {
                (ours, theirs) if withdraws => {
                    ours.withdraw(&own);
                    block_on(theirs.withdraw_verification())?;
                    "Bob withdrawn"
                }
                (ours, theirs) => {
                    ours.pin();
                    block_on(theirs.pin_current_master_key())?;
                    "Bob pinned"
                }
            }
        }
    })
}

/// A signature that comes; rarely one that goes, on which the two disagree.
fn next(rng: &mut ChaCha20Rng, edge: Edge) -> Edge {
    match edge {
        Edge::Valid if below(rng, 12) > 0 => Edge::Valid,
        Edge::Valid => Edge::random(rng),
        _ => Edge::Valid,
    }
}

/// The requirement by which we judge as we do, seen from what the server has. Nothing where there is none.
fn decides(
    pair: &Pair,
    [before, world]: [&World; 2],
    kept: &[(String, IdentityError)],
    is_refused: bool,
    disagreement: &Disagreement,
) -> Result<Option<&'static str>, Failure> {
    if kept.iter().any(|(_, error)| is_replaced(error)) {
        return Ok(Some("IDC-16"));
    }
    let ours = &pair.ours;
    if ours.own_state() == OwnState::Verified && pair.theirs.own_state()? == OwnState::VerificationViolation {
        return Ok(Some("IDC-10"));
    }
    let user = ours.user(BOB)?.ok_or("no identity of Bob")?;
    if let Some(device) = disagreement.device {
        let place = DEVICES.iter().position(|(_, id)| *id == device).ok_or("no such device")?;
        let keys = if disagreement.user_id == ALICE { world.alice } else { world.bob };
        let [_, ssk, _] = keys.names();
        if disagreement.user_id == BOB && is_refused {
            return Ok(Some("IDC-16"));
        }
        let signature =
            ours.device(disagreement.user_id, device)?.and_then(|device| device.cross_signature());
        let is_shown = |signer| world.devices[place] == Edge::Valid && signer == public(&ssk);
        let is_kept = signature.is_some_and(|signature| !is_shown(signature.signer()));
        return Ok(is_kept.then_some("XS-18"));
    }
    Ok(if disagreement.user_id == ALICE {
        None
    } else if user.is_discarded() {
        Some("IDC-18")
    } else if user.is_verified(&ours.own) && (world.verified != Edge::Valid || !world.shows_bob) {
        Some("XS-18")
    } else if before.alice != world.alice && user.previously_verified() {
        Some("IDC-17")
    } else {
        None
    })
}

const fn is_replaced(error: &IdentityError) -> bool {
    matches!(error, IdentityError::Replaced { .. })
}
