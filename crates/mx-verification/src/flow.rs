//! What is known of one verification.

use alloc::string::String;
use alloc::vec::Vec;

use mx_qr_code::{Scanned, WaitingForUser};
use mx_types::Ed25519PublicKey;

use crate::flow_key::FlowKey;
use crate::methods::{Listed, Methods};
use crate::qr::Code;
use crate::sas::Sas;
use crate::state::{FlowState, Phase};

/// A verification that is not over.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) facts: Facts,
    pub(crate) state: State,
}

/// All of it but where it stands.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) key: FlowKey,
    /// Since when its lifetime counts.
    pub(crate) begun: u64,
    /// When a message came or went last.
    pub(crate) used: u64,
    /// Whether we have asked.
    pub(crate) is_ours: bool,
    /// The devices that our request went to. Empty if it went to a room, or the other side has asked.
    pub(crate) asked: Vec<String>,
    /// The devices that were told, when they answered too late, that another one had been first.
    pub(crate) too_late: Vec<String>,
    /// Messages that were taken.
    pub(crate) seen: Vec<Seen>,
    /// Whether our own `ready` has come back in the timeline.
    pub(crate) own_ready_seen: bool,
    /// Whether it began with a `start`, so that nobody says `done`.
    pub(crate) without_request: bool,
    /// What this side has listed.
    pub(crate) ours: Listed,
    /// What the other side has listed.
    pub(crate) theirs: Listed,
    /// The other side's device, once it is fixed.
    pub(crate) peer_device: Option<String>,
    /// The keys, once the two sides are ready.
    pub(crate) pinned: Option<Pinned>,
    /// The code that was displayed.
    pub(crate) code: Option<Code>,
    /// The method that we have started, unless the other side's start counts.
    pub(crate) own_start: Option<Started>,
    /// Whether the other side's start was ignored because ours counts.
    pub(crate) start_ignored: bool,
}

/// A method that was started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Started {
    Sas,
    Reciprocate,
}

/// A message that was taken: it may come twice.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    ToDevice([u8; 32]),
    Event(String),
}

/// The keys that are verified, as they were in the beginning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pinned {
    pub(crate) own_master: Option<Ed25519PublicKey>,
    pub(crate) own_master_is_trusted: bool,
    pub(crate) peer_device: Ed25519PublicKey,
    pub(crate) peer_master: Option<Ed25519PublicKey>,
}

/// Where it stands.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most come there, and there are few")]
pub(crate) enum State {
    /// They have asked. After that time it is not offered any more.
    Requested {
        until: u64,
    },
    /// We have asked.
    Sent,
    /// Both sides are ready; a code may be displayed.
    Ready,
    Sas(Sas),
    /// Our code was scanned. Their `done` may have come already.
    Scanned {
        waiting: WaitingForUser,
        done: bool,
    },
    /// We have scanned their code.
    Reciprocated(Scanned),
    /// We have verified.
    WaitDone,
}

impl Facts {
    pub(crate) fn new(key: FlowKey, now: u64) -> Self {
        Self {
            key,
            begun: now,
            used: now,
            is_ours: false,
            asked: Vec::new(),
            too_late: Vec::new(),
            seen: Vec::new(),
            own_ready_seen: false,
            without_request: false,
            ours: Listed::default(),
            theirs: Listed::default(),
            peer_device: None,
            pinned: None,
            code: None,
            own_start: None,
            start_ignored: false,
        }
    }

    /// What both sides have listed.
    pub(crate) const fn methods(&self) -> Methods {
        self.ours.common(self.theirs)
    }

    /// Notes a message.
    pub(crate) fn see(&mut self, seen: Seen) {
        if self.seen.len() >= MAX_SEEN {
            self.seen.remove(0);
        }
        self.seen.push(seen);
    }
}

impl Flow {
    pub(crate) fn state(&self) -> FlowState {
        match &self.state {
            State::Requested { .. } => FlowState::Requested,
            State::Sent => FlowState::Sent,
            State::Ready if self.facts.code.is_some() => FlowState::QrShown,
            State::Ready => FlowState::Ready,
            State::Sas(sas) => FlowState::Started(sas.phase()),
            State::Scanned { .. } => FlowState::Started(Phase::Scanned),
            State::Reciprocated(_) => FlowState::Started(Phase::Reciprocated),
            State::WaitDone => FlowState::WaitDone,
        }
    }
}

/// Messages of a flow that are remembered.
const MAX_SEEN: usize = 32;
