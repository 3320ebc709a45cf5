//! What was found, as text, as JSON or as a picture: written as it comes.

use mx_types::Ed25519PublicKey;
use serde_json::{Map, Value, json};

use super::{
    dot::Dot,
    finding::{Device, Finding, Key, Object, User},
    signature::{Signature, Signer},
    summary::Summary,
    text,
};
use crate::{failure::Failure, output::Output, record::Record};

#[derive(Debug)]
pub(super) struct Report {
    out: Output,
    form: Form,
    /// The signed bytes of every object, and not only where it lacks a signature.
    all_bytes: bool,
    summary: Summary,
}

#[derive(Debug)]
enum Form {
    Text,
    Json,
    Dot(Dot),
}

impl Report {
    pub(super) fn new(out: Output, dot: bool, json: bool, all_bytes: bool) -> Self {
        let form = match (dot, json) {
            (true, _) => Form::Dot(Dot::default()),
            (false, true) => Form::Json,
            (false, false) => Form::Text,
        };
        Self { out, form, all_bytes, summary: Summary::default() }
    }

    pub(super) const fn output(&self) -> &Output {
        &self.out
    }

    /// Begins with the next of so many answers.
    pub(super) fn answer(&mut self, name: &str, of: usize) -> Result<(), Failure> {
        match &mut self.form {
            Form::Text if of > 1 => self.out.line(&format!("answer {}", crate::record::printable(name))),
            Form::Json if of > 1 => {
                self.out.line(&Record::new().with("what", "answer").with("file", name).to_json())
            }
            Form::Text | Form::Json => Ok(()),
            Form::Dot(dot) => self.out.text(&dot.answer(name)),
        }
    }

    pub(super) fn add(&mut self, finding: &Finding) -> Result<(), Failure> {
        self.summary.count(finding);
        let bytes = finding.object().is_some_and(|object| self.all_bytes || object.lacks_signature);
        match &mut self.form {
            Form::Text => self.out.text(&text::of(finding, bytes)),
            Form::Json => self.out.line(&record(finding, bytes).to_json()),
            Form::Dot(dot) => self.out.text(&dot.finding(finding)),
        }
    }

    pub(super) fn finish(mut self) -> Result<Summary, Failure> {
        if let Form::Dot(dot) = self.form {
            self.out.text(&dot.end())?;
        }
        self.out.commit()?;
        Ok(self.summary)
    }
}

fn record(finding: &Finding, bytes: bool) -> Record {
    match finding {
        Finding::Answer { problem } => {
            Record::new().with("what", "problem").with("problem", problem.as_str()).with("good", false)
        }
        Finding::User(User { user_id, is_own, state, problems }) => Record::new()
            .with("what", "user")
            .with("user_id", user_id.as_str())
            .with("own", *is_own)
            .with("identity", *state)
            .with("problems", problems.clone())
            .with("good", finding.is_good()),
        Finding::Key(Key { user_id, usage, key, object, dropped, note }) => {
            let record = Record::new()
                .with("what", "key")
                .with("user_id", user_id.as_str())
                .with("usage", usage.as_str())
                .with("key", base64(*key))
                .with("good", finding.is_good())
                .with("dropped", dropped.clone())
                .with("note", *note);
            object_record(record, object, bytes)
        }
        Finding::Device(device) => device_record(finding, device, bytes),
    }
}

fn device_record(finding: &Finding, device: &Device, bytes: bool) -> Record {
    let Device { user_id, device_id, key, display_name, object, dropped, warning, trust } = device;
    let mut record = Record::new()
        .with("what", "device")
        .with("user_id", user_id.as_str())
        .with("device_id", device_id.as_str())
        .with("key", base64(*key))
        .with("unauthenticated_name", display_name.clone())
        .with("good", finding.is_good())
        .with("dropped", dropped.clone())
        .with("warning", *warning)
        .with("trust", trust.as_ref().map(|trust| trust.level));
    if let Some(trust) = trust {
        let links = trust.links.iter().map(|link| json!({ "there": link.is_there, "link": link.text }));
        record = record.with("why", trust.why.as_str()).with("links", links.collect::<Vec<_>>());
    }
    object_record(record, object, bytes)
}

fn object_record(record: Record, object: &Object, bytes: bool) -> Record {
    let mut record = record.with("signatures", object.signatures.iter().map(signature).collect::<Vec<_>>());
    if let Some(problem) = &object.problem {
        record = record.with("signatures_problem", problem.as_str());
    }
    if let Some(signed) = object.signed.as_deref().filter(|_| bytes) {
        record = record.with("signed", signed).with("signed_hex", text::hex(signed.as_bytes()));
    }
    record
}

fn signature(signature: &Signature) -> Value {
    let Signature { entity, key_id, signer, judgement, why } = signature;
    let mut object = Map::new();
    object.insert("verdict".to_owned(), judgement.as_str().into());
    object.insert("user_id".to_owned(), entity.as_str().into());
    object.insert("key_id".to_owned(), key_id.clone().into());
    let (role, key) = match signer {
        None => (None, None),
        Some(Signer::Key(usage, key)) => (Some(usage.as_str()), Some(*key)),
        Some(Signer::Device(key)) => (Some("device"), Some(*key)),
    };
    object.insert("signer".to_owned(), role.into());
    object.insert("signer_key".to_owned(), base64(key));
    object.insert("why".to_owned(), why.as_str().into());
    object.into()
}

fn base64(key: Option<Ed25519PublicKey>) -> Value {
    key.map(|key| key.to_string()).into()
}
