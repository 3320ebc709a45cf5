//! Device IDs that are public keys: both name keys in one namespace (client-server API, "Key and signature security").

use mx_types::Ed25519PublicKey;
use mx_types::base64::{TrailingBits, decode_array};

/// Whether a device ID, read as Base64 as leniently as anybody might, is the public key.
pub(crate) fn is_named_by(key: Ed25519PublicKey, device_id: &str) -> bool {
    let name = device_id.trim_end_matches('=');
    decode_array::<32>(name, TrailingBits::Ignored).is_ok_and(|bytes| bytes == *key.as_bytes())
}
