use core::fmt;

use mx_aes_sha2::sha256;
use mx_types::{Curve25519PublicKey, base64};

/// The three public keys that make a session what it is: those of its pre-key messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SessionKeys {
    /// The identity key of the side that began, `I_A`.
    pub identity_key: Curve25519PublicKey,
    /// The single-use key that the side that began drew for this session, `E_A`.
    pub base_key: Curve25519PublicKey,
    /// The one-time or fallback key of the other side, `E_B`.
    pub one_time_key: Curve25519PublicKey,
}

impl SessionKeys {
    /// The session's ID, the same on both sides: SHA-256 of `I_A || E_A || E_B`, as 43 characters when displayed.
    ///
    /// Not in the specification; libolm and vodozemac use it.
    #[must_use]
    pub fn session_id(&self) -> SessionIdHash {
        let keys = [self.identity_key, self.base_key, self.one_time_key];
        let [identity, base, one_time] = keys.each_ref().map(Curve25519PublicKey::as_bytes);
        SessionIdHash(sha256(&[identity, base, one_time]))
    }
}

/// The ID of an Olm session: 32 bytes, displayed as 43 characters of Base64.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionIdHash([u8; 32]);

impl SessionIdHash {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SessionIdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(base64::encode(&self.0, &mut [0; 43]).unwrap_or_default())
    }
}

impl fmt::Debug for SessionIdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionIdHash({self})")
    }
}
