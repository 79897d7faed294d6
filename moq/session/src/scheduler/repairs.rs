use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use rustc_hash::FxHashMap;

use crate::{PathState, StreamId, repair};

/// Has small streams sent again, each in one datagram, while the path loses packets and they are
/// not acknowledged: QUIC's own retransmission takes more than a round trip, and sound cannot wait
/// for two of them.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Whether the peer takes them.
    offered: bool,
    /// The path lost packets; it counts as bad until then.
    until: Option<Instant>,
    /// When packets were last counted, how many had been sent and lost.
    counted: Option<(Instant, u64, u64)>,
    /// Streams that are not acknowledged.
    copies: FxHashMap<StreamId, BytesMut>,
    bytes: usize,
    /// Whole ones, by the time of each repair.
    due: [VecDeque<(Instant, StreamId)>; DELAYS.len()],
}

/// How long after its end a stream is repaired. The second time is past most bursts of loss that
/// took the stream and its first repair.
const DELAYS: [Duration; 2] = [Duration::from_millis(40), Duration::from_millis(110)];
/// Longer streams are not repaired.
const MAX_STREAM: usize = 1000;
/// Bytes of all copies; beyond, new streams have none.
const MAX_BYTES: usize = 256 * 1024;
/// One lost packet of so many begins repairs,
const LOSS: u64 = 50;
/// but fewer say nothing.
const MIN_LOST: u64 = 3;
/// Over how long losses are counted.
const WINDOW: Duration = Duration::from_secs(1);
/// How long repairs go on.
const HOLD: Duration = Duration::from_secs(30);

impl Repairs {
    /// The peer takes repairs.
    pub(super) const fn offer(&mut self) {
        self.offered = true;
    }

    pub(super) const fn is_active(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn measure(&mut self, path: PathState, now: Instant) {
        if !self.offered {
            return;
        }
        let (sent, lost) = (path.sent_packets, path.lost_packets);
        let (since, sent_then, lost_then) = *self.counted.get_or_insert((now, sent, lost));
        let new_lost = lost.saturating_sub(lost_then);
        if new_lost >= MIN_LOST && new_lost * LOSS >= sent.saturating_sub(sent_then) {
            self.until = Some(now + HOLD);
        }
        if now >= since + WINDOW {
            self.counted = Some((now, sent, lost));
        }
        if self.until.is_some_and(|until| until <= now) {
            *self = Self {
                offered: true,
                counted: self.counted,
                ..Self::default()
            };
        }
    }

    /// A stream begins.
    pub(super) fn open(&mut self, id: StreamId) {
        if self.bytes < MAX_BYTES
            && let Some(header) = repair::header(id)
        {
            self.bytes += header.len();
            self.copies.insert(id, header[..].into());
        }
    }

    /// More of a stream.
    pub(super) fn write(&mut self, id: StreamId, data: &[u8]) {
        let Some(copy) = self.copies.get_mut(&id) else {
            return;
        };
        if copy.len() + data.len() > MAX_STREAM {
            self.forget(id);
        } else {
            copy.extend_from_slice(data);
            self.bytes += data.len();
        }
    }

    /// The end of a stream.
    pub(super) fn finish(&mut self, id: StreamId, now: Instant) {
        if self.copies.contains_key(&id) {
            for (due, delay) in self.due.iter_mut().zip(DELAYS) {
                due.push_back((now + delay, id));
            }
        }
    }

    /// A stream is acknowledged or given up.
    pub(super) fn forget(&mut self, id: StreamId) {
        if let Some(copy) = self.copies.remove(&id) {
            self.bytes -= copy.len();
        }
    }

    /// The next stream whose time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(StreamId, Bytes)> {
        for due in &mut self.due {
            while let Some(&(at, id)) = due.front()
                && at <= now
            {
                due.pop_front();
                if let Some(copy) = self.copies.get(&id) {
                    return Some((id, Bytes::copy_from_slice(copy)));
                }
            }
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
            .iter()
            .filter_map(|due| due.front())
            .map(|(at, _)| *at)
            .min()
    }
}
