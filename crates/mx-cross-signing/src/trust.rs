//! How far to trust a user or a device, and why.

use alloc::borrow::Cow;

use mx_types::{DeviceId, Ed25519PublicKey, Ed25519Signature, UserId};

use crate::device::{Device, LocalTrust, NotCrossSigned};
use crate::identity::Identity;
use crate::own::{OwnIdentity, OwnState};
use crate::source::KeySource;
use crate::user::{UserIdentity, UserState};

/// How far to trust a device, from least to most.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum TrustLevel {
    /// The user has blacklisted it.
    Blacklisted,
    /// Its owner has no identity, or the identity does not vouch for it.
    Unsigned,
    /// Its owner's identity vouches for it, but is not the one that was verified.
    CrossSignedViolation,
    /// Its owner's identity vouches for it, but is not the one that was pinned.
    CrossSignedPinViolation,
    /// Its owner's identity vouches for it, which nobody verified.
    CrossSignedTofu,
    /// It was verified: through its owner's verified identity, or by itself.
    Verified,
}

/// A level of trust in a device, with what it rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeviceTrust<'a> {
    /// The level.
    pub level: TrustLevel,
    /// What decided.
    pub reason: Reason,
    /// What its owner is to us; nothing for our own devices, or when no identity of the owner was ever seen.
    pub user: Option<UserState>,
    /// The links from our own verification to the device, whether they decided or not.
    pub chain: Chain<'a>,
}

/// What decided on a level.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// It is this very device.
    ThisDevice,
    /// The user's word about this one device.
    LocalTrust,
    /// The whole chain is there.
    Chain,
    /// A link is missing.
    Missing(Gap),
}

/// The links of a chain in their order. Those behind a missing one are there, too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chain<'a> {
    steps: [Option<Step<'a>>; 5],
}

/// A link of a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<'a> {
    /// This device has verified our own master signing key: a fact, not a signature.
    OwnIdentityVerified(Ed25519PublicKey),
    /// A signature that was verified.
    Signed(Link<'a>),
    /// There is no such link.
    Missing(Gap),
}

/// A signature that carries trust from one key to the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link<'a> {
    /// Which link it is.
    pub kind: LinkKind,
    /// The key that made the signature.
    pub signer: Ed25519PublicKey,
    /// The key that the object is about.
    pub subject: Ed25519PublicKey,
    /// The very text that the signature covers.
    pub object: &'a str,
    /// The signature.
    pub signature: Ed25519Signature,
}

/// Which signature a link is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkKind {
    /// Our master signing key on our user-signing key.
    UserSigningKey,
    /// Our user-signing key on another user's master signing key.
    MasterSigningKey,
    /// The owner's master signing key on the owner's self-signing key.
    SelfSigningKey,
    /// The owner's self-signing key on the device.
    Device,
}

/// Why there is no link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Gap {
    /// We have no identity ourselves.
    NoOwnIdentity,
    /// This device has not verified our own identity.
    OwnIdentityNotVerified,
    /// This device had verified another identity of ours.
    OwnIdentityChanged {
        /// The master signing key that was verified.
        verified: Ed25519PublicKey,
    },
    /// No identity of the owner was ever seen.
    NoIdentity,
    /// Our present user-signing key has not signed the owner's present master signing key.
    UserNotSigned,
    /// It has, but another master signing key was accepted after this one: only a new verification counts.
    MasterSigningKeyDiscarded,
    /// The identity does not vouch for the device.
    Device(NotCrossSigned),
}

impl<'a> Chain<'a> {
    /// The links, from our own verification on.
    pub fn steps(&self) -> impl Iterator<Item = Step<'a>> {
        self.steps.into_iter().flatten()
    }

    /// The first link that is missing.
    #[must_use]
    pub fn gap(&self) -> Option<Gap> {
        self.steps().find_map(|step| match step {
            Step::Missing(gap) => Some(gap),
            _ => None,
        })
    }
}

/// How far to trust a device, by its owner's identity, and our own for our own devices. No signature is verified here: all of
/// them were when they came.
#[must_use]
pub fn trust<'a>(
    own: &'a OwnIdentity,
    user: Option<&'a UserIdentity>,
    device: &'a Device,
) -> DeviceTrust<'a> {
    let is_own = device.user_id() == own.user_id();
    let user = user.filter(|user| !is_own && user.user_id() == device.user_id());
    let identity = if is_own { own.identity() } else { user.map(UserIdentity::identity) };
    let cross_signed = match identity {
        None => Err(Gap::NoIdentity),
        Some(identity) => device.cross_signed_by(identity).map_err(Gap::Device),
    };

    let chain = Chain {
        steps: [
            Some(own_step(own)),
            (!is_own).then(|| usk_step(own)),
            (!is_own).then(|| msk_step(own, user)),
            Some(ssk_step(identity)),
            Some(match cross_signed {
                Err(gap) => Step::Missing(gap),
                Ok(signature) => Step::Signed(Link {
                    kind: LinkKind::Device,
                    signer: signature.signer(),
                    subject: device.ed25519(),
                    object: device.object(),
                    signature: signature.signature(),
                }),
            }),
        ],
    };

    let this_device = is_own && device.device_id() == own.device_id() && device.ed25519() == own.ed25519();
    let user_state = user.map(|user| user.state(own));
    let (level, reason) = if this_device {
        (TrustLevel::Verified, Reason::ThisDevice)
    } else if device.local_trust() == LocalTrust::Blacklisted {
        (TrustLevel::Blacklisted, Reason::LocalTrust)
    } else if device.local_trust() == LocalTrust::Verified {
        (TrustLevel::Verified, Reason::LocalTrust)
    } else if let Err(gap) = cross_signed {
        (TrustLevel::Unsigned, Reason::Missing(gap))
    } else {
        let level = match user_state {
            None => own_level(own.state()),
            Some(UserState::Verified) => TrustLevel::Verified,
            Some(UserState::VerificationViolation) => TrustLevel::CrossSignedViolation,
            Some(UserState::PinViolation) => TrustLevel::CrossSignedPinViolation,
            Some(UserState::Pinned) => TrustLevel::CrossSignedTofu,
        };
        (level, chain.gap().map_or(Reason::Chain, Reason::Missing))
    };
    DeviceTrust { level, reason, user: user_state, chain }
}

/// The links from our own verification to another user's master signing key: all of them are there if the user is verified.
#[must_use]
pub fn user_chain<'a>(own: &'a OwnIdentity, user: &'a UserIdentity) -> Chain<'a> {
    Chain { steps: [Some(own_step(own)), Some(usk_step(own)), Some(msk_step(own, Some(user))), None, None] }
}

/// A device and its owner's identity, looked up.
#[derive(Clone, Debug)]
pub struct Subject<'s> {
    /// The owner's identity; nothing for our own devices.
    pub user: Option<Cow<'s, UserIdentity>>,
    /// The device.
    pub device: Cow<'s, Device>,
}

impl<'s> Subject<'s> {
    /// Looks both up. A device that is not stored is `None`.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub fn load<S: KeySource + ?Sized>(
        source: &'s S,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Option<Self>, S::Error> {
        let Some(device) = source.device(user_id, device_id)? else { return Ok(None) };
        Ok(Some(Self { user: source.user(user_id)?, device }))
    }

    /// How far to trust the device, and why.
    #[must_use]
    pub fn trust<'a>(&'a self, own: &'a OwnIdentity) -> DeviceTrust<'a> {
        trust(own, self.user.as_deref(), &self.device)
    }
}

fn own_step(own: &OwnIdentity) -> Step<'_> {
    match (own.state(), own.verified_master_signing_key()) {
        (OwnState::NoIdentity, _) => Step::Missing(Gap::NoOwnIdentity),
        (OwnState::Verified, Some(msk)) => Step::OwnIdentityVerified(msk),
        (OwnState::VerificationViolation, Some(verified)) => {
            Step::Missing(Gap::OwnIdentityChanged { verified })
        }
        _ => Step::Missing(Gap::OwnIdentityNotVerified),
    }
}

fn usk_step(own: &OwnIdentity) -> Step<'_> {
    match own.identity().and_then(Identity::user_signing_key) {
        None => Step::Missing(Gap::NoOwnIdentity),
        Some(usk) => Step::Signed(Link {
            kind: LinkKind::UserSigningKey,
            signer: usk.signature().signer(),
            subject: usk.key().public_key(),
            object: usk.key().object(),
            signature: usk.signature().signature(),
        }),
    }
}

fn msk_step<'a>(own: &OwnIdentity, user: Option<&'a UserIdentity>) -> Step<'a> {
    let Some(user) = user else { return Step::Missing(Gap::NoIdentity) };
    match user.our_signature(own) {
        None => Step::Missing(Gap::UserNotSigned),
        Some(_) if user.is_discarded() => Step::Missing(Gap::MasterSigningKeyDiscarded),
        Some(signed) => Step::Signed(Link {
            kind: LinkKind::MasterSigningKey,
            signer: signed.signature().signer(),
            subject: signed.key().public_key(),
            object: signed.key().object(),
            signature: signed.signature().signature(),
        }),
    }
}

fn ssk_step(identity: Option<&Identity>) -> Step<'_> {
    match identity.map(Identity::self_signing_key) {
        None => Step::Missing(Gap::NoIdentity),
        Some(ssk) => Step::Signed(Link {
            kind: LinkKind::SelfSigningKey,
            signer: ssk.signature().signer(),
            subject: ssk.key().public_key(),
            object: ssk.key().object(),
            signature: ssk.signature().signature(),
        }),
    }
}

/// Our own identity has no pin: it was verified here, or another one was, or none.
const fn own_level(state: OwnState) -> TrustLevel {
    match state {
        OwnState::Verified => TrustLevel::Verified,
        OwnState::VerificationViolation => TrustLevel::CrossSignedViolation,
        OwnState::NoIdentity => TrustLevel::Unsigned,
        OwnState::NeverVerified => TrustLevel::CrossSignedTofu,
    }
}
