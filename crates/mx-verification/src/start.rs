//! Which start counts.

use mx_types::RandomnessFailed;
use rand_core::TryCryptoRng;

use crate::content::{Start, StartMethod};
use crate::event::What;
use crate::flow::{Facts, Flow, Started, State};
use crate::keys::Keys;
use crate::reason::Reason;
use crate::sas::Sas;
use crate::verifications::Verifications;

impl Verifications {
    /// Takes the start of the other side's device, in a flow.
    pub(crate) fn receive_start<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        now: u64,
        keys: &impl Keys,
        flow: Flow,
        start: Start,
    ) -> Result<(), RandomnessFailed> {
        let Flow { mut facts, state } = flow;
        if self.is_beaten(&facts, &start) {
            facts.start_ignored = true;
            self.keep(facts, state);
            return Ok(());
        }
        let is_known = facts.has_listed(&start.method) || matches!(state, State::WaitDone);
        let flow = Flow { facts, state };
        match &flow.state {
            _ if !is_known => self.cancel_flow(now, flow, Reason::UnknownMethod),
            State::Ready | State::Sas(Sas::StartSent { .. }) | State::Reciprocated(_) => {
                return self.take_start(rng, now, keys, flow, start);
            }
            _ => self.cancel_flow(now, flow, Reason::UnexpectedMessage),
        }
        Ok(())
    }

    /// Whether both sides have started the same and ours counts. So it stays, even if theirs comes late; but there is only one.
    fn is_beaten(&self, facts: &Facts, start: &Start) -> bool {
        let Some(own_start) = facts.own_start else { return false };
        own_start.is(&start.method)
            && !facts.start_ignored
            && self.counts_against(&facts.key.user_id, &start.from_device)
    }

    /// Takes a start that can count: we have not started, or ours is not answered and does not count against theirs.
    fn take_start<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        now: u64,
        keys: &impl Keys,
        flow: Flow,
        start: Start,
    ) -> Result<(), RandomnessFailed> {
        let Flow { mut facts, state } = flow;
        // Two methods at a time, or a second start after the one that was ignored.
        let collides = facts.own_start.is_some_and(|own| {
            !own.is(&start.method) || self.counts_against(&facts.key.user_id, &start.from_device)
        });
        if collides {
            self.fail(now, facts, Reason::UnexpectedMessage);
            return Ok(());
        }
        match &start.method {
            StartMethod::Sas(offer) => {
                let choice = match self.choose(offer) {
                    Ok(choice) => choice,
                    Err(reason) => {
                        self.fail(now, facts, reason);
                        return Ok(());
                    }
                };
                match self.accept_sas(rng, &facts, choice, &start) {
                    Ok(Some((accept, sas))) => {
                        facts.own_start = None;
                        facts.code = None;
                        self.send(now, &mut facts, &accept);
                        self.show(&facts, What::SasStarted);
                        self.keep(facts, State::Sas(sas));
                    }
                    Ok(None) => self.fail(now, facts, Reason::InvalidMessage),
                    Err(error) => {
                        self.keep(facts, state);
                        return Err(error);
                    }
                }
            }
            StartMethod::Reciprocate(secret) => self.receive_reciprocate(now, keys, facts, &state, secret),
            StartMethod::Other => self.fail(now, facts, Reason::UnknownMethod),
        }
        Ok(())
    }
}

impl Started {
    const fn is(self, method: &StartMethod) -> bool {
        matches!(
            (self, method),
            (Self::Sas, StartMethod::Sas(_)) | (Self::Reciprocate, StartMethod::Reciprocate(_))
        )
    }
}

impl Facts {
    /// Whether the method is known, and among those that we have listed, if we have listed any.
    fn has_listed(&self, method: &StartMethod) -> bool {
        let nothing_listed = !self.ours.sas && !self.ours.reciprocate;
        match method {
            StartMethod::Sas(_) => self.ours.sas || nothing_listed,
            StartMethod::Reciprocate(_) => self.ours.reciprocate || nothing_listed,
            StartMethod::Other => false,
        }
    }
}
