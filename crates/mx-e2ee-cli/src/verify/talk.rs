//! One verification from beginning to end: messages, questions, answers.

use core::time::Duration;
use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

use mx_verification::{ActError, FlowKey, Incoming, Outgoing, Step, Time, Verifications, Verified, Via};

use super::{
    answers::Answers,
    book::Book,
    clock::Clock,
    code::{Code, Picture},
    end::End,
    mail::{Letter, Mail, Message},
    questions::Question,
    said::Said,
};
use crate::{failure::Failure, interrupt, record::Record};

/// With whom, and how it begins.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) own: String,
    pub(super) peer: String,
    /// The devices to ask; or those that may ask, if not all may.
    pub(super) devices: Vec<String>,
    pub(super) waits: bool,
    pub(super) code: Code,
    /// How long to wait to be asked.
    pub(super) patience: Duration,
}

/// A verification that goes on.
#[derive(Debug)]
pub(super) struct Talk<'a, 'c> {
    pub(super) plan: Plan,
    pub(super) verifications: Verifications,
    pub(super) book: &'a mut Book,
    pub(super) mail: Mail<'c>,
    pub(super) said: Said,
    pub(super) answers: Answers,
    pub(super) clock: Clock,
    pub(super) now: Now,
}

/// Where it stands.
#[derive(Debug, Default)]
pub(super) struct Now {
    pub(super) flow: Option<FlowKey>,
    /// Whether the request of this flow is ours.
    pub(super) is_ours: bool,
    /// A request that came while ours was unanswered.
    pub(super) offered: Option<FlowKey>,
    pub(super) question: Option<Question>,
    /// The picture that we wait for.
    pub(super) picture: Option<Picture>,
    pub(super) verified: Option<(Verified, Instant)>,
    pub(super) end: Option<End>,
}

impl Talk<'_, '_> {
    /// Goes on until it ends. If it cannot go on the other side is told so.
    pub(super) fn run(mut self) -> Result<End, Failure> {
        let ended = self.go_on();
        if ended.is_err() && self.give_up() {
            let _ = self.tell("cancelled", "the other device was told that this is cancelled", Record::new());
        }
        match (ended, self.now.verified.take()) {
            // What is verified stays so.
            (Err(_), Some((verified, _))) => Ok(End::Verified { verified, is_confirmed: false }),
            (ended, _) => ended,
        }
    }

    fn go_on(&mut self) -> Result<End, Failure> {
        self.receive_waiting()?;
        if self.plan.waits {
            self.tell("waiting", &format!("waiting for {} to ask", self.plan.peer), Record::new())?;
        } else if self.now.flow.is_none() {
            self.ask()?;
        }
        let begin = Instant::now();
        loop {
            if interrupt::is_interrupted() {
                return Err(Failure::Interrupted);
            }
            for message in self.mail.fetch()? {
                self.receive(&message)?;
            }
            let step = self.verifications.tick(self.clock.time());
            self.carry_out(step)?;
            self.look()?;
            self.end_of_patience(begin)?;
            if let Some(end) = self.now.end.take() {
                return Ok(end);
            }
            if let Some(answer) = self.answers.wait(self.now.question.is_some(), self.mail.interval()) {
                self.answered(&answer)?;
            }
        }
    }

    /// Takes what was there before: requests that nothing has followed. The rest is of verifications that are over, because
    /// messages stay where they are.
    fn receive_waiting(&mut self) -> Result<(), Failure> {
        let messages = self.mail.fetch()?;
        let over: BTreeSet<_> =
            messages.iter().filter(|message| !message.is_request()).map(Message::transaction_id).collect();
        for message in messages.iter().filter(|message| !over.contains(&message.transaction_id())) {
            self.receive(message)?;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<(), Failure> {
        let rng = &mut getrandom::SysRng;
        let peer = mx_types::UserId::parse(&self.plan.peer).map_err(Failure::misused)?;
        let devices: Vec<_> = self.plan.devices.iter().map(String::as_str).collect();
        let asked = self.verifications.request_to_device(rng, self.clock.time(), &*self.book, peer, &devices);
        let (flow, step) = asked.map_err(Failure::refused)?;
        self.now.flow = Some(flow);
        self.now.is_ours = true;
        self.carry_out(step)?;
        let text = format!("asked {} on {}; accept it there", self.plan.peer, self.plan.devices.join(", "));
        self.tell("asked", &text, Record::new().with("device_ids", self.plan.devices.clone()))
    }

    fn receive(&mut self, message: &Message) -> Result<(), Failure> {
        if message.sender != self.plan.peer {
            return Ok(());
        }
        // Where keys have changed meanwhile, that ends it.
        self.refresh()?;
        let incoming = Incoming {
            sender: &message.sender,
            event_type: &message.event_type,
            content: message.content.get(),
            via: Via::ToDevice { olm_sender: None },
        };
        let rng = &mut getrandom::SysRng;
        let step = self.verifications.receive(rng, self.clock.time(), &*self.book, &incoming);
        self.carry_out(step.map_err(Failure::refused)?)
    }

    /// Asks for the keys of both users.
    pub(super) fn refresh(&mut self) -> Result<(), Failure> {
        let users = [self.plan.own.clone(), self.plan.peer.clone()];
        let Some(answer) = self.mail.query(&[&users[0], &users[1]])? else { return Ok(()) };
        self.book.learn(&answer, &[&users[0], &users[1]])?;
        for user in &users {
            let step = self.keys_changed(user)?;
            self.carry_out(step)?;
        }
        Ok(())
    }

    fn keys_changed(&mut self, user_id: &str) -> Result<Step, Failure> {
        let user_id = mx_types::UserId::parse(user_id).map_err(Failure::refused)?;
        let rng = &mut getrandom::SysRng;
        let step = self.verifications.keys_changed(rng, self.clock.time(), &*self.book, user_id);
        step.map_err(Failure::refused)
    }

    /// Does what a step asks for, and what follows from that.
    pub(super) fn carry_out(&mut self, step: Step) -> Result<(), Failure> {
        let mut steps = VecDeque::from([step]);
        while let Some(step) = steps.pop_front() {
            for message in &step.messages {
                self.send(message)?;
            }
            for event in step.events {
                steps.extend(self.happened(event)?);
            }
            for user_id in &step.queries {
                if !self.knows(user_id) {
                    continue;
                }
                if let Some(answer) = self.mail.query(&[user_id])? {
                    self.book.learn(&answer, &[user_id])?;
                }
                steps.push_back(self.keys_changed(user_id)?);
            }
        }
        Ok(())
    }

    fn knows(&self, user_id: &str) -> bool {
        user_id == self.plan.own || user_id == self.plan.peer
    }

    fn send(&mut self, message: &Outgoing) -> Result<(), Failure> {
        match message {
            Outgoing::ToDevice { user_id, device_ids, event_type, content } => {
                self.mail.send(&Letter { user_id, device_ids, event_type, content })
            }
            // Nothing is ever asked in a room here.
            Outgoing::Room { .. } | Outgoing::RoomRequest { .. } => Ok(()),
        }
    }

    fn end_of_patience(&mut self, begin: Instant) -> Result<(), Failure> {
        if self.now.flow.is_none() && begin.elapsed() >= self.plan.patience {
            self.now.end = Some(End::not("nobody has asked"));
        }
        let since = self.now.verified.as_ref().map(|(_, since)| since.elapsed());
        if since.is_some_and(|since| since >= LAST_WORD)
            && let Some(flow) = self.now.flow.clone()
        {
            let step = self.acted(|verifications, time, _| verifications.cancel(time, &flow))?;
            self.carry_out(step)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, is_confirmed: bool) {
        let end = self.now.verified.take().map(|(verified, _)| End::Verified { verified, is_confirmed });
        self.now.end = Some(end.unwrap_or_else(|| End::not("it ended, and nothing was verified")));
    }

    /// Tells the other side, whatever it takes; says whether that was done.
    fn give_up(&mut self) -> bool {
        let Some(flow) = self.now.flow.clone() else { return false };
        let Ok(step) = self.verifications.cancel(self.clock.time(), &flow) else { return false };
        !step.messages.is_empty() && step.messages.iter().all(|message| self.send(message).is_ok())
    }

    pub(super) fn acted(
        &mut self,
        act: impl FnOnce(&mut Verifications, Time, &Book) -> Result<Step, ActError>,
    ) -> Result<Step, Failure> {
        act(&mut self.verifications, self.clock.time(), self.book).map_err(Failure::refused)
    }

    pub(super) fn tell(&self, event: &'static str, text: &str, more: Record) -> Result<(), Failure> {
        self.said.tell(event, text, more)
    }
}

/// How long the other side may take to say that it is done, when both users have confirmed.
const LAST_WORD: Duration = Duration::from_secs(30);
