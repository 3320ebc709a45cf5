//! More than two devices: one request to several, answered by one, by two at once, or declined; our own other devices; and requests
//! that cross.

use matrix_sdk_crypto::{UserIdentity, VerificationRequest};
use mx_types::UserId;
use mx_verification::{FlowKey, FlowState, Place, What};
use rand_chacha::ChaCha20Rng;

use super::{
    super::block_on,
    net::{Address, Net},
    ours::OurDevice,
    scene::{Scene, Side, Way, Who, ask, devices, query, they_ask},
    theirs::{TheirDevice, methods},
};
use crate::report::{Failure, Outcome, expect};

/// Devices of theirs that we ask.
const ASKED: usize = 3;

/// We ask several devices of theirs at once.
struct Asked {
    net: Net,
    us: Address,
    them: Vec<Address>,
    flow: FlowKey,
    requests: Vec<VerificationRequest>,
}

impl Asked {
    fn new(rng: &mut ChaCha20Rng, who: Who) -> Result<Self, Failure> {
        let (mut net, us, first) = devices(rng, who, true)?;
        let mut them = vec![first];
        for number in 1..ASKED {
            let address = (them[0].0.clone(), format!("MORE{number}"));
            net.theirs.push(TheirDevice::log_in(&mut net.server, (&address.0, &address.1))?);
            them.push(address);
        }
        query(&mut net)?;
        let user_id = them[0].0.clone();
        let ids: Vec<&str> = them.iter().map(|(_, device_id)| device_id.as_str()).collect();
        let flow = net.act_for(0, |flows, rng, time, known| {
            flows.request_to_device(rng, time, known, UserId::parse(&user_id).expect("theirs"), &ids)
        })?;
        net.run()?;
        let requests =
            net.theirs.iter().map(|device| device.request(&us.0, &flow)).collect::<Result<_, _>>()?;
        Ok(Self { net, us, them, flow, requests })
    }

    fn accepts(&mut self, index: usize) -> Result<(), Failure> {
        let ready = self.requests[index].accept_with_methods(methods()).ok_or("they cannot accept")?;
        self.net.send_theirs(index, ready)
    }

    fn expect_told(&self, index: usize, code: &str) -> Result<(), Failure> {
        let info = self.requests[index].cancel_info();
        let told = info.as_ref().map(|info| info.cancel_code().as_str());
        expect(told == Some(code), &format!("device {index} was told {told:?}, not {code}"))
    }

    /// The rest, with the device that is first in the list.
    fn to_the_end(self, who: Who) -> Result<(), Failure> {
        let Self { net, us, mut them, flow, mut requests } = self;
        let mut scene = Scene { net, who, us, them: them.remove(0), flow, request: requests.remove(0) };
        scene.compare(Side::Them)?;
        scene.confirm(Side::Us)?;
        scene.confirm(Side::Them)?;
        scene.net.run()?;
        scene.expect_state(FlowState::Done)?;
        expect(scene.request.is_done() && scene.net.ours[0].has_verified(), "not verified")
    }
}

/// We ask three devices of theirs. One accepts; two at once; one declines.
pub fn of_theirs(rng: &mut ChaCha20Rng) -> Outcome {
    for who in Who::ALL {
        let mut asked = Asked::new(rng, who)?;
        asked.accepts(0)?;
        asked.net.run()?;
        let mut told = asked.net.cancels(&asked.us);
        told.sort();
        let accepted = |device: &str| ("m.accepted".to_owned(), Some(device.to_owned()));
        expect(told == [accepted("MORE1"), accepted("MORE2")], &format!("we told {told:?}"))?;
        asked.expect_told(1, "m.accepted")?;
        asked.expect_told(2, "m.accepted")?;
        asked.to_the_end(who)?;

        // VER-47
        let mut asked = Asked::new(rng, who)?;
        asked.accepts(0)?;
        asked.accepts(1)?;
        asked.net.run()?;
        asked.expect_told(1, "m.accepted")?;
        asked.expect_told(2, "m.accepted")?;
        expect(asked.requests[0].is_ready(), "the first is not ready")?;
        asked.to_the_end(who)?;

        // VER-41
        let mut asked = Asked::new(rng, who)?;
        let cancel = asked.requests[1].cancel().ok_or("they cannot decline")?;
        asked.net.send_theirs(1, cancel)?;
        asked.net.run()?;
        expect(asked.net.ours[0].cancelled() == Some(("m.user", false)), "we did not hear it")?;
        asked.expect_told(0, "m.user")?;
        asked.expect_told(2, "m.user")?;

        // VER-44
        let mut asked = Asked::new(rng, who)?;
        let flow = asked.flow.clone();
        asked.net.act(0, |flows, _, time, _| flows.cancel(time, &flow))?;
        asked.net.run()?;
        for index in 0..ASKED {
            asked.expect_told(index, "m.user")?;
        }
    }
    Ok(format!("12 requests to {ASKED} devices"))
}

/// Their machine asks two devices of ours, of one user.
pub fn of_ours(rng: &mut ChaCha20Rng) -> Outcome {
    for declined in [false, true] {
        let (mut net, us, them) = devices(rng, Who::OursIsNew, true)?;
        let second = OurDevice::log_in(rng, &mut net.server, (&us.0, "MORE"))?;
        net.ours.push(second);
        query(&mut net)?;
        // They ask only those that their identity has signed.
        net.theirs[0].theirs.sign_device(&mut net.server, &us.1)?;
        net.theirs[0].theirs.sign_device(&mut net.server, "MORE")?;
        query(&mut net)?;
        let own = net.theirs[0].theirs.identity(&us.0)?.and_then(UserIdentity::own).ok_or("no identity")?;
        let (request, message) = block_on(own.request_verification_with_methods(methods()))?;
        net.send_theirs(0, message)?;
        net.run()?;
        let id = request.flow_id().as_str().to_owned();
        let flow = FlowKey { place: Place::ToDevice, user_id: them.0.clone(), id };
        for device in &net.ours {
            expect(device.flows.state(&flow) == Some(FlowState::Requested), "a device was not asked")?;
        }
        if declined {
            net.act(0, |flows, _, time, _| flows.cancel(time, &flow))?;
            net.run()?;
            expect(request.is_cancelled(), "they did not hear it")?;
            expect(net.ours[1].cancelled() == Some(("m.user", false)), "our other device did not hear it")?;
        } else {
            net.act(0, |flows, rng, time, known| flows.accept(rng, time, known, &flow))?;
            net.run()?;
            expect(net.ours[1].flows.state(&flow) == Some(FlowState::Passive), "our other device goes on")?;
            expect(net.ours[1].events.contains(&What::Elsewhere), "our other device is not told")?;
            expect(net.cancels(&(us.0.clone(), "MORE".to_owned())).is_empty(), "it has cancelled")?;
            let mut scene = Scene { net, who: Who::OursIsNew, us, them, flow, request };
            scene.compare(Side::Us)?;
            scene.confirm(Side::Them)?;
            scene.confirm(Side::Us)?;
            scene.net.run()?;
            scene.expect_state(FlowState::Done)?;
        }
    }
    Ok("accepted by one, declined by one".to_owned())
}

/// In a room all devices of both users see everything: those that did not answer keep out of it (VER-42, VER-45).
pub fn in_room(rng: &mut ChaCha20Rng) -> Outcome {
    for asks in Side::BOTH {
        let (mut net, us, them) = devices(rng, Who::Users, true)?;
        let more = OurDevice::log_in(rng, &mut net.server, (&us.0, "MORE"))?;
        net.ours.push(more);
        let more = TheirDevice::log_in(&mut net.server, (&them.0, "MORE"))?;
        net.theirs.push(more);
        query(&mut net)?;
        let mut scene = Scene::asked_by((net, us, them), Who::Users, asks, Way::Room)?;
        let their_other = scene.net.theirs[1].request(&scene.us.0, &scene.flow);
        scene.answer(asks.other())?;
        scene.compare(Side::Them)?;
        scene.confirm(Side::Us)?;
        scene.confirm(Side::Them)?;
        scene.net.run()?;
        scene.expect_verified()?;
        let other = &scene.net.ours[1];
        expect(!other.has_verified() && other.cancelled().is_none(), "our other device takes part")?;
        match asks {
            Side::Us => {
                let _ = their_other?;
                expect(
                    other.flows.state(&scene.flow).is_none(),
                    "our other device follows a request of ours",
                )?;
            }
            Side::Them => {
                expect(
                    other.flows.state(&scene.flow) == Some(FlowState::Passive),
                    "our other device goes on",
                )?;
                expect(other.events.contains(&What::Elsewhere), "our other device is not told")?;
            }
        }
        let silent = |address: Address| scene.net.log.iter().all(|message| message.sender != address);
        expect(silent((scene.us.0.clone(), "MORE".to_owned())), "our other device speaks")?;
    }
    Ok("asked by either side".to_owned())
}

/// Both ask at the same time: no verification on either side afterwards, and neither waits for one (VER-74: their machine cancels
/// both, whoever asked).
pub fn crossing(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for who in Who::ALL {
        for way in Way::of(who).iter().filter(|way| **way != Way::EncryptedRoom) {
            for we_are_smaller in [true, false] {
                let (mut net, us, them) = devices(rng, who, we_are_smaller)?;
                let flow = ask(&mut net, &us, &them, *way)?;
                let (other, request) = they_ask(&mut net, &us, *way)?;
                net.run()?;
                let over = |flow| {
                    matches!(
                        net.ours[0].flows.state(flow),
                        None | Some(FlowState::Cancelled | FlowState::Passive)
                    )
                };
                let case = format!("{who:?}, {way:?}, we are smaller: {we_are_smaller}");
                expect(over(&flow) && over(&other), &format!("{case}: {:?}", net.ours[0].events))?;
                expect(request.is_cancelled(), &format!("{case}: theirs lives"))?;
                expect(net.ours[0].flows.flows().count() == 0, "something lives")?;
                count += 1;
            }
        }
    }
    Ok(format!("{count} times"))
}
