#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod account;
mod decryption_key;
mod envelope;
mod error;
mod group_session;
mod reader;
mod session;
mod writer;

pub use crate::{
    account::{MAX_ONE_TIME_KEYS, read_account, write_account},
    decryption_key::{read_decryption_key, write_decryption_key},
    envelope::MAX_PICKLE_LEN,
    error::{Field, LibolmPickleError},
    group_session::{
        read_inbound_group_session, read_outbound_group_session, write_inbound_group_session,
        write_outbound_group_session,
    },
    session::{MAX_SKIPPED, read_session, write_session},
};
