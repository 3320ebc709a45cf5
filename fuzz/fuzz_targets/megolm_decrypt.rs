//! Megolm messages with a right signature and a right MAC around any fields: past both, whatever is wrong inside
//! is an error that changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_aes_sha2::cbc_hmac::CbcHmacKeys;
use mx_curve25519::Ed25519SecretKey;
use mx_megolm::{
    InboundGroupSession, MegolmMessage,
    hazmat::{InboundState, RatchetState},
};
use mx_wire::Writer;

const SEED: [u8; 32] = [3; 32];
const FIRST_INDEX: u32 = 0x00ff_fffe;

const INDEX: u32 = 0x08;
const CIPHERTEXT: u32 = 0x12;

fuzz_target!(|data: &[u8]| {
    let Some(payload) = payload(data) else { return };
    let signing_key = Ed25519SecretKey::from_seed(&SEED);
    let mut session = session(&signing_key);
    // Indices beyond a reseeding are reached, those at the far end would only cost time.
    let signed = |keys: Option<&CbcHmacKeys>| {
        let mut message = [&[3], payload.as_slice()].concat();
        let mac = keys.map(|keys| *keys.mac(&message).as_bytes()).unwrap_or_default();
        message.extend(mac);
        let signature = signing_key.sign(&message);
        message.extend(signature.as_bytes());
        message
    };
    let Ok(index) = MegolmMessage::try_from(signed(None).as_slice()).map(|message| message.message_index())
    else {
        return;
    };
    let Ok(key) = session.export_at(index) else { return };
    let message = signed(Some(&CbcHmacKeys::expand(&key.as_bytes()[5..133], b"MEGOLM_KEYS")));

    let before = InboundState::from(&session);
    match session.decrypt_to_vec(&message) {
        Ok((plaintext, at)) => {
            assert_eq!(at, index);
            assert!(plaintext.len() < payload.len());
            assert_eq!(session.decrypt_to_vec(&message), Ok((plaintext, index)), "read once, but not twice");
        }
        Err(_) => {
            let after = InboundState::from(&session);
            assert_eq!(
                (before.latest.index, *before.latest.parts),
                (after.latest.index, *after.latest.parts)
            );
            assert_eq!(
                (before.earliest.index, *before.earliest.parts),
                (after.earliest.index, *after.earliest.parts)
            );
        }
    }
});

/// The fields of a message, all in the fuzzer's hands or only the index and the ciphertext.
fn payload(data: &[u8]) -> Option<Vec<u8>> {
    let (framing, data) = data.split_first()?;
    if framing % 2 == 0 {
        return Some(data.to_vec());
    }
    let (index, data) = data.split_first_chunk()?;
    let mut payload = vec![0; data.len() + 16];
    let mut writer = Writer::new(&mut payload);
    writer.number(INDEX, FIRST_INDEX.wrapping_add(u32::from(u16::from_le_bytes(*index))));
    writer.bytes(CIPHERTEXT, &data[..data.len() / 16 * 16]);
    writer.finish().map(|payload| payload.to_vec())
}

fn session(signing_key: &Ed25519SecretKey) -> InboundGroupSession {
    let ratchet = || RatchetState { index: FIRST_INDEX, parts: [5; 128].into() };
    let state = InboundState {
        earliest: ratchet(),
        latest: ratchet(),
        public_key: signing_key.public_key(),
        verified_from: Some(FIRST_INDEX),
    };
    InboundGroupSession::try_from(&state).expect("one ratchet reaches itself")
}
