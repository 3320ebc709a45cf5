use mx_aes_sha2::sha256;
use mx_canonical_json::{Limits, canonicalize};

/// What is remembered of a message, to know it again (requirement VER-21): SHA-256 of its type and the canonical JSON of its content, or,
/// where that has no canonical form, of the text as it came.
pub(crate) fn digest(event_type: &str, content: &str) -> [u8; 32] {
    // Neither byte is in a canonical form, nor in a type that anybody knows.
    match canonicalize(content, &Limits::DEFAULT) {
        Ok(canonical) => sha256(&[event_type.as_bytes(), &[0], canonical.as_bytes()]),
        Err(_) => sha256(&[event_type.as_bytes(), &[1], content.as_bytes()]),
    }
}
