//! Who may get keys: the recipients of a room key, after MSC4153 and before.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::device::{Device, LocalTrust};
use crate::own::{OwnIdentity, OwnState};
use crate::trust::{TrustLevel, trust};
use crate::user::{UserIdentity, UserState};

/// By what rule devices are chosen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// Cross-signed devices only, and nobody whose verification is violated: the specification's "Recommended client
    /// behaviour". We must have a verified identity ourselves.
    #[default]
    IdentityBased,
    /// Devices that the user has verified, through their owner or one by one.
    OnlyTrusted,
    /// All devices, but nothing is sent while a verified user has a device that is not cross-signed, or is not verified any more.
    ErrorOnVerifiedUserProblem,
    /// All devices that are not blacklisted, as before cross-signing.
    AllDevices,
}

/// The rule, and what to do about changed identities.
///
/// A device with [`LocalTrust::Ignored`] is shared with although it is not cross-signed: the user's word for one device.
/// It does not help an owner whose verification is violated.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SharePolicy {
    /// By what rule devices are chosen.
    pub strategy: Strategy,
    /// Whether to send although a user's identity has changed and our user has not acknowledged that. The specification
    /// says that this should not be done.
    pub ignore_pin_violations: bool,
}

/// What a device gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The key.
    Share,
    /// Word that it does not get the key, with this code.
    Withhold(WithheldCode),
    /// Nothing: it is the device that sends.
    ThisDevice,
}

/// The code of an `m.room_key.withheld` message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WithheldCode {
    /// `m.blacklisted`
    Blacklisted,
    /// `m.unverified`
    Unverified,
}

impl WithheldCode {
    /// The code as it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blacklisted => "m.blacklisted",
            Self::Unverified => "m.unverified",
        }
    }
}

/// Why nothing is shared with anybody until the user has seen to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShareProblem {
    /// We have no identity ourselves.
    CrossSigningNotSetUp,
    /// This device has not verified our own identity, or it has changed since.
    OwnIdentityNotVerified,
    /// A user who was verified is not verified any more: verify again, or withdraw.
    VerificationViolation,
    /// A user's identity has changed: have it acknowledged ([`UserIdentity::pin`]).
    PinViolation,
    /// A verified user has a device that is not cross-signed.
    UnsignedDevice,
}

/// A member of the room, with all devices.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The user.
    pub user_id: &'a str,
    /// What is stored of the user's identity; nothing for ourselves.
    pub identity: Option<&'a UserIdentity>,
    /// The user's devices.
    pub devices: &'a [Device],
}

/// A problem with a user, or with one device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberProblem {
    /// The user; ourselves, if the problem is with our own identity.
    pub user_id: String,
    /// The device, if it is one.
    pub device_id: Option<String>,
    /// What is wrong.
    pub problem: ShareProblem,
}

impl SharePolicy {
    /// What each device of each member gets.
    ///
    /// # Errors
    ///
    /// All problems of all members. Nothing may be shared with anybody then.
    pub fn recipients<'a>(
        &self,
        own: &OwnIdentity,
        members: impl IntoIterator<Item = Member<'a>>,
    ) -> Result<Vec<(&'a Device, Recipient)>, Vec<MemberProblem>> {
        let mut recipients = Vec::new();
        let mut problems = Vec::new();
        let mut report = |user_id: &str, device_id: Option<&str>, problem| {
            let (user_id, device_id) = (user_id.to_owned(), device_id.map(ToOwned::to_owned));
            problems.push(MemberProblem { user_id, device_id, problem });
        };
        if let Err(problem) = self.ourselves(own) {
            report(own.user_id(), None, problem);
        }
        for Member { user_id, identity, devices } in members {
            let is_own = user_id == own.user_id();
            let identity = identity.filter(|identity| !is_own && identity.user_id() == user_id);
            if let Err(problem) = self.owner(own, is_own, identity) {
                report(user_id, None, problem);
                continue;
            }
            for device in devices.iter().filter(|device| device.user_id() == user_id) {
                match self.device(own, identity, device) {
                    Ok(recipient) => recipients.push((device, recipient)),
                    Err(problem) => report(user_id, Some(device.device_id()), problem),
                }
            }
        }
        if problems.is_empty() { Ok(recipients) } else { Err(problems) }
    }

    /// What one device gets. `identity` is what is stored of its owner's identity.
    ///
    /// # Errors
    ///
    /// A [`ShareProblem`]: nothing may be shared with anybody.
    pub fn recipient(
        &self,
        own: &OwnIdentity,
        identity: Option<&UserIdentity>,
        device: &Device,
    ) -> Result<Recipient, ShareProblem> {
        let is_own = device.user_id() == own.user_id();
        let identity = identity.filter(|identity| !is_own && identity.user_id() == device.user_id());
        self.ourselves(own)?;
        self.owner(own, is_own, identity)?;
        self.device(own, identity, device)
    }

    /// What we must be to share at all.
    fn ourselves(&self, own: &OwnIdentity) -> Result<(), ShareProblem> {
        match (self.strategy, own.state()) {
            (Strategy::IdentityBased, OwnState::NoIdentity) => Err(ShareProblem::CrossSigningNotSetUp),
            (Strategy::IdentityBased, OwnState::NeverVerified | OwnState::VerificationViolation) => {
                Err(ShareProblem::OwnIdentityNotVerified)
            }
            _ => Ok(()),
        }
    }

    /// The owner comes before the device, whatever the device is.
    fn owner(
        &self,
        own: &OwnIdentity,
        is_own: bool,
        identity: Option<&UserIdentity>,
    ) -> Result<(), ShareProblem> {
        let state = identity.map(|identity| identity.state(own));
        if state == Some(UserState::PinViolation) && !self.ignore_pin_violations {
            return Err(ShareProblem::PinViolation);
        }
        let refuses = matches!(self.strategy, Strategy::IdentityBased | Strategy::ErrorOnVerifiedUserProblem);
        if refuses && is_violated(own, is_own, state) {
            return Err(ShareProblem::VerificationViolation);
        }
        Ok(())
    }

    fn device(
        &self,
        own: &OwnIdentity,
        identity: Option<&UserIdentity>,
        device: &Device,
    ) -> Result<Recipient, ShareProblem> {
        let is_own = device.user_id() == own.user_id();
        if is_own && device.device_id() == own.device_id() {
            return Ok(Recipient::ThisDevice);
        }
        let local = device.local_trust();
        if local == LocalTrust::Blacklisted {
            return Ok(Recipient::Withhold(WithheldCode::Blacklisted));
        }
        let owner = if is_own { own.identity() } else { identity.map(UserIdentity::identity) };
        let is_cross_signed = owner.is_some_and(|owner| device.cross_signed_by(owner).is_ok());
        let state = identity.map(|identity| identity.state(own));
        let is_owner_verified = if is_own { own.is_verified() } else { state == Some(UserState::Verified) };
        let is_ignored = local == LocalTrust::Ignored;
        // A dehydrated device cannot say what it is: its owner's identity must.
        let is_doubtful = device.is_dehydrated() && !is_cross_signed;
        let shared = match self.strategy {
            Strategy::AllDevices => {
                let is_suspect = device.is_dehydrated() && is_violated(own, is_own, state);
                !(is_doubtful || is_suspect)
            }
            Strategy::ErrorOnVerifiedUserProblem => {
                if is_owner_verified && !is_cross_signed && !is_ignored {
                    return Err(ShareProblem::UnsignedDevice);
                }
                !is_doubtful
            }
            Strategy::IdentityBased => is_cross_signed || is_ignored,
            Strategy::OnlyTrusted => is_ignored || trust(own, identity, device).level == TrustLevel::Verified,
        };
        Ok(if shared { Recipient::Share } else { Recipient::Withhold(WithheldCode::Unverified) })
    }
}

fn is_violated(own: &OwnIdentity, is_own: bool, state: Option<UserState>) -> bool {
    if is_own {
        own.state() == OwnState::VerificationViolation
    } else {
        state == Some(UserState::VerificationViolation)
    }
}
