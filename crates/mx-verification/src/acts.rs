//! What the user does in a verification.

use alloc::borrow::ToOwned;

use rand_core::TryCryptoRng;

use crate::complete::Lookup;
use crate::content::Content;
use crate::error::ActError;
use crate::event::What;
use crate::flow::{Facts, Flow, Started, State};
use crate::flow_key::FlowKey;
use crate::keys::Keys;
use crate::methods::Listed;
use crate::reason::Reason;
use crate::sas::Sas;
use crate::step::Step;
use crate::time::Time;
use crate::verifications::Verifications;

impl Verifications {
    /// Accepts a request, or a start that came without one.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub fn accept<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        keys: &impl Keys,
        flow: &FlowKey,
    ) -> Result<Step, ActError> {
        let now = self.expire(time);
        let Some(Flow { mut facts, state }) = self.take_flow(flow) else { return Err(ActError::UnknownFlow) };
        match state {
            State::Requested { .. } => {
                let able = self.able(keys, &facts.key.user_id);
                let methods = able.common(facts.theirs);
                let device_id = facts.peer_device.clone().unwrap_or_default();
                let pinned = match self.look_up(keys, &facts.key.user_id, &device_id) {
                    _ if methods.is_empty() => Err(ActError::NoCommonMethod),
                    Lookup::Found(pinned) => Ok(pinned),
                    Lookup::Outdated => Err(ActError::KeysOutdated),
                    Lookup::Unknown => Err(ActError::UnknownDevice),
                    Lookup::Ambiguous => {
                        self.fail(now, facts, Reason::DeviceIdIsSigningKey);
                        return Ok(self.take_step());
                    }
                };
                match pinned {
                    Ok(pinned) => facts.pinned = Some(pinned),
                    Err(error) => {
                        self.keep(facts, state);
                        return Err(error);
                    }
                }
                facts.ours = Listed::new(methods);
                let ready =
                    Content::Ready { from_device: self.device_id.clone(), methods: facts.ours.names() };
                self.send(now, &mut facts, &ready);
                self.step.save = true;
                self.ready(facts);
            }
            State::Sas(Sas::StartReceived { choice, start }) => {
                match self.accept_sas(rng, &facts, choice, &start) {
                    Ok(Some((accept, sas))) => {
                        self.send(now, &mut facts, &accept);
                        self.show(&facts, What::SasStarted);
                        self.keep(facts, State::Sas(sas));
                    }
                    Ok(None) => self.fail(now, facts, Reason::InvalidMessage),
                    Err(error) => {
                        self.keep(facts, State::Sas(Sas::StartReceived { choice, start }));
                        return Err(error.into());
                    }
                }
            }
            state => {
                self.keep(facts, state);
                return Err(ActError::NotNow);
            }
        }
        Ok(self.take_step())
    }

    /// Starts to compare short strings.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub fn start_sas<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        time: Time,
        flow: &FlowKey,
    ) -> Result<Step, ActError> {
        let now = self.expire(time);
        let live = self.flows.iter().find(|live| live.facts.key == *flow).ok_or(ActError::UnknownFlow)?;
        let State::Ready = live.state else { return Err(ActError::NotNow) };
        if !live.facts.methods().sas {
            return Err(ActError::NotInCommon);
        }
        let sas = self.begin_sas(rng, &live.facts)?.ok_or(ActError::NotNow)?;
        let Some(Flow { mut facts, .. }) = self.take_flow(flow) else { return Err(ActError::UnknownFlow) };
        if let Sas::StartSent { start, .. } = &sas {
            facts.used = now;
            self.send_as(&facts, crate::content::Kind::Start, start.canonical().to_owned());
        }
        facts.own_start = Some(Started::Sas);
        facts.code = None;
        self.show(&facts, What::SasStarted);
        self.keep(facts, State::Sas(sas));
        Ok(self.take_step())
    }

    /// The user says that both sides show the same short string; or, where our code was scanned, that the other device reports success.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub fn confirm(&mut self, time: Time, keys: &impl Keys, flow: &FlowKey) -> Result<Step, ActError> {
        let now = self.expire(time);
        let Some(Flow { facts, state }) = self.take_flow(flow) else { return Err(ActError::UnknownFlow) };
        match state {
            State::Sas(sas) => {
                if let Some((facts, sas)) = self.confirm_sas(now, keys, facts, sas) {
                    self.keep(facts, State::Sas(sas));
                    return Err(ActError::NotNow);
                }
            }
            State::Scanned { waiting, done } => self.complete_qr(now, keys, facts, waiting.confirm(), done),
            state => {
                self.keep(facts, state);
                return Err(ActError::NotNow);
            }
        }
        Ok(self.take_step())
    }

    /// The user says that the short strings differ: somebody may be between the two sides.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub fn mismatch(&mut self, time: Time, flow: &FlowKey) -> Result<Step, ActError> {
        let now = self.expire(time);
        let Some(Flow { facts, state }) = self.take_flow(flow) else { return Err(ActError::UnknownFlow) };
        match state {
            State::Sas(Sas::Compare(_) | Sas::PeerConfirmed { .. }) => {
                self.fail(now, facts, Reason::MismatchedSas);
                Ok(self.take_step())
            }
            state => {
                self.keep(facts, state);
                Err(ActError::NotNow)
            }
        }
    }

    /// The user rejects a request, says that the device which has scanned our code reports no success, or does not go on. What our side
    /// has verified stays verified.
    ///
    /// # Errors
    ///
    /// [`ActError::UnknownFlow`].
    pub fn cancel(&mut self, time: Time, flow: &FlowKey) -> Result<Step, ActError> {
        let now = self.expire(time);
        match self.take_flow(flow) {
            Some(Flow { facts, state: State::WaitDone }) => self.close(now, facts),
            Some(flow) => self.cancel_flow(now, flow, Reason::User),
            None => return Err(ActError::UnknownFlow),
        }
        Ok(self.take_step())
    }

    /// Both sides are ready, and their keys fixed.
    pub(crate) fn ready(&mut self, facts: Facts) {
        let what = What::Ready {
            device_id: facts.peer_device.clone().unwrap_or_default(),
            methods: facts.methods(),
            vouches_for_own_user: facts.pinned.is_some_and(|pinned| pinned.own_master_is_trusted),
        };
        self.show(&facts, what);
        self.keep(facts, State::Ready);
    }
}
