use alloc::{borrow::ToOwned, string::String, vec::Vec};

use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, UserId};

/// Where a session, or the part of it before some message index, came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The way that it came.
    pub provenance: Provenance,
    /// The Curve25519 key of the device that the session is from. A claim, unless [`Provenance::FirstHand`].
    pub sender_key: Curve25519PublicKey,
    /// The Ed25519 key of that device. A claim, always: of the device itself, or of whoever passed the session on.
    pub sender_claimed_ed25519: Option<Ed25519PublicKey>,
    /// The Curve25519 keys of the devices that forwarded the session, the last one last. It proves nothing.
    pub forwarding_chain: Vec<Curve25519PublicKey>,
}

impl Origin {
    pub(crate) fn is_of_same_device(&self, other: &Self) -> bool {
        self.sender_key == other.sender_key && self.sender_claimed_ed25519 == other.sender_claimed_ed25519
    }
}

/// The way that a session came.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Provenance {
    /// In an `m.room_key`, over Olm from the device that made the session.
    FirstHand,
    /// In an `m.forwarded_room_key`, which this device of our own user sent.
    Forwarded(Forwarder),
    /// In a bundle, which this device made. Show whose it was.
    Bundle(Forwarder),
    /// Out of the key backup.
    Backup,
    /// Out of a key export file.
    File,
}

impl Provenance {
    /// Whether the device that made the session has itself sent it. Otherwise nothing shows whose session it is.
    #[must_use]
    pub const fn is_first_hand(&self) -> bool {
        matches!(self, Self::FirstHand)
    }

    /// Who has passed the session on, as far as that is somebody else.
    #[must_use]
    pub const fn forwarder(&self) -> Option<&Forwarder> {
        match self {
            Self::Forwarded(forwarder) | Self::Bundle(forwarder) => Some(forwarder),
            Self::FirstHand | Self::Backup | Self::File => None,
        }
    }
}

/// A device that passed a session on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forwarder {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
}

impl Forwarder {
    /// The device by whose Olm session the session, or the notice of the bundle, came.
    #[must_use]
    pub fn new(user_id: UserId<'_>, device_id: DeviceId<'_>) -> Self {
        Self { user_id: user_id.as_str().to_owned(), device_id: device_id.as_str().to_owned() }
    }

    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The device.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }
}
