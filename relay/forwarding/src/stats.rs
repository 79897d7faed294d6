use crate::Quota;

/// Why an object or request was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// An object came on a stream that belongs to no subscription.
    UnknownStream,
    /// An object of a replaced source had come already from the one before.
    Duplicate,
    /// A request exceeded a limit of its peer.
    LimitExceeded,
    /// A subgroup was not cached, or not any longer, for the track's budget.
    TrackCacheFull,
    /// A group was evicted for the budget of all tracks.
    CacheFull,
    /// A group was evicted for its age.
    CacheAge,
}

impl DropReason {
    /// Every reason, in the order of [`Stats::dropped`]'s numbers.
    pub const ALL: [Self; 6] = [
        Self::UnknownStream,
        Self::Duplicate,
        Self::LimitExceeded,
        Self::TrackCacheFull,
        Self::CacheFull,
        Self::CacheAge,
    ];
}

/// Counters and gauges of a [`Forwarder`](crate::Forwarder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Objects that came.
    pub objects_in: u64,
    /// Objects that went out, once for each subscriber.
    pub objects_out: u64,
    /// Bytes of objects that came, headers included.
    pub bytes_in: u64,
    /// Bytes of objects that went out, headers included.
    pub bytes_out: u64,
    /// Peers there are.
    pub peers: usize,
    /// Namespaces that are published here, shards' included.
    pub namespaces: usize,
    /// Tracks that are published here or subscribed to upstream.
    pub tracks: usize,
    /// Subscriptions of peers, those that wait for an answer included.
    pub subscriptions: usize,
    /// SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS requests.
    pub prefixes: usize,
    /// Subgroups in being: streaming or cached.
    pub subgroups: usize,
    /// Open streams to subscribers.
    pub streams: usize,
    /// FETCHes and fills of peers that are not answered to their end.
    pub fetches: usize,
    /// FETCHes and TRACK_STATUSes of ours to publishers.
    pub asks: usize,
    /// Bytes of cached objects, metadata included.
    pub cache_bytes: usize,
    pub(crate) dropped: [u64; DropReason::ALL.len()],
    pub(crate) refused: [u64; Quota::ALL.len()],
}

impl Stats {
    /// How often something was dropped for this reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// How often a request exceeded this quota of its peer.
    pub const fn refused(&self, quota: Quota) -> u64 {
        self.refused[quota as usize]
    }

    pub(crate) const fn count_refusal(&mut self, quota: Quota) {
        self.refused[quota as usize] += 1;
        self.count_drop(DropReason::LimitExceeded);
    }

    pub(crate) const fn count_drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }
}
