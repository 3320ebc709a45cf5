//! The Olm session of libolm: both sides from their private keys, and all that they send.

use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey};
use mx_olm::{InboundSession, MessageType, OlmMessage, OneTimeKeys, PreKeyMessage, Session};
use mx_types::base64::{TrailingBits, decode, encode};

use crate::{
    runner::Runner,
    script::Script,
    value::{Value, check},
    vectors::OLM,
};

/// Skipped keys kept: as few as fit into the RAM of the smallest machine, and more than are skipped.
const SKIPPED: usize = 4;

pub fn run(runner: &mut Runner) {
    runner.run("Olm of libolm", "outbound messages", outbound_messages);
    runner.run("Olm of libolm", "inbound messages and the answer", inbound_messages_and_the_answer);
}

struct Both {
    alice: Session<SKIPPED>,
    bob_identity: Curve25519SecretKey,
    bob_keys: OneTimeKeys<1, 1>,
}

impl Both {
    fn new() -> Option<Self> {
        let inputs = OLM.get("inputs")?;
        let secret = |name| Some(Curve25519SecretKey::from_secret_bytes(&inputs.hex(name)?));
        let bob_identity = secret("bob_identity_priv")?;
        let mut bob_keys = OneTimeKeys::new();
        let one_time = bob_keys.generate(&mut Script::new([inputs.hex("bob_one_time_priv")?])).ok()?.key.key;
        let drawn = [inputs.hex("alice_base_priv")?, inputs.hex("alice_ratchet_priv")?];
        let alice = secret("alice_identity_priv")?;
        let alice =
            Session::outbound(&mut Script::new(drawn), &alice, &bob_identity.public_key(), &one_time).ok()?;
        Some(Self { alice, bob_identity, bob_keys })
    }

    fn alice_sends(&mut self, plaintext: &[u8], expected: &str) -> Option<()> {
        let (mut out, mut text) = ([0; 300], [0; 400]);
        let message = self.alice.encrypt(&mut Script::new([]), plaintext, &mut out).ok()?;
        check(message.message_type == MessageType::PreKey)?;
        check(encode(message.bytes, &mut text).ok()? == OLM.text(expected)?)
    }

    fn alice_sends_both(&mut self) -> Option<()> {
        self.alice_sends(b"Hello", "prekey_msg_0_plaintext_Hello")?;
        self.alice_sends(b"", "prekey_msg_1_plaintext_empty")
    }
}

fn is_key(found: Curve25519PublicKey, vectors: &Value, name: &str) -> Option<()> {
    check(found == Curve25519PublicKey::from_base64(vectors.text(name)?).ok()?)
}

fn bytes_of<'b>(name: &str, bytes: &'b mut [u8]) -> Option<&'b [u8]> {
    decode(OLM.text(name)?, TrailingBits::Ignored, bytes).ok()
}

fn outbound_messages() -> Option<()> {
    let mut both = Both::new()?;
    let keys = both.alice.keys();
    let mut text = [0; 43];
    check(encode(keys.session_id().as_bytes(), &mut text).ok()? == OLM.text("session_id")?)?;
    let publics = OLM.get("publics")?;
    is_key(keys.identity_key, publics, "alice_identity")?;
    is_key(keys.base_key, publics, "alice_base")?;
    is_key(keys.one_time_key, publics, "bob_one_time")?;
    both.alice_sends_both()
}

/// Bob reads the second message first, then the first, and answers.
fn inbound_messages_and_the_answer() -> Option<()> {
    let mut both = Both::new()?;
    both.alice_sends_both()?;
    let (mut bytes, mut out) = ([0; 200], [0; 64]);
    let second = PreKeyMessage::parse(bytes_of("prekey_msg_1_plaintext_empty", &mut bytes)?).ok()?;
    let alice_identity = second.keys().identity_key;
    let InboundSession { session: mut bob, plaintext, .. } = both
        .bob_keys
        .inbound_session::<SKIPPED>(&both.bob_identity, &alice_identity, &second, &mut out)
        .ok()?;
    check(plaintext.is_empty())?;
    let first = bytes_of("prekey_msg_0_plaintext_Hello", &mut bytes)?;
    let first = OlmMessage::parse(MessageType::PreKey, first).ok()?;
    check(bob.decrypt(&first, &mut out).ok()? == b"Hello")?;

    let ratchet = OLM.get("inputs")?.hex("bob_ratchet_priv")?;
    let mut text = [0; 300];
    let reply = bob.encrypt(&mut Script::new([ratchet]), b"World", &mut bytes).ok()?;
    check(reply.message_type == MessageType::Normal)?;
    check(encode(reply.bytes, &mut text).ok()? == OLM.text("bob_reply_plaintext_World")?)?;
    let reply = OlmMessage::parse(MessageType::Normal, reply.bytes).ok()?;
    check(both.alice.decrypt(&reply, &mut out).ok()? == b"World")?;
    check(both.alice.keys().session_id() == bob.keys().session_id())
}
