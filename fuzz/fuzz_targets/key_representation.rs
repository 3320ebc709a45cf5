//! The key representation: whatever is read is the representation of what comes out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_types::key_representation::{LEN, decode, encode};

fuzz_target!(|data: &[u8]| {
    if let Some(key) = data.first_chunk::<32>() {
        let mut text = [0; LEN];
        assert_eq!(decode(encode(key, &mut text)).as_deref(), Ok(key));
    }
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(key) = decode(text) {
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(letters(encode(&key, &mut [0; LEN])), letters(text));
    }
});
