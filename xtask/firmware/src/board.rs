//! The three machines of QEMU: how they start, and how deep their stack went.

/// Defines the start of an image, which calls `$main: fn() -> !`, and what a panic does: it ends the run.
///
/// RAM is zero when QEMU starts, and no variable has another initial value (layout.ld sees to that).
#[macro_export]
macro_rules! start {
    ($main:path) => {
        #[cfg(target_arch = "arm")]
        core::arch::global_asm!(
            ".section .vectors, \"a\"",
            ".word _stack_top",
            ".word _start",
            ".section .text._start, \"ax\"",
            ".global _start",
            ".type _start, %function",
            ".thumb_func",
            "_start:",
        );
        // The FPU is off after a reset: coprocessors 10 and 11 are switched on in CPACR.
        #[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
        core::arch::global_asm!(
            "ldr r0, =0xe000ed88",
            "ldr r1, [r0]",
            "orr r1, #0xf00000",
            "str r1, [r0]",
            "dsb",
            "isb",
        );
        #[cfg(target_arch = "arm")]
        core::arch::global_asm!("bl {main}", ".ltorg", main = sym entry);
        #[cfg(target_arch = "riscv32")]
        core::arch::global_asm!(
            ".section .text._start, \"ax\"",
            ".global _start",
            "_start:",
            "la sp, _stack_top",
            "call {main}",
            main = sym entry,
        );

        extern "C" fn entry() -> ! {
            $main()
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            semihosting::process::exit(101)
        }
    };
}

unsafe extern "C" {
    static _stack_end: u8;
    static _stack_top: u8;
}

/// What unused stack is filled with.
const PAINT: u8 = 0xa5;

/// Left unpainted under the painter's own frame.
const MARGIN: usize = 64;

/// The stack below its caller, painted so that it shows how far it was used.
#[derive(Debug)]
pub struct PaintedStack {
    top: usize,
}

impl PaintedStack {
    /// Paints all that is free.
    #[inline(never)]
    #[must_use]
    pub fn paint() -> Self {
        let here = 0_u8;
        let top = &raw const here as usize - MARGIN;
        for address in bottom()..top {
            // SAFETY: the bytes lie between the variables and this frame, where nothing else is.
            unsafe { core::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(PAINT) };
        }
        Self { top }
    }

    /// Bytes that were used since below the place where it was painted.
    #[inline(never)]
    #[must_use]
    pub fn used(&self) -> usize {
        let is_painted = |address: &usize| {
            // SAFETY: as above; reading does no harm.
            unsafe { core::ptr::with_exposed_provenance::<u8>(*address).read_volatile() == PAINT }
        };
        self.top - (bottom()..self.top).take_while(is_painted).last().map_or(bottom(), |last| last + 1)
    }
}

/// Bytes that the machine has for its stack.
#[must_use]
pub fn stack_len() -> usize {
    (&raw const _stack_top as usize) - bottom()
}

fn bottom() -> usize {
    &raw const _stack_end as usize
}

/// Counts instructions, while QEMU lets one nanosecond pass for each (`-icount shift=0`).
#[derive(Debug)]
pub struct Instructions {
    start: u32,
}

#[cfg(target_arch = "arm")]
impl Instructions {
    /// SysTick: control, reload value, current value.
    const CONTROL: usize = 0xe000_e010;
    const RELOAD: usize = 0xe000_e014;
    const CURRENT: usize = 0xe000_e018;
    const MAX: u32 = 0x00ff_ffff;

    /// Nanoseconds of 16 ticks: at 25 MHz on the Cortex-M4, at 16 MHz on the Cortex-M0.
    const NANOSECONDS_OF_16: u64 = if cfg!(target_abi = "eabihf") { 640 } else { 1_000 };

    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        for (address, value) in [(Self::RELOAD, Self::MAX), (Self::CONTROL, 5)] {
            // SAFETY: registers of the core's own timer, which nothing else uses.
            unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value) };
        }
        Self { start: Self::now() }
    }

    /// How many there were, to the length of a tick.
    #[must_use]
    pub fn count(&self) -> u64 {
        // It counts down.
        u64::from(self.start.wrapping_sub(Self::now()) & Self::MAX) * Self::NANOSECONDS_OF_16 / 16
    }

    fn now() -> u32 {
        // SAFETY: as above.
        unsafe { core::ptr::with_exposed_provenance::<u32>(Self::CURRENT).read_volatile() }
    }
}

#[cfg(target_arch = "riscv32")]
impl Instructions {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Self::now() }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        Self::now().wrapping_sub(self.start).into()
    }

    fn now() -> u32 {
        let count;
        // SAFETY: reads a counter.
        unsafe { core::arch::asm!("csrr {}, minstret", out(reg) count) };
        count
    }
}
