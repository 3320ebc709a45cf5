//! What one device does, as a graph: a state for each history that the device can tell from others, an edge for each thing that can happen
//! to it. A state holds secrets and cannot be copied, so that it is reached by what has led there; each edge is taken once, however often the
//! search goes along it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use mx_verification::Outgoing;

use crate::device::{Device, Input, Seen, Setup};
use crate::message::{Message, Messages, Way};

pub(crate) type NodeId = u32;

pub(crate) struct Node {
    /// What has happened and made a difference.
    pub(crate) history: Vec<Input>,
    pub(crate) seen: Rc<Seen>,
    /// What it has sent since its time ran out last, or ever: to which device, and which message.
    pub(crate) sent: Vec<(u8, u32)>,
    pub(crate) is_live: bool,
    fingerprint: String,
    /// The device itself, until it goes on.
    device: Option<Device>,
}

/// Where an input leads, and what is sent. `None`: the device refuses the act.
pub(crate) type Edge = Option<(NodeId, Rc<[(u8, u32)]>)>;

pub(crate) struct Automaton {
    setup: Setup,
    pub(crate) nodes: Vec<Node>,
    known: HashMap<u64, NodeId>,
    edges: HashMap<(NodeId, Input), Edge>,
}

impl Automaton {
    pub(crate) fn new(setup: &Setup) -> Self {
        let device = Device::new(setup);
        let first = Node {
            history: Vec::new(),
            seen: Rc::new(device.seen.clone()),
            sent: Vec::new(),
            is_live: false,
            fingerprint: device.fingerprint(),
            device: Some(device),
        };
        Self { setup: setup.clone(), nodes: vec![first], known: HashMap::new(), edges: HashMap::new() }
    }

    pub(crate) fn edge(
        &mut self,
        from: NodeId,
        input: &Input,
        setups: &[Setup],
        messages: &mut Messages,
    ) -> Edge {
        if let Some(edge) = self.edges.get(&(from, input.clone())) {
            return edge.clone();
        }
        let edge = self.go(from, input, setups, messages);
        self.edges.insert((from, input.clone()), edge.clone());
        edge
    }

    fn go(&mut self, from: NodeId, input: &Input, setups: &[Setup], messages: &mut Messages) -> Edge {
        let node = &mut self.nodes[from as usize];
        let mut device = match node.device.take() {
            Some(device) => device,
            None => {
                let mut device = Device::new(&self.setup);
                for input in &node.history {
                    device.apply(input, &messages.all).unwrap();
                }
                // What has made no difference makes none.
                assert_eq!(device.fingerprint(), node.fingerprint);
                device
            }
        };
        let outgoing = device.apply(input, &messages.all);
        let fingerprint = device.fingerprint();
        let unchanged = fingerprint == node.fingerprint;
        let Some(outgoing) = outgoing else {
            assert!(
                unchanged,
                "{input:?} was refused and has changed {}\nto {fingerprint}",
                node.fingerprint
            );
            node.device = Some(device);
            return None;
        };
        let sent = addressed(&self.setup, outgoing, setups, messages);
        if unchanged && sent.is_empty() {
            node.device = Some(device);
            return Some((from, Rc::from([])));
        }

        let mut history = node.history.clone();
        history.push(input.clone());
        // Whatever there was has ended when its time ran out.
        let begins_anew = matches!(node.history.last(), Some(Input::Wait(_)));
        let mut all_sent = if begins_anew { Vec::new() } else { node.sent.clone() };
        all_sent.extend(&sent);

        let mut hasher = DefaultHasher::new();
        fingerprint.hash(&mut hasher);
        all_sent.hash(&mut hasher);
        if device.has_secrets() {
            history.hash(&mut hasher);
        }
        let next = u32::try_from(self.nodes.len()).unwrap();
        let next = *self.known.entry(hasher.finish()).or_insert(next);
        if self.nodes.len() == next as usize {
            self.nodes.push(Node {
                history,
                seen: Rc::new(device.seen.clone()),
                sent: all_sent,
                is_live: device.has_live_flow(),
                fingerprint,
                device: Some(device),
            });
        }
        Some((next, Rc::from(sent)))
    }
}

/// To which devices it goes. Events in a room go to all others in it.
pub(crate) fn addressed(
    from: &Setup,
    outgoing: Vec<Outgoing>,
    setups: &[Setup],
    messages: &mut Messages,
) -> Vec<(u8, u32)> {
    let mut sent = Vec::new();
    for outgoing in outgoing {
        let (event_type, content, to): (&str, _, Vec<_>) = match outgoing {
            Outgoing::ToDevice { user_id, device_ids, event_type, content } => {
                let to = move |setup: &Setup| {
                    setup.user_id == user_id && device_ids.iter().any(|id| id == setup.device_id)
                };
                (event_type, content, (0..).zip(setups).filter(|(_, setup)| to(setup)).collect())
            }
            Outgoing::Room { event_type, content, .. } => (event_type, content, others(from, setups)),
            Outgoing::RoomRequest { content, .. } => ("m.room.message", content, others(from, setups)),
        };
        let in_room = content.contains("m.relates_to") || event_type == "m.room.message";
        let way = if in_room {
            let event_id = Message::event_id(from.user_id, from.device_id, event_type, &content);
            Way::Room { event_id }
        } else {
            Way::ToDevice { olm_sender: None }
        };
        let message = messages.number(Message {
            user_id: from.user_id,
            device_id: from.device_id,
            event_type: event_type.into(),
            content,
            way,
        });
        sent.extend(to.into_iter().map(|(index, _)| (index, message)));
    }
    sent
}

fn others<'s>(from: &Setup, setups: &'s [Setup]) -> Vec<(u8, &'s Setup)> {
    let is_other = |setup: &Setup| (setup.user_id, setup.device_id) != (from.user_id, from.device_id);
    (0..).zip(setups).filter(|(_, setup)| is_other(setup)).collect()
}
