//! What must be true in every state, and in the end.

use std::fmt::Write as _;

use crate::device::{End, FlowView, Input};
use crate::forge::FOREIGN_KEY;
use crate::message::Message;
use crate::world::{Move, Outcome, Search, State};

impl Search<'_> {
    /// What must be true of a device in every state, by what it has sent and when.
    pub(crate) fn rules(&self, state: &State, index: usize) -> Result<(), String> {
        let node = self.node(state, index);
        let of = |message: u32, kind: &str, id: &str| {
            let message = &self.messages.all[message as usize];
            message.kind() == kind && flow_of(message) == id
        };
        for (place, view) in node.seen.0.iter().enumerate() {
            let id = &view.flow.id;
            // An ID that was forgotten has come again.
            if node.seen.0[place + 1..].iter().any(|later| later.flow == view.flow) {
                continue;
            }
            let has_received = |kind| {
                node.history
                    .iter()
                    .any(|input| matches!(input, Input::Receive(message) if of(*message, kind, id)))
            };
            let has_sent = |kind| node.sent.iter().any(|(_, message)| of(*message, kind, id));
            // SAS-16: no key before its commitment. Whoever sends `accept` is bound by it, and shows its key for the other's only.
            let before = if has_sent("accept") { "key" } else { "accept" };
            if has_sent("key") && !has_received(before) {
                return Err(format!("{index} has shown its key too early"));
            }
            let last = match node.history.last() {
                Some(Input::Receive(message)) => Some(*message),
                _ => None,
            };
            // SAS-17: a key that nobody is bound to shows nothing to whoever has started.
            let is_foreign = |message: u32| self.messages.all[message as usize].content.contains(FOREIGN_KEY);
            let shows = view.end.is_none() && view.short_string.is_some() && !has_sent("accept");
            if shows && last.is_some_and(|message| of(message, "key", id) && is_foreign(message)) {
                return Err(format!("{index} shows a string for a key without a commitment"));
            }
            // VER-81; VER-41 tells those that were asked, VER-46 is for more than two.
            let is_between_two = self.automata.len() == 2 && (view.is_offered || view.is_ready);
            let answered = node.sent.iter().any(|(_, message)| {
                of(*message, "cancel", id)
                    && !self.messages.all[*message as usize].content.contains("m.unknown_transaction")
            });
            if is_between_two && answered && last.is_some_and(|message| of(message, "cancel", id)) {
                return Err(format!("{index} has answered a cancel with a cancel"));
            }
            // SAS-36
            if has_sent("mac") && !view.has_done("confirm") {
                return Err(format!("{index} has sent MACs without its user's word"));
            }
        }
        for view in &node.seen.0 {
            let Some(verified) = &view.verified else { continue };
            // SAS-41, QR-32, VER-57: a scan is its user's word.
            if !view.has_done("confirm") && !view.has_done("scan") {
                return Err(format!("{index} has verified {verified} without its user's word"));
            }
            if matches!(view.end, Some(End::ByUs(_) | End::ByThem(_) | End::Dismissed | End::Elsewhere)) {
                return Err(format!("{index} has verified {verified} and cancelled it"));
            }
        }
        // VER-81: at most one cancel for each device and flow, and nothing else twice. An ID that nobody knows is no flow; and a device
        // that answers although it was told of another is told again, VER-47.
        let may_come_again = |message: &Message| {
            let codes = ["m.unknown_transaction", "m.accepted"];
            codes.iter().any(|code| message.content.starts_with(&format!("{{\"code\":\"{code}\"")))
        };
        for (place, (to, message)) in node.sent.iter().enumerate() {
            let message = &self.messages.all[*message as usize];
            for (other_to, other) in &node.sent[..place] {
                let other = &self.messages.all[*other as usize];
                let earlier =
                    node.sent[..place].iter().filter(|entry| *entry == &(*to, node.sent[place].1)).count();
                if may_come_again(other) || may_come_again(message) && earlier < 2 {
                    continue;
                }
                if to == other_to && message.kind() == other.kind() && flow_of(message) == flow_of(other) {
                    let both = format!("{} and {}", other.content, message.content);
                    return Err(format!("{index} has sent {} twice: {both}", message.kind()));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn end(
        &mut self,
        number: u32,
        state: &State,
        judge: &impl Fn(&Outcome<'_>) -> Result<(), String>,
    ) {
        let nodes: Vec<_> = (0..state.nodes.len()).map(|index| self.node(state, index)).collect();
        let outcome = Outcome {
            nodes: &nodes,
            dropped: state.dropped,
            forged: state.forged,
            impatient: self.scenario.impatient,
        };
        let mut result = judge(&outcome);
        // No flow lives for ever.
        if nodes.iter().any(|node| node.is_live) {
            result = Err("a flow lives after its time".into());
        }
        if let Err(broken) = result {
            let ends = nodes.iter().map(|node| format!("{:#?}\n", node.seen)).collect::<String>();
            panic!("{}: {broken}\n{}{ends}", self.scenario.name, self.way_to(number));
        }
        let ends =
            nodes.iter().map(|node| node.seen.0.iter().map(FlowView::summary).collect::<Vec<_>>().join(", "));
        *self.found.outcomes.entry(ends.collect()).or_default() += 1;
    }

    /// For whoever looks into what went wrong.
    pub(crate) fn way_to(&self, mut number: u32) -> String {
        let mut moves = Vec::new();
        while let Some((earlier, by)) = &self.came_from[number as usize] {
            moves.push(by);
            number = *earlier;
        }
        let mut way = String::new();
        for by in moves.into_iter().rev() {
            let message = match by {
                Move::Deliver(_, message) | Move::DeliverAndKeep(_, message) => Some(message),
                Move::Drop(_, message) | Move::Forge(_, message) => Some(message),
                _ => None,
            };
            let message = message.map(|message| &self.messages.all[*message as usize]);
            let message = message.map(|message| format!("{} {}", message.kind(), message.content));
            writeln!(way, "{by:?} {}", message.unwrap_or_default()).unwrap();
        }
        way
    }
}

impl FlowView {
    fn summary(&self) -> String {
        let end = match &self.end {
            Some(End::ByUs(code)) => format!("cancels with {code}"),
            Some(End::ByThem(code)) => format!("is cancelled with {code}"),
            Some(end) => format!("{end:?}"),
            None => "open".into(),
        };
        let verified = if self.verified.is_some() { "verified, " } else { "" };
        format!("{verified}{end}")
    }
}

/// What stands in it, of its flow.
pub(crate) fn flow_of(message: &Message) -> &str {
    let id = ["\"transaction_id\":\"", "\"event_id\":\""]
        .into_iter()
        .find_map(|member| message.content.split_once(member).map(|(_, rest)| rest));
    id.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}
