#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod content;

pub use content::{MessageLimits, with_relation};
