//! Ownership of libolm's objects: memory that we allocate, libolm fills, and `clear` wipes.

use core::{
    ffi::{CStr, c_char, c_void},
    ptr::{NonNull, slice_from_raw_parts_mut},
};

use mx_demo::party::Refusal;

use super::ffi::*;

/// An object of libolm's.
///
/// # Safety
///
/// The functions must be the ones that `olm/olm.h` declares for this very type.
pub unsafe trait Opaque: Sized {
    const SIZE: unsafe extern "C" fn() -> usize;
    const INIT: unsafe extern "C" fn(*mut c_void) -> *mut Self;
    const CLEAR: unsafe extern "C" fn(*mut Self) -> usize;
    const LAST_ERROR: unsafe extern "C" fn(*const Self) -> *const c_char;
}

type PickleFn<T> = unsafe extern "C" fn(*mut T, *const c_void, usize, *mut c_void, usize) -> usize;

/// An object of libolm's that can be stored.
///
/// # Safety
///
/// As for [`Opaque`].
pub unsafe trait Storable: Opaque {
    const PICKLE_LENGTH: unsafe extern "C" fn(*const Self) -> usize;
    const PICKLE: PickleFn<Self>;
    const UNPICKLE: PickleFn<Self>;
}

macro_rules! opaque {
    ($type:ty, $size:ident, $init:ident, $clear:ident, $last_error:ident) => {
        // SAFETY: all four are declared for this type.
        unsafe impl Opaque for $type {
            const SIZE: unsafe extern "C" fn() -> usize = $size;
            const INIT: unsafe extern "C" fn(*mut c_void) -> *mut Self = $init;
            const CLEAR: unsafe extern "C" fn(*mut Self) -> usize = $clear;
            const LAST_ERROR: unsafe extern "C" fn(*const Self) -> *const c_char = $last_error;
        }
    };
}

macro_rules! storable {
    ($type:ty, $length:ident, $pickle:ident, $unpickle:ident) => {
        // SAFETY: all three are declared for this type.
        unsafe impl Storable for $type {
            const PICKLE_LENGTH: unsafe extern "C" fn(*const Self) -> usize = $length;
            const PICKLE: PickleFn<Self> = $pickle;
            const UNPICKLE: PickleFn<Self> = $unpickle;
        }
    };
}

opaque!(OlmAccount, olm_account_size, olm_account, olm_clear_account, olm_account_last_error);
opaque!(OlmSession, olm_session_size, olm_session, olm_clear_session, olm_session_last_error);
opaque!(OlmUtility, olm_utility_size, olm_utility, olm_clear_utility, olm_utility_last_error);
opaque!(
    OlmOutboundGroupSession,
    olm_outbound_group_session_size,
    olm_outbound_group_session,
    olm_clear_outbound_group_session,
    olm_outbound_group_session_last_error
);
opaque!(
    OlmInboundGroupSession,
    olm_inbound_group_session_size,
    olm_inbound_group_session,
    olm_clear_inbound_group_session,
    olm_inbound_group_session_last_error
);
opaque!(
    OlmPkEncryption,
    olm_pk_encryption_size,
    olm_pk_encryption,
    olm_clear_pk_encryption,
    olm_pk_encryption_last_error
);
opaque!(
    OlmPkDecryption,
    olm_pk_decryption_size,
    olm_pk_decryption,
    olm_clear_pk_decryption,
    olm_pk_decryption_last_error
);
opaque!(OlmSAS, olm_sas_size, olm_sas, olm_clear_sas, olm_sas_last_error);
storable!(OlmAccount, olm_pickle_account_length, olm_pickle_account, olm_unpickle_account);
storable!(OlmSession, olm_pickle_session_length, olm_pickle_session, olm_unpickle_session);
storable!(
    OlmOutboundGroupSession,
    olm_pickle_outbound_group_session_length,
    olm_pickle_outbound_group_session,
    olm_unpickle_outbound_group_session
);
storable!(
    OlmInboundGroupSession,
    olm_pickle_inbound_group_session_length,
    olm_pickle_inbound_group_session,
    olm_unpickle_inbound_group_session
);

/// An object and the memory it lives in. libolm aligns nothing wider than a `u64`.
pub struct Object<T: Opaque> {
    object: NonNull<T>,
    memory: NonNull<u64>,
    words: usize,
}

impl<T: Opaque> Object<T> {
    /// Allocates and initialises an empty object.
    pub fn new() -> Self {
        // SAFETY: takes no argument.
        let words = unsafe { T::SIZE() }.div_ceil(size_of::<u64>());
        let memory = Box::leak(vec![0_u64; words].into_boxed_slice());
        let memory = NonNull::from(memory).cast::<u64>();
        // SAFETY: the memory is ours, aligned, and at least as long as libolm asks for.
        let object = unsafe { T::INIT(memory.as_ptr().cast()) };
        let object = NonNull::new(object).unwrap_or_else(|| memory.cast());
        Self { object, memory, words }
    }

    /// For reading calls.
    pub fn as_ptr(&self) -> *const T {
        self.object.as_ptr()
    }

    /// For changing calls. libolm also declares some readers so; they set no more than the last error, and no object
    /// is shared between threads (`Object` is not `Sync`).
    pub fn as_mut_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }

    /// Turns libolm's result into ours, in libolm's words.
    pub fn check(&self, result: usize) -> Result<usize, Refusal> {
        // SAFETY: takes no argument.
        if result != unsafe { olm_error() } {
            return Ok(result);
        }
        // SAFETY: the object is initialised; the answer is a string constant of libolm's.
        let words = unsafe { CStr::from_ptr(T::LAST_ERROR(self.as_ptr())) };
        Err(Refusal(words.to_string_lossy().into_owned()))
    }
}

impl<T: Storable> Object<T> {
    /// The pickle in Base64.
    pub fn pickle(&self, key: &[u8]) -> Result<String, Refusal> {
        // SAFETY: the object is initialised.
        let length = unsafe { T::PICKLE_LENGTH(self.as_ptr()) };
        let mut out = vec![0; length];
        let (key_ptr, out_ptr) = (key.as_ptr().cast(), out.as_mut_ptr().cast());
        // SAFETY: both slices live through the call, with the lengths given.
        let result = unsafe { T::PICKLE(self.as_mut_ptr(), key_ptr, key.len(), out_ptr, length) };
        out.truncate(self.check(result)?);
        text(out)
    }

    /// An object from its pickle.
    pub fn from_pickle(pickle: &str, key: &[u8]) -> Result<Self, Refusal> {
        let this = Self::new();
        let mut pickle = pickle.as_bytes().to_vec(); // libolm decodes in place
        let (key_ptr, pickle_ptr) = (key.as_ptr().cast(), pickle.as_mut_ptr().cast());
        // SAFETY: both slices live through the call, with the lengths given.
        let result = unsafe { T::UNPICKLE(this.as_mut_ptr(), key_ptr, key.len(), pickle_ptr, pickle.len()) };
        this.check(result)?;
        Ok(this)
    }
}

impl<T: Opaque> Drop for Object<T> {
    fn drop(&mut self) {
        // SAFETY: the object is initialised and not used again; the memory is the box leaked by `new`.
        unsafe {
            T::CLEAR(self.object.as_ptr());
            drop(Box::from_raw(slice_from_raw_parts_mut(self.memory.as_ptr(), self.words)));
        }
    }
}

/// libolm writes Base64 and JSON.
pub fn text(bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(Refusal::from_error)
}
