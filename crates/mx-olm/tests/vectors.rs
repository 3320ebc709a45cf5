//! Known answers, see `vectors/olm.json`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use mx_curve25519::Curve25519SecretKey;
use mx_olm::{InboundSession, MessageType, OlmMessage, OneTimeKeys, PreKeyMessage, Session};
use mx_types::base64::{TrailingBits, decode, encode};
use serde_json::Value;
use support::{Script, hex, secret_key};

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/olm.json")).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    encode(bytes, &mut [0; 400]).unwrap().to_owned()
}

struct Both {
    vectors: Value,
    alice: Session,
    bob_identity: Curve25519SecretKey,
    bob_keys: OneTimeKeys,
}

impl Both {
    fn new() -> Self {
        let vectors = vectors();
        let input = |name: &str| hex(vectors["inputs"][name].as_str().unwrap());
        let bob_identity = secret_key(&input("bob_identity_priv"));
        let mut bob_keys = OneTimeKeys::new();
        let _ = bob_keys.generate(&mut Script(input("bob_one_time_priv"))).unwrap();
        let alice = Session::outbound(
            &mut Script([input("alice_base_priv"), input("alice_ratchet_priv")].concat()),
            &secret_key(&input("alice_identity_priv")),
            &bob_identity.public_key(),
            &bob_keys.unpublished().next().unwrap().key,
        )
        .unwrap();
        Self { vectors, alice, bob_identity, bob_keys }
    }

    fn text(&self, name: &str) -> &str {
        self.vectors[name].as_str().unwrap()
    }

    fn alice_sends(&mut self, plaintext: &[u8]) -> String {
        let mut out = [0; 300];
        let message = self.alice.encrypt(&mut Script(vec![]), plaintext, &mut out).unwrap();
        assert_eq!(message.message_type, MessageType::PreKey);
        base64(message.bytes)
    }
}

// OLM-1, OLM-2, OLM-3, OLM-4, OLM-6, OLM-7, OLM-10, OLM-22, OLM-30, OLM-31, OLM-32, OLM-40, OLM-41
#[test]
fn outbound_messages() {
    let mut both = Both::new();
    assert_eq!(both.alice.keys().session_id().to_string(), both.text("session_id"));
    let publics = &both.vectors["publics"];
    assert_eq!(both.alice.keys().identity_key.to_string(), publics["alice_identity"].as_str().unwrap());
    assert_eq!(both.alice.keys().base_key.to_string(), publics["alice_base"].as_str().unwrap());
    assert_eq!(both.alice.keys().one_time_key.to_string(), publics["bob_one_time"].as_str().unwrap());
    let first = both.alice_sends(b"Hello");
    assert_eq!(first, both.text("prekey_msg_0_plaintext_Hello"));
    let second = both.alice_sends(b"");
    assert_eq!(second, both.text("prekey_msg_1_plaintext_empty"));
}

// OLM-5, OLM-11, OLM-16, OLM-25: Bob reads the second message first, then the first, and answers.
#[test]
fn inbound_messages_and_the_answer() {
    let mut both = Both::new();
    let _ = both.alice_sends(b"Hello");
    let _ = both.alice_sends(b"");
    let mut bytes = [0; 200];
    let second =
        decode(both.text("prekey_msg_1_plaintext_empty"), TrailingBits::Ignored, &mut bytes).unwrap();
    let second = PreKeyMessage::parse(second).unwrap();
    let mut out = [0; 64];
    let alice_identity = second.keys().identity_key;
    let InboundSession { session: mut bob, plaintext, .. } =
        both.bob_keys.inbound_session::<200>(&both.bob_identity, &alice_identity, &second, &mut out).unwrap();
    assert_eq!(plaintext, b"");
    let mut bytes = [0; 200];
    let first = decode(both.text("prekey_msg_0_plaintext_Hello"), TrailingBits::Ignored, &mut bytes).unwrap();
    let first = OlmMessage::parse(MessageType::PreKey, first).unwrap();
    assert_eq!(bob.decrypt(&first, &mut out).unwrap(), b"Hello");

    let ratchet = hex(both.vectors["inputs"]["bob_ratchet_priv"].as_str().unwrap());
    let mut reply = [0; 200];
    let reply = bob.encrypt(&mut Script(ratchet), b"World", &mut reply).unwrap();
    assert_eq!(reply.message_type, MessageType::Normal);
    assert_eq!(base64(reply.bytes), both.text("bob_reply_plaintext_World"));
    let reply = OlmMessage::parse(MessageType::Normal, reply.bytes).unwrap();
    assert_eq!(both.alice.decrypt(&reply, &mut out).unwrap(), b"World");
    assert_eq!(both.alice.keys().session_id(), bob.keys().session_id());
}

// OLM-3, OLM-5, OLM-6, OLM-41: the keys inside.
#[cfg(feature = "alloc")]
#[test]
fn root_and_chain_keys() {
    use mx_olm::hazmat::session_state;

    let mut both = Both::new();
    let state = session_state(&both.alice);
    assert_eq!(state.root_key[..], hex(both.text("R0")));
    assert_eq!(state.sender.as_ref().unwrap().1.key[..], hex(both.text("C_0_0")));
    let _ = both.alice_sends(b"Hello");
    assert_eq!(session_state(&both.alice).sender.unwrap().1.key[..], hex(both.text("C_0_1")));
    let mut bytes = [0; 200];
    let reply = decode(both.text("bob_reply_plaintext_World"), TrailingBits::Ignored, &mut bytes).unwrap();
    let reply = OlmMessage::parse(MessageType::Normal, reply).unwrap();
    let mut out = [0; 64];
    both.alice.decrypt(&reply, &mut out).unwrap();
    let state = session_state(&both.alice);
    assert_eq!(state.root_key[..], hex(both.text("R1")));
    assert!(state.sender.is_none());
}
