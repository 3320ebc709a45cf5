//! One device of Alice's that is run twice, by our crates and by their machine, on the same answers.

use matrix_sdk_crypto::LocalTrust as TheirTrust;
use mx_cross_signing::{Device, Event, IdentityError, LocalTrust};
use mx_types::{DeviceId, UserId};
use serde_json::Value;

use super::{objects::Answer, ours::Ours, theirs::Theirs};
use crate::report::Failure;

pub const ALICE: &str = "@alice:example.org";
pub const BOB: &str = "@bob:example.com";
/// The device itself.
pub const THIS: &str = "THIS";

pub struct Pair {
    pub ours: Ours,
    pub theirs: Theirs,
    /// The device's keys as their machine uploads them.
    pub this: Value,
}

/// On what the two disagree.
#[derive(Debug)]
pub struct Disagreement {
    /// Whom it is about, and what each side says.
    pub words: String,
    /// The device, if it is about one; otherwise Alice's identity or Bob's.
    pub device: Option<&'static str>,
    pub user_id: &'static str,
}

impl Pair {
    pub fn new() -> Result<Self, Failure> {
        let theirs = Theirs::new(ALICE, THIS)?;
        let mut ours = Ours::watching(ALICE, THIS, theirs.ed25519()?)?;
        let this = theirs.device_keys()?;
        // Their machine knows its own keys from the beginning.
        ours.store.insert_device(Device::own(&this, UserId::parse(ALICE)?, DeviceId::parse(THIS)?)?);
        Ok(Self { ours, theirs, this: serde_json::from_str(&this)? })
    }

    /// Both take the answer. Gives the users of whom we keep the identity that we have, and why.
    pub fn receive(&mut self, answer: &Answer) -> Result<Vec<(String, IdentityError)>, Failure> {
        let body = answer.body();
        self.theirs.receive(&body, &[ALICE, BOB])?;
        let update = self.ours.receive(&body, &[ALICE, BOB])?;
        let kept = update.events.into_iter().filter_map(|event| match event {
            Event::IdentityKept { user_id, error } => Some((user_id, error)),
            _ => None,
        });
        Ok(kept.collect())
    }

    /// The user says that Alice's identity is hers, if there is one.
    pub fn verify_own(&mut self) -> Result<(), Failure> {
        if self.ours.own.identity().is_some() {
            self.ours.verify_own()?;
        }
        if self.theirs.identity(ALICE)?.is_some() {
            self.theirs.verify_own()?;
        }
        Ok(())
    }

    /// The user says something about a device, if there is one.
    pub fn say(&mut self, user_id: &str, device_id: &str, trust: LocalTrust) -> Result<(), Failure> {
        let device = self.ours.store.device_mut(UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        if let Some(device) = device {
            device.set_local_trust(trust);
        }
        if self.theirs.device(user_id, device_id)?.is_some() {
            let trust = match trust {
                LocalTrust::Unset => TheirTrust::Unset,
                LocalTrust::Verified => TheirTrust::Verified,
                LocalTrust::Blacklisted => TheirTrust::BlackListed,
                LocalTrust::Ignored => TheirTrust::Ignored,
            };
            self.theirs.set_local_trust(user_id, device_id, trust)?;
        }
        Ok(())
    }

    /// The first thing on which the two disagree: identities first.
    pub fn compare(&self, devices: &[(&'static str, &'static str)]) -> Result<Option<Disagreement>, Failure> {
        let (ours, theirs) = (self.ours.own_state(), self.theirs.own_state()?);
        if ours != theirs {
            let words = format!("own identity: {ours:?} with us, {theirs:?} with them");
            return Ok(Some(Disagreement { words, device: None, user_id: ALICE }));
        }
        let (ours, theirs) = (self.ours.user_state(BOB)?, self.theirs.user_state(BOB)?);
        if ours != theirs {
            let words = format!("Bob: {ours:?} with us, {theirs:?} with them");
            return Ok(Some(Disagreement { words, device: None, user_id: BOB }));
        }
        let ours = self.ours.user(BOB)?.is_some_and(|user| user.previously_verified());
        let theirs = self.theirs.identity(BOB)?.is_some_and(|user| user.was_previously_verified());
        if ours != theirs {
            let words = format!("Bob, verified once: {ours} with us, {theirs} with them");
            return Ok(Some(Disagreement { words, device: None, user_id: BOB }));
        }
        for (user_id, device) in devices {
            let (ours, theirs) = (self.ours.level(user_id, device)?, self.theirs.level(user_id, device)?);
            if ours != theirs {
                let words = format!("{device} of {user_id}: {ours:?} with us, {theirs:?} with them");
                return Ok(Some(Disagreement { words, device: Some(device), user_id }));
            }
        }
        Ok(None)
    }
}
