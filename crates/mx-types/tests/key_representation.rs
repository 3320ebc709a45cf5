//! The key representation. Vectors: matrix-rust-sdk and mautrix-go tests, and our own, checked in Python (REC-6).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::key_representation::{KeyRepresentationError, LEN, decode, encode};
use proptest::prelude::*;

fn ramp() -> [u8; 32] {
    core::array::from_fn(|i| u8::try_from(i).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

// REC-1, REC-2, REC-5, REC-6
#[test]
fn known_answers() {
    for (key, text) in [
        ([0; 32], "EsSz ygLv VP1b xF1C v7kE eBQx MxDP buG5 w25T L3b6 hfyG Kkrd"),
        ([0xff; 32], "EsUK 2TRo ZKTB CKmv wEDA o6rq tTYu aKzp eJ9f 95nM 3VHk Xbnq"),
        (ramp(), "EsSz ykH7 LCZx 7Cae cmKD wcmY JRXi Ybtu 8iQ3 t8Ez nRwK pUY1"),
    ] {
        assert_eq!(encode(&key, &mut [0; LEN]), text);
        assert_eq!(*decode(text).unwrap(), key);
        assert_eq!((text.split(' ').count(), &text[..2], text.len()), (12, "Es", LEN));
    }
    assert_eq!(
        decode("EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d").unwrap()[..],
        hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    );
    assert_eq!(
        *decode("EsTL 2cTx 9Qy1 8TVd qGsn GDrD i5dT EEuX Qz8U P7hi Z7uu U8wZ").unwrap(),
        mx_types::base64::decode_array::<32>(
            "QCFDrXZYLEFnwf4NikVm62rYGJS2mNBEmAWLC3CgNPw=",
            mx_types::base64::TrailingBits::Refused
        )
        .unwrap()
    );
}

// REC-3: all white space is dropped, wherever it stands.
#[test]
fn odd_spacing() {
    let odd = decode("EsT           pRvZTnjck8    YrhRAtw XLS84Nr2r9S9LGAWDaExVAPBvLRK   ").unwrap();
    assert_eq!(odd[..], hex("9fbd46bb345171c6f6022c9a25d5681ba54eec6a6c4953f3adc0b96e9d91ada3"));
    let tabs = decode("\tEsTpRvZTnjck8Yr\u{a0}hRAtwXLS84N\nr2r9S9LGAWDa\u{2003}ExVAPBvLRK\r\n").unwrap();
    assert_eq!(*odd, *tabs);
}

// REC-3, REC-4
#[test]
fn attack_145_lenient_reading_of_a_recovery_key() {
    use KeyRepresentationError::{Alphabet, Length, Parity, Prefix};
    let good = "EsTpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRK";
    assert!(decode(good).is_ok());
    for (text, error) in [
        ("EsTpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRk", Parity),
        ("EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4e", Parity),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRk", Prefix),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr2r9S9", Length),
        ("AATpRvZTnjck8YrhRAtwXLS84Nr0OIl", Alphabet),
        ("", Length),
        ("   ", Length),
        ("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", Length),
        ("111111111111111111111111111111111111111111111111", Length),
    ] {
        assert_eq!(decode(text).unwrap_err(), error, "{text}");
    }
    assert_eq!(decode(&format!("1{good}")).unwrap_err(), Length);
    assert_eq!(decode(&format!("{good}1")).unwrap_err(), Length);
    assert_eq!(decode(&format!("1{}", &good[..47])).unwrap_err(), Length);
    assert_eq!(decode(&"1".repeat(100_000)).unwrap_err(), Length);
    // One character too many is not decoded at all.
    assert_eq!(decode(&"0".repeat(48)).unwrap_err(), Alphabet);
    assert_eq!(decode(&"0".repeat(49)).unwrap_err(), Length);
    for wrong in ["0", "O", "I", "l", "\u{e9}", "\u{4e00}", "-"] {
        assert_eq!(decode(&good.replacen('T', wrong, 1)).unwrap_err(), Alphabet, "{wrong}");
    }
}

proptest! {
    #[test]
    fn round_trip_and_every_mistyped_character(key in any::<[u8; 32]>(), position in 0..48_usize) {
        let mut buffer = [0; LEN];
        let text = encode(&key, &mut buffer).replace(' ', "");
        prop_assert_eq!(*decode(&text).unwrap(), key);
        for digit in "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".chars() {
            let mut other = text.clone();
            other.replace_range(position..=position, &digit.to_string());
            // Parity is one byte: some mistakes pass it, but never with the same key.
            prop_assert!(other == text || decode(&other).map_or(true, |found| *found != key));
        }
    }
}
