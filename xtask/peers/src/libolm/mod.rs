//! Debian's libolm 3.2, the C++ library that Matrix clients used before vodozemac.

mod account;
mod ffi;
mod group_session;
mod object;
mod pk;
mod sas;
mod session;
mod utility;

use mx_demo::party::{self, Implementation, Refusal};
use rand_core::CryptoRng;

pub use self::{
    account::Account,
    group_session::{InboundGroupSession, OutboundGroupSession},
    pk::{Encrypted, pk_decrypt, pk_encrypt},
    sas::Sas,
    session::Session,
    utility::Utility,
};

/// libolm as a party to a conversation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Libolm;

impl Implementation for Libolm {
    fn name(&self) -> String {
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: three places to write one byte to.
        unsafe { ffi::olm_get_library_version(&raw mut major, &raw mut minor, &raw mut patch) };
        format!("libolm {major}.{minor}.{patch}")
    }

    fn create_account(&self, rng: &mut dyn CryptoRng) -> Result<Box<dyn party::Account>, Refusal> {
        Ok(Box::new(Account::new(rng)?))
    }

    fn create_group_session(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn party::OutboundGroupSession>, Refusal> {
        Ok(Box::new(OutboundGroupSession::new(rng)?))
    }

    fn receive_session_key(&self, session_key: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        Ok(Box::new(InboundGroupSession::new(session_key)?))
    }

    fn import_session_key(&self, exported: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        Ok(Box::new(InboundGroupSession::import(exported)?))
    }

    fn verify(&self, ed25519_key: &str, message: &[u8], signature: &str) -> Result<(), Refusal> {
        Utility::new().ed25519_verify(ed25519_key, message, signature)
    }
}

/// Random bytes for a call: libolm draws none itself.
fn random(rng: &mut dyn CryptoRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}
