//! What a transcript says, put in order, and what follows from it.

use core::fmt::Write as _;

use mx_canonical_json::{Limits, canonicalize};
use mx_curve25519::{Curve25519SecretKey, KeyAgreement as _, SharedSecret};
use mx_sas::{
    Commitment, Flow, Language, Party,
    hazmat::{self, Side, Values},
};
use mx_types::{Curve25519PublicKey, DeviceId, UserId};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use subtle::ConstantTimeEq as _;

use super::{
    Findings,
    document::{self, Accept, Document, Key, Mac, Message, Start},
};
use crate::record::Record;

/// Of each side something.
pub(super) struct Sides<T> {
    pub(super) starter: T,
    pub(super) accepter: T,
}

impl<T> Sides<T> {
    pub(super) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Starter => &self.starter,
            Side::Accepter => &self.accepter,
        }
    }

    fn slot(&mut self, side: Side) -> &mut T {
        match side {
            Side::Starter => &mut self.starter,
            Side::Accepter => &mut self.accepter,
        }
    }
}

pub(super) const SIDES: [Side; 2] = [Side::Starter, Side::Accepter];

pub(super) const fn name_of(side: Side) -> &'static str {
    match side {
        Side::Starter => "starter",
        Side::Accepter => "accepter",
    }
}

pub(super) const fn other(side: Side) -> Side {
    match side {
        Side::Starter => Side::Accepter,
        Side::Accepter => Side::Starter,
    }
}

/// The messages by what they are.
pub(super) struct Transcript<'t> {
    pub(super) document: &'t Document<'t>,
    pub(super) flow_id: String,
    /// As it was recorded, and what it says.
    pub(super) start: Option<(&'t RawValue, Start)>,
    pub(super) accept: Option<Accept>,
    pub(super) keys: Sides<Option<Key>>,
    pub(super) macs: Sides<Option<Mac>>,
    /// Messages of another flow.
    strangers: Vec<(String, String)>,
}

impl<'t> Transcript<'t> {
    pub(super) fn of(document: &'t Document<'t>) -> Result<Self, String> {
        let stated = document.flow_id.as_ref().map(|id| (**id).to_owned());
        let in_messages = || document.messages.iter().find_map(|message| document::flow_id(message.content));
        let flow_id = stated.or_else(in_messages).ok_or("flow_id: neither here nor in a message")?;
        let mut transcript = Self {
            document,
            flow_id,
            start: None,
            accept: None,
            keys: Sides { starter: None, accepter: None },
            macs: Sides { starter: None, accepter: None },
            strangers: Vec::new(),
        };
        for message in &document.messages {
            transcript.take(message)?;
        }
        Ok(transcript)
    }

    fn take(&mut self, message: &'t Message<'t>) -> Result<(), String> {
        let kind = message.event_type.strip_prefix("m.key.verification.").unwrap_or(&message.event_type);
        match kind {
            "start" => put(&mut self.start, kind, (message.content, content(kind, message)?))?,
            "accept" => put(&mut self.accept, kind, content(kind, message)?)?,
            "key" => {
                // The starter's key is the first: the other side waits for it.
                let in_order = if self.keys.starter.is_none() { Side::Starter } else { Side::Accepter };
                let side = self.side_of(message)?.unwrap_or(in_order);
                put(self.keys.slot(side), kind, content(kind, message)?)?;
            }
            "mac" => {
                let mac: Mac = content(kind, message)?;
                let named = SIDES.into_iter().find(|side| {
                    let own = format!("ed25519:{}", &*self.document.participant(*side).device_id);
                    mac.mac.contains_key(&own)
                });
                let side = self.side_of(message)?.or(named).ok_or(
                    "a mac of which it cannot be told whose it is: \"by\":\"starter\" or \"accepter\" says it",
                )?;
                put(self.macs.slot(side), kind, mac)?;
            }
            "request" | "ready" | "done" | "cancel" => {}
            _ => return Err(format!("a message of type {}", &*message.event_type)),
        }
        if let Some(id) = document::flow_id(message.content).filter(|id| *id != self.flow_id) {
            self.strangers.push((kind.to_owned(), id));
        }
        Ok(())
    }

    /// By what the message says of it, or by its sender if that is one of two users.
    fn side_of(&self, message: &Message<'_>) -> Result<Option<Side>, String> {
        if let Some(side) = message.by() {
            return Ok(Some(side));
        }
        let Some(sender) = &message.sender else { return Ok(None) };
        let of_sender = |side: &Side| *self.document.participant(*side).user_id == **sender;
        let mut sides = SIDES.into_iter().filter(of_sender);
        match (sides.next(), sides.next()) {
            (None, _) => Err(format!("a message of {}, who is neither starter nor accepter", &**sender)),
            (side, None) => Ok(side),
            _ => Ok(None),
        }
    }

    /// Everything that follows, and how the recorded values fit it.
    pub(super) fn findings(&self, language: Language) -> Result<Findings, String> {
        let mut findings = Findings { records: Vec::new(), all_fit: true };
        for (kind, id) in &self.strangers {
            findings.misfit(about(kind, "ID of the flow").with("recorded", id.as_str()), "of another flow");
        }
        self.check_start(&mut findings);
        self.check_choice(&mut findings);
        let publics = self.publics(&mut findings)?;
        self.check_commitment(&mut findings, &publics)?;
        let [Some(starter), Some(accepter)] = SIDES.map(|side| *publics.of(side)) else {
            findings.add(missing("both public keys: short string and MACs are not calculated"));
            return Ok(findings);
        };
        if starter == accepter {
            findings.misfit(about("key", "key"), "both sides have the same key: one was reflected");
        }
        let Some(secret) = self.secret(&publics)? else {
            findings
                .add(missing("a private key or the shared secret: short string and MACs are not calculated"));
            return Ok(findings);
        };
        let values = Values::new(self.flow()?, starter, accepter, secret);
        findings.add(short_string(&values, language));
        self.check_displayed(&mut findings, &values, || {
            let secret = self.secret(&publics).ok()??;
            Some(Values::new(self.flow().ok()?, accepter, starter, secret))
        });
        self.macs(&mut findings, &values)?;
        Ok(findings)
    }

    fn flow(&self) -> Result<Flow<&str>, String> {
        let party = |side| {
            let participant = self.document.participant(side);
            let why = |error| format!("{}: {error}", name_of(side));
            let user_id = UserId::parse(&participant.user_id).map_err(why)?;
            Ok::<_, String>(Party {
                user_id,
                device_id: DeviceId::parse(&participant.device_id).map_err(why)?,
            })
        };
        let flow = Flow::new(&self.flow_id, party(Side::Starter)?, party(Side::Accepter)?);
        flow.map_err(|error| error.to_string())
    }

    /// The ephemeral public keys: from the private ones, as stated, or as recorded.
    fn publics(&self, findings: &mut Findings) -> Result<Sides<Option<Curve25519PublicKey>>, String> {
        let mut publics = Sides { starter: None, accepter: None };
        for side in SIDES {
            let participant = self.document.participant(side);
            let name = name_of(side);
            let own = self.private_key(side)?.map(|key| key.public_key());
            let stated = participant.public_key.as_deref().map(|text| {
                let bytes = document::key_bytes(&format!("{name}.public_key"), text)?;
                Curve25519PublicKey::from_bytes(*bytes).map_err(|error| format!("{name}.public_key: {error}"))
            });
            let stated = stated.transpose()?;
            if own.zip(stated).is_some_and(|(own, stated)| own != stated) {
                return Err(format!("{name}: public_key does not belong to private_key"));
            }
            let known = own.or(stated);
            let recorded =
                self.keys.of(side).as_ref().map(|key| (key, Curve25519PublicKey::from_base64(&key.key)));
            let about = || about("key", "key").with("by", name);
            match (known, recorded) {
                (Some(known), Some((key, Ok(_)))) => {
                    findings
                        .compare(about(), &key.key, &known.to_string(), || Some("another key".to_owned()));
                }
                (None, Some((_, Ok(recorded)))) => {
                    *publics.slot(side) = Some(recorded);
                    continue;
                }
                (_, Some((key, Err(error)))) => {
                    findings.misfit(about().with("recorded", key.key.as_str()), error)
                }
                (_, None) => {}
            }
            *publics.slot(side) = known;
        }
        Ok(publics)
    }

    fn private_key(&self, side: Side) -> Result<Option<Curve25519SecretKey>, String> {
        let text = self.document.participant(side).private_key.as_deref();
        let bytes = text.map(|text| document::key_bytes(&format!("{}.private_key", name_of(side)), text));
        Ok(bytes.transpose()?.map(|bytes| Curve25519SecretKey::from_secret_bytes(&bytes)))
    }

    fn secret(&self, publics: &Sides<Option<Curve25519PublicKey>>) -> Result<Option<SharedSecret>, String> {
        let stated = self.document.shared_secret.as_deref();
        let stated = stated.map(|text| {
            let bytes = document::key_bytes("shared_secret", text)?;
            SharedSecret::from_bytes(*bytes).map_err(|error| format!("shared_secret: {error}"))
        });
        let mut secret = stated.transpose()?;
        for side in SIDES {
            let (Some(own), Some(theirs)) = (self.private_key(side)?, publics.of(other(side))) else {
                continue;
            };
            let agreed = own.diffie_hellman(theirs);
            let agreed = agreed.map_err(|error| format!("{}: {error}", name_of(other(side))))?;
            let same = secret.as_ref().is_none_or(|secret| secret.as_bytes().ct_eq(agreed.as_bytes()).into());
            if !same {
                return Err("the private keys and shared_secret do not lead to one secret".to_owned());
            }
            secret = Some(agreed);
        }
        Ok(secret)
    }

    /// The canonical JSON of the `start`.
    pub(super) fn start_content(&self) -> Option<Result<String, String>> {
        let (content, _) = self.start.as_ref()?;
        let canonical = canonicalize(content.get(), &Limits::DEFAULT);
        Some(canonical.map_err(|error| format!("the start has no canonical JSON: {error}")))
    }

    fn check_commitment(
        &self,
        findings: &mut Findings,
        publics: &Sides<Option<Curve25519PublicKey>>,
    ) -> Result<(), String> {
        let about = || about("accept", "commitment");
        let (Some(start), Some(accepter)) = (self.start_content(), publics.accepter) else {
            if self.accept.is_some() {
                findings.not_checked(about(), "it takes the start and the accepter's key");
            }
            return Ok(());
        };
        let start = start?;
        let text = |commitment: Commitment| commitment.to_base64(&mut [0; Commitment::BASE64_LEN]).to_owned();
        let calculated = text(hazmat::commitment(&accepter, start.as_bytes()));
        findings.add(
            Record::new()
                .with("what", "commitment")
                .with("key", accepter.to_string())
                .with("start", start.as_str())
                .with("value", calculated.as_str()),
        );
        if let Some(accept) = &self.accept {
            findings.compare(about(), &accept.commitment, &calculated, || {
                self.commitment_mistake(&accept.commitment, publics)
            });
        }
        Ok(())
    }
}

fn put<T>(slot: &mut Option<T>, kind: &str, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("a second {kind} of one side")),
    }
}

fn content<T: DeserializeOwned>(kind: &str, message: &Message<'_>) -> Result<T, String> {
    serde_json::from_str(message.content.get()).map_err(|error| format!("the {kind}: {error}"))
}

pub(super) fn about(message: &str, value: &str) -> Record {
    Record::new().with("what", "check").with("message", message).with("value", value)
}

fn missing(what: &str) -> Record {
    Record::new().with("what", "missing").with("missing", what)
}

fn short_string(values: &Values<'_>, language: Language) -> Record {
    let bytes = values.short_string().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let emoji = values.emoji();
    let shown: Vec<_> =
        emoji.iter().map(|emoji| format!("{} {}", emoji.symbol(), emoji.description_in(language))).collect();
    Record::new()
        .with("what", "short string")
        .with("derived_from", values.short_string_info().to_string())
        .with("bytes", bytes)
        .with("decimal", values.decimal().to_vec())
        .with("emoji_indices", emoji.map(|emoji| emoji.index()).to_vec())
        .with("emoji", shown)
}
