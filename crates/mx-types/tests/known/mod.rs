//! Base64, the key representation, and keys that are none. Firmware runs them, too: nothing but `core`.

use mx_types::{
    BufferTooSmall, Curve25519PublicKey, Ed25519PublicKey, InvalidKey,
    base64::{
        DecodeError, TrailingBits, decode, decode_array, decode_secret, decode_secret_prefix,
        decode_url_secret, encode, encode_secret, encode_url_secret,
    },
    key_representation,
};

fn hex(text: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

/// The bytes of 2^255 - 19 + `more`, little-endian.
fn prime_plus(more: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[31] = 0x7f;
    bytes[0] = 0xed + more;
    bytes
}

known_answers! {
    // B64-1, B64-2: the appendices' vectors, and the same with padding on read.
    #[test]
    fn vectors_of_the_appendices() {
        for (bytes, text, padded) in [
            ("", "", ""),
            ("f", "Zg", "Zg=="),
            ("fo", "Zm8", "Zm8="),
            ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg", "Zm9vYg=="),
            ("fooba", "Zm9vYmE", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes(), &mut [0; 8]), Ok(text));
            assert_eq!(encode_secret(bytes.as_bytes(), &mut [0; 8]), Ok(text));
            for text in [text, padded] {
                assert_eq!(decode(text, TrailingBits::Refused, &mut [0; 8]), Ok(bytes.as_bytes()));
                assert_eq!(decode_secret(text, &mut [0; 8]), Ok(bytes.as_bytes()));
            }
        }
    }

    // B64-3: RFC 4648, section 5, differs in two characters; neither alphabet is read as the other.
    #[test]
    fn attack_009_url_safe_only_where_it_is_asked_for() {
        // Table 2 of the RFC: 62 is `-`, 63 is `_`.
        let bytes = [0xff, 0xef, 0xbe, 0xfb];
        assert_eq!(encode_url_secret(&bytes, &mut [0; 6]), Ok("_----w"));
        for text in ["_----w", "_----w=="] {
            assert_eq!(decode_url_secret(text, &mut [0; 4]), Ok(&bytes[..]));
            assert_eq!(decode_secret(text, &mut [0; 4]), Err(DecodeError::InvalidCharacter));
        }
        for text in ["/++++w", "_----x", "_---+w", "_-- -w", "_----w\n="] {
            assert!(decode_url_secret(text, &mut [0; 6]).is_err(), "{text:?}");
        }
        for (text, error) in [
            ("_----w=", DecodeError::InvalidPadding),
            ("_----", DecodeError::InvalidLength),
            ("_----w", DecodeError::BufferTooSmall(BufferTooSmall { needed: 4 })),
        ] {
            assert_eq!(decode_url_secret(text, &mut [0; 3]), Err(error));
        }
        assert_eq!(encode_url_secret(&bytes, &mut [0; 5]), Err(BufferTooSmall { needed: 6 }));
    }

    // B64-4, B64-5, B64-8, B64-9: what a lenient decoder would take.
    #[test]
    fn attack_009_one_lenient_decoder_for_all() {
        use DecodeError::{InvalidCharacter, InvalidLength, InvalidPadding};
        let refused = [
            ("AB", DecodeError::TrailingBits),
            ("AAB", DecodeError::TrailingBits),
            ("Zh", DecodeError::TrailingBits),
            ("AA=", InvalidPadding),
            ("AA===", InvalidPadding),
            ("A===", InvalidPadding),
            ("AAAA=", InvalidPadding),
            ("AAAA==", InvalidPadding),
            ("AAAA====", InvalidPadding),
            ("=", InvalidPadding),
            ("==", InvalidPadding),
            ("====", InvalidPadding),
            ("A", InvalidLength),
            ("AAAAA", InvalidLength),
            ("-B", InvalidCharacter),
            ("A-", InvalidCharacter),
            ("AA\nA", InvalidCharacter),
            ("AAA\n", InvalidCharacter),
            (" AAA", InvalidCharacter),
            ("A A", InvalidCharacter),
            ("A=AA", InvalidCharacter),
            ("-_AA", InvalidCharacter),
            ("\u{e9}A", InvalidCharacter),
            ("AA\0A", InvalidCharacter),
        ];
        for (text, error) in refused {
            assert_eq!(decode(text, TrailingBits::Refused, &mut [0; 8]), Err(error), "{text:?}");
            let secret = match error {
                DecodeError::TrailingBits => InvalidCharacter,
                other => other,
            };
            assert_eq!(decode_secret(text, &mut [0; 8]), Err(secret), "{text:?}");
            for secret_len in 0..8 {
                assert_eq!(decode_secret_prefix(text, secret_len, &mut [0; 8]), Err(secret), "{text:?}");
            }
        }
        // Complete padding is allowed on read.
        assert_eq!(decode("AA==", TrailingBits::Refused, &mut [0; 1]), Ok(&[0][..]));
    }

    // REC-1, REC-2, REC-5, REC-6
    #[test]
    fn known_answers() {
        for (key, text) in [
            ([0; 32], "EsSz ygLv VP1b xF1C v7kE eBQx MxDP buG5 w25T L3b6 hfyG Kkrd"),
            ([0xff; 32], "EsUK 2TRo ZKTB CKmv wEDA o6rq tTYu aKzp eJ9f 95nM 3VHk Xbnq"),
            (core::array::from_fn(|i| i.to_le_bytes()[0]), "EsSz ykH7 LCZx 7Cae cmKD wcmY JRXi Ybtu 8iQ3 t8Ez nRwK pUY1"),
        ] {
            assert_eq!(key_representation::encode(&key, &mut [0; key_representation::LEN]), text);
            assert_eq!(*key_representation::decode(text).unwrap(), key);
            assert_eq!((text.split(' ').count(), &text[..2], text.len()), (12, "Es", key_representation::LEN));
        }
        assert_eq!(
            *key_representation::decode("EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d").unwrap(),
            hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        );
        assert_eq!(
            *key_representation::decode("EsTL 2cTx 9Qy1 8TVd qGsn GDrD i5dT EEuX Qz8U P7hi Z7uu U8wZ").unwrap(),
            decode_array::<32>(
                "QCFDrXZYLEFnwf4NikVm62rYGJS2mNBEmAWLC3CgNPw=",
                TrailingBits::Refused
            )
            .unwrap()
        );
    }

    #[test]
    fn attack_003_small_order_and_non_canonical_ed25519_keys() {
        let small = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ];
        let small = small.into_iter().map(|y| (hex(y), InvalidKey::SmallOrder));
        let large = (0..=18).map(|more| (prime_plus(more), InvalidKey::NonCanonical));
        for (mut bytes, error) in small.chain(large) {
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
}
