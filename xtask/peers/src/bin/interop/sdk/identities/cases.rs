//! Cases of one answer: what is changed about a good one, and what follows.

use mx_cross_signing::{OwnState, UserState};
use serde_json::{Value, json};

use super::{
    differences::{Asked, Case, Step},
    objects::{Answer, device_keys, public, put_signature, sign, sign_by, signing_key},
    pair::{ALICE, BOB, THIS},
    past,
};
use crate::report::Failure;

pub const LAPTOP: &str = "LAPTOP";
pub const BOBS: [&str; 3] = ["b-m", "b-s", "b-u"];

pub fn cases() -> Result<Vec<Case>, Failure> {
    let mut all = Vec::new();
    for cases in [objects()?, signatures()?, devices()?, collisions()?, past::cases()?] {
        all.extend(cases);
    }
    Ok(all)
}

/// The objects of keys.
fn objects() -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let mut case = |requirement, name, wanted, change: &dyn Fn(&mut Answer) -> Result<(), Failure>| {
        let mut answer = good()?;
        change(&mut answer)?;
        cases.push(one(requirement, name, answer, Asked::Identity(BOB), wanted));
        Ok::<_, Failure>(())
    };
    case("XS-2", "an identity", true, &|_| Ok(()))?;
    case("XS-2", "a self-signing key with a member that nobody knows", true, &|answer| {
        answer.ssks[BOB]["later"] = json!([1, { "signatures": 2 }]);
        resign(&mut answer.ssks[BOB], "b-m")
    })?;
    case("XS-5", "a member that nobody knows, put in later", false, &|answer| {
        answer.ssks[BOB]["later"] = json!(1);
        Ok(())
    })?;
    for (name, usage) in [
        ("master key of the usage `self_signing`", json!(["self_signing"])),
        ("master key of two usages", json!(["master", "self_signing"])),
        ("master key of its usage twice", json!(["master", "master"])),
        ("master key of no usage", json!([])),
        ("usage as text", json!("master")),
    ] {
        case("XS-3", name, false, &|answer| {
            answer.msks[BOB]["usage"] = usage.clone();
            Ok(())
        })?;
    }
    case("XS-3", "user-signing key in the place of the self-signing key", false, &|answer| {
        answer.ssks[BOB] = answer.usks[BOB].clone();
        Ok(())
    })?;
    let (name, other) = (|name: &str| format!("ed25519:{}", public(name)), public("other").to_string());
    for (words, keys) in [
        ("master key under the ID of another", json!({ name("other"): public("b-m").to_string() })),
        (
            "master key object with two keys",
            json!({ name("b-m"): public("b-m").to_string(), name("other"): other }),
        ),
        ("master key object without key", json!({})),
        (
            "master key of another algorithm",
            json!({ name("b-m").replace("ed25519", "ed448"): public("b-m").to_string() }),
        ),
        ("master key of small order", {
            let key = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            json!({ format!("ed25519:{key}"): key })
        }),
    ] {
        case("XS-4", words, false, &|answer| {
            answer.msks[BOB]["keys"] = keys.clone();
            // Signed by whatever key it is called by.
            let id = keys
                .as_object()
                .and_then(|keys| keys.keys().next())
                .ok_or("")
                .map(|id| id.trim_start_matches("ed25519:").to_owned());
            if let Ok(id) = id {
                answer.ssks[BOB] = signing_key(BOB, "self_signing", "b-s");
                sign(&mut answer.ssks[BOB], "b-m", BOB, &id)?;
            }
            Ok(())
        })?;
    }
    case("XS-10", "an identity without self-signing key", false, &|answer| {
        answer.ssks.remove(BOB);
        Ok(())
    })?;
    case("XS-11", "keys that name another user", false, &|answer| {
        for keys in [&mut answer.msks, &mut answer.ssks] {
            keys[BOB]["user_id"] = ALICE.into();
        }
        resign(&mut answer.ssks[BOB], "b-m")
    })?;
    case("XS-17", "another user's user-signing key, malformed", true, &|answer| {
        answer.usks.insert(BOB.into(), json!({ "user_id": BOB, "usage": ["master"], "keys": {} }));
        Ok(())
    })?;
    case("XS-5", "self-signing key with a float in `unsigned`", true, &|answer| {
        answer.ssks[BOB]["unsigned"] = json!({ "age": 0.5 });
        Ok(())
    })?;
    for (name, usks, unsigned) in [
        ("own identity without user-signing key", false, false),
        ("own user-signing key that nobody signed", true, true),
    ] {
        let mut answer = good()?;
        if !usks {
            answer.usks.remove(ALICE);
        }
        if unsigned {
            answer.usks[ALICE]["signatures"] = json!({});
        }
        cases.push(one("XS-12", name, answer, Asked::Identity(ALICE), false));
    }
    Ok(cases)
}

/// Which signatures carry trust.
fn signatures() -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (requirement, name, signer, id, wanted) in [
        ("XS-12", "self-signing key, signed by the master key", "b-m", None, true),
        ("XS-12", "self-signing key, signed by itself", "b-s", None, false),
        ("XS-12", "self-signing key, signed by the user-signing key", "b-u", None, false),
        ("XS-12", "self-signing key, forged under the ID of the master key", "mallory", Some("b-m"), false),
        ("XS-12", "self-signing key, signed under another ID", "b-m", Some("other"), false),
    ] {
        let mut answer = good()?;
        answer.ssks[BOB] = signing_key(BOB, "self_signing", "b-s");
        sign(&mut answer.ssks[BOB], signer, BOB, &public(id.unwrap_or(signer)).to_string())?;
        cases.push(one(requirement, name, answer, Asked::Identity(BOB), wanted));
    }
    for (requirement, name, signer, user_id, id, wanted) in [
        ("TRU-3", "device, signed by the self-signing key", "b-s", BOB, None, true),
        ("XS-20", "device, signed by the master key", "b-m", BOB, None, false),
        ("XS-20", "device, signed by its owner's user-signing key", "b-u", BOB, None, false),
        ("XS-20", "device, signed by another user's self-signing key", "a-s", ALICE, None, false),
        ("TRU-3", "device, signed under another user's name", "b-s", ALICE, None, false),
        ("XS-33", "device, forged under the ID of the self-signing key", "mallory", BOB, Some("b-s"), false),
        ("XS-33", "device, signed under another ID", "b-s", BOB, Some("other"), false),
        ("TRU-9", "device, signed by a self-signing key that is not in use", "b-s2", BOB, None, false),
    ] {
        let mut answer = good()?;
        let mut object = device_keys(BOB, LAPTOP, LAPTOP)?;
        sign(&mut object, signer, user_id, &public(id.unwrap_or(signer)).to_string())?;
        answer.device(BOB, LAPTOP, object);
        cases.push(one(requirement, name, answer, Asked::CrossSigned(BOB, LAPTOP.to_owned()), wanted));
    }
    for (requirement, name, signer, id, wanted) in [
        ("TRU-2", "user, signed by the own user-signing key", "a-u", None, true),
        ("XS-20", "user, signed by the own master key", "a-m", None, false),
        ("XS-20", "user, signed by the own self-signing key", "a-s", None, false),
        ("TRU-2", "user, forged under the ID of the own user-signing key", "mallory", Some("a-u"), false),
    ] {
        let mut answer = good()?;
        sign(&mut answer.msks[BOB], signer, ALICE, &public(id.unwrap_or(signer)).to_string())?;
        let mut case = one(requirement, name, answer, Asked::BobIs(UserState::Verified), wanted);
        case.steps.push(Step::VerifyOwn);
        cases.push(case);
    }
    let mut answer = good()?;
    sign_by(&mut answer.msks[BOB], "a-u", ALICE)?;
    let name = "user, signed, without a verified own identity";
    cases.push(one("TRU-1", name, answer, Asked::BobIs(UserState::Verified), false));
    let mut answer = good()?;
    sign(&mut answer.msks[ALICE], THIS, ALICE, THIS)?;
    let name = "own identity, by a signature of this device from a server";
    cases.push(one("TRU-1", name, answer, Asked::OwnIs(OwnState::Verified), false));
    Ok(cases)
}

/// Device keys.
fn devices() -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let mut case = |requirement, name, wanted, change: &dyn Fn(&mut Value) -> Result<(), Failure>| {
        let mut object = device_keys(BOB, LAPTOP, LAPTOP)?;
        change(&mut object)?;
        let mut answer = good()?;
        answer.device(BOB, LAPTOP, object);
        cases.push(one(requirement, name, answer, Asked::Device(BOB, LAPTOP.to_owned()), wanted));
        Ok::<_, Failure>(())
    };
    /// Changed, and signed again by the device.
    fn again(object: &mut Value) -> Result<(), Failure> {
        object["signatures"] = json!({});
        sign(object, LAPTOP, BOB, LAPTOP)
    }
    let curve25519 = format!("curve25519:{LAPTOP}");
    let ed25519 = format!("ed25519:{LAPTOP}");
    case("DL-30", "device that has not signed itself", false, &|object| {
        object["signatures"] = json!({});
        Ok(())
    })?;
    case("DL-30", "device with a signature by another key", false, &|object| {
        sign(object, "other", BOB, LAPTOP)
    })?;
    case("DL-30", "device that has signed under another user's name", false, &|object| {
        object["signatures"] = json!({});
        sign(object, LAPTOP, ALICE, LAPTOP)
    })?;
    case("DL-30", "device object of another device", false, &|object| {
        *object = device_keys(BOB, "OTHER", LAPTOP)?;
        Ok(())
    })?;
    case("DL-30", "device object of another user", false, &|object| {
        *object = device_keys(ALICE, LAPTOP, LAPTOP)?;
        Ok(())
    })?;
    case("DL-30", "device without Ed25519 key", false, &|object| {
        object["keys"] = json!({ &curve25519: object["keys"][&curve25519] });
        again(object)
    })?;
    case("DL-30", "device with Olm and without Curve25519 key", false, &|object| {
        object["keys"] = json!({ &ed25519: object["keys"][&ed25519] });
        again(object)
    })?;
    case("DL-41", "device with algorithms of a wrong type", false, &|object| {
        object["algorithms"] = json!({});
        again(object)
    })?;
    case("DL-41", "device with an algorithm and a key that nobody knows", true, &|object| {
        object["algorithms"] = json!(["m.olm.v1.curve25519-aes-sha2", "x"]);
        object["keys"]["x25519:LAPTOP"] = "x".into();
        again(object)
    })?;
    case("DL-41", "device with a signature that is no text", false, &|object| {
        object["signatures"] = json!({ BOB: { &ed25519: 1 } });
        Ok(())
    })?;
    case("XS-15", "device with signatures of strangers, one of them malformed", true, &|object| {
        put_signature(object, "@carol:example.org", "X", "no signature")?;
        put_signature(object, BOB, "OLD", "AAAA")
    })?;
    case("JSON-6", "device with a float in what is signed", false, &|object| {
        object["later"] = json!(0.5);
        Ok(())
    })?;

    // One bad device takes nothing from another.
    let mut answer = good()?;
    answer.device(BOB, "BAD", json!(3));
    cases.push(one(
        "DL-30",
        "device beside one that is no object",
        answer,
        Asked::Device(BOB, LAPTOP.to_owned()),
        true,
    ));

    let mut other = good()?;
    let mut object = device_keys(BOB, LAPTOP, "other")?;
    sign_by(&mut object, "b-s", BOB)?;
    other.device(BOB, LAPTOP, object);
    let mut gone = good()?;
    gone.devices[BOB] = json!({});
    let name = "another Ed25519 key under a known device ID";
    let asked = || Asked::DeviceKey(BOB, LAPTOP.to_owned(), "other");
    cases.push(history("DL-31", name, [good()?, other.clone()], asked(), false));
    let name = "another Ed25519 key under a device ID that was deleted";
    cases.push(history("DL-34", name, [good()?, gone, other], asked(), true));
    let mut lie = good()?;
    lie.device(ALICE, THIS, device_keys(ALICE, THIS, "other")?);
    let name = "other keys for this very device, in the first answer";
    cases.push(one("DL-32", name, lie, Asked::DeviceKey(ALICE, THIS.to_owned(), "other"), false));
    let mut many = good()?;
    for number in 0..1_024 {
        let id = format!("D{number}");
        many.device(BOB, &id, device_keys(BOB, &id, "many")?);
    }
    let name = "a user with 1,025 devices";
    cases.push(one("DL-40", name, many, Asked::Device(BOB, LAPTOP.to_owned()), false));
    Ok(cases)
}

/// IDs and keys that are two things at once.
fn collisions() -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (name, keys) in [
        ("one key as master and self-signing key", ["b-m", "b-m", "b-u"]),
        ("one key as master and user-signing key, of another user", ["b-m", "b-s", "b-m"]),
    ] {
        let mut answer = good()?;
        answer.identity(BOB, keys)?;
        cases.push(one("XS-13", name, answer, Asked::Identity(BOB), keys[0] != keys[1]));
    }
    let mut answer = good()?;
    answer.identity(ALICE, ["a-m", "a-s", "a-s"])?;
    cases.push(one(
        "XS-13",
        "one key as own self-signing and user-signing key",
        answer,
        Asked::Identity(ALICE),
        false,
    ));
    for (requirement, name, id, key, asked, wanted) in [
        ("XS-13", "device with the key of its owner's self-signing key", "ROGUE", "b-s", false, false),
        ("XS-32", "cross-signed device with the ID of its owner's master key", "b-m", "rogue", true, false),
        ("XS-32", "device with that ID, in the list", "b-m", "rogue", false, true),
    ] {
        let id = if id == "b-m" { public(id).to_string() } else { id.to_owned() };
        let mut object = device_keys(BOB, &id, key)?;
        sign_by(&mut object, "b-s", BOB)?;
        let mut answer = good()?;
        answer.device(BOB, &id, object);
        let asked = if asked { Asked::CrossSigned(BOB, id) } else { Asked::Device(BOB, id) };
        cases.push(one(requirement, name, answer, asked, wanted));
    }
    Ok(cases)
}

/// Alice's identity; Bob's, with a device that is cross-signed.
pub fn good() -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    answer.identity(ALICE, ["a-m", "a-s", "a-u"])?;
    answer.identity(BOB, BOBS)?;
    let mut object = device_keys(BOB, LAPTOP, LAPTOP)?;
    sign_by(&mut object, "b-s", BOB)?;
    answer.device(BOB, LAPTOP, object);
    Ok(answer)
}

/// Bob's key signs an object anew.
fn resign(object: &mut Value, signer: &str) -> Result<(), Failure> {
    object["signatures"] = json!({});
    sign_by(object, signer, BOB)
}

fn one(requirement: &'static str, name: &'static str, answer: Answer, asked: Asked, wanted: bool) -> Case {
    Case { requirement, name, steps: vec![Step::Answer(answer)], asked, wanted }
}

fn history<const N: usize>(
    requirement: &'static str,
    name: &'static str,
    answers: [Answer; N],
    asked: Asked,
    wanted: bool,
) -> Case {
    let steps = answers.into_iter().map(Step::Answer).collect();
    Case { requirement, name, steps, asked, wanted }
}
