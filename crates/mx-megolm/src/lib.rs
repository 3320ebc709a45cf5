#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "alloc")]
mod block;
pub mod hazmat;
mod inbound;
mod merge;
mod message;
mod outbound;
mod pickle;
mod ratchet;
mod session_id;
mod session_key;

pub use mx_pickle::{Generation, PickleError, PickleKey, UnpickleError};

pub use crate::{
    inbound::{DecryptError, Decrypted, InboundGroupSession, UnknownMessageIndex, decrypt_buffer_len},
    merge::{Comparison, MergeError, Merged},
    message::{MegolmMessage, MessageError, message_len},
    outbound::{EncryptError, Encrypted, OutboundGroupSession},
    session_id::GroupSessionId,
    session_key::{ExportedSessionKey, SessionKey, SessionKeyError},
};
