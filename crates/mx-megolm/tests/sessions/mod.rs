//! Sessions from fixed secrets, and what the tests of this crate do with them.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::unwrap_used, reason = "tests")]

use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_curve25519::Ed25519SecretKey;
use mx_megolm::{
    DecryptError, ExportedSessionKey, InboundGroupSession, OutboundGroupSession, decrypt_buffer_len,
    hazmat::{InboundState, OutboundState, RatchetState},
    message_len,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([9; 32])
}

/// A session at index 0; sessions of different numbers are different.
pub(crate) fn outbound(number: u8) -> OutboundGroupSession {
    outbound_of(0, [number; 128], number)
}

/// Session 1 at a later index, as its sender would have it.
pub(crate) fn at_index(index: u32) -> OutboundGroupSession {
    let exported = InboundGroupSession::new(&outbound(1).session_key()).export_at(index).unwrap();
    outbound_of(index, exported.as_bytes()[5..133].try_into().unwrap(), 1)
}

/// Another ratchet under the signing key of session 1.
pub(crate) fn two_faced() -> OutboundGroupSession {
    outbound_of(0, [0x77; 128], 1)
}

fn outbound_of(index: u32, parts: [u8; 128], number: u8) -> OutboundGroupSession {
    let key = Ed25519SecretKey::from_seed(&[number; 32]);
    let ratchet = RatchetState { index, parts: Zeroizing::new(parts) };
    let (expanded_signing_key, public_key) = (key.expanded_bytes(), key.public_key());
    OutboundGroupSession::try_from(&OutboundState { ratchet, expanded_signing_key, public_key }).unwrap()
}

/// What somebody without the session makes up: a ratchet of his own beside the session's public key.
pub(crate) fn forged_beside(session: &InboundGroupSession) -> ExportedSessionKey {
    let mut bytes = [0x66; ExportedSessionKey::LEN];
    bytes[0] = 1;
    bytes[1..5].copy_from_slice(&session.first_known_index().to_be_bytes());
    bytes[133..].copy_from_slice(session.public_key().as_bytes());
    ExportedSessionKey::from_bytes(&bytes).unwrap()
}

pub(crate) fn encrypt(session: &mut OutboundGroupSession, plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0; message_len(session.message_index(), plaintext.len())];
    session.encrypt(plaintext, &mut out).unwrap();
    out
}

pub(crate) fn decrypt(
    session: &mut InboundGroupSession,
    message: &[u8],
) -> Result<(Vec<u8>, u32), DecryptError> {
    let mut out = vec![0; decrypt_buffer_len(message.len())];
    session
        .decrypt(message, &mut out)
        .map(|decrypted| (decrypted.plaintext.to_vec(), decrypted.message_index))
}

/// Everything that an inbound session stores.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct State {
    pub(crate) earliest: (u32, Vec<u8>),
    pub(crate) latest: (u32, Vec<u8>),
    pub(crate) public_key: [u8; 32],
    pub(crate) verified_from: Option<u32>,
}

pub(crate) fn state_of(session: &InboundGroupSession) -> State {
    let state = InboundState::from(session);
    State {
        earliest: (state.earliest.index, state.earliest.parts.to_vec()),
        latest: (state.latest.index, state.latest.parts.to_vec()),
        public_key: *state.public_key.as_bytes(),
        verified_from: state.verified_from,
    }
}

/// What the session's owner, who can do everything but use this crate, could send: any payload (version and fields)
/// with the MAC of the ratchet at `index` and a valid signature.
pub(crate) fn authenticated(index: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = payload.to_vec();
    message.extend(keys_at(index).mac(payload).as_bytes());
    signed(message)
}

/// A valid signature behind anything.
pub(crate) fn signed(mut message: Vec<u8>) -> Vec<u8> {
    let signature = Ed25519SecretKey::from_seed(&[1; 32]).sign(&message);
    message.extend(signature.as_bytes());
    message
}

/// The message keys of session 1.
pub(crate) fn keys_at(index: u32) -> CbcHmacKeys {
    let exported = InboundGroupSession::new(&outbound(1).session_key()).export_at(index).unwrap();
    CbcHmacKeys::expand(&exported.as_bytes()[5..133], b"MEGOLM_KEYS")
}

/// `plaintext` as session 1 encrypts it at `index`.
pub(crate) fn ciphertext_at(index: u32, plaintext: &[u8]) -> Vec<u8> {
    let mut buffer = plaintext.to_vec();
    buffer.resize(padded_len(plaintext.len()), 0);
    keys_at(index).encrypt_in_place(&mut buffer, plaintext.len()).unwrap();
    buffer
}
