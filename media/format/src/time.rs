use std::{
    fmt,
    num::NonZeroU64,
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

/// A point on a media timeline, in microseconds.
///
/// On published tracks the timeline is the sender's capture clock: microseconds since the Unix
/// epoch. In files it starts near zero. Arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MediaTime(i64);

/// Ticks per second; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timescale(NonZeroU64);

impl MediaTime {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// The latest time.
    pub const MAX: Self = Self(i64::MAX);

    /// micros: microseconds from the origin.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// millis: milliseconds from the origin.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Converts ticks to the nearest microsecond, saturating.
    pub fn from_ticks(ticks: i64, timescale: Timescale) -> Self {
        Self(rescale(ticks, Timescale::MICROS, timescale))
    }

    /// Microseconds from the origin.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Converts to the nearest tick, saturating.
    pub fn to_ticks(self, timescale: Timescale) -> i64 {
        rescale(self.0, timescale, Timescale::MICROS)
    }

    /// How much later this is than `earlier`; zero if it is not.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        self.checked_since(earlier).unwrap_or_default()
    }

    /// How much later this is than `earlier`; `None` if it is earlier.
    pub fn checked_since(self, earlier: Self) -> Option<Duration> {
        (self >= earlier).then(|| Duration::from_micros(self.0.abs_diff(earlier.0)))
    }

    /// Microseconds from `other` to this, negative if this is earlier.
    pub const fn signed_since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

/// `value * to / from`, to the nearest, halves away from zero.
fn rescale(value: i64, to: Timescale, from: Timescale) -> i64 {
    let (to, from) = (i128::from(to.get()), i128::from(from.get()));
    // |value| <= 2^63 and to < 2^64: the product fits in an i128 with a bit to spare.
    let product = i128::from(value) * to;
    let half = if product < 0 { -(from / 2) } else { from / 2 };
    let rounded = product.saturating_add(half) / from;
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Add<Duration> for MediaTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl AddAssign<Duration> for MediaTime {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for MediaTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}s", micros / 1_000_000, micros % 1_000_000)
    }
}

impl Timescale {
    /// Microseconds.
    pub const MICROS: Self = Self(NonZeroU64::new(1_000_000).expect("not zero"));
    /// Samples of 48 kHz audio.
    pub const AUDIO_48K: Self = Self(NonZeroU64::new(48_000).expect("not zero"));

    /// `None` for zero.
    pub const fn new(ticks_per_second: u64) -> Option<Self> {
        match NonZeroU64::new(ticks_per_second) {
            Some(ticks) => Some(Self(ticks)),
            None => None,
        }
    }

    /// Ticks per second.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests;
