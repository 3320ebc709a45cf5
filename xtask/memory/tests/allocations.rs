//! Lengths and counts that somebody claims allocate nothing: what a parser takes is bounded by what it was given.

#![cfg(feature = "alloc")]

use memory::{Pattern, Watching, allocated};
use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_canonical_json::Limits;
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::{Account, MessageType, NormalMessage, OlmMessageBuf, PreKeyMessage, Session};
use mx_pickle::{Generation, Kind, PickleKey, sealed_len};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

#[test]
fn attack_048_the_allocator_counts() {
    assert_eq!(allocated(|| vec![0_u8; 1000]).1, 1000);
    assert_eq!(allocated(|| [0_u8; 1000]).1, 0);
}

#[test]
fn attack_050_lengths_in_messages() {
    for length in [
        &b"\xff\xff\xff\xff\x07"[..],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ] {
        for tag in [0x0a, 0x12, 0x1a, 0x22] {
            let bytes = [&[3, tag][..], length, &[9; 100]].concat();
            let (results, bytes) = allocated(|| {
                let mut out = [0; 128];
                let outbound = OutboundGroupSession::new(&mut Pattern(0)).unwrap();
                let mut inbound = InboundGroupSession::new(&outbound.session_key());
                [
                    NormalMessage::parse(&bytes).is_ok(),
                    PreKeyMessage::parse(&bytes).is_ok(),
                    inbound.decrypt(&bytes, &mut out).is_ok(),
                ]
            });
            assert_eq!((results, bytes), ([false; 3], 0));
        }
    }
}

#[test]
fn attack_048_a_text_that_is_too_long() {
    let text = "A".repeat(1 << 20);
    let (result, bytes) =
        allocated(|| OlmMessageBuf::from_base64(MessageType::Normal, &text, 65_536).is_ok());
    assert_eq!((result, bytes), (false, 0));
}

/// A pickle under the right key: zeros, and a count at every position.
fn hostile_pickles(type_tag: u8, len: usize) -> Vec<Vec<u8>> {
    let key = PickleKey::new(&[3; 32]);
    (0..len - 4)
        .map(|position| {
            let mut state = vec![0; len];
            state[position..position + 4].copy_from_slice(&u32::MAX.to_be_bytes());
            let mut out = vec![0; sealed_len(len)];
            let kind = Kind { type_tag, layout: 1 };
            let mut writer = key.seal(&mut Pattern(0), kind, Generation::default(), len, &mut out).unwrap();
            writer.bytes(&state);
            writer.finish().unwrap();
            out
        })
        .collect()
}

#[test]
fn attack_060_counts_in_pickles() {
    let key = PickleKey::new(&[3; 32]);
    let oldest = Generation::default();
    for pickle in hostile_pickles(1, 300) {
        let (_, bytes) = allocated(|| Account::<100, 200>::from_pickle(&key, oldest, &pickle).is_ok());
        assert!(bytes < 1000, "{bytes}");
    }
    for pickle in hostile_pickles(2, 400) {
        let (_, bytes) = allocated(|| Session::<200>::from_pickle(&key, oldest, &pickle).is_ok());
        assert!(bytes < 1000, "{bytes}");
    }
    for type_tag in [3, 4] {
        for pickle in hostile_pickles(type_tag, 320) {
            let (_, bytes) = allocated(|| {
                let _ = OutboundGroupSession::from_pickle(&key, oldest, &pickle);
                let _ = InboundGroupSession::from_pickle(&key, oldest, &pickle);
            });
            assert_eq!(bytes, 0);
        }
    }
}

/// libolm's envelope around a state, with the empty key.
fn libolm_pickle(state: &[u8]) -> String {
    let keys = CbcHmacKeys::expand(b"", b"Pickle");
    let mut buffer = state.to_vec();
    buffer.resize(padded_len(state.len()), 0);
    keys.encrypt_in_place(&mut buffer, state.len()).unwrap();
    let tag = *keys.mac(&buffer).as_bytes();
    buffer.extend(tag);
    mx_types::base64::encode_to_string(&buffer)
}

#[test]
fn attack_069_counts_in_pickles_of_libolm() {
    for version in [1, 2, 3, 4] {
        for position in (4..400).step_by(1) {
            let mut state = vec![0; 420];
            state[3] = version;
            state[position..position + 4].copy_from_slice(&u32::MAX.to_be_bytes());
            let pickle = libolm_pickle(&state);
            let (_, bytes) = allocated(|| {
                let _ = mx_libolm_pickle::read_account::<100, 200>(&pickle, b"");
                let _ = mx_libolm_pickle::read_session::<200>(&pickle, b"");
                let _ = mx_libolm_pickle::read_outbound_group_session(&pickle, b"");
                let _ = mx_libolm_pickle::read_inbound_group_session(&pickle, b"");
            });
            assert!(bytes < 20 * pickle.len(), "{bytes}");
        }
    }
}

#[test]
fn attack_036_nesting_and_sizes_in_json() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000), format!("1e{}", "9".repeat(1000))] {
        let (result, bytes) =
            allocated(|| mx_canonical_json::canonicalize(&text, &Limits::default()).is_ok());
        assert!(!result);
        assert!(bytes < 2 * text.len() + 20_000, "{bytes} for {}", text.len());
    }
}
