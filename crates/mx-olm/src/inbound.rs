use core::fmt;

use mx_curve25519::KeyAgreementError;

use crate::{DecryptError, PublicOneTimeKey, Session};

/// A session that another device has begun with us, and its first message.
#[must_use]
pub struct InboundSession<'o, const SKIPPED: usize = 200> {
    /// The session. Save it together with the account.
    pub session: Session<SKIPPED>,
    /// What the message says.
    pub plaintext: &'o [u8],
    /// The key of ours that it was begun with.
    pub used: UsedKey,
}

impl<const SKIPPED: usize> fmt::Debug for InboundSession<'_, SKIPPED> {
    /// Of the plaintext nothing but its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundSession")
            .field("session", &self.session)
            .field("plaintext_len", &self.plaintext.len())
            .field("used", &self.used)
            .finish()
    }
}

/// The key that a session was begun with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UsedKey {
    /// A one-time key, which is gone now.
    OneTime(PublicOneTimeKey),
    /// A fallback key, which stays: replace it soon.
    Fallback(PublicOneTimeKey),
}

/// Why no session was made of a pre-key message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InboundSessionError {
    /// The message has another identity key than the device that is said to have sent it.
    IdentityKeyMismatch,
    /// The one-time key that the message names is not here: used, dropped, or never ours.
    UnknownOneTimeKey,
    /// A session with these keys was begun with this fallback key before. If it is gone, this message is a replay.
    ReplayedFallbackSession,
    /// The keys did not agree on a secret.
    KeyAgreement(KeyAgreementError),
    /// The message does not decrypt.
    Decrypt(DecryptError),
}

impl From<KeyAgreementError> for InboundSessionError {
    fn from(error: KeyAgreementError) -> Self {
        Self::KeyAgreement(error)
    }
}

impl From<DecryptError> for InboundSessionError {
    fn from(error: DecryptError) -> Self {
        Self::Decrypt(error)
    }
}

impl fmt::Display for InboundSessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityKeyMismatch => f.write_str(
                "the message has another identity key than the device that is said to have sent it",
            ),
            Self::UnknownOneTimeKey => f.write_str("the message names a one-time key that is not here"),
            Self::ReplayedFallbackSession => {
                f.write_str("a session with these keys was begun with the fallback key before")
            }
            Self::KeyAgreement(error) => error.fmt(f),
            Self::Decrypt(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InboundSessionError {}
