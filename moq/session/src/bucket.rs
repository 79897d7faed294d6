use std::time::{Duration, Instant};

use crate::Rate;

/// Holds something to a [`Rate`].
#[derive(Debug)]
pub struct Bucket {
    interval: Duration,
    /// How far ahead of its time a burst may be.
    tolerance: Duration,
    /// When the next one were due, did they come evenly.
    next: Option<Instant>,
}

impl Bucket {
    /// Full at first.
    pub fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        Self {
            interval,
            tolerance: interval * (rate.burst.max(1) - 1),
            next: None,
        }
    }

    /// Takes one, or says how long to wait for it.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let next = self.next.map_or(now, |next| next.max(now));
        let ahead = next.saturating_duration_since(now);
        if let Some(wait) = ahead.checked_sub(self.tolerance).filter(|w| !w.is_zero()) {
            return Err(wait);
        }
        self.next = Some(next + self.interval);
        Ok(())
    }
}
