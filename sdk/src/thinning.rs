//! Fewer frames a second. Pure: time is that of the frames.

use std::time::Duration;

use parvis_format::MediaTime;

/// Lets through at most so many frames a second, evenly.
#[derive(Debug, Clone, Default)]
pub(crate) struct Thinning {
    /// `None`: all go through.
    interval: Option<Duration>,
    next: Option<MediaTime>,
}

impl Thinning {
    /// frames_per_second: `None` lets all through.
    pub(crate) fn set_rate(&mut self, frames_per_second: Option<u32>) {
        let interval = frames_per_second.map(|fps| Duration::from_secs(1) / fps.max(1));
        if interval != self.interval {
            *self = Self {
                interval,
                next: None,
            };
        }
    }

    /// Whether a frame of that time goes through.
    pub(crate) fn admits(&mut self, time: MediaTime) -> bool {
        let Some(interval) = self.interval else {
            return true;
        };
        let Some(next) = self.next else {
            self.next = Some(time + interval);
            return true;
        };
        let early = next.saturating_since(time);
        // A camera's frames jitter. Far before its time is one of another clock.
        if early > interval / 10 && early <= 2 * interval {
            return false;
        }
        let due = next + interval;
        self.next = Some(if due > time && early <= interval {
            due
        } else {
            time + interval
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(thinning: &mut Thinning, from: i64, step: i64, frames: i64) -> usize {
        let times = (0..frames).map(|n| MediaTime::from_micros(from + n * step));
        times.filter(|time| thinning.admits(*time)).count()
    }

    #[test]
    fn so_many_frames_a_second_go_through_evenly() {
        let mut thinning = Thinning::default();
        assert_eq!(admitted(&mut thinning, 0, 33_333, 300), 300);
        thinning.set_rate(Some(15));
        assert_eq!(admitted(&mut thinning, 10_000_000, 33_333, 300), 150);
        thinning.set_rate(Some(12));
        let count = admitted(&mut thinning, 20_000_000, 33_333, 300);
        assert!((119..=121).contains(&count), "{count}");
        // A source that is slower than that loses nothing.
        thinning.set_rate(Some(5));
        assert_eq!(admitted(&mut thinning, 30_000_000, 400_000, 25), 25);
        thinning.set_rate(None);
        assert_eq!(admitted(&mut thinning, 40_000_000, 33_333, 30), 30);
    }

    #[test]
    fn a_clock_that_jumps_back_stops_nothing() {
        let mut thinning = Thinning::default();
        thinning.set_rate(Some(10));
        assert_eq!(admitted(&mut thinning, 50_000_000, 100_000, 10), 10);
        assert_eq!(admitted(&mut thinning, 1_000_000, 100_000, 10), 10);
    }
}
