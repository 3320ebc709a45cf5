//! Signatures that were verified.

use mx_curve25519::Ed25519SecretKey;
use mx_signing::{SignatureMemory, SignedObject, VerifyError};
use mx_types::{DeviceId, Ed25519PublicKey, Ed25519Signature, KeyId};

use crate::key::CrossSigningKey;
use crate::role::Role;

/// A signature that was verified, with the key that made it. The value that has it has the object, too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VerifiedSignature {
    signer: Ed25519PublicKey,
    signature: Ed25519Signature,
}

impl VerifiedSignature {
    /// The key that made it: what the signature is bound to, whatever ID it stands under.
    #[must_use]
    pub const fn signer(&self) -> Ed25519PublicKey {
        self.signer
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> Ed25519Signature {
        self.signature
    }

    /// Verifies the signature of a user's cross-signing key, which stands under the key itself as ID.
    pub(crate) fn by_signing_key(
        memory: &mut SignatureMemory,
        object: &SignedObject<'_>,
        user_id: &str,
        signer: Ed25519PublicKey,
    ) -> Result<Self, VerifyError> {
        let mut name = [0; 43];
        let name = mx_types::base64::encode(signer.as_bytes(), &mut name);
        let key_id = name.ok().and_then(|name| KeyId::new("ed25519", name).ok());
        Self::by_id(memory, object, user_id, key_id.ok_or(VerifyError::NoSignature)?, signer)
    }

    /// Verifies the signature of a user's device.
    pub(crate) fn by_device(
        memory: &mut SignatureMemory,
        object: &SignedObject<'_>,
        user_id: &str,
        device_id: DeviceId<'_>,
        signer: Ed25519PublicKey,
    ) -> Result<Self, VerifyError> {
        let key_id = KeyId::new("ed25519", device_id.as_str()).map_err(|_| VerifyError::NoSignature)?;
        Self::by_id(memory, object, user_id, key_id, signer)
    }

    fn by_id(
        memory: &mut SignatureMemory,
        object: &SignedObject<'_>,
        user_id: &str,
        key_id: KeyId<'_>,
        signer: Ed25519PublicKey,
    ) -> Result<Self, VerifyError> {
        let signature = object.signature(user_id, key_id)?;
        object.verify_with(memory, user_id, key_id, signer)?;
        Ok(Self { signer, signature })
    }

    /// Signs the text of an object ourselves.
    pub(crate) fn make(secret: &Ed25519SecretKey, object: &str) -> Self {
        Self { signer: secret.public_key(), signature: secret.sign(object.as_bytes()) }
    }

    /// For what was verified before it was stored.
    pub(crate) const fn restored(signer: Ed25519PublicKey, signature: Ed25519Signature) -> Self {
        Self { signer, signature }
    }
}

/// A cross-signing key with a verified signature on its object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed<R: Role> {
    key: CrossSigningKey<R>,
    signature: VerifiedSignature,
}

impl<R: Role> Signed<R> {
    pub(crate) const fn new(key: CrossSigningKey<R>, signature: VerifiedSignature) -> Self {
        Self { key, signature }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &CrossSigningKey<R> {
        &self.key
    }

    /// The signature on it.
    #[must_use]
    pub const fn signature(&self) -> VerifiedSignature {
        self.signature
    }
}
