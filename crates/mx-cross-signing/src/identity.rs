//! The identity of a user as a server returns it: all keys of it together, or none.

use core::fmt;

use mx_canonical_json::Limits;
use mx_signing::{KeysQueryResponse, QueryError, SignatureMemory, SignedObject, VerifyError};
use mx_types::{Ed25519PublicKey, UserId};

use crate::collision::is_named_by;
use crate::key::{CrossSigningKey, KeyObjectError, MasterSigningKey};
use crate::role::{Role, SelfSigning, Usage, UserSigning};
use crate::signed::{Signed, VerifiedSignature};

/// A user's master signing key and self-signing key, the second signed by the first; for ourselves the user-signing
/// key as well. All of it is from one response.
#[derive(Clone, Debug)]
pub struct Identity {
    msk: MasterSigningKey,
    ssk: Signed<SelfSigning>,
    usk: Option<Signed<UserSigning>>,
}

impl Identity {
    /// Takes another user's identity from a response.
    ///
    /// # Errors
    ///
    /// An [`IdentityError`]: there is none in the response, or it is not taken.
    pub fn verify(
        memory: &mut SignatureMemory,
        response: &KeysQueryResponse<'_>,
        user_id: UserId<'_>,
    ) -> Result<Self, IdentityError> {
        Received::read(memory, response, user_id, false).map(|received| received.identity)
    }

    /// Takes our own identity from a response: the user-signing key must be there, too.
    ///
    /// # Errors
    ///
    /// As [`Identity::verify`].
    pub fn verify_own(
        memory: &mut SignatureMemory,
        response: &KeysQueryResponse<'_>,
        user_id: UserId<'_>,
    ) -> Result<Self, IdentityError> {
        Received::read(memory, response, user_id, true).map(|received| received.identity)
    }

    pub(crate) const fn new(
        msk: MasterSigningKey,
        ssk: Signed<SelfSigning>,
        usk: Option<Signed<UserSigning>>,
    ) -> Self {
        Self { msk, ssk, usk }
    }

    /// The user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.msk.user_id()
    }

    /// The master signing key.
    #[must_use]
    pub const fn master_signing_key(&self) -> &MasterSigningKey {
        &self.msk
    }

    /// The self-signing key, with the master signing key's signature.
    #[must_use]
    pub const fn self_signing_key(&self) -> &Signed<SelfSigning> {
        &self.ssk
    }

    /// Of ourselves the user-signing key, with the master signing key's signature.
    #[must_use]
    pub const fn user_signing_key(&self) -> Option<&Signed<UserSigning>> {
        self.usk.as_ref()
    }

    /// The public key of a role.
    #[must_use]
    pub fn public_key(&self, usage: Usage) -> Option<Ed25519PublicKey> {
        match usage {
            Usage::Master => Some(self.msk.public_key()),
            Usage::SelfSigning => Some(self.ssk.key().public_key()),
            Usage::UserSigning => self.usk.as_ref().map(|usk| usk.key().public_key()),
        }
    }

    /// Whether the key has one of the roles.
    #[must_use]
    pub fn has_key(&self, key: Ed25519PublicKey) -> bool {
        Usage::ALL.into_iter().any(|usage| self.public_key(usage) == Some(key))
    }

    /// Whether a device ID is the Base64 of one of the keys, so that their key IDs cannot be told apart.
    #[must_use]
    pub fn has_key_named(&self, device_id: &str) -> bool {
        Usage::ALL
            .into_iter()
            .filter_map(|usage| self.public_key(usage))
            .any(|key| is_named_by(key, device_id))
    }
}

/// An identity that was just received, with the signatures that others may have on its master signing key.
#[derive(Debug)]
pub(crate) struct Received<'t> {
    pub(crate) identity: Identity,
    pub(crate) msk_object: SignedObject<'t>,
}

impl<'t> Received<'t> {
    pub(crate) fn read(
        memory: &mut SignatureMemory,
        response: &KeysQueryResponse<'t>,
        user_id: UserId<'_>,
        own: bool,
    ) -> Result<Self, IdentityError> {
        let (msk, msk_object) = object(response.master_key(user_id), user_id)?;
        let (ssk, ssk_object) = object::<SelfSigning>(response.self_signing_key(user_id), user_id)?;
        let usk = match own {
            true => Some(object::<UserSigning>(response.user_signing_key(user_id), user_id)?),
            false => None,
        };

        let msk: MasterSigningKey = msk;
        let usk_key = usk.as_ref().map(|(usk, _)| usk.public_key());
        for (first, second, same) in [
            (Usage::Master, Usage::SelfSigning, msk.public_key() == ssk.public_key()),
            (Usage::Master, Usage::UserSigning, Some(msk.public_key()) == usk_key),
            (Usage::SelfSigning, Usage::UserSigning, Some(ssk.public_key()) == usk_key),
        ] {
            if same {
                return Err(IdentityError::SameKey { first, second });
            }
        }

        let ssk = signed(memory, &msk, ssk, &ssk_object)?;
        let usk = usk.map(|(usk, object)| signed(memory, &msk, usk, &object)).transpose()?;
        Ok(Self { identity: Identity::new(msk, ssk, usk), msk_object })
    }
}

/// Reads the key of a role.
fn object<'t, R: Role>(
    text: Result<&'t str, QueryError>,
    user_id: UserId<'_>,
) -> Result<(CrossSigningKey<R>, SignedObject<'t>), IdentityError> {
    let usage = R::USAGE;
    let text = text.map_err(|error| match error {
        QueryError::NoAnswer => IdentityError::Missing { usage },
        _ => IdentityError::MalformedResponse { usage },
    })?;
    let object = SignedObject::parse(text, &Limits::DEFAULT)
        .map_err(|error| IdentityError::Object { usage, error: KeyObjectError::Json(error) })?;
    let key =
        CrossSigningKey::read(&object, user_id).map_err(|error| IdentityError::Object { usage, error })?;
    Ok((key, object))
}

/// Verifies the signature of the master signing key.
fn signed<R: Role>(
    memory: &mut SignatureMemory,
    msk: &MasterSigningKey,
    key: CrossSigningKey<R>,
    object: &SignedObject<'_>,
) -> Result<Signed<R>, IdentityError> {
    let signature = VerifiedSignature::by_signing_key(memory, object, msk.user_id(), msk.public_key())
        .map_err(|error| IdentityError::NotSigned { usage: R::USAGE, error })?;
    Ok(Signed::new(key, signature))
}

/// Why a response gives no identity of a user. The one that was stored before is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The response has no such key of the user. That of other users' user-signing keys is not asked for.
    Missing {
        /// The role of the key.
        usage: Usage,
    },
    /// The member of the response with the keys of this role is not an object.
    MalformedResponse {
        /// The role of the keys.
        usage: Usage,
    },
    /// The object is not that of such a key.
    Object {
        /// The role that was asked for.
        usage: Usage,
        /// What is wrong with it.
        error: KeyObjectError,
    },
    /// The master signing key has not signed it.
    NotSigned {
        /// The role of the key.
        usage: Usage,
        /// What is wrong with the signature.
        error: VerifyError,
    },
    /// One key has two roles.
    SameKey {
        /// The one role.
        first: Usage,
        /// The other role.
        second: Usage,
    },
    /// The key was replaced before under the same master signing key, and now the server serves it again.
    Replaced {
        /// The role of the key.
        usage: Usage,
    },
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { usage } => write!(f, "response has no {usage} of the user"),
            Self::MalformedResponse { usage } => write!(f, "response is malformed where a {usage} should be"),
            Self::Object { usage, error } => write!(f, "{usage}: {error}"),
            Self::NotSigned { usage, error } => {
                write!(f, "{usage} is not signed by the master signing key: {error}")
            }
            Self::SameKey { first, second } => write!(f, "{first} and {second} are the same key"),
            Self::Replaced { usage } => write!(f, "{usage} was replaced before and has come back"),
        }
    }
}

impl core::error::Error for IdentityError {}
