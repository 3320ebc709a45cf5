//! The ratchet, sessions and messages of libolm.

use mx_curve25519::Ed25519SecretKey;
use mx_megolm::{
    DecryptError, ExportedSessionKey, InboundGroupSession, OutboundGroupSession, SessionKey,
    hazmat::{InboundState, OutboundState, RatchetState},
};
use mx_types::base64::{TrailingBits, decode, encode};
use zeroize::Zeroizing;

use crate::{runner::Runner, value::check, vectors::MEGOLM};

pub fn run(runner: &mut Runner) {
    for (name, index) in [("after_1", 1), ("at_0x1000000", 0x100_0000), ("at_0x1041506", 0x104_1506)] {
        runner.run("Megolm of libolm, ratchet", name, || ratchet(name, index));
    }
    runner.run("Megolm of libolm", "outbound session", outbound_session);
    runner.run("Megolm of libolm", "inbound session", inbound_session);
    runner.run("Megolm of libolm", "group session", group_session);
    runner.run("Megolm of libolm", "signature", signature);
}

fn ratchet(name: &str, index: u32) -> Option<()> {
    let vectors = MEGOLM.get("libolm_ratchet")?;
    let parts: [u8; 128] = vectors.text("start_ascii")?.as_bytes().try_into().ok()?;
    let state = || RatchetState { index: 0, parts: Zeroizing::new(parts) };
    let state = InboundState {
        earliest: state(),
        latest: state(),
        public_key: Ed25519SecretKey::from_seed(&[1; 32]).public_key(),
        verified_from: None,
    };
    let mut session = InboundGroupSession::try_from(&state).ok()?;
    check(session.export_at(index).ok()?.as_bytes().get(5..133)? == vectors.hex::<128>(name)?)
}

fn outbound_session() -> Option<()> {
    let vectors = MEGOLM.get("self_made")?;
    let key = Ed25519SecretKey::from_seed(&vectors.hex("ed25519_seed")?);
    let state = OutboundState {
        ratchet: RatchetState { index: 0, parts: Zeroizing::new(vectors.hex("ratchet_0")?) },
        expanded_signing_key: key.expanded_bytes(),
        public_key: key.public_key(),
    };
    let mut session = OutboundGroupSession::try_from(&state).ok()?;
    check(session.session_id().as_str() == vectors.text("session_id")?)?;
    let mut text = [0; SessionKey::BASE64_LEN];
    check(session.session_key().to_base64(&mut text) == vectors.text("session_key_v2")?)?;

    let (mut out, mut text) = ([0; 100], [0; 140]);
    let encrypted = session.encrypt(b"Hello", &mut out).ok()?;
    check(encrypted.message_index == 0)?;
    check(encode(encrypted.message, &mut text).ok()? == vectors.text("message_0_plaintext_Hello")?)?;
    let state = OutboundState::from(&session).ratchet;
    check((state.index, *state.parts) == (1, vectors.hex("ratchet_1")?))
}

fn inbound_session() -> Option<()> {
    let vectors = MEGOLM.get("self_made")?;
    let mut session = InboundGroupSession::new(&session_key("self_made", "session_key_v2")?);
    check((session.first_known_index(), session.verified_from()) == (0, Some(0)))?;
    decrypts(&mut session, "self_made", "message_0_plaintext_Hello", b"Hello")?;
    let exported = session.export_at(0).ok()?;
    let text = vectors.text("export_v1_at_0")?;
    check(exported.to_base64(&mut [0; ExportedSessionKey::BASE64_LEN]) == text)?;
    let mut imported = InboundGroupSession::import(&ExportedSessionKey::from_base64(text).ok()?);
    decrypts(&mut imported, "self_made", "message_0_plaintext_Hello", b"Hello")
}

fn group_session() -> Option<()> {
    let vectors = MEGOLM.get("libolm_group_session")?;
    let mut session = InboundGroupSession::new(&session_key("libolm_group_session", "session_key")?);
    check(session.session_id().as_str() == vectors.text("session_id")?)?;
    decrypts(&mut session, "libolm_group_session", "message", vectors.text("plaintext")?.as_bytes())
}

fn signature() -> Option<()> {
    let mut session = InboundGroupSession::new(&session_key("libolm_signature", "session_key_v2")?);
    decrypts(&mut session, "libolm_signature", "message", b"Message")?;
    let (mut bytes, mut out) = ([0; 100], [0; 32]);
    let changed = message("libolm_signature", "message_last_signature_byte_changed", &mut bytes)?;
    check(session.decrypt(changed, &mut out).err() == Some(DecryptError::Signature))
}

fn session_key(group: &str, name: &str) -> Option<SessionKey> {
    SessionKey::from_base64(MEGOLM.get(group)?.text(name)?).ok()
}

fn message<'b>(group: &str, name: &str, bytes: &'b mut [u8]) -> Option<&'b [u8]> {
    decode(MEGOLM.get(group)?.text(name)?, TrailingBits::Ignored, bytes).ok()
}

fn decrypts(session: &mut InboundGroupSession, group: &str, name: &str, plaintext: &[u8]) -> Option<()> {
    let (mut bytes, mut out) = ([0; 100], [0; 32]);
    let decrypted = session.decrypt(message(group, name, &mut bytes)?, &mut out).ok()?;
    check(decrypted.plaintext == plaintext && decrypted.message_index == 0)
}
