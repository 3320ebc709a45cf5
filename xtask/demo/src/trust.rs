//! Between mx-verification and mx-cross-signing, which do not know each other: the keys that a verification needs of
//! what is stored, and what it leaves there.

use mx_cross_signing::{
    Identities, KeySource as _, LocalTrust, OwnIdentity, SignaturesUpload, SigningKeys, Usage, Verification,
    sign_own_master_signing_key, verify_own_device, verify_user,
};
use mx_types::{DeviceId, Ed25519PublicKey, Ed25519Signature, UserId};
use mx_verification::{Consequence, UserKeys};
use signature::Signer;

use crate::{Failure, fail};

/// What is stored of a user.
#[must_use]
pub fn user_keys(
    own: &OwnIdentity,
    identities: &Identities,
    user_id: UserId<'_>,
    is_outdated: bool,
) -> UserKeys {
    let Ok(user) = identities.user(user_id);
    let identity = match &user {
        Some(user) => Some(user.identity()),
        None => own.identity().filter(|identity| identity.user_id() == user_id.as_str()),
    };
    let key = |usage| identity.and_then(|identity| identity.public_key(usage));
    let devices = identities
        .devices(user_id)
        .filter(|device| !device.is_dehydrated() && device.local_trust() != LocalTrust::Blacklisted);
    UserKeys {
        is_outdated,
        devices: devices.map(|device| (device.device_id().to_owned(), device.ed25519())).collect(),
        master_signing_key: key(Usage::Master),
        self_signing_key: key(Usage::SelfSigning),
        user_signing_key: key(Usage::UserSigning),
    }
}

/// Records what follows from a verification. Gives what is to be uploaded: nothing where this device has no key to sign with.
///
/// # Errors
///
/// When the stored key is another than the verified one: nothing is recorded then.
pub fn record<S: Signer<Ed25519Signature> + ?Sized>(
    own: &mut OwnIdentity,
    keys: &SigningKeys,
    identities: &mut Identities,
    this_device: &S,
    consequence: &Consequence,
) -> Result<SignaturesUpload, Failure> {
    let verification = match consequence {
        Consequence::TrustOwnMaster { master_signing_key } => {
            let msk = own.identity().map(|identity| identity.master_signing_key().clone());
            let msk = msk.filter(|msk| msk.public_key() == *master_signing_key).ok_or(CHANGED)?;
            own.verify(&msk)?;
            identities.refresh(own);
            return Ok(sign_own_master_signing_key(own, this_device)?);
        }
        Consequence::SignOwnDevice { device_id, ed25519 } => {
            let device = stored_device(identities, own.user_id(), device_id, *ed25519)?;
            let verified = device.clone();
            verify_own_device(own, keys, device, &verified)?
        }
        Consequence::SignUser { user_id, master_signing_key } => {
            let user_id = UserId::parse(user_id)?;
            let device_ids: Vec<_> =
                identities.devices(user_id).map(|device| device.device_id().to_owned()).collect();
            let user = identities.user_mut(user_id).ok_or(CHANGED)?;
            let msk = user.identity().master_signing_key().clone();
            if msk.public_key() != *master_signing_key {
                return fail(CHANGED);
            }
            verify_user(own, keys, user, &msk, device_ids.iter().map(String::as_str))?
        }
        Consequence::TrustDevice { user_id, device_id, ed25519 } => {
            stored_device(identities, user_id, device_id, *ed25519)?.set_local_trust(LocalTrust::Verified);
            return Ok(SignaturesUpload::default());
        }
        _ => return fail("nothing is known of such a consequence of a verification"),
    };
    match verification {
        Verification::Signed(upload) => Ok(upload),
        Verification::Pending(_) => Ok(SignaturesUpload::default()),
    }
}

/// The device as it is stored, if it has this key.
fn stored_device<'i>(
    identities: &'i mut Identities,
    user_id: &str,
    device_id: &str,
    ed25519: Ed25519PublicKey,
) -> Result<&'i mut mx_cross_signing::Device, Failure> {
    let device = identities.device_mut(UserId::parse(user_id)?, DeviceId::parse(device_id)?);
    Ok(device.filter(|device| device.ed25519() == ed25519).ok_or(CHANGED)?)
}

const CHANGED: &str = "the stored key is not the one that was verified";
