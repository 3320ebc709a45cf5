//! Public keys: the encodings that are refused, and how keys are written.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, InvalidKey};

fn hex(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
    }
    bytes
}

/// The bytes of 2^255 - 19 + `more`, little-endian.
fn prime_plus(more: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[31] = 0x7f;
    bytes[0] = 0xed + more;
    bytes
}

#[test]
fn attack_003_small_order_and_non_canonical_ed25519_keys() {
    let mut refused = Vec::new();
    for y in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ] {
        refused.push((hex(y), InvalidKey::SmallOrder));
    }
    for more in 0..=18 {
        refused.push((prime_plus(more), InvalidKey::NonCanonical));
    }
    for (mut bytes, error) in refused {
        for sign in [0, 0x80] {
            bytes[31] = bytes[31] & 0x7f | sign;
            assert_eq!(Ed25519PublicKey::from_bytes(bytes), Err(error), "{bytes:02x?}");
        }
    }
    // The neighbours of what is refused are not.
    for more in [2, 3, 4, 5] {
        let mut bytes = [0; 32];
        bytes[0] = more;
        assert!(Ed25519PublicKey::from_bytes(bytes).is_ok());
    }
    let mut below = prime_plus(0);
    below[0] = 0xeb;
    assert!(Ed25519PublicKey::from_bytes(below).is_ok());
}

// Near the prime, but below it: one byte between the first and the last is not all ones.
#[test]
fn keys_just_below_the_prime_are_keys() {
    for position in 1..31 {
        for more in [0, 1, 18] {
            let mut bytes = prime_plus(more);
            bytes[position] = 0xfe;
            assert!(Curve25519PublicKey::from_bytes(bytes).is_ok(), "{bytes:02x?}");
            assert!(Ed25519PublicKey::from_bytes(bytes).is_ok(), "{bytes:02x?}");
            bytes[31] |= 0x80;
            assert!(Ed25519PublicKey::from_bytes(bytes).is_ok(), "{bytes:02x?}");
        }
    }
}

#[test]
fn attack_006_low_order_curve25519_keys_do_not_parse() {
    for (u, error) in [
        (hex("0000000000000000000000000000000000000000000000000000000000000000"), InvalidKey::SmallOrder),
        (hex("0100000000000000000000000000000000000000000000000000000000000000"), InvalidKey::SmallOrder),
        (hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), InvalidKey::SmallOrder),
        (hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), InvalidKey::SmallOrder),
        (hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), InvalidKey::SmallOrder),
        (prime_plus(0), InvalidKey::NonCanonical),
        (prime_plus(1), InvalidKey::NonCanonical),
        (prime_plus(18), InvalidKey::NonCanonical),
    ] {
        assert_eq!(Curve25519PublicKey::from_bytes(u), Err(error));
        let mut high = u;
        high[31] |= 0x80;
        assert_eq!(Curve25519PublicKey::from_bytes(high), Err(InvalidKey::NonCanonical));
    }
}

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
