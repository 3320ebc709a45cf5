use core::fmt;

use mx_curve25519::Ed25519PublicKey;

/// The ID of a group session: the unpadded Base64 of its Ed25519 public key, 43 characters.
///
/// Wherever a session ID is given beside a key (`session_id` in `m.room_key`), the receiver compares it with this one.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupSessionId([u8; Self::LEN]);

impl GroupSessionId {
    /// The length in characters.
    pub const LEN: usize = 43;

    /// The ID as it stands in events.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<Ed25519PublicKey> for GroupSessionId {
    fn from(key: Ed25519PublicKey) -> Self {
        let mut text = [0; Self::LEN];
        // 43 characters are just what 32 bytes need.
        let _ = mx_types::base64::encode_to_bytes(key.as_bytes(), &mut text);
        Self(text)
    }
}

impl fmt::Display for GroupSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for GroupSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupSessionId({self})")
    }
}

impl AsRef<str> for GroupSessionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for GroupSessionId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
