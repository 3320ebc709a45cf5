#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod account;
#[cfg(feature = "alloc")]
pub mod hazmat;
mod inbound;
mod list;
mod message;
mod one_time_keys;
mod pickle;
mod ratchet;
mod receiver;
mod session;
mod session_keys;

pub use account::Account;
pub use inbound::{InboundSession, InboundSessionError, UsedKey};
#[cfg(feature = "alloc")]
pub use message::OlmMessageBuf;
pub use message::{
    MAX_MESSAGE_TEXT_LEN, MessageError, MessageType, NormalMessage, OlmMessage, PreKeyMessage,
};
pub use one_time_keys::{GenerateError, GeneratedKey, OneTimeKeyId, OneTimeKeys, PublicOneTimeKey};
pub use receiver::{MAX_MESSAGE_GAP, MAX_RECEIVER_CHAINS, MAX_SKIPPED_PER_CHAIN};
pub use session::{DecryptError, EncryptError, EncryptedMessage, Session, SessionCreationError};
pub use session_keys::{SessionIdHash, SessionKeys};
