//! Codes, and `m.reciprocate.v1`.

use alloc::string::String;
use alloc::vec::Vec;

use mx_qr_code::{
    Displayed, Displaying, OwnMasterSigningKey, QrCode, ReciprocateSecret, Scanner, VerifiedKey, WrongSecret,
};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::content::{Content, Kind, emit_reciprocate};
use crate::error::ActError;
use crate::event::What;
use crate::flow::{Facts, Flow, Pinned, Started, State};
use crate::flow_key::FlowKey;
use crate::keys::Keys;
use crate::reason::Reason;
use crate::step::Step;
use crate::time::Time;
use crate::verifications::Verifications;

/// The code that is, or was, displayed. There is one for each flow.
pub(crate) type Code = Displayed<String>;

impl Verifications {
    /// The bytes of the QR code of a flow, for one segment in byte mode; wiped when dropped. Another call gives the same.
    ///
    /// # Errors
    ///
    /// [`ActError`].
    pub fn show_qr<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        keys: &impl Keys,
        flow: &FlowKey,
    ) -> Result<Zeroizing<Vec<u8>>, ActError> {
        let place = self.flows.iter().position(|live| live.facts.key == *flow);
        let live = place.and_then(|place| self.flows.get(place)).ok_or(ActError::UnknownFlow)?;
        let State::Ready = live.state else { return Err(ActError::NotNow) };
        if let Some(code) = &live.facts.code {
            return Ok(code.emit_to_vec());
        }
        if !live.facts.methods().show_qr {
            return Err(ActError::NotInCommon);
        }
        let displaying = self.displaying(keys, &live.facts).ok_or(ActError::NoMasterSigningKey)?;
        let code = Displayed::new(rng, flow.id.clone(), displaying).map_err(ActError::Display)?;
        let bytes = code.emit_to_vec();
        if let Some(live) = place.and_then(|place| self.flows.get_mut(place)) {
            live.facts.code = Some(code);
        }
        Ok(bytes)
    }

    /// Takes the bytes of a code that was scanned. If its keys are wrong the verification is cancelled, and the step says so.
    ///
    /// # Errors
    ///
    /// [`ActError`]: the verification goes on, and nothing is sent.
    pub fn scan(
        &mut self,
        time: Time,
        keys: &impl Keys,
        flow: &FlowKey,
        bytes: &[u8],
    ) -> Result<Step, ActError> {
        let now = self.expire(time);
        let live = self.flows.iter().find(|live| live.facts.key == *flow).ok_or(ActError::UnknownFlow)?;
        let State::Ready = live.state else { return Err(ActError::NotNow) };
        if !live.facts.methods().scan_qr {
            return Err(ActError::NotInCommon);
        }
        let scanner = self.scanner(keys, &live.facts).ok_or(ActError::NoMasterSigningKey)?;
        let checked = QrCode::parse(bytes).map_err(ActError::Code)?.check(&flow.id, &scanner);
        if let Err(error) = checked
            && error.cancel_code().is_none()
        {
            return Err(ActError::Scan(error));
        }
        let Some(Flow { mut facts, .. }) = self.take_flow(flow) else { return Err(ActError::UnknownFlow) };
        match checked {
            Ok(scanned) => {
                let start = emit_reciprocate(&self.device_id, scanned.secret(), facts.key.flow_id());
                facts.used = now;
                self.send_as(&facts, Kind::Start, start);
                facts.own_start = Some(Started::Reciprocate);
                self.show(&facts, What::CodeAccepted);
                self.keep(facts, State::Reciprocated(scanned));
            }
            Err(error) => self.fail(now, facts, Reason::Scan(error)),
        }
        Ok(self.take_step())
    }

    /// Takes the start of a device that says it has scanned our code.
    pub(crate) fn receive_reciprocate(
        &mut self,
        now: u64,
        keys: &impl Keys,
        mut facts: Facts,
        state: &State,
        secret: &ReciprocateSecret,
    ) {
        let Some(code) = facts.code.take() else {
            return self.fail(now, facts, Reason::UnexpectedMessage);
        };
        match (code.receive_start(secret), state) {
            (Err(WrongSecret), _) => self.fail(now, facts, Reason::WrongSecret(WrongSecret)),
            // Each has scanned the other's code, and their start counts: our own scan has shown what our user would be asked.
            (Ok(waiting), State::Reciprocated(_)) => {
                facts.own_start = None;
                self.complete_qr(now, keys, facts, waiting.confirm(), false);
            }
            (Ok(waiting), _) => {
                self.show(&facts, What::CodeScanned);
                self.keep(facts, State::Scanned { waiting, done: false });
            }
        }
    }

    pub(crate) fn complete_qr(
        &mut self,
        now: u64,
        keys: &impl Keys,
        facts: Facts,
        verified: VerifiedKey,
        done: bool,
    ) {
        let (device, master) = match verified {
            VerifiedKey::DeviceKey(key) => (Some(key), None),
            VerifiedKey::MasterSigningKey(key) => (None, Some(key)),
        };
        self.complete(now, keys, facts, device, master, done);
    }

    /// Takes what comes after the start.
    pub(crate) fn receive_qr(
        &mut self,
        now: u64,
        keys: &impl Keys,
        facts: Facts,
        state: State,
        content: &Content,
    ) {
        match (state, content) {
            // Not a confirmation: our user has not looked yet.
            (State::Scanned { waiting, .. }, Content::Done) => {
                self.keep(facts, State::Scanned { waiting, done: true });
            }
            (State::Reciprocated(scanned), Content::Done) => {
                self.complete_qr(now, keys, facts, scanned.receive_done(), true);
            }
            (_, _) => self.fail(now, facts, Reason::UnexpectedMessage),
        }
    }

    /// The keys that our code has, if there can be one.
    fn displaying(&self, keys: &impl Keys, facts: &Facts) -> Option<Displaying> {
        let pinned = facts.pinned?;
        let own_master = pinned.own_master?;
        let is_trusted = self.trusts(keys, &pinned);
        Some(if !self.is_own_user(&facts.key.user_id) {
            let their_master = pinned.peer_master.filter(|_| is_trusted)?;
            Displaying::ToOtherUser { own_master, their_master }
        } else if is_trusted {
            Displaying::Trusting { own_master, their_device: pinned.peer_device }
        } else {
            Displaying::NotTrusting { own_device: self.ed25519, own_master }
        })
    }

    /// The keys that the other side's code must have.
    fn scanner(&self, keys: &impl Keys, facts: &Facts) -> Option<Scanner> {
        let pinned = facts.pinned?;
        let own_master = pinned.own_master?;
        let own_master = if self.trusts(keys, &pinned) {
            OwnMasterSigningKey::Trusted(own_master)
        } else {
            OwnMasterSigningKey::NotTrusted(own_master)
        };
        Some(if self.is_own_user(&facts.key.user_id) {
            Scanner::OwnUser { own_master, own_device: self.ed25519, their_device: pinned.peer_device }
        } else {
            Scanner::OtherUser { own_master, their_master: pinned.peer_master? }
        })
    }

    /// Whether this device trusts, now as in the beginning, the master signing key of its user.
    fn trusts(&self, keys: &impl Keys, pinned: &Pinned) -> bool {
        let own_master = self.own_keys(keys).master_signing_key;
        pinned.own_master_is_trusted && keys.own_master_is_trusted() && own_master == pinned.own_master
    }
}
