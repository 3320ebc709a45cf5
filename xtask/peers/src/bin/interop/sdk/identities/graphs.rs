//! Random graphs of two users with two devices each: every signature there, absent, forged or by a key of another role. Both sides
//! get the same answer and must come to the same trust.

use mx_cross_signing::LocalTrust;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

use super::{
    super::below,
    objects::{Answer, device_keys, key, public, put_signature, sign, sign_by, signing_key},
    pair::{ALICE, BOB, Pair, THIS},
};
use crate::report::{Failure, Outcome, failure};

/// The devices of the graphs.
pub const DEVICES: [(&str, &str); 4] = [(ALICE, THIS), (ALICE, "TABLET"), (BOB, "LAPTOP"), (BOB, "DESK")];

/// Graphs in a run: a machine of theirs each.
const GRAPHS: usize = 400;

/// How a signature stands on an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Edge {
    Absent,
    Valid,
    /// Under the right ID, by another key.
    Forged,
    /// Valid, by another key and under that one's ID.
    OtherKey,
}

impl Edge {
    /// Mostly what is right, or many graphs would have no trust at all.
    pub fn random(rng: &mut ChaCha20Rng) -> Self {
        match below(rng, 8) {
            0 => Self::Absent,
            1 => Self::Forged,
            2 => Self::OtherKey,
            _ => Self::Valid,
        }
    }

    /// Puts it on an object of a user's; `other` has no right to make it.
    pub fn put(self, object: &mut Value, signer: &str, user_id: &str, other: &str) -> Result<(), Failure> {
        match self {
            Self::Absent => Ok(()),
            Self::Valid => sign_by(object, signer, user_id),
            Self::Forged => {
                let signature = key(other).sign(super::objects::covered(object)?.as_bytes()).to_string();
                put_signature(object, user_id, &public(signer).to_string(), &signature)
            }
            Self::OtherKey => sign_by(object, other, user_id),
        }
    }
}

/// Single answers, and what the user says.
pub fn graphs(rng: &mut ChaCha20Rng) -> Outcome {
    let mut levels = [0_usize; 6];
    for number in 0..GRAPHS {
        let mut pair = Pair::new()?;
        let answer = random_answer(rng, &pair)?;
        pair.receive(&answer)?;
        if below(rng, 4) > 0 {
            pair.verify_own()?;
        }
        for (user_id, device) in DEVICES {
            let trusts = [LocalTrust::Verified, LocalTrust::Blacklisted, LocalTrust::Ignored];
            if device != THIS && below(rng, 5) == 0 {
                pair.say(user_id, device, trusts[below(rng, 3)])?;
            }
        }
        if let Some(disagreement) = pair.compare(&DEVICES)? {
            return failure(format!("graph {number}, {}: {}", disagreement.words, answer.body()));
        }
        for (user_id, device) in DEVICES {
            if let Some(level) = pair.ours.level(user_id, device)? {
                levels[level as usize] += 1;
            }
        }
    }
    Ok(format!("{GRAPHS} graphs; devices by level, from blacklisted to verified: {levels:?}"))
}

fn random_answer(rng: &mut ChaCha20Rng, pair: &Pair) -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    for (user_id, [msk, ssk, usk]) in [(ALICE, ["a-m", "a-s", "a-u"]), (BOB, ["b-m", "b-s", "b-u"])] {
        // A few identities lack a key, or have one in the place of another.
        let odd = below(rng, 12);
        let mut msk_object = signing_key(user_id, "master", msk);
        if user_id == BOB {
            Edge::random(rng).put(&mut msk_object, "a-u", ALICE, ["a-m", "a-s", "b-m"][below(rng, 3)])?;
        } else if below(rng, 2) == 0 {
            // Who is who on the own device says nothing.
            sign(&mut msk_object, "TABLET", ALICE, "TABLET")?;
        }
        let usage = if odd == 1 { "user_signing" } else { "self_signing" };
        let mut ssk_object = signing_key(user_id, usage, ssk);
        Edge::random(rng).put(&mut ssk_object, msk, user_id, [usk, ssk, "mallory"][below(rng, 3)])?;
        let mut usk_object = signing_key(user_id, "user_signing", usk);
        Edge::random(rng).put(&mut usk_object, msk, user_id, [ssk, usk, "mallory"][below(rng, 3)])?;
        for (keys, object, absent) in [
            (&mut answer.msks, msk_object, 2),
            (&mut answer.ssks, ssk_object, 3),
            (&mut answer.usks, usk_object, 4),
        ] {
            if odd != absent {
                keys.insert(user_id.into(), object);
            }
        }
        for (owner, device) in DEVICES.into_iter().filter(|(owner, _)| *owner == user_id) {
            let mut object = match device {
                THIS => pair.this.clone(),
                _ => device_keys(owner, device, device)?,
            };
            Edge::random(rng).put(&mut object, ssk, owner, [msk, usk, "mallory"][below(rng, 3)])?;
            if below(rng, 16) == 0 {
                sign(&mut object, "mallory", owner, device)?;
            }
            answer.device(owner, device, object);
        }
    }
    Ok(answer)
}
