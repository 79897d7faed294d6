//! The clock of capture times.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use parvis_format::MediaTime;

/// The wall clock as media time: microseconds since the Unix epoch.
///
/// Read once from the system's clock and carried on by the monotonic one, so that it never jumps
/// within a process.
pub fn now() -> MediaTime {
    let (wall, start) = base();
    wall + start.elapsed()
}

/// The wall clock at a monotonic instant.
pub(crate) fn at(instant: Instant) -> MediaTime {
    let (wall, start) = base();
    match instant.checked_duration_since(start) {
        Some(later) => wall + later,
        None => wall - start.duration_since(instant),
    }
}

fn base() -> (MediaTime, Instant) {
    static BASE: OnceLock<(MediaTime, Instant)> = OnceLock::new();
    *BASE.get_or_init(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        (MediaTime::ZERO + since, Instant::now())
    })
}
