//! An allocator, for the crates that need one.

use core::{mem::MaybeUninit, ptr::addr_of_mut};

use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Reading a key export takes a buffer for the longest entry that there may be, of 64 kB.
const LEN: usize = 384 * 1024;

/// Gives the allocator its memory; to be called once, before anything is allocated.
pub fn init() {
    static mut MEMORY: [MaybeUninit<u8>; LEN] = [MaybeUninit::uninit(); LEN];
    // SAFETY: nothing else uses the memory, and this is called once.
    unsafe { HEAP.init(addr_of_mut!(MEMORY) as usize, LEN) }
}

/// Nothing interrupts the image.
struct Alone;

critical_section::set_impl!(Alone);

// SAFETY: there is one thread, and no interrupt is ever switched on.
unsafe impl critical_section::Impl for Alone {
    unsafe fn acquire() {}

    unsafe fn release((): ()) {}
}
