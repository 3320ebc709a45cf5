//! Session keys in both formats, as bytes and as text, unsigned and with a right signature.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_curve25519::Ed25519SecretKey;
use mx_megolm::{ExportedSessionKey, InboundGroupSession, SessionKey};

fuzz_target!(|data: &[u8]| {
    assert!(SessionKey::from_bytes(data).is_err(), "a key that nobody signed was taken");
    if let Ok(key) = ExportedSessionKey::from_bytes(data) {
        assert_eq!(key.as_bytes(), data);
        let text = key.to_base64_string();
        assert_eq!(ExportedSessionKey::from_base64(&text).map(|key| *key.as_bytes()), Ok(*key.as_bytes()));
        let mut session = InboundGroupSession::import(&key);
        assert_eq!(
            session.export_at(key.first_known_index()).map(|key| *key.as_bytes()),
            Ok(*key.as_bytes())
        );
        assert_eq!(session.verified_from(), None);
    }
    if let Ok(text) = str::from_utf8(data) {
        assert!(SessionKey::from_base64(text).is_err());
        if let Ok(key) = ExportedSessionKey::from_base64(text) {
            assert_eq!(*key.to_base64_string(), text.trim_end_matches('='));
        }
    }
    if let Some(ratchet) = data.first_chunk::<{ 4 + 128 }>() {
        let signing_key = Ed25519SecretKey::from_seed(&[3; 32]);
        let mut bytes = [&[2], ratchet.as_slice(), signing_key.public_key().as_bytes()].concat();
        bytes.extend(signing_key.sign(&bytes).as_bytes());
        let key = SessionKey::from_bytes(&bytes).expect("the signature is right");
        assert_eq!(key.as_bytes().as_slice(), bytes);
        let mut session = InboundGroupSession::new(&key);
        let exported = session.export_at(key.first_known_index()).expect("the first index is known");
        assert_eq!(exported.as_bytes()[1..133], bytes[1..133]);
    }
});
