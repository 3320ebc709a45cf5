//! Verification by short authentication strings.

use core::ffi::c_void;

use mx_demo::party::Refusal;
use rand_core::CryptoRng;

use super::{
    ffi::*,
    object::{Object, text},
    random,
};

/// libolm's `OlmSAS`.
pub struct Sas(Object<OlmSAS>);

type MacFn = unsafe extern "C" fn(
    *mut OlmSAS,
    *const c_void,
    usize,
    *const c_void,
    usize,
    *mut c_void,
    usize,
) -> usize;

impl Sas {
    /// With a new key.
    pub fn new(rng: &mut dyn CryptoRng) -> Result<Self, Refusal> {
        let this = Self(Object::new());
        // SAFETY: the object is initialised.
        let mut seed = random(rng, unsafe { olm_create_sas_random_length(this.0.as_ptr()) });
        // SAFETY: the slice lives through the call, with the length given.
        this.0.check(unsafe { olm_create_sas(this.0.as_mut_ptr(), seed.as_mut_ptr().cast(), seed.len()) })?;
        Ok(this)
    }

    /// Its public half in Base64.
    pub fn public_key(&self) -> Result<String, Refusal> {
        // SAFETY: the object is initialised.
        let mut key = vec![0; unsafe { olm_sas_pubkey_length(self.0.as_ptr()) }];
        // SAFETY: the slice lives through the call, with the length given.
        self.0
            .check(unsafe { olm_sas_get_pubkey(self.0.as_mut_ptr(), key.as_mut_ptr().cast(), key.len()) })?;
        text(key)
    }

    /// Takes the other side's key.
    pub fn set_their_key(&mut self, key: &str) -> Result<(), Refusal> {
        let mut key = key.as_bytes().to_vec(); // decoded in place
        // SAFETY: the slice lives through the call, with the length given.
        self.0.check(unsafe {
            olm_sas_set_their_key(self.0.as_mut_ptr(), key.as_mut_ptr().cast(), key.len())
        })?;
        Ok(())
    }

    /// The six bytes of the short string.
    pub fn bytes(&self, info: &str) -> Result<[u8; 6], Refusal> {
        let mut bytes = [0; 6];
        let (info_ptr, out) = (info.as_ptr().cast(), bytes.as_mut_ptr().cast());
        // SAFETY: both slices live through the call, with the lengths given.
        self.0.check(unsafe {
            olm_sas_generate_bytes(self.0.as_mut_ptr(), info_ptr, info.len(), out, bytes.len())
        })?;
        Ok(bytes)
    }

    /// A MAC in Base64.
    pub fn mac(&self, input: &str, info: &str) -> Result<String, Refusal> {
        self.mac_by(olm_sas_calculate_mac_fixed_base64, input, info)
    }

    /// A MAC in what was once taken for Base64.
    pub fn legacy_mac(&self, input: &str, info: &str) -> Result<String, Refusal> {
        self.mac_by(olm_sas_calculate_mac, input, info)
    }

    fn mac_by(&self, function: MacFn, input: &str, info: &str) -> Result<String, Refusal> {
        // SAFETY: the object is initialised.
        let mut mac = vec![0; unsafe { olm_sas_mac_length(self.0.as_ptr()) }];
        // SAFETY: all slices live through the call, with the lengths given.
        self.0.check(unsafe {
            function(
                self.0.as_mut_ptr(),
                input.as_ptr().cast(),
                input.len(),
                info.as_ptr().cast(),
                info.len(),
                mac.as_mut_ptr().cast(),
                mac.len(),
            )
        })?;
        text(mac)
    }
}
