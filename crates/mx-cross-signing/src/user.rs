//! What is known of another user's identity: the present keys, what was pinned, verified and discarded.

use alloc::vec::Vec;

use mx_pickle::Generation;
use mx_types::Ed25519PublicKey;

use crate::history::KeyHistory;
use crate::identity::{Identity, IdentityError};
use crate::key::MasterSigningKey;
use crate::own::OwnIdentity;
use crate::role::Master;
use crate::signed::{Signed, VerifiedSignature};

/// Master signing keys of one user that were accepted once and then replaced: their old signatures do not count.
pub const MAX_DISCARDED_KEYS: usize = 8;

/// Signatures of ours on master signing keys of one user that are kept: on the present one, and on some before.
pub const MAX_USER_SIGNATURES: usize = 4;

/// Devices of one user whose signature on the master signing key is kept, for migration.
pub const MAX_DEVICE_SIGNATURES: usize = 8;

/// Another user's identity, and what this device remembers about it.
///
/// Stored state: see [`UserIdentity::pickle_to_vec`]. It is kept for as long as there is an account: a user who was not seen for a while, or
/// whose identity the server leaves out, must not become a new one.
#[derive(Clone, Debug)]
pub struct UserIdentity {
    pub(crate) identity: Identity,
    /// Our signatures on master signing keys of the user, whatever user-signing key made them.
    pub(crate) signatures: Vec<Signed<Master>>,
    pub(crate) pinned: Ed25519PublicKey,
    /// The last one that was pinned by the user, verified, or found verified.
    pub(crate) accepted: Ed25519PublicKey,
    pub(crate) previously_verified: bool,
    pub(crate) discarded: Vec<Ed25519PublicKey>,
    /// The one that this device itself has verified.
    pub(crate) verified_here: Option<Ed25519PublicKey>,
    /// Devices that were verified one by one and have signed the present master signing key.
    pub(crate) device_signatures: Vec<Ed25519PublicKey>,
    pub(crate) history: KeyHistory,
    pub(crate) generation: Generation,
}

impl UserIdentity {
    /// The first identity that is seen of a user is pinned.
    pub(crate) fn first(identity: Identity) -> Self {
        let msk = identity.master_signing_key().public_key();
        let mut history = KeyHistory::default();
        history.take(&identity, &[]);
        Self {
            identity,
            signatures: Vec::new(),
            pinned: msk,
            accepted: msk,
            previously_verified: false,
            discarded: Vec::new(),
            verified_here: None,
            device_signatures: Vec::new(),
            history,
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// For a user whose pinned master signing key another program or a person remembers. Nobody has verified the user.
    #[must_use]
    pub fn with_pin(identity: Identity, pinned: Ed25519PublicKey) -> Self {
        Self { pinned, accepted: pinned, ..Self::first(identity) }
    }

    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.identity.user_id()
    }

    /// The identity that was last taken from a response.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The master signing key that was seen first, or acknowledged last.
    #[must_use]
    pub const fn pinned(&self) -> Ed25519PublicKey {
        self.pinned
    }

    /// Whether the user was verified once, and nobody has withdrawn that.
    #[must_use]
    pub const fn previously_verified(&self) -> bool {
        self.previously_verified
    }

    /// Whether an old signature of ours on the present master signing key is void because another one was accepted after it.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.discarded.contains(&self.msk())
    }

    /// The signature of our present user-signing key on the present master signing key, with the object that it covers.
    #[must_use]
    pub fn our_signature(&self, own: &OwnIdentity) -> Option<&Signed<Master>> {
        let usk = own.identity()?.user_signing_key()?.key().public_key();
        self.signature_by(usk)
    }

    /// Whether the user is verified: our identity is, and its user-signing key has signed the present master signing key.
    #[must_use]
    pub fn is_verified(&self, own: &OwnIdentity) -> bool {
        own.trusted_usk().is_some_and(|usk| self.signature_by(usk).is_some()) && !self.is_discarded()
    }

    /// What the user's identity is to us.
    #[must_use]
    pub fn state(&self, own: &OwnIdentity) -> UserState {
        if self.is_verified(own) {
            UserState::Verified
        } else if self.previously_verified {
            UserState::VerificationViolation
        } else if self.pinned != self.msk() {
            UserState::PinViolation
        } else {
            UserState::Pinned
        }
    }

    /// Acknowledges the present master signing key. That ends a pin violation, but not a violation of a verification.
    pub fn pin(&mut self) {
        self.pinned = self.msk();
        self.accept();
    }

    /// Gives up the verification of a user whose identity has changed, and pins the present one. Returns whether
    /// anything was done: there is nothing to withdraw while the user is verified.
    pub fn withdraw(&mut self, own: &OwnIdentity) -> bool {
        match self.state(own) {
            UserState::VerificationViolation => {
                self.previously_verified = false;
                self.verified_here = None;
            }
            UserState::PinViolation => {}
            _ => return false,
        }
        self.pin();
        true
    }

    /// Latches that the user is verified, if so, and accepts the present key then. To be called for every user after our own
    /// identity became verified; all other changes see to it themselves. Returns whether anything has changed.
    pub fn refresh(&mut self, own: &OwnIdentity) -> bool {
        if !self.is_verified(own) || (self.previously_verified && self.accepted == self.msk()) {
            return false;
        }
        self.previously_verified = true;
        self.accept();
        true
    }

    /// Takes over what a response has. Nothing has changed when it is refused.
    pub(crate) fn replace(&mut self, identity: Identity) -> Result<(), IdentityError> {
        self.history.check(&identity)?;
        self.history.take(&identity, &[self.pinned, self.accepted]);
        if identity.master_signing_key() != self.identity.master_signing_key() {
            self.device_signatures.clear();
        }
        self.identity = identity;
        Ok(())
    }

    /// Remembers a signature of ours on a master signing key of the user. One that is there already is not replaced by
    /// the absence of it: servers leave signatures out, and nobody can take one back.
    pub(crate) fn add_signature(&mut self, msk: MasterSigningKey, signature: VerifiedSignature) {
        self.signatures
            .retain(|signed| signed.key() != &msk || signed.signature().signer() != signature.signer());
        self.signatures.push(Signed::new(msk, signature));
        if self.signatures.len() > MAX_USER_SIGNATURES {
            let (current, pinned) = (self.msk(), self.pinned);
            let matters = |signed: &Signed<Master>| [current, pinned].contains(&signed.key().public_key());
            let oldest = self.signatures.iter().position(|signed| !matters(signed)).unwrap_or_default();
            self.signatures.remove(oldest);
        }
    }

    pub(crate) fn add_device_signature(&mut self, device: Ed25519PublicKey) {
        if !self.device_signatures.contains(&device) && self.device_signatures.len() < MAX_DEVICE_SIGNATURES {
            self.device_signatures.push(device);
        }
    }

    /// The present master signing key was verified and signed here.
    pub(crate) fn verified(&mut self, msk: MasterSigningKey, signature: VerifiedSignature) {
        let current = self.msk();
        self.discarded.retain(|discarded| *discarded != current);
        self.verified_here = Some(current);
        self.add_signature(msk, signature);
        self.previously_verified = true;
        self.accept();
    }

    /// The key that was accepted before is discarded, with what our keys have said about it.
    fn accept(&mut self) {
        let current = self.msk();
        if self.verified_here != Some(current) {
            self.verified_here = None;
        }
        if self.accepted == current {
            return;
        }
        let replaced = core::mem::replace(&mut self.accepted, current);
        self.discarded.retain(|discarded| *discarded != replaced);
        self.discarded.push(replaced);
        if self.discarded.len() > MAX_DISCARDED_KEYS {
            self.discarded.remove(0);
        }
    }

    pub(crate) fn msk(&self) -> Ed25519PublicKey {
        self.identity.master_signing_key().public_key()
    }

    fn signature_by(&self, usk: Ed25519PublicKey) -> Option<&Signed<Master>> {
        let msk = self.msk();
        self.signatures
            .iter()
            .find(|signed| signed.key().public_key() == msk && signed.signature().signer() == usk)
    }
}

/// What another user's identity is to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UserState {
    /// Verified, through our own identity.
    Verified,
    /// Was verified once and is not now: the identity has changed, or ours has. Verify again, or withdraw.
    VerificationViolation,
    /// The identity is not the one that was seen first and has not been acknowledged: notify the user.
    PinViolation,
    /// The identity that was seen first, or acknowledged; never verified.
    Pinned,
}
