//! Bare-metal images without an allocator, one per feature. They are linked and measured, not run: every operation
//! of the set is reachable from the start with inputs that the compiler cannot know.

#![no_std]
#![no_main]

#[cfg(feature = "attachment")]
mod attachment;
#[cfg(feature = "keys")]
mod keys;
#[cfg(feature = "megolm-decrypt")]
mod megolm;
#[cfg(feature = "olm")]
mod olm;
#[cfg(feature = "pickle")]
mod pickle;
mod sizes;

use core::{
    hint::{black_box, spin_loop},
    panic::PanicInfo,
};

use firmware::entropy::Entropy;

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut rng = Entropy::new();
    #[cfg(feature = "keys")]
    black_box(keys::run(&mut rng).is_some());
    #[cfg(feature = "pickle")]
    black_box(pickle::run(&mut rng).is_some());
    #[cfg(feature = "attachment")]
    black_box(attachment::run(&mut rng).is_some());
    #[cfg(feature = "olm")]
    black_box(olm::run(&mut rng).is_some());
    #[cfg(feature = "megolm-decrypt")]
    black_box(megolm::read().is_some());
    #[cfg(feature = "megolm")]
    black_box(megolm::run(&mut rng).is_some());
    black_box(&mut rng);
    loop {
        spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        spin_loop();
    }
}
