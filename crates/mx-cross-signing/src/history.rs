//! Keys that were replaced: a signature carries no date, so a server can serve an old one again.

use alloc::vec::Vec;

use mx_types::Ed25519PublicKey;

use crate::identity::{Identity, IdentityError};
use crate::role::Usage;

/// Replaced self-signing keys, and for ourselves user-signing keys, that are remembered under one master signing key.
pub const MAX_REPLACED_KEYS: usize = 8;

/// The keys that were seen under the master signing keys that matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyHistory {
    pub(crate) seen: Vec<Seen>,
}

/// What was seen under one master signing key; the latest stands last.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) msk: Ed25519PublicKey,
    pub(crate) ssks: Vec<Ed25519PublicKey>,
    pub(crate) usks: Vec<Ed25519PublicKey>,
}

impl KeyHistory {
    /// Refuses an identity with a key that another one has replaced.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), IdentityError> {
        let msk = identity.master_signing_key().public_key();
        let Some(seen) = self.seen.iter().find(|seen| seen.msk == msk) else { return Ok(()) };
        for (usage, keys) in [(Usage::SelfSigning, &seen.ssks), (Usage::UserSigning, &seen.usks)] {
            let key = identity.public_key(usage);
            if keys.last().copied() != key && keys.iter().any(|replaced| Some(*replaced) == key) {
                return Err(IdentityError::Replaced { usage });
            }
        }
        Ok(())
    }

    /// Remembers the keys of an identity that is taken over, and forgets those under other master signing keys than
    /// its own and `others`, so that nobody can push entries out with keys made up for it.
    pub(crate) fn take(&mut self, identity: &Identity, others: &[Ed25519PublicKey]) {
        let msk = identity.master_signing_key().public_key();
        self.seen.retain(|seen| seen.msk == msk || others.contains(&seen.msk));
        if !self.seen.iter().any(|seen| seen.msk == msk) {
            self.seen.push(Seen { msk, ssks: Vec::new(), usks: Vec::new() });
        }
        let Some(seen) = self.seen.iter_mut().find(|seen| seen.msk == msk) else { return };
        for (usage, keys) in [(Usage::SelfSigning, &mut seen.ssks), (Usage::UserSigning, &mut seen.usks)] {
            if let Some(key) = identity.public_key(usage)
                && keys.last() != Some(&key)
            {
                keys.retain(|seen| *seen != key);
                keys.push(key);
                if keys.len() > MAX_REPLACED_KEYS + 1 {
                    keys.remove(0);
                }
            }
        }
    }
}
