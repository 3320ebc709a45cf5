//! Identifiers: bounded and opaque.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::{DeviceId, InvalidIdentifier, KeyId, MAX_IDENTIFIER_LEN, RoomId, SessionId, UserId};

#[test]
fn attack_042_identifiers_are_inert_and_bounded() {
    // Taken as they are, and given back as they are.
    for text in ["../../etc/passwd", "__proto__", "'; DROP TABLE devices; --", "%2e%2e", "a:b:c", "\u{202e}x"]
    {
        assert_eq!(DeviceId::parse(text).map(|id| id.as_str()), Ok(text));
        assert_eq!(SessionId::parse(text).map(|id| id.to_string()), Ok(text.to_owned()));
    }
    let huge = "A".repeat(65_536);
    for text in [huge.as_str(), &huge[..256]] {
        let error = InvalidIdentifier::TooLong { len: text.len() };
        assert_eq!(DeviceId::parse(text), Err(error));
        assert_eq!(SessionId::parse(text), Err(error));
        assert_eq!(UserId::parse(text), Err(error));
        assert_eq!(RoomId::parse(text), Err(error));
        assert_eq!(KeyId::parse(text), Err(error));
    }
    assert!(DeviceId::parse(&huge[..MAX_IDENTIFIER_LEN]).is_ok());
    for text in ["a\0b", "\n", "x\u{7f}", "\u{85}"] {
        assert_eq!(DeviceId::parse(text), Err(InvalidIdentifier::ControlCharacter));
        assert_eq!(KeyId::new("ed25519", text), Err(InvalidIdentifier::ControlCharacter));
    }
    assert_eq!(DeviceId::parse(""), Err(InvalidIdentifier::Empty));
}

#[test]
fn sigils() {
    assert_eq!(UserId::parse("@alice:example.org").map(|id| id.as_str()), Ok("@alice:example.org"));
    assert_eq!(UserId::parse("alice:example.org"), Err(InvalidIdentifier::WrongSigil { expected: '@' }));
    assert_eq!(UserId::parse("@alice"), Err(InvalidIdentifier::NoServerName));
    assert_eq!(UserId::parse("@alice:"), Err(InvalidIdentifier::NoServerName));
    // Localparts of old are anything, nothing included.
    assert!(UserId::parse("@:example.org").is_ok());
    assert!(RoomId::parse("!room:example.org").is_ok());
    assert!(RoomId::parse("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM").is_ok());
    assert_eq!(RoomId::parse("#room:example.org"), Err(InvalidIdentifier::WrongSigil { expected: '!' }));
}

#[test]
fn key_ids_split_at_the_first_colon() {
    let id = KeyId::parse("ed25519:a:b").unwrap();
    assert_eq!((id.algorithm(), id.name(), id.to_string()), ("ed25519", "a:b", "ed25519:a:b".to_owned()));
    assert_eq!(KeyId::new("ed25519", "a:b"), Ok(id));
    assert_eq!(KeyId::parse("ed25519"), Err(InvalidIdentifier::NoAlgorithm));
    assert_eq!(KeyId::parse(":x"), Err(InvalidIdentifier::Empty));
    assert_eq!(KeyId::parse("ed25519:"), Err(InvalidIdentifier::Empty));
    assert_eq!(KeyId::new("ed:25519", "x"), Err(InvalidIdentifier::NoAlgorithm));
    let (algorithm, name) = ("a".repeat(100), "b".repeat(155));
    assert_eq!(KeyId::new(&algorithm, &name), Err(InvalidIdentifier::TooLong { len: 256 }));
    assert!(KeyId::new(&algorithm, &name[1..]).is_ok());
}
