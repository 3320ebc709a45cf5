//! The bodies of `/keys/device_signing/upload` and `/keys/signatures/upload`.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use mx_canonical_json::{CanonicalObject, Limits, canonicalize};
use mx_signing::{SignError, SignedObject};
use mx_types::{Ed25519Signature, KeyId, UserId};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use signature::Signer;

use crate::key::CrossSigningKey;
use crate::own::OwnIdentity;
use crate::role::{Role, SelfSigning, Usage, UserSigning};
use crate::signed::Signed;
use crate::signing_keys::{KeyUnusable, SigningKeys, certify};

/// What is uploaded of a new identity: `POST /_matrix/client/v3/keys/device_signing/upload`. The texts are the same each
/// time, so that an upload whose answer was lost can be repeated.
///
/// Upload the device's own keys before, and the signatures on own device and master signing key after it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceSigningUpload {
    /// The master signing key, perhaps signed by this device.
    pub master_key: Option<String>,
    /// The self-signing key, signed by the master signing key.
    pub self_signing_key: Option<String>,
    /// The user-signing key, signed by the master signing key.
    pub user_signing_key: Option<String>,
}

impl DeviceSigningUpload {
    /// The body of the request. `auth` is the object of user-interactive authentication, which the first upload of an account
    /// does not need.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth`] when `auth` is not a JSON object.
    pub fn body(&self, auth: Option<&str>) -> Result<String, InvalidAuth> {
        let members = [
            ("auth", auth),
            ("master_key", self.master_key.as_deref()),
            ("self_signing_key", self.self_signing_key.as_deref()),
            ("user_signing_key", self.user_signing_key.as_deref()),
        ];
        if let Some(auth) = auth {
            serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(auth).map_err(|_| InvalidAuth)?;
        }
        let members: Vec<_> = members.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
        Ok(CanonicalObject::default().with_members(&members))
    }
}

/// Says that the authentication is not a JSON object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidAuth;

impl fmt::Display for InvalidAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("authentication is not a JSON object")
    }
}

impl core::error::Error for InvalidAuth {}

impl SigningKeys {
    /// The upload of a whole new identity; `device` is this device's ID and key if it is to sign the master signing key, by
    /// which own devices that knew this device before can tell.
    ///
    /// # Errors
    ///
    /// [`SignError`], when the device cannot sign; [`SignError::WrongKey`] when not all three keys are here.
    pub fn device_signing_upload<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        device: Option<(mx_types::DeviceId<'_>, &S)>,
    ) -> Result<DeviceSigningUpload, SignError> {
        let identity = self.identity().ok_or(SignError::WrongKey)?;
        let msk = identity.master_signing_key().object();
        let master_key = match device {
            None => msk.to_owned(),
            Some((device_id, signer)) => {
                let key_id = KeyId::new("ed25519", device_id.as_str())?;
                SignedObject::parse(msk, &Limits::DEFAULT)?.sign(signer, self.user_id(), key_id)?
            }
        };
        Ok(DeviceSigningUpload {
            master_key: Some(master_key),
            self_signing_key: Some(signed_text(identity.self_signing_key())),
            user_signing_key: identity.user_signing_key().map(signed_text),
        })
    }

    /// The upload of one key that was replaced under the master signing key in use.
    ///
    /// # Errors
    ///
    /// [`KeyUnusable`], of the master signing key or, as `Missing`, of the key itself.
    pub fn replacement_upload(
        &self,
        own: &OwnIdentity,
        usage: Usage,
    ) -> Result<DeviceSigningUpload, KeyUnusable> {
        let master = self.usable_key(own, Usage::Master)?;
        let key = self.private_key(usage).ok_or(KeyUnusable::Missing)?;
        let user_id = UserId::parse(self.user_id()).map_err(|_| KeyUnusable::Missing)?;
        let mut upload = DeviceSigningUpload::default();
        match usage {
            Usage::Master => return Err(KeyUnusable::Missing),
            Usage::SelfSigning => {
                let key = certify::<SelfSigning>(master, user_id, key);
                upload.self_signing_key = Some(signed_text(&key));
            }
            Usage::UserSigning => {
                let key = certify::<UserSigning>(master, user_id, key);
                upload.user_signing_key = Some(signed_text(&key));
            }
        }
        Ok(upload)
    }
}

/// The object with the signature of its user's master signing key.
fn signed_text<R: Role>(signed: &Signed<R>) -> String {
    let key: &CrossSigningKey<R> = signed.key();
    let signature = signed.signature();
    with_signature(key.object(), key.user_id(), &signature.signer().to_string(), signature.signature())
}

/// An object with one signature: all that an upload of signatures may have.
pub(crate) fn with_signature(
    object: &str,
    user_id: &str,
    signer: &str,
    signature: Ed25519Signature,
) -> String {
    let key_id = ["ed25519:", signer].concat();
    let signatures = serde_json::json!({ user_id: { key_id: signature.to_string() } }).to_string();
    let object = CanonicalObject::parse(object, &["signatures", "unsigned"], &Limits::DEFAULT);
    object.unwrap_or_default().with_members(&[("signatures", &signatures)])
}

/// Signatures to be uploaded: `POST /_matrix/client/v3/keys/signatures/upload`.
///
/// Its [`body`](Self::body) is what to store until the server has answered, [`parse`](Self::parse) reads it back. Each
/// object has only the new signatures.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SignaturesUpload {
    objects: BTreeMap<String, BTreeMap<String, String>>,
}

impl SignaturesUpload {
    /// Reads a body that was stored.
    ///
    /// # Errors
    ///
    /// [`InvalidBody`].
    pub fn parse(body: &str) -> Result<Self, InvalidBody> {
        type Body = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;
        let users: Body = serde_json::from_str(body).map_err(|_| InvalidBody)?;
        let canonical = |object: Box<RawValue>| canonicalize(object.get(), &Limits::DEFAULT).ok();
        let objects = users.into_iter().map(|(user_id, objects)| {
            let objects = objects.into_iter().map(|(id, object)| Some((id, canonical(object)?)));
            Some((user_id, objects.collect::<Option<_>>()?))
        });
        Ok(Self { objects: objects.collect::<Option<_>>().ok_or(InvalidBody)? })
    }

    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> String {
        let users: BTreeMap<_, _> = self
            .objects
            .iter()
            .map(|(user_id, objects)| {
                let objects: Vec<_> = objects.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
                (user_id.as_str(), CanonicalObject::default().with_members(&objects))
            })
            .collect();
        let users: Vec<_> = users.iter().map(|(user_id, text)| (*user_id, text.as_str())).collect();
        CanonicalObject::default().with_members(&users)
    }

    /// Whether there is nothing to upload.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Adds what another one has. Of an object that both have, the other's takes the place: it was signed later.
    pub fn extend(&mut self, other: Self) {
        for (user_id, objects) in other.objects {
            self.objects.entry(user_id).or_default().extend(objects);
        }
    }

    /// Takes the server's answer: what it has accepted, or refused for good, is removed; the rest stays to be sent again
    /// later. Nothing that was recorded here is undone by a refusal.
    ///
    /// # Errors
    ///
    /// [`InvalidBody`] when the answer is none. Nothing was removed then.
    pub fn answered(&mut self, response: &str) -> Result<Vec<UploadFailure>, InvalidBody> {
        // Maps all the way: a struct would be read from a list as well.
        type Users = BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>;
        let mut response: BTreeMap<String, Value> =
            serde_json::from_str(response).map_err(|_| InvalidBody)?;
        let failures = response.remove("failures").unwrap_or_else(|| Value::Object(Map::new()));
        let refused: Users = serde_json::from_value(failures).map_err(|_| InvalidBody)?;
        let mut failures = Vec::new();
        for (user_id, objects) in &mut self.objects {
            let failed = refused.get(user_id);
            objects.retain(|key_id, _| {
                let Some(failure) = failed.and_then(|failed| failed.get(key_id)) else { return false };
                let errcode = failure.get("errcode").and_then(Value::as_str).unwrap_or_default();
                let is_final = errcode == "M_INVALID_SIGNATURE";
                failures.push(UploadFailure {
                    user_id: user_id.clone(),
                    key_id: key_id.clone(),
                    errcode: errcode.to_owned(),
                    is_final,
                });
                !is_final
            });
        }
        self.objects.retain(|_, objects| !objects.is_empty());
        Ok(failures)
    }

    /// `key_id` is a device ID or a public key in Base64.
    pub(crate) fn add(&mut self, user_id: &str, key_id: &str, object: String) {
        self.objects.entry(user_id.to_owned()).or_default().insert(key_id.to_owned(), object);
    }
}

/// An object that the server has not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UploadFailure {
    /// The user whose object it is.
    pub user_id: String,
    /// The device ID, or the public key in Base64.
    pub key_id: String,
    /// The server's `errcode`.
    pub errcode: String,
    /// Whether there is no use in trying again.
    pub is_final: bool,
}

/// Says that a text is not the body that was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidBody;

impl fmt::Display for InvalidBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("body is malformed")
    }
}

impl core::error::Error for InvalidBody {}
