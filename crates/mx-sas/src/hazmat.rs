//! The values of a flow, from its shared secret: for those who debug another implementation or write vectors for one.
//!
//! Nothing here waits for a commitment, for a message or for a user, which is all that makes a verification. Applications have no
//! use for this module.

use core::fmt;

use mx_curve25519::SharedSecret;
use mx_types::{Curve25519PublicKey, Ed25519PublicKey};

pub use crate::flow::Side;
use crate::{
    Commitment, Emoji, Flow, MacMethod, MacText,
    mac::{MacKeys, key_text},
    short_string::{self, Keys, ShortString},
};

/// All that is derived in a flow.
pub struct Values<'f> {
    keys: MacKeys<&'f str>,
    key_texts: [MacText; 2],
    short_string: ShortString,
}

impl<'f> Values<'f> {
    /// From the ephemeral keys of both sides and the secret on which they agreed.
    #[must_use]
    pub fn new(
        flow: Flow<&'f str>,
        starter: Curve25519PublicKey,
        accepter: Curve25519PublicKey,
        secret: SharedSecret,
    ) -> Self {
        let keys = Keys { starter, accepter };
        let short_string = ShortString::derive(&secret, &flow, &keys);
        let method = MacMethod::HkdfHmacSha256V2;
        Self {
            keys: MacKeys { flow, side: Side::Starter, method, secret },
            key_texts: keys.texts(),
            short_string,
        }
    }

    /// What the short string is derived from.
    #[must_use]
    pub fn short_string_info(&self) -> impl fmt::Display {
        Parts(short_string::info(&self.keys.flow, &self.key_texts))
    }

    /// The six bytes of the short string.
    #[must_use]
    pub fn short_string(&self) -> &[u8; 6] {
        self.short_string.as_bytes()
    }

    /// Three numbers from 1000 to 9191.
    #[must_use]
    pub fn decimal(&self) -> [u16; 3] {
        self.short_string.decimal()
    }

    /// Seven emoji.
    #[must_use]
    pub fn emoji(&self) -> [Emoji; 7] {
        self.short_string.emoji()
    }

    /// What the key of a MAC is derived from. `key_id` is that of a key, or [`KEY_IDS`].
    #[must_use]
    pub fn mac_info<'i>(&'i self, sender: Side, key_id: &'i str) -> impl fmt::Display + use<'i, 'f> {
        Parts(self.keys.info(sender, &[key_id, ""]))
    }

    /// The MAC that `sender` gives for a key, of which `text` is the Base64, or for the list of all key IDs.
    #[must_use]
    pub fn mac(&self, sender: Side, key_id: &str, text: &str, method: MacMethod) -> MacText {
        MacText::new(&self.keys.authenticate(sender, &[key_id, ""], [text]), method)
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("flow", &self.keys.flow).finish_non_exhaustive()
    }
}

/// What the `accept` says of the accepting side's key. `start_content` is as in [`Accepter::new`](crate::Accepter::new).
#[must_use]
pub fn commitment(accepter: &Curve25519PublicKey, start_content: &[u8]) -> Commitment {
    Commitment::new(accepter.as_bytes(), start_content)
}

/// The text of a key for its MAC: its unpadded Base64.
#[must_use]
pub fn text_of_key(key: &Ed25519PublicKey) -> MacText {
    key_text(key)
}

/// The ID under which the MAC of all key IDs is made.
pub const KEY_IDS: &str = crate::mac::KEY_IDS[0];

/// Texts, one behind the other.
struct Parts<'p, const N: usize>([&'p str; N]);

impl<const N: usize> fmt::Display for Parts<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| f.write_str(part))
    }
}
