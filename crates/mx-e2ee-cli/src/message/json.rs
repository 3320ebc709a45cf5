//! Events, contents of events and exported sessions, one or many.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Explanation, describe};
use crate::{record::Record, text::Text};

/// What of an event, of its content or of an exported session is of interest. All borrowed: keys are secrets.
#[derive(Debug, Deserialize)]
struct Object<'t> {
    #[serde(borrow)]
    content: Option<&'t RawValue>,
    #[serde(borrow)]
    event_id: Option<Text<'t>>,
    #[serde(borrow)]
    sender: Option<Text<'t>>,
    #[serde(borrow)]
    room_id: Option<Text<'t>>,
    #[serde(borrow)]
    algorithm: Option<Text<'t>>,
    #[serde(borrow)]
    session_id: Option<Text<'t>>,
    #[serde(borrow)]
    session_key: Option<Text<'t>>,
    #[serde(borrow)]
    ciphertext: Option<&'t RawValue>,
}

/// A message of `m.olm.v1.curve25519-aes-sha2`, one for each receiving device.
#[derive(Debug, Deserialize)]
struct OlmCiphertext<'t> {
    #[serde(rename = "type")]
    message_type: u64,
    #[serde(borrow)]
    body: Text<'t>,
}

/// Every value of a text of one or more JSON values, the elements of arrays one by one.
pub(super) fn explain(text: &str) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    for (at, value) in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().enumerate() {
        match value {
            Ok(value) => explanations.extend(value_of(value, true)),
            Err(error) => {
                explanations
                    .push(Explanation::not_understood(format!("value {}: not JSON: {error}", at + 1)));
            }
        }
    }
    explanations
}

/// An array in an array is nothing that anybody writes.
fn value_of(value: &RawValue, may_be_array: bool) -> Vec<Explanation> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{') => object(text),
        Some(b'"') => match serde_json::from_str::<Text<'_>>(text) {
            Ok(text) => vec![describe::base64(&super::without_space(&text))],
            Err(error) => vec![Explanation::not_understood(error)],
        },
        Some(b'[') if may_be_array => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(elements) => elements.into_iter().flat_map(|element| value_of(element, false)).collect(),
            Err(error) => vec![Explanation::not_understood(error)],
        },
        _ => vec![Explanation::not_understood("neither an object nor Base64 in a string")],
    }
}

fn object(text: &str) -> Vec<Explanation> {
    let outer: Object<'_> = match serde_json::from_str(text) {
        Ok(object) => object,
        Err(error) => return vec![Explanation::not_understood(error)],
    };
    let mut context = Record::new();
    for (name, value) in
        [("event_id", &outer.event_id), ("sender", &outer.sender), ("room_id", &outer.room_id)]
    {
        if let Some(value) = value {
            context = context.with(name, &**value);
        }
    }
    let inner = match outer.content.map(|content| serde_json::from_str::<Object<'_>>(content.get())) {
        None => outer,
        Some(Ok(content)) => content,
        Some(Err(error)) => {
            return vec![Explanation::not_understood(format!("content: {error}")).within(&context)];
        }
    };
    if let Some(algorithm) = &inner.algorithm {
        context = context.with("algorithm", &**algorithm);
    }
    content(&inner).into_iter().map(|explanation| explanation.within(&context)).collect()
}

fn content(content: &Object<'_>) -> Vec<Explanation> {
    let session_id = content.session_id.as_deref();
    if let Some(key) = &content.session_key {
        return vec![describe::any_session_key(key, session_id)];
    }
    let Some(ciphertext) = content.ciphertext.map(RawValue::get) else {
        return vec![Explanation::not_understood("no ciphertext and no session_key in it")];
    };
    if ciphertext.starts_with('{') {
        return olm(ciphertext);
    }
    match serde_json::from_str::<Text<'_>>(ciphertext) {
        Ok(ciphertext) => {
            let stated = content
                .session_id
                .as_deref()
                .map_or(Record::new(), |id| Record::new().with("session_id", id));
            vec![describe::megolm_message(&ciphertext, session_id).within(&stated)]
        }
        Err(_) => vec![Explanation::not_understood("the ciphertext is neither a string nor an object")],
    }
}

fn olm(ciphertext: &str) -> Vec<Explanation> {
    match serde_json::from_str::<BTreeMap<String, OlmCiphertext<'_>>>(ciphertext) {
        Ok(messages) => {
            let messages = messages.iter().map(|(receiver, OlmCiphertext { message_type, body })| {
                let context = Record::new().with("receivers_identity_key", receiver.as_str());
                describe::olm_message(*message_type, body).within(&context)
            });
            messages.collect()
        }
        Err(error) => vec![Explanation::not_understood(format!("the ciphertext: {error}"))],
    }
}
