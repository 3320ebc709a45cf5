//! Ctrl-C, and being asked to end: the work stops at its next step, so that no temporary file is left behind and a
//! terminal gets its echo back. The second time the program ends at once.

use core::sync::atomic::{AtomicBool, Ordering};
use std::{
    io,
    sync::{Arc, OnceLock},
};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// What shells know as ended by Ctrl-C.
pub(crate) const EXIT_CODE: u8 = 130;

/// From now on the work is asked to stop rather than killed. Where that cannot be had, it is killed.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        flag,
    };

    let interrupted = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // In this order: the first one sees the flag as the time before left it.
        let _ = flag::register_conditional_shutdown(signal, i32::from(EXIT_CODE), Arc::clone(interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(interrupted)));
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|interrupted| interrupted.load(Ordering::Relaxed))
}

/// An error if the work is to stop.
pub(crate) fn check() -> io::Result<()> {
    // Not of the kind `Interrupted`, after which the standard library tries again.
    if is_interrupted() { Err(io::Error::other("interrupted")) } else { Ok(()) }
}
