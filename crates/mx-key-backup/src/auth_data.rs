use alloc::{format, string::String};
use core::fmt;

use mx_canonical_json::{CanonicalizeError, Limits};
use mx_curve25519::Ed25519Signature;
use mx_json::{MalformedObject, required::string};
use mx_signing::{SignError, SignedObject};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, InvalidKey, KeyId, UserId};
use signature::Signer;

use crate::{PassphraseError, PassphraseInfo};

/// The `auth_data` of a backup: its public key, with signatures.
///
/// Members that this crate does not know are covered by the signatures, and kept. The value says nothing about trust:
/// [`ServerBackup::trust`](crate::ServerBackup::trust) does.
///
/// Client-server API, "Backup algorithm: m.megolm_backup.v1.curve25519-aes-sha2", `AuthData`.
#[derive(Clone, Debug)]
pub struct AuthData {
    text: String,
    public_key: Curve25519PublicKey,
}

impl AuthData {
    /// That of a new backup. Sign it.
    #[must_use]
    pub fn new(public_key: Curve25519PublicKey) -> Self {
        Self { text: format!("{{\"public_key\":\"{public_key}\"}}"), public_key }
    }

    /// Reads the object. The public key is read from the very text that signatures cover.
    ///
    /// # Errors
    ///
    /// [`AuthDataError`].
    pub fn parse(text: &str) -> Result<Self, AuthDataError> {
        let signed = SignedObject::parse(text, &LIMITS).map_err(AuthDataError::Json)?;
        let [public_key] = mx_json::members(signed.canonical().as_bytes(), &["public_key"])?;
        let public_key = Curve25519PublicKey::from_base64(&string(public_key, "public_key")?)
            .map_err(AuthDataError::PublicKey)?;
        Ok(Self { text: text.into(), public_key })
    }

    /// The public key. Do not encrypt to it for being here.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// The object, as it came or with the signatures that were added.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// With a signature of the user's master signing key, which stands under the key itself.
    ///
    /// # Errors
    ///
    /// [`SignError`].
    pub fn sign_by_master_signing_key<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        msk: &S,
        public_key: Ed25519PublicKey,
        user_id: UserId<'_>,
    ) -> Result<Self, SignError> {
        self.sign(msk, user_id, &format!("{public_key}"))
    }

    /// With a signature of one of the user's devices.
    ///
    /// # Errors
    ///
    /// [`SignError`].
    pub fn sign_by_device<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        device_key: &S,
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
    ) -> Result<Self, SignError> {
        self.sign(device_key, user_id, device_id.as_str())
    }

    fn sign<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        signer: &S,
        user_id: UserId<'_>,
        name: &str,
    ) -> Result<Self, SignError> {
        let text = self.signed()?.sign(signer, user_id.as_str(), KeyId::new("ed25519", name)?)?;
        Ok(Self { text, public_key: self.public_key })
    }

    /// How the decryption key follows from a passphrase, if the backup is an old one that was made so.
    ///
    /// # Errors
    ///
    /// [`PassphraseError`].
    pub fn passphrase(&self) -> Result<Option<PassphraseInfo>, PassphraseError> {
        PassphraseInfo::read(self.text.as_bytes())
    }

    pub(crate) fn signed(&self) -> Result<SignedObject<'_>, CanonicalizeError> {
        SignedObject::parse(&self.text, &LIMITS)
    }
}

/// The longest `auth_data` that is read, in bytes: some hundred signatures.
pub const MAX_AUTH_DATA_LEN: usize = 65_536;

const LIMITS: Limits = Limits { len: MAX_AUTH_DATA_LEN, ..Limits::DEFAULT };

/// Why an object is not the `auth_data` of such a backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthDataError {
    /// The backup has another algorithm. Leave it as it is, and do not use it.
    UnknownAlgorithm,
    /// Not an object that has a canonical form, or too long.
    Json(CanonicalizeError),
    /// `public_key` is missing or of the wrong type.
    Object(MalformedObject),
    /// The public key is none: of another length, of small order, or in a second encoding.
    PublicKey(InvalidKey),
}

impl fmt::Display for AuthDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlgorithm => write!(f, "algorithm of the backup is not {}", crate::ALGORITHM),
            Self::Json(error) => write!(f, "auth_data: {error}"),
            Self::Object(error) => write!(f, "auth_data: {error}"),
            Self::PublicKey(error) => write!(f, "public_key of auth_data: {error}"),
        }
    }
}

impl core::error::Error for AuthDataError {}

impl From<MalformedObject> for AuthDataError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}
