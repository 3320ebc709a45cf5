//! `m.sas.v1`

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use mx_sas::{
    Accepter, Choice, Compare, Confirmed, KeySent, Macs, OwnKeys, PeerConfirmed, PinnedKeys, Starter,
};
use mx_types::{DeviceId, RandomnessFailed, UserId};
use rand_core::TryCryptoRng;

use crate::content::{Accept, Content, Mac, SasOffer, Start};
use crate::event::What;
use crate::flow::{Facts, State};
use crate::keys::Keys;
use crate::reason::Reason;
use crate::state::Phase;
use crate::verifications::Verifications;

/// Where it stands.
#[derive(Debug)]
pub(crate) enum Sas {
    StartSent {
        starter: Starter<String>,
        start: Start,
    },
    KeySent {
        sent: KeySent<String>,
        start: Start,
    },
    /// Without a request: our user has not agreed yet.
    StartReceived {
        choice: Choice,
        start: Start,
    },
    AcceptSent(Accepter<String>),
    Compare(Compare<String>),
    /// Their `done` may have come already. It proves nothing.
    PeerConfirmed {
        state: PeerConfirmed<String>,
        done: bool,
    },
    MacSent {
        state: Confirmed<String>,
        done: bool,
    },
}

impl Sas {
    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::StartSent { .. } => Phase::StartSent,
            Self::KeySent { .. } => Phase::KeySent,
            Self::StartReceived { .. } => Phase::StartReceived,
            Self::AcceptSent(_) => Phase::AcceptSent,
            Self::Compare(_) => Phase::Compare,
            Self::PeerConfirmed { .. } => Phase::PeerConfirmed,
            Self::MacSent { .. } => Phase::MacSent,
        }
    }
}

impl Verifications {
    /// Draws the key of our own start.
    pub(crate) fn begin_sas<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        facts: &Facts,
    ) -> Result<Option<Sas>, RandomnessFailed> {
        let Some(flow) = self.sas_flow(facts, true) else { return Ok(None) };
        let start = Start::sas(&self.device_id, facts.key.flow_id(), self.config.short_strings);
        Ok(Some(Sas::StartSent { starter: Starter::new(rng, flow)?, start }))
    }

    /// What we choose of an offer, if there is something.
    pub(crate) fn choose(&self, offer: &SasOffer) -> Result<Choice, Reason> {
        offer.choose(self.config.short_strings).map_err(Reason::Sas)
    }

    /// Draws our key and commits to it.
    pub(crate) fn accept_sas<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        facts: &Facts,
        choice: Choice,
        start: &Start,
    ) -> Result<Option<(Content, Sas)>, RandomnessFailed> {
        let Some(flow) = self.sas_flow(facts, false) else { return Ok(None) };
        let accepter = Accepter::new(rng, flow, choice, start.canonical().as_bytes())?;
        let accept = Content::Accept(Accept::new(&choice, accepter.commitment()));
        Ok(Some((accept, Sas::AcceptSent(accepter))))
    }

    /// Takes what comes after the start.
    pub(crate) fn receive_sas(
        &mut self,
        now: u64,
        keys: &impl Keys,
        mut facts: Facts,
        sas: Sas,
        content: &Content,
    ) {
        match (sas, content) {
            (sas, Content::Done) if facts.without_request => self.keep(facts, State::Sas(sas)),
            (Sas::StartSent { starter, start }, Content::Accept(accept)) => {
                match accept.choice(self.config.short_strings) {
                    Ok(choice) => {
                        let sent = starter.receive_accept(choice, accept.commitment);
                        self.send(now, &mut facts, &Content::Key { key: sent.public_key().to_string() });
                        self.keep(facts, State::Sas(Sas::KeySent { sent, start }));
                    }
                    Err(error) => self.fail(now, facts, Reason::Sas(error)),
                }
            }
            (Sas::KeySent { sent, start }, Content::Key { key }) => {
                match sent.receive_key(key, start.canonical().as_bytes()) {
                    Ok(compare) => self.compare(facts, compare),
                    Err(error) => self.fail(now, facts, Reason::Sas(error)),
                }
            }
            (Sas::AcceptSent(accepter), Content::Key { key }) => match accepter.receive_key(key) {
                Ok((key, compare)) => {
                    self.send(now, &mut facts, &Content::Key { key: key.to_string() });
                    self.compare(facts, compare);
                }
                Err(error) => self.fail(now, facts, Reason::Sas(error)),
            },
            (Sas::Compare(compare), Content::Mac(mac)) => {
                match mac.received(|mac| compare.receive_mac(mac, &facts.pinned_keys())) {
                    Ok(state) => self.keep(facts, State::Sas(Sas::PeerConfirmed { state, done: false })),
                    Err(error) => self.fail(now, facts, Reason::Sas(error)),
                }
            }
            (Sas::MacSent { state, done }, Content::Mac(mac)) => {
                match mac.received(|mac| state.receive_mac(mac, &facts.pinned_keys())) {
                    Ok(verified) => {
                        self.complete(now, keys, facts, verified.device, verified.master_signing_key, done);
                    }
                    Err(error) => self.fail(now, facts, Reason::Sas(error)),
                }
            }
            (Sas::PeerConfirmed { state, .. }, Content::Done) => {
                self.keep(facts, State::Sas(Sas::PeerConfirmed { state, done: true }));
            }
            (Sas::MacSent { state, .. }, Content::Done) => {
                self.keep(facts, State::Sas(Sas::MacSent { state, done: true }));
            }
            (_, _) => self.fail(now, facts, Reason::UnexpectedMessage),
        }
    }

    /// Our user says that the short strings are the same. Anything but a comparison stays as it is, and comes back.
    pub(crate) fn confirm_sas(
        &mut self,
        now: u64,
        keys: &impl Keys,
        mut facts: Facts,
        sas: Sas,
    ) -> Option<(Facts, Sas)> {
        let own = OwnKeys {
            device: self.ed25519,
            master_signing_key: facts
                .pinned
                .filter(|pinned| pinned.own_master_is_trusted)
                .and_then(|pinned| pinned.own_master),
        };
        match sas {
            Sas::Compare(compare) => {
                let state = compare.confirm();
                let mac = self.mac(&state.macs(&own));
                self.send(now, &mut facts, &mac);
                self.keep(facts, State::Sas(Sas::MacSent { state, done: false }));
            }
            Sas::PeerConfirmed { state, done } => {
                if let Err(reason) = self.check_unchanged(keys, &facts) {
                    self.fail(now, facts, reason);
                    return None;
                }
                let (macs, verified) = state.confirm(&own);
                let mac = self.mac(&macs);
                self.send(now, &mut facts, &mac);
                self.complete(now, keys, facts, verified.device, verified.master_signing_key, done);
            }
            sas => return Some((facts, sas)),
        }
        None
    }

    fn compare(&mut self, facts: Facts, compare: Compare<String>) {
        self.show(&facts, What::ShortString { decimal: compare.decimal(), emoji: compare.emoji() });
        self.keep(facts, State::Sas(Sas::Compare(compare)));
    }

    fn mac(&self, macs: &Macs) -> Content {
        let mut mac = vec![(format!("ed25519:{}", self.device_id), macs.device.as_str().into())];
        if let Some((name, master)) = &macs.master_signing_key {
            mac.push((format!("ed25519:{}", name.as_str()), master.as_str().into()));
        }
        mac.sort();
        Content::Mac(Mac { mac, keys: macs.keys.as_str().into() })
    }

    /// The names that both sides derive from. All were parsed when they came in.
    fn sas_flow(&self, facts: &Facts, we_start: bool) -> Option<mx_sas::Flow<String>> {
        let party = |user_id, device_id| {
            let user_id = UserId::parse(user_id).ok()?;
            Some(mx_sas::Party { user_id, device_id: DeviceId::parse(device_id).ok()? })
        };
        let us = party(&self.user_id, &self.device_id)?;
        let them = party(&facts.key.user_id, facts.peer_device.as_deref()?)?;
        let (starter, accepter) = if we_start { (us, them) } else { (them, us) };
        Some(mx_sas::Flow::new(&facts.key.id, starter, accepter).ok()?.keep())
    }
}

impl Facts {
    /// The other side's keys, as they were in the beginning.
    fn pinned_keys(&self) -> PinnedKeys {
        PinnedKeys {
            device: self.pinned.map(|pinned| pinned.peer_device),
            master_signing_key: self.pinned.and_then(|pinned| pinned.peer_master),
        }
    }
}
