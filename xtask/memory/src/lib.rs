//! Tools of the memory checks: a generator that gives a pattern, a search for it, and an allocator that watches.

use core::cell::Cell;
use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::ptr;
use std::alloc::{GlobalAlloc, Layout, System};

use rand_core::{TryCryptoRng, TryRng};

/// Gives another pattern at each draw: 32 bytes that are found in memory by their middle.
pub struct Pattern(pub u8);

/// The secret of the n-th draw.
pub fn pattern(n: u8) -> [u8; 32] {
    core::array::from_fn(|i| {
        let mixed = (u32::from(n) * 32 + i as u32 + 1).wrapping_mul(0x9e37_79b1);
        ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 24) as u8
    })
}

impl TryRng for Pattern {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&pattern(self.0)[..chunk.len()]);
            self.0 += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Pattern {}

/// Whether any eight bytes in a row of the n-th secret are in these bytes.
pub fn contains(bytes: &[u8], n: u8) -> bool {
    let secret = pattern(n);
    bytes.windows(8).any(|window| secret.windows(8).any(|part| part == window))
}

/// The bytes of a value, padding and unused slots included, as they lie in memory.
pub fn bytes_of<T>(value: &T) -> Vec<u8> {
    let mut copy = vec![0_u8; size_of::<T>()];
    // SAFETY: as many bytes are read as the value has. Uninitialised ones among them are copied, not looked at by the
    // compiler: a byte-wise volatile read gives what the memory holds.
    unsafe {
        let start = ptr::from_ref(value).cast::<u8>();
        for (i, byte) in copy.iter_mut().enumerate() {
            *byte = ptr::read_volatile(start.add(i));
        }
    }
    copy
}

/// A place in which a value is dropped, and whose bytes are looked at afterwards.
pub fn bytes_after_drop<T>(value: T) -> Vec<u8> {
    let mut place = MaybeUninit::new(value);
    // SAFETY: the value is initialised and not used again; the place stays allocated.
    unsafe { place.assume_init_drop() };
    bytes_of(&place)
}

/// Runs a check where earlier calls have left nothing on the stack: the unused slots of a new value would show it.
pub fn on_clean_stack(check: impl FnOnce()) {
    scrub_stack();
    run(check);
}

#[inline(never)]
fn run(check: impl FnOnce()) {
    check();
}

#[inline(never)]
fn scrub_stack() {
    let mut room = [0_u8; 1 << 18];
    for byte in &mut room {
        // SAFETY: a reference to a byte; volatile, so that it is not left out.
        unsafe { ptr::write_volatile(byte, 0) };
    }
    core::hint::black_box(&mut room);
}

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static WATCHED: Cell<Option<[u8; 32]>> = const { Cell::new(None) };
    static LEAKED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting what this thread allocates and searching what it frees.
pub struct Watching;

// SAFETY: everything is the system's allocator's; the thread-locals are constants without destructors.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if let Some(secret) = WATCHED.get() {
            let found = (0..layout.size().saturating_sub(7)).any(|offset| {
                secret.windows(8).any(|part| {
                    // SAFETY: the block is still allocated and has `layout.size()` bytes.
                    part.iter()
                        .enumerate()
                        .all(|(i, byte)| unsafe { start.add(offset + i).read_volatile() } == *byte)
                })
            });
            LEAKED.set(LEAKED.get() + usize::from(found));
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

/// How many bytes a piece of code allocates.
pub fn allocated<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.get();
    let result = work();
    (result, ALLOCATED.get() - before)
}

/// How many blocks a piece of code frees with the n-th secret in them.
pub fn freed_with_secret<T>(n: u8, work: impl FnOnce() -> T) -> (T, usize) {
    freed_with_bytes(pattern(n), work)
}

/// How many blocks a piece of code frees with any eight of these bytes in a row in them.
pub fn freed_with_bytes<T>(secret: [u8; 32], work: impl FnOnce() -> T) -> (T, usize) {
    LEAKED.set(0);
    WATCHED.set(Some(secret));
    let result = work();
    WATCHED.set(None);
    (result, LEAKED.get())
}
