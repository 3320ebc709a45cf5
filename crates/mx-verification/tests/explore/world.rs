//! Devices, their users and a network, and the search through everything that can happen between them.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::automaton::{Automaton, Node, NodeId};
use crate::device::{Input, LIFETIME, Setup};
use crate::message::{Message, Messages};

/// What is explored.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) setups: Vec<Setup>,
    /// Who asks whom: each once, and at any time.
    pub(crate) requests: Vec<(usize, Input)>,
    /// What the user of each device may do beyond accepting and comparing.
    pub(crate) may: Vec<May>,
    pub(crate) network: Network,
    /// What the network may put in, of its own making, when it knows the flow: to which device, and what.
    pub(crate) forged: fn(&str) -> Vec<(u8, Message)>,
    /// Whether the clocks may run out at any time, rather than only when nothing else can happen.
    pub(crate) impatient: bool,
    /// More than this, and the scenario is too large.
    pub(crate) most_states: usize,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct May {
    pub(crate) start: bool,
    pub(crate) show: bool,
    pub(crate) scan: bool,
    pub(crate) cancel: bool,
    /// Says that it differs where it does not.
    pub(crate) err: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Network {
    /// What each device sends to another arrives there in its order.
    InOrder,
    /// Any order, and so many faults: a message dropped, delivered twice, or put in.
    AnyOrder { drops: bool, duplicates: bool, forges: bool, faults: u8 },
    /// A room: every device reads the same timeline, as late as may be. That the server takes an event late is the same as that whoever has
    /// sent it had not read what stands before it.
    Timeline,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) nodes: Vec<NodeId>,
    /// Messages under way: sorted where their order does not matter.
    pub(crate) pool: Vec<(u8, u32)>,
    /// In the timeline, and not yet read by each device.
    pub(crate) inboxes: Vec<Vec<u32>>,
    pub(crate) faults: u8,
    pub(crate) dropped: bool,
    pub(crate) forged: bool,
    /// How often each device's time has run out.
    pub(crate) late: Vec<u8>,
}

impl State {
    fn hash_128(&self) -> u128 {
        let [high, low] = [0_u8, 1].map(|salt| {
            let mut hasher = DefaultHasher::new();
            (salt, self).hash(&mut hasher);
            u128::from(hasher.finish())
        });
        high << 64 | low
    }
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Input(usize, Input),
    Deliver(u8, u32),
    DeliverAndKeep(u8, u32),
    Drop(u8, u32),
    Forge(u8, u32),
    Read(usize),
    RunOut(usize),
}

/// What the search has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) moves: usize,
    /// How often each outcome was reached: of each device, what its user sees in the end.
    pub(crate) outcomes: HashMap<Vec<String>, usize>,
    /// The states of the machines alone.
    pub(crate) nodes: Vec<usize>,
}

/// The end of one way through.
#[derive(Clone, Copy)]
pub(crate) struct Outcome<'a> {
    pub(crate) nodes: &'a [&'a Node],
    pub(crate) dropped: bool,
    pub(crate) forged: bool,
    pub(crate) impatient: bool,
}

/// Searches, and asks `judge` about each end.
///
/// # Panics
///
/// When a rule is broken, with the way that leads there.
pub(crate) fn explore(scenario: &Scenario, judge: impl Fn(&Outcome<'_>) -> Result<(), String>) -> Found {
    let mut search = Search {
        scenario,
        automata: scenario.setups.iter().map(Automaton::new).collect(),
        messages: Messages::default(),
        forged: HashMap::new(),
        reached: HashSet::new(),
        came_from: Vec::new(),
        found: Found::default(),
    };
    search.run(&judge);
    search.found.nodes = search.automata.iter().map(|automaton| automaton.nodes.len()).collect();
    search.found.states = search.reached.len();
    let Found { states, moves, nodes, outcomes } = &search.found;
    println!("{}: {states} states, {moves} moves, {nodes:?} states of the machines", scenario.name);
    let mut sorted: Vec<_> = outcomes.iter().collect();
    sorted.sort();
    if sorted.len() > MOST_PRINTED {
        println!("  {} different ends", sorted.len());
        sorted.clear();
    }
    for (outcome, count) in sorted {
        println!("  {count:>7} x {}", outcome.join("  |  "));
    }
    search.found
}

pub(crate) struct Search<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) automata: Vec<Automaton>,
    pub(crate) messages: Messages,
    /// By flow ID.
    pub(crate) forged: HashMap<String, Vec<(u8, u32)>>,
    /// Hashes of the states that were reached, of 128 bits.
    pub(crate) reached: HashSet<u128>,
    pub(crate) came_from: Vec<Option<(u32, Move)>>,
    pub(crate) found: Found,
}

impl Search<'_> {
    fn run(&mut self, judge: &impl Fn(&Outcome<'_>) -> Result<(), String>) {
        let devices = self.automata.len();
        let faults = match self.scenario.network {
            Network::AnyOrder { faults, .. } => faults,
            Network::InOrder | Network::Timeline => 0,
        };
        let first = State {
            nodes: vec![0; devices],
            pool: Vec::new(),
            inboxes: vec![Vec::new(); devices],
            faults,
            dropped: false,
            forged: false,
            late: vec![0; devices],
        };
        self.reached.insert(first.hash_128());
        self.came_from.push(None);
        let mut open = vec![(0, first)];
        while let Some((number, state)) = open.pop() {
            let (moves, is_end) = self.moves(&state);
            if is_end {
                self.end(number, &state, judge);
            }
            for next_move in moves {
                let Some(next) = self.go(number, &state, &next_move) else { continue };
                self.found.moves += 1;
                if self.reached.insert(next.hash_128()) {
                    let next_number = u32::try_from(self.came_from.len()).unwrap();
                    self.came_from.push(Some((number, next_move)));
                    assert!(self.came_from.len() <= self.scenario.most_states, "{}", self.scenario.name);
                    open.push((next_number, next));
                }
            }
        }
    }

    /// What can happen, and whether nothing would if the network made no more faults.
    fn moves(&mut self, state: &State) -> (Vec<Move>, bool) {
        let mut must = Vec::new();
        let mut may = Vec::new();
        for (index, input) in &self.scenario.requests {
            let node = self.node(state, *index);
            // Nobody asks who verifies already.
            if !node.history.contains(input) && !node.seen.0.iter().any(|view| view.is_ready) {
                must.push(Move::Input(*index, input.clone()));
            }
        }
        for index in 0..state.nodes.len() {
            self.acts(state, index, &mut must, &mut may);
            must.extend(state.inboxes[index].first().map(|_| Move::Read(index)));
        }
        let mut pool = state.pool.clone();
        pool.dedup();
        if self.scenario.network == Network::InOrder {
            let sender = |message: u32| self.messages.all[message as usize].device_id;
            let channel = |entry: &(u8, u32)| (entry.0, sender(entry.1));
            let is_first = |place: usize| {
                !state.pool[..place].iter().any(|entry| channel(entry) == channel(&state.pool[place]))
            };
            pool = (0..state.pool.len())
                .filter(|place| is_first(*place))
                .map(|place| state.pool[place])
                .collect();
        }
        must.extend(pool.iter().map(|(to, message)| Move::Deliver(*to, *message)));
        if let Network::AnyOrder { drops, duplicates, forges, .. } = self.scenario.network
            && state.faults > 0
        {
            for (to, message) in &pool {
                may.extend(duplicates.then_some(Move::DeliverAndKeep(*to, *message)));
                may.extend(drops.then_some(Move::Drop(*to, *message)));
            }
            if forges {
                may.extend(self.forge(state).into_iter().map(|(to, message)| Move::Forge(to, message)));
            }
        }

        // Acts that a device refuses are none.
        must.retain(|can| match can {
            Move::Input(index, input) => {
                let from = state.nodes[*index];
                let messages = &mut self.messages;
                self.automata[*index].edge(from, input, &self.scenario.setups, messages).is_some()
            }
            _ => true,
        });
        let is_quiet = must.is_empty();
        // Once; and again for a flow that has begun since.
        let in_time = |index: &usize| {
            let late = state.late[*index];
            late == 0 || is_quiet && late < 3 && self.node(state, *index).is_live
        };
        let in_time = (0..state.nodes.len()).filter(in_time);
        if is_quiet || self.scenario.impatient {
            let run_out: Vec<_> = in_time.map(Move::RunOut).collect();
            let is_end = is_quiet && run_out.is_empty();
            must.extend(run_out);
            must.extend(may);
            return (must, is_end);
        }
        must.extend(may);
        (must, false)
    }

    fn forge(&mut self, state: &State) -> Vec<(u8, u32)> {
        let ids: Vec<String> = (0..state.nodes.len())
            .flat_map(|index| &self.node(state, index).seen.0)
            .map(|view| view.flow.id.clone())
            .collect();
        // Nobody knows the ID of the flow before it was sent.
        let Some(id) = ids.first() else { return Vec::new() };
        if !self.forged.contains_key(id) {
            let forged = (self.scenario.forged)(id);
            let numbered =
                forged.into_iter().map(|(to, message)| (to, self.messages.number(message))).collect();
            self.forged.insert(id.clone(), numbered);
        }
        self.forged[id].clone()
    }

    fn go(&mut self, number: u32, state: &State, next_move: &Move) -> Option<State> {
        let mut next = state.clone();
        let remove = |pool: &mut Vec<(u8, u32)>, to, message| {
            let place = pool.iter().position(|entry| *entry == (to, message)).unwrap();
            pool.remove(place);
        };
        let (index, input) = match next_move {
            Move::Input(index, input) => (*index, input.clone()),
            Move::Deliver(to, message) => {
                remove(&mut next.pool, *to, *message);
                (usize::from(*to), Input::Receive(*message))
            }
            Move::DeliverAndKeep(to, message) => {
                next.faults -= 1;
                (usize::from(*to), Input::Receive(*message))
            }
            Move::Drop(to, message) => {
                remove(&mut next.pool, *to, *message);
                next.faults -= 1;
                next.dropped = true;
                return Some(next);
            }
            Move::Forge(to, message) => {
                next.faults -= 1;
                next.forged = true;
                (usize::from(*to), Input::Receive(*message))
            }
            Move::Read(index) => {
                let message = next.inboxes[*index].remove(0);
                (*index, Input::Receive(message))
            }
            Move::RunOut(index) => {
                next.late[*index] += 1;
                (*index, Input::Wait(LIFETIME + 1))
            }
        };
        let from = state.nodes[index];
        let (to, sent) =
            self.automata[index].edge(from, &input, &self.scenario.setups, &mut self.messages)?;
        next.nodes[index] = to;
        if self.scenario.network == Network::Timeline {
            let mut messages: Vec<u32> = sent.iter().map(|(_, message)| *message).collect();
            messages.dedup();
            for message in messages {
                for (reader, inbox) in next.inboxes.iter_mut().enumerate() {
                    // Of what a device has sent itself only its `ready` makes a difference to it.
                    if reader != index || self.messages.all[message as usize].kind() == "ready" {
                        inbox.push(message);
                    }
                }
            }
            // Whoever has ended reads on in vain.
            let node = self.node(&next, index);
            if !node.is_live && !node.seen.0.is_empty() {
                next.inboxes[index].clear();
            }
        } else {
            next.pool.extend(sent.iter());
            if self.scenario.network != Network::InOrder {
                next.pool.sort_unstable();
            }
        }
        if let Err(broken) = self.rules(&next, index) {
            panic!("{}: {broken}\n{}{next_move:?}", self.scenario.name, self.way_to(number));
        }
        Some(next)
    }

    pub(crate) fn node(&self, state: &State, index: usize) -> &Node {
        &self.automata[index].nodes[state.nodes[index] as usize]
    }
}

const MOST_PRINTED: usize = 20;
