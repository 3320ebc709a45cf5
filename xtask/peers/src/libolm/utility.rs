//! Hash and signature verification.

use mx_demo::party::Refusal;

use super::{
    ffi::*,
    object::{Object, text},
};

/// libolm's `OlmUtility`.
pub struct Utility(Object<OlmUtility>);

impl Utility {
    /// An utility.
    #[expect(clippy::new_without_default, reason = "as the other types here")]
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// SHA-256 in Base64.
    pub fn sha256(&self, input: &[u8]) -> Result<String, Refusal> {
        // SAFETY: the utility is initialised.
        let mut out = vec![0; unsafe { olm_sha256_length(self.0.as_ptr()) }];
        let (input_ptr, out_ptr) = (input.as_ptr().cast(), out.as_mut_ptr().cast());
        // SAFETY: both slices live through the call, with the lengths given.
        self.0
            .check(unsafe { olm_sha256(self.0.as_mut_ptr(), input_ptr, input.len(), out_ptr, out.len()) })?;
        text(out)
    }

    /// Checks an Ed25519 signature; key and signature in Base64.
    pub fn ed25519_verify(&self, key: &str, message: &[u8], signature: &str) -> Result<(), Refusal> {
        let mut signature = signature.as_bytes().to_vec(); // decoded in place
        // SAFETY: all slices live through the call, with the lengths given.
        self.0.check(unsafe {
            olm_ed25519_verify(
                self.0.as_mut_ptr(),
                key.as_ptr().cast(),
                key.len(),
                message.as_ptr().cast(),
                message.len(),
                signature.as_mut_ptr().cast(),
                signature.len(),
            )
        })?;
        Ok(())
    }
}
