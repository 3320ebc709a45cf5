//! What is said of messages and of what clients displayed, and the mistakes behind what does not fit.

use mx_canonical_json::{CanonicalObject, Limits};
use mx_sas::{
    Choice, Commitment, Offer,
    hazmat::{self, Values},
};
use mx_types::Curve25519PublicKey;

use super::{
    Findings,
    transcript::{Sides, Transcript, about},
};

impl Transcript<'_> {
    pub(super) fn check_start(&self, findings: &mut Findings) {
        let Some((_, start)) = &self.start else { return };
        findings.compare(
            about("start", "from_device"),
            &start.from_device,
            &self.document.starter.device_id,
            || {
                let swapped = start.from_device == *self.document.accepter.device_id;
                Some(if swapped { "the device of the accepter" } else { "of neither side" }.to_owned())
            },
        );
        if start.method != "m.sas.v1" {
            findings.misfit(about("start", "method").with("recorded", start.method.as_str()), "not m.sas.v1");
        }
    }

    /// Whether the `accept` has chosen from what the `start` offers.
    pub(super) fn check_choice(&self, findings: &mut Findings) {
        let (Some((_, start)), Some(accept)) = (&self.start, &self.accept) else { return };
        let lists = [
            &start.key_agreement_protocols,
            &start.hashes,
            &start.message_authentication_codes,
            &start.short_authentication_string,
            &accept.short_authentication_string,
        ]
        .map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
        let [protocols, hashes, macs, strings, chosen] = &lists;
        let offer = Offer {
            key_agreement_protocols: protocols,
            hashes,
            message_authentication_codes: macs,
            short_authentication_string: strings,
        };
        let choice = Choice::of_accept(
            &offer,
            &accept.key_agreement_protocol,
            &accept.hash,
            &accept.message_authentication_code,
            chosen,
        );
        match choice {
            Ok(_) => findings.add(about("accept", "choice").with("verdict", "fits")),
            Err(error) => findings.misfit(about("accept", "choice"), error),
        }
    }

    /// What a client displayed. `swapped` are the values with the keys of the two sides exchanged.
    pub(super) fn check_displayed<'v>(
        &self,
        findings: &mut Findings,
        values: &Values<'_>,
        swapped: impl Fn() -> Option<Values<'v>>,
    ) {
        let Some(displayed) = &self.document.displayed else { return };
        let mistake = |is: &dyn Fn(&Values<'_>) -> bool| {
            swapped()
                .filter(|values| is(values))
                .map(|_| "derived with the keys of the two sides exchanged".to_owned())
        };
        if let Some(decimal) = displayed.decimal {
            let calculated = format!("{:?}", values.decimal());
            findings.compare(about("displayed", "decimal"), &format!("{decimal:?}"), &calculated, || {
                mistake(&|values| values.decimal() == decimal)
            });
        }
        if let Some(emoji) = displayed.emoji {
            let indices = |values: &Values<'_>| values.emoji().map(|emoji| emoji.index());
            let calculated = format!("{:?}", indices(values));
            findings.compare(about("displayed", "emoji"), &format!("{emoji:?}"), &calculated, || {
                mistake(&|values| indices(values) == emoji)
            });
        }
    }

    /// What clients got wrong before.
    pub(super) fn commitment_mistake(
        &self,
        recorded: &str,
        publics: &Sides<Option<Curve25519PublicKey>>,
    ) -> Option<String> {
        let (content, _) = self.start.as_ref()?;
        let canonical = self.start_content()?.ok()?;
        let accepter = publics.accepter?;
        let is = |key: &Curve25519PublicKey, content: &str| {
            let commitment = hazmat::commitment(key, content.as_bytes());
            commitment.to_base64(&mut [0; Commitment::BASE64_LEN]) == recorded.trim_end_matches('=')
        };
        if publics.starter.is_some_and(|starter| is(&starter, &canonical)) {
            return Some("over the key of the starter".to_owned());
        }
        if is(&accepter, content.get()) {
            return Some("over the start as it was recorded, not over its canonical JSON".to_owned());
        }
        let without = |names: &[&str]| {
            let object = CanonicalObject::parse(content.get(), names, &Limits::DEFAULT).ok()?;
            is(&accepter, object.as_str()).then(|| format!("over the start without {}", names.join(", ")))
        };
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(content.get()).ok()?;
        let unknown: Vec<_> =
            members.keys().map(String::as_str).filter(|name| !KNOWN.contains(name)).collect();
        let one_by_one = members.keys().find_map(|name| without(&[name.as_str()]));
        one_by_one.or_else(|| without(&unknown))
    }
}

/// The members of a `start` that the specification has.
const KNOWN: [&str; 8] = [
    "from_device",
    "hashes",
    "key_agreement_protocols",
    "m.relates_to",
    "message_authentication_codes",
    "method",
    "short_authentication_string",
    "transaction_id",
];
