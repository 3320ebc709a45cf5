//! A transcript as JSON.

use std::collections::BTreeMap;

use mx_sas::hazmat::Side;
use mx_types::base64;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'t> {
    #[serde(borrow)]
    pub(super) starter: Participant<'t>,
    #[serde(borrow)]
    pub(super) accepter: Participant<'t>,
    #[serde(borrow)]
    pub(super) flow_id: Option<Text<'t>>,
    #[serde(borrow)]
    pub(super) shared_secret: Option<Text<'t>>,
    #[serde(borrow, default)]
    pub(super) messages: Vec<Message<'t>>,
    pub(super) displayed: Option<Displayed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Participant<'t> {
    #[serde(borrow)]
    pub(super) user_id: Text<'t>,
    #[serde(borrow)]
    pub(super) device_id: Text<'t>,
    /// Of the ephemeral key.
    #[serde(borrow)]
    pub(super) private_key: Option<Text<'t>>,
    #[serde(borrow)]
    pub(super) public_key: Option<Text<'t>>,
    /// That are to be verified, by their IDs.
    #[serde(default)]
    pub(super) keys: BTreeMap<String, String>,
}

/// An event, or its type and its content.
#[derive(Deserialize)]
pub(super) struct Message<'t> {
    #[serde(borrow, rename = "type")]
    pub(super) event_type: Text<'t>,
    #[serde(borrow)]
    pub(super) sender: Option<Text<'t>>,
    by: Option<By>,
    #[serde(borrow)]
    pub(super) content: &'t RawValue,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Starter,
    Accepter,
}

/// What a client has displayed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Displayed {
    pub(super) decimal: Option<[u16; 3]>,
    pub(super) emoji: Option<[u8; 7]>,
}

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("not a transcript: {error}"))
    }

    pub(super) const fn participant(&self, side: Side) -> &Participant<'t> {
        match side {
            Side::Starter => &self.starter,
            Side::Accepter => &self.accepter,
        }
    }
}

impl Message<'_> {
    pub(super) fn by(&self) -> Option<Side> {
        self.by.map(|by| match by {
            By::Starter => Side::Starter,
            By::Accepter => Side::Accepter,
        })
    }
}

/// The content of a `start`.
#[derive(Deserialize)]
pub(super) struct Start {
    pub(super) from_device: String,
    pub(super) method: String,
    pub(super) key_agreement_protocols: Vec<String>,
    pub(super) hashes: Vec<String>,
    pub(super) message_authentication_codes: Vec<String>,
    pub(super) short_authentication_string: Vec<String>,
}

/// The content of an `accept`.
#[derive(Deserialize)]
pub(super) struct Accept {
    pub(super) key_agreement_protocol: String,
    pub(super) hash: String,
    pub(super) message_authentication_code: String,
    pub(super) short_authentication_string: Vec<String>,
    pub(super) commitment: String,
}

/// The content of a `key`.
#[derive(Deserialize)]
pub(super) struct Key {
    pub(super) key: String,
}

/// The content of a `mac`.
#[derive(Deserialize)]
pub(super) struct Mac {
    /// By the IDs of keys, in the order of their bytes.
    pub(super) mac: BTreeMap<String, String>,
    pub(super) keys: String,
}

/// What says in any content which flow it is of.
#[derive(Deserialize)]
struct Ids {
    transaction_id: Option<String>,
    #[serde(rename = "m.relates_to")]
    relates_to: Option<RelatesTo>,
}

#[derive(Deserialize)]
struct RelatesTo {
    event_id: String,
}

/// The ID of the flow in a content, if there is one.
pub(super) fn flow_id(content: &RawValue) -> Option<String> {
    let ids: Ids = serde_json::from_str(content.get()).ok()?;
    ids.transaction_id.or(ids.relates_to.map(|relation| relation.event_id))
}

/// 32 bytes in hexadecimal or Base64.
pub(super) fn key_bytes(name: &str, text: &str) -> Result<Zeroizing<[u8; 32]>, String> {
    let mut bytes = Zeroizing::new([0; 32]);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() == bytes.len() && rest.is_empty() {
        let nibble =
            |digit: &u8| char::from(*digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let nibbles = nibble(high).zip(nibble(low));
            let (high, low) =
                nibbles.ok_or_else(|| format!("{name}: 64 characters, and not all of them hexadecimal"))?;
            *byte = high << 4 | low;
        }
        return Ok(bytes);
    }
    let decoded = base64::decode_secret(text.trim_end_matches('='), &mut *bytes).map(<[u8]>::len);
    match decoded {
        Ok(32) => Ok(bytes),
        Ok(len) => Err(format!("{name}: {len} bytes instead of 32")),
        Err(error) => Err(format!("{name}: not 32 bytes in Base64 or hexadecimal: {error}")),
    }
}
