//! Everything that can happen between devices, their users and a network, within bounds: searched exhaustively, over the public API.

#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod automaton;
mod bits;
mod changing_keys;
mod device;
mod devices;
mod forge;
mod judge;
mod message;
mod middle;
mod qr;
mod rules;
mod run;
mod sas;
mod third_party;
mod users;
mod world;
