//! Base64 in and out. What is read strictly has one spelling, and the decoder of secrets agrees with the fast one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_types::base64::{
    TrailingBits, decode, decode_secret, decode_to_vec, decoded_len, encode_to_string, encoded_len,
};

fuzz_target!(|data: &[u8]| {
    let text = encode_to_string(data);
    assert_eq!(text.len(), encoded_len(data.len()));
    assert_eq!(decode_to_vec(&text, TrailingBits::Refused).as_deref(), Ok(data));

    let Ok(text) = str::from_utf8(data) else { return };
    let mut buffer = vec![0; text.len()];
    let mut secret_buffer = buffer.clone();
    let strict = decode(text, TrailingBits::Refused, &mut buffer);
    assert_eq!(strict.ok(), decode_secret(text, &mut secret_buffer).ok());
    if let Ok(bytes) = strict {
        assert_eq!(decoded_len(text), Ok(bytes.len()));
        assert_eq!(encode_to_string(bytes), text.trim_end_matches('='));
        assert_eq!(decode_to_vec(text, TrailingBits::Ignored).as_deref(), Ok(bytes));
    }
});
