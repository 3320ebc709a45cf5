#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod armour;
mod cipher;
mod error;
mod export;
mod header;
mod keys;
mod one_shot;
mod salvage;
mod sessions;
mod slice;
mod splitter;
mod verification;
mod writer;

pub use crate::{
    error::{EntryError, EntryErrorReason, ReadError, TooManyRounds, WriteError},
    export::{KeyExport, MAX_BODY_LEN},
    keys::{DEFAULT_ROUNDS, ExportKeys, KeyDerivation, MAX_ROUNDS, NewKeysError},
    one_shot::{ReadSessions, ReadWholeError, WriteWholeError, read, write},
    sessions::{Counts, Entry, Sessions},
    slice::Slice,
    splitter::MAX_ENTRY_LEN,
    verification::Verification,
    writer::KeyExportWriter,
};
