//! libolm at the same work as our own images: xtask/firmware/src/bin/image and measure.

#![no_std]

mod ffi;
pub mod object;
pub mod work;

/// Gives the variables their initial values, which lie in flash: libolm has some, our images have none.
///
/// # Safety
///
/// To be called once, before anything of libolm's.
pub unsafe fn copy_data() {
    unsafe extern "C" {
        static mut _data_start: u32;
        static _data_end: u32;
        static _data_source: u32;
    }
    // SAFETY: layout.ld puts the three on borders of words, and source and destination lie in different memories.
    unsafe {
        let start = &raw mut _data_start;
        let len = (&raw const _data_end).offset_from(start);
        core::ptr::copy_nonoverlapping(&raw const _data_source, start, len.unsigned_abs());
    }
}
