//! Verifications that do not come to their end: cancelled at every step by either side, wrong values, keys that change, time, restarts.

use mx_pickle::{Generation, PickleKey};
use mx_types::{DeviceId, UserId};
use mx_verification::{FlowState, Verifications, What};
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

use super::{
    net::{Message, Net},
    ours::PICKLE_KEY,
    scene::{Scene, Side, Way, Who, in_case, query},
};
use crate::report::{Failure, Outcome, expect, failure};

/// How far a verification has come.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Asked(Side),
    Ready,
    Shown(Side),
    /// Short strings started by it, and nobody has heard of that.
    Started(Side),
    Comparing(Side),
    Confirmed(Side),
    /// By it, and the other user is asked.
    Scanned(Side),
}

impl Step {
    const ALL: [Self; 13] = [
        Self::Asked(Side::Us),
        Self::Asked(Side::Them),
        Self::Ready,
        Self::Shown(Side::Us),
        Self::Shown(Side::Them),
        Self::Started(Side::Us),
        Self::Started(Side::Them),
        Self::Comparing(Side::Us),
        Self::Comparing(Side::Them),
        Self::Confirmed(Side::Us),
        Self::Confirmed(Side::Them),
        Self::Scanned(Side::Us),
        Self::Scanned(Side::Them),
    ];

    /// A verification that has come that far.
    pub fn reach(self, rng: &mut ChaCha20Rng, who: Who, way: Way) -> Result<Scene, Failure> {
        if let Self::Asked(side) = self {
            return Scene::asked(rng, who, side, way);
        }
        let mut scene = Scene::ready(rng, who, Side::Us, way)?;
        match self {
            Self::Asked(_) | Self::Ready => {}
            Self::Shown(side) => drop(scene.show(side)?),
            Self::Started(side) => {
                scene.start_sas(side)?;
                scene.net.lose();
            }
            Self::Comparing(side) => drop(scene.compare(side)?),
            Self::Confirmed(side) => {
                scene.compare(side)?;
                scene.confirm(side)?;
                scene.net.run()?;
            }
            Self::Scanned(side) => {
                let code = scene.show(side.other())?;
                scene.scan(side, &code)?;
                scene.net.run()?;
            }
        }
        Ok(scene)
    }
}

/// Either user cancels, at every step.
pub fn cancelled(rng: &mut ChaCha20Rng) -> Outcome {
    every_step(rng, |scene, step| {
        for side in Side::BOTH {
            let mut scene = scene()?;
            scene.cancel(side)?;
            scene.net.run()?;
            in_case(format!("{step:?}, by {side:?}"), scene.expect_cancelled(side, "m.user"))?;
        }
        Ok(2)
    })
}

/// Nothing happens any more: our side cancels with `m.timeout`, but a prompt that was not answered, which only goes away.
pub fn timeouts(rng: &mut ChaCha20Rng) -> Outcome {
    every_step(rng, |scene, step| {
        let mut scene = scene()?;
        let at = scene.net.ours[0].flows.next_tick().ok_or("nothing to wait for")?;
        expect(at > scene.net.clock_ms, "time is over at once")?;
        scene.net.clock_ms = at - 1;
        tick(&mut scene.net)?;
        expect(scene.net.ours[0].cancelled().is_none(), "cancelled too early")?;
        scene.net.clock_ms = at;
        tick(&mut scene.net)?;
        scene.net.run()?;
        if matches!(step, Step::Asked(Side::Them)) {
            expect(scene.net.ours[0].events.contains(&What::Dismissed), "the prompt stays")?;
            expect(scene.net.cancels(&scene.us).is_empty(), "a cancel for a prompt that went away")?;
            expect(at <= 120_000 + 1, "a prompt of more than two minutes")?;
            return Ok(1);
        }
        in_case(format!("{step:?}"), scene.expect_cancelled(Side::Us, "m.timeout"))?;
        Ok(1)
    })
}

/// Our client is restarted: their side hears `m.timeout` at once, and nothing goes on.
pub fn restarts(rng: &mut ChaCha20Rng) -> Outcome {
    every_step(rng, |scene, step| {
        let mut scene = scene()?;
        let time = scene.net.time();
        let Net { ours, .. } = &mut scene.net;
        let device = &mut ours[0];
        let (user_id, device_id) = (UserId::parse(&device.address.0)?, DeviceId::parse(&device.address.1)?);
        let (flows, restored) = Verifications::from_pickle(
            user_id,
            device_id,
            device.identities.own.ed25519(),
            device.config,
            time,
            &PickleKey::new(&PICKLE_KEY),
            Generation::NEVER_PICKLED,
            &device.pickle,
        )?;
        device.flows = flows;
        scene.net.take(0, restored)?;
        scene.net.run()?;
        if matches!(step, Step::Asked(Side::Them)) {
            expect(scene.net.cancels(&scene.us).is_empty(), "a cancel for a prompt that went away")?;
            return Ok(1);
        }
        let cancels = scene.net.cancels(&scene.us);
        expect(cancels.len() == 1 && cancels[0].0 == "m.timeout", &format!("{step:?}: we sent {cancels:?}"))?;
        expect(scene.request.is_cancelled(), &format!("{step:?}: not cancelled with them"))?;
        scene.expect_nothing_verified()?;
        Ok(1)
    })
}

/// Does it in each way with each step. Gives how many flows that were.
fn every_step(
    rng: &mut ChaCha20Rng,
    mut check: impl FnMut(&mut dyn FnMut() -> Result<Scene, Failure>, Step) -> Result<usize, Failure>,
) -> Outcome {
    let mut count = 0;
    for (who, way) in
        [(Who::Users, Way::Room), (Who::OursIsNew, Way::ToDevice), (Who::TheirsIsNew, Way::ToDevice)]
    {
        for step in Step::ALL {
            let checked = check(&mut || step.reach(rng, who, way), step);
            count += in_case(format!("{who:?}, {step:?}"), checked)?;
        }
    }
    Ok(format!("{count} flows"))
}

fn tick(net: &mut Net) -> Result<(), Failure> {
    net.act(0, |flows, _, time, _| Ok::<_, core::convert::Infallible>(flows.tick(time)))
}

/// One of us has verified, then the other side cancels: what was verified stays (VER-95).
pub fn too_late(rng: &mut ChaCha20Rng) -> Outcome {
    for who in Who::ALL {
        let mut scene = Step::Confirmed(Side::Them).reach(rng, who, Way::ToDevice)?;
        scene.confirm(Side::Us)?;
        scene.net.lose();
        scene.cancel(Side::Them)?;
        scene.net.run()?;
        expect(scene.net.ours[0].has_verified(), "not verified with us")?;
        let told = scene.net.ours[0].events.contains(&What::PeerDidNotConfirm);
        expect(told && scene.state() == Some(FlowState::Done), "our user is not told")?;
        expect(scene.net.ours[0].cancelled().is_none(), "cancelled with us")?;
        expect(scene.net.cancels(&scene.us).is_empty(), "a cancel for a cancel")?;
    }
    Ok("3 flows".to_owned())
}

/// The users see different strings: by either side `m.mismatched_sas`.
pub fn wrong_string(rng: &mut ChaCha20Rng) -> Outcome {
    use ruma::events::key::verification::cancel::CancelCode;

    for starts in Side::BOTH {
        for says in Side::BOTH {
            // Somebody in the middle has put in another key of whoever starts: only the strings show it.
            let mut scene = Scene::ready(rng, Who::Users, Side::Us, Way::Room)?;
            let starter = if starts == Side::Us { scene.us.clone() } else { scene.them.clone() };
            let mut stranger = [0; 32];
            rand_core::Rng::fill_bytes(rng, &mut stranger);
            let stranger = mx_curve25519::Curve25519SecretKey::from_secret_bytes(&stranger).public_key();
            scene.net.change = Some(Box::new(move |message: &mut Message| {
                if message.sender == starter && message.event_type.ends_with(".key") {
                    message.content["key"] = stranger.to_string().into();
                }
            }));
            scene.start_sas(starts)?;
            scene.net.run()?;
            let sas = scene.sas()?;
            let (decimal, emoji) = scene.net.ours[0].short_string()?;
            expect(sas.decimals().map(|(a, b, c)| [a, b, c]) != Some(decimal), "the same numbers")?;
            expect(sas.emoji_index() != Some(emoji), "the same emoji")?;
            match says {
                Side::Us => {
                    let flow = scene.flow.clone();
                    scene.net.act(0, |flows, _, time, _| flows.mismatch(time, &flow))?;
                }
                Side::Them => {
                    let cancel = sas.cancel_with_code(CancelCode::MismatchedSas).ok_or("no cancel")?;
                    scene.net.send_theirs(0, cancel)?;
                }
            }
            scene.net.run()?;
            let ended = scene.expect_cancelled(says, "m.mismatched_sas");
            in_case(format!("started by {starts:?}, said by {says:?}"), ended)?;
        }
    }
    Ok("4 flows".to_owned())
}

/// One character of a value is another one: whoever gets it cancels, nobody verifies.
pub fn wrong_values(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for starts in Side::BOTH {
        for (event_type, member, from_starter, our_code) in [
            (".accept", "commitment", false, "m.mismatched_commitment"),
            (".key", "key", false, "m.mismatched_commitment"),
            (".mac", "mac", false, "m.key_mismatch"),
            (".mac", "mac", true, "m.key_mismatch"),
            (".mac", "keys", false, "m.key_mismatch"),
            (".mac", "keys", true, "m.key_mismatch"),
        ] {
            let sender = if from_starter { starts } else { starts.other() };
            let case = format!("{member} in {event_type} of {sender:?}, started by {starts:?}");
            let mut scene = Scene::ready(rng, Who::Users, Side::Us, Way::Room)?;
            let address = if sender == Side::Us { scene.us.clone() } else { scene.them.clone() };
            scene.net.change = Some(Box::new(move |message: &mut Message| {
                if message.sender == address && message.event_type.ends_with(event_type) {
                    damage(&mut message.content[member]);
                }
            }));
            scene.start_sas(starts)?;
            scene.net.run()?;
            if event_type == ".mac" {
                scene.confirm(Side::Us)?;
                scene.confirm(Side::Them)?;
                scene.net.run()?;
            }
            let cancelled = scene.net.ours[0].cancelled();
            match sender {
                Side::Them => expect(cancelled == Some((our_code, true)), &format!("{case}: {cancelled:?}"))?,
                Side::Us if cancelled.is_some_and(|(_, by_us)| !by_us) || told_too_late(&scene) => {}
                Side::Us => return failure(format!("{case}: not cancelled with them, {cancelled:?}")),
            }
            let theirs = scene.request.is_cancelled() || scene.sas().map_or(true, |sas| sas.is_cancelled());
            expect(theirs, &format!("{case}: not cancelled with them"))?;
            query(&mut scene.net)?;
            count += 1;
        }
    }
    Ok(format!("{count} flows"))
}

/// We have verified, and hear that they have not.
fn told_too_late(scene: &Scene) -> bool {
    scene.net.ours[0].events.contains(&What::PeerDidNotConfirm)
}

/// Changes the first character of a text, or of the texts in an object.
pub fn damage(value: &mut Value) {
    match value {
        Value::String(text) => {
            let other = if text.starts_with('A') { "B" } else { "A" };
            text.replace_range(..1, other);
        }
        Value::Object(members) => members.values_mut().for_each(damage),
        _ => {}
    }
}

/// Their user gets a new identity in the middle, or their device is logged out: nothing is verified.
pub fn keys_change(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for logged_out in [false, true] {
        for step in [
            Step::Ready,
            Step::Shown(Side::Us),
            Step::Comparing(Side::Them),
            Step::Confirmed(Side::Us),
            Step::Confirmed(Side::Them),
            Step::Scanned(Side::Us),
            Step::Scanned(Side::Them),
        ] {
            let case = format!("logged out: {logged_out}, {step:?}");
            let mut scene = step.reach(rng, Who::Users, Way::Room)?;
            if logged_out {
                scene.net.server.remove_device(&scene.them.0, &scene.them.1);
            } else {
                scene.net.theirs[0].theirs.bootstrap(&mut scene.net.server)?;
            }
            let them = scene.them.0.clone();
            scene.net.query(0, &them)?;
            scene.net.run()?;
            // At the latest when the verification would be complete.
            if scene.net.ours[0].cancelled().is_none() {
                match step {
                    Step::Ready | Step::Shown(_) => drop(scene.compare(Side::Us)?),
                    Step::Scanned(side) => scene.confirm(side.other())?,
                    _ => {}
                }
                scene.net.run()?;
                if scene.net.ours[0].cancelled().is_none() && !matches!(step, Step::Scanned(_)) {
                    let _ = scene.confirm(Side::Us);
                    scene.confirm(Side::Them)?;
                    scene.net.run()?;
                }
            }
            let cancelled = scene.net.ours[0].cancelled();
            expect(cancelled == Some(("m.key_mismatch", true)), &format!("{case}: {cancelled:?}"))?;
            expect(!scene.net.ours[0].has_verified(), &format!("{case}: verified"))?;
            count += 1;
        }
    }
    Ok(format!("{count} flows"))
}
