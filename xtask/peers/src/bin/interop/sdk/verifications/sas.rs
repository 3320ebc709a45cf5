//! Short strings, compared to the end: whoever asks, starts and confirms first.

use rand_chacha::ChaCha20Rng;

use super::scene::{Scene, Side, Way, Who, devices, in_case};
use crate::report::{Failure, Outcome, expect};

/// Who confirms first, or neither has heard of the other.
#[derive(Clone, Copy, Debug)]
enum Confirms {
    First(Side),
    AtOnce,
}

pub fn flows(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for who in Who::ALL {
        for way in Way::of(who) {
            for asks in Side::BOTH {
                for starts in Side::BOTH {
                    for confirms in [Confirms::First(Side::Us), Confirms::First(Side::Them), Confirms::AtOnce]
                    {
                        let case = format!(
                            "{who:?}, {way:?}, asked by {asks:?}, started by {starts:?}, {confirms:?}"
                        );
                        let flow = Scene::ready(rng, who, asks, *way)
                            .and_then(|scene| to_the_end(scene, &[starts], confirms));
                        in_case(case, flow)?;
                        count += 1;
                    }
                }
            }
        }
    }
    Ok(format!("{count} flows, numbers and emoji the same"))
}

/// Both start before they hear of each other: the start of the smaller user, or device, counts (VER-50).
pub fn both_start(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for who in Who::ALL {
        for way in Way::of(who) {
            for we_are_smaller in [true, false] {
                for starts in [[Side::Us, Side::Them], [Side::Them, Side::Us]] {
                    let case = format!("{who:?}, {way:?}, we are smaller: {we_are_smaller}, {starts:?}");
                    let mut flow = || {
                        let devices = devices(rng, who, we_are_smaller)?;
                        let mut scene = Scene::asked_by(devices, who, Side::Us, *way)?;
                        scene.answer(Side::Them)?;
                        let scene = to_the_end(scene, &starts, Confirms::AtOnce)?;
                        // Whose start counts is who does not accept.
                        let mut accepts = scene.net.log.iter().filter(|m| m.event_type.ends_with("accept"));
                        let (Some(accept), None) = (accepts.next(), accepts.next()) else {
                            return crate::report::failure("not one accept");
                        };
                        expect((accept.sender != scene.us) == we_are_smaller, "the other start counts")
                    };
                    in_case(case, flow())?;
                    count += 1;
                }
            }
        }
    }
    Ok(format!("{count} flows"))
}

fn to_the_end(mut scene: Scene, starts: &[Side], confirms: Confirms) -> Result<Scene, Failure> {
    for side in starts {
        scene.start_sas(*side)?;
    }
    scene.net.run()?;
    let sas = scene.sas()?;
    scene.expect_same_string(&sas)?;
    expect(!scene.net.ours[0].has_verified(), "verified before anybody has compared")?;
    match confirms {
        Confirms::First(side) => {
            scene.confirm(side)?;
            scene.net.run()?;
            expect(!scene.net.ours[0].has_verified() && !sas.is_done(), "verified by one user alone")?;
            scene.confirm(side.other())?;
        }
        Confirms::AtOnce => {
            scene.confirm(Side::Us)?;
            scene.confirm(Side::Them)?;
        }
    }
    scene.net.run()?;
    expect(sas.is_done(), "they are not done")?;
    scene.expect_verified()?;
    Ok(scene)
}

/// Their deprecated start without a request (VER-54): both sides end verified, without `done`.
pub fn without_request(rng: &mut ChaCha20Rng) -> Outcome {
    use matrix_sdk_crypto::types::requests::OutgoingVerificationRequest;
    use mx_verification::{FlowKey, FlowState, Place};

    for who in Who::ALL {
        let (mut net, us, them) = devices(rng, who, true)?;
        let device = net.theirs[0].theirs.device(&us.0, &us.1)?.ok_or("they do not know our device")?;
        let (sas, start) = super::super::block_on(device.start_verification())?;
        let id = sas.flow_id().as_str().to_owned();
        let flow = FlowKey { place: Place::ToDevice, user_id: them.0.clone(), id };
        net.send_theirs(0, OutgoingVerificationRequest::ToDevice(start))?;
        net.run()?;
        net.act(0, |flows, rng, time, known| flows.accept(rng, time, known, &flow))?;
        net.run()?;
        let (decimal, _) = net.ours[0].short_string()?;
        expect(sas.decimals().map(|(a, b, c)| [a, b, c]) == Some(decimal), "other numbers")?;
        net.act(0, |flows, _, time, known| flows.confirm(time, known, &flow))?;
        net.run()?;
        let (requests, upload) = super::super::block_on(sas.confirm())?;
        for request in requests {
            net.send_theirs(0, request)?;
        }
        if let Some(upload) = upload {
            net.theirs[0].theirs.upload_signatures(&mut net.server, upload)?;
        }
        net.run()?;
        expect(net.ours[0].flows.state(&flow) == Some(FlowState::Done) && sas.is_done(), "not done")?;
        expect(net.ours[0].has_verified(), "not verified")?;
        expect(net.log.iter().all(|message| !message.event_type.ends_with("done")), "a done")?;
    }
    Ok("3 flows".to_owned())
}
