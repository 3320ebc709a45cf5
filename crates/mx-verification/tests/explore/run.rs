//! One verification between two devices from its beginning to its end, in order, with somebody at the wire.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::automaton::addressed;
use crate::device::{Act, Device, End, Input, LIFETIME, Setup};
use crate::message::{Message, Messages};

/// How the users verify each other. The first always asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    /// The first starts it.
    Sas,
    /// The second scans what the first displays.
    Qr,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) setups: [Setup; 2],
    pub(crate) how: How,
    pub(crate) in_room: bool,
}

/// Somebody who sees every message before it arrives, with its place in the order in which they are sent.
pub(crate) trait Wire {
    /// What arrives in place of the message.
    fn pass(&mut self, place: usize, message: &Message) -> Vec<Message>;

    /// Before the message arrives.
    fn before(
        &mut self,
        _place: usize,
        _devices: &mut [Device],
    ) -> Vec<(usize, Vec<mx_verification::Outgoing>)> {
        Vec::new()
    }
}

/// Nobody.
pub(crate) struct Honest;

impl Wire for Honest {
    fn pass(&mut self, _: usize, message: &Message) -> Vec<Message> {
        vec![message.clone()]
    }
}

/// What has become of it.
pub(crate) struct Ran {
    pub(crate) devices: Vec<Device>,
    /// What was sent, before it was tampered with: from which device, and what.
    pub(crate) sent: Vec<(usize, Rc<Message>)>,
}

impl Ran {
    /// How the first flow of a device has ended.
    pub(crate) fn end(&self, index: usize) -> String {
        let Some(view) = self.devices[index].seen.0.first() else { return "unseen".into() };
        let end = match view.end.as_ref() {
            Some(End::ByUs(code) | End::ByThem(code)) => code.clone(),
            Some(end) => format!("{end:?}"),
            None => "open".into(),
        };
        match &view.verified {
            Some(_) if end == "Done" => "verified".into(),
            Some(_) => format!("verified, {end}"),
            None => end,
        }
    }

    pub(crate) fn verified(&self, index: usize) -> Option<&str> {
        self.devices[index].seen.0.iter().find_map(|view| view.verified.as_deref())
    }
}

impl Plan {
    pub(crate) fn run(&self, wire: &mut impl Wire) -> Ran {
        let mut messages = Messages::default();
        let mut devices: Vec<_> = self.setups.iter().map(Device::new).collect();
        let mut under_way = VecDeque::<(usize, usize, Rc<Message>)>::new();
        let mut sent = Vec::new();
        let mut waited = false;
        let mut refused = Vec::new();

        let [_, second] = &self.setups;
        let ask = match self.in_room {
            true => Input::RequestInRoom(second.user_id),
            false => {
                let device_ids: &'static [&'static str] = Box::leak(Box::new([second.device_id]));
                Input::Request(second.user_id, device_ids)
            }
        };
        let mut next = Some((0, ask));
        loop {
            let outgoing = match next.take() {
                Some((index, input)) => {
                    let outgoing = devices[index].apply(&input, &messages.all);
                    if outgoing.is_none() {
                        refused.push((index, input));
                    }
                    outgoing.map(|outgoing| vec![(index, outgoing)])
                }
                None => match under_way.pop_front() {
                    Some((place, to, message)) => {
                        let mut outgoing = wire.before(place, &mut devices);
                        for message in wire.pass(place, &message) {
                            let number = messages.number(message);
                            let reply = devices[to].apply(&Input::Receive(number), &messages.all);
                            outgoing.extend(reply.map(|reply| (to, reply)));
                        }
                        Some(outgoing)
                    }
                    None if !waited => {
                        waited = true;
                        let outgoing = (0..2).map(|index| {
                            (index, devices[index].apply(&Input::Wait(LIFETIME + 1), &[]).unwrap())
                        });
                        Some(outgoing.collect())
                    }
                    None => break,
                },
            };
            for (index, outgoing) in outgoing.into_iter().flatten() {
                for (to, number) in addressed(&self.setups[index], outgoing, &self.setups, &mut messages) {
                    let message = Rc::clone(&messages.all[number as usize]);
                    under_way.push_back((sent.len(), usize::from(to), Rc::clone(&message)));
                    sent.push((index, message));
                }
            }
            let mut wants = (0..2).filter_map(|index| Some((index, self.wants(&devices, index)?)));
            next = wants.find(|act| !refused.contains(act));
        }
        Ran { devices, sent }
    }

    /// What the user of a device does next.
    fn wants(&self, devices: &[Device], index: usize) -> Option<Input> {
        let view = devices[index].seen.0.first()?;
        let other = devices[1 - index].seen.0.first();
        let act = match (self.how, index) {
            _ if view.end.is_some() => return None,
            _ if view.is_offered && !view.has_done("accept") => Act::Accept,
            _ if view.short_string.is_some() && !view.has_done("confirm") && !view.has_done("mismatch") => {
                let (ours, theirs) = (view.short_string.as_ref()?, other?.short_string.as_ref()?);
                if ours.matches(theirs) { Act::Confirm } else { Act::Mismatch }
            }
            _ if view.is_asked && !view.has_done("confirm") && other?.scanned_well => Act::Confirm,
            (How::Sas, 0) if view.is_ready && !view.has_done("start") => Act::StartSas,
            (How::Qr, 0) if view.is_ready && !view.has_done("show") => Act::ShowQr,
            (How::Qr, 1) if !view.has_done("scan") => Act::Scan(Rc::clone(other?.code.as_ref()?)),
            _ => return None,
        };
        Some(Input::On(0, act))
    }
}
