//! MACs: those of the keys that are known, and those that were recorded.

use mx_sas::{
    MacMethod,
    hazmat::{self, KEY_IDS, Side, Values},
};
use mx_types::Ed25519PublicKey;

use super::{
    Findings,
    transcript::{SIDES, Transcript, about, name_of, other},
};
use crate::record::Record;

const METHODS: [MacMethod; 2] = [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256];

impl Transcript<'_> {
    pub(super) fn macs(&self, findings: &mut Findings, values: &Values<'_>) -> Result<(), String> {
        for side in SIDES {
            let mut texts = Vec::new();
            for (id, key) in &self.document.participant(side).keys {
                let key = Ed25519PublicKey::from_base64(key)
                    .map_err(|error| format!("{}.keys, {id}: {error}", name_of(side)))?;
                let text = hazmat::text_of_key(&key).as_str().to_owned();
                findings.add(calculated(values, side, id, &text));
                texts.push((id.as_str(), text));
            }
            let ids: Vec<_> = texts.iter().map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                findings.add(calculated(values, side, KEY_IDS, &ids.join(",")));
            }
            let Some(recorded) = self.macs.of(side) else { continue };
            let check = Check { values, side, method: self.method() };
            for (id, mac) in &recorded.mac {
                match texts.iter().find(|(known, _)| known == id) {
                    Some((id, text)) => check.mac(findings, id, text, mac),
                    None => findings.not_checked(
                        about_mac(side, id).with("recorded", mac.as_str()),
                        "keys has no key with this ID",
                    ),
                }
            }
            let ids: Vec<_> = recorded.mac.keys().map(String::as_str).collect();
            check.mac(findings, KEY_IDS, &ids.join(","), &recorded.keys);
        }
        Ok(())
    }

    /// The one that was agreed upon, if that was recorded.
    fn method(&self) -> Option<MacMethod> {
        let accept = self.accept.as_ref()?;
        METHODS.into_iter().find(|method| method.as_str() == accept.message_authentication_code)
    }
}

fn about_mac(side: Side, id: &str) -> Record {
    about("mac", "mac").with("by", name_of(side)).with("key_id", id)
}

fn calculated(values: &Values<'_>, side: Side, id: &str, text: &str) -> Record {
    let record = Record::new()
        .with("what", "mac")
        .with("by", name_of(side))
        .with("key_id", id)
        .with("of", text)
        .with("derived_from", values.mac_info(side, id).to_string());
    METHODS.into_iter().fold(record, |record, method| {
        record.with(method.as_str(), values.mac(side, id, text, method).as_str())
    })
}

struct Check<'c> {
    values: &'c Values<'c>,
    side: Side,
    /// Either, if it is not known.
    method: Option<MacMethod>,
}

impl Check<'_> {
    fn mac(&self, findings: &mut Findings, id: &str, text: &str, recorded: &str) {
        let of = |method| self.values.mac(self.side, id, text, method);
        let is = |method| of(method).as_str() == recorded.trim_end_matches('=');
        let spelt = METHODS.into_iter().find(|method| is(*method));
        let method = self.method.or(spelt).unwrap_or(MacMethod::HkdfHmacSha256V2);
        let about = about_mac(self.side, id).with("method", method.as_str());
        findings.compare(about, recorded, of(method).as_str(), || {
            if let Some(spelt) = spelt {
                return Some(format!("spelt as {} has it", spelt.as_str()));
            }
            self.mistake(id, text, recorded)
        });
    }

    /// What clients got wrong before, in either spelling.
    fn mistake(&self, id: &str, text: &str, recorded: &str) -> Option<String> {
        let is = |side, id: &str, text: &str| {
            METHODS.into_iter().any(|method| {
                self.values.mac(side, id, text, method).as_str() == recorded.trim_end_matches('=')
            })
        };
        let padded = format!("{text}=");
        let mut reversed: Vec<_> = text.split(',').collect();
        reversed.reverse();
        let mut candidates = vec![
            (
                other(self.side),
                id,
                text.to_owned(),
                "sender and receiver are exchanged in what it is derived from",
            ),
            (self.side, "", text.to_owned(), "the key ID is not in what it is derived from"),
            (self.side, id, padded, "over padded Base64"),
        ];
        if id == KEY_IDS {
            candidates.push((
                self.side,
                id,
                reversed.join(","),
                "over the key IDs in another order than that of their bytes",
            ));
            candidates.push((
                self.side,
                id,
                text.replace("ed25519:", ""),
                "over the key IDs without ed25519:",
            ));
        } else {
            candidates.push((
                self.side,
                KEY_IDS,
                text.to_owned(),
                "derived for KEY_IDS instead of for the key",
            ));
        }
        let found = candidates.into_iter().find(|(side, id, text, _)| is(*side, id, text));
        found.map(|(.., why)| why.to_owned()).or_else(|| {
            (id != KEY_IDS)
                .then(|| "of another key than the one in keys, or derived from another secret".to_owned())
        })
    }
}
