use std::time::{SystemTime, UNIX_EPOCH};

use parvis_meeting::UnixMillis;

/// The time of the wall clock.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixMillis(since.map_or(0, |since| since.as_millis() as u64))
}
