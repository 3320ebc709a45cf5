//! Any JSON object with signatures.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use mx_canonical_json::{CanonicalObject, CanonicalizeError, Limits, canonicalize, to_canonical};
use mx_types::{Ed25519PublicKey, Ed25519Signature, KeyId};
use serde::Serialize;
use signature::Signer;

use crate::error::{SignError, VerifyError};
use crate::members::Members;
use crate::memory::SignatureMemory;
use crate::verified::Verified;

/// The members that no signature covers (appendices, "Signing Details"). Objects inside may have such members, too:
/// those are covered.
const NOT_SIGNED: [&str; 2] = ["signatures", "unsigned"];

/// The only algorithm of signatures.
const ED25519: &str = "ed25519";

/// A JSON object as it was received: the text that signatures cover, the signatures, and what is not covered.
///
/// Members that this crate does not know are kept and covered. Signatures are of an *entity*, which is a user ID or,
/// among servers, a server name, and stand under a key ID. A value of this type has not been verified.
///
/// ```
/// use mx_canonical_json::Limits;
/// use mx_curve25519::Ed25519SecretKey;
/// use mx_signing::SignedObject;
/// use mx_types::KeyId;
///
/// let secret = Ed25519SecretKey::from_seed(&[7; 32]);
/// let key_id = KeyId::new("ed25519", "1")?;
///
/// let text = r#"{ "one": 1, "unsigned": { "age": 3 } }"#;
/// let signed = SignedObject::parse(text, &Limits::DEFAULT)?.sign(&secret, "example.org", key_id)?;
///
/// let received = SignedObject::parse(&signed, &Limits::DEFAULT)?;
/// let verified = received.verify("example.org", key_id, secret.public_key())?;
/// assert_eq!(*verified, r#"{"one":1}"#);
/// assert_eq!(received.unauthenticated(), Some(r#"{"age":3}"#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignedObject<'t> {
    object: CanonicalObject<'t>,
    /// Nothing, if `signatures` is there and not an object, or an entity's is not.
    signatures: Option<BTreeMap<String, Option<Members<'t>>>>,
    limits: Limits,
}

impl<'t> SignedObject<'t> {
    /// Reads an object. Nothing is verified yet, and signatures of a wrong form are as good as none.
    ///
    /// # Errors
    ///
    /// When the text is not a JSON object, or without `signatures` and `unsigned` has no canonical form.
    pub fn parse(text: &'t str, limits: &Limits) -> Result<Self, CanonicalizeError> {
        let object = CanonicalObject::parse(text, &NOT_SIGNED, limits)?;
        let signatures = match object.left_out("signatures") {
            None => Some(BTreeMap::new()),
            Some(text) => Members::parse(text).map(|entities| {
                entities
                    .into_iter()
                    .map(|(entity, signatures)| (entity, Members::parse(signatures)))
                    .collect()
            }),
        };
        Ok(Self { object, signatures, limits: *limits })
    }

    /// The canonical text without `signatures` and `unsigned`: the very bytes that are signed.
    #[must_use]
    pub fn canonical(&self) -> &str {
        self.object.as_str()
    }

    /// The text of `unsigned` as it was received. Anybody on the way can have written it.
    #[must_use]
    pub fn unauthenticated(&self) -> Option<&'t str> {
        self.object.left_out("unsigned")
    }

    /// The key IDs under which the entity has signatures of a known algorithm. None of them is verified, and nothing
    /// says that the keys are the entity's.
    pub fn key_ids(&self, entity: &str) -> impl Iterator<Item = KeyId<'_>> {
        let signatures = self.signatures_of(entity).into_iter().flat_map(Members::iter);
        signatures
            .filter_map(|(key_id, _)| KeyId::parse(key_id).ok())
            .filter(|key_id| key_id.algorithm() == ED25519)
    }

    /// All that stands in the place of signatures, in order: each entity with the key IDs as they are written, known
    /// algorithm or not, and with none if what it has is not an object. None of it is verified. `None` if `signatures` is
    /// there and is not an object; an object that has a key twice is none either.
    #[must_use]
    pub fn entries(&self) -> Option<impl Iterator<Item = (&str, Option<&str>)>> {
        Some(self.signatures.as_ref()?.iter().flat_map(|(entity, signatures)| {
            let malformed = signatures.is_none().then_some((entity.as_str(), None));
            let key_ids = signatures.iter().flat_map(Members::iter);
            malformed.into_iter().chain(key_ids.map(|(key_id, _)| (entity.as_str(), Some(key_id))))
        }))
    }

    /// The entity's signature under the key ID, not verified.
    ///
    /// # Errors
    ///
    /// A [`VerifyError`] other than [`VerifyError::InvalidSignature`].
    pub fn signature(&self, entity: &str, key_id: KeyId<'_>) -> Result<Ed25519Signature, VerifyError> {
        if key_id.algorithm() != ED25519 {
            return Err(VerifyError::UnsupportedAlgorithm);
        }
        let signatures = self.signatures_of(entity).ok_or(VerifyError::NoSignature)?;
        let signature = signatures.get(&key_id.to_string()).ok_or(VerifyError::NoSignature)?;
        serde_json::from_str(signature).map_err(|_| VerifyError::MalformedSignature)
    }

    /// Verifies the entity's signature under the key ID with `key`, and gives the canonical text that it covers.
    ///
    /// The key must come from where the caller trusts it to be the entity's, not from the object, unless a
    /// self-signature is what is asked for. The verification is strict: see `mx_curve25519::verify`.
    ///
    /// # Errors
    ///
    /// When there is no such signature, or it is not one of this object by `key`.
    pub fn verify(
        &self,
        entity: &str,
        key_id: KeyId<'_>,
        key: Ed25519PublicKey,
    ) -> Result<Verified<&str>, VerifyError> {
        let signature = self.signature(entity, key_id)?;
        mx_curve25519::verify(&key, self.canonical().as_bytes(), &signature)
            .map_err(|_| VerifyError::InvalidSignature)?;
        Ok(Verified::new(self.canonical(), key))
    }

    /// [`verify`](Self::verify) of what may have been verified before.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_with(
        &self,
        memory: &mut SignatureMemory,
        entity: &str,
        key_id: KeyId<'_>,
        key: Ed25519PublicKey,
    ) -> Result<Verified<&str>, VerifyError> {
        let signature = self.signature(entity, key_id)?;
        memory.verify(&key, self.canonical().as_bytes(), &signature)?;
        Ok(Verified::new(self.canonical(), key))
    }

    /// Gives the object's text with one more signature, in the place of one under the same key ID if there is one. All
    /// else is kept; the text is in canonical form if what is in `signatures` and `unsigned` has one.
    ///
    /// # Errors
    ///
    /// When the key ID's algorithm is not `ed25519`, `signatures` or the entity's member in it is not an object, or the
    /// signer fails.
    pub fn sign<S: Signer<Ed25519Signature> + ?Sized>(
        &self,
        signer: &S,
        entity: &str,
        key_id: KeyId<'_>,
    ) -> Result<String, SignError> {
        if key_id.algorithm() != ED25519 {
            return Err(SignError::UnsupportedAlgorithm);
        }
        let entities = self.signatures.as_ref().ok_or(SignError::SignaturesNotAnObject)?;
        let mut texts = BTreeMap::new();
        for (entity, signatures) in entities {
            let signatures = signatures.as_ref().ok_or(SignError::SignaturesNotAnObject)?;
            texts.insert(entity.as_str(), signatures.iter().collect::<BTreeMap<_, _>>());
        }
        let signature = signer.try_sign(self.canonical().as_bytes()).map_err(|_| SignError::Signer)?;
        let (key_id, signature) = (key_id.to_string(), quoted(signature));
        texts.entry(entity).or_default().insert(&key_id, &signature);

        let texts: BTreeMap<_, _> =
            texts.into_iter().map(|(entity, texts)| (entity, object(texts))).collect();
        let signatures = object(texts.iter().map(|(entity, text)| (*entity, text.as_str())));
        let mut more = Vec::from([("signatures", signatures.as_str())]);
        more.extend(self.unauthenticated().map(|text| ("unsigned", text)));
        let text = self.object.with_members(&more);
        Ok(canonicalize(&text, &self.limits).unwrap_or(text))
    }

    fn signatures_of(&self, entity: &str) -> Option<&Members<'t>> {
        self.signatures.as_ref()?.get(entity)?.as_ref()
    }
}

/// Signs a new object, made of a value: gives its canonical text with the signature.
///
/// For an object that was received use [`SignedObject::sign`]: a value made from it may lack members that others have
/// signed.
///
/// # Errors
///
/// As for [`SignedObject::sign`], and when the value has no canonical form or is not an object.
pub fn sign_value<T, S>(value: &T, signer: &S, entity: &str, key_id: KeyId<'_>) -> Result<String, SignError>
where
    T: Serialize + ?Sized,
    S: Signer<Ed25519Signature> + ?Sized,
{
    let text = to_canonical(value, &Limits::DEFAULT).map_err(SignError::Value)?;
    SignedObject::parse(&text, &Limits::DEFAULT)?.sign(signer, entity, key_id)
}

/// The canonical text of an object of members that are texts themselves.
pub(crate) fn object<'m>(members: impl IntoIterator<Item = (&'m str, &'m str)>) -> String {
    CanonicalObject::default().with_members(&members.into_iter().collect::<Vec<_>>())
}

/// A JSON string of Base64, in which nothing must be escaped.
pub(crate) fn quoted(base64: impl ToString) -> String {
    ["\"", &base64.to_string(), "\""].concat()
}
