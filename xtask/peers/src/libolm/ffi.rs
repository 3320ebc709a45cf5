//! The part of `olm/olm.h`, `olm/pk.h` and `olm/sas.h` (libolm 3.2) that we call.

use core::ffi::{c_char, c_int, c_void};

/// An account; made by libolm in memory that we give it.
#[repr(C)]
pub struct OlmAccount([u8; 0]);
/// One end of an Olm session.
#[repr(C)]
pub struct OlmSession([u8; 0]);
/// Hash and signature verification.
#[repr(C)]
pub struct OlmUtility([u8; 0]);
/// The sending end of a Megolm session.
#[repr(C)]
pub struct OlmOutboundGroupSession([u8; 0]);
/// The receiving end of a Megolm session.
#[repr(C)]
pub struct OlmInboundGroupSession([u8; 0]);

/// Encrypts for the key of a backup.
#[repr(C)]
pub struct OlmPkEncryption([u8; 0]);
/// Has the key of a backup.
#[repr(C)]
pub struct OlmPkDecryption([u8; 0]);

// olm/pk.h
unsafe extern "C" {
    pub fn olm_pk_encryption_size() -> usize;
    pub fn olm_pk_encryption(memory: *mut c_void) -> *mut OlmPkEncryption;
    pub fn olm_clear_pk_encryption(encryption: *mut OlmPkEncryption) -> usize;
    pub fn olm_pk_encryption_last_error(encryption: *const OlmPkEncryption) -> *const c_char;
    pub fn olm_pk_encryption_set_recipient_key(
        encryption: *mut OlmPkEncryption,
        key: *const c_void,
        key_length: usize,
    ) -> usize;
    pub fn olm_pk_ciphertext_length(encryption: *const OlmPkEncryption, plaintext_length: usize) -> usize;
    pub fn olm_pk_mac_length(encryption: *const OlmPkEncryption) -> usize;
    pub fn olm_pk_key_length() -> usize;
    pub fn olm_pk_encrypt_random_length(encryption: *const OlmPkEncryption) -> usize;
    pub fn olm_pk_encrypt(
        encryption: *mut OlmPkEncryption,
        plaintext: *const c_void,
        plaintext_length: usize,
        ciphertext: *mut c_void,
        ciphertext_length: usize,
        mac: *mut c_void,
        mac_length: usize,
        ephemeral_key: *mut c_void,
        ephemeral_key_length: usize,
        random: *const c_void,
        random_length: usize,
    ) -> usize;

    pub fn olm_pk_decryption_size() -> usize;
    pub fn olm_pk_decryption(memory: *mut c_void) -> *mut OlmPkDecryption;
    pub fn olm_clear_pk_decryption(decryption: *mut OlmPkDecryption) -> usize;
    pub fn olm_pk_decryption_last_error(decryption: *const OlmPkDecryption) -> *const c_char;
    pub fn olm_pk_key_from_private(
        decryption: *mut OlmPkDecryption,
        public_key: *mut c_void,
        public_key_length: usize,
        private_key: *const c_void,
        private_key_length: usize,
    ) -> usize;
    pub fn olm_pk_max_plaintext_length(decryption: *const OlmPkDecryption, ciphertext_length: usize)
    -> usize;
    pub fn olm_pk_decrypt(
        decryption: *mut OlmPkDecryption,
        ephemeral_key: *const c_void,
        ephemeral_key_length: usize,
        mac: *const c_void,
        mac_length: usize,
        ciphertext: *mut c_void,
        ciphertext_length: usize,
        plaintext: *mut c_void,
        max_plaintext_length: usize,
    ) -> usize;
}

/// One side of a verification by short authentication strings.
#[repr(C)]
pub struct OlmSAS([u8; 0]);

// olm/sas.h
unsafe extern "C" {
    pub fn olm_sas_size() -> usize;
    pub fn olm_sas(memory: *mut c_void) -> *mut OlmSAS;
    pub fn olm_clear_sas(sas: *mut OlmSAS) -> usize;
    pub fn olm_sas_last_error(sas: *const OlmSAS) -> *const c_char;
    pub fn olm_create_sas_random_length(sas: *const OlmSAS) -> usize;
    pub fn olm_create_sas(sas: *mut OlmSAS, random: *mut c_void, random_length: usize) -> usize;
    pub fn olm_sas_pubkey_length(sas: *const OlmSAS) -> usize;
    pub fn olm_sas_get_pubkey(sas: *mut OlmSAS, key: *mut c_void, key_length: usize) -> usize;
    pub fn olm_sas_set_their_key(sas: *mut OlmSAS, key: *mut c_void, key_length: usize) -> usize;
    pub fn olm_sas_generate_bytes(
        sas: *mut OlmSAS,
        info: *const c_void,
        info_length: usize,
        output: *mut c_void,
        output_length: usize,
    ) -> usize;
    pub fn olm_sas_mac_length(sas: *const OlmSAS) -> usize;
    pub fn olm_sas_calculate_mac(
        sas: *mut OlmSAS,
        input: *const c_void,
        input_length: usize,
        info: *const c_void,
        info_length: usize,
        mac: *mut c_void,
        mac_length: usize,
    ) -> usize;
    pub fn olm_sas_calculate_mac_fixed_base64(
        sas: *mut OlmSAS,
        input: *const c_void,
        input_length: usize,
        info: *const c_void,
        info_length: usize,
        mac: *mut c_void,
        mac_length: usize,
    ) -> usize;
}

unsafe extern "C" {
    pub fn olm_get_library_version(major: *mut u8, minor: *mut u8, patch: *mut u8);
    pub fn olm_error() -> usize;

    pub fn olm_account_size() -> usize;
    pub fn olm_account(memory: *mut c_void) -> *mut OlmAccount;
    pub fn olm_clear_account(account: *mut OlmAccount) -> usize;
    pub fn olm_account_last_error(account: *const OlmAccount) -> *const c_char;
    pub fn olm_pickle_account_length(account: *const OlmAccount) -> usize;
    pub fn olm_pickle_account(
        account: *mut OlmAccount,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_unpickle_account(
        account: *mut OlmAccount,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_create_account_random_length(account: *const OlmAccount) -> usize;
    pub fn olm_create_account(account: *mut OlmAccount, random: *mut c_void, random_length: usize) -> usize;
    pub fn olm_account_identity_keys_length(account: *const OlmAccount) -> usize;
    pub fn olm_account_identity_keys(account: *mut OlmAccount, keys: *mut c_void, length: usize) -> usize;
    pub fn olm_account_signature_length(account: *const OlmAccount) -> usize;
    pub fn olm_account_sign(
        account: *mut OlmAccount,
        message: *const c_void,
        message_length: usize,
        signature: *mut c_void,
        signature_length: usize,
    ) -> usize;
    pub fn olm_account_one_time_keys_length(account: *const OlmAccount) -> usize;
    pub fn olm_account_one_time_keys(account: *mut OlmAccount, keys: *mut c_void, length: usize) -> usize;
    pub fn olm_account_mark_keys_as_published(account: *mut OlmAccount) -> usize;
    pub fn olm_account_generate_one_time_keys_random_length(
        account: *const OlmAccount,
        number: usize,
    ) -> usize;
    pub fn olm_account_generate_one_time_keys(
        account: *mut OlmAccount,
        number_of_keys: usize,
        random: *mut c_void,
        random_length: usize,
    ) -> usize;
    pub fn olm_account_generate_fallback_key_random_length(account: *const OlmAccount) -> usize;
    pub fn olm_account_generate_fallback_key(
        account: *mut OlmAccount,
        random: *mut c_void,
        random_length: usize,
    ) -> usize;
    pub fn olm_account_unpublished_fallback_key_length(account: *const OlmAccount) -> usize;
    pub fn olm_account_unpublished_fallback_key(
        account: *mut OlmAccount,
        key: *mut c_void,
        length: usize,
    ) -> usize;

    pub fn olm_session_size() -> usize;
    pub fn olm_session(memory: *mut c_void) -> *mut OlmSession;
    pub fn olm_clear_session(session: *mut OlmSession) -> usize;
    pub fn olm_session_last_error(session: *const OlmSession) -> *const c_char;
    pub fn olm_pickle_session_length(session: *const OlmSession) -> usize;
    pub fn olm_pickle_session(
        session: *mut OlmSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_unpickle_session(
        session: *mut OlmSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_create_outbound_session_random_length(session: *const OlmSession) -> usize;
    pub fn olm_create_outbound_session(
        session: *mut OlmSession,
        account: *const OlmAccount,
        identity_key: *const c_void,
        identity_key_length: usize,
        one_time_key: *const c_void,
        one_time_key_length: usize,
        random: *mut c_void,
        random_length: usize,
    ) -> usize;
    pub fn olm_create_inbound_session_from(
        session: *mut OlmSession,
        account: *mut OlmAccount,
        identity_key: *const c_void,
        identity_key_length: usize,
        message: *mut c_void,
        message_length: usize,
    ) -> usize;
    pub fn olm_remove_one_time_keys(account: *mut OlmAccount, session: *mut OlmSession) -> usize;
    pub fn olm_session_id_length(session: *const OlmSession) -> usize;
    pub fn olm_session_id(session: *mut OlmSession, id: *mut c_void, id_length: usize) -> usize;
    pub fn olm_session_has_received_message(session: *const OlmSession) -> c_int;
    pub fn olm_matches_inbound_session(
        session: *mut OlmSession,
        message: *mut c_void,
        length: usize,
    ) -> usize;
    pub fn olm_encrypt_message_type(session: *const OlmSession) -> usize;
    pub fn olm_encrypt_random_length(session: *const OlmSession) -> usize;
    pub fn olm_encrypt_message_length(session: *const OlmSession, plaintext_length: usize) -> usize;
    pub fn olm_encrypt(
        session: *mut OlmSession,
        plaintext: *const c_void,
        plaintext_length: usize,
        random: *mut c_void,
        random_length: usize,
        message: *mut c_void,
        message_length: usize,
    ) -> usize;
    pub fn olm_decrypt_max_plaintext_length(
        session: *mut OlmSession,
        message_type: usize,
        message: *mut c_void,
        message_length: usize,
    ) -> usize;
    pub fn olm_decrypt(
        session: *mut OlmSession,
        message_type: usize,
        message: *mut c_void,
        message_length: usize,
        plaintext: *mut c_void,
        max_plaintext_length: usize,
    ) -> usize;

    pub fn olm_utility_size() -> usize;
    pub fn olm_utility(memory: *mut c_void) -> *mut OlmUtility;
    pub fn olm_clear_utility(utility: *mut OlmUtility) -> usize;
    pub fn olm_utility_last_error(utility: *const OlmUtility) -> *const c_char;
    pub fn olm_sha256_length(utility: *const OlmUtility) -> usize;
    pub fn olm_sha256(
        utility: *mut OlmUtility,
        input: *const c_void,
        input_length: usize,
        output: *mut c_void,
        output_length: usize,
    ) -> usize;
    pub fn olm_ed25519_verify(
        utility: *mut OlmUtility,
        key: *const c_void,
        key_length: usize,
        message: *const c_void,
        message_length: usize,
        signature: *mut c_void,
        signature_length: usize,
    ) -> usize;

    pub fn olm_outbound_group_session_size() -> usize;
    pub fn olm_outbound_group_session(memory: *mut c_void) -> *mut OlmOutboundGroupSession;
    pub fn olm_clear_outbound_group_session(session: *mut OlmOutboundGroupSession) -> usize;
    pub fn olm_outbound_group_session_last_error(session: *const OlmOutboundGroupSession) -> *const c_char;
    pub fn olm_pickle_outbound_group_session_length(session: *const OlmOutboundGroupSession) -> usize;
    pub fn olm_pickle_outbound_group_session(
        session: *mut OlmOutboundGroupSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_unpickle_outbound_group_session(
        session: *mut OlmOutboundGroupSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_init_outbound_group_session_random_length(session: *const OlmOutboundGroupSession) -> usize;
    pub fn olm_init_outbound_group_session(
        session: *mut OlmOutboundGroupSession,
        random: *mut u8,
        random_length: usize,
    ) -> usize;
    pub fn olm_group_encrypt_message_length(session: *const OlmOutboundGroupSession, length: usize) -> usize;
    pub fn olm_group_encrypt(
        session: *mut OlmOutboundGroupSession,
        plaintext: *const u8,
        plaintext_length: usize,
        message: *mut u8,
        message_length: usize,
    ) -> usize;
    pub fn olm_outbound_group_session_id_length(session: *const OlmOutboundGroupSession) -> usize;
    pub fn olm_outbound_group_session_id(
        session: *mut OlmOutboundGroupSession,
        id: *mut u8,
        id_length: usize,
    ) -> usize;
    pub fn olm_outbound_group_session_message_index(session: *mut OlmOutboundGroupSession) -> u32;
    pub fn olm_outbound_group_session_key_length(session: *const OlmOutboundGroupSession) -> usize;
    pub fn olm_outbound_group_session_key(
        session: *mut OlmOutboundGroupSession,
        key: *mut u8,
        key_length: usize,
    ) -> usize;

    pub fn olm_inbound_group_session_size() -> usize;
    pub fn olm_inbound_group_session(memory: *mut c_void) -> *mut OlmInboundGroupSession;
    pub fn olm_clear_inbound_group_session(session: *mut OlmInboundGroupSession) -> usize;
    pub fn olm_inbound_group_session_last_error(session: *const OlmInboundGroupSession) -> *const c_char;
    pub fn olm_pickle_inbound_group_session_length(session: *const OlmInboundGroupSession) -> usize;
    pub fn olm_pickle_inbound_group_session(
        session: *mut OlmInboundGroupSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_unpickle_inbound_group_session(
        session: *mut OlmInboundGroupSession,
        key: *const c_void,
        key_length: usize,
        pickled: *mut c_void,
        pickled_length: usize,
    ) -> usize;
    pub fn olm_init_inbound_group_session(
        session: *mut OlmInboundGroupSession,
        session_key: *const u8,
        session_key_length: usize,
    ) -> usize;
    pub fn olm_import_inbound_group_session(
        session: *mut OlmInboundGroupSession,
        session_key: *const u8,
        session_key_length: usize,
    ) -> usize;
    pub fn olm_group_decrypt_max_plaintext_length(
        session: *mut OlmInboundGroupSession,
        message: *mut u8,
        message_length: usize,
    ) -> usize;
    pub fn olm_group_decrypt(
        session: *mut OlmInboundGroupSession,
        message: *mut u8,
        message_length: usize,
        plaintext: *mut u8,
        max_plaintext_length: usize,
        message_index: *mut u32,
    ) -> usize;
    pub fn olm_inbound_group_session_id_length(session: *const OlmInboundGroupSession) -> usize;
    pub fn olm_inbound_group_session_id(
        session: *mut OlmInboundGroupSession,
        id: *mut u8,
        id_length: usize,
    ) -> usize;
    pub fn olm_inbound_group_session_first_known_index(session: *const OlmInboundGroupSession) -> u32;
    pub fn olm_export_inbound_group_session_length(session: *const OlmInboundGroupSession) -> usize;
    pub fn olm_export_inbound_group_session(
        session: *mut OlmInboundGroupSession,
        key: *mut u8,
        key_length: usize,
        message_index: u32,
    ) -> usize;
}
