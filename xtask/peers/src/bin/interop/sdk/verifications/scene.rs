//! One of our devices and one of theirs, and a verification between them.

use core::fmt::Display;

use matrix_sdk_crypto::{
    QrVerification, Sas, UserIdentity, VerificationRequest, matrix_sdk_qrcode::QrVerificationData,
};
use mx_cross_signing::{OwnState, TrustLevel, UserState};
use mx_types::{RoomId, UserId};
use mx_verification::{FlowKey, FlowState, Place, What};
use rand_chacha::ChaCha20Rng;
use ruma::EventId;

use super::{
    super::block_on,
    encrypted::EncryptedRoom,
    net::{Address, Net, ROOM},
    ours::{Known, OurDevice},
    theirs::{TheirDevice, methods},
};
use crate::report::{Failure, expect, failure};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    Us,
    Them,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Us, Self::Them];

    pub const fn other(self) -> Self {
        match self {
            Self::Us => Self::Them,
            Self::Them => Self::Us,
        }
    }
}

/// Whom the devices belong to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// Two users, both with an identity.
    Users,
    /// One user. Our device has just logged in, theirs has the identity.
    OursIsNew,
    /// The other way round.
    TheirsIsNew,
}

impl Who {
    pub const ALL: [Self; 3] = [Self::Users, Self::OursIsNew, Self::TheirsIsNew];
}

/// Where its messages travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    ToDevice,
    Room,
    EncryptedRoom,
}

impl Way {
    /// Own devices are not verified in rooms.
    pub fn of(who: Who) -> &'static [Self] {
        if who == Who::Users { &[Self::ToDevice, Self::Room, Self::EncryptedRoom] } else { &[Self::ToDevice] }
    }
}

pub struct Scene {
    pub net: Net,
    pub who: Who,
    pub us: Address,
    pub them: Address,
    pub flow: FlowKey,
    /// The flow as their machine has it.
    pub request: VerificationRequest,
}

const ALICE: &str = "@alice:example.org";
const BOB: &str = "@bob:example.com";

/// Both devices have logged in and know each other's keys. `we_are_smaller` is about the order of user IDs, or device IDs.
pub fn devices(
    rng: &mut ChaCha20Rng,
    who: Who,
    we_are_smaller: bool,
) -> Result<(Net, Address, Address), Failure> {
    let users = if who == Who::Users { [ALICE, BOB] } else { [ALICE, ALICE] };
    let mut names = [(users[0], "FIRST"), (users[1], "SECOND")];
    if !we_are_smaller {
        names.swap(0, 1);
    }
    let mut net = Net::new(rng);
    let mut ours = OurDevice::log_in(rng, &mut net.server, names[0])?;
    let theirs = TheirDevice::log_in(&mut net.server, names[1])?;
    if who != Who::OursIsNew {
        ours.bootstrap(rng, &mut net.server)?;
    }
    if who != Who::TheirsIsNew {
        theirs.theirs.bootstrap(&mut net.server)?;
    }
    let (us, them) = (ours.address.clone(), theirs.address.clone());
    net.ours.push(ours);
    net.theirs.push(theirs);
    query(&mut net)?;
    Ok((net, us, them))
}

/// Every device asks for the keys of everybody.
pub fn query(net: &mut Net) -> Result<(), Failure> {
    for theirs in &net.theirs {
        theirs.theirs.query(&net.server, &[ALICE, BOB])?;
    }
    for index in 0..net.ours.len() {
        net.query(index, ALICE)?;
        net.query(index, BOB)?;
    }
    Ok(())
}

impl Scene {
    /// One side has asked, and the other was asked.
    pub fn asked(rng: &mut ChaCha20Rng, who: Who, asks: Side, way: Way) -> Result<Self, Failure> {
        let we_are_smaller = rand_core::Rng::next_u32(rng).is_multiple_of(2);
        Self::asked_by(devices(rng, who, we_are_smaller)?, who, asks, way)
    }

    pub fn asked_by(
        (mut net, us, them): (Net, Address, Address),
        who: Who,
        asks: Side,
        way: Way,
    ) -> Result<Self, Failure> {
        if way == Way::EncryptedRoom {
            net.encrypted = Some(EncryptedRoom::new(&mut net.rng, &net.theirs[0].theirs.machine)?);
        }
        let (flow, request) = match asks {
            Side::Us => {
                let flow = ask(&mut net, &us, &them, way)?;
                net.run()?;
                let request = net.theirs[0].request(&us.0, &flow)?;
                (flow, request)
            }
            Side::Them => {
                let (flow, request) = they_ask(&mut net, &us, way)?;
                net.run()?;
                expect(net.ours[0].flows.state(&flow) == Some(FlowState::Requested), "we were not asked")?;
                (flow, request)
            }
        };
        Ok(Self { net, who, us, them, flow, request })
    }

    /// Asked and answered.
    pub fn ready(rng: &mut ChaCha20Rng, who: Who, asks: Side, way: Way) -> Result<Self, Failure> {
        let mut scene = Self::asked(rng, who, asks, way)?;
        scene.answer(asks.other())?;
        Ok(scene)
    }

    pub fn answer(&mut self, answers: Side) -> Result<(), Failure> {
        match answers {
            Side::Us => {
                let flow = self.flow.clone();
                self.net.act(0, |flows, rng, time, known| flows.accept(rng, time, known, &flow))?;
            }
            Side::Them => {
                let ready = self.request.accept_with_methods(methods()).ok_or("they cannot accept")?;
                self.net.send_theirs(0, ready)?;
            }
        }
        self.net.run()?;
        self.expect_state(FlowState::Ready)?;
        expect(self.request.is_ready(), "they are not ready")
    }

    /// A side starts to compare short strings.
    pub fn start_sas(&mut self, side: Side) -> Result<(), Failure> {
        match side {
            Side::Us => {
                let flow = self.flow.clone();
                self.net.act(0, |flows, rng, time, _| flows.start_sas(rng, time, &flow))
            }
            Side::Them => {
                let (_, start) = block_on(self.request.start_sas())?.ok_or("they cannot start")?;
                self.net.send_theirs(0, start)
            }
        }
    }

    /// The short strings are shown, and are the same.
    pub fn compare(&mut self, starts: Side) -> Result<Sas, Failure> {
        self.start_sas(starts)?;
        self.net.run()?;
        let sas = self.sas()?;
        self.expect_same_string(&sas)?;
        Ok(sas)
    }

    pub fn expect_same_string(&self, sas: &Sas) -> Result<(), Failure> {
        let (decimal, emoji) = self.net.ours[0].short_string()?;
        let theirs = sas.decimals().map(|(a, b, c)| [a, b, c]);
        expect(theirs == Some(decimal), "other numbers")?;
        expect(sas.emoji_index() == Some(emoji), "other emoji")
    }

    pub fn sas(&self) -> Result<Sas, Failure> {
        self.net.theirs[0].sas(&self.us.0, &self.flow)
    }

    /// A user says that it is the same, or that the other device reports success.
    pub fn confirm(&mut self, side: Side) -> Result<(), Failure> {
        if side == Side::Us {
            let flow = self.flow.clone();
            return self.net.act(0, |flows, _, time, known| flows.confirm(time, known, &flow));
        }
        if let Ok(sas) = self.sas() {
            let (requests, upload) = block_on(sas.confirm())?;
            for request in requests {
                self.net.send_theirs(0, request)?;
            }
            if let Some(upload) = upload {
                self.net.theirs[0].theirs.upload_signatures(&mut self.net.server, upload)?;
            }
            return Ok(());
        }
        let done = self.qr()?.confirm_scanning().ok_or("they have nothing to confirm")?;
        self.net.send_theirs(0, done)
    }

    pub fn qr(&self) -> Result<QrVerification, Failure> {
        self.net.theirs[0].qr(&self.us.0, &self.flow)
    }

    /// A side shows a code: what is in it.
    pub fn show(&mut self, side: Side) -> Result<Vec<u8>, Failure> {
        match side {
            Side::Us => {
                let Net { ours, rng, .. } = &mut self.net;
                let device = &mut ours[0];
                Ok(device.flows.show_qr(rng, &Known(&device.identities), &self.flow)?.to_vec())
            }
            Side::Them => {
                let qr = block_on(self.request.generate_qr_code())?.ok_or("they have no code to show")?;
                Ok(qr.to_bytes()?)
            }
        }
    }

    /// A side scans a code. Theirs has it checked, then says so.
    pub fn scan(&mut self, side: Side, code: &[u8]) -> Result<(), Failure> {
        match side {
            Side::Us => {
                let flow = self.flow.clone();
                self.net.act(0, |flows, _, time, known| flows.scan(time, known, &flow, code))
            }
            Side::Them => {
                let code = QrVerificationData::from_bytes(code)?;
                let qr = block_on(self.request.scan_qr_code(code))?.ok_or("they cannot scan")?;
                let start = qr.reciprocate().ok_or("they cannot start")?;
                self.net.send_theirs(0, start)
            }
        }
    }

    /// A user does not want any more.
    pub fn cancel(&mut self, side: Side) -> Result<(), Failure> {
        match side {
            Side::Us => {
                let flow = self.flow.clone();
                self.net.act(0, |flows, _, time, _| flows.cancel(time, &flow))
            }
            Side::Them => {
                let cancel = self.request.cancel().ok_or("they cannot cancel")?;
                self.net.send_theirs(0, cancel)
            }
        }
    }

    pub fn state(&self) -> Option<FlowState> {
        self.net.ours[0].flows.state(&self.flow)
    }

    pub fn expect_state(&self, wanted: FlowState) -> Result<(), Failure> {
        let state = self.state();
        let events = &self.net.ours[0].events;
        expect(state == Some(wanted), &format!("{state:?} with us, not {wanted:?}, after {events:?}"))
    }

    /// Both sides have verified and are done, and both see what follows from that: the same.
    pub fn expect_verified(&mut self) -> Result<(), Failure> {
        self.expect_state(FlowState::Done)?;
        let done = self.net.ours[0].events.iter().any(|what| matches!(what, What::Done));
        expect(done && self.net.ours[0].has_verified(), "we do not say that it is verified")?;
        expect(self.request.is_done(), "their request is not done")?;
        expect(self.net.log.iter().all(|message| !message.event_type.ends_with("cancel")), "a cancel")?;
        query(&mut self.net)?;
        self.expect_agreed()
    }

    fn expect_agreed(&self) -> Result<(), Failure> {
        let (ours, theirs) = (&self.net.ours[0].identities, &self.net.theirs[0].theirs);
        if self.who == Who::Users {
            let states = (ours.user_state(&self.them.0)?, theirs.user_state(&self.us.0)?);
            expect(states == (Some(UserState::Verified), Some(UserState::Verified)), "users not verified")?;
        } else {
            let states = (ours.own_state(), theirs.own_state()?);
            expect(states == (OwnState::Verified, OwnState::Verified), &format!("own users: {states:?}"))?;
        }
        let levels = (ours.level(&self.them.0, &self.them.1)?, theirs.level(&self.us.0, &self.us.1)?);
        let verified = Some(TrustLevel::Verified);
        expect(levels == (verified, verified), &format!("devices: {levels:?}"))
    }

    /// Both sides have ended, one by this code, the other by hearing it; nobody has verified anything.
    pub fn expect_cancelled(&mut self, by: Side, code: &str) -> Result<(), Failure> {
        let ours = self.net.ours[0].cancelled();
        let wanted = Some((code, by == Side::Us));
        expect(ours == wanted, &format!("with us {ours:?}, not {wanted:?}"))?;
        let info = self.request.cancel_info().ok_or("not cancelled with them")?;
        let theirs = (info.cancel_code().as_str(), info.cancelled_by_us());
        let wanted = (code, by == Side::Them);
        expect(theirs == wanted, &format!("with them {theirs:?}, not {wanted:?}"))?;
        self.expect_nothing_verified()
    }

    pub fn expect_nothing_verified(&mut self) -> Result<(), Failure> {
        expect(!self.net.ours[0].has_verified(), "verified with us")?;
        query(&mut self.net)?;
        let (ours, theirs) = (&self.net.ours[0].identities, &self.net.theirs[0].theirs);
        let levels = (ours.level(&self.them.0, &self.them.1)?, theirs.level(&self.us.0, &self.us.1)?);
        let verified = Some(TrustLevel::Verified);
        expect(levels.0 != verified && levels.1 != verified, &format!("devices: {levels:?}"))
    }
}

/// Our first device asks.
pub fn ask(net: &mut Net, us: &Address, them: &Address, way: Way) -> Result<FlowKey, Failure> {
    debug_assert_eq!(net.ours[0].address, *us);
    let user_id = UserId::parse(&them.0)?;
    match way {
        Way::ToDevice => net.act_for(0, |flows, rng, time, known| {
            flows.request_to_device(rng, time, known, user_id, &[&them.1])
        }),
        Way::Room | Way::EncryptedRoom => {
            let room_id = RoomId::parse(ROOM)?;
            net.act_for(0, |flows, _, time, known| flows.request_in_room(time, known, room_id, user_id))?;
            Ok(net.ours[0].asked_in_room.clone().ok_or("no request in the room")?)
        }
    }
}

/// Their first device asks.
pub fn they_ask(net: &mut Net, us: &Address, way: Way) -> Result<(FlowKey, VerificationRequest), Failure> {
    let them = net.theirs[0].address.clone();
    let flow = |place, id: &str| FlowKey { place, user_id: them.0.clone(), id: id.to_owned() };
    match way {
        Way::ToDevice => {
            let device = net.theirs[0].theirs.device(&us.0, &us.1)?.ok_or("they do not know our device")?;
            let (request, message) = device.request_verification_with_methods(methods());
            net.send_theirs(0, message)?;
            Ok((flow(Place::ToDevice, request.flow_id().as_str()), request))
        }
        Way::Room | Way::EncryptedRoom => {
            let user = net.theirs[0].theirs.identity(&us.0)?.and_then(UserIdentity::other);
            let user = user.ok_or("they do not know our user")?;
            let content = serde_json::to_value(user.verification_request_content(Some(methods())))?;
            let event_id = net.post_to_room(them.clone(), "m.room.message", content);
            let (room_id, event) = (ruma::RoomId::parse(ROOM)?, EventId::parse(&*event_id)?);
            let request = user.request_verification(&room_id, &event, Some(methods()));
            Ok((flow(Place::Room { room_id: ROOM.to_owned() }, &event_id), request))
        }
    }
}

/// Says which of many flows failed.
pub fn in_case<T>(case: impl Display, outcome: Result<T, Failure>) -> Result<T, Failure> {
    outcome.or_else(|reason| failure(format!("{case}: {reason}")))
}
