//! The ends of verifications, and who is told.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::content::{Content, Kind};
use crate::event::{Cancelled, What};
use crate::flow::{Facts, Flow, State};
use crate::flow_key::{FlowKey, Place};
use crate::reason::{self, Reason};
use crate::remembered::Past;
use crate::state::FlowState;
use crate::step::Outgoing;
use crate::verifications::Verifications;

impl Verifications {
    /// Sends a message of a flow to the other side: to its device, or to those that were asked.
    pub(crate) fn send(&mut self, now: u64, facts: &mut Facts, content: &Content) {
        facts.used = now;
        let content_json = content.emit(facts.key.flow_id());
        self.send_as(facts, content.kind(), content_json);
    }

    /// As [`send`](Self::send), with a content that is JSON already.
    pub(crate) fn send_as(&mut self, facts: &Facts, kind: Kind, content: String) {
        let event_type = kind.event_type(facts.key.transport());
        self.step.messages.push(match facts.key.place {
            Place::ToDevice => Outgoing::ToDevice {
                user_id: facts.key.user_id.clone(),
                device_ids: facts.peer_devices(),
                event_type,
                content,
            },
            Place::Room { .. } => Outgoing::Room { flow: facts.key.clone(), event_type, content },
        });
    }

    /// Ends a flow because of something that is wrong with it, or that the user wants. One in which our side has verified
    /// stays verified.
    pub(crate) fn cancel_flow(&mut self, now: u64, flow: Flow, reason: Reason) {
        let Flow { facts, state } = flow;
        if matches!(state, State::WaitDone) {
            self.tell(&facts, reason);
            self.close(now, facts);
        } else {
            self.fail(now, facts, reason);
        }
    }

    /// Ends a flow in which nothing is verified.
    pub(crate) fn fail(&mut self, now: u64, facts: Facts, reason: Reason) {
        self.tell(&facts, reason);
        self.end(now, facts, What::Cancelled(Cancelled::ByUs(reason)), FlowState::Cancelled);
    }

    fn tell(&mut self, facts: &Facts, reason: Reason) {
        let to = facts.peer_devices();
        self.send_cancel(&facts.key, to, reason.code(), &reason.to_string());
    }

    /// The end of a flow in which our side has verified, and the other has not said `done`.
    pub(crate) fn close(&mut self, now: u64, facts: Facts) {
        self.end(now, facts, What::PeerDidNotConfirm, FlowState::Done);
    }

    /// The end of a flow. Its ID is not used again for a while.
    pub(crate) fn end(&mut self, now: u64, facts: Facts, what: What, state: FlowState) {
        self.show(&facts, what);
        self.remember(now, facts.key, Past::Over(state));
        self.step.save = true;
    }

    /// They have cancelled.
    pub(crate) fn receive_cancel(
        &mut self,
        now: u64,
        flow: Flow,
        from_device: Option<&str>,
        code: Option<String>,
        reason: Option<String>,
    ) {
        let Flow { facts, state } = flow;
        let code_text = code.as_deref();
        match state {
            State::WaitDone => return self.close(now, facts),
            // One device has declined, and nobody knows which: none of the others goes on.
            State::Sent if facts.key.place == Place::ToDevice => {
                let to = facts.asked.clone();
                self.send_cancel(&facts.key, to, reason::USER, "the request was declined");
            }
            State::Requested { .. } | State::Ready
                if code_text == Some(reason::ACCEPTED) && facts.asked.len() <= 1 =>
            {
                return self.end(now, facts, What::Elsewhere, FlowState::Passive);
            }
            // It may come from another device that was asked: then the one that had answered must know.
            State::Ready | State::Sas(_) | State::Scanned { .. } | State::Reciprocated(_)
                if facts.asked.len() > 1 && from_device.is_none() =>
            {
                let to = facts.peer_devices();
                let code = code_text.unwrap_or(reason::USER);
                self.send_cancel(&facts.key, to, code, "the other user has cancelled");
            }
            _ => {}
        }
        let reason = reason.filter(|_| code_text.is_none_or(|code| !reason::is_known(code)));
        self.end(now, facts, What::Cancelled(Cancelled::ByThem { code, reason }), FlowState::Cancelled);
    }

    /// Tells these devices, or the room.
    ///
    /// No device is told twice: who is not the first to answer is told when it is fixed who is, and a flow's last cancel goes
    /// to whom it is with then, or to all that were asked while that is not fixed.
    pub(crate) fn send_cancel(&mut self, key: &FlowKey, device_ids: Vec<String>, code: &str, reason: &str) {
        let content = Content::Cancel { code: Some(code.to_owned()), reason: Some(reason.to_owned()) };
        let event_type = content.kind().event_type(key.transport());
        let content = content.emit(key.flow_id());
        match key.place {
            Place::ToDevice if device_ids.is_empty() => {}
            Place::ToDevice => {
                let user_id = key.user_id.clone();
                self.step.messages.push(Outgoing::ToDevice { user_id, device_ids, event_type, content });
            }
            Place::Room { .. } => {
                self.step.messages.push(Outgoing::Room { flow: key.clone(), event_type, content });
            }
        }
    }
}

impl Facts {
    /// The other side's device; as long as it is not fixed, all that were asked. None in a room.
    pub(crate) fn peer_devices(&self) -> Vec<String> {
        match &self.peer_device {
            _ if self.key.place != Place::ToDevice => Vec::new(),
            Some(device_id) => vec![device_id.clone()],
            None => self.asked.clone(),
        }
    }
}
