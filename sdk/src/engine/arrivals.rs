//! How frames come: how late, and how many groups of them are not whole. Pure.

use std::time::{Duration, Instant};

use parvis_format::{MediaKind, MediaTime};

/// What was seen of a track's frames since the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// The least time from capture to arrival, by two clocks, lately and before.
    least: [Option<i64>; 2],
    /// When the least of lately began to be looked for.
    since: Option<Instant>,
    late_micros: u64,
    frames: u64,
    groups: u64,
    broken: u64,
}

/// How what is received comes, as most of the tracks have it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Reception {
    /// How much later than at best frames came on average; `None`: none came.
    pub lateness: Option<Duration>,
    /// The share of groups that did not come whole; `None`: none ended.
    pub broken: Option<f64>,
}

/// Two clocks go apart: a least time that is older says nothing.
const WINDOW: Duration = Duration::from_mins(1);

impl Arrivals {
    /// Takes a frame.
    pub(super) fn frame(&mut self, captured: MediaTime, arrived: MediaTime, now: Instant) {
        let took = arrived.signed_since(captured);
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= WINDOW {
            self.least = [None, self.least[0]];
            self.since = Some(now);
        }
        self.least[0] = Some(self.least[0].map_or(took, |least| least.min(took)));
        let least = self.least.iter().flatten().min().copied().unwrap_or(took);
        self.late_micros += took.saturating_sub(least).unsigned_abs();
        self.frames += 1;
    }

    /// Takes the end of a group.
    pub(super) fn group(&mut self, complete: bool) {
        self.groups += 1;
        self.broken += u64::from(!complete);
    }

    /// The way is another one from here on.
    pub(super) fn moved(&mut self) {
        *self = Self::default();
    }

    fn look(&mut self) -> Reception {
        let late = (self.frames > 0).then(|| self.late_micros / self.frames);
        let broken = (self.groups > 0).then(|| self.broken as f64 / self.groups as f64);
        (self.late_micros, self.frames) = (0, 0);
        (self.groups, self.broken) = (0, 0);
        Reception {
            lateness: late.map(Duration::from_micros),
            broken,
        }
    }
}

impl Reception {
    /// Looks at all tracks: of the pictures, or else of the sound, what at least half of them have.
    /// One publisher whose own network is short must not pass for this side's.
    pub(super) fn of<'a>(tracks: impl Iterator<Item = (MediaKind, &'a mut Arrivals)>) -> Self {
        let mut seen = [Vec::new(), Vec::new()];
        for (kind, arrivals) in tracks {
            let reception = arrivals.look();
            if reception != Self::default() {
                seen[usize::from(kind == MediaKind::Audio)].push(reception);
            }
        }
        let [pictures, sound] = seen;
        let most = if pictures.is_empty() { sound } else { pictures };
        let mut lateness: Vec<Duration> = most.iter().filter_map(|r| r.lateness).collect();
        let mut broken: Vec<f64> = most.iter().filter_map(|r| r.broken).collect();
        lateness.sort_unstable();
        broken.sort_unstable_by(f64::total_cmp);
        Self {
            lateness: lateness.get(lateness.len().saturating_sub(1) / 2).copied(),
            broken: broken.get(broken.len().saturating_sub(1) / 2).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that take so many milliseconds each.
    fn take(arrivals: &mut Arrivals, took: &[i64], now: Instant) {
        for took in took {
            let captured = MediaTime::from_millis(5000);
            arrivals.frame(captured, MediaTime::from_millis(5000 + took), now);
        }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn lateness_is_what_frames_take_beyond_the_least() {
        let now = Instant::now();
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.look(), Reception::default());
        // The clocks differ: it seems to come before it was captured.
        take(&mut arrivals, &[-900, -900, -900], now);
        assert_eq!(arrivals.look().lateness, Some(ms(0)));
        take(&mut arrivals, &[-800, -600], now);
        assert_eq!(arrivals.look().lateness, Some(ms(200)));
        arrivals.moved();
        take(&mut arrivals, &[-600], now);
        assert_eq!(arrivals.look().lateness, Some(ms(0)));
    }

    #[test]
    fn what_came_late_because_it_is_old_is_not_late() {
        let mut arrivals = Arrivals::default();
        take(&mut arrivals, &[4000, 3960, 3920, 40, 40], Instant::now());
        assert_eq!(arrivals.look().lateness, Some(ms(0)));
    }

    #[test]
    fn an_old_least_is_forgotten() {
        let now = Instant::now();
        let mut arrivals = Arrivals::default();
        take(&mut arrivals, &[10], now);
        take(&mut arrivals, &[60], now + WINDOW);
        arrivals.look();
        take(&mut arrivals, &[60], now + WINDOW);
        assert_eq!(arrivals.look().lateness, Some(ms(50)));
        take(&mut arrivals, &[60], now + 2 * WINDOW);
        assert_eq!(arrivals.look().lateness, Some(ms(0)));
    }

    #[test]
    fn one_publisher_that_is_late_is_not_this_sides_network() {
        let now = Instant::now();
        let mut tracks = vec![Arrivals::default(); 3];
        let mut look = |late: [i64; 3]| {
            for (track, late) in tracks.iter_mut().zip(late) {
                take(track, &[late], now);
                track.group(late < 500);
            }
            Reception::of(tracks.iter_mut().map(|track| (MediaKind::Video, track)))
        };
        look([0, 0, 0]);
        let one = look([0, 700, 0]);
        assert_eq!((one.lateness, one.broken), (Some(ms(0)), Some(0.0)));
        let two = look([0, 700, 800]);
        assert_eq!((two.lateness, two.broken), (Some(ms(700)), Some(1.0)));
    }

    #[test]
    fn sound_counts_where_there_are_no_pictures() {
        let now = Instant::now();
        let (mut sound, mut picture) = (Arrivals::default(), Arrivals::default());
        take(&mut sound, &[0, 100], now);
        let of_sound = Reception::of([(MediaKind::Audio, &mut sound)].into_iter());
        assert_eq!(of_sound.lateness, Some(ms(50)));
        take(&mut sound, &[100], now);
        take(&mut picture, &[0], now);
        let both = [
            (MediaKind::Audio, &mut sound),
            (MediaKind::Video, &mut picture),
        ];
        assert_eq!(Reception::of(both.into_iter()).lateness, Some(ms(0)));
    }
}
