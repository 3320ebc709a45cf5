//! Our own identity, and whether this device has verified it.

use alloc::borrow::ToOwned;
use alloc::string::String;

use mx_pickle::Generation;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use crate::history::KeyHistory;
use crate::identity::{Identity, IdentityError};
use crate::key::MasterSigningKey;

/// What this device knows of its own user: the identity in use, and which master signing key it has verified.
///
/// Stored state: see [`OwnIdentity::pickle_to_vec`].
#[derive(Clone, Debug)]
pub struct OwnIdentity {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) ed25519: Ed25519PublicKey,
    pub(crate) identity: Option<Identity>,
    pub(crate) verified_msk: Option<Ed25519PublicKey>,
    pub(crate) history: KeyHistory,
    pub(crate) generation: Generation,
}

impl OwnIdentity {
    /// For a device that knows of no identity yet. `ed25519` is the device's own key.
    #[must_use]
    pub fn new(user_id: UserId<'_>, device_id: DeviceId<'_>, ed25519: Ed25519PublicKey) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            device_id: device_id.as_str().to_owned(),
            ed25519,
            identity: None,
            verified_msk: None,
            history: KeyHistory::default(),
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// The same for a device that has verified a master signing key of ours before, as another program or a person
    /// remembers. It need not be the present one.
    #[must_use]
    pub fn with_verified(self, msk: Ed25519PublicKey) -> Self {
        Self { verified_msk: Some(msk), ..self }
    }

    /// Our user ID.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The ID of this device.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// The Ed25519 key of this device.
    #[must_use]
    pub const fn ed25519(&self) -> Ed25519PublicKey {
        self.ed25519
    }

    /// The identity that was last taken from a response, or made here. Whether to trust it, [`state`](Self::state) says.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The master signing key that this device verified last. That is a fact of this device only: no signature that a
    /// server delivers can set it.
    #[must_use]
    pub const fn verified_master_signing_key(&self) -> Option<Ed25519PublicKey> {
        self.verified_msk
    }

    /// What the identity is to this device.
    #[must_use]
    pub fn state(&self) -> OwnState {
        let current = self.identity.as_ref().map(|identity| identity.master_signing_key().public_key());
        match (current, self.verified_msk) {
            (None, _) => OwnState::NoIdentity,
            (Some(_), None) => OwnState::NeverVerified,
            (Some(current), Some(verified)) if current == verified => OwnState::Verified,
            (Some(_), Some(_)) => OwnState::VerificationViolation,
        }
    }

    /// Whether the identity is the one that this device has verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.state() == OwnState::Verified
    }

    /// Records that a master signing key of ours was verified: by a completed verification of it, or because the user
    /// says so. The key is the one that was fixed when the verification began.
    ///
    /// When this succeeds and the identity was not verified before, call [`UserIdentity::refresh`] for every other user
    /// and store all of it in one transaction. Then ask the other devices for the secrets that are missing, and perhaps
    /// sign the key with this device ([`sign_own_master_signing_key`](crate::sign_own_master_signing_key)).
    ///
    /// [`UserIdentity::refresh`]: crate::UserIdentity::refresh
    ///
    /// # Errors
    ///
    /// [`NotCurrent`] when it is not the key of the present identity. Nothing was recorded.
    pub fn verify(&mut self, msk: &MasterSigningKey) -> Result<(), NotCurrent> {
        match &self.identity {
            Some(identity) if identity.master_signing_key() == msk => {
                self.verified_msk = Some(msk.public_key());
                Ok(())
            }
            _ => Err(NotCurrent),
        }
    }

    /// Gives up the identity that was verified, after the server has put another one in its place and the user knows:
    /// the present one then counts as never verified. Returns whether that was the state.
    pub fn withdraw(&mut self) -> bool {
        let violated = self.state() == OwnState::VerificationViolation;
        if violated {
            self.verified_msk = None;
        }
        violated
    }

    /// Takes the identity over that was made here, as [`SigningKeys::identity`](crate::SigningKeys::identity) gives it, and
    /// counts it as verified: once the server has accepted the upload. See [`verify`](Self::verify) for what is to be done then.
    ///
    /// # Errors
    ///
    /// [`NotCurrent`] when it is another user's or lacks the user-signing key.
    pub fn adopt(&mut self, identity: Identity) -> Result<(), NotCurrent> {
        if identity.user_id() != self.user_id || identity.user_signing_key().is_none() {
            return Err(NotCurrent);
        }
        let msk = identity.master_signing_key().public_key();
        self.history.take(&identity, &[]);
        self.verified_msk = Some(msk);
        self.identity = Some(identity);
        Ok(())
    }

    /// Takes over what a response has. Nothing has changed when it is refused.
    pub(crate) fn replace(&mut self, identity: Identity) -> Result<(), IdentityError> {
        self.history.check(&identity)?;
        let verified: &[_] = self.verified_msk.as_slice();
        self.history.take(&identity, verified);
        self.identity = Some(identity);
        Ok(())
    }

    /// The user-signing key, if the identity is verified: only then its signatures say anything.
    pub(crate) fn trusted_usk(&self) -> Option<Ed25519PublicKey> {
        let identity = self.identity.as_ref().filter(|_| self.is_verified())?;
        identity.user_signing_key().map(|usk| usk.key().public_key())
    }
}

/// What our identity is to this device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OwnState {
    /// No usable identity was ever seen.
    NoIdentity,
    /// There is one, and this device has verified none.
    NeverVerified,
    /// It is the one that this device has verified.
    Verified,
    /// This device had verified another one. Alert the user: verify the new one, or [`OwnIdentity::withdraw`].
    VerificationViolation,
}

/// Says that a key is not the one in use, so that nothing was recorded or signed for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotCurrent;

impl core::fmt::Display for NotCurrent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("key is not that of the present identity")
    }
}

impl core::error::Error for NotCurrent {}
