//! What all of it takes in flash. Linked and measured, not run.

#![no_std]
#![no_main]

use core::{
    hint::{black_box, spin_loop},
    panic::PanicInfo,
};

use libolm::{copy_data, work};

struct Quiet;

impl work::Take for Quiet {
    fn take<T>(&mut self, _: &str, operation: impl FnOnce() -> T) -> T {
        black_box(operation())
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    // SAFETY: nothing has run before.
    unsafe { copy_data() };
    work::run(&mut Quiet);
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
