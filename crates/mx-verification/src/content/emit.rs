//! Canonical JSON of what goes out, with no member that the specification does not name: a `start` must come out the same in
//! implementations that write it anew from the members that they know.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use mx_canonical_json::CanonicalObject;
use mx_qr_code::ReciprocateSecret;
use mx_sas::{Commitment, Offer, ShortStrings};
use serde_json::Value;
use zeroize::Zeroizing;

use super::start::{RECIPROCATE, SAS};
use super::{Content, REQUEST, SasOffer, Start, StartMethod};

/// Where the flow is named.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FlowId<'i> {
    /// `transaction_id`, to devices.
    Transaction(&'i str),
    /// The ID of the request's event, in a room.
    Event(&'i str),
}

impl Start {
    /// Our own `m.sas.v1`, with everything that we have. `able` is what our user can compare.
    pub(crate) fn sas(from_device: &str, id: FlowId<'_>, able: ShortStrings) -> Self {
        let Offer { key_agreement_protocols, hashes, message_authentication_codes, .. } = Offer::OURS;
        let short_strings: Vec<&str> = able.names().collect();
        let canonical = object(&[
            id.member(),
            ("from_device", text(from_device)),
            ("hashes", texts(hashes)),
            ("key_agreement_protocols", texts(key_agreement_protocols)),
            ("message_authentication_codes", texts(message_authentication_codes)),
            ("method", text(SAS)),
            ("short_authentication_string", texts(&short_strings)),
        ]);
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let offer = SasOffer {
            key_agreement_protocols: owned(key_agreement_protocols),
            hashes: owned(hashes),
            message_authentication_codes: owned(message_authentication_codes),
            short_authentication_string: owned(&short_strings),
        };
        Self { from_device: from_device.to_owned(), method: StartMethod::Sas(offer), canonical }
    }
}

/// The content of our own `m.reciprocate.v1`, with the secret of the code that was scanned.
pub(crate) fn emit_reciprocate(from_device: &str, secret: &ReciprocateSecret, id: FlowId<'_>) -> String {
    let mut base64 = Zeroizing::new([0; ReciprocateSecret::MAX_BASE64_LEN]);
    object(&[
        id.member(),
        ("from_device", text(from_device)),
        ("method", text(RECIPROCATE)),
        ("secret", text(secret.to_base64(&mut base64))),
    ])
}

impl Content {
    /// The canonical JSON. A request in a room has no ID yet: `id` is left out of it.
    pub(crate) fn emit(&self, id: FlowId<'_>) -> String {
        let id = id.member();
        match self {
            Self::Request { from_device, methods, timestamp } => object(&[
                id,
                ("from_device", text(from_device)),
                ("methods", texts(methods)),
                ("timestamp", timestamp.to_string()),
            ]),
            Self::RoomRequest { from_device, methods, to } => object(&[
                ("body", text(BODY)),
                ("from_device", text(from_device)),
                ("methods", texts(methods)),
                ("msgtype", text(REQUEST)),
                ("to", text(to)),
            ]),
            Self::Ready { from_device, methods } => {
                object(&[id, ("from_device", text(from_device)), ("methods", texts(methods))])
            }
            Self::Start(start) => start.canonical().to_owned(),
            Self::Accept(accept) => object(&[
                id,
                ("commitment", text(accept.commitment.to_base64(&mut [0; Commitment::BASE64_LEN]))),
                ("hash", text(&accept.hash)),
                ("key_agreement_protocol", text(&accept.key_agreement_protocol)),
                ("message_authentication_code", text(&accept.message_authentication_code)),
                // Nobody needs it but old parsers.
                ("method", text(SAS)),
                ("short_authentication_string", texts(&accept.short_authentication_string)),
            ]),
            Self::Key { key } => object(&[id, ("key", text(key))]),
            Self::Mac(mac) => {
                let macs: Vec<_> = mac.mac.iter().map(|(key_id, mac)| (key_id.as_str(), text(mac))).collect();
                object(&[id, ("keys", text(&mac.keys)), ("mac", object(&macs))])
            }
            Self::Done => object(&[id]),
            Self::Cancel { code, reason } => object(&[
                id,
                ("code", text(code.as_deref().unwrap_or_default())),
                ("reason", text(reason.as_deref().unwrap_or_default())),
            ]),
        }
    }
}

impl FlowId<'_> {
    fn member(self) -> (&'static str, String) {
        match self {
            Self::Transaction(id) => ("transaction_id", text(id)),
            Self::Event(id) => {
                let relation = object(&[("event_id", text(id)), ("rel_type", text("m.reference"))]);
                ("m.relates_to", relation)
            }
        }
    }
}

/// The members in the order of their names.
fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
    CanonicalObject::default().with_members(&members)
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

fn texts<T: AsRef<str>>(texts: &[T]) -> String {
    texts.iter().map(|text| text.as_ref()).collect::<Value>().to_string()
}

/// What clients show that do not know of verification.
pub(super) const BODY: &str = "This is a request to verify each other's keys. Your client cannot do that.";
