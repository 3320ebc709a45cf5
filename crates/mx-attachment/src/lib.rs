#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod decrypt;
#[cfg(feature = "serde")]
mod deserialize;
mod encrypt;
mod file;
pub mod hazmat;
mod info;
#[cfg(feature = "alloc")]
mod read;
#[cfg(any(feature = "alloc", feature = "serde"))]
mod unchecked;

#[cfg(feature = "alloc")]
pub use crate::read::MAX_DESCRIPTION_LEN;
#[cfg(any(feature = "alloc", feature = "serde"))]
pub use crate::unchecked::{Leniency, UncheckedFile};
pub use crate::{
    decrypt::{Decryptor, HashMismatch, Unverified, Verified, Verifier},
    encrypt::{AttachmentKey, Encryptor},
    file::{EncryptedFile, InvalidFile},
    info::AttachmentInfo,
};
