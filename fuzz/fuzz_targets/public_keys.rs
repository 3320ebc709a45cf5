//! Public keys and signatures, as bytes and as text: what is taken has one spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature};

fuzz_target!(|data: &[u8]| {
    if let Some(bytes) = data.first_chunk::<32>() {
        if let Ok(key) = Curve25519PublicKey::from_bytes(*bytes) {
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(Curve25519PublicKey::from_base64(&key.to_string()), Ok(key));
        }
        if let Ok(key) = Ed25519PublicKey::from_bytes(*bytes) {
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(Ed25519PublicKey::from_base64(&key.to_string()), Ok(key));
        }
    }
    let Ok(text) = str::from_utf8(data) else { return };
    let unpadded = text.trim_end_matches('=');
    if let Ok(key) = Curve25519PublicKey::from_base64(text) {
        assert_eq!(key.to_string(), unpadded);
    }
    if let Ok(key) = Ed25519PublicKey::from_base64(text) {
        assert_eq!(key.to_string(), unpadded);
    }
    if let Ok(signature) = Ed25519Signature::from_base64(text) {
        assert_eq!(Ed25519Signature::from_base64(&signature.to_string()), Ok(signature));
    }
});
