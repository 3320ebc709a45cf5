//! Who has which cross-signing keys, by the answer: in whose name a signature stands.

use std::collections::BTreeMap;

use mx_cross_signing::{
    KeyObjectError, MasterSigningKey, OwnIdentity, SelfSigningKey, Usage, UserSigningKey,
};
use mx_signing::KeysQueryResponse;
use mx_types::{Ed25519PublicKey, UserId};

/// The cross-signing keys of one user, as far as their objects are well-formed. Who signed them is another matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys([Option<Ed25519PublicKey>; 3]);

impl Keys {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Usage, Ed25519PublicKey)> {
        Usage::ALL.into_iter().zip(self.0).filter_map(|(usage, key)| Some((usage, key?)))
    }

    /// The key with a name as in a key ID, and whether it is spelt as it must be.
    pub(super) fn named(&self, name: &str) -> Option<(Usage, Ed25519PublicKey, Spelling)> {
        let unpadded = name.trim_end_matches('=');
        let (usage, key) = self.iter().find(|(_, key)| key.to_string() == unpadded)?;
        Some((usage, key, if name == unpadded { Spelling::Unpadded } else { Spelling::Padded }))
    }
}

/// How the Base64 in a key ID is spelt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spelling {
    Unpadded,
    /// Nobody finds a signature that stands under it: key IDs are compared as they are written.
    Padded,
}

/// The keys of everybody in an answer.
#[derive(Debug, Default)]
pub(super) struct Signers(BTreeMap<String, Keys>);

impl Signers {
    /// Looks through an answer once: what signatures on one object have to be looked up for does not depend on how many
    /// there are. Our own keys may be from an earlier answer.
    pub(super) fn of(response: &KeysQueryResponse<'_>, own: &OwnIdentity) -> Self {
        let mut signers = Self::default();
        for user_id in response.user_ids() {
            let Ok(id) = UserId::parse(user_id) else { continue };
            let keys = Keys(Usage::ALL.map(|usage| key(response, id, usage)?.ok()));
            if keys.iter().next().is_some() {
                signers.0.insert(user_id.to_owned(), keys);
            }
        }
        if let Some(identity) = own.identity() {
            let keys = Keys(Usage::ALL.map(|usage| identity.public_key(usage)));
            signers.0.entry(own.user_id().to_owned()).or_insert(keys);
        }
        signers
    }

    pub(super) fn keys(&self, user_id: &str) -> Keys {
        self.0.get(user_id).copied().unwrap_or_default()
    }
}

/// The text of a user's key object of a role, if the answer has one.
pub(super) fn text<'t>(
    response: &KeysQueryResponse<'t>,
    user_id: UserId<'_>,
    usage: Usage,
) -> Option<&'t str> {
    match usage {
        Usage::Master => response.master_key(user_id),
        Usage::SelfSigning => response.self_signing_key(user_id),
        Usage::UserSigning => response.user_signing_key(user_id),
    }
    .ok()
}

/// The key in it, or why it is none.
pub(super) fn key(
    response: &KeysQueryResponse<'_>,
    user_id: UserId<'_>,
    usage: Usage,
) -> Option<Result<Ed25519PublicKey, KeyObjectError>> {
    let text = text(response, user_id, usage)?;
    Some(match usage {
        Usage::Master => MasterSigningKey::parse(text, user_id).map(|key| key.public_key()),
        Usage::SelfSigning => SelfSigningKey::parse(text, user_id).map(|key| key.public_key()),
        Usage::UserSigning => UserSigningKey::parse(text, user_id).map(|key| key.public_key()),
    })
}
