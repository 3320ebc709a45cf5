//! How far to trust a device, in words.

use mx_cross_signing::{
    DeviceTrust, Gap, Link, LinkKind, NotCrossSigned, Reason, Step, TrustLevel, UserState,
};

/// Trust in a device and each link of what it rests on.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) level: &'static str,
    /// What decided.
    pub(super) why: String,
    pub(super) links: Vec<LinkInWords>,
}

/// A link of the chain, there or missing.
#[derive(Debug)]
pub(super) struct LinkInWords {
    pub(super) is_there: bool,
    pub(super) text: String,
}

impl Trust {
    /// `is_pinned`: somebody said what the owner's master signing key must be.
    pub(super) fn of(trust: &DeviceTrust<'_>, owner: Owner) -> Self {
        let level = level(trust.level, owner);
        let links = trust.chain.steps().filter(|step| owner.has_viewer || is_of_owner(step));
        let links = links.map(|step| LinkInWords {
            is_there: !matches!(step, Step::Missing(_)),
            text: words(&step, owner),
        });
        let why = match (trust.reason, trust.user) {
            (Reason::Missing(gap @ Gap::Device(_)), _) => gap_in_words(gap),
            (_, Some(UserState::PinViolation)) => {
                "its owner's identity is not the one that was pinned".to_owned()
            }
            (Reason::Missing(gap @ Gap::NoIdentity), _) => gap_in_words(gap),
            (Reason::Missing(_), _) if !owner.has_viewer && owner.is_pinned => {
                "its owner's identity, the pinned one, vouches for it".to_owned()
            }
            (Reason::Missing(_), _) if !owner.has_viewer => {
                "its owner's identity vouches for it, and nothing for that identity".to_owned()
            }
            (Reason::Missing(gap), _) => gap_in_words(gap),
            (Reason::Chain, _) => "each link is there".to_owned(),
            (reason, _) => format!("{reason:?}"),
        };
        Self { level, why, links: links.collect() }
    }
}

/// Whose device it is, to whoever looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// There is an own identity to look from.
    pub(super) has_viewer: bool,
    pub(super) is_viewer: bool,
    /// Somebody said what the owner's master signing key must be.
    pub(super) is_pinned: bool,
}

const fn level(level: TrustLevel, owner: Owner) -> &'static str {
    match level {
        TrustLevel::Blacklisted => "blacklisted",
        TrustLevel::Unsigned => "unsigned",
        TrustLevel::CrossSignedViolation => "cross-signed by another identity than the verified one",
        TrustLevel::CrossSignedPinViolation => "cross-signed by another identity than the pinned one",
        TrustLevel::CrossSignedTofu if owner.is_pinned => "cross-signed by the pinned identity",
        TrustLevel::CrossSignedTofu => "cross-signed",
        TrustLevel::Verified => "verified",
    }
}

/// The links that do not depend on who looks.
const fn is_of_owner(step: &Step<'_>) -> bool {
    matches!(
        step,
        Step::Signed(Link { kind: LinkKind::SelfSigningKey | LinkKind::Device, .. })
            | Step::Missing(Gap::NoIdentity | Gap::Device(_))
    )
}

fn words(step: &Step<'_>, owner: Owner) -> String {
    let whose = if owner.is_viewer { "your" } else { "the owner's" };
    match step {
        Step::OwnIdentityVerified(msk) => format!("you have verified your master signing key {msk}"),
        Step::Signed(Link { kind, subject, .. }) => match kind {
            LinkKind::UserSigningKey => format!("it signs your user-signing key {subject}"),
            LinkKind::MasterSigningKey => format!("that signs the owner's master signing key {subject}"),
            LinkKind::SelfSigningKey => {
                format!("{whose} master signing key signs {whose} self-signing key {subject}")
            }
            LinkKind::Device => format!("that signs the device with the key {subject}"),
        },
        Step::Missing(gap) => gap_in_words(*gap),
    }
}

fn gap_in_words(gap: Gap) -> String {
    match gap {
        Gap::NoOwnIdentity => "you have no usable identity".to_owned(),
        Gap::OwnIdentityNotVerified => {
            "you have not verified your own identity: --own USER=KEY says so".to_owned()
        }
        Gap::OwnIdentityChanged { verified } => {
            format!("your identity is not the one that you have verified, {verified}")
        }
        Gap::NoIdentity => "its owner has no usable identity".to_owned(),
        Gap::UserNotSigned => {
            "your user-signing key has not signed the owner's master signing key".to_owned()
        }
        Gap::MasterSigningKeyDiscarded => {
            "your user-signing key has signed it, but another one was accepted since".to_owned()
        }
        Gap::Device(NotCrossSigned::NotSigned) => {
            "no valid signature of its owner's self-signing key is on it".to_owned()
        }
        Gap::Device(NotCrossSigned::SignedByOtherKey { signer }) => {
            format!("the self-signing key that signed it, {signer}, is not in use")
        }
        Gap::Device(NotCrossSigned::DeviceIdIsSigningKey) => {
            "its ID is one of its owner's cross-signing keys: never verify it".to_owned()
        }
        Gap::Device(NotCrossSigned::DeviceKeyIsSigningKey) => {
            "its key is one of its owner's cross-signing keys".to_owned()
        }
        other => format!("{other:?}"),
    }
}
