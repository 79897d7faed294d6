use std::time::{Duration, Instant};

use parvis_codec::Bitrate;
use parvis_meeting::{ParticipantId, Quality};

use super::{Meeting, StepDown};
use crate::{LocalStats, PathStats, RemoteStats};

/// What an app may show of how a meeting goes.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingStats {
    /// The path to the relay, since the connection began; `None`: there is none.
    pub path: Option<PathStats>,
    /// What it carried lately.
    pub rates: Rates,
    /// How well one is connected.
    pub quality: Quality,
    /// What is given up because the network is short.
    pub step_down: StepDown,
    /// The tracks that are published, and what became of their frames.
    pub sent: Vec<LocalStats>,
    /// The tracks that are received.
    pub received: Vec<ReceivedStats>,
}

/// What a path carried lately, over two seconds or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// UDP payload sent.
    pub sent: Bitrate,
    /// UDP payload received.
    pub received: Bitrate,
    /// The share of packets sent that were lost, 0 to 1.
    pub loss: f64,
}

/// A track of somebody's that is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedStats {
    /// Whose.
    pub participant: ParticipantId,
    /// Its name.
    pub track: String,
    /// What became of its frames.
    pub stats: RemoteStats,
}

/// Takes the rates from counters that only grow.
#[derive(Debug, Default)]
pub(super) struct Meter {
    before: Option<(Instant, PathStats)>,
    rates: Rates,
}

/// Over less time rates say little.
const SPAN: Duration = Duration::from_secs(2);

impl Meeting {
    /// How the meeting goes at the moment.
    pub async fn stats(&self) -> MeetingStats {
        let state = self.state();
        let room = self.shared.room();
        let (mut path, mut sent, mut received) = (None, Vec::new(), Vec::new());
        if let Some(room) = &room {
            path = room.path().await;
            sent = room.engine().sent();
            let tracks = room.engine().received().into_iter();
            let tracks = tracks.filter_map(|(name, track, stats)| {
                let participant = ParticipantId::new(name.as_str()).ok()?;
                Some(ReceivedStats {
                    participant,
                    track,
                    stats,
                })
            });
            received.extend(tracks);
        }
        MeetingStats {
            path,
            rates: self.shared.rates(),
            quality: state.quality,
            step_down: state.step_down,
            sent,
            received,
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            sent: Bitrate::bps(0),
            received: Bitrate::bps(0),
            loss: 0.0,
        }
    }
}

impl Meter {
    /// Takes what a path has counted.
    pub(super) fn take(&mut self, stats: &PathStats, now: Instant) {
        let Some((at, before)) = &self.before else {
            self.before = Some((now, *stats));
            return;
        };
        if stats.sent_packets < before.sent_packets {
            // Another connection counts from the beginning.
            self.before = Some((now, *stats));
            return;
        }
        let span = now.saturating_duration_since(*at);
        if span < SPAN {
            return;
        }
        let rate = |bytes: u64| {
            let bits = bytes as f64 * 8.0 / span.as_secs_f64();
            Bitrate::bps(bits.min(f64::from(u32::MAX)) as u32)
        };
        let packets = stats.sent_packets - before.sent_packets;
        let lost = stats.lost_packets.saturating_sub(before.lost_packets);
        self.rates = Rates {
            sent: rate(stats.sent_bytes.saturating_sub(before.sent_bytes)),
            received: rate(stats.received_bytes.saturating_sub(before.received_bytes)),
            loss: lost as f64 / packets.max(1) as f64,
        };
        self.before = Some((now, *stats));
    }

    pub(super) const fn rates(&self) -> Rates {
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(packets: u64, lost: u64) -> PathStats {
        PathStats {
            sent_packets: packets,
            lost_packets: lost,
            sent_bytes: packets * 1000,
            received_bytes: packets * 250,
            ..PathStats::default()
        }
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let now = Instant::now();
        let second = |n| now + Duration::from_secs(n);
        let mut meter = Meter::default();
        meter.take(&counted(1000, 0), now);
        assert_eq!(meter.rates(), Rates::default());
        meter.take(&counted(1100, 5), second(1));
        assert_eq!(meter.rates(), Rates::default());
        meter.take(&counted(1200, 10), second(2));
        let rates = Rates {
            sent: Bitrate::kbps(800),
            received: Bitrate::kbps(200),
            loss: 0.05,
        };
        assert_eq!(meter.rates(), rates);
        // A new connection.
        meter.take(&counted(10, 0), second(4));
        assert_eq!(meter.rates(), rates);
        meter.take(&counted(10, 0), second(6));
        assert_eq!(meter.rates(), Rates::default());
    }
}
