//! Encryption for the key of a backup.

use mx_demo::party::Refusal;
use rand_core::CryptoRng;

use super::{
    ffi::*,
    object::{Object, text},
    random,
};

/// What was encrypted, in Base64.
#[derive(Clone, Debug)]
pub struct Encrypted {
    pub ephemeral: String,
    pub ciphertext: String,
    pub mac: String,
}

/// Encrypts for a public key in Base64.
pub fn pk_encrypt(rng: &mut dyn CryptoRng, public_key: &str, plaintext: &[u8]) -> Result<Encrypted, Refusal> {
    let encryption = Object::<OlmPkEncryption>::new();
    let key_ptr = public_key.as_ptr().cast();
    // SAFETY: the key lives through the call, with the length given.
    encryption.check(unsafe {
        olm_pk_encryption_set_recipient_key(encryption.as_mut_ptr(), key_ptr, public_key.len())
    })?;
    // SAFETY: the object is initialised.
    let mut ciphertext = vec![0; unsafe { olm_pk_ciphertext_length(encryption.as_ptr(), plaintext.len()) }];
    // SAFETY: as above.
    let mut mac = vec![0; unsafe { olm_pk_mac_length(encryption.as_ptr()) }];
    // SAFETY: takes no argument.
    let mut ephemeral = vec![0; unsafe { olm_pk_key_length() }];
    // SAFETY: the object is initialised.
    let random = random(rng, unsafe { olm_pk_encrypt_random_length(encryption.as_ptr()) });
    // SAFETY: all slices live through the call, with the lengths given.
    encryption.check(unsafe {
        olm_pk_encrypt(
            encryption.as_mut_ptr(),
            plaintext.as_ptr().cast(),
            plaintext.len(),
            ciphertext.as_mut_ptr().cast(),
            ciphertext.len(),
            mac.as_mut_ptr().cast(),
            mac.len(),
            ephemeral.as_mut_ptr().cast(),
            ephemeral.len(),
            random.as_ptr().cast(),
            random.len(),
        )
    })?;
    Ok(Encrypted { ephemeral: text(ephemeral)?, ciphertext: text(ciphertext)?, mac: text(mac)? })
}

/// Decrypts with a private key.
pub fn pk_decrypt(private_key: &[u8; 32], encrypted: &Encrypted) -> Result<Vec<u8>, Refusal> {
    let decryption = Object::<OlmPkDecryption>::new();
    // SAFETY: takes no argument.
    let mut public_key: Vec<u8> = vec![0; unsafe { olm_pk_key_length() }];
    // SAFETY: both slices live through the call, with the lengths given.
    decryption.check(unsafe {
        olm_pk_key_from_private(
            decryption.as_mut_ptr(),
            public_key.as_mut_ptr().cast(),
            public_key.len(),
            private_key.as_ptr().cast(),
            private_key.len(),
        )
    })?;
    let Encrypted { ephemeral, ciphertext, mac } = encrypted;
    let mut ciphertext = ciphertext.clone().into_bytes(); // decoded in place
    // SAFETY: the object is initialised.
    let length = unsafe { olm_pk_max_plaintext_length(decryption.as_ptr(), ciphertext.len()) };
    let mut plaintext = vec![0; length];
    // SAFETY: all slices live through the call, with the lengths given.
    let length = decryption.check(unsafe {
        olm_pk_decrypt(
            decryption.as_mut_ptr(),
            ephemeral.as_ptr().cast(),
            ephemeral.len(),
            mac.as_ptr().cast(),
            mac.len(),
            ciphertext.as_mut_ptr().cast(),
            ciphertext.len(),
            plaintext.as_mut_ptr().cast(),
            plaintext.len(),
        )
    })?;
    plaintext.truncate(length);
    Ok(plaintext)
}
