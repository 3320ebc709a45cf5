#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod decrypt;
mod encrypt;
mod file;
pub mod hazmat;
mod info;
#[cfg(feature = "serde")]
mod json;

#[cfg(feature = "serde")]
pub use crate::json::{Leniency, UncheckedFile};
pub use crate::{
    decrypt::{Decryptor, HashMismatch, Unverified, Verified, Verifier},
    encrypt::{AttachmentKey, Encryptor},
    file::{EncryptedFile, InvalidFile},
    info::AttachmentInfo,
};
