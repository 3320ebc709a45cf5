//! What tests need around a pickle: the vectors, and an envelope of their own, to seal plaintexts that no writer makes.
#![allow(dead_code, reason = "not every test file uses all of it")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_types::base64::{TrailingBits, decode_to_vec, encode_to_string};
use serde_json::Value;

/// A string of tests/vectors/libolm.json.
pub(crate) fn vector(group: &str, name: &str) -> String {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/libolm.json")).unwrap();
    vectors[group][name].as_str().unwrap_or_else(|| panic!("{group}.{name}")).to_owned()
}

/// A string in hexadecimal digits.
pub(crate) fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The envelope around a plaintext.
pub(crate) fn seal(plaintext: &[u8], pickle_key: &[u8]) -> String {
    let keys = CbcHmacKeys::expand(pickle_key, b"Pickle");
    let mut bytes = plaintext.to_vec();
    bytes.resize(padded_len(plaintext.len()), 0);
    keys.encrypt_in_place(&mut bytes, plaintext.len()).unwrap();
    let mac = keys.mac(&bytes);
    bytes.extend_from_slice(mac.as_bytes());
    encode_to_string(&bytes)
}

/// The plaintext in an envelope.
pub(crate) fn unseal(pickle: &str, pickle_key: &[u8]) -> Vec<u8> {
    let keys = CbcHmacKeys::expand(pickle_key, b"Pickle");
    let mut bytes = decode_to_vec(pickle, TrailingBits::Refused).unwrap();
    let mac = bytes.split_off(bytes.len() - 8);
    keys.verify_mac(&bytes, mac.as_slice().try_into().unwrap()).unwrap();
    keys.decrypt_in_place(&mut bytes).unwrap().to_vec()
}

pub(crate) fn curve25519_pair(secret: [u8; 32]) -> Vec<u8> {
    let key = Curve25519SecretKey::from_secret_bytes(&secret);
    [key.public_key().as_bytes().as_slice(), &secret].concat()
}

pub(crate) fn ed25519_pair(seed: [u8; 32]) -> Vec<u8> {
    let key = Ed25519SecretKey::from_seed(&seed);
    [key.public_key().as_bytes().as_slice(), key.expanded_bytes().as_slice()].concat()
}

/// The secret half of the `n`-th key of [`one_time_key`].
pub(crate) fn one_time_secret(n: u32) -> [u8; 32] {
    let mut secret = [0x77; 32];
    secret[..4].copy_from_slice(&n.to_be_bytes());
    secret
}

/// `number ‖ published ‖ pair`, of a secret that depends on `n`.
pub(crate) fn one_time_key(number: u32, published: u8, n: u32) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), &[published], &curve25519_pair(one_time_secret(n))].concat()
}

/// An account of version 4 of records made by [`one_time_key`], newest first.
pub(crate) fn account(one_time_keys: &[Vec<u8>], fallback_keys: &[Vec<u8>], last_number: u32) -> Vec<u8> {
    [
        4u32.to_be_bytes().to_vec(),
        ed25519_pair([0x11; 32]),
        curve25519_pair([0x22; 32]),
        u32::try_from(one_time_keys.len()).unwrap().to_be_bytes().to_vec(),
        one_time_keys.concat(),
        vec![u8::try_from(fallback_keys.len()).unwrap()],
        fallback_keys.concat(),
        last_number.to_be_bytes().to_vec(),
    ]
    .concat()
}
