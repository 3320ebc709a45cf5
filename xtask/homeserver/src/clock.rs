//! The time, which the libraries do not ask for themselves.

use std::time::{SystemTime, UNIX_EPOCH};

use mx_device_list::Timestamp;

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
