//! QR codes in each of the three modes, whoever asks and whoever shows.

use matrix_sdk_crypto::QrVerificationState;
use mx_verification::{FlowState, Phase, What};
use rand_chacha::ChaCha20Rng;

use super::scene::{Scene, Side, Way, Who, in_case};
use crate::report::{Failure, Outcome, expect};

pub fn flows(rng: &mut ChaCha20Rng) -> Outcome {
    let mut modes = [0; 3];
    for who in Who::ALL {
        for way in Way::of(who) {
            for asks in Side::BOTH {
                for shows in Side::BOTH {
                    let case = format!("{who:?}, {way:?}, asked by {asks:?}, shown by {shows:?}");
                    let mode = in_case(case, flow(rng, who, *way, asks, shows))?;
                    modes[usize::from(mode)] += 1;
                }
            }
        }
    }
    Ok(format!("{modes:?} flows of the modes 0, 1 and 2"))
}

/// Gives the mode.
fn flow(rng: &mut ChaCha20Rng, who: Who, way: Way, asks: Side, shows: Side) -> Result<u8, Failure> {
    let mut scene = Scene::ready(rng, who, asks, way)?;
    let code = scene.show(shows)?;
    let mode = mode_of(who, shows);
    expect(code.get(7) == Some(&mode), &format!("not a code of mode {mode}"))?;
    expect(mx_qr_code::QrCode::parse(&code).is_ok(), "we do not read the code")?;
    scene.scan(shows.other(), &code)?;
    scene.net.run()?;
    let qr = scene.qr()?;
    match shows {
        Side::Us => {
            scene.expect_state(FlowState::Started(Phase::Scanned))?;
            expect(scene.net.ours[0].events.contains(&What::CodeScanned), "our user is not asked")?;
        }
        Side::Them => {
            scene.expect_state(FlowState::Started(Phase::Reciprocated))?;
            expect(scene.net.ours[0].events.contains(&What::CodeAccepted), "our user hears nothing")?;
            expect(qr.has_been_scanned(), "their user is not asked")?;
        }
    }
    expect(!scene.net.ours[0].has_verified(), "verified before the user has confirmed")?;
    scene.confirm(shows)?;
    scene.net.run()?;
    expect(matches!(qr.state(), QrVerificationState::Done { .. }), "they are not done")?;
    scene.expect_verified()?;
    Ok(mode)
}

/// Short strings after a code was shown, by either (VER-56).
pub fn then_short_strings(rng: &mut ChaCha20Rng) -> Outcome {
    let mut count = 0;
    for who in Who::ALL {
        for shows in [&[Side::Us][..], &[Side::Them], &Side::BOTH] {
            for starts in Side::BOTH {
                let case = format!("{who:?}, shown by {shows:?}, started by {starts:?}");
                let mut flow = || {
                    let mut scene = Scene::ready(rng, who, Side::Us, Way::ToDevice)?;
                    for side in shows {
                        scene.show(*side)?;
                    }
                    let sas = scene.compare(starts)?;
                    scene.confirm(Side::Us)?;
                    scene.confirm(Side::Them)?;
                    scene.net.run()?;
                    expect(sas.is_done(), "they are not done")?;
                    scene.expect_verified()
                };
                in_case(case, flow())?;
                count += 1;
            }
        }
    }
    Ok(format!("{count} flows"))
}

/// Whoever shows it decides which of them it is (QR-12).
fn mode_of(who: Who, shows: Side) -> u8 {
    match (who, shows) {
        (Who::Users, _) => 0,
        (Who::OursIsNew, Side::Them) | (Who::TheirsIsNew, Side::Us) => 1,
        _ => 2,
    }
}
