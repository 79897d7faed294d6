use std::time::{Duration, Instant};

use parvis_wire::{GroupOrder, Priority};

use crate::StreamId;

/// What a subscription or fetch wants of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FlowOptions {
    pub(crate) subscriber_priority: Priority,
    /// The track's default; a stream may have its own.
    pub(crate) publisher_priority: Priority,
    pub(crate) group_order: GroupOrder,
    pub(crate) object_timeout: Option<Duration>,
    pub(crate) subgroup_timeout: Option<Duration>,
    /// What of the two timeouts the subscriber wants.
    pub(crate) wanted_object_timeout: Option<Duration>,
    pub(crate) wanted_subgroup_timeout: Option<Duration>,
    pub(crate) kind: FlowKind,
}

/// Timeouts that the publisher has for one subgroup instead of those of its track, milliseconds;
/// 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubgroupTimeouts {
    /// How old an object may become before it is sent.
    pub object: Option<u64>,
    /// How long the subgroup may take once it is whole.
    pub subgroup: Option<u64>,
}

impl FlowOptions {
    pub(super) fn object_timeout_of(&self, stream: &SubgroupTimeouts) -> Option<Duration> {
        let own = stream
            .object
            .map(|own| shorter(own, self.wanted_object_timeout));
        own.unwrap_or(self.object_timeout)
    }

    pub(super) fn subgroup_timeout_of(&self, stream: &SubgroupTimeouts) -> Option<Duration> {
        let own = stream
            .subgroup
            .map(|own| shorter(own, self.wanted_subgroup_timeout));
        own.unwrap_or(self.subgroup_timeout)
    }
}

/// The shorter of two timeouts, of which 0 milliseconds is none.
fn shorter(millis: u64, other: Option<Duration>) -> Option<Duration> {
    // An hour is as good as none and keeps arithmetic on instants in range.
    let own = (millis > 0).then(|| Duration::from_millis(millis.min(3_600_000)));
    own.into_iter().chain(other).min()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FlowKind {
    /// Live: what is late is dropped.
    #[default]
    Subscription,
    /// Of the past: nothing is dropped, the writer waits.
    Fetch,
}

/// The streams of one subscription or fetch that this side publishes.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) options: FlowOptions,
    /// Streams that are open, be it until their end is acknowledged.
    pub(super) streams: Vec<StreamId>,
    /// The most urgent group of those streams, or an earlier one.
    pub(super) base: u64,
    /// Streams whose end was not handed over, and datagrams that wait.
    pub(super) unfinished: usize,
    /// Bytes that wait.
    pub(super) queued: usize,
    /// Whether to tell when `unfinished` reaches 0.
    pub(super) closing: bool,
    /// A fetch whose writer was refused for a full queue.
    pub(super) refused: Option<StreamId>,
    pub(super) streak: Option<Streak>,
}

/// Drops for lack of room that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streak {
    pub(super) since: Instant,
    pub(super) last: Instant,
}

impl Flow {
    pub(super) const fn new(options: FlowOptions) -> Self {
        Self {
            options,
            streams: Vec::new(),
            base: 0,
            unfinished: 0,
            queued: 0,
            closing: false,
            refused: None,
            streak: None,
        }
    }

    pub(super) fn distance(&self, group: u64) -> u64 {
        match self.options.group_order {
            GroupOrder::Ascending => group.saturating_sub(self.base),
            GroupOrder::Descending => self.base.saturating_sub(group),
        }
    }

    /// Whether `group` goes before the base.
    pub(super) fn precedes_base(&self, group: u64) -> bool {
        match self.options.group_order {
            GroupOrder::Ascending => group < self.base,
            GroupOrder::Descending => group > self.base,
        }
    }

    /// Notes a drop for lack of room; returns for how long such drops have been following each
    /// other with pauses of at most `pause`.
    pub(super) fn fell_behind(&mut self, now: Instant, pause: Duration) -> Duration {
        let since = match self.streak {
            Some(streak) if now.saturating_duration_since(streak.last) <= pause => streak.since,
            _ => now,
        };
        self.streak = Some(Streak { since, last: now });
        now.saturating_duration_since(since)
    }
}
