//! What is around every layout: `Base64(ciphertext ‖ MAC)`, where `ciphertext` is AES-256-CBC, `MAC` the first 8 bytes of
//! its HMAC-SHA-256, and `AES key ‖ HMAC key ‖ IV = HKDF(0, pickle key, "Pickle", 80)`.

use alloc::{string::String, vec::Vec};

use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_types::base64::{self, TrailingBits};
use zeroize::Zeroizing;

use crate::{LibolmPickleError, writer::Writer};

/// Characters of a pickle that are read at most. libolm's longest, an account with all its keys, has under 10,000.
pub const MAX_PICKLE_LEN: usize = 65_536;

/// Takes the plaintext out.
pub(crate) fn open(pickle: &str, pickle_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, LibolmPickleError> {
    if pickle.len() > MAX_PICKLE_LEN {
        return Err(LibolmPickleError::TooLong { len: pickle.len() });
    }
    let bytes = base64::decode_to_vec(pickle, TrailingBits::Ignored).map_err(LibolmPickleError::Base64)?;
    // Decrypted in place, so this becomes the plaintext: from here on it is wiped.
    let mut bytes = Zeroizing::new(bytes);
    let wrong_length = LibolmPickleError::WrongLength { len: bytes.len() };
    let (ciphertext, mac) = bytes.split_last_chunk_mut::<MAC_LEN>().ok_or(wrong_length)?;
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_LEN) {
        return Err(wrong_length);
    }
    let keys = pickle_keys(pickle_key);
    keys.verify_mac(ciphertext, mac).map_err(|_| LibolmPickleError::WrongKey)?;
    let plaintext = keys.decrypt_in_place(ciphertext).map_err(|_| LibolmPickleError::Padding)?;
    let len = plaintext.len();
    bytes.truncate(len);
    Ok(bytes)
}

/// Seals a plaintext, which is overwritten by its ciphertext.
pub(crate) fn seal(plaintext: Writer, pickle_key: &[u8]) -> String {
    let mut bytes = plaintext.finish(BLOCK_LEN + MAC_LEN);
    let len = bytes.len();
    bytes.resize(padded_len(len), 0);
    let keys = pickle_keys(pickle_key);
    let ciphertext = keys.encrypt_in_place(&mut bytes, len).expect("it was resized to the padded length");
    let mac = keys.mac(ciphertext);
    bytes.extend_from_slice(mac.as_bytes());
    base64::encode_to_string(&bytes)
}

fn pickle_keys(pickle_key: &[u8]) -> CbcHmacKeys {
    CbcHmacKeys::expand(pickle_key, b"Pickle")
}

/// Bytes of the MAC.
const MAC_LEN: usize = 8;

/// Bytes of a block of AES.
const BLOCK_LEN: usize = 16;
