use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parvis_token::UnixTime;

/// What the wall clock says, for the times in tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    unix: Duration,
    at: Instant,
}

impl WallClock {
    /// Reads the clock; `at` is the same moment.
    pub(crate) fn read(at: Instant) -> Self {
        // A clock before 1970 makes every token one of the future.
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self { unix, at }
    }

    pub(crate) const fn now(self) -> UnixTime {
        UnixTime(self.unix.as_secs())
    }

    /// When the wall clock will say this; a time too far away to be one: in a year.
    pub(crate) fn instant(self, time: UnixTime) -> Instant {
        const YEAR: Duration = Duration::from_hours(24 * 365);
        let left = Duration::from_secs(time.0).saturating_sub(self.unix);
        self.at + left.min(YEAR)
    }
}
