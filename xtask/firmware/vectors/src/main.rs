//! Every vector of the mechanism crates, and of some that need an allocator, where `usize` has 32 bits and AES is bitsliced. What the image prints, `cargo xtask
//! test --qemu` counts.

#![no_std]
#![no_main]

#[cfg(feature = "documents")]
extern crate alloc;

#[cfg(feature = "mechanisms")]
mod attachments;
#[cfg(feature = "primitives")]
mod ciphers;
#[cfg(feature = "documents")]
mod documents;
#[cfg(feature = "documents")]
mod heap;
#[cfg(feature = "primitives")]
mod keys;
#[cfg(feature = "primitives")]
mod known;
#[cfg(feature = "mechanisms")]
mod megolm;
#[cfg(feature = "mechanisms")]
mod olm;
#[cfg(feature = "mechanisms")]
mod qr_codes;
mod runner;
#[cfg(feature = "mechanisms")]
mod sas;
#[cfg(feature = "mechanisms")]
mod script;
mod value;

/// What build.rs made of the files and of Wycheproof.
mod vectors {
    use crate::value::Value;
    #[cfg(feature = "primitives")]
    use crate::{
        ciphers::{Ciphertext, Derivation, Mac},
        keys::{Agreement, Signature, Verdict},
    };

    include!(concat!(env!("OUT_DIR"), "/vectors.rs"));
}

use firmware::link::Link;

use crate::runner::Runner;

firmware::start!(run);

fn run() -> ! {
    let mut runner = Runner::new(Link::open().expect("QEMU runs with semihosting"));
    #[cfg(feature = "primitives")]
    for group in [known::run, keys::run, ciphers::run] {
        group(&mut runner);
    }
    #[cfg(feature = "mechanisms")]
    for group in [olm::run, megolm::run, attachments::run, sas::run, qr_codes::run] {
        group(&mut runner);
    }
    #[cfg(feature = "documents")]
    documents::run(&mut runner);
    runner.end();
    semihosting::process::exit(0)
}
