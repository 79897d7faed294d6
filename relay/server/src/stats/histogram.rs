use std::time::Duration;

/// How many durations lay below each of some bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Histogram {
    /// By bucket, the last one for what is above all bounds.
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: f64,
}

impl Histogram {
    /// Seconds.
    const BOUNDS: [f64; 12] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2,
    ];

    pub(crate) fn observe(&mut self, value: Duration) {
        let seconds = value.as_secs_f64();
        let bucket = Self::BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[bucket] += 1;
        self.sum += seconds;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
        self.sum += other.sum;
    }

    /// The sum of all durations, seconds.
    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each bucket's upper bound with its own count.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = Self::BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.counts).collect()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; Self::BOUNDS.len() + 1],
            sum: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_once_in_the_bucket_that_it_fits() {
        let mut histogram = Histogram::default();
        for ms in [0, 1, 2, 10_000] {
            histogram.observe(Duration::from_millis(ms));
        }
        let buckets = histogram.buckets();
        assert_eq!(buckets[0], (0.001, 2));
        assert_eq!(buckets[1], (0.0025, 1));
        assert_eq!(buckets[12], (f64::INFINITY, 1));
        assert_eq!(histogram.count(), 4);
        assert!((histogram.sum() - 10.003).abs() < 1e-9);

        let mut twice = histogram;
        twice.add(&histogram);
        assert_eq!(twice.count(), 8);
    }
}
