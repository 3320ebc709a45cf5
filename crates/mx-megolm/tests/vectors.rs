//! Known answers of tests/vectors/megolm.json, where the provenance of each is named.
#![expect(clippy::unwrap_used, reason = "tests")]

use mx_curve25519::Ed25519SecretKey;
use mx_megolm::{
    ExportedSessionKey, InboundGroupSession, OutboundGroupSession, SessionKey,
    hazmat::{InboundState, OutboundState, RatchetState},
};
use mx_types::base64::{TrailingBits, decode, decoded_len, encode, encoded_len};
use serde_json::Value;
use zeroize::Zeroizing;

fn vector(group: &str, name: &str) -> String {
    let vectors: Value = serde_json::from_str(include_str!("vectors/megolm.json")).unwrap();
    vectors.get(group).and_then(|group| group.get(name)).and_then(Value::as_str).unwrap().to_owned()
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut out = vec![0; decoded_len(text).unwrap()];
    decode(text, TrailingBits::Ignored, &mut out).unwrap();
    out
}

fn to_base64(bytes: &[u8]) -> String {
    encode(bytes, &mut vec![0; encoded_len(bytes.len())]).unwrap().to_owned()
}

/// The ratchet that `parts` becomes at `index`, through the public interface.
fn advanced(parts: [u8; 128], index: u32) -> Vec<u8> {
    let state = InboundState {
        earliest: RatchetState { index: 0, parts: Zeroizing::new(parts) },
        latest: RatchetState { index: 0, parts: Zeroizing::new(parts) },
        public_key: Ed25519SecretKey::from_seed(&[1; 32]).public_key(),
        verified_from: None,
    };
    let mut session = InboundGroupSession::try_from(&state).unwrap();
    session.export_at(index).unwrap().as_bytes()[5..133].to_vec()
}

// MEG-2, MEG-3, MEG-4, MEG-5, MEG-9
#[test]
fn ratchet_of_libolm() {
    let start: [u8; 128] = vector("libolm_ratchet", "start_ascii").as_bytes().try_into().unwrap();
    for (index, name) in [(1, "after_1"), (0x100_0000, "at_0x1000000"), (0x104_1506, "at_0x1041506")] {
        assert_eq!(advanced(start, index), hex::<128>(&vector("libolm_ratchet", name)), "{name}");
    }
}

fn outbound() -> OutboundGroupSession {
    let seed = hex(&vector("self_made", "ed25519_seed"));
    let key = Ed25519SecretKey::from_seed(&seed);
    let state = OutboundState {
        ratchet: RatchetState { index: 0, parts: Zeroizing::new(hex(&vector("self_made", "ratchet_0"))) },
        expanded_signing_key: key.expanded_bytes(),
        public_key: key.public_key(),
    };
    OutboundGroupSession::try_from(&state).unwrap()
}

// MEG-8, MEG-20, MEG-21, MEG-22, MEG-30, MEG-40, MEG-41, MEG-45, MEG-60
#[test]
fn outbound_session_of_libolm() {
    let mut session = outbound();
    assert_eq!(session.session_id().as_str(), vector("self_made", "session_id"));
    let session_key = vector("self_made", "session_key_v2");
    assert_eq!(session.session_key().to_base64(&mut [0; SessionKey::BASE64_LEN]), session_key);

    let mut out = [0; 100];
    let encrypted = session.encrypt(b"Hello", &mut out).unwrap();
    assert_eq!(encrypted.message_index, 0);
    assert_eq!(to_base64(encrypted.message), vector("self_made", "message_0_plaintext_Hello"));

    let state = OutboundState::from(&session);
    assert_eq!((state.ratchet.index, *state.ratchet.parts), (1, hex(&vector("self_made", "ratchet_1"))));
}

// MEG-23, MEG-28, MEG-41, MEG-46
#[test]
fn inbound_session_of_libolm() {
    let key = SessionKey::from_base64(&vector("self_made", "session_key_v2")).unwrap();
    let mut session = InboundGroupSession::new(&key);
    assert_eq!((session.first_known_index(), session.verified_from()), (0, Some(0)));
    let message = from_base64(&vector("self_made", "message_0_plaintext_Hello"));
    let mut out = [0; 16];
    let decrypted = session.decrypt(&message, &mut out).unwrap();
    assert_eq!((decrypted.plaintext, decrypted.message_index), (&b"Hello"[..], 0));

    let exported = session.export_at(0).unwrap();
    let text = vector("self_made", "export_v1_at_0");
    assert_eq!(exported.to_base64(&mut [0; ExportedSessionKey::BASE64_LEN]), text);
    let mut imported = InboundGroupSession::import(&ExportedSessionKey::from_base64(&text).unwrap());
    assert_eq!(imported.decrypt(&message, &mut out).unwrap().plaintext, b"Hello");
}

// MEG-31, MEG-42
#[test]
fn group_session_of_libolm() {
    let key = SessionKey::from_base64(&vector("libolm_group_session", "session_key")).unwrap();
    let mut session = InboundGroupSession::new(&key);
    assert_eq!(session.session_id().to_string(), vector("libolm_group_session", "session_id"));
    let message = from_base64(&vector("libolm_group_session", "message"));
    let mut out = [0; 16];
    let decrypted = session.decrypt(&message, &mut out).unwrap();
    assert_eq!(decrypted.plaintext, vector("libolm_group_session", "plaintext").as_bytes());
    assert_eq!(decrypted.message_index, 0);
}

// MEG-31
#[test]
fn signature_of_libolm() {
    let key = SessionKey::from_base64(&vector("libolm_signature", "session_key_v2")).unwrap();
    let mut session = InboundGroupSession::new(&key);
    let mut out = [0; 16];
    let message = from_base64(&vector("libolm_signature", "message"));
    let decrypted = session.decrypt(&message, &mut out).unwrap();
    assert_eq!((decrypted.plaintext, decrypted.message_index), (&b"Message"[..], 0));
    let changed = from_base64(&vector("libolm_signature", "message_last_signature_byte_changed"));
    let error = session.decrypt(&changed, &mut out).unwrap_err();
    assert_eq!(error, mx_megolm::DecryptError::Signature);
}

// MEG-20, MEG-22
#[test]
fn the_length_of_a_message_is_known_before() {
    assert_eq!(mx_megolm::message_len(0, 7), 93);
    let mut session = outbound();
    for (index, plaintext_len) in
        [(0, 0), (1, 15), (2, 16), (127, 100), (128, 112), (16384, 2000), (1 << 28, 9)]
    {
        let mut state = OutboundState::from(&session);
        state.ratchet.index = index;
        session = OutboundGroupSession::try_from(&state).unwrap();
        let mut out = [0; 3000];
        let message = session.encrypt(&[7; 2000][..plaintext_len], &mut out).unwrap().message;
        assert_eq!(message.len(), mx_megolm::message_len(index, plaintext_len));
        assert!(mx_megolm::decrypt_buffer_len(message.len()) > plaintext_len);
    }
}

// MEG-62, MEG-63
#[test]
fn attack_005_a_raw_state_whose_parts_do_not_belong_together_is_refused() {
    use mx_megolm::hazmat::InvalidState;
    let mut state = OutboundState::from(&outbound());
    state.public_key = Ed25519SecretKey::from_seed(&[1; 32]).public_key();
    assert_eq!(OutboundGroupSession::try_from(&state).err(), Some(InvalidState::PublicKey));

    let key = SessionKey::from_base64(&vector("self_made", "session_key_v2")).unwrap();
    let mut session = InboundGroupSession::new(&key);
    session.advance_to(300).unwrap();
    let export = session.export_at(1000).unwrap();
    let valid = || {
        let mut state = InboundState::from(&session);
        state.latest.index = 1000;
        state.latest.parts.copy_from_slice(&export.as_bytes()[5..133]);
        state
    };
    InboundGroupSession::try_from(&valid()).unwrap();
    let refused = |change: fn(&mut InboundState), expected| {
        let mut state = valid();
        change(&mut state);
        assert_eq!(InboundGroupSession::try_from(&state).err(), Some(expected));
    };
    refused(|state| state.latest.index = 999, InvalidState::LatestRatchet);
    refused(|state| state.latest.index = 299, InvalidState::LatestRatchet);
    refused(|state| state.latest.parts[127] ^= 1, InvalidState::LatestRatchet);
    refused(|state| state.earliest.parts[0] ^= 1, InvalidState::LatestRatchet);
    refused(|state| state.verified_from = Some(299), InvalidState::VerifiedFrom);
}
