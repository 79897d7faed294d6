//! How busy the thread is, and who takes the next client.

use std::time::{Duration, Instant};

use parvis_quic::udp::BatchSocket;

use super::Shard;
use crate::relay::steer;

/// Over how long the time is counted.
const WINDOW: Duration = Duration::from_millis(500);

/// Counts the time that a thread works.
#[derive(Debug)]
pub(super) struct Busy {
    since: Instant,
    worked: Duration,
    /// Percent, in the last whole window.
    percent: u8,
    /// Sessions when they were last reported.
    reported: usize,
}

impl Busy {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            since: now,
            worked: Duration::ZERO,
            percent: 0,
            reported: 0,
        }
    }

    /// Adds a turn that began at `now`; whether there is something new to report.
    fn add(&mut self, now: Instant, worked: Duration, sessions: usize) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        let is_over = elapsed >= WINDOW;
        if is_over {
            let share = self.worked.as_secs_f64() / elapsed.as_secs_f64();
            self.percent = (share * 100.0) as u8;
            self.since = now;
            self.worked = Duration::ZERO;
        }
        self.worked += worked;
        let is_news = is_over || sessions != self.reported;
        self.reported = sessions;
        is_news
    }
}

impl Shard {
    /// Counts a turn, and sees to it that newcomers go where they should.
    pub(super) fn account(&mut self, socket: &BatchSocket, worked: Duration) {
        let Some(placement) = &self.placement else {
            return;
        };
        let sessions = self.stats.sessions;
        if !self.busy.add(self.now, worked, sessions) {
            return;
        }
        let threads = self.links.count();
        let report = placement.report(self.index.into(), sessions, self.busy.percent, |next| {
            steer(socket, next, threads)
        });
        if let Err(error) = report {
            tracing::warn!(%error, "newcomers stay with one thread");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_time_is_of_the_last_window() {
        let start = Instant::now();
        let mut busy = Busy::new(start);
        for turn in 0..=50 {
            busy.add(
                start + Duration::from_millis(10) * turn,
                Duration::from_millis(4),
                1,
            );
        }
        assert_eq!(busy.percent, 40);
        let later = start + Duration::from_secs(10);
        assert!(busy.add(later, Duration::ZERO, 1));
        assert_eq!(busy.percent, 0);
    }

    #[test]
    fn a_session_more_or_less_is_reported_at_once() {
        let start = Instant::now();
        let mut busy = Busy::new(start);
        assert!(busy.add(start, Duration::ZERO, 1));
        assert!(!busy.add(start, Duration::ZERO, 1));
        assert!(busy.add(start, Duration::ZERO, 0));
    }
}
