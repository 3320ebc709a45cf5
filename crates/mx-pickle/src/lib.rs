#![doc = include_str!("../README.md")]
#![no_std]

mod generation;
mod key;
mod reader;
mod seal;
mod writer;

pub use crate::{
    generation::Generation,
    key::PickleKey,
    reader::{Reader, UnpickleError},
    seal::{Kind, OVERHEAD, sealed_len},
    writer::{PickleError, Writer},
};
