//! What an audit finds: users, keys and devices, in the order of the answer.

use mx_canonical_json::Limits;
use mx_cross_signing::{KeyObjectError, Usage};
use mx_signing::{SignatureMemory, SignedObject};
use mx_types::Ed25519PublicKey;
use serde_json::{Map, Value};

use super::{
    signature::{Judge, Judgement, Signature, Subject},
    trust::Trust,
};

#[derive(Debug)]
pub(super) enum Finding {
    /// Something about an answer as a whole.
    Answer {
        problem: String,
    },
    User(User),
    Key(Key),
    Device(Device),
}

/// A user, before the user's keys and devices.
#[derive(Debug)]
pub(super) struct User {
    pub(super) user_id: String,
    pub(super) is_own: bool,
    /// What the identity is to whoever looks.
    pub(super) state: &'static str,
    pub(super) problems: Vec<String>,
}

/// A cross-signing key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) user_id: String,
    pub(super) usage: Usage,
    pub(super) key: Option<Ed25519PublicKey>,
    pub(super) object: Object,
    /// Why clients do not take it.
    pub(super) dropped: Option<String>,
    pub(super) note: Option<&'static str>,
}

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) user_id: String,
    pub(super) device_id: String,
    /// As the object says, taken or not.
    pub(super) key: Option<Ed25519PublicKey>,
    /// Anybody on the way can have written it.
    pub(super) display_name: Option<String>,
    pub(super) object: Object,
    pub(super) dropped: Option<String>,
    pub(super) warning: Option<&'static str>,
    /// Nothing for a device that was dropped.
    pub(super) trust: Option<Trust>,
}

/// An object with all that stands in the place of signatures on it.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// The text that its signatures must cover, if it has a canonical form.
    pub(super) signed: Option<String>,
    pub(super) signatures: Vec<Signature>,
    pub(super) problem: Option<String>,
    /// A signature fails or is missing: then it matters what it must cover.
    pub(super) lacks_signature: bool,
}

impl Object {
    pub(super) fn of(
        judge: &Judge<'_>,
        memory: &mut SignatureMemory,
        subject: Subject<'_>,
        own_key: Option<Ed25519PublicKey>,
        text: &str,
    ) -> Self {
        let object = match SignedObject::parse(text, &Limits::DEFAULT) {
            Ok(object) => object,
            // Who does not take the object says why.
            Err(_) => return Self::default(),
        };
        let signed = Some(object.canonical().to_owned());
        match judge.signatures(memory, subject, own_key, text, &object) {
            Ok(signatures) => {
                let lacks_signature =
                    signatures.iter().any(|signature| signature.judgement == Judgement::Fails);
                Self { signed, signatures, problem: None, lacks_signature }
            }
            Err(why) => Self { signed, problem: Some(why.to_string()), ..Self::default() },
        }
    }
}

impl Finding {
    /// Whether all is as it should be.
    pub(super) fn is_good(&self) -> bool {
        match self {
            Self::Answer { .. } => false,
            Self::User(user) => user.problems.is_empty(),
            Self::Key(key) => key.dropped.is_none() && key.object.is_good(),
            Self::Device(device) => {
                device.dropped.is_none() && device.warning.is_none() && device.object.is_good()
            }
        }
    }

    pub(super) const fn object(&self) -> Option<&Object> {
        match self {
            Self::Answer { .. } | Self::User(_) => None,
            Self::Key(key) => Some(&key.object),
            Self::Device(device) => Some(&device.object),
        }
    }
}

impl Object {
    fn is_good(&self) -> bool {
        self.problem.is_none()
            && self.signatures.iter().all(|signature| signature.judgement != Judgement::Fails)
    }
}

/// Why an object is not taken for a cross-signing key, with what the error alone does not tell.
pub(super) fn why_no_key(error: KeyObjectError, text: &str) -> String {
    let object = || serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    match error {
        KeyObjectError::OtherKeyId => {
            let is_padded = object()
                .get("keys")
                .and_then(Value::as_object)
                .is_some_and(|keys| keys.keys().any(|id| id.ends_with('=')));
            if is_padded { format!("{error}: the Base64 in it is padded") } else { error.to_string() }
        }
        KeyObjectError::WrongUsage => {
            let usage = object().remove("usage").unwrap_or_default();
            format!("{error}: {usage}")
        }
        _ => error.to_string(),
    }
}

/// The Ed25519 key that an object gives as the device's.
pub(super) fn claimed_key(object: &SignedObject<'_>, device_id: &str) -> Option<Ed25519PublicKey> {
    let object: Map<String, Value> = serde_json::from_str(object.canonical()).ok()?;
    let key = object.get("keys")?.get(format!("ed25519:{device_id}"))?;
    Ed25519PublicKey::from_base64(key.as_str()?).ok()
}

/// The name that is shown for a device.
pub(super) fn display_name(object: &SignedObject<'_>) -> Option<String> {
    let unsigned: Map<String, Value> = serde_json::from_str(object.unauthenticated()?).ok()?;
    unsigned.get("device_display_name")?.as_str().map(str::to_owned)
}
