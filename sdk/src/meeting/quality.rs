use std::time::Duration;

use parvis_meeting::Quality;

use crate::PathStats;

/// How well a path carries, from what was measured of it since the last look.
#[derive(Debug, Default)]
pub(super) struct Path {
    sent: u64,
    lost: u64,
}

/// Up to that, everything arrives in time.
const EXCELLENT: (Duration, f64) = (Duration::from_millis(150), 0.01);
/// Up to that, hardly anything is missing.
const GOOD: (Duration, f64) = (Duration::from_millis(400), 0.05);
/// Fewer packets say nothing of losses.
const FEW: u64 = 20;

impl Path {
    pub(super) fn judge(&mut self, stats: &PathStats) -> Quality {
        let sent = stats.sent_packets.saturating_sub(self.sent);
        let lost = stats.lost_packets.saturating_sub(self.lost);
        (self.sent, self.lost) = (stats.sent_packets, stats.lost_packets);
        let share = if sent < FEW {
            0.0
        } else {
            lost as f64 / sent as f64
        };
        let within = |(rtt, loss): (Duration, f64)| stats.rtt <= rtt && share <= loss;
        if within(EXCELLENT) {
            Quality::Excellent
        } else if within(GOOD) {
            Quality::Good
        } else {
            Quality::Poor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(rtt: u64, sent: u64, lost: u64) -> PathStats {
        PathStats {
            rtt: Duration::from_millis(rtt),
            sent_packets: sent,
            lost_packets: lost,
            ..PathStats::default()
        }
    }

    #[test]
    fn a_path_is_judged_by_what_happened_since_the_last_look() {
        let mut path = Path::default();
        assert_eq!(path.judge(&stats(20, 1000, 0)), Quality::Excellent);
        assert_eq!(path.judge(&stats(20, 2000, 30)), Quality::Good);
        assert_eq!(path.judge(&stats(20, 3000, 200)), Quality::Poor);
        assert_eq!(path.judge(&stats(20, 4000, 200)), Quality::Excellent);
        assert_eq!(path.judge(&stats(20, 4010, 209)), Quality::Excellent);
        assert_eq!(path.judge(&stats(300, 5000, 209)), Quality::Good);
        assert_eq!(path.judge(&stats(900, 6000, 209)), Quality::Poor);
    }
}
