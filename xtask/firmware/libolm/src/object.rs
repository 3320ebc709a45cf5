//! libolm's objects, in memory of a length that is known here, and their calls that may fail.

use core::ffi::c_void;

use crate::ffi;

/// Memory for an object: as long as the longest, an account.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct Memory([u8; 7_680]);

/// What an object is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Account,
    Session,
    Utility,
    InboundGroupSession,
    OutboundGroupSession,
}

impl Kind {
    /// Bytes of its memory.
    #[must_use]
    pub fn size(self) -> usize {
        // SAFETY: these have no conditions.
        unsafe {
            match self {
                Self::Account => ffi::olm_account_size(),
                Self::Session => ffi::olm_session_size(),
                Self::Utility => ffi::olm_utility_size(),
                Self::InboundGroupSession => ffi::olm_inbound_group_session_size(),
                Self::OutboundGroupSession => ffi::olm_outbound_group_session_size(),
            }
        }
    }
}

impl Memory {
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 7_680])
    }

    /// An object in this memory; it must not be moved while the object is used.
    pub fn object(&mut self, kind: Kind) -> *mut c_void {
        assert!(kind.size() <= self.0.len());
        let memory = self.0.as_mut_ptr().cast();
        // SAFETY: the memory is long enough, and as aligned as anything can be.
        unsafe {
            match kind {
                Kind::Account => ffi::olm_account(memory),
                Kind::Session => ffi::olm_session(memory),
                Kind::Utility => ffi::olm_utility(memory),
                Kind::InboundGroupSession => ffi::olm_inbound_group_session(memory),
                Kind::OutboundGroupSession => ffi::olm_outbound_group_session(memory),
            }
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// The number that a call gave, unless it failed.
///
/// # Panics
///
/// If it failed: what is measured must work.
pub fn good(result: usize) -> usize {
    // SAFETY: this has no conditions.
    assert!(result != unsafe { ffi::olm_error() }, "libolm gave an error");
    result
}
