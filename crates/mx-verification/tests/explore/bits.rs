//! One wrong bit in any field of any message: nothing wrong is ever verified, and both sides learn the code that the tables name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use crate::device::{ALICE, BOB, Directory, Setup};
use crate::message::Message;
use crate::run::{Honest, How, Plan, Wire};

/// Puts another content in place of that of one message.
struct Instead {
    place: usize,
    content: String,
}

impl Wire for Instead {
    fn pass(&mut self, place: usize, message: &Message) -> Vec<Message> {
        let mut message = message.clone();
        if place == self.place {
            message.content.clone_from(&self.content);
        }
        vec![message]
    }
}

/// Each content that differs from this one by a bit of a value, or of a name in an object of names, with the field that it is in.
fn one_bit_off(content: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (name, value) in content.as_object().unwrap() {
        for other in others(value) {
            let mut changed = content.clone();
            changed[name] = other;
            all.push((name.clone(), changed));
        }
    }
    all
}

fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => flipped(text).map(Value::from).collect(),
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            (0..53).map(|bit| Value::Number(Number::from(number ^ 1 << bit))).collect()
        }
        Value::Array(items) => {
            let of_item = |place: usize| {
                others(&items[place]).into_iter().map(move |other| {
                    let mut items = items.clone();
                    items[place] = other;
                    Value::Array(items)
                })
            };
            (0..items.len()).flat_map(of_item).collect()
        }
        Value::Object(members) => {
            let of_member = |name: &String| {
                let value = &members[name];
                let values = others(value).into_iter().map(|other| {
                    let mut members = members.clone();
                    members.insert(name.clone(), other);
                    Value::Object(members)
                });
                let names = flipped(name).map(|other| {
                    let mut members = members.clone();
                    let value = members.remove(name).unwrap();
                    members.insert(other, value);
                    Value::Object(members)
                });
                values.chain(names).collect::<Vec<_>>()
            };
            members.keys().flat_map(of_member).collect()
        }
        other => panic!("{other}"),
    }
}

/// All texts that differ by one bit.
fn flipped(text: &str) -> impl Iterator<Item = String> {
    let bits = (0..text.len()).flat_map(|place| (0..8).map(move |bit| (place, bit)));
    bits.filter_map(move |(place, bit)| {
        let mut bytes = Vec::from(text);
        bytes[place] ^= 1 << bit;
        String::from_utf8(bytes).ok()
    })
}

/// What becomes of both sides, by message and field, over all bits.
fn outcomes(plan: &Plan) -> (BTreeMap<String, BTreeSet<String>>, usize) {
    let honest = plan.run(&mut Honest);
    assert_eq!((honest.end(0), honest.end(1)), ("verified".into(), "verified".into()));
    let keys = [0, 1].map(|index| honest.verified(index).map(String::from));
    let mut table = BTreeMap::<_, BTreeSet<_>>::new();
    let mut count = 0;
    for (place, (from, message)) in honest.sent.iter().enumerate() {
        let content = serde_json::from_str(&message.content).unwrap();
        for (field, changed) in one_bit_off(&content) {
            let ran = plan.run(&mut Instead { place, content: changed.to_string() });
            count += 1;
            for (index, keys) in keys.iter().enumerate() {
                let verified = ran.verified(index);
                assert!(verified.is_none() || verified == keys.as_deref(), "{changed}: {verified:?}");
            }
            let name = format!("{} of {from}, {field}", message.kind());
            table.entry(name).or_default().insert(format!("{}, {}", ran.end(0), ran.end(1)));
        }
    }
    (table, count)
}

fn plan(how: How, in_room: bool) -> Plan {
    let keys = Directory::full();
    Plan { setups: [Setup::new(ALICE, "A1", &keys), Setup::new(BOB, "B1", &keys)], how, in_room }
}

/// What the tables name. One side's end, then the other's; where the bits of a field lead to different ends, all of them.
///
/// A message whose flow is not named right, or whose sender is not, is none of this flow: both wait until their time runs out. A wrong bit that is
/// none of the value's, behind the 32 bytes of a MAC, changes nothing; nor does a short string that one side does not offer, or a method.
fn check(name: &str, plan: &Plan, expected: &[&str]) {
    let (table, count) = outcomes(plan);
    let found: Vec<_> = table
        .into_iter()
        .map(|(field, ends)| format!("{field}: {}", ends.into_iter().collect::<Vec<_>>().join(" | ")))
        .collect();
    println!("{name}: {count} wrong bits");
    assert_eq!(found, expected, "{found:#?}");
}

/// One offer, of which nothing is left; or two, of which the other is taken, and the commitment is over another start.
const MACS_OF_START: &str = if cfg!(feature = "legacy-mac") {
    "start of 0, message_authentication_codes: m.mismatched_commitment, m.mismatched_commitment"
} else {
    "start of 0, message_authentication_codes: m.unknown_method, m.unknown_method"
};

// SAS-17, SAS-18, SAS-37, SAS-39, SAS-42, VER-17, VER-30, VER-39, VER-55, VER-63, VER-65, VER-67, VER-74, VER-80, VER-95
#[test]
fn attack_096_one_wrong_bit_in_sas_to_device() {
    let expected = [
        "accept of 1, commitment: m.invalid_message, m.invalid_message | m.mismatched_commitment, m.mismatched_commitment | verified, verified",
        "accept of 1, hash: m.unknown_method, m.unknown_method",
        "accept of 1, key_agreement_protocol: m.unknown_method, m.unknown_method",
        "accept of 1, message_authentication_code: m.unknown_method, m.unknown_method",
        "accept of 1, method: verified, verified",
        "accept of 1, short_authentication_string: verified, verified",
        "accept of 1, transaction_id: m.timeout, m.timeout",
        "done of 0, transaction_id: verified, verified, Unconfirmed",
        "done of 1, transaction_id: verified, Unconfirmed, verified",
        "key of 0, key: m.invalid_message, m.invalid_message | m.key_mismatch, m.key_mismatch | m.mismatched_sas, m.mismatched_sas",
        "key of 0, transaction_id: m.timeout, m.timeout",
        "key of 1, key: m.invalid_message, m.invalid_message | m.mismatched_commitment, m.mismatched_commitment",
        "key of 1, transaction_id: m.timeout, m.timeout",
        "mac of 0, keys: verified, Unconfirmed, m.invalid_message | verified, Unconfirmed, m.key_mismatch | verified, verified",
        "mac of 0, mac: verified, Unconfirmed, m.invalid_message | verified, Unconfirmed, m.key_mismatch",
        "mac of 0, transaction_id: verified, Unconfirmed, m.timeout",
        "mac of 1, keys: m.invalid_message, verified, Unconfirmed | m.key_mismatch, verified, Unconfirmed | verified, verified",
        "mac of 1, mac: m.invalid_message, verified, Unconfirmed | m.key_mismatch, verified, Unconfirmed | verified, verified",
        "mac of 1, transaction_id: m.timeout, verified, Unconfirmed",
        "ready of 1, from_device: m.invalid_message, m.invalid_message | m.timeout, m.timeout",
        "ready of 1, methods: m.timeout, m.timeout | verified, verified",
        "ready of 1, transaction_id: m.timeout, m.timeout",
        "request of 0, from_device: m.timeout, unseen",
        "request of 0, methods: m.timeout, m.timeout | verified, verified",
        "request of 0, timestamp: m.timeout, unseen | verified, verified",
        "request of 0, transaction_id: m.timeout, m.unknown_transaction",
        "start of 0, from_device: m.invalid_message, m.invalid_message | m.unexpected_message, m.unexpected_message",
        "start of 0, hashes: m.unknown_method, m.unknown_method",
        "start of 0, key_agreement_protocols: m.unknown_method, m.unknown_method",
        MACS_OF_START,
        "start of 0, method: m.unknown_method, m.unknown_method",
        "start of 0, short_authentication_string: m.mismatched_commitment, m.mismatched_commitment",
        "start of 0, transaction_id: m.unexpected_message, m.unexpected_message",
    ];
    check("SAS to-device", &plan(How::Sas, false), &expected);
}

// VER-4, VER-6, VER-11
#[test]
fn attack_096_one_wrong_bit_in_sas_in_a_room() {
    let expected = [
        "accept of 1, commitment: m.invalid_message, m.invalid_message | m.mismatched_commitment, m.mismatched_commitment | verified, verified",
        "accept of 1, hash: m.unknown_method, m.unknown_method",
        "accept of 1, key_agreement_protocol: m.unknown_method, m.unknown_method",
        "accept of 1, m.relates_to: m.timeout, m.timeout",
        "accept of 1, message_authentication_code: m.unknown_method, m.unknown_method",
        "accept of 1, method: verified, verified",
        "accept of 1, short_authentication_string: verified, verified",
        "done of 0, m.relates_to: verified, verified, Unconfirmed",
        "done of 1, m.relates_to: verified, Unconfirmed, verified",
        "key of 0, key: m.invalid_message, m.invalid_message | m.key_mismatch, m.key_mismatch | m.mismatched_sas, m.mismatched_sas",
        "key of 0, m.relates_to: m.timeout, m.timeout",
        "key of 1, key: m.invalid_message, m.invalid_message | m.mismatched_commitment, m.mismatched_commitment",
        "key of 1, m.relates_to: m.timeout, m.timeout",
        "mac of 0, keys: verified, Unconfirmed, m.invalid_message | verified, Unconfirmed, m.key_mismatch | verified, verified",
        "mac of 0, m.relates_to: verified, Unconfirmed, m.timeout",
        "mac of 0, mac: verified, Unconfirmed, m.invalid_message | verified, Unconfirmed, m.key_mismatch | verified, verified",
        "mac of 1, keys: m.invalid_message, verified, Unconfirmed | m.key_mismatch, verified, Unconfirmed",
        "mac of 1, m.relates_to: m.timeout, verified, Unconfirmed",
        "mac of 1, mac: m.invalid_message, verified, Unconfirmed | m.key_mismatch, verified, Unconfirmed | verified, verified",
        "ready of 1, from_device: m.invalid_message, m.invalid_message | m.key_mismatch, m.timeout | m.mismatched_sas, m.mismatched_sas",
        "ready of 1, m.relates_to: m.timeout, m.timeout",
        "ready of 1, methods: m.timeout, m.timeout | verified, verified",
        "request of 0, body: verified, verified",
        "request of 0, from_device: m.timeout, unseen",
        "request of 0, methods: m.timeout, m.timeout | verified, verified",
        "request of 0, msgtype: m.timeout, unseen",
        "request of 0, to: m.timeout, unseen",
        "start of 0, from_device: m.invalid_message, m.invalid_message | m.timeout, m.timeout",
        "start of 0, hashes: m.unknown_method, m.unknown_method",
        "start of 0, key_agreement_protocols: m.unknown_method, m.unknown_method",
        "start of 0, m.relates_to: m.timeout, m.timeout",
        MACS_OF_START,
        "start of 0, method: m.unknown_method, m.unknown_method",
        "start of 0, short_authentication_string: m.mismatched_commitment, m.mismatched_commitment",
    ];
    check("SAS in a room", &plan(How::Sas, true), &expected);
}

// QR-31, QR-33, QR-34, QR-38
#[test]
fn attack_115_one_wrong_bit_in_qr() {
    let expected = [
        "done of 0, transaction_id: verified, Unconfirmed, m.timeout",
        "done of 1, transaction_id: verified, Unconfirmed, verified",
        "ready of 1, from_device: m.invalid_message, m.invalid_message | m.timeout, m.timeout",
        "ready of 1, methods: m.timeout, m.timeout | verified, verified",
        "ready of 1, transaction_id: m.timeout, m.timeout",
        "request of 0, from_device: m.timeout, unseen",
        "request of 0, methods: m.timeout, m.timeout | verified, verified",
        "request of 0, timestamp: m.timeout, unseen | verified, verified",
        "request of 0, transaction_id: m.timeout, m.unknown_transaction",
        "start of 1, from_device: m.invalid_message, m.invalid_message | m.unexpected_message, m.unexpected_message",
        "start of 1, method: m.unknown_method, m.unknown_method",
        "start of 1, secret: m.invalid_message, m.invalid_message | m.key_mismatch, m.key_mismatch",
        "start of 1, transaction_id: m.timeout, m.timeout",
    ];
    check("QR to-device", &plan(How::Qr, false), &expected);
}
