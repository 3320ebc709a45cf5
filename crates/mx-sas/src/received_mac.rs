use mx_types::{
    Ed25519PublicKey,
    base64::{self, DecodeError, TrailingBits},
};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    MacMethod, MacText, SasError,
    mac::{ED25519, KEY_IDS, MacKeys, key_text},
};

/// The most MACs in a message. A device has one key and its user one.
pub const MAX_MACS: usize = 64;

/// The keys of the other side, as they were when the verification began. Never look them up anew.
pub trait KeyDirectory {
    /// The Ed25519 key of the other device.
    fn device_key(&self) -> Option<Ed25519PublicKey>;

    /// The master signing key of its user.
    fn master_signing_key(&self) -> Option<Ed25519PublicKey>;
}

/// A directory of values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PinnedKeys {
    /// The Ed25519 key of the other device.
    pub device: Option<Ed25519PublicKey>,
    /// The master signing key of its user.
    pub master_signing_key: Option<Ed25519PublicKey>,
}

impl KeyDirectory for PinnedKeys {
    fn device_key(&self) -> Option<Ed25519PublicKey> {
        self.device
    }

    fn master_signing_key(&self) -> Option<Ed25519PublicKey> {
        self.master_signing_key
    }
}

/// The content of an `m.key.verification.mac` that was received.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedMac<'m> {
    /// `mac`: key IDs and MACs, in any order.
    pub mac: &'m [(&'m str, &'m str)],
    /// `keys`.
    pub keys: &'m str,
}

/// What the other side has proved to have, and our user has compared. At least one of the two is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct VerifiedKeys {
    /// The Ed25519 key of the other device. Between users that alone is local trust, and nothing to be signed.
    pub device: Option<Ed25519PublicKey>,
    /// The master signing key of its user.
    pub master_signing_key: Option<Ed25519PublicKey>,
}

impl ReceivedMac<'_> {
    /// All that can be wrong with the message itself comes before anything that is wrong with the keys.
    pub(crate) fn verify<T: AsRef<str>>(
        &self,
        keys: &MacKeys<T>,
        directory: &impl KeyDirectory,
    ) -> Result<VerifiedKeys, SasError> {
        if self.mac.len() > MAX_MACS {
            return Err(SasError::TooManyMacs { count: self.mac.len() });
        }
        for (_, mac) in self.mac {
            check_spelling(mac, keys.method)?;
        }
        check_spelling(self.keys, keys.method)?;

        let sender = keys.side.other();
        let device_id = keys.flow.party(sender).device_id.as_ref();
        let (device, master) = (directory.device_key(), directory.master_signing_key());
        let master_id = master.as_ref().map(key_text);
        let master_id = master_id.as_ref().map(MacText::as_str);
        // Padding is no part of a name.
        if master_id == Some(device_id.trim_end_matches('=')) {
            return Err(SasError::AmbiguousKeyId);
        }
        let list = keys.mac(sender, &KEY_IDS, sorted_list(self.mac)?);
        let mut same = equal(self.keys, &list, keys.method);

        let mut verified = VerifiedKeys { device: None, master_signing_key: None };
        for (key_id, mac) in self.mac {
            let Some(name) = key_id.strip_prefix(ED25519) else { continue };
            let (slot, key) = if name == device_id {
                (&mut verified.device, device)
            } else if Some(name) == master_id {
                (&mut verified.master_signing_key, master)
            } else {
                continue;
            };
            let Some(key) = key else { continue };
            same &= equal(mac, &keys.mac(sender, &[ED25519, name], [key_text(&key).as_str()]), keys.method);
            *slot = Some(key);
        }
        if !bool::from(same) {
            return Err(SasError::KeyMismatch);
        }
        if verified.device.or(verified.master_signing_key).is_none() {
            return Err(SasError::NothingVerified);
        }
        Ok(verified)
    }
}

/// Whether it can be a MAC at all.
fn check_spelling(mac: &str, method: MacMethod) -> Result<(), SasError> {
    match method {
        MacMethod::HkdfHmacSha256V2 => decode(mac).map(drop)?,
        #[cfg(feature = "legacy-mac")]
        MacMethod::HkdfHmacSha256 => {
            let characters = mac.strip_suffix('=').unwrap_or(mac);
            decode(characters).map(drop)?;
        }
    }
    Ok(())
}

fn decode(mac: &str) -> Result<[u8; 32], DecodeError> {
    base64::decode_array(mac, TrailingBits::Ignored)
}

/// Compares in constant time: as bytes, but for libolm's spelling, which stands for none.
fn equal(received: &str, expected: &MacText, method: MacMethod) -> Choice {
    match method {
        MacMethod::HkdfHmacSha256V2 => match (decode(received), decode(expected.as_str())) {
            (Ok(received), Ok(expected)) => received.ct_eq(&expected),
            _ => Choice::from(0),
        },
        #[cfg(feature = "legacy-mac")]
        MacMethod::HkdfHmacSha256 => {
            received.strip_suffix('=').unwrap_or(received).as_bytes().ct_eq(expected.as_bytes())
        }
    }
}

/// The key IDs in the order of their bytes, with commas between them.
fn sorted_list<'m>(mac: &'m [(&'m str, &'m str)]) -> Result<impl Iterator<Item = &'m str>, SasError> {
    let after = move |last: Option<&str>| {
        mac.iter().map(|(key_id, _)| *key_id).filter(|key_id| last.is_none_or(|last| *key_id > last)).min()
    };
    // There are few: the next one is looked for among all.
    let sorted = move || core::iter::successors(after(None), move |last| after(Some(last)));
    if sorted().count() != mac.len() {
        return Err(SasError::AmbiguousKeyId);
    }
    Ok(sorted().enumerate().flat_map(|(place, key_id)| [if place == 0 { "" } else { "," }, key_id]))
}
