use core::fmt;

use mx_types::Ed25519PublicKey;

use crate::{CodeError, Keys, ReciprocateSecret, VerifiedKey, layout::Layout};

/// A code that was scanned, as it stands there. Nothing of it is known to be true before [`check`](Self::check).
#[derive(Debug)]
pub struct QrCode<'c> {
    flow_id: &'c str,
    keys: Keys,
    secret: ReciprocateSecret,
}

impl<'c> QrCode<'c> {
    /// Reads the bytes of a QR symbol.
    ///
    /// # Errors
    ///
    /// [`CodeError`].
    pub fn parse(bytes: &'c [u8]) -> Result<Self, CodeError> {
        let Layout { flow_id, keys, secret } = Layout::parse(bytes)?;
        let secret = ReciprocateSecret::from_bytes(secret).map_err(CodeError::Secret)?;
        Ok(Self { flow_id, keys, secret })
    }

    /// The flow that it is of: a transaction ID, or the ID of the request's event.
    #[must_use]
    pub const fn flow_id(&self) -> &'c str {
        self.flow_id
    }

    /// The keys, by its mode.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Compares all that the code says with what the scanning device knows of the flow with this ID.
    ///
    /// # Errors
    ///
    /// [`ScanError`], with the code to cancel the flow with, if it is to be cancelled.
    pub fn check(self, flow_id: &str, scanner: &Scanner) -> Result<Scanned, ScanError> {
        if self.flow_id != flow_id {
            return Err(ScanError::OtherFlow);
        }
        let verified = match (self.keys, *scanner) {
            (
                Keys::OtherUser { displaying_user, scanning_user },
                Scanner::OtherUser { own_master, their_master },
            ) => {
                let OwnMasterSigningKey::Trusted(own_master) = own_master else {
                    return Err(ScanError::OwnMasterNotTrusted);
                };
                same(displaying_user.is(&their_master) && scanning_user.is(&own_master))?;
                VerifiedKey::MasterSigningKey(their_master)
            }
            (
                Keys::OwnUserTrusted { master, scanning_device },
                Scanner::OwnUser { own_master, own_device, .. },
            ) => {
                same(master.is(own_master.key()) && scanning_device.is(&own_device))?;
                VerifiedKey::MasterSigningKey(*own_master.key())
            }
            (
                Keys::OwnUserUntrusted { displaying_device, master },
                Scanner::OwnUser { own_master, their_device, .. },
            ) => {
                same(displaying_device.is(&their_device) && master.is(own_master.key()))?;
                // The code is honest, but this device cannot vouch for the key that the other one wants to trust.
                let OwnMasterSigningKey::Trusted(_) = own_master else {
                    return Err(ScanError::OwnMasterNotTrusted);
                };
                VerifiedKey::DeviceKey(their_device)
            }
            (Keys::OtherUser { .. }, Scanner::OwnUser { .. })
            | (Keys::OwnUserTrusted { .. } | Keys::OwnUserUntrusted { .. }, Scanner::OtherUser { .. }) => {
                return Err(ScanError::WrongMode);
            }
        };
        Ok(Scanned { secret: self.secret, verified })
    }
}

const fn same(same: bool) -> Result<(), ScanError> {
    if same { Ok(()) } else { Err(ScanError::KeyMismatch) }
}

/// What the scanning device knows, fixed when the verification began.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scanner {
    /// The code is displayed by another user.
    OtherUser {
        /// Our user's master signing key.
        own_master: OwnMasterSigningKey,
        /// The other user's.
        their_master: Ed25519PublicKey,
    },
    /// The code is displayed by another device of our user.
    OwnUser {
        /// Our user's master signing key.
        own_master: OwnMasterSigningKey,
        /// The key of this device, from its own account and not from a server.
        own_device: Ed25519PublicKey,
        /// The key of the displaying device.
        their_device: Ed25519PublicKey,
    },
}

/// The master signing key of one's own user, and whether this device has verified it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnMasterSigningKey {
    /// It has.
    Trusted(Ed25519PublicKey),
    /// It has not: a server has said that this is the key.
    NotTrusted(Ed25519PublicKey),
}

impl OwnMasterSigningKey {
    const fn key(&self) -> &Ed25519PublicKey {
        match self {
            Self::Trusted(key) | Self::NotTrusted(key) => key,
        }
    }
}

/// A code of which everything is right. The other side has not confirmed it yet.
#[derive(Debug)]
#[must_use]
pub struct Scanned {
    secret: ReciprocateSecret,
    verified: VerifiedKey,
}

impl Scanned {
    /// What the `m.key.verification.start` of the method `m.reciprocate.v1` says.
    #[must_use]
    pub const fn secret(&self) -> &ReciprocateSecret {
        &self.secret
    }

    /// The other device has sent `m.key.verification.done`: send it, too. A flow that was cancelled before that has
    /// verified nothing.
    pub fn receive_done(self) -> VerifiedKey {
        self.verified
    }
}

/// Why a code verifies nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ScanError {
    /// It is of another flow: perhaps an old one. Nothing is sent.
    OtherFlow,
    /// This device has not verified its own user's master signing key, and cannot verify others by it. Nothing is sent.
    OwnMasterNotTrusted,
    /// A code between users where a device of one's own was expected, or the other way round.
    WrongMode,
    /// One of the keys is not what the two sides think: somebody is between them.
    KeyMismatch,
}

impl ScanError {
    /// The code to cancel the flow with; `None` if the flow goes on.
    #[must_use]
    pub const fn cancel_code(&self) -> Option<&'static str> {
        match self {
            Self::OtherFlow | Self::OwnMasterNotTrusted => None,
            Self::WrongMode | Self::KeyMismatch => Some("m.key_mismatch"),
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherFlow => "the code is of another verification; scan the one that is displayed now",
            Self::OwnMasterNotTrusted => "this device has not verified its own user yet; verify it first",
            Self::WrongMode => "the code is not for a verification with this user",
            Self::KeyMismatch => "the keys in the code are others than those that this device knows",
        })
    }
}

impl core::error::Error for ScanError {}
