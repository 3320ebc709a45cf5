//! Cases of several answers: what one means depends on those before it, and on what the user did.

use mx_cross_signing::{OwnState, TrustLevel, UserState};

use super::{
    cases::{BOBS, LAPTOP, good},
    differences::{Asked, Case, Step},
    objects::{device_keys, public, put_signature, sign_by},
    pair::{ALICE, BOB},
};
use crate::report::Failure;

pub fn cases() -> Result<Vec<Case>, Failure> {
    use Step::{PinBob, VerifyOwn, WithdrawBob};

    let with = |[msk, ssk, usk]: [&str; 3], verified: bool, device: bool| {
        let mut answer = good()?;
        answer.identity(BOB, [msk, ssk, usk])?;
        if verified {
            sign_by(&mut answer.msks[BOB], "a-u", ALICE)?;
        }
        let mut object = device_keys(BOB, LAPTOP, LAPTOP)?;
        if device {
            sign_by(&mut object, ssk, BOB)?;
        }
        answer.device(BOB, LAPTOP, object);
        Ok::<_, Failure>(answer)
    };
    let answer = Step::Answer;
    let (first, second) = (BOBS, ["c-m", "c-s", "c-u"]);
    let (plain, signed) = (with(first, false, true)?, with(first, true, true)?);
    let mut gone = good()?;
    for keys in [&mut gone.msks, &mut gone.ssks, &mut gone.usks] {
        keys.remove(BOB);
    }
    let own = |keys, signs: Option<&str>| {
        let mut answer = good()?;
        answer.identity(ALICE, keys)?;
        if let Some(usk) = signs {
            sign_by(&mut answer.msks[BOB], usk, ALICE)?;
        }
        Ok::<_, Failure>(answer)
    };
    let (own_second, own_third) =
        (own(["x-m", "x-s", "x-u"], None)?, own(["a-m", "a-s", "a-u2"], Some("a-u2"))?);
    let mut renewed = with(["b-m", "b-s2", "b-u"], false, false)?;
    renewed.devices[BOB] = plain.devices[BOB].clone();
    let mut other_device = plain.clone();
    let laptop = &mut other_device.devices[BOB][LAPTOP];
    put_signature(laptop, BOB, &public("b-s").to_string(), &"A".repeat(86))?;
    let mut forged = plain.clone();
    put_signature(&mut forged.msks[BOB], ALICE, &public("a-u").to_string(), &"A".repeat(86))?;
    let mut cases = Vec::new();
    let mut case = |requirement, name, steps: Vec<Step>, asked, wanted| {
        cases.push(Case { requirement, name, steps, asked, wanted });
    };
    let cross_signed = Asked::CrossSigned(BOB, LAPTOP.to_owned());
    case(
        "XS-18",
        "a device's signature that a later answer leaves out",
        vec![answer(plain.clone()), answer(with(first, false, false)?)],
        cross_signed,
        true,
    );
    case(
        "XS-18",
        "a device's signature, in a later answer a forged one",
        vec![answer(plain.clone()), answer(other_device)],
        Asked::CrossSigned(BOB, LAPTOP.to_owned()),
        true,
    );
    case(
        "XS-18",
        "our signature on a user that a later answer leaves out",
        vec![answer(signed.clone()), VerifyOwn, answer(plain.clone())],
        Asked::BobIs(UserState::Verified),
        true,
    );
    case(
        "XS-18",
        "our signature on a user, in a later answer a forged one",
        vec![answer(signed.clone()), VerifyOwn, answer(forged)],
        Asked::BobIs(UserState::Verified),
        true,
    );
    case(
        "IDC-10",
        "own master key that was verified, and comes back",
        vec![answer(good()?), VerifyOwn, answer(own_second.clone()), answer(good()?)],
        Asked::OwnIs(OwnState::Verified),
        true,
    );
    case(
        "IDC-10",
        "own master key that is another",
        vec![answer(good()?), VerifyOwn, answer(own_second)],
        Asked::OwnIs(OwnState::VerificationViolation),
        true,
    );
    case(
        "IDC-11",
        "a verified user after the own user-signing key was replaced",
        vec![answer(signed.clone()), VerifyOwn, answer(own(["a-m", "a-s", "a-u2"], None)?)],
        Asked::BobIs(UserState::VerificationViolation),
        true,
    );
    case(
        "IDC-17",
        "latch by an own user-signing key, in the answer that brings it",
        vec![answer(plain.clone()), VerifyOwn, answer(own_third), answer(with(second, false, true)?)],
        Asked::BobIs(UserState::VerificationViolation),
        true,
    );
    case(
        "IDC-5",
        "another master key, not acknowledged",
        vec![answer(plain.clone()), answer(with(second, false, true)?)],
        Asked::BobIs(UserState::PinViolation),
        true,
    );
    case(
        "IDC-6",
        "another master key, acknowledged",
        vec![answer(plain.clone()), answer(with(second, false, true)?), PinBob],
        Asked::BobIs(UserState::Pinned),
        true,
    );
    case(
        "IDC-15",
        "the pinned master key again",
        vec![answer(plain.clone()), answer(with(second, false, true)?), answer(plain.clone())],
        Asked::BobIs(UserState::Pinned),
        true,
    );
    case(
        "IDC-13",
        "an identity that later answers leave out, and another one then",
        vec![answer(plain.clone()), answer(gone), answer(with(second, false, true)?)],
        Asked::BobIs(UserState::PinViolation),
        true,
    );
    case(
        "IDC-7",
        "a verified user who changes after a withdrawal",
        vec![answer(signed.clone()), VerifyOwn, WithdrawBob, answer(with(second, false, true)?)],
        Asked::BobIs(UserState::VerificationViolation),
        true,
    );
    case(
        "TRU-9",
        "a device signed by the self-signing key before the present one",
        vec![answer(plain.clone()), answer(renewed)],
        Asked::CrossSigned(BOB, LAPTOP.to_owned()),
        false,
    );
    case(
        "IDC-16",
        "a self-signing key that was replaced, and comes back",
        vec![answer(plain.clone()), answer(with(["b-m", "b-s2", "b-u"], false, true)?), answer(plain)],
        Asked::BobsKey("b-s"),
        false,
    );
    case(
        "IDC-18",
        "a verified master key, back after another one was verified",
        vec![answer(signed.clone()), VerifyOwn, answer(with(second, true, true)?), answer(signed.clone())],
        Asked::BobIs(UserState::Verified),
        false,
    );
    case(
        "IDC-18",
        "a verified master key, back before another one was accepted",
        vec![answer(signed.clone()), VerifyOwn, answer(with(second, false, true)?), answer(signed)],
        Asked::BobIs(UserState::Verified),
        true,
    );
    case(
        "TRU-6",
        "device of a user in violation of a verification",
        vec![answer(with(first, true, true)?), VerifyOwn, answer(with(second, false, true)?)],
        Asked::Level(BOB, LAPTOP.to_owned(), TrustLevel::CrossSignedViolation),
        true,
    );
    Ok(cases)
}
