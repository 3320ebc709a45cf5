//! A device as trust sees it.

use alloc::borrow::ToOwned;
use alloc::string::String;

use mx_signing::{
    DeviceKeys, DeviceRefused, KnownDevice, QueriedDevice, SignatureMemory, TakenDevice, VerifyError,
};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use crate::identity::Identity;
use crate::signed::VerifiedSignature;

/// The keys of a device, which the device itself has signed, with what cross-signing and the user say of it.
#[derive(Clone, Debug)]
pub struct Device {
    pub(crate) keys: DeviceKeys,
    /// In canonical form, without `signatures` and `unsigned`.
    pub(crate) object: String,
    pub(crate) is_dehydrated: bool,
    pub(crate) cross_signature: Option<VerifiedSignature>,
    pub(crate) local_trust: LocalTrust,
}

/// What the user of this device has said about a device, or this device about itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LocalTrust {
    /// Nothing.
    #[default]
    Unset,
    /// It was verified, by itself and here.
    Verified,
    /// It must get no keys and is not believed. Wins over everything.
    Blacklisted,
    /// That it is not verified is to be ignored: it may get keys, and its messages are shown.
    Ignored,
}

impl Device {
    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// The user whose device it is.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.keys.user_id
    }

    /// The device's ID.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.keys.device_id
    }

    /// The key that signs for the device.
    #[must_use]
    pub const fn ed25519(&self) -> Ed25519PublicKey {
        self.keys.ed25519
    }

    /// The text that signatures on the device's keys cover.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Whether the device says that it is a dehydrated one.
    #[must_use]
    pub const fn is_dehydrated(&self) -> bool {
        self.is_dehydrated
    }

    /// The signature of a self-signing key of its owner. It counts while that key is in use.
    #[must_use]
    pub const fn cross_signature(&self) -> Option<VerifiedSignature> {
        self.cross_signature
    }

    /// What the user has said about it.
    #[must_use]
    pub const fn local_trust(&self) -> LocalTrust {
        self.local_trust
    }

    /// Records what the user says about it. `Verified` hangs on the device's Ed25519 key.
    pub const fn set_local_trust(&mut self, trust: LocalTrust) {
        self.local_trust = trust;
    }

    /// Why the identity does not vouch for the device, if it does not.
    pub(crate) fn cross_signed_by(&self, identity: &Identity) -> Result<VerifiedSignature, NotCrossSigned> {
        let ssk = identity.self_signing_key().key();
        if identity.has_key_named(self.device_id()) {
            return Err(NotCrossSigned::DeviceIdIsSigningKey);
        }
        if identity.has_key(self.ed25519()) {
            return Err(NotCrossSigned::DeviceKeyIsSigningKey);
        }
        match self.cross_signature {
            Some(signature)
                if signature.signer() == ssk.public_key() && identity.user_id() == self.user_id() =>
            {
                Ok(signature)
            }
            Some(signature) => Err(NotCrossSigned::SignedByOtherKey { signer: signature.signer() }),
            None => Err(NotCrossSigned::NotSigned),
        }
    }

    /// Takes a device of a response; `own_ed25519` is given for this very device. What is known of it from before stays: the user's
    /// word and its cross-signature, as long as its keys are the same.
    pub(crate) fn receive(
        memory: &mut SignatureMemory,
        queried: &QueriedDevice<'_>,
        own_ed25519: Option<Ed25519PublicKey>,
        stored: Option<&Self>,
        identity: Option<&Identity>,
    ) -> Result<Received, DeviceRefused> {
        let known = KnownDevice {
            own_ed25519,
            own_curve25519: None,
            stored_ed25519: stored.map(|stored| stored.keys.ed25519),
        };
        let is_signing_key = |key| identity.is_some_and(|identity| identity.has_key(key));
        let TakenDevice { keys, object, is_dehydrated } = queried.receive(&known, is_signing_key)?;
        let stored_signature = stored
            .filter(|stored| stored.object == object.canonical())
            .and_then(|stored| stored.cross_signature);
        let (cross_signature, invalid) = match identity.map(|identity| identity.self_signing_key().key()) {
            None => (stored_signature, None),
            Some(ssk) => {
                let found =
                    VerifiedSignature::by_signing_key(memory, &object, ssk.user_id(), ssk.public_key());
                match found {
                    Ok(signature) => (Some(signature), None),
                    Err(VerifyError::NoSignature) => (stored_signature, None),
                    Err(error) => (stored_signature, Some(error)),
                }
            }
        };
        let device = Self {
            keys,
            object: object.canonical().to_owned(),
            is_dehydrated,
            cross_signature,
            local_trust: stored.map(|stored| stored.local_trust).unwrap_or_default(),
        };
        Ok(Received { device, invalid_signature: invalid })
    }

    /// The keys of this very device, as it has uploaded them itself.
    ///
    /// # Errors
    ///
    /// [`DeviceRefused`].
    pub fn own(text: &str, user_id: UserId<'_>, device_id: DeviceId<'_>) -> Result<Self, DeviceRefused> {
        let keys = DeviceKeys::verify(text, user_id, device_id);
        let queried = QueriedDevice { device_id: device_id.as_str().to_owned(), text, keys };
        let TakenDevice { keys, object, is_dehydrated } =
            queried.receive(&KnownDevice::default(), |_| false)?;
        Ok(Self {
            keys,
            object: object.canonical().to_owned(),
            is_dehydrated,
            cross_signature: None,
            local_trust: LocalTrust::Verified,
        })
    }
}

/// A device that was taken, and whether it had a cross-signature that is wrong.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) device: Device,
    pub(crate) invalid_signature: Option<VerifyError>,
}

/// Why an identity does not vouch for a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotCrossSigned {
    /// No self-signing key of the owner has signed it, or no server has shown that.
    NotSigned,
    /// A self-signing key has signed it that is not in use.
    SignedByOtherKey {
        /// That key.
        signer: Ed25519PublicKey,
    },
    /// The device ID is one of the owner's cross-signing keys in Base64. Never verify it, and warn.
    DeviceIdIsSigningKey,
    /// The device's key is one of the owner's cross-signing keys.
    DeviceKeyIsSigningKey,
}
