//! What a device and vodozemac say to each other.

use std::collections::BTreeSet;

use mx_demo::party::{self, Implementation as _, OlmMessage, Refusal};
use mx_peers::vodozemac::Vodozemac;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use ruma_common::canonical_json::CanonicalJsonValue;
use serde_json::Value;

use crate::{
    device::{Answer, Device, Power},
    machine::Machine,
    protocol::request,
};

/// Messages in each direction of the session that vodozemac began.
const MESSAGES: usize = 100;

/// How far messages are out of order, which is less than the device's eight kept keys less those that are lost.
const WINDOW: usize = 4;

/// Position of the fallback key.
const FALLBACK: u8 = u8::MAX;

/// The whole conversation, and what it was in words.
pub(crate) fn hold(
    machine: &'static Machine,
    image: &str,
    seed: u64,
    power_fails: bool,
) -> Result<String, Refusal> {
    let mut rng = ChaCha20Rng::seed_from_u64(!seed);
    let mut device = Device::new(machine, image, seed, power_fails)?;
    let mut host = Vodozemac.create_account(&mut rng)?;
    let device_keys = DeviceKeys::read(&mut device)?;
    let one_time_keys = publish(&mut device, &device_keys)?;

    // A session that the device begins, and the answer.
    host.generate_one_time_keys(&mut rng, 1)?;
    let identity = host.curve25519_key();
    let key = host.one_time_keys().first().map(|key| key.key.clone()).unwrap_or_default();
    let fields: [&[u8]; 3] = [identity.as_bytes(), key.as_bytes(), b"the sensor is here"];
    let message = device.ask(request::BEGIN, &fields, Power::FailsEverywhere)?;
    let (mut begun, plaintext) =
        host.create_inbound_session(&device_keys.curve25519, &olm_message(&message)?)?;
    same(&plaintext, b"the sensor is here")?;
    host_sends(&mut device, &mut *begun, &identity, &mut rng, b"welcome", Power::FailsEverywhere)?;
    device_sends(&mut device, 0, &mut *begun, b"it is cold", Power::FailsEverywhere)?;

    // A session that vodozemac begins.
    let mut received = host.create_outbound_session(&mut rng, &device_keys.curve25519, &one_time_keys[0])?;
    let first = received.encrypt(&mut rng, b"how cold is it")?;
    same_text(
        &receive(&mut device, request::RECEIVE, &identity, &first, Power::FailsEverywhere)?,
        b"how cold is it",
    )?;
    must_refuse(&mut device, &identity, &first)?;
    device_sends(&mut device, 1, &mut *received, b"-3.5 C", Power::FailsEverywhere)?;

    let lost = out_of_order(&mut device, &mut *received, &identity, &mut rng)?;
    // The key of a session that is there no more begins no other.
    let mut other = host.create_outbound_session(&mut rng, &device_keys.curve25519, &one_time_keys[0])?;
    must_refuse(&mut device, &identity, &other.encrypt(&mut rng, b"a used key")?)?;

    let read = device_in_the_room(&mut device, &mut *begun, &mut rng)?;
    let heard = host_in_the_room(&mut device, &mut *begun, &identity, &mut rng)?;

    // The fallback key serves twice, and its first message once.
    for plaintext in [b"fallback 1", b"fallback 2"] {
        let mut session =
            host.create_outbound_session(&mut rng, &device_keys.curve25519, &one_time_keys[FALLBACK_AT])?;
        let message = session.encrypt(&mut rng, plaintext)?;
        same_text(
            &receive(&mut device, request::RECEIVE, &identity, &message, Power::FailsSomewhere)?,
            plaintext,
        )?;
        must_refuse(&mut device, &identity, &message)?;
        device_sends(&mut device, 1, &mut *session, b"heard", Power::Lasts)?;
    }
    device.look_at_stack()?;
    device.restart()?;
    if DeviceKeys::read(&mut device)? != device_keys {
        return Err(Refusal("the device has other keys at the end".to_owned()));
    }
    let (used, stack) = device.stack;
    Ok(format!(
        "{} requests, {} messages encrypted once each; Olm {MESSAGES} each way, {lost} of them lost; Megolm {read} read, \
         {heard} heard; power failed in {} erases, {} writes and {} answers; stack {used} of {stack} bytes",
        device.requests(),
        device.encrypted(),
        device.torn_erases,
        device.torn_writes,
        device.lost_answers,
    ))
}

/// The device's public keys, whose signature vodozemac has verified.
#[derive(Eq, PartialEq)]
struct DeviceKeys {
    ed25519: String,
    curve25519: String,
}

impl DeviceKeys {
    fn read(device: &mut Device) -> Result<Self, Refusal> {
        let answer = device.ask(request::DEVICE_KEYS, &[], Power::Lasts)?;
        let object: Value = serde_json::from_slice(&answer[0]).map_err(Refusal::from_error)?;
        let key = |name: &str| object["keys"][name].as_str().unwrap_or_default().to_owned();
        let keys = Self { ed25519: key("ed25519:SENSOR"), curve25519: key("curve25519:SENSOR") };
        Vodozemac.verify(&keys.ed25519, &canonical(&object)?, &text(&answer[1]))?;
        Ok(keys)
    }
}

/// Where the fallback key stands behind the one-time keys.
const FALLBACK_AT: usize = 4;

/// Has the keys generated, verifies them, and marks them as published. One-time keys, then the fallback key.
fn publish(device: &mut Device, keys: &DeviceKeys) -> Result<Vec<String>, Refusal> {
    let count = device.ask(request::GENERATE, &[], Power::FailsEverywhere)?[0][0];
    same(&[count], &[FALLBACK_AT as u8])?;
    let (mut ids, mut published) = (BTreeSet::new(), Vec::new());
    for position in (0..count).chain([FALLBACK]) {
        let answer = device.ask(request::ONE_TIME_KEY, &[&[position]], Power::Lasts)?;
        let object: Value = serde_json::from_slice(&answer[1]).map_err(Refusal::from_error)?;
        Vodozemac.verify(&keys.ed25519, &canonical(&object)?, &text(&answer[2]))?;
        if object["fallback"].as_bool().unwrap_or_default() != (position == FALLBACK) {
            return Err(Refusal("the wrong key is the fallback key".to_owned()));
        }
        ids.insert(text(&answer[0]));
        published.push(object["key"].as_str().unwrap_or_default().to_owned());
    }
    same(&[ids.len() as u8], &[count + 1])?;
    device.ask(request::PUBLISHED, &[], Power::FailsEverywhere)?;
    device.must_refuse(request::ONE_TIME_KEY, &[&[0]])?;
    Ok(published)
}

/// Messages in both directions, out of order, some never delivered, each delivered again in vain.
fn out_of_order(
    device: &mut Device,
    session: &mut dyn party::Session,
    identity: &str,
    rng: &mut ChaCha20Rng,
) -> Result<usize, Refusal> {
    let mut lost = 0;
    let words = |number: usize| format!("message {number}").into_bytes();
    let mut sent = Vec::new();
    for number in 0..MESSAGES {
        sent.push((number, session.encrypt(rng, &words(number))?));
    }
    lost += shuffle(&mut sent, rng);
    for (number, message) in sent {
        same_text(
            &receive(device, request::RECEIVE, identity, &message, Power::FailsSomewhere)?,
            &words(number),
        )?;
        if number % 10 == 0 {
            must_refuse(device, identity, &message)?;
        }
    }
    let mut sent = Vec::new();
    for number in 0..MESSAGES {
        let answer = device.ask(request::SEND, &[&[1], &words(number)], Power::FailsSomewhere)?;
        sent.push((number, olm_message(&answer)?));
    }
    lost += shuffle(&mut sent, rng);
    for (number, message) in sent {
        same(&session.decrypt(&message)?, &words(number))?;
    }
    // New ratchet keys, back and forth.
    for _ in 0..3 {
        host_sends(device, session, identity, rng, b"ping", Power::FailsSomewhere)?;
        device_sends(device, 1, session, b"pong", Power::FailsSomewhere)?;
    }
    Ok(lost)
}

/// Takes every tenth message away, and shuffles the others within a window.
fn shuffle<T>(messages: &mut Vec<T>, rng: &mut ChaCha20Rng) -> usize {
    let before = messages.len();
    let mut number = 0;
    messages.retain(|_| {
        number += 1;
        number % 10 != 5
    });
    for window in messages.chunks_mut(WINDOW) {
        for last in (1..window.len()).rev() {
            window.swap(last, rng.next_u32() as usize % (last + 1));
        }
    }
    before - messages.len()
}

/// The device begins a room session, shares it over Olm, and encrypts with it.
fn device_in_the_room(
    device: &mut Device,
    session: &mut dyn party::Session,
    rng: &mut ChaCha20Rng,
) -> Result<usize, Refusal> {
    let message = device.ask(request::ROOM_BEGIN, &[], Power::FailsEverywhere)?;
    let key = session.decrypt(&olm_message(&message)?)?;
    let mut room = Vodozemac.receive_session_key(&text(&key))?;
    let mut messages = Vec::new();
    for number in 0..12_u32 {
        let power = if number == 0 { Power::FailsEverywhere } else { Power::FailsSomewhere };
        let plaintext = format!("{number} degrees");
        let answer = device.ask(request::ROOM_SEND, &[plaintext.as_bytes()], power)?;
        messages.push((number, plaintext, text(&answer[0])));
    }
    shuffle(&mut messages, rng);
    for (number, plaintext, message) in &messages {
        let read = room.decrypt(message)?;
        same(&read.plaintext, plaintext.as_bytes())?;
        same(&read.message_index.to_le_bytes(), &number.to_le_bytes())?;
    }
    Ok(messages.len())
}

/// Vodozemac begins a room session, shares it over Olm, and the device reads it.
fn host_in_the_room(
    device: &mut Device,
    session: &mut dyn party::Session,
    identity: &str,
    rng: &mut ChaCha20Rng,
) -> Result<usize, Refusal> {
    let mut room = Vodozemac.create_group_session(rng)?;
    let message = session.encrypt(rng, room.session_key().as_bytes())?;
    let id = receive(device, request::ROOM_KEY, identity, &message, Power::FailsEverywhere)?;
    same(&id[0], room.session_id().as_bytes())?;
    let mut messages = Vec::new();
    for number in 0..12_u32 {
        messages.push((number, room.encrypt(format!("set point {number}").as_bytes())?));
    }
    shuffle(&mut messages, rng);
    for (at, (number, message)) in messages.iter().enumerate() {
        let power = if at == 0 { Power::FailsEverywhere } else { Power::FailsSomewhere };
        let answer = device.ask(request::ROOM_RECEIVE, &[message.as_bytes()], power)?;
        same(&answer[0], &number.to_le_bytes())?;
        same(&answer[1], format!("set point {number}").as_bytes())?;
    }
    // One with the power on all the time, so that the stack shows how deep it went.
    let message = session.encrypt(rng, room.session_key().as_bytes())?;
    receive(device, request::ROOM_KEY, identity, &message, Power::Lasts)?;
    device.ask(request::ROOM_RECEIVE, &[room.encrypt(b"last")?.as_bytes()], Power::Lasts)?;
    device.look_at_stack()?;
    Ok(messages.len() + 1)
}

fn host_sends(
    device: &mut Device,
    session: &mut dyn party::Session,
    identity: &str,
    rng: &mut ChaCha20Rng,
    plaintext: &[u8],
    power: Power,
) -> Result<(), Refusal> {
    let message = session.encrypt(rng, plaintext)?;
    same_text(&receive(device, request::RECEIVE, identity, &message, power)?, plaintext)
}

fn device_sends(
    device: &mut Device,
    number: u8,
    session: &mut dyn party::Session,
    plaintext: &[u8],
    power: Power,
) -> Result<(), Refusal> {
    let answer = device.ask(request::SEND, &[&[number], plaintext], power)?;
    same(&session.decrypt(&olm_message(&answer)?)?, plaintext)
}

fn receive(
    device: &mut Device,
    operation: u8,
    identity: &str,
    message: &OlmMessage,
    power: Power,
) -> Result<Answer, Refusal> {
    device.ask(operation, &[identity.as_bytes(), &[message.message_type], message.body.as_bytes()], power)
}

fn must_refuse(device: &mut Device, identity: &str, message: &OlmMessage) -> Result<(), Refusal> {
    let fields: [&[u8]; 3] = [identity.as_bytes(), &[message.message_type], message.body.as_bytes()];
    device.must_refuse(request::RECEIVE, &fields)
}

fn olm_message(answer: &Answer) -> Result<OlmMessage, Refusal> {
    match answer.as_slice() {
        [kind, body] if kind.len() == 1 => Ok(OlmMessage { message_type: kind[0], body: text(body) }),
        _ => Err(Refusal("the answer is no message".to_owned())),
    }
}

/// The canonical JSON of what the device has signed: as ruma writes what was read.
fn canonical(object: &Value) -> Result<Vec<u8>, Refusal> {
    let object = CanonicalJsonValue::try_from(object.clone()).map_err(Refusal::from_error)?;
    Ok(object.to_string().into_bytes())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn same_text(answer: &Answer, expected: &[u8]) -> Result<(), Refusal> {
    same(answer.first().map(Vec::as_slice).unwrap_or_default(), expected)
}

fn same(found: &[u8], expected: &[u8]) -> Result<(), Refusal> {
    if found == expected {
        return Ok(());
    }
    Err(Refusal(format!("{:?} instead of {:?}", text(found), text(expected))))
}
