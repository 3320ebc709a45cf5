//! Unpadded Base64: vectors, agreement with `base64ct`, and refusals.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use base64ct::{Base64Unpadded, Encoding as _};
use mx_types::base64::{
    DecodeError, TrailingBits, decode, decode_array, decode_secret, decode_secret_prefix, decoded_len,
    encode, encode_secret, encode_to_bytes, encoded_len,
};
use mx_types::{BufferTooSmall, Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, InvalidKey};
use proptest::prelude::*;

#[test]
fn lengths() {
    for (bytes, text) in [(0, 0), (1, 2), (2, 3), (3, 4), (8, 11), (16, 22), (32, 43), (64, 86)] {
        assert_eq!(encoded_len(bytes), text);
        assert_eq!(decoded_len("A".repeat(text)), Ok(bytes));
    }
    assert_eq!(encoded_len(usize::MAX), usize::MAX);
}

// B64-7: 44 characters without padding are 33 bytes, not a key.
#[test]
fn the_decoded_length_counts() {
    let text = "A".repeat(44);
    let error = DecodeError::UnexpectedLength { expected: 32, found: 33 };
    assert_eq!(decode_array::<32>(&text, TrailingBits::Refused), Err(error));
    assert_eq!(Ed25519PublicKey::from_base64(&text), Err(InvalidKey::Base64(error)));
    assert_eq!(Curve25519PublicKey::from_base64(&text), Err(InvalidKey::Base64(error)));
}

// B64-4: in whole blocks and in the rest.
#[test]
fn attack_009_a_wrong_character_is_found_wherever_it_stands() {
    for len in [32, 43, 64, 86, 99, 128, 150, 256] {
        let good = "A".repeat(len);
        assert!(decode(&good, TrailingBits::Refused, &mut [0; 192]).is_ok());
        for position in 0..len {
            for wrong in ['-', '_', ' ', '\n', '\u{7f}', '@', '[', '`', '{', '.', ':', ','] {
                let mut text = good.clone();
                text.replace_range(position..=position, &wrong.to_string());
                assert!(decode(&text, TrailingBits::Ignored, &mut [0; 192]).is_err(), "{text:?}");
            }
        }
    }
}

// B64-1, B64-4: each of the 256 bytes in each place of a group, against the reference.
#[test]
fn every_character_in_every_place() {
    for place in 0..11 {
        for character in 0..=0x7f_u8 {
            let mut text = *b"AAAAAAAAAAA";
            text[place] = character;
            let text = core::str::from_utf8(&text).unwrap();
            let (mut ours, mut reference) = ([0; 8], [0; 8]);
            let ours = decode(text, TrailingBits::Refused, &mut ours).ok();
            assert_eq!(ours, Base64Unpadded::decode(text, &mut reference).ok(), "{text:?}");
        }
    }
    for byte in 0x80..=0xff_u8 {
        let text = format!("AAA{}AAA", char::from(byte)); // two bytes above 0x7f in UTF-8
        assert_eq!(decode(&text, TrailingBits::Ignored, &mut [0; 8]), Err(DecodeError::InvalidCharacter));
    }
}

// B64-5: ignored where somebody else wrote a signature.
#[test]
fn trailing_bits_are_ignored_in_signatures_only() {
    let zeros = "A".repeat(86);
    let set = format!("{}B", "A".repeat(85));
    assert_eq!(Ed25519Signature::from_base64(&zeros), Ed25519Signature::from_base64(&set));
    assert_eq!(decode("Zh", TrailingBits::Ignored, &mut [0; 1]), Ok(&b"f"[..]));
    let key = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI";
    assert!(Ed25519PublicKey::from_base64(key).is_ok());
    let other = format!("{}J", &key[..42]);
    assert_eq!(Ed25519PublicKey::from_base64(&other), Err(InvalidKey::Base64(DecodeError::TrailingBits)));
    assert_eq!(Curve25519PublicKey::from_base64(&other), Err(InvalidKey::Base64(DecodeError::TrailingBits)));
}

// B64-6: two spellings of one signature are one signature.
#[test]
fn values_compare_as_bytes() {
    let padded = "A".repeat(86) + "==";
    assert_eq!(Ed25519Signature::from_base64(&padded), Ed25519Signature::from_base64(&padded[..86]));
}

#[test]
fn attack_063_base64_into_a_buffer_one_byte_too_small() {
    let bytes = [7; 50];
    let needed = encoded_len(50);
    for len in 0..needed {
        let mut out = [0xaa; 80];
        assert_eq!(encode(&bytes, &mut out[..len]), Err(BufferTooSmall { needed }));
        assert_eq!(encode_secret(&bytes, &mut out[..len]), Err(BufferTooSmall { needed }));
        assert_eq!(out, [0xaa; 80]);
    }
    let text = "A".repeat(needed);
    for len in 0..50 {
        let mut out = [0xaa; 50];
        let error = DecodeError::BufferTooSmall(BufferTooSmall { needed: 50 });
        assert_eq!(decode(&text, TrailingBits::Refused, &mut out[..len]), Err(error));
        assert_eq!(decode_secret(&text, &mut out[..len]), Err(error));
        assert_eq!(decode_secret_prefix(&text, 20, &mut out[..len]), Err(error));
        assert_eq!(out, [0xaa; 50]);
    }
}

proptest! {
    #[test]
    fn both_codecs_agree_with_base64ct(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let expected = Base64Unpadded::encode_string(&bytes);
        let mut text = vec![0; encoded_len(bytes.len())];
        prop_assert_eq!(encode(&bytes, &mut text), Ok(expected.as_str()));
        prop_assert_eq!(encode_to_bytes(&bytes, &mut text), Ok(expected.as_bytes()));
        prop_assert_eq!(encode_secret(&bytes, &mut text), Ok(expected.as_str()));
        let mut out = vec![0; bytes.len()];
        prop_assert_eq!(decode(&expected, TrailingBits::Refused, &mut out), Ok(bytes.as_slice()));
        prop_assert_eq!(decode_secret(&expected, &mut out), Ok(bytes.as_slice()));
    }

    #[test]
    fn where_a_secret_ends_changes_nothing(
        text in prop_oneof!["[A-Za-z0-9+/]{0,60}={0,2}", "[A-Za-z0-9+/]{4,9}[A=_ ][A-Za-z0-9+/]{0,9}"],
        secret_len in prop_oneof![0..60_usize, Just(usize::MAX)],
    ) {
        let (mut out, mut other) = ([0; 64], [0; 64]);
        prop_assert_eq!(decode_secret_prefix(&text, secret_len, &mut out), decode_secret(&text, &mut other));
    }

    #[test]
    fn arbitrary_text_is_taken_as_base64ct_takes_it(text in "[A-Za-z0-9+/=_\\- \n\u{e9}]{0,80}") {
        let mut out = [0; 80];
        let ours = decode(&text, TrailingBits::Refused, &mut out).map(<[u8]>::to_vec).ok();
        if text.contains('=') {
            prop_assert!(ours.is_none() || text.len() % 4 == 0);
        } else {
            prop_assert_eq!(ours, Base64Unpadded::decode_vec(&text).ok());
        }
    }
}

#[cfg(feature = "alloc")]
#[test]
fn allocating_forms_say_the_same() {
    use mx_types::base64::{decode_to_vec, encode_to_string};
    for len in 0..100_u8 {
        let bytes: Vec<u8> = (0..len).collect();
        let text = encode_to_string(&bytes);
        assert_eq!(encode(&bytes, &mut [0; 140]), Ok(text.as_str()));
        assert_eq!(decode_to_vec(&text, TrailingBits::Refused), Ok(bytes));
    }
    // At each place of a text: in whole blocks, behind them, and where there are no others.
    for len in 1..140 {
        let text = "A".repeat(len);
        let mut texts: Vec<_> = ["", "=", "==", "==="].map(|padding| format!("{text}{padding}")).into();
        for at in [0, len / 2, len - 1] {
            texts.extend(["B", "*", "="].map(|other| format!("{}{other}{}", &text[..at], &text[at + 1..])));
        }
        for text in &texts {
            for trailing in [TrailingBits::Refused, TrailingBits::Ignored] {
                let expected = decode(text, trailing, &mut [0xaa; 110]).map(<[u8]>::to_vec);
                assert_eq!(decode_to_vec(text, trailing), expected, "{text}");
            }
        }
    }
}
