use core::{fmt, str};

use mx_aes_sha2::{HmacKey, hkdf_sha256_of_parts};
use mx_curve25519::SharedSecret;
use mx_types::{Ed25519PublicKey, base64};

use crate::{Flow, MacMethod, flow::Side};

/// What MACs are made from.
pub(crate) struct MacKeys<T> {
    pub(crate) flow: Flow<T>,
    /// Ours.
    pub(crate) side: Side,
    pub(crate) method: MacMethod,
    pub(crate) secret: SharedSecret,
}

impl<T: AsRef<str>> MacKeys<T> {
    /// The MAC that `sender` gives for what is called `name`. `text` is its text, in parts.
    pub(crate) fn mac<'t>(
        &self,
        sender: Side,
        name: &[&str; 2],
        text: impl IntoIterator<Item = &'t str>,
    ) -> MacText {
        MacText::new(&self.authenticate(sender, name, text), self.method)
    }

    /// The bytes of the same.
    pub(crate) fn authenticate<'t>(
        &self,
        sender: Side,
        name: &[&str; 2],
        text: impl IntoIterator<Item = &'t str>,
    ) -> [u8; 32] {
        let info = self.info(sender, name).map(str::as_bytes);
        let key = hkdf_sha256_of_parts::<32>(&[], self.secret.as_bytes(), &info);
        let key = HmacKey::new(&*key);
        let mut mac = key.start();
        for part in text {
            mac.update(part.as_bytes());
        }
        mac.finish()
    }

    /// What the key of a MAC is derived from: without separators, as the specification has it.
    pub(crate) fn info<'i>(&'i self, sender: Side, name: &[&'i str; 2]) -> [&'i str; 8] {
        let (from, to) = (self.flow.party(sender), self.flow.party(sender.other()));
        [
            "MATRIX_KEY_VERIFICATION_MAC",
            from.user_id.as_ref(),
            from.device_id.as_ref(),
            to.user_id.as_ref(),
            to.device_id.as_ref(),
            self.flow.id.as_ref(),
            name[0],
            name[1],
        ]
    }

    /// The MACs of our keys.
    pub(crate) fn macs(&self, own: &OwnKeys) -> Macs {
        let device_id = self.flow.party(self.side).device_id.as_ref();
        let of_key = |name: &str, key: &Ed25519PublicKey| {
            self.mac(self.side, &[ED25519, name], [key_text(key).as_str()])
        };
        let device = of_key(device_id, &own.device);
        let master_name = own.master_signing_key.as_ref().map(key_text);
        let master =
            own.master_signing_key.zip(master_name).map(|(key, name)| (name, of_key(name.as_str(), &key)));
        // In the order of their bytes, with a comma between them.
        let mut names = [Some(device_id), master_name.as_ref().map(MacText::as_str)];
        if names[1].is_some_and(|master| master < device_id) {
            names.reverse();
        }
        let list = names
            .into_iter()
            .flatten()
            .enumerate()
            .flat_map(|(place, name)| [if place == 0 { "" } else { "," }, ED25519, name]);
        let keys = self.mac(self.side, &KEY_IDS, list);
        Macs { device, master_signing_key: master, keys }
    }
}

/// Our own keys, that the other side is to verify.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OwnKeys {
    /// The Ed25519 key of this device.
    pub device: Ed25519PublicKey,
    /// Our user's master signing key, if this device has verified it, and only then.
    pub master_signing_key: Option<Ed25519PublicKey>,
}

/// What our `m.key.verification.mac` says.
#[derive(Clone, Copy, Debug)]
pub struct Macs {
    /// For `ed25519:` and the ID of this device.
    pub device: MacText,
    /// For `ed25519:` and this text, which is the master signing key in Base64.
    pub master_signing_key: Option<(MacText, MacText)>,
    /// For `keys`.
    pub keys: MacText,
}

/// 32 bytes as 43 characters: a MAC, or a public key.
#[derive(Clone, Copy)]
pub struct MacText([u8; Self::LEN]);

impl MacText {
    /// The length in characters.
    pub const LEN: usize = base64::encoded_len(32);

    pub(crate) fn new(mac: &[u8; 32], method: MacMethod) -> Self {
        let mut text = [0; Self::LEN];
        match method {
            MacMethod::HkdfHmacSha256V2 => encode(mac, &mut text),
            #[cfg(feature = "legacy-mac")]
            MacMethod::HkdfHmacSha256 => encode_in_place(mac, &mut text),
        }
        Self(text)
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    #[cfg(feature = "legacy-mac")]
    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for MacText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacText({})", self.as_str())
    }
}

/// The unpadded Base64 of a public key.
pub(crate) fn key_text(key: &Ed25519PublicKey) -> MacText {
    MacText::new(key.as_bytes(), MacMethod::HkdfHmacSha256V2)
}

fn encode(bytes: &[u8], text: &mut [u8]) {
    // As many characters as the bytes need.
    let _ = base64::encode_to_bytes(bytes, text);
}

/// libolm's: the 32 bytes lie at the beginning of the text and are overwritten by characters while they are read.
#[cfg(feature = "legacy-mac")]
fn encode_in_place(mac: &[u8; 32], text: &mut [u8; MacText::LEN]) {
    if let Some(start) = text.first_chunk_mut() {
        *start = *mac;
    }
    for group in 0..11 {
        let mut bytes = [0; 3];
        let len = if group == 10 { 2 } else { 3 };
        for (byte, from) in bytes.iter_mut().zip(text.iter().skip(3 * group)) {
            *byte = *from;
        }
        let bytes = bytes.get(..len).unwrap_or_default();
        encode(bytes, text.get_mut(4 * group..).unwrap_or_default());
    }
}

pub(crate) const ED25519: &str = "ed25519:";
pub(crate) const KEY_IDS: [&str; 2] = ["KEY_IDS", ""];

#[cfg(test)]
mod tests {
    #[cfg(feature = "legacy-mac")]
    #[test]
    // SAS-33
    fn attack_025_libolms_spelling() {
        let mut mac = [0; 32];
        for (byte, digits) in mac
            .iter_mut()
            .zip(b"7969bb13255e77f8e0225e1d9d050fe6f673ecd9504e38c850c8529ea8b30ae6".as_chunks::<2>().0)
        {
            *byte = u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
        }
        let text = super::MacText::new(&mac, crate::MacMethod::HkdfHmacSha256);
        assert_eq!(text.as_str(), "eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo");
    }
}
