#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod base64;
mod buffer;
mod identifier;
mod key_id;
pub mod key_representation;
mod public_key;
mod random;
#[cfg(feature = "serde")]
mod serde;
mod signature;

pub use buffer::BufferTooSmall;
pub use identifier::{DeviceId, InvalidIdentifier, MAX_IDENTIFIER_LEN, RoomId, SessionId, UserId};
pub use key_id::KeyId;
pub use public_key::{Curve25519PublicKey, Ed25519PublicKey, InvalidKey};
pub use random::{RandomnessFailed, fill_random};
pub use signature::Ed25519Signature;
