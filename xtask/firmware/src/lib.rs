//! What the images that run have in common: the start, the stack, the link to the host.

#![no_std]

pub mod board;
pub mod entropy;
pub mod link;
pub mod meter;
pub mod protocol;
