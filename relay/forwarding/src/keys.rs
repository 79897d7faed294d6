//! Indices into the forwarder's slabs.

/// A track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TrackKey(pub(crate) usize);

/// A subscription of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubscriptionKey(pub(crate) usize);

/// A subgroup that streams in, or is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubgroupKey(pub(crate) usize);

/// A FETCH of a peer that is not answered to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FetchKey(pub(crate) usize);

/// A FETCH of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AskKey(pub(crate) usize);

/// A TRACK_STATUS that was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StatusKey(pub(crate) usize);

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A track lingers or drains.
    Track(TrackKey),
    /// A subscription waits for its track, or for the last streams of its range.
    Subscription(SubscriptionKey),
    /// An answer waits for a publisher.
    Fetch(FetchKey),
    /// Cached groups are due for a look at their age.
    Cache,
}
