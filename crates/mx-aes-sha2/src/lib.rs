#![doc = include_str!("../README.md")]
#![no_std]

mod authentication;
mod block;
pub mod cbc_hmac;
pub mod ctr_hmac;
pub mod ctr_sha256;
mod hkdf;
mod hmac;
mod hmac_chain;
#[cfg(any(test, aes_backend_soft = "compact"))]
mod one_block_ctr;
mod pbkdf2;
mod sha256;
mod wipe;

pub use crate::{
    authentication::{AuthenticationFailed, Tag},
    hkdf::{hkdf_sha256, hkdf_sha256_of_parts},
    hmac::{Hmac, HmacKey},
    hmac_chain::hmac_chain,
    pbkdf2::Pbkdf2Sha512,
    sha256::{Sha256, sha256},
};
