//! The key representation. Vectors: matrix-rust-sdk and mautrix-go tests, and our own, checked in Python (REC-6).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_types::key_representation::{KeyRepresentationError, LEN, decode, encode};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
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
