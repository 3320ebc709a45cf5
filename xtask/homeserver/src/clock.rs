//! The time, which the libraries do not ask for themselves.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mx_device_list::Timestamp;
use mx_verification::Time;

pub(crate) fn now() -> Timestamp {
    Timestamp(milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
}

/// By both clocks.
pub(crate) fn time() -> Time {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    let Timestamp(unix_ms) = now();
    Time { monotonic_ms: milliseconds(BEGINNING.elapsed()), unix_ms }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
