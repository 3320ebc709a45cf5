//! What was found, as a picture in Graphviz' language: boxes for users, with their keys and devices in them, and an arrow for each
//! signature.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use mx_cross_signing::Usage;

use super::{
    finding::{Device, Finding, Key, Object, User},
    signature::{Judgement, Signature, Signer},
};
use crate::record::printable;

/// The picture as far as it is drawn. Nodes are numbered, so that no name of a file is one.
#[derive(Debug, Default)]
pub(super) struct Dot {
    has_begun: bool,
    in_user: bool,
    /// Users by name, in this answer: a signature may stand before the node of its signer.
    users: BTreeMap<String, u64>,
    devices: BTreeMap<String, u64>,
    answers: u64,
    nodes: u64,
    /// Arrows of the user that is being drawn, which go behind the box.
    arrows: String,
}

impl Dot {
    pub(super) fn answer(&mut self, name: &str) -> String {
        let mut text = self.leave_user();
        if !core::mem::replace(&mut self.has_begun, true) {
            text.push_str("digraph keys {\n  rankdir=LR; node [shape=box, style=filled, fillcolor=white];\n");
        }
        self.users.clear();
        self.answers += 1;
        let _ = writeln!(text, "  a{} [shape=note, label={}];", self.answers, quoted(&[name]));
        text
    }

    pub(super) fn finding(&mut self, finding: &Finding) -> String {
        match finding {
            Finding::Answer { problem } => {
                let mut text = self.leave_user();
                let node = self.node();
                let _ = writeln!(text, "  n{node} [color=red, label={}];", quoted(&[problem]));
                text
            }
            Finding::User(user) => self.user(user),
            Finding::Key(Key { user_id, usage, key, object, dropped, .. }) => {
                let user = self.number(user_id);
                let node = key_node(self.answers, user, *usage);
                let key = key.map(|key| key.to_string()).unwrap_or_default();
                let color = if dropped.is_some() { "tomato" } else { "lightblue" };
                let label = quoted(&[&usage.to_string(), &key, dropped.as_deref().unwrap_or_default()]);
                let text = format!("    {node} [fillcolor={color}, label={label}];\n");
                self.signatures(&node, user_id, object);
                text
            }
            Finding::Device(device) => self.device(device),
        }
    }

    pub(super) fn end(mut self) -> String {
        let mut text = self.leave_user();
        text.push_str("}\n");
        text
    }

    fn user(&mut self, user: &User) -> String {
        let User { user_id, state, problems, .. } = user;
        let mut text = self.leave_user();
        let number = self.number(user_id);
        let color = if problems.is_empty() { "black" } else { "red" };
        let label = [user_id.as_str(), *state].into_iter().chain(problems.iter().map(String::as_str));
        let _ = writeln!(
            text,
            "  subgraph cluster_{}_{number} {{\n    color={color}; label={};",
            self.answers,
            quoted(&label.collect::<Vec<_>>())
        );
        self.in_user = true;
        text
    }

    fn device(&mut self, device: &Device) -> String {
        let Device { user_id, device_id, key, object, dropped, warning, trust, .. } = device;
        let color = match (dropped, warning, trust) {
            (Some(_), _, _) => "tomato",
            (None, Some(_), _) => "orange",
            (None, None, Some(trust)) if trust.level == "verified" => "palegreen",
            (None, None, Some(trust)) if trust.level == "unsigned" => "lightgrey",
            (None, None, _) => "khaki",
        };
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let said = dropped.as_deref().or(*warning).or(trust.as_ref().map(|trust| trust.level));
        let label = quoted(&["device", device_id, &key, said.unwrap_or_default()]);
        let node = self.device_node(device_id);
        let text = format!("    {node} [fillcolor={color}, label={label}];\n");
        self.signatures(&node, user_id, object);
        text
    }

    fn signatures(&mut self, object_node: &str, user_id: &str, object: &Object) {
        for Signature { entity, key_id, signer, judgement, why } in &object.signatures {
            let node = match signer {
                Some(Signer::Key(usage, _)) => key_node(self.answers, self.number(entity), *usage),
                Some(Signer::Device(_)) if entity == user_id => {
                    let id = key_id.as_deref().unwrap_or_default();
                    self.device_node(id.split_once(':').map(|(_, name)| name).unwrap_or_default())
                }
                _ => {
                    let node = format!("n{}", self.node());
                    let label = quoted(&[entity, key_id.as_deref().unwrap_or_default()]);
                    let _ = writeln!(self.arrows, "  {node} [shape=plaintext, label={label}];");
                    node
                }
            };
            let style = match judgement {
                Judgement::Valid => "color=forestgreen".to_owned(),
                Judgement::Fails => format!("color=red, penwidth=2, label={}", quoted(&[why])),
                Judgement::ProvesNothing => "color=grey, style=dashed".to_owned(),
            };
            let _ = writeln!(self.arrows, "  {node} -> {object_node} [{style}, tooltip={}];", quoted(&[why]));
        }
    }

    /// The end of a user's box, and its arrows.
    fn leave_user(&mut self) -> String {
        self.devices.clear();
        let mut text = String::new();
        if core::mem::take(&mut self.in_user) {
            text.push_str("  }\n");
        }
        text.push_str(&core::mem::take(&mut self.arrows));
        text
    }

    fn number(&mut self, user_id: &str) -> u64 {
        let next = u64::try_from(self.users.len()).unwrap_or(u64::MAX);
        *self.users.entry(user_id.to_owned()).or_insert(next)
    }

    /// Of the user that is being drawn. A device's signature may come before the device.
    fn device_node(&mut self, device_id: &str) -> String {
        if !self.devices.contains_key(device_id) {
            let node = self.node();
            self.devices.insert(device_id.to_owned(), node);
        }
        format!("n{}", self.devices.get(device_id).copied().unwrap_or_default())
    }

    const fn node(&mut self) -> u64 {
        self.nodes += 1;
        self.nodes
    }
}

fn key_node(answer: u64, user: u64, usage: Usage) -> String {
    format!("k{answer}_{user}_{}", usage.as_str())
}

/// A label that says what the lines say: no escape, entity or end of the string is made of them.
fn quoted(lines: &[&str]) -> String {
    let mut quoted = "\"".to_owned();
    for (at, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
        quoted.push_str(if at == 0 { "" } else { "\\n" });
        for c in printable(line).chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '&' => quoted.push_str("&amp;"),
                c => quoted.push(c),
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_string_or_becomes_an_escape() {
        assert_eq!(
            quoted(&["a\"];b\\N&lt;<b>", "", "c\u{1b}\nd"]),
            r#""a\"];b\\N&amp;lt;<b>\nc\\u{1b}\\u{a}d""#
        );
    }
}
