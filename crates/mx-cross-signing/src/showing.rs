//! Which messages to show, and with what warning.

use crate::device::{Device, LocalTrust};
use crate::own::{OwnIdentity, OwnState};
use crate::trust::{Reason, Step, TrustLevel, trust};
use crate::user::{UserIdentity, UserState};

/// What is asked of the device that a message came from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShowPolicy {
    /// That its owner's identity vouches for it, and is not one that violates a verification.
    #[default]
    CrossSigned,
    /// The same, but messages from the time before devices were tracked are shown, too.
    CrossSignedOrLegacy,
    /// Nothing; every message is shown.
    Untrusted,
}

/// Where a message came from, as far as that is proven.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// The room key came from this device directly. `identity` is what is stored of its owner's identity.
    Device {
        /// The device.
        device: &'a Device,
        /// What is stored of its owner's identity; nothing for our own devices.
        identity: Option<&'a UserIdentity>,
        /// The sender of the event.
        sender: &'a str,
    },
    /// The room key came directly, from a device that is not known.
    UnknownDevice,
    /// The room key came from a backup, a file, or another user: nobody says whose it is.
    InsecureSource,
}

/// Whether to show a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Showing {
    /// Show it.
    Show,
    /// Show it, with the warning.
    Warn(Warning),
    /// Do not show it, and say why.
    Hide(Warning),
}

/// What is to be said of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The sender was never verified. No more than a remark, for those who want it.
    UnverifiedIdentity,
    /// The sender's identity has changed, and our user has not acknowledged it.
    PinViolation,
    /// The sender was verified and is not any more.
    VerificationViolation,
    /// The sender's identity does not vouch for the device.
    UnsignedDevice,
    /// The user has blacklisted the device.
    Blacklisted,
    /// The device belongs to another user than the sender, as that of a bridge's bot does.
    MismatchedSender,
    /// The device is not known.
    UnknownDevice,
    /// Nobody says whose the room key is.
    InsecureSource,
}

impl ShowPolicy {
    /// Whether to show a message. `legacy` says that its room key came before devices were tracked.
    #[must_use]
    pub fn show(self, own: &OwnIdentity, origin: Origin<'_>, legacy: bool) -> Showing {
        let (device, identity, sender) = match origin {
            Origin::Device { device, identity, sender } => (device, identity, sender),
            Origin::UnknownDevice => return self.unattributed(Warning::UnknownDevice, legacy),
            Origin::InsecureSource => return self.unattributed(Warning::InsecureSource, legacy),
        };
        let trust = trust(own, identity, device);
        let is_own = device.user_id() == own.user_id();
        let is_violated = match trust.user {
            Some(state) => state == UserState::VerificationViolation,
            None => is_own && own.state() == OwnState::VerificationViolation,
        };
        let is_this = is_own && trust.reason == Reason::ThisDevice;
        let is_ignored = device.local_trust() == LocalTrust::Ignored;
        // The owner's state comes first: that one device was verified by itself is no way round a violation.
        let found = match trust.level {
            TrustLevel::Blacklisted => Found::Bad(Warning::Blacklisted),
            _ if is_violated && !is_this => Found::Bad(Warning::VerificationViolation),
            TrustLevel::CrossSignedViolation => Found::Bad(Warning::VerificationViolation),
            TrustLevel::Unsigned if is_ignored => Found::Fair(Warning::UnsignedDevice),
            TrustLevel::Unsigned => Found::Old(Warning::UnsignedDevice),
            _ if trust.user == Some(UserState::PinViolation) => Found::Fair(Warning::PinViolation),
            TrustLevel::CrossSignedPinViolation => Found::Fair(Warning::PinViolation),
            TrustLevel::CrossSignedTofu => Found::Fair(Warning::UnverifiedIdentity),
            TrustLevel::Verified => Found::Good,
        };
        // Who writes for others must at least be vouched for, and the warning is not optional then.
        let is_cross_signed = matches!(trust.chain.steps().last(), Some(Step::Signed(_)));
        let found = match found {
            Found::Good | Found::Fair(_) if device.user_id() != sender && !is_cross_signed => {
                Found::Old(Warning::UnsignedDevice)
            }
            Found::Good | Found::Fair(Warning::UnverifiedIdentity) if device.user_id() != sender => {
                Found::Fair(Warning::MismatchedSender)
            }
            found => found,
        };
        match found {
            Found::Good => Showing::Show,
            Found::Fair(warning) => Showing::Warn(warning),
            Found::Old(warning) => self.unattributed(warning, legacy),
            Found::Bad(warning) if self == Self::Untrusted => Showing::Warn(warning),
            Found::Bad(warning) => Showing::Hide(warning),
        }
    }

    fn unattributed(self, warning: Warning, legacy: bool) -> Showing {
        match self {
            Self::Untrusted => Showing::Warn(warning),
            Self::CrossSignedOrLegacy if legacy => Showing::Warn(warning),
            _ => Showing::Hide(warning),
        }
    }
}

/// What was found about the device.
enum Found {
    Good,
    Fair(Warning),
    /// To be shown only if it is from before devices were tracked.
    Old(Warning),
    Bad(Warning),
}

/// Whether a user is in a room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Membership {
    /// Joined.
    Join,
    /// Invited.
    Invite,
    /// Wishes to be let in.
    Knock,
    /// Left.
    Leave,
    /// Banned.
    Ban,
}

/// What a room should tell of a member: their state while they are joined or invited, and `Pinned`, which is nothing to tell,
/// once they are not, or as long as no identity of theirs was seen. Nothing of ourselves.
#[must_use]
pub fn room_state(
    own: &OwnIdentity,
    user_id: &str,
    identity: Option<&UserIdentity>,
    membership: Membership,
) -> Option<UserState> {
    if user_id == own.user_id() {
        return None;
    }
    let identity = identity.filter(|identity| identity.user_id() == user_id);
    Some(match (membership, identity) {
        (Membership::Join | Membership::Invite, Some(identity)) => identity.state(own),
        _ => UserState::Pinned,
    })
}
