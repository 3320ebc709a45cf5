//! Public keys: how they are written. The encodings that are refused are in `known`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature};

#[test]
fn keys_and_signatures_are_written_as_base64() {
    let text = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI";
    let key = Ed25519PublicKey::from_base64(text).unwrap();
    assert_eq!(key.to_string(), text);
    assert_eq!(format!("{key:?}"), format!("Ed25519PublicKey({text})"));
    let text = "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ";
    let key = Curve25519PublicKey::from_base64(text).unwrap();
    assert_eq!(format!("{key:?}"), format!("Curve25519PublicKey({text})"));
    assert_eq!(Curve25519PublicKey::try_from(&key.as_bytes()[..]), Ok(key));
    for len in [0, 31, 33] {
        assert!(Curve25519PublicKey::try_from(&[9; 40][..len]).is_err());
    }
    let signature = Ed25519Signature::from_bytes([0xff; 64]);
    assert_eq!(Ed25519Signature::from_base64(&signature.to_string()), Ok(signature));
    assert_eq!(format!("{signature:?}"), format!("Ed25519Signature({signature})"));
}

#[cfg(feature = "serde")]
#[test]
fn json_strings() {
    let text = "\"XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI\"";
    let key: Ed25519PublicKey = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), text);
    let error = serde_json::from_str::<Curve25519PublicKey>("\"AA\"").unwrap_err();
    assert!(error.to_string().contains("32 bytes of Base64 expected, 1 found"), "{error}");
    assert!(serde_json::from_str::<Ed25519Signature>("7").is_err());
    let user = mx_types::UserId::parse("@alice:example.org").unwrap();
    assert_eq!(serde_json::to_string(&user).unwrap(), "\"@alice:example.org\"");
}
