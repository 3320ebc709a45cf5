//! Olm and Megolm: messages that libolm made, which the peers read once more.

use mx_demo::party::{Implementation as _, OlmMessage};
use mx_peers::vodozemac;
use serde_json::{Value, json};

use super::{confirmed, file, peers, text_of};
use crate::report::{Failure, expect};

const OLM: &str = include_str!("../../../../../../crates/mx-olm/tests/vectors/olm.json");
const MEGOLM: &str = include_str!("../../../../../../crates/mx-megolm/tests/vectors/megolm.json");
const PICKLES: &str = include_str!("../../../../../../crates/mx-libolm-pickle/tests/vectors/libolm.json");

pub(super) fn olm() -> Result<Value, Failure> {
    let mut vector: Value = serde_json::from_str(OLM)?;
    vector["name"] = "Alice writes twice, Bob answers".into();
    vector["about"].take();
    vector["confirmed_by"] = json!(["libolm 3.2.13, which made it", "an independent program in Python"]);
    let object = vector.as_object_mut().ok_or("no object")?;
    object.remove("about");

    // The first message, by Bob's account as libolm stores it.
    let pickle = bobs_account()?;
    let first =
        OlmMessage { message_type: 0, body: text_of(&vector, "prekey_msg_0_plaintext_Hello")?.to_owned() };
    let alice = text_of(&vector["publics"], "alice_identity")?.to_owned();
    let read = |mut account: Box<dyn mx_demo::party::Account>| {
        let (session, plaintext) = account.create_inbound_session(&alice, &first)?;
        expect(plaintext == b"Hello", "another plaintext")?;
        expect(session.session_id() == text_of(&vector, "session_id")?, "another session ID")
    };
    read(Box::new(mx_peers::libolm::Account::from_pickle(&pickle, b"")?))?;
    read(Box::new(vodozemac::Account(::vodozemac::olm::Account::from_libolm_pickle(&pickle, b"")?)))?;
    confirmed(&mut vector, format!("{}, the first message", vodozemac::Vodozemac.name()));
    file(
        "An Olm session. The private keys in inputs are bytes in a row, ratchet keys included, so that every value follows: root, chain and message \
         keys in hexadecimal (R, C, M), AES key, HMAC key and IV of a message in one, messages in Base64 with their plaintext in \
         the name.",
        "Olm: a cryptographic ratchet",
        vec![vector],
    )
}

fn bobs_account() -> Result<String, Failure> {
    fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
        let object = value.as_object()?;
        object
            .get(name)
            .and_then(Value::as_str)
            .or_else(|| object.values().find_map(|value| find(value, name)))
    }
    let pickles: Value = serde_json::from_str(PICKLES)?;
    Ok(find(&pickles, "bob_account_v4_1_otk_unpublished").ok_or("no pickle of Bob's")?.to_owned())
}

pub(super) fn megolm() -> Result<Value, Failure> {
    let sources: Value = serde_json::from_str(MEGOLM)?;
    let mut vectors = Vec::new();
    for (group, name, key, message, plaintext) in [
        ("self_made", "a session of bytes in a row", "session_key_v2", "message_0_plaintext_Hello", "Hello"),
        ("libolm_group_session", "libolm's group session", "session_key", "message", "Message"),
        ("libolm_signature", "libolm's signed message", "session_key_v2", "message", "Message"),
    ] {
        let source = &sources[group];
        let (key, message) = (text_of(source, key)?, text_of(source, message)?);
        let mut vector = json!({ "name": name, "session_key": key, "message": message, "plaintext": plaintext, "message_index": 0 });
        for part in [
            "ratchet_0",
            "ratchet_1",
            "ed25519_seed",
            "keys_0_aes_hmac_iv",
            "message_last_signature_byte_changed",
        ] {
            if let Some(value) = source.get(part) {
                vector[part] = value.clone();
            }
        }
        for peer in peers() {
            let mut session = peer.receive_session_key(key)?;
            let read = session.decrypt(message)?;
            expect(
                (read.plaintext.as_slice(), read.message_index) == (plaintext.as_bytes(), 0),
                "another message",
            )?;
            vector["session_id"] = session.session_id().into();
            if let Some(changed) = source["message_last_signature_byte_changed"].as_str() {
                let mut session = peer.receive_session_key(key)?;
                expect(session.decrypt(changed).is_err(), "a wrong signature was taken")?;
            }
            confirmed(&mut vector, peer.name());
        }
        vectors.push(vector);
    }
    let ratchet = &sources["libolm_ratchet"];
    vectors.push(json!({ "name": "libolm's ratchet", "confirmed_by": ["libolm, tests/test_megolm.cpp"], "ratchet_0_ascii": ratchet["start_ascii"],
        "ratchet_1": ratchet["after_1"], "ratchet_0x1000000": ratchet["at_0x1000000"], "ratchet_0x1041506": ratchet["at_0x1041506"] }));
    file(
        "Megolm sessions. session_key has the sharing format of m.room_key, message and its plaintext belong to it; the message with another \
         last byte of its signature must be refused. ratchet_i is R(i,0) to R(i,3), in hexadecimal unless its name says ascii; keys_0 \
         are AES key, HMAC key and IV of message 0.",
        "Megolm group ratchet",
        vectors,
    )
}
