//! One signature: whose it says to be, whether it verifies, and what that proves.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use mx_canonical_json::{CanonicalObject, Limits};
use mx_cross_signing::Usage;
use mx_signing::{SignatureMemory, SignedObject, VerifyError};
use mx_types::{Ed25519PublicKey, Ed25519Signature, KeyId};

use super::signers::{Keys, Signers, Spelling};

/// What stands in the place of a signature, judged.
#[derive(Debug)]
pub(super) struct Signature {
    /// In whose name it stands.
    pub(super) entity: String,
    /// As it is written; nothing if what the entity has is no object.
    pub(super) key_id: Option<String>,
    pub(super) signer: Option<Signer>,
    pub(super) judgement: Judgement,
    /// What a valid one says, or what is wrong with it.
    pub(super) why: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Judgement {
    /// It verifies, and its signer may sign such an object.
    Valid,
    /// It should carry something and does not.
    Fails,
    /// Whether it verifies or not: nobody relies on it.
    ProvesNothing,
}

impl Judgement {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Fails => "fails",
            Self::ProvesNothing => "proves nothing",
        }
    }
}

/// A key that the answer has under the name that the signature gives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signer {
    /// A cross-signing key of the entity.
    Key(Usage, Ed25519PublicKey),
    /// A device of the entity.
    Device(Ed25519PublicKey),
}

impl Signer {
    const fn key(self) -> Ed25519PublicKey {
        match self {
            Self::Key(_, key) | Self::Device(key) => key,
        }
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Subject<'a> {
    Key(Usage),
    /// With the ID under which the server lists it.
    Device(&'a str),
}

/// What is known about the signers of one user's objects.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) user_id: &'a str,
    pub(super) signers: &'a Signers,
    /// The user's devices that were taken.
    pub(super) devices: BTreeMap<String, Ed25519PublicKey>,
    /// IDs of those that were not.
    pub(super) refused: BTreeSet<String>,
}

impl Judge<'_> {
    /// All that stands in the place of signatures on an object.
    pub(super) fn signatures(
        &self,
        memory: &mut SignatureMemory,
        subject: Subject<'_>,
        own_key: Option<Ed25519PublicKey>,
        text: &str,
        object: &SignedObject<'_>,
    ) -> Result<Vec<Signature>, NotAnObject> {
        let entries = object.entries().ok_or(NotAnObject)?;
        let entries = entries.map(|(entity, key_id)| {
            let judged = match key_id {
                None => {
                    Judged::nothing("what stands in the user's name is not an object, or has a key ID twice")
                }
                Some(key_id) => self.judge(memory, subject, own_key, text, object, entity, key_id),
            };
            let Judged { signer, judgement, why } = judged;
            Signature { entity: entity.to_owned(), key_id: key_id.map(str::to_owned), signer, judgement, why }
        });
        Ok(entries.collect())
    }

    #[expect(clippy::too_many_arguments, reason = "an object and where in it the signature stands")]
    fn judge(
        &self,
        memory: &mut SignatureMemory,
        subject: Subject<'_>,
        own_key: Option<Ed25519PublicKey>,
        text: &str,
        object: &SignedObject<'_>,
        entity: &str,
        key_id: &str,
    ) -> Judged {
        let Ok(id) = KeyId::parse(key_id) else { return Judged::nothing("this is no key ID") };
        if id.algorithm() != "ed25519" {
            return Judged::nothing("its algorithm is unknown");
        }
        let keys = self.signers.keys(entity);
        let mut spelling = Spelling::Unpadded;
        let mut signers = Vec::new();
        if let Some((usage, key, spelt)) = keys.named(id.name()) {
            spelling = spelt;
            signers.push(Signer::Key(usage, key));
        }
        if entity == self.user_id {
            let own = own_key.filter(|_| subject == Subject::Device(id.name()));
            signers.extend(own.or_else(|| self.devices.get(id.name()).copied()).map(Signer::Device));
        }
        if signers.is_empty() {
            return Judged::nothing(self.unknown(entity, id.name()));
        }

        // Two only if a device ID is a cross-signing key: then the signature is of the one by which it verifies.
        let mut last = None;
        for signer in signers {
            match object.verify_with(memory, entity, id, signer.key()) {
                Ok(_) => return self.verified(signer, subject, entity, id.name(), spelling),
                Err(error) => last = Some((signer, error)),
            }
        }
        let Some((signer, error)) = last else { return Judged::nothing("its signer is unknown") };
        let mut why = error.to_string();
        if error == VerifyError::InvalidSignature
            && let Ok(signature) = object.signature(entity, id)
            && let Some(instead) = diagnose(text, object, &signature, signer, keys, own_key)
        {
            why.push_str("; ");
            why.push_str(&instead);
        }
        Judged { signer: Some(signer), judgement: Judgement::Fails, why }
    }

    fn unknown(&self, entity: &str, name: &str) -> String {
        if entity != self.user_id {
            return "no cross-signing key of that user in the answer has this ID".to_owned();
        }
        if self.refused.contains(name) {
            return "the device is not taken, so what it signs proves nothing".to_owned();
        }
        "no key that is taken has this ID".to_owned()
    }

    /// What a signature that verifies says.
    fn verified(
        &self,
        signer: Signer,
        subject: Subject<'_>,
        entity: &str,
        name: &str,
        spelling: Spelling,
    ) -> Judged {
        let is_own = entity == self.user_id;
        let meaning = match (subject, signer) {
            (Subject::Device(id), Signer::Device(_)) if id == name => Ok("its keys belong together"),
            (Subject::Device(_), Signer::Key(Usage::SelfSigning, _)) if is_own => Ok("cross-signed"),
            (Subject::Key(Usage::SelfSigning | Usage::UserSigning), Signer::Key(Usage::Master, _))
                if is_own =>
            {
                Ok("belongs to the identity")
            }
            (Subject::Key(Usage::Master), Signer::Device(_)) => Ok("this device knew the identity"),
            (Subject::Key(Usage::Master), Signer::Key(Usage::UserSigning, _)) if !is_own => {
                Ok("that user has verified this one")
            }
            (Subject::Device(_), Signer::Device(_)) => Err("devices do not sign each other"),
            (Subject::Device(_), Signer::Key(..)) => Err("only its owner's self-signing key signs a device"),
            (Subject::Key(Usage::Master), Signer::Key(..)) => {
                Err("only devices of the user and user-signing keys of others sign a master signing key")
            }
            (Subject::Key(_), _) => Err("only the user's master signing key signs this key"),
        };
        let (judgement, why) = match (meaning, spelling) {
            (Ok(meaning), Spelling::Unpadded) => (Judgement::Valid, meaning.to_owned()),
            (Ok(_), Spelling::Padded) => {
                let why =
                    "the Base64 in the key ID is padded: nobody looks there, as if there were no signature";
                (Judgement::Fails, why.to_owned())
            }
            (Err(why), _) => (Judgement::ProvesNothing, format!("it verifies, but {why}")),
        };
        Judged { signer: Some(signer), judgement, why }
    }
}

struct Judged {
    signer: Option<Signer>,
    judgement: Judgement,
    why: String,
}

impl Judged {
    fn nothing(why: impl Into<String>) -> Self {
        Self { signer: None, judgement: Judgement::ProvesNothing, why: why.into() }
    }
}

/// What a signature that does not verify is instead: mistakes that programs make.
fn diagnose(
    text: &str,
    object: &SignedObject<'_>,
    signature: &Ed25519Signature,
    signer: Signer,
    keys: Keys,
    device: Option<Ed25519PublicKey>,
) -> Option<String> {
    let covers =
        |key: &Ed25519PublicKey, bytes: &str| mx_curve25519::verify(key, bytes.as_bytes(), signature).is_ok();
    let others = keys.iter().map(|(usage, key)| (usage.to_string(), key));
    let others = others.chain(device.map(|key| ("device".to_owned(), key)));
    for (name, key) in others.filter(|(_, key)| *key != signer.key()) {
        if covers(&key, object.canonical()) {
            return Some(format!("it was made by the user's {name} instead"));
        }
    }
    let mistakes: [(&[_], &[_], _); 2] = [
        (&["signatures"], &[], "it covers `unsigned`, too, which must be left out"),
        (
            &["signatures", "unsigned"],
            &[("signatures", "{}")],
            "it covers `signatures`, too, which must be left out",
        ),
    ];
    for (left_out, with, mistake) in mistakes {
        let bytes = CanonicalObject::parse(text, left_out, &Limits::DEFAULT);
        let bytes = bytes.map(|bytes| bytes.with_members(with)).unwrap_or_default();
        if bytes != object.canonical() && covers(&signer.key(), &bytes) {
            return Some(mistake.to_owned());
        }
    }
    None
}

/// Says that `signatures` is not an object of objects, or has something twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotAnObject;

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`signatures` is not an object, or has a user twice")
    }
}
