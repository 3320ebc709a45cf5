//! What is measured by `cargo xtask size --wasm`. Nothing of it runs: every operation is reachable from the one export, with
//! inputs that the compiler cannot know. Without an allocator where ours are measured; vodozemac needs the standard library.

#![cfg_attr(not(feature = "vodozemac-megolm-decrypt"), no_std)]

#[cfg(feature = "megolm-decrypt")]
mod ours;
#[cfg(feature = "vodozemac-megolm-decrypt")]
mod peer;

#[cfg(not(feature = "vodozemac-megolm-decrypt"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Stands where the host has its generator, for vodozemac, which draws by itself: built with
/// `getrandom_backend="custom"`. One that always fails would let the compiler leave everything else out.
#[cfg(feature = "vodozemac-megolm-decrypt")]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(out: *mut u8, len: usize) -> Result<(), getrandom::Error> {
    // Sound: getrandom hands over the bytes that it wants to have filled.
    unsafe { core::ptr::write_bytes(out, core::hint::black_box(4), len) };
    Ok(())
}

/// Says whether everything succeeded, so that nothing can be left out.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> bool {
    let all = true;
    #[cfg(feature = "megolm-decrypt")]
    let all = all & ours::megolm_decrypt().is_some();
    #[cfg(feature = "both-ways")]
    let all = all & ours::both_ways().is_some();
    #[cfg(feature = "vodozemac-megolm-decrypt")]
    let all = all & peer::megolm_decrypt().is_some();
    #[cfg(feature = "vodozemac-both-ways")]
    let all = all & peer::both_ways().is_some();
    all
}
