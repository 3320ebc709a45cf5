//! Inputs on which implementations differ, each really given to all of them, with the requirement that we follow.

use std::panic::{self, AssertUnwindSafe};

use mx_demo::{
    ours::Ours,
    party::{Implementation, OlmMessage},
};
use mx_types::{Ed25519Signature, base64::encode_to_string};
use rand_chacha::ChaCha20Rng;

use crate::{
    craft::{
        Group, OlmSender, Padding, PreKey, bytes, integer, long_varint, megolm_fields, olm_fields,
        pre_key_fields,
    },
    exchange::{StartsFrom, published_key},
    report::{Failure, Report, expect, failure},
};

/// What an implementation made of an input.
pub type Verdict = Result<(), Failure>;

/// Gives one input to one implementation.
type Try<'t> = dyn Fn(&dyn Implementation, &mut ChaCha20Rng) -> Verdict + 't;

/// Collects the verdicts.
pub struct Differences<'i> {
    implementations: &'i [&'i dyn Implementation],
    lines: Vec<String>,
}

impl<'i> Differences<'i> {
    /// The first implementation is ours: it is checked against the requirement.
    pub fn new(implementations: &'i [&'i dyn Implementation]) -> Self {
        Self { implementations, lines: Vec::new() }
    }

    /// One input. `accepted` is what the requirement says.
    fn case(
        &mut self,
        report: &mut Report,
        rng: &mut ChaCha20Rng,
        (requirement, name): (&str, &str),
        accepted: bool,
        input: &Try<'_>,
    ) {
        if !report.wants(name) {
            return;
        }
        let verdicts: Vec<&str> = self.implementations.iter().map(|i| verdict(|| input(*i, rng))).collect();
        let wanted = if accepted { "accepts" } else { "refuses" };
        report.quiet_check(name, || {
            let words = format!("{requirement} wants that ours {wanted}: {verdicts:?}");
            expect(verdicts.first() == Some(&wanted), &words)
        });
        if verdicts.iter().any(|verdict| *verdict != wanted) {
            let verdicts: String = verdicts.iter().map(|verdict| format!(" {verdict:<16}")).collect();
            self.lines.push(format!("  {requirement:<8} {name:<64}{}", verdicts.trim_end()));
        }
    }

    /// The table.
    pub fn print(&self) {
        let names: String = self.implementations.iter().map(|i| format!(" {:<16}", i.name())).collect();
        println!("  {:<8} {:<64}{}", "", "input", names.trim_end());
        for line in &self.lines {
            println!("{line}");
        }
    }
}

/// Tries in a child process, because what one peer does to an input is to crash.
pub fn verdict(input: impl FnOnce() -> Verdict) -> &'static str {
    const ACCEPTED: i32 = 10;
    const REFUSED: i32 = 11;
    // SAFETY: this program has one thread, so the child may do whatever the parent may.
    let child = unsafe { libc::fork() };
    if child == 0 {
        panic::set_hook(Box::new(|_| ())); // a panic is a verdict here
        let outcome = panic::catch_unwind(AssertUnwindSafe(input));
        let code = match outcome {
            Ok(Ok(())) => ACCEPTED,
            Ok(Err(_)) => REFUSED,
            Err(_) => 0,
        };
        // SAFETY: ends the child without flushing what the parent has buffered.
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    // SAFETY: waits for the child made above, with a place for its status.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    match () {
        () if child < 0 || waited != child => "CANNOT BE TRIED",
        () if !libc::WIFEXITED(status) => "CRASHES",
        () if libc::WEXITSTATUS(status) == ACCEPTED => "accepts",
        () if libc::WEXITSTATUS(status) == REFUSED => "refuses",
        () => "PANICS",
    }
}

/// All inputs but canonical JSON.
pub fn all(differences: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    megolm_messages(differences, report, rng)?;
    session_keys(differences, report, rng)?;
    olm_messages(differences, report, rng)?;
    keys(differences, report, rng)?;
    signatures(differences, report, rng)
}

fn reads_group(implementation: &dyn Implementation, session_key: &[u8], message: &str) -> Verdict {
    let mut session = implementation.receive_session_key(&encode_to_string(session_key))?;
    let plaintext = session.decrypt(message)?.plaintext;
    expect(plaintext == crate::craft::PLAINTEXT, "another plaintext")
}

fn megolm_messages(d: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let group = Group::new(rng)?;
    let key = group.session_key();
    let long = |x: &[u8]| [&[0x08][..], &long_varint(0), &bytes(0x12, x)].concat();
    let swapped = |x: &[u8]| [bytes(0x12, x), integer(0x08, 0)].concat();
    let unknown = |x: &[u8]| [integer(0x08, 0), bytes(0x12, x), integer(0x28, 7)].concat();
    let no_index = |x: &[u8]| bytes(0x12, x);

    let reworded = [
        (
            "MEG-23",
            "Megolm message reworded after authentication: over-long varint",
            group.message_reworded(long)?,
        ),
        (
            "MEG-23",
            "Megolm message reworded after authentication: fields swapped",
            group.message_reworded(swapped)?,
        ),
        (
            "MEG-23",
            "Megolm message reworded after authentication: unknown field",
            group.message_reworded(unknown)?,
        ),
        (
            "MEG-23",
            "Megolm message reworded after authentication: no index",
            group.message_reworded(no_index)?,
        ),
    ];
    for (requirement, name, message) in &reworded {
        let message = encode_to_string(message);
        d.case(report, rng, (requirement, name), false, &|i, _| reads_group(i, &key, &message));
    }

    let written = |write: &dyn Fn(&[u8]) -> Vec<u8>| group.message(3, Padding::Pkcs7, write);
    let huge = |x: &[u8]| [integer(0x08, 1 << 32), bytes(0x12, x)].concat();
    let fixed = |x: &[u8]| [integer(0x08, 0), bytes(0x12, x), vec![0x29, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let repeated = |x: &[u8]| [integer(0x08, 5), integer(0x08, 0), bytes(0x12, x)].concat();
    let field_zero = |x: &[u8]| [integer(0x08, 0), bytes(0x12, x), integer(0x00, 0)].concat();
    let other_type = |x: &[u8]| [integer(0x08, 0), integer(0x10, 9), bytes(0x12, x)].concat();
    let crafted = [
        ("MEG-20", "Megolm message as everybody writes it", true, written(&megolm_fields)?),
        ("OLM-33", "Megolm message authenticated with an over-long varint", true, written(&long)?),
        ("OLM-35", "Megolm message authenticated with swapped fields", true, written(&swapped)?),
        ("OLM-35", "Megolm message authenticated with an unknown field", true, written(&unknown)?),
        ("OLM-35", "Megolm message with a known number of another wire type", true, written(&other_type)?),
        ("OLM-35", "Megolm message with a field of wire type 1", false, written(&fixed)?),
        ("OLM-35", "Megolm message with field number 0", false, written(&field_zero)?),
        ("OLM-35", "Megolm message with a repeated index", false, written(&repeated)?),
        ("MEG-25", "Megolm message authenticated without an index", false, written(&no_index)?),
        ("MEG-25", "Megolm message with index 2^32", false, written(&huge)?),
        ("MEG-24", "Megolm message of version 4", false, group.message(4, Padding::Pkcs7, megolm_fields)?),
        (
            "OLM-37",
            "Megolm message padded right only in its last byte",
            false,
            group.message(3, Padding::OnlyTheLastByte, megolm_fields)?,
        ),
    ];
    for (requirement, name, accepted, message) in &crafted {
        let message = encode_to_string(message);
        d.case(report, rng, (requirement, name), *accepted, &|i, _| reads_group(i, &key, &message));
    }

    // 109 bytes, so that the Base64 has room for padding and for bits that stand for no byte.
    let mut outbound = Ours.create_group_session(rng)?;
    let session_key = outbound.session_key();
    let text = outbound.encrypt(b"two blocks, not one")?;
    let broken = format!("{}\n{}", &text[..40], &text[40..]);
    let bodies = [
        ("B64-2", "message body with Base64 padding", true, format!("{text}==")),
        ("B64-2", "message body with half of the Base64 padding", false, format!("{text}=")),
        ("B64-5", "message body with non-zero trailing bits", true, with_trailing_bits(&text)),
        ("B64-4", "message body with a line feed inside", false, broken),
    ];
    for (requirement, name, accepted, message) in &bodies {
        d.case(report, rng, (requirement, name), *accepted, &|i, _| {
            Ok(i.receive_session_key(&session_key)?.decrypt(message).map(drop)?)
        });
    }

    d.case(report, rng, ("MEG-26", "exporting 2^31 indices ahead"), true, &|i, _| {
        let mut session = i.receive_session_key(&encode_to_string(&key))?;
        Ok(session.export_at(1 << 31).map(drop)?)
    });
    Ok(())
}

fn session_keys(d: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let group = Group::new(rng)?;
    let (key, exported) = (group.session_key(), group.exported());
    let receive = |text: String| {
        move |i: &dyn Implementation, _: &mut ChaCha20Rng| -> Verdict {
            Ok(i.receive_session_key(&text).map(drop)?)
        }
    };
    let import = |text: String| {
        move |i: &dyn Implementation, _: &mut ChaCha20Rng| -> Verdict {
            Ok(i.import_session_key(&text).map(drop)?)
        }
    };
    let text = encode_to_string(&key);
    d.case(
        report,
        rng,
        ("MEG-42", "session key (v2) with Base64 padding"),
        true,
        &receive(format!("{text}==")),
    );
    let trailing = with_trailing_bits(&text);
    d.case(report, rng, ("B64-5", "session key (v2) with non-zero trailing bits"), false, &receive(trailing));
    let longer = encode_to_string(&[&key[..], &[0]].concat());
    d.case(report, rng, ("MEG-42", "session key (v2) and one byte more"), false, &receive(longer));
    let longer = encode_to_string(&[&exported[..], &[0]].concat());
    d.case(report, rng, ("MEG-42", "exported session (v1) and one byte more"), false, &import(longer));
    d.case(
        report,
        rng,
        ("MEG-44", "exported session (v1) where a session key (v2) belongs"),
        false,
        &receive(encode_to_string(&exported)),
    );
    d.case(
        report,
        rng,
        ("MEG-44", "session key (v2) where an exported session (v1) belongs"),
        false,
        &import(encode_to_string(&key)),
    );
    let mut unsigned = key.clone();
    if let Some(last) = unsigned.last_mut() {
        *last ^= 1;
    }
    d.case(
        report,
        rng,
        ("MEG-43", "session key (v2) with a wrong signature"),
        false,
        &receive(encode_to_string(&unsigned)),
    );
    let mut everybodys = key[..133].to_vec();
    everybodys.extend(IDENTITY_POINT); // the public key
    everybodys.extend(IDENTITY_POINT); // R of a signature of anything
    everybodys.extend([0; 32]); // S
    d.case(
        report,
        rng,
        ("SIG-9", "session key (v2) signed by the identity point"),
        false,
        &receive(encode_to_string(&everybodys)),
    );
    Ok(())
}

/// The neutral element of Ed25519: as a public key it has signed everything.
const IDENTITY_POINT: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

fn olm_messages(d: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    type Inner = fn(&[u8], &[u8]) -> Vec<u8>;
    type Outer = fn([&[u8]; 3], &[u8]) -> Vec<u8>;
    type Case = (&'static str, &'static str, bool, (u8, u8, Padding), Inner, Outer);
    let cases: [Case; 12] = [
        ("OLM-31", "pre-key message as everybody writes it", true, PLAIN, olm_fields, pre_key_fields),
        (
            "OLM-38",
            "pre-key message of outer version 4",
            false,
            (4, 3, Padding::Pkcs7),
            olm_fields,
            pre_key_fields,
        ),
        (
            "OLM-38",
            "pre-key message of inner version 4",
            false,
            (3, 4, Padding::Pkcs7),
            olm_fields,
            pre_key_fields,
        ),
        (
            "OLM-37",
            "Olm message padded right only in its last byte",
            false,
            (3, 3, Padding::OnlyTheLastByte),
            olm_fields,
            pre_key_fields,
        ),
        (
            "OLM-33",
            "Olm message authenticated with an over-long varint",
            true,
            PLAIN,
            |key, x| [bytes(0x0a, key), [&[0x10][..], &long_varint(0)].concat(), bytes(0x22, x)].concat(),
            pre_key_fields,
        ),
        (
            "OLM-35",
            "Olm message authenticated with swapped fields",
            true,
            PLAIN,
            |key, x| [bytes(0x22, x), integer(0x10, 0), bytes(0x0a, key)].concat(),
            pre_key_fields,
        ),
        (
            "OLM-35",
            "Olm message authenticated with an unknown field",
            true,
            PLAIN,
            |key, x| [olm_fields(key, x), bytes(0x2a, b"new")].concat(),
            pre_key_fields,
        ),
        (
            "OLM-35",
            "Olm message with a repeated ratchet key",
            false,
            PLAIN,
            |key, x| [bytes(0x0a, &[9; 32]), olm_fields(key, x)].concat(),
            pre_key_fields,
        ),
        (
            "OLM-36",
            "Olm message authenticated without an index",
            false,
            PLAIN,
            |key, x| [bytes(0x0a, key), bytes(0x22, x)].concat(),
            pre_key_fields,
        ),
        (
            "OLM-35",
            "pre-key message with swapped fields",
            true,
            PLAIN,
            olm_fields,
            |[otk, base, identity], inner| {
                [bytes(0x22, inner), bytes(0x1a, identity), bytes(0x12, base), bytes(0x0a, otk)].concat()
            },
        ),
        ("OLM-35", "pre-key message with a repeated base key", false, PLAIN, olm_fields, |keys, inner| {
            [bytes(0x12, &[9; 32]), pre_key_fields(keys, inner)].concat()
        }),
        (
            "OLM-36",
            "pre-key message without an identity key",
            false,
            PLAIN,
            olm_fields,
            |[otk, base, _], inner| [bytes(0x0a, otk), bytes(0x12, base), bytes(0x22, inner)].concat(),
        ),
    ];
    for (requirement, name, accepted, (version, inner_version, padding), write, write_outer) in cases {
        d.case(report, rng, (requirement, name), accepted, &|i, rng| {
            reads_pre_key(i, rng, (version, inner_version, padding), write, write_outer, |message| message)
        });
    }
    // MAC and fields as honest senders write them; then the fields are written anew around the same MAC.
    d.case(
        report,
        rng,
        ("OLM-34", "Olm message reworded after authentication: over-long varint"),
        false,
        &|i, rng| {
            reads_pre_key(i, rng, PLAIN, olm_fields, pre_key_fields, |message| {
                reword(&message, |key, x| {
                    [bytes(0x0a, key), [&[0x10][..], &long_varint(0)].concat(), bytes(0x22, x)].concat()
                })
            })
        },
    );
    d.case(
        report,
        rng,
        ("OLM-34", "Olm message reworded after authentication: no index"),
        false,
        &|i, rng| {
            reads_pre_key(i, rng, PLAIN, olm_fields, pre_key_fields, |message| {
                reword(&message, |key, x| [bytes(0x0a, key), bytes(0x22, x)].concat())
            })
        },
    );
    d.case(
        report,
        rng,
        ("OLM-23", "pre-key message that names another sender than the event"),
        false,
        &|i, rng| {
            let mut account = i.create_account(rng)?;
            let other = i.create_account(rng)?.curve25519_key();
            let key = published_key(account.as_mut(), StartsFrom::OneTimeKey, rng)?;
            let sender = i.create_account(rng)?;
            let mut session = sender.create_outbound_session(rng, &account.curve25519_key(), &key)?;
            let message = session.encrypt(rng, b"hello")?;
            Ok(account.create_inbound_session(&other, &message).map(drop)?)
        },
    );
    d.case(
        report,
        rng,
        ("FBK-8", "pre-key message to a fallback key, replayed to the account"),
        false,
        &|i, rng| {
            let mut account = i.create_account(rng)?;
            let key = published_key(account.as_mut(), StartsFrom::FallbackKey, rng)?;
            let sender = i.create_account(rng)?;
            let mut session = sender.create_outbound_session(rng, &account.curve25519_key(), &key)?;
            let message = session.encrypt(rng, b"hello")?;
            account.create_inbound_session(&sender.curve25519_key(), &message)?;
            Ok(account.create_inbound_session(&sender.curve25519_key(), &message).map(drop)?)
        },
    );
    Ok(())
}

/// Versions and padding of an honest sender.
const PLAIN: (u8, u8, Padding) = (3, 3, Padding::Pkcs7);

fn reads_pre_key(
    implementation: &dyn Implementation,
    rng: &mut ChaCha20Rng,
    (version, inner_version, padding): (u8, u8, Padding),
    write: impl FnOnce(&[u8], &[u8]) -> Vec<u8>,
    write_outer: impl FnOnce([&[u8]; 3], &[u8]) -> Vec<u8>,
    change: impl FnOnce(OlmMessage) -> OlmMessage,
) -> Verdict {
    let mut account = implementation.create_account(rng)?;
    let one_time_key = published_key(account.as_mut(), StartsFrom::OneTimeKey, rng)?;
    let sender = OlmSender::new(rng)?;
    let identity_key = account.curve25519_key();
    let pre_key =
        PreKey { version, inner_version, padding, identity_key: &identity_key, one_time_key: &one_time_key };
    let message = change(sender.pre_key_message(&pre_key, write, write_outer)?);
    let sender_key = sender.identity.public_key().to_string();
    let (_, plaintext) = account.create_inbound_session(&sender_key, &message)?;
    expect(plaintext == crate::craft::PLAINTEXT, "another plaintext")
}

/// Writes the inner fields of an honest pre-key message anew and keeps its MAC.
fn reword(message: &OlmMessage, write: impl FnOnce(&[u8], &[u8]) -> Vec<u8>) -> OlmMessage {
    let raw = vodozemac::base64_decode(&message.body).unwrap_or_default();
    // 03 and three fields of 34 bytes, then 22, a length of one byte, and the inner message.
    let (keys, inner) = raw.split_at(103);
    let inner = &inner[2..];
    let (ratchet_key, ciphertext, mac) = (&inner[3..35], &inner[39..55], &inner[55..]);
    let inner = [&[3][..], &write(ratchet_key, ciphertext), mac].concat();
    let body = encode_to_string(&[keys, &bytes(0x22, &inner)].concat());
    OlmMessage { body, ..message.clone() }
}

fn keys(d: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let order_eight = "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA"; // a point of order 8
    let spelled_twice = encode_to_string(&{
        let mut bytes = [0xff; 32]; // 2^255 - 10, which is 9 modulo the prime
        bytes[0] = 0xf6;
        bytes[31] = 0x7f;
        bytes
    });
    let high_bit = encode_to_string(&{
        let mut bytes = [9; 32];
        bytes[31] |= 0x80;
        bytes
    });
    let zeros = encode_to_string(&[0; 32]);
    let longer = "A".repeat(44);
    let trailing = with_trailing_bits(&encode_to_string(&[9; 32]));
    let cases = [
        ("OLM-9", "one-time key of zeros", zeros.as_str()),
        ("OLM-9", "one-time key of order 8", order_eight),
        ("attack 3", "one-time key of 2^255 - 10, another spelling of 9", spelled_twice.as_str()),
        ("attack 3", "one-time key with the highest bit set", high_bit.as_str()),
        ("B64-7", "one-time key of 44 characters (33 bytes)", longer.as_str()),
        ("B64-5", "one-time key with non-zero trailing bits", trailing.as_str()),
    ];
    for (requirement, name, key) in cases {
        d.case(report, rng, (requirement, name), false, &|i, rng| {
            let account = i.create_account(rng)?;
            let identity_key = i.create_account(rng)?.curve25519_key();
            Ok(account.create_outbound_session(rng, &identity_key, key).map(drop)?)
        });
    }
    let padded = format!("{}=", encode_to_string(&[9; 32]));
    d.case(report, rng, ("B64-2", "one-time key with Base64 padding"), true, &|i, rng| {
        let account = i.create_account(rng)?;
        let identity_key = i.create_account(rng)?.curve25519_key();
        Ok(account.create_outbound_session(rng, &identity_key, &padded).map(drop)?)
    });
    d.case(report, rng, ("B64-7", "Ed25519 key of 44 characters (33 bytes)"), false, &|i, _| {
        Ok(i.verify(&longer, b"message", &encode_to_string(&[0; 64]))?)
    });
    Ok(())
}

fn signatures(d: &mut Differences<'_>, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let key = mx_curve25519::Ed25519SecretKey::generate(rng)?;
    let public = key.public_key().to_string();
    let signature = key.sign(b"message");
    let text = signature.to_string();
    let verifies = |key: String, signature: String| {
        move |i: &dyn Implementation, _: &mut ChaCha20Rng| -> Verdict {
            Ok(i.verify(&key, b"message", &signature)?)
        }
    };
    let second = plus_group_order(&signature);
    d.case(report, rng, ("SIG-9", "signature with S + L for S"), false, &verifies(public.clone(), second));
    let everybodys = encode_to_string(&[&IDENTITY_POINT[..], &[0; 32]].concat());
    d.case(
        report,
        rng,
        ("SIG-9", "signature of anything under the identity point"),
        false,
        &verifies(encode_to_string(&IDENTITY_POINT), everybodys),
    );
    let padded = format!("{text}==");
    d.case(report, rng, ("B64-2", "signature with Base64 padding"), true, &verifies(public.clone(), padded));
    let trailing = with_trailing_bits(&text);
    d.case(
        report,
        rng,
        ("B64-5", "signature with non-zero trailing bits"),
        true,
        &verifies(public.clone(), trailing),
    );
    let trailing = with_trailing_bits(&public);
    d.case(
        report,
        rng,
        ("B64-5", "Ed25519 key with non-zero trailing bits"),
        false,
        &verifies(trailing, text),
    );
    Ok(())
}

/// Sets a bit of the last character that stands for no byte.
fn with_trailing_bits(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = text.as_bytes().to_vec();
    if let Some(last) = text.last_mut() {
        let value = ALPHABET.iter().position(|character| character == last).unwrap_or(0);
        *last = ALPHABET[value | 1];
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The same signature with the order of the group added to S.
fn plus_group_order(signature: &Ed25519Signature) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = *signature.as_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    encode_to_string(&bytes)
}

/// Canonical JSON: ours against ruma.
pub fn canonical_json(report: &mut Report) {
    use mx_canonical_json::{Limits, canonicalize};
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let cases: [(&str, &str, bool, String); 20] = [
        ("JSON-10", "the same key twice", false, r#"{"a":1,"a":2}"#.into()),
        ("JSON-10", "the same key twice, spelled differently", false, r#"{"a":1,"\u0061":2}"#.into()),
        ("JSON-6", "a float", false, r#"{"a":1.5}"#.into()),
        ("JSON-6", "an integral float", false, r#"{"a":1.0}"#.into()),
        ("JSON-6", "an exponent", false, r#"{"a":1e10}"#.into()),
        ("JSON-6", "minus zero", true, r#"{"a":-0}"#.into()),
        ("JSON-5", "2^53", false, r#"{"a":9007199254740992}"#.into()),
        ("JSON-5", "2^53 - 1", true, r#"{"a":9007199254740991}"#.into()),
        ("JSON-5", "-(2^53) + 1", true, r#"{"a":-9007199254740991}"#.into()),
        ("JSON-5", "2^64", false, r#"{"a":18446744073709551616}"#.into()),
        ("JSON-9", "an unpaired surrogate", false, r#"{"a":"\ud800"}"#.into()),
        ("JSON-14", "127 containers", true, deep(127)),
        ("JSON-14", "128 containers", true, deep(128)),
        ("JSON-14", "129 containers", false, deep(129)),
        ("JSON-16", "a byte-order mark", false, "\u{feff}{}".into()),
        ("JSON-16", "a second value", false, "{} {}".into()),
        ("JSON-16", "a trailing comma", false, r#"{"a":1,}"#.into()),
        ("JSON-16", "a leading zero", false, r#"{"a":01}"#.into()),
        ("JSON-16", "a raw line feed in a string", false, "\"\n\"".into()),
        ("JSON-12", "a number for itself", true, "42".into()),
    ];
    let mut lines = Vec::new();
    report.title("Where canonical JSON differs");
    for (requirement, name, accepted, text) in cases {
        if !report.wants(name) {
            continue;
        }
        let ours = canonicalize(&text, &Limits::DEFAULT).ok();
        let theirs = crate::canonical_json::ruma(&text).ok();
        report.quiet_check(name, || {
            if ours.is_some() == accepted {
                Ok(())
            } else {
                failure(format!("{requirement} wants otherwise"))
            }
        });
        if ours != theirs {
            let words = |verdict: Option<String>| match verdict {
                None => "refuses".to_owned(),
                Some(text) if text.len() > 16 => "accepts".to_owned(),
                Some(text) => format!("gives {text}"),
            };
            let (ours, theirs) = (words(ours), words(theirs));
            lines.push(format!("  {requirement:<8} {name:<44} {ours:<24} {theirs}"));
        }
    }
    println!("  {:<8} {:<44} {:<24} ruma", "", "input", "ours");
    lines.iter().for_each(|line| println!("{line}"));
}
