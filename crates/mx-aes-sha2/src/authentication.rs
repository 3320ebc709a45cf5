use core::fmt;

use subtle::ConstantTimeEq;

use crate::wipe::wipe;

/// A MAC: HMAC-SHA-256, whole (`Tag<32>`) or its first 8 bytes (`Tag<8>`).
///
/// There is no `==`; [`Tag::verify`] compares in constant time, and the length is the format's, not the message's.
///
/// ```compile_fail
/// # let (keys, message) = (mx_aes_sha2::cbc_hmac::CbcHmacKeys::expand(&[], &[]), []);
/// assert!(keys.mac(&message) == keys.mac(&message));
/// ```
#[must_use]
pub struct Tag<const N: usize>([u8; N]);

impl<const N: usize> Tag<N> {
    /// The first `N` bytes of `mac`.
    pub(crate) fn of(mut mac: [u8; 32]) -> Self {
        const { assert!(N <= 32, "HMAC-SHA-256 has 32 bytes") };
        let mut tag = [0; N];
        for (tag, byte) in tag.iter_mut().zip(&mac) {
            *tag = *byte;
        }
        wipe(&mut mac);
        Self(tag)
    }

    /// The bytes to send.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Compares with the MAC that came with the message, in constant time.
    ///
    /// # Errors
    ///
    /// [`AuthenticationFailed`] if they differ.
    pub fn verify(&self, received: &[u8; N]) -> Result<(), AuthenticationFailed> {
        // By words: `subtle` puts a barrier behind each comparison, and eight for eight bytes are felt.
        let ((ours, our_rest), (theirs, their_rest)) = (self.0.as_chunks::<8>(), received.as_chunks::<8>());
        let same = ours.iter().zip(theirs).fold(our_rest.ct_eq(their_rest), |same, (ours, theirs)| {
            same & u64::from_ne_bytes(*ours).ct_eq(&u64::from_ne_bytes(*theirs))
        });
        if bool::from(same) { Ok(()) } else { Err(AuthenticationFailed) }
    }
}

impl<const N: usize> fmt::Debug for Tag<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tag").finish_non_exhaustive()
    }
}

/// Wrong MAC, wrong padding or impossible length: one error for all, so that nobody learns which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuthenticationFailed;

impl fmt::Display for AuthenticationFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ciphertext failed authentication")
    }
}

impl core::error::Error for AuthenticationFailed {}
