//! The body of `/keys/upload`.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use mx_types::{Curve25519PublicKey, DeviceId, Ed25519Signature, KeyId, UserId};
use signature::Signer;

use crate::device_keys::DeviceKeys;
use crate::error::SignError;
use crate::object::object;
use crate::one_time_key::OneTimeKey;

/// The algorithm of signed one-time keys and fallback keys.
pub(crate) const SIGNED_CURVE25519: &str = "signed_curve25519";

/// What a device uploads of its keys: `POST /_matrix/client/v3/keys/upload`.
///
/// Private halves must be stored before the request is sent, and after an answer was lost the same keys are sent again.
///
/// ```
/// use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
/// use mx_signing::{DeviceKeys, KeysUpload};
/// use mx_types::{DeviceId, UserId};
///
/// let ed25519 = Ed25519SecretKey::from_seed(&[1; 32]);
/// let curve25519 = Curve25519SecretKey::from_secret_bytes(&[2; 32]);
/// let one_time_key = Curve25519SecretKey::from_secret_bytes(&[3; 32]);
///
/// let user_id = UserId::parse("@alice:example.org")?;
/// let device_id = DeviceId::parse("JLAFKJWSCS")?;
/// let device_keys = DeviceKeys::new(user_id, device_id, curve25519.public_key(), ed25519.public_key());
/// let upload = KeysUpload {
///     device_keys: Some(&device_keys),
///     one_time_keys: &[("AAAAAQ", one_time_key.public_key())],
///     fallback_key: None,
/// };
/// let body = upload.sign(&ed25519, user_id, device_id)?;
/// assert!(body.starts_with(r#"{"device_keys":{"algorithms":["m.olm.v1.curve25519-aes-sha2","#));
/// assert!(body.contains(r#""one_time_keys":{"signed_curve25519:AAAAAQ":{"key":""#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KeysUpload<'a> {
    /// The device's own keys, the first time or when they changed.
    pub device_keys: Option<&'a DeviceKeys>,
    /// One-time keys, each with its key ID.
    pub one_time_keys: &'a [(&'a str, Curve25519PublicKey)],
    /// The current fallback key with its key ID, if it was not uploaded yet. There is one per algorithm.
    pub fallback_key: Option<(&'a str, Curve25519PublicKey)>,
}

impl KeysUpload<'_> {
    /// Gives the body of the request, in canonical form, with everything in it signed by the device.
    ///
    /// # Errors
    ///
    /// When an ID cannot be one, two one-time keys have the same key ID, [`device_keys`](Self::device_keys) name another user or
    /// device, or the signer fails.
    pub fn sign<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        signer: &S,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<String, SignError> {
        let signed = |id, key, fallback| -> Result<_, SignError> {
            let key_id = KeyId::new(SIGNED_CURVE25519, id)?.to_string();
            Ok((key_id, OneTimeKey { key, fallback }.sign(signer, user_id, device_id)?))
        };
        let fallback_keys: BTreeMap<_, _> =
            self.fallback_key.map(|(id, key)| signed(id, key, true)).transpose()?.into_iter().collect();
        let mut one_time_keys = BTreeMap::new();
        for (id, key) in self.one_time_keys {
            let (key_id, text) = signed(id, *key, false)?;
            if one_time_keys.insert(key_id, text).is_some() {
                return Err(SignError::DuplicateKeyId);
            }
        }

        let mut body = BTreeMap::new();
        if let Some(device_keys) = self.device_keys {
            if device_keys.user_id != user_id.as_str() || device_keys.device_id != device_id.as_str() {
                return Err(SignError::OtherDevice);
            }
            body.insert("device_keys", device_keys.sign(signer)?);
        }
        for (name, keys) in [("one_time_keys", &one_time_keys), ("fallback_keys", &fallback_keys)] {
            if !keys.is_empty() {
                body.insert(name, object(keys.iter().map(|(id, text)| (id.as_str(), text.as_str()))));
            }
        }
        Ok(object(body.iter().map(|(name, text)| (*name, text.as_str()))))
    }
}
