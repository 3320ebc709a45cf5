//! The clocks of this machine.

use std::time::{Instant, SystemTime};

use mx_verification::Time;

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begin: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { begin: Instant::now() }
    }

    pub(super) fn time(self) -> Time {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let ms = |duration: core::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Time { monotonic_ms: ms(self.begin.elapsed()), unix_ms: ms(unix) }
    }
}
