#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod bundle;
mod emit;
mod error;
mod member;
mod merge;
mod origin;
mod pickle;
mod room_key;
mod room_key_event;
mod session_data;
mod shared_history;
mod withheld;

pub use mx_json::MalformedObject;
pub use mx_megolm::{Generation, PickleError, PickleKey, UnpickleError};

pub use crate::{
    bundle::{BundleList, MAX_BUNDLE_ENTRIES, MAX_BUNDLE_LEN, ReceivedBundle, RefusedEntry, RoomKeyBundle},
    error::ParseError,
    merge::{RoomKeyMerge, RoomKeyMergeError},
    origin::{Forwarder, Origin, Provenance},
    room_key::{ForwardedTooOften, RoomKey},
    room_key_event::{ForwardedRoomKeyContent, RoomKeyContent},
    session_data::{
        BackedUpSessionData, ExportedSessionData, MAX_FORWARDING_CHAIN_LEN, MAX_SESSION_DATA_LEN,
    },
    withheld::{MAX_REASON_LEN, MAX_WITHHELD_LEN, Withheld, WithheldCode},
};

/// The algorithm name of Megolm.
pub const MEGOLM: &str = "m.megolm.v1.aes-sha2";
