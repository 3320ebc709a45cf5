//! The keys that are verified: fixed in the beginning, and the same in the end.

use mx_types::{Ed25519PublicKey, UserId};

use crate::content::Content;
use crate::event::What;
use crate::flow::{Facts, Pinned, State};
use crate::keys::{Keys, UserKeys};
use crate::methods::{Listed, Methods};
use crate::reason::Reason;
use crate::state::FlowState;
use crate::verifications::Verifications;
use crate::verified::Verified;

/// What is stored of a device to be verified.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lookup {
    /// All that is needed.
    Found(Pinned),
    /// A list must be queried first.
    Outdated,
    /// The list is new, and the device is not in it.
    Unknown,
    /// The ID of a device of one of the users is one of the user's cross-signing keys.
    Ambiguous,
}

impl Verifications {
    /// The stored keys of both sides.
    pub(crate) fn look_up(&self, keys: &impl Keys, user_id: &str, device_id: &str) -> Lookup {
        let (own, theirs) = (self.own_keys(keys), user_keys(keys, user_id));
        match self.found(keys, &own, &theirs, device_id) {
            _ if own.is_outdated || theirs.is_outdated => Lookup::Outdated,
            _ if own.device_id_is_signing_key() || theirs.device_id_is_signing_key() => Lookup::Ambiguous,
            Some(pinned) => Lookup::Found(pinned),
            None => Lookup::Unknown,
        }
    }

    /// Whether all keys of both sides are still those of the beginning.
    pub(crate) fn check_unchanged(&self, keys: &impl Keys, facts: &Facts) -> Result<(), Reason> {
        let (Some(pinned), Some(device_id)) = (facts.pinned, &facts.peer_device) else {
            return Err(Reason::KeysChanged);
        };
        let (own, theirs) = (self.own_keys(keys), user_keys(keys, &facts.key.user_id));
        let fixed = [
            pinned.own_master.map(|key| own.has_device_named(&key)),
            pinned.peer_master.map(|key| theirs.has_device_named(&key)),
        ];
        if own.device_id_is_signing_key() || theirs.device_id_is_signing_key() || fixed.contains(&Some(true))
        {
            return Err(Reason::DeviceIdIsSigningKey);
        }
        match self.found(keys, &own, &theirs, device_id) {
            Some(found)
                if (found.own_master, found.peer_device, found.peer_master)
                    == (pinned.own_master, pinned.peer_device, pinned.peer_master) =>
            {
                Ok(())
            }
            _ => Err(Reason::KeysChanged),
        }
    }

    /// Our side has verified these keys of the other, and our user has confirmed. `done` is whether theirs has come already.
    pub(crate) fn complete(
        &mut self,
        now: u64,
        keys: &impl Keys,
        mut facts: Facts,
        device: Option<Ed25519PublicKey>,
        master_signing_key: Option<Ed25519PublicKey>,
        done: bool,
    ) {
        if let Err(reason) = self.check_unchanged(keys, &facts) {
            return self.fail(now, facts, reason);
        }
        let device = facts.peer_device.clone().zip(device);
        let is_own_user = self.is_own_user(&facts.key.user_id);
        let verified = Verified::new(&facts.key.user_id, is_own_user, device, master_signing_key);
        self.show(&facts, What::Verified(verified));
        if !facts.without_request {
            self.send(now, &mut facts, &Content::Done);
        }
        if done || facts.without_request {
            self.end(now, facts, What::Done, FlowState::Done);
        } else {
            self.step.save = true;
            self.keep(facts, State::WaitDone);
        }
    }

    /// What this device can do in a verification with this user. Codes are listed only where they can succeed.
    pub(crate) fn able(&self, keys: &impl Keys, user_id: &str) -> Listed {
        let own_master = self.own_keys(keys).master_signing_key.is_some();
        let codes = own_master
            && (self.is_own_user(user_id)
                || keys.own_master_is_trusted() && user_keys(keys, user_id).master_signing_key.is_some());
        let short_strings = self.config.short_strings;
        Listed::new(Methods {
            sas: short_strings.decimal || short_strings.emoji,
            show_qr: codes && self.config.show_qr,
            scan_qr: codes && self.config.scan_qr,
        })
    }

    /// Whether a device of ours or of the user has a cross-signing key of its user for an ID.
    pub(crate) fn is_ambiguous(&self, keys: &impl Keys, user_id: &str) -> bool {
        self.own_keys(keys).device_id_is_signing_key() || user_keys(keys, user_id).device_id_is_signing_key()
    }

    /// What is stored of our own user. This device is in it, whatever the server says.
    pub(crate) fn own_keys(&self, keys: &impl Keys) -> UserKeys {
        let mut own = user_keys(keys, &self.user_id);
        own.devices.retain(|(device_id, _)| *device_id != self.device_id);
        own.devices.push((self.device_id.clone(), self.ed25519));
        own
    }

    fn found(&self, keys: &impl Keys, own: &UserKeys, theirs: &UserKeys, device_id: &str) -> Option<Pinned> {
        Some(Pinned {
            own_master: own.master_signing_key,
            own_master_is_trusted: own.master_signing_key.is_some() && keys.own_master_is_trusted(),
            peer_device: theirs.device(device_id)?,
            peer_master: theirs.master_signing_key,
        })
    }
}

fn user_keys(keys: &impl Keys, user_id: &str) -> UserKeys {
    UserId::parse(user_id).map_or(UserKeys::UNKNOWN, |user_id| keys.user(user_id))
}
