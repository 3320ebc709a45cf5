//! What to sign after a verification, and what to record of it.

use alloc::string::ToString;
use core::fmt;

use mx_canonical_json::Limits;
use mx_signing::{SignError, SignedObject};
use mx_types::{Ed25519Signature, KeyId};
use signature::Signer;

use crate::device::{Device, LocalTrust};
use crate::key::MasterSigningKey;
use crate::own::OwnIdentity;
use crate::role::Usage;
use crate::signed::VerifiedSignature;
use crate::signing_keys::{KeyUnusable, SigningKeys};
use crate::upload::{SignaturesUpload, with_signature};
use crate::user::{UserIdentity, UserState};

/// What came of a verification.
#[must_use = "the upload must be sent, and what has changed stored with it"]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verification {
    /// It was signed. Store what was changed together with the upload, then send it.
    Signed(SignaturesUpload),
    /// It could not be signed, and is remembered until it can.
    Pending(CannotSign),
}

/// Why a verification cannot be signed now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CannotSign {
    /// Our own identity is not verified by this device.
    OwnIdentityNotVerified,
    /// The private key is not here, or set aside.
    Key(KeyUnusable),
}

/// Records that another user's master signing key was verified, and signs it with our user-signing key.
///
/// `msk` is the key that was fixed when the verification began, `device_ids` are all devices of the user that are stored. If
/// our identity is not verified or the user-signing key is not here, the user's state stays and the verification is
/// remembered for [`sign_pending`].
///
/// # Errors
///
/// [`VerifyUserError`]. Nothing was recorded then, and nothing may be taken for verified.
pub fn verify_user<'d>(
    own: &OwnIdentity,
    keys: &SigningKeys,
    user: &mut UserIdentity,
    msk: &MasterSigningKey,
    device_ids: impl IntoIterator<Item = &'d str>,
) -> Result<Verification, VerifyUserError> {
    if user.user_id() == own.user_id() {
        return Err(VerifyUserError::OwnUser);
    }
    if user.identity().master_signing_key() != msk {
        return Err(VerifyUserError::KeysChanged);
    }
    if device_ids.into_iter().any(|device_id| user.identity().has_key_named(device_id)) {
        return Err(VerifyUserError::DeviceIdIsSigningKey);
    }
    user.verified_here = Some(msk.public_key());
    match sign_user(own, keys, user, msk) {
        Ok(upload) => Ok(Verification::Signed(upload)),
        Err(why) => Ok(Verification::Pending(why)),
    }
}

/// Signs what this device has verified and could not sign, or what a user-signing key had signed that was replaced since.
/// Nothing is done for a key that is not the user's present one, or that was discarded since.
pub fn sign_pending(
    own: &OwnIdentity,
    keys: &SigningKeys,
    user: &mut UserIdentity,
) -> Option<SignaturesUpload> {
    let msk = user.identity().master_signing_key().clone();
    if user.verified_here != Some(msk.public_key()) || user.is_verified(own) {
        return None;
    }
    sign_user(own, keys, user, &msk).ok()
}

fn sign_user(
    own: &OwnIdentity,
    keys: &SigningKeys,
    user: &mut UserIdentity,
    msk: &MasterSigningKey,
) -> Result<SignaturesUpload, CannotSign> {
    if !own.is_verified() {
        return Err(CannotSign::OwnIdentityNotVerified);
    }
    let secret = keys.usable_key(own, Usage::UserSigning).map_err(CannotSign::Key)?;
    let signature = VerifiedSignature::make(secret, msk.object());
    let object =
        with_signature(msk.object(), own.user_id(), &signature.signer().to_string(), signature.signature());
    let mut upload = SignaturesUpload::default();
    upload.add(msk.user_id(), &msk.public_key().to_string(), object);
    user.verified(msk.clone(), signature);
    Ok(upload)
}

/// Records that another device of ours was verified, and signs it with our self-signing key. Without that key the device
/// is verified for this one only.
///
/// `verified` is the device as it was when the verification began.
///
/// # Errors
///
/// [`VerifyDeviceError`]. Nothing was recorded then.
pub fn verify_own_device(
    own: &OwnIdentity,
    keys: &SigningKeys,
    device: &mut Device,
    verified: &Device,
) -> Result<Verification, VerifyDeviceError> {
    if device.user_id() != own.user_id() {
        return Err(VerifyDeviceError::OtherUser);
    }
    if device.keys() != verified.keys() {
        return Err(VerifyDeviceError::KeysChanged);
    }
    if let Some(identity) = own.identity()
        && (identity.has_key_named(device.device_id()) || identity.has_key(device.ed25519()))
    {
        return Err(VerifyDeviceError::DeviceIdIsSigningKey);
    }
    device.set_local_trust(LocalTrust::Verified);
    let secret = match keys.usable_key(own, Usage::SelfSigning) {
        Ok(secret) => secret,
        Err(error) => return Ok(Verification::Pending(CannotSign::Key(error))),
    };
    let signature = VerifiedSignature::make(secret, device.object());
    device.cross_signature = Some(signature);
    let object = with_signature(
        device.object(),
        own.user_id(),
        &signature.signer().to_string(),
        signature.signature(),
    );
    let mut upload = SignaturesUpload::default();
    upload.add(own.user_id(), device.device_id(), object);
    Ok(Verification::Signed(upload))
}

/// Signs our own verified master signing key with this device, so that other devices that know this one may learn of it. That
/// proves no more than that this device trusted the key once.
///
/// # Errors
///
/// [`SignError`]; [`SignError::WrongKey`] when our identity is not verified, or the signer's key is not this device's.
pub fn sign_own_master_signing_key<S: Signer<Ed25519Signature> + ?Sized>(
    own: &OwnIdentity,
    signer: &S,
) -> Result<SignaturesUpload, SignError> {
    let identity = own.identity().filter(|_| own.is_verified()).ok_or(SignError::WrongKey)?;
    let msk = identity.master_signing_key();
    let key_id = KeyId::new("ed25519", own.device_id())?;
    let text = SignedObject::parse(msk.object(), &Limits::DEFAULT)?.sign(signer, own.user_id(), key_id)?;
    let object = SignedObject::parse(&text, &Limits::DEFAULT)?;
    object.verify(own.user_id(), key_id, own.ed25519()).map_err(|_| SignError::WrongKey)?;
    let mut upload = SignaturesUpload::default();
    upload.add(own.user_id(), &msk.public_key().to_string(), text);
    Ok(upload)
}

/// A user who was verified device by device, before cross-signing, and whose identity one of these devices vouches for.
///
/// Ask the user before taking it over with [`verify_user`]: the device may have been stolen since.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// The key that the device vouches for: the first that was ever seen of the user.
    pub msk: &'a MasterSigningKey,
    /// The device.
    pub device: &'a Device,
}

/// Finds out whether a verification of one of a user's devices can be carried over to the user. The devices are those that are
/// stored, without deleted ones.
pub fn migration<'a>(
    own: &OwnIdentity,
    user: &'a UserIdentity,
    devices: impl IntoIterator<Item = &'a Device>,
) -> Option<Migration<'a>> {
    if !own.is_verified() || user.state(own) != UserState::Pinned || user.is_discarded() {
        return None;
    }
    let device = devices.into_iter().find(|device| {
        device.user_id() == user.user_id()
            && device.local_trust() == LocalTrust::Verified
            && user.device_signatures.contains(&device.ed25519())
            && !user.identity().has_key_named(device.device_id())
    })?;
    Some(Migration { msk: user.identity().master_signing_key(), device })
}

/// Why a verification of a user is not recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerifyUserError {
    /// It is our own user: see [`OwnIdentity::verify`].
    OwnUser,
    /// The user has another master signing key now than was verified.
    KeysChanged,
    /// A device ID of the user is one of the user's cross-signing keys: warn.
    DeviceIdIsSigningKey,
}

impl fmt::Display for VerifyUserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnUser => "user is our own",
            Self::KeysChanged => "master signing key is another than was verified",
            Self::DeviceIdIsSigningKey => "a device ID of the user is one of the user's cross-signing keys",
        })
    }
}

impl core::error::Error for VerifyUserError {}

/// Why a verification of a device is not recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VerifyDeviceError {
    /// It is not a device of ours: devices of others are signed by their owners only.
    OtherUser,
    /// The device has other keys now than were verified.
    KeysChanged,
    /// The device's ID or key is one of our cross-signing keys: warn.
    DeviceIdIsSigningKey,
}

impl fmt::Display for VerifyDeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherUser => "device belongs to another user",
            Self::KeysChanged => "device has other keys than were verified",
            Self::DeviceIdIsSigningKey => "device's ID or key is one of our cross-signing keys",
        })
    }
}

impl core::error::Error for VerifyDeviceError {}
