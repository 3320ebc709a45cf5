//! One device: the machine, the keys that its client stores, and what its user has seen and done.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use mx_types::{DeviceId, Ed25519PublicKey, RoomId, UserId};
use mx_verification::{
    Cancelled, Config, FlowKey, FlowState, Incoming, Keys, Outgoing, Step, Time, UserKeys, Verifications,
    Via, What,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::message::{Message, Way};

pub(crate) const ALICE: &str = "@alice:example.org";
pub(crate) const BOB: &str = "@bob:example.org";
pub(crate) const ROOM: &str = "!room";
pub(crate) const NOW: Time = Time { monotonic_ms: 1_000_000, unix_ms: 1_700_000_000_000 };
pub(crate) const LIFETIME: u64 = 600_000;

/// What makes a device.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) user_id: &'static str,
    pub(crate) device_id: &'static str,
    pub(crate) config: Config,
    pub(crate) keys: Directory,
    /// Whose draws are others than those of an honest device of that name.
    pub(crate) salt: u8,
}

impl Setup {
    pub(crate) fn new(user_id: &'static str, device_id: &'static str, keys: &Directory) -> Self {
        Self { user_id, device_id, config: Config::DEFAULT, keys: keys.clone(), salt: 0 }
    }
}

/// The keys of all users as a client stores them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) users: BTreeMap<&'static str, UserKeys>,
    pub(crate) trusts_own_master: bool,
}

impl Directory {
    /// Alice has the devices A1 and A2, Bob B1, B2 and B3; both have an identity, and their devices trust their own.
    pub(crate) fn full() -> Self {
        let mut users = BTreeMap::new();
        for (user_id, devices, first) in
            [(ALICE, &["A1", "A2"][..], 0x10), (BOB, &["B1", "B2", "B3"][..], 0x20)]
        {
            let devices =
                devices.iter().zip(first..).map(|(id, byte)| (String::from(*id), key(byte))).collect();
            users.insert(
                user_id,
                UserKeys {
                    is_outdated: false,
                    devices,
                    master_signing_key: Some(key(first + 8)),
                    self_signing_key: Some(key(first + 9)),
                    user_signing_key: None,
                },
            );
        }
        Self { users, trusts_own_master: true }
    }

    pub(crate) fn device_key(&self, user_id: &str, device_id: &str) -> Ed25519PublicKey {
        self.users[user_id].devices.iter().find(|(id, _)| id == device_id).unwrap().1
    }
}

impl Keys for Directory {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        self.users
            .get(user_id.as_str())
            .cloned()
            .unwrap_or(UserKeys { is_outdated: false, ..UserKeys::UNKNOWN })
    }

    fn own_master_is_trusted(&self) -> bool {
        self.trusts_own_master
    }
}

pub(crate) fn key(byte: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes([byte; 32]).unwrap()
}

/// What can happen to a device.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Input {
    /// The user asks other devices of a user.
    Request(&'static str, &'static [&'static str]),
    RequestInRoom(&'static str),
    /// The user acts on a flow, by its place in [`Seen`].
    On(usize, Act),
    /// A message arrives, by its number.
    Receive(u32),
    /// So many milliseconds pass.
    Wait(u64),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Act {
    Accept,
    StartSas,
    ShowQr,
    Scan(Rc<[u8]>),
    Confirm,
    Mismatch,
    Cancel,
}

/// What the user has seen and done: flows in the order in which they became known.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Seen(pub(crate) Vec<FlowView>);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct FlowView {
    pub(crate) flow: FlowKey,
    /// The user may accept it.
    pub(crate) is_offered: bool,
    pub(crate) is_ready: bool,
    pub(crate) code: Option<Rc<[u8]>>,
    pub(crate) short_string: Option<ShortString>,
    /// Our code was scanned, and the user is asked.
    pub(crate) is_asked: bool,
    /// A code was scanned, and is right.
    pub(crate) scanned_well: bool,
    /// What the user has done.
    pub(crate) done: Vec<&'static str>,
    pub(crate) verified: Option<String>,
    pub(crate) end: Option<End>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum End {
    /// Verified, and the other side has said so, too.
    Done,
    /// Verified, and the other side has not.
    Unconfirmed,
    ByUs(String),
    ByThem(String),
    Dismissed,
    Elsewhere,
}

/// What is displayed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ShortString {
    decimal: Option<[u16; 3]>,
    emoji: Option<[u8; 7]>,
}

impl ShortString {
    /// Whether two people who look at both say that they match.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let decimal = self.decimal.zip(other.decimal).map(|(ours, theirs)| ours == theirs);
        let emoji = self.emoji.zip(other.emoji).map(|(ours, theirs)| ours == theirs);
        decimal.or(emoji).is_some() && decimal.unwrap_or(true) && emoji.unwrap_or(true)
    }
}

impl FlowView {
    fn new(flow: FlowKey) -> Self {
        Self {
            flow,
            is_offered: false,
            is_ready: false,
            code: None,
            short_string: None,
            is_asked: false,
            scanned_well: false,
            done: Vec::new(),
            verified: None,
            end: None,
        }
    }

    pub(crate) fn has_done(&self, act: &str) -> bool {
        self.done.contains(&act)
    }
}

pub(crate) struct Device {
    pub(crate) machine: Verifications,
    pub(crate) keys: Directory,
    pub(crate) setup: Setup,
    pub(crate) time: Time,
    pub(crate) seen: Seen,
}

impl Device {
    pub(crate) fn new(setup: &Setup) -> Self {
        let user_id = UserId::parse(setup.user_id).unwrap();
        let device_id = DeviceId::parse(setup.device_id).unwrap();
        let ed25519 = setup.keys.device_key(setup.user_id, setup.device_id);
        Self {
            machine: Verifications::new(user_id, device_id, ed25519, setup.config),
            keys: setup.keys.clone(),
            setup: setup.clone(),
            time: NOW,
            seen: Seen::default(),
        }
    }

    /// Everything that can be told apart from outside, and what the machine's `Debug` says of the inside: no secrets.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?}{:?}{:?}", self.machine, self.seen, self.time)
    }

    pub(crate) fn has_live_flow(&self) -> bool {
        self.machine.flows().next().is_some()
    }

    /// Whether what it derives from secrets may differ where everything that is visible is the same.
    pub(crate) fn has_secrets(&self) -> bool {
        self.machine.flows().any(|(_, state)| matches!(state, FlowState::QrShown | FlowState::Started(_)))
    }

    /// Lets it happen. `None`: the machine refuses an act.
    pub(crate) fn apply(&mut self, input: &Input, messages: &[Rc<Message>]) -> Option<Vec<Outgoing>> {
        let mut rng = self.rng(input, messages);
        let step = match input {
            Input::Request(user_id, device_ids) => {
                let user_id = UserId::parse(user_id).unwrap();
                let asked =
                    self.machine.request_to_device(&mut rng, self.time, &self.keys, user_id, device_ids);
                let (flow, step) = asked.ok()?;
                self.seen.0.push(FlowView::new(flow));
                step
            }
            Input::RequestInRoom(user_id) => {
                let (user_id, room_id) = (UserId::parse(user_id).unwrap(), RoomId::parse(ROOM).unwrap());
                let asked = self.machine.request_in_room(self.time, &self.keys, room_id, user_id);
                let (request, mut step) = asked.ok()?;
                let Some(Outgoing::RoomRequest { content, .. }) = step.messages.last() else {
                    panic!("{step:?}")
                };
                let event_id = self.event_id("m.room.message", content);
                let sent = self.machine.request_sent(&mut rng, self.time, &self.keys, request, &event_id);
                let (flow, more) = sent.ok()?;
                self.seen.0.push(FlowView::new(flow));
                step.messages.extend(more.messages);
                step.events.extend(more.events);
                step
            }
            Input::On(index, act) => self.act(&mut rng, *index, act)?,
            Input::Receive(message) => {
                let message = &messages[*message as usize];
                self.machine.receive(&mut rng, self.time, &self.keys, &message.incoming(&self.setup)).unwrap()
            }
            Input::Wait(ms) => {
                self.time.monotonic_ms += ms;
                self.time.unix_ms += ms;
                self.machine.tick(self.time)
            }
        };
        Some(self.take(step))
    }

    /// After the client has asked the server for keys.
    pub(crate) fn keys_changed(&mut self, user_id: &str) -> Vec<Outgoing> {
        let mut rng = ChaCha20Rng::from_seed([99; 32]);
        let user_id = UserId::parse(user_id).unwrap();
        let step = self.machine.keys_changed(&mut rng, self.time, &self.keys, user_id).unwrap();
        self.take(step)
    }

    pub(crate) fn event_id(&self, event_type: &str, content: &str) -> String {
        Message::event_id(self.setup.user_id, self.setup.device_id, event_type, content)
    }

    fn act(&mut self, rng: &mut ChaCha20Rng, index: usize, act: &Act) -> Option<Step> {
        let flow = self.seen.0.get(index)?.flow.clone();
        let mut code = None;
        let (name, step) = match act {
            Act::Accept => ("accept", self.machine.accept(rng, self.time, &self.keys, &flow).ok()?),
            Act::StartSas => ("start", self.machine.start_sas(rng, self.time, &flow).ok()?),
            Act::ShowQr => {
                let shown = self.machine.show_qr(rng, &self.keys, &flow).ok()?;
                code = Some(Rc::from(shown.as_slice()));
                ("show", Step::default())
            }
            Act::Scan(code) => ("scan", self.machine.scan(self.time, &self.keys, &flow, code).ok()?),
            Act::Confirm => ("confirm", self.machine.confirm(self.time, &self.keys, &flow).ok()?),
            Act::Mismatch => ("mismatch", self.machine.mismatch(self.time, &flow).ok()?),
            Act::Cancel => ("cancel", self.machine.cancel(self.time, &flow).ok()?),
        };
        let view = &mut self.seen.0[index];
        view.done.push(name);
        view.code = code.or(view.code.take());
        Some(step)
    }

    /// Shows the user what there is to be seen.
    fn take(&mut self, step: Step) -> Vec<Outgoing> {
        for event in step.events {
            // After ten minutes an ID is forgotten, and may come again.
            let begins = matches!(event.what, What::Requested { .. } | What::StartedWithoutRequest { .. });
            let is_it = |view: &FlowView| view.flow == event.flow && !(begins && view.end.is_some());
            let known = self.seen.0.iter().rposition(is_it);
            let index = known.unwrap_or_else(|| {
                self.seen.0.push(FlowView::new(event.flow.clone()));
                self.seen.0.len() - 1
            });
            let view = &mut self.seen.0[index];
            match event.what {
                What::Requested { .. } | What::StartedWithoutRequest { .. } => view.is_offered = true,
                What::Ready { .. } => view.is_ready = true,
                What::SasStarted => {}
                What::ShortString { decimal, emoji } => {
                    let emoji = emoji.map(|emoji| emoji.map(|emoji| emoji.index()));
                    view.short_string = Some(ShortString { decimal, emoji });
                }
                What::CodeScanned => view.is_asked = true,
                What::CodeAccepted => view.scanned_well = true,
                What::Verified(verified) => {
                    assert!(view.verified.is_none(), "verified twice");
                    let mut text = verified.user_id;
                    if let Some((device_id, key)) = verified.device {
                        write!(text, " {device_id}={key}").unwrap();
                    }
                    if let Some(key) = verified.master_signing_key {
                        write!(text, " master={key}").unwrap();
                    }
                    view.verified = Some(text);
                }
                What::Done => view.end(End::Done),
                What::PeerDidNotConfirm => view.end(End::Unconfirmed),
                What::Cancelled(Cancelled::ByUs(reason)) => view.end(End::ByUs(reason.code().into())),
                What::Cancelled(Cancelled::ByThem { code, .. }) => {
                    view.end(End::ByThem(code.unwrap_or_default()));
                }
                What::Dismissed => view.end(End::Dismissed),
                What::Elsewhere => view.end(End::Elsewhere),
                other => panic!("{other:?}"),
            }
        }
        step.messages
    }

    /// The same draws wherever the same thing happens: so the messages are the same, too, and what differs is what matters.
    fn rng(&self, input: &Input, messages: &[Rc<Message>]) -> ChaCha20Rng {
        let kind = match input {
            Input::Request(..) => 1,
            Input::RequestInRoom(..) => 2,
            Input::On(_, Act::StartSas) => 3,
            Input::On(_, Act::ShowQr) => 4,
            Input::On(..) => 5,
            Input::Receive(message) => messages[*message as usize].kind().as_bytes()[0],
            Input::Wait(_) => 6,
        };
        let mut seed = [kind; 32];
        for (byte, name) in
            seed[1..].iter_mut().zip(self.setup.device_id.bytes().chain(self.setup.user_id.bytes()))
        {
            *byte = name;
        }
        seed[31] ^= self.setup.salt;
        ChaCha20Rng::from_seed(seed)
    }
}

impl FlowView {
    fn end(&mut self, end: End) {
        assert_eq!(self.end, None, "{end:?}: it had ended");
        self.end = Some(end);
    }
}

impl Message {
    /// As the device that it comes to sees it.
    fn incoming<'m>(&'m self, to: &Setup) -> Incoming<'m> {
        let via = match &self.way {
            Way::ToDevice { olm_sender } => Via::ToDevice { olm_sender: *olm_sender },
            Way::Room { event_id } => Via::Room {
                room_id: ROOM,
                event_id,
                origin_server_ts: NOW.unix_ms,
                from_this_device: (self.user_id, self.device_id) == (to.user_id, to.device_id),
                encrypted: None,
            },
        };
        Incoming { sender: self.user_id, event_type: &self.event_type, content: &self.content, via }
    }
}
