//! Identities and devices at the edge of the specification, and beyond: one bad thing each, or a short history.

use matrix_sdk_crypto::UserIdentity;
use mx_cross_signing::{OwnState, TrustLevel, UserState};

use super::{
    super::{block_on, differences::Differences},
    cases::cases,
    objects::{Answer, public},
    pair::{ALICE, BOB, Pair, THIS},
};
use crate::{
    differences::Verdict,
    report::{Failure, Report, expect},
};

/// What happens, and what is asked then.
pub struct Case {
    pub requirement: &'static str,
    pub name: &'static str,
    pub steps: Vec<Step>,
    pub asked: Asked,
    /// What the requirement answers.
    pub wanted: bool,
}

pub enum Step {
    /// Both sides take an answer of the server. This device's own keys are put in if it has none for it.
    Answer(Answer),
    VerifyOwn,
    PinBob,
    WithdrawBob,
}

/// A question with the answer yes or no.
pub enum Asked {
    Identity(&'static str),
    Device(&'static str, String),
    /// Whether the device has the key of this name.
    DeviceKey(&'static str, String, &'static str),
    CrossSigned(&'static str, String),
    Level(&'static str, String, TrustLevel),
    BobIs(UserState),
    OwnIs(OwnState),
    /// Whether Bob's self-signing key is the one of this name.
    BobsKey(&'static str),
}

pub fn differences(d: &mut Differences, report: &mut Report) -> Verdict {
    for case in cases()? {
        let ours = || expect(case.asked.of_ours(&case.run()?)?, "no");
        let theirs = || expect(case.asked.of_theirs(&case.run()?)?, "no");
        d.case(report, (case.requirement, case.name), case.wanted, &ours, &theirs);
    }
    Ok(())
}

impl Case {
    fn run(&self) -> Result<Pair, Failure> {
        let mut pair = Pair::new()?;
        for step in &self.steps {
            match step {
                Step::Answer(answer) => {
                    let mut answer = answer.clone();
                    let mut this = pair.this.clone();
                    if answer.devices[ALICE][THIS].is_null() {
                        super::objects::sign_by(&mut this, "a-s", ALICE)?;
                        answer.device(ALICE, THIS, this);
                    }
                    pair.receive(&answer)?;
                }
                Step::VerifyOwn => pair.verify_own()?,
                Step::PinBob => {
                    pair.ours.user_mut(BOB)?.pin();
                    let bob =
                        pair.theirs.identity(BOB)?.and_then(UserIdentity::other).ok_or("no identity")?;
                    block_on(bob.pin_current_master_key())?;
                }
                Step::WithdrawBob => {
                    let own = pair.ours.own.clone();
                    pair.ours.user_mut(BOB)?.withdraw(&own);
                    let bob =
                        pair.theirs.identity(BOB)?.and_then(UserIdentity::other).ok_or("no identity")?;
                    block_on(bob.withdraw_verification())?;
                }
            }
        }
        Ok(pair)
    }
}

impl Asked {
    fn of_ours(&self, pair: &Pair) -> Result<bool, Failure> {
        let ours = &pair.ours;
        Ok(match self {
            Self::Identity(ALICE) => ours.own.identity().is_some(),
            Self::Identity(user_id) => ours.user(user_id)?.is_some(),
            Self::Device(user_id, device) => ours.device(user_id, device)?.is_some(),
            Self::DeviceKey(user_id, device, name) => {
                ours.device(user_id, device)?.is_some_and(|device| device.ed25519() == public(name))
            }
            Self::CrossSigned(user_id, device) => {
                ours.level(user_id, device)?.is_some_and(|level| level > TrustLevel::Unsigned)
            }
            Self::Level(user_id, device, level) => ours.level(user_id, device)? == Some(*level),
            Self::BobIs(state) => ours.user_state(BOB)? == Some(*state),
            Self::OwnIs(state) => ours.own_state() == *state,
            Self::BobsKey(name) => {
                let bob = ours.user(BOB)?.ok_or("no identity")?;
                bob.identity().self_signing_key().key().public_key() == public(name)
            }
        })
    }

    fn of_theirs(&self, pair: &Pair) -> Result<bool, Failure> {
        let theirs = &pair.theirs;
        Ok(match self {
            Self::Identity(user_id) => theirs.identity(user_id)?.is_some(),
            Self::Device(user_id, device) => theirs.device(user_id, device)?.is_some(),
            Self::DeviceKey(user_id, device, name) => {
                let key = theirs.device(user_id, device)?.and_then(|device| device.ed25519_key());
                key.is_some_and(|key| key.to_base64() == public(name).to_string())
            }
            Self::CrossSigned(user_id, device) => {
                theirs.level(user_id, device)?.is_some_and(|level| level > TrustLevel::Unsigned)
            }
            Self::Level(user_id, device, level) => theirs.level(user_id, device)? == Some(*level),
            Self::BobIs(state) => theirs.user_state(BOB)? == Some(*state),
            Self::OwnIs(state) => theirs.own_state()? == *state,
            Self::BobsKey(name) => {
                let bob = theirs.identity(BOB)?.and_then(UserIdentity::other).ok_or("no identity")?;
                let key = bob.self_signing_key().get_first_key();
                key.is_some_and(|key| key.to_base64() == public(name).to_string())
            }
        })
    }
}
