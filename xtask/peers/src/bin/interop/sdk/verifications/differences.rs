//! Flows in which something is odd, each with either implementation as the one that has to deal with it.

use mx_curve25519::Curve25519SecretKey;
use mx_types::{DeviceId, UserId};
use mx_verification::{FlowKey, FlowState, Place};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::{
    super::differences::Differences,
    ends::damage,
    net::{Address, Message, To},
    ours::OurDevice,
    qr_differences,
    scene::{Scene, Side, Way, Who, ask, devices, query, they_ask},
    theirs::TheirDevice,
};
use crate::{
    differences::Verdict,
    report::{Failure, Report, expect},
};

/// A flow with one implementation under test. Whether it does what the name of the case says.
pub type Case = fn(&mut ChaCha20Rng, Side) -> Verdict;

/// Requirement, what is done or refused, whether it must be done.
const CASES: [(&str, &str, bool, Case); 17] = [
    ("SAS-13", "a member added to `start` on its way is noticed", true, added_member),
    ("SAS-17", "a wrong commitment: m.mismatched_commitment", true, wrong_commitment),
    ("SAS-18", "a key of zeros: m.key_mismatch", true, key_of_zeros),
    ("SAS-39", "a wrong MAC: m.key_mismatch", true, wrong_mac),
    ("SAS-60", "`done` before `mac`: both done all the same", true, done_before_mac),
    ("VER-17", "a `start` without its members: m.invalid_message", true, unreadable),
    ("VER-17", "a key that is no Base64: m.invalid_message", true, no_base64),
    ("VER-21", "each message comes twice: verified all the same", true, twice),
    ("VER-35", "a request of a device whose keys come later", true, unknown_device),
    ("VER-37", "a `ready` without a common method: m.unknown_method", true, nothing_in_common),
    ("VER-41", "declined with another code: other devices hear m.user", true, declined),
    ("VER-55", "a `start` of an unknown method: m.unknown_method", true, unknown_method),
    ("VER-64", "a `key` before any `start`: m.unexpected_message", true, out_of_turn),
    ("VER-66", "a `cancel` of a third user in the room ends the flow", false, third_user),
    ("VER-80", "a `ready` for no request: m.unknown_transaction", true, unknown_transaction),
    ("VER-84", "another master signing key in the middle: m.key_mismatch", true, keys_change),
    ("VER-85", "a user with a device named as the master signing key", false, named_as_key),
];

pub fn differences(d: &mut Differences, report: &mut Report, rng: &ChaCha20Rng) -> Verdict {
    for (requirement, name, wanted, case) in CASES.into_iter().chain(qr_differences::CASES) {
        let ours = || case(&mut rng.clone(), Side::Us);
        let theirs = || case(&mut rng.clone(), Side::Them);
        d.case(report, (requirement, name), wanted, &ours, &theirs);
    }
    Ok(())
}

impl Scene {
    pub fn address(&self, side: Side) -> Address {
        if side == Side::Us { self.us.clone() } else { self.them.clone() }
    }

    /// Changes messages of a type that a side sends.
    fn change(&mut self, side: Side, event_type: &'static str, change: impl Fn(&mut Value) + 'static) {
        let sender = self.address(side);
        self.net.change = Some(Box::new(move |message: &mut Message| {
            if message.sender == sender && message.event_type.ends_with(event_type) {
                change(&mut message.content);
            }
        }));
    }

    /// A side is made to send something to the tested one.
    pub fn sends(&mut self, side: Side, event_type: &str, content: Value) -> Verdict {
        let (from, to, flow) = (self.address(side), self.address(side.other()), self.flow.clone());
        self.net.make_up(&from, &to, &flow, event_type, content);
        self.net.run()
    }

    pub fn expect_code(&self, side: Side, code: &str) -> Verdict {
        let sent = self.net.cancels(&self.address(side));
        expect(sent.first().is_some_and(|(sent, _)| sent == code), &format!("{sent:?}"))
    }
}

fn ready(rng: &mut ChaCha20Rng, asks: Side) -> Result<Scene, Failure> {
    Scene::ready(rng, Who::Users, asks, Way::Room)
}

fn added_member(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.change(tested.other(), ".start", |start| start["org.example.more"] = 1.into());
    scene.start_sas(tested.other())?;
    scene.net.run()?;
    expect(scene.state() == Some(FlowState::Cancelled), "the commitment does not cover it")
}

fn wrong_commitment(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.change(tested.other(), ".accept", |accept| damage(&mut accept["commitment"]));
    scene.start_sas(tested)?;
    scene.net.run()?;
    scene.expect_code(tested, "m.mismatched_commitment")
}

fn key_of_zeros(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.change(tested.other(), ".key", |key| key["key"] = "A".repeat(43).into());
    scene.start_sas(tested.other())?;
    scene.net.run()?;
    scene.expect_code(tested, "m.key_mismatch")
}

fn wrong_mac(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.change(tested.other(), ".mac", |mac| damage(&mut mac["mac"]));
    scene.compare(Side::Us)?;
    scene.confirm(Side::Us)?;
    scene.confirm(Side::Them)?;
    scene.net.run()?;
    scene.expect_code(tested, "m.key_mismatch")
}

/// The side that confirms last says both at once.
fn done_before_mac(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    let sas = scene.compare(Side::Us)?;
    scene.confirm(tested)?;
    scene.net.run()?;
    scene.confirm(tested.other())?;
    let mut messages = scene.net.take_all();
    expect(messages.len() == 2 && messages[1].event_type.ends_with(".done"), "not `mac` and `done`")?;
    messages.reverse();
    messages.into_iter().for_each(|message| scene.net.post(message));
    scene.net.run()?;
    expect(sas.is_done() && scene.state() == Some(FlowState::Done), "not done")
}

fn unreadable(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    let device = scene.address(tested.other()).1;
    scene.sends(tested.other(), "start", json!({ "from_device": device, "method": "m.sas.v1" }))?;
    scene.expect_code(tested, "m.invalid_message")
}

fn no_base64(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.change(tested.other(), ".key", |key| key["key"] = "?".into());
    scene.start_sas(tested.other())?;
    scene.net.run()?;
    scene.expect_code(tested, "m.invalid_message")
}

fn twice(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    scene.net.twice = Some(scene.address(tested));
    scene.start_sas(tested.other())?;
    scene.net.run()?;
    let sas = scene.sas()?;
    scene.expect_same_string(&sas)?;
    scene.confirm(Side::Us)?;
    scene.confirm(Side::Them)?;
    scene.net.run()?;
    expect(sas.is_done() && scene.state() == Some(FlowState::Done), "not done")
}

fn unknown_device(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let (mut net, us, them) = devices(rng, Who::Users, true)?;
    let flow = match tested {
        Side::Us => {
            net.theirs[0] = TheirDevice::log_in(&mut net.server, (&them.0, "LATE"))?;
            net.theirs[0].theirs.query(&net.server, &[&us.0])?;
            they_ask(&mut net, &us, Way::ToDevice)?.0
        }
        Side::Them => {
            net.ours[0] = OurDevice::log_in(rng, &mut net.server, (&us.0, "LATE"))?;
            net.query(0, &them.0)?;
            let us = net.ours[0].address.clone();
            ask(&mut net, &us, &them, Way::ToDevice)?
        }
    };
    net.run()?;
    query(&mut net)?;
    match tested {
        Side::Us => expect(net.ours[0].flows.state(&flow) == Some(FlowState::Requested), "dropped"),
        Side::Them => net.theirs[0].request(&us.0, &flow).map(drop),
    }
}

fn nothing_in_common(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = Scene::asked(rng, Who::Users, tested, Way::Room)?;
    let device = scene.address(tested.other()).1;
    let content = json!({ "from_device": device, "methods": ["org.example.method"] });
    scene.sends(tested.other(), "ready", content)?;
    scene.expect_code(tested, "m.unknown_method")
}

/// One of two devices that were asked.
fn declined(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let (mut net, us, them) = devices(rng, Who::OursIsNew, true)?;
    let content = json!({ "code": "m.timeout", "reason": "" });
    let (flow, asker, asked) = match tested {
        Side::Us => {
            net.theirs.push(TheirDevice::log_in(&mut net.server, (&them.0, "MORE"))?);
            query(&mut net)?;
            let flow = net.act_for(0, |flows, rng, time, known| {
                let user_id = UserId::parse(&them.0).expect("theirs");
                flows.request_to_device(rng, time, known, user_id, &[&them.1, "MORE"])
            })?;
            (flow, us, them)
        }
        Side::Them => {
            net.ours.push(OurDevice::log_in(rng, &mut net.server, (&us.0, "MORE"))?);
            query(&mut net)?;
            net.theirs[0].theirs.sign_device(&mut net.server, &us.1)?;
            net.theirs[0].theirs.sign_device(&mut net.server, "MORE")?;
            query(&mut net)?;
            let own = net.theirs[0].theirs.identity(&us.0)?.and_then(matrix_sdk_crypto::UserIdentity::own);
            let own = own.ok_or("no identity")?;
            let (request, message) = super::super::block_on(own.request_verification())?;
            net.send_theirs(0, message)?;
            let id = request.flow_id().as_str().to_owned();
            (FlowKey { place: Place::ToDevice, user_id: them.0.clone(), id }, them, us)
        }
    };
    net.run()?;
    net.make_up(&asked, &asker, &flow, "cancel", content);
    net.run()?;
    let told = net.cancels(&asker);
    let as_wanted = !told.is_empty() && told.iter().all(|(code, _)| code == "m.user");
    expect(as_wanted, &format!("{told:?}"))
}

fn unknown_method(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    let device = scene.address(tested.other()).1;
    let content = json!({ "from_device": device, "method": "org.example.method" });
    scene.sends(tested.other(), "start", content)?;
    scene.expect_code(tested, "m.unknown_method")
}

fn out_of_turn(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    let key = Curve25519SecretKey::generate(rng)?.public_key().to_string();
    scene.sends(tested.other(), "key", json!({ "key": key }))?;
    scene.expect_code(tested, "m.unexpected_message")
}

fn third_user(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    let (third, flow) = (("@mallory:example.net".to_owned(), "THIRD".to_owned()), scene.flow.clone());
    let content = json!({ "code": "m.user", "reason": "" });
    scene.net.make_up(&third, &scene.us.clone(), &flow, "cancel", content);
    scene.net.run()?;
    match tested {
        Side::Us => expect(scene.state() != Some(FlowState::Ready), "it goes on"),
        Side::Them => expect(!scene.request.is_ready(), "it goes on"),
    }
}

fn unknown_transaction(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let (mut net, us, them) = devices(rng, Who::Users, true)?;
    let (from, to) = if tested == Side::Us { (them, us) } else { (us, them) };
    let content =
        json!({ "from_device": from.1, "methods": ["m.sas.v1"], "transaction_id": "nobody knows it" });
    let event_type = "m.key.verification.ready".to_owned();
    net.post(Message { sender: from, to: To::Device(to.clone()), event_type, content });
    net.run()?;
    let sent = net.cancels(&to);
    expect(sent.first().is_some_and(|(code, _)| code == "m.unknown_transaction"), &format!("{sent:?}"))
}

fn keys_change(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = ready(rng, Side::Us)?;
    match tested {
        Side::Us => drop(scene.net.theirs[0].theirs.bootstrap(&mut scene.net.server)?),
        Side::Them => scene.net.ours[0].bootstrap(rng, &mut scene.net.server)?,
    }
    match tested {
        Side::Us => scene.net.query(0, &scene.them.0.clone())?,
        Side::Them => scene.net.theirs[0].theirs.query(&scene.net.server, &[&scene.us.0])?,
    }
    scene.net.run()?;
    if scene.state() == Some(FlowState::Ready) {
        scene.compare(Side::Us)?;
        scene.confirm(Side::Us)?;
        scene.confirm(Side::Them)?;
        scene.net.run()?;
    }
    scene.expect_code(tested, "m.key_mismatch")
}

/// That a verification of the user begins.
fn named_as_key(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let (mut net, us, them) = devices(rng, Who::Users, true)?;
    let odd = if tested == Side::Us { &them } else { &us };
    let answer: Value = serde_json::from_str(&net.server.query(&odd.0, &[&odd.0]))?;
    let keys = answer["master_keys"][&odd.0]["keys"].as_object().ok_or("no identity")?;
    let msk = keys.values().next().and_then(Value::as_str).ok_or("no key")?.to_owned();
    DeviceId::parse(&msk)?;
    TheirDevice::log_in(&mut net.server, (&odd.0, &msk))?;
    query(&mut net)?;
    match tested {
        Side::Us => ask(&mut net, &us, &them, Way::ToDevice).map(drop),
        Side::Them => they_ask(&mut net, &us, Way::ToDevice).map(drop),
    }
}
