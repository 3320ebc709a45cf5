//! Identifiers and key IDs: whatever is taken comes out as it went in, and is bounded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_types::{DeviceId, KeyId, MAX_IDENTIFIER_LEN, RoomId, SessionId, UserId};

fuzz_target!(|text: &str| {
    let parsed = [
        UserId::parse(text).map(|id| id.as_str()),
        DeviceId::parse(text).map(|id| id.as_str()),
        RoomId::parse(text).map(|id| id.as_str()),
        SessionId::parse(text).map(|id| id.as_str()),
    ];
    for id in parsed.into_iter().flatten() {
        assert_eq!(id, text);
        assert!(id.len() <= MAX_IDENTIFIER_LEN && !id.chars().any(char::is_control));
    }
    if let Ok(id) = KeyId::parse(text) {
        assert_eq!(id.to_string(), text);
        assert_eq!(KeyId::new(id.algorithm(), id.name()), Ok(id));
    }
});
