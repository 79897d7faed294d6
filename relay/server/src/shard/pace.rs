use std::{
    thread,
    time::{Duration, Instant},
};

/// A turn that took longer than this shows that there is much to do.
const BUSY: Duration = Duration::from_micros(100);

/// Lets packets wait for each other under load: a turn costs the less an object, the more objects
/// it has. When there is little to do nothing waits.
#[derive(Debug)]
pub(super) struct Pace {
    /// The least time between the starts of two turns while there is much to do.
    spacing: Duration,
}

impl Pace {
    pub(super) const fn new(spacing: Duration) -> Self {
        Self { spacing }
    }

    /// Rests after a turn, if it pays.
    pub(super) fn rest(&self, turn_start: Instant) {
        let took = turn_start.elapsed();
        if took > BUSY
            && let Some(rest) = self.spacing.checked_sub(took)
        {
            thread::sleep(rest);
        }
    }
}
