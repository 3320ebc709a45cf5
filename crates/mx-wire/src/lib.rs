#![doc = include_str!("../README.md")]
#![no_std]

mod read;
mod write;

pub use read::{Field, FieldError, Fields, Slot};
pub use write::{Writer, varint_len};
