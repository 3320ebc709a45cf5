//! What was found, as text for people. All that comes from a file is made fit for a terminal.

use core::fmt::Write as _;

use super::{
    finding::{Device, Finding, Key, Object, User},
    signature::{Judgement, Signature, Signer},
    trust::Trust,
};
use crate::record::printable;

pub(super) fn of(finding: &Finding, bytes: bool) -> String {
    let mut text = String::new();
    match finding {
        Finding::Answer { problem } => line(&mut text, 0, &format!("PROBLEM  {problem}")),
        Finding::User(User { user_id, is_own, state, problems }) => {
            let whose = if *is_own { "your own" } else { "" };
            let words = [user_id.as_str(), whose, state];
            let words = words.into_iter().filter(|word| !word.is_empty());
            line(&mut text, 0, &words.collect::<Vec<_>>().join("  "));
            for problem in problems {
                line(&mut text, 1, &format!("PROBLEM  {problem}"));
            }
        }
        Finding::Key(Key { usage, key, object, dropped, note, .. }) => {
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            line(&mut text, 1, &format!("{usage}  {key}"));
            if let Some(dropped) = dropped {
                line(&mut text, 2, &format!("DROPPED  {dropped}"));
            }
            if let Some(note) = note {
                line(&mut text, 2, note);
            }
            self::object(&mut text, object, bytes);
        }
        Finding::Device(device) => self::device(&mut text, device, bytes),
    }
    text
}

fn device(text: &mut String, device: &Device, bytes: bool) {
    let Device { device_id, key, display_name, object, dropped, warning, trust, .. } = device;
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    let name = display_name.as_ref().map(|name| format!("  calls itself {name:?}")).unwrap_or_default();
    line(text, 1, &format!("device {device_id}  {key}{name}"));
    if let Some(dropped) = dropped {
        line(text, 2, &format!("DROPPED  {dropped}"));
    }
    if let Some(warning) = warning {
        line(text, 2, &format!("WARNING  {warning}"));
    }
    self::object(text, object, bytes);
    if let Some(Trust { level, why, links }) = trust {
        line(text, 2, &format!("trust: {level}: {why}"));
        for link in links {
            let mark = if link.is_there { "" } else { "MISSING: " };
            line(text, 3, &format!("{mark}{}", link.text));
        }
    }
}

fn object(text: &mut String, object: &Object, bytes: bool) {
    for signature in &object.signatures {
        line(text, 2, &self::signature(signature));
    }
    if let Some(problem) = &object.problem {
        line(text, 2, &format!("FAILS  {problem}"));
    }
    if let Some(signed) = object.signed.as_deref().filter(|_| bytes) {
        line(text, 2, &format!("signatures must cover these {} bytes:", signed.len()));
        line(text, 3, signed);
        line(text, 3, &hex(signed.as_bytes()));
    }
}

fn signature(signature: &Signature) -> String {
    let Signature { entity, key_id, signer, judgement, why } = signature;
    let verdict = match judgement {
        Judgement::Fails => "FAILS",
        judgement => judgement.as_str(),
    };
    let role = match signer {
        None => String::new(),
        Some(Signer::Key(usage, _)) => format!("{usage}, "),
        Some(Signer::Device(_)) => "device, ".to_owned(),
    };
    let key_id = key_id.as_deref().unwrap_or_default();
    format!("{verdict}: {role}{entity} {key_id}: {why}")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn line(text: &mut String, depth: usize, words: &str) {
    let _ = writeln!(text, "{:indent$}{}", "", printable(words), indent = depth * 2);
}
