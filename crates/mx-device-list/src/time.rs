//! Time, which is an argument.

/// Milliseconds of the caller's clock: since the Unix epoch, as Matrix timestamps are, if the times at which devices were first
/// seen shall mean something to people.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(pub u64);

/// Time to be waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Wait {
    since: Timestamp,
    millis: u64,
}

impl Wait {
    pub(crate) const fn new(since: Timestamp, millis: u64) -> Self {
        Self { since, millis }
    }

    pub(crate) const fn end(self) -> Timestamp {
        Timestamp(self.since.0.saturating_add(self.millis))
    }

    pub(crate) const fn is_over(self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.since.0) >= self.millis
    }

    /// After a clock went back, the wait is no longer than from now on.
    pub(crate) fn not_after(&mut self, now: Timestamp) {
        self.since = self.since.min(now);
    }
}

/// What failed again and again is tried again later and later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BackOff {
    failures: u32,
    pub(crate) wait: Wait,
}

impl BackOff {
    /// One more failure: the first wait, doubled for each failure before, up to the longest.
    pub(crate) fn next(previous: Option<Self>, now: Timestamp, first: u64, longest: u64) -> Self {
        let failures = previous.map_or(0, |previous| previous.failures.saturating_add(1));
        let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        Self { failures, wait: Wait::new(now, first.saturating_mul(factor).min(longest)) }
    }
}
