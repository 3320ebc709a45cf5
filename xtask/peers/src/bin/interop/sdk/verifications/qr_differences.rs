//! Odd QR codes, and odd flows with them.

use matrix_sdk_crypto::matrix_sdk_qrcode::QrVerificationData;
use mx_verification::FlowState;
use rand_chacha::ChaCha20Rng;
use serde_json::json;

use super::{
    differences::Case,
    net::{Address, Net},
    ours::OurDevice,
    scene::{Scene, Side, Way, Who, devices, query},
    theirs::TheirDevice,
};
use crate::{differences::Verdict, report::expect};

pub const CASES: [(&str, &str, bool, Case); 7] = [
    ("QR-2", "a code is shown to a side that does not list m.reciprocate.v1", false, no_reciprocate),
    ("QR-13", "a code with a secret of 65 bytes", false, long_secret),
    ("QR-15", "a code whose second key is no point, read", true, no_point),
    ("QR-21", "a code of another user, with own keys, by an own device", false, mode_of_others),
    ("QR-24", "a code of a new device, by one that trusts nothing either", false, nobody_trusts),
    ("QR-33", "`done` before the user has confirmed: done all the same", true, early_done),
    ("VER-57", "both scan each other's code: both are done", true, both_scan),
];

/// Lists everything else.
fn no_reciprocate(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = Scene::asked(rng, Who::Users, tested, Way::Room)?;
    let device = scene.address(tested.other()).1;
    let methods = ["m.sas.v1", "m.qr_code.show.v1", "m.qr_code.scan.v1"];
    scene.sends(tested.other(), "ready", json!({ "from_device": device, "methods": methods }))?;
    scene.show(tested).map(drop)
}

fn code(mode: u8, id: &str, keys: [&[u8; 32]; 2], secret_len: usize) -> Vec<u8> {
    let len = (id.len() as u16).to_be_bytes();
    [b"MATRIX\x02".as_slice(), &[mode], &len, id.as_bytes(), keys[0], keys[1], &vec![b's'; secret_len]]
        .concat()
}

/// What was shown by the other side, with a longer secret.
fn long_secret(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = Scene::ready(rng, Who::Users, Side::Us, Way::Room)?;
    let mut code = scene.show(tested.other())?;
    code.truncate(code.len() - 16);
    code.extend([b's'; 65]);
    scene.scan(tested, &code)
}

fn no_point(_: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let first: [u8; 32] = core::array::from_fn(|place| place as u8);
    let second: [u8; 32] = core::array::from_fn(|place| 0x10 + place as u8);
    let code = code(0, "$request", [&first, &second], 16);
    match tested {
        Side::Us => Ok(mx_qr_code::QrCode::parse(&code).map(drop)?),
        Side::Them => Ok(QrVerificationData::from_bytes(&code).map(drop)?),
    }
}

fn mode_of_others(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let who = if tested == Side::Us { Who::TheirsIsNew } else { Who::OursIsNew };
    let mut scene = Scene::ready(rng, who, Side::Us, Way::ToDevice)?;
    let own = match tested {
        Side::Us => scene.net.ours[0]
            .identities
            .own
            .identity()
            .map(|own| *own.master_signing_key().public_key().as_bytes()),
        Side::Them => {
            let own = scene.net.theirs[0]
                .theirs
                .identity(&scene.us.0)?
                .and_then(matrix_sdk_crypto::UserIdentity::own);
            own.and_then(|own| own.master_key().get_first_key()).map(|key| *key.as_bytes())
        }
    };
    let own = own.ok_or("no master signing key")?;
    let code = code(0, &scene.flow.id.clone(), [&own, &own], 16);
    scene.scan(tested, &code)?;
    expect(scene.net.cancels(&scene.address(tested)).is_empty(), "cancelled")
}

/// A third device has made the identity.
fn nobody_trusts(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    const USER: &str = "@alice:example.org";
    let mut net = Net::new(rng);
    TheirDevice::log_in(&mut net.server, (USER, "OLD"))?.theirs.bootstrap(&mut net.server)?;
    let address = |device: &str| -> Address { (USER.to_owned(), device.to_owned()) };
    let (us, them) = (address("FIRST"), address("SECOND"));
    let ours = OurDevice::log_in(rng, &mut net.server, (USER, "FIRST"))?;
    net.ours.push(ours);
    let theirs = TheirDevice::log_in(&mut net.server, (USER, "SECOND"))?;
    net.theirs.push(theirs);
    query(&mut net)?;
    let mut scene = Scene::asked_by((net, us, them), Who::OursIsNew, Side::Us, Way::ToDevice)?;
    scene.answer(Side::Them)?;
    let code = scene.show(tested.other())?;
    scene.scan(tested, &code)
}

/// The side that shows is tested.
fn early_done(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    let mut scene = Scene::ready(rng, Who::Users, Side::Us, Way::Room)?;
    let code = scene.show(tested)?;
    scene.scan(tested.other(), &code)?;
    scene.net.run()?;
    let qr = scene.qr()?;
    scene.sends(tested.other(), "done", json!({}))?;
    scene.confirm(tested)?;
    scene.net.lose();
    match tested {
        Side::Us => expect(scene.state() == Some(FlowState::Done), "not done"),
        Side::Them => expect(
            qr.is_done()
                || scene.net.theirs[0].theirs.user_state(&scene.us.0)?
                    == Some(mx_cross_signing::UserState::Verified),
            "not done",
        ),
    }
}

/// Two devices of the same implementation.
fn both_scan(rng: &mut ChaCha20Rng, tested: Side) -> Verdict {
    match tested {
        Side::Us => ours_scan_each_other(rng),
        Side::Them => theirs_scan_each_other(rng),
    }
}

fn ours_scan_each_other(rng: &mut ChaCha20Rng) -> Verdict {
    use super::ours::Known;
    let (mut net, us, them) = devices(rng, Who::Users, true)?;
    net.theirs.clear();
    let mut other = OurDevice::log_in(rng, &mut net.server, (&them.0, "OTHER"))?;
    other.bootstrap(rng, &mut net.server)?;
    net.ours.push(other);
    query(&mut net)?;
    let them = net.ours[1].address.clone();
    let flow = super::scene::ask(&mut net, &us, &them, Way::ToDevice)?;
    net.run()?;
    let mut flows = [flow.clone(), flow];
    flows[1].user_id = us.0.clone();
    net.act(1, |verifications, rng, time, known| verifications.accept(rng, time, known, &flows[1]))?;
    net.run()?;
    let mut codes = Vec::new();
    for index in [0, 1] {
        let Net { ours, rng, .. } = &mut net;
        let device = &mut ours[index];
        codes.push(device.flows.show_qr(rng, &Known(&device.identities), &flows[index])?);
    }
    for index in [0, 1] {
        net.act(index, |verifications, _, time, known| {
            verifications.scan(time, known, &flows[index], &codes[1 - index])
        })?;
    }
    net.run()?;
    for index in [0, 1] {
        let done = net.ours[index].flows.state(&flows[index]) == Some(FlowState::Done);
        expect(done && net.ours[index].has_verified(), "not done")?;
    }
    Ok(())
}

fn theirs_scan_each_other(rng: &mut ChaCha20Rng) -> Verdict {
    let mut net = Net::new(rng);
    let users = [("@alice:example.org", "FIRST"), ("@bob:example.com", "SECOND")];
    for user in users {
        let theirs = TheirDevice::log_in(&mut net.server, user)?;
        theirs.theirs.bootstrap(&mut net.server)?;
        net.theirs.push(theirs);
    }
    query(&mut net)?;
    let second = (users[1].0.to_owned(), users[1].1.to_owned());
    let (flow, first) = super::scene::they_ask(&mut net, &second, Way::ToDevice)?;
    net.run()?;
    let other = net.theirs[1].request(users[0].0, &flow)?;
    let ready = other.accept_with_methods(super::theirs::methods()).ok_or("they cannot accept")?;
    net.send_theirs(1, ready)?;
    net.run()?;
    let requests = [first, other];
    let mut codes = Vec::new();
    for request in &requests {
        let qr = super::super::block_on(request.generate_qr_code())?.ok_or("no code")?;
        codes.push(qr.to_bytes()?);
    }
    let mut scanned = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let code = QrVerificationData::from_bytes(&codes[1 - index])?;
        let qr = super::super::block_on(request.scan_qr_code(code))?.ok_or("they cannot scan")?;
        net.send_theirs(index, qr.reciprocate().ok_or("they cannot start")?)?;
        scanned.push(qr);
    }
    net.run()?;
    expect(scanned.iter().all(|qr| qr.is_done()), "not done")
}
