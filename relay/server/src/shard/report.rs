use std::time::Duration;

use parvis_quic::{Blocked, ConnectionKey};

use super::Shard;
use crate::stats::Histogram;

/// How the sessions of a shard are, looked up for whoever asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Report {
    /// Each session's round-trip time, once for each report there was and once at its end.
    pub(crate) rtt: Histogram,
    /// Each session's oldest waiting byte, once for each report there was.
    pub(crate) queue_age: Histogram,
    /// The oldest byte that waits now.
    pub(crate) oldest: Duration,
    /// Bytes that wait now.
    pub(crate) queued_bytes: usize,
}

impl Report {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rtt.add(&other.rtt);
        self.queue_age.add(&other.queue_age);
        self.oldest = self.oldest.max(other.oldest);
        self.queued_bytes += other.queued_bytes;
    }
}

impl Shard {
    pub(super) fn report(&mut self) -> Report {
        self.report.oldest = Duration::ZERO;
        self.report.queued_bytes = 0;
        for key in self.peers.keys() {
            let Some(path) = self.endpoint.stats(key) else {
                continue;
            };
            self.count_blocked(key, path.blocked);
            self.report.rtt.observe(path.rtt);
            let Some(queue) = self.endpoint.queue(key, self.now) else {
                continue;
            };
            self.report.queue_age.observe(queue.age);
            self.report.oldest = self.report.oldest.max(queue.age);
            self.report.queued_bytes += queue.bytes;
        }
        self.publish_stats();
        self.report
    }

    /// Counts what a peer has said of flow control since it was last looked at.
    fn count_blocked(&mut self, key: ConnectionKey, blocked: Blocked) {
        if let Some(peer) = self.peers.get_mut(key) {
            let before = std::mem::replace(&mut peer.blocked, blocked);
            self.stats.count_blocked(before, blocked);
        }
    }
}
