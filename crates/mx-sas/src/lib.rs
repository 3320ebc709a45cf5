#![doc = include_str!("../README.md")]
#![no_std]

mod commitment;
mod compare;
mod emoji;
mod error;
mod exchange;
mod flow;
#[cfg(feature = "hazmat")]
pub mod hazmat;
#[cfg(feature = "translations")]
mod language;
mod mac;
mod method;
mod received_mac;
mod short_string;

pub use commitment::Commitment;
pub use compare::{Compare, Confirmed, PeerConfirmed};
pub use emoji::Emoji;
pub use error::SasError;
pub use exchange::{Accepter, KeySent, Starter};
pub use flow::{Flow, InvalidFlow, MAX_FLOW_ID_LEN, Party};
#[cfg(feature = "translations")]
pub use language::Language;
pub use mac::{MacText, Macs, OwnKeys};
pub use method::{Choice, MacMethod, Offer, ShortStrings};
pub use received_mac::{KeyDirectory, MAX_MACS, PinnedKeys, ReceivedMac, VerifiedKeys};
