//! The functions of libolm that are measured. Lengths are in bytes; an error is `olm_error()`.

use core::ffi::c_void;

/// Declares functions of libolm; each is safe to call only as its header says.
macro_rules! functions {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(pub fn $name($(_: $argument),*) $(-> $result)?;)*
        }
    };
}

type Object = *mut c_void;
type In = *const c_void;
type Out = *mut c_void;

functions! {
    fn olm_error() -> usize;
    fn olm_account_size() -> usize;
    fn olm_session_size() -> usize;
    fn olm_utility_size() -> usize;
    fn olm_inbound_group_session_size() -> usize;
    fn olm_outbound_group_session_size() -> usize;
    fn olm_account(Out) -> Object;
    fn olm_session(Out) -> Object;
    fn olm_utility(Out) -> Object;
    fn olm_inbound_group_session(Out) -> Object;
    fn olm_outbound_group_session(Out) -> Object;

    fn olm_create_account(Object, Out, usize) -> usize;
    fn olm_account_identity_keys(Object, Out, usize) -> usize;
    fn olm_account_sign(Object, In, usize, Out, usize) -> usize;
    fn olm_ed25519_verify(Object, In, usize, In, usize, Out, usize) -> usize;
    fn olm_account_generate_one_time_keys(Object, usize, Out, usize) -> usize;
    fn olm_account_generate_fallback_key(Object, Out, usize) -> usize;
    fn olm_account_one_time_keys(Object, Out, usize) -> usize;
    fn olm_account_mark_keys_as_published(Object) -> usize;
    fn olm_remove_one_time_keys(Object, Object) -> usize;

    fn olm_create_outbound_session(Object, Object, In, usize, In, usize, Out, usize) -> usize;
    fn olm_create_inbound_session_from(Object, Object, In, usize, Out, usize) -> usize;
    fn olm_encrypt(Object, In, usize, Out, usize, Out, usize) -> usize;
    fn olm_decrypt(Object, usize, Out, usize, Out, usize) -> usize;

    fn olm_pickle_account(Object, In, usize, Out, usize) -> usize;
    fn olm_unpickle_account(Object, In, usize, Out, usize) -> usize;
    fn olm_pickle_session(Object, In, usize, Out, usize) -> usize;
    fn olm_unpickle_session(Object, In, usize, Out, usize) -> usize;

    fn olm_init_outbound_group_session(Object, Out, usize) -> usize;
    fn olm_outbound_group_session_key(Object, Out, usize) -> usize;
    fn olm_group_encrypt(Object, In, usize, Out, usize) -> usize;
    fn olm_init_inbound_group_session(Object, In, usize) -> usize;
    fn olm_group_decrypt(Object, Out, usize, Out, usize, *mut u32) -> usize;
    fn olm_export_inbound_group_session(Object, Out, usize, u32) -> usize;
    fn olm_pickle_outbound_group_session(Object, In, usize, Out, usize) -> usize;
    fn olm_unpickle_outbound_group_session(Object, In, usize, Out, usize) -> usize;
    fn olm_pickle_inbound_group_session(Object, In, usize, Out, usize) -> usize;
    fn olm_unpickle_inbound_group_session(Object, In, usize, Out, usize) -> usize;
}
