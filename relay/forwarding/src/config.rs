use std::time::Duration;

use parvis_wire::HopId;

/// Limits and times of a [`Forwarder`](crate::Forwarder).
///
/// ```
/// let config = parvis_forwarding::Config { cache_bytes: 64 << 20, ..Default::default() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// This relay's name in the paths that relays tell each other; the same for all its threads.
    /// 0: it has none, and would not notice a loop.
    pub hop: HopId,
    /// The most PUBLISH_NAMESPACE requests of a session at one time.
    pub max_namespaces: usize,
    /// The most tracks that a session may PUBLISH at one time.
    pub max_published_tracks: usize,
    /// The most subscriptions of a session at one time, those it waits for and those it was
    /// offered among them.
    pub max_subscriptions: usize,
    /// The most SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS requests of a session at one time.
    pub max_prefixes: usize,
    /// The most bytes of cached objects in all, metadata included.
    pub cache_bytes: usize,
    /// The most bytes of cached objects of one track, metadata included.
    pub track_cache_bytes: usize,
    /// How long a silent track's objects stay cached. The newest group of a track stays longer
    /// if it is no larger than `small_group_bytes`: a catalog is not evicted for its silence.
    pub cache_age: Duration,
    /// What counts as a small group, bytes.
    pub small_group_bytes: usize,
    /// How long an upstream subscription is kept after its last subscriber left.
    pub linger: Duration,
    /// How long late streams are waited for when a subscription or its range ends.
    pub drain: Duration,
    /// The most ranges in the range filters of one request.
    pub max_filter_ranges: u64,
    /// How long a publisher may be silent while a FETCH waits for it; what it has not said then
    /// counts as timed out.
    pub fill_pause: Duration,
    /// How long subscriptions outlive the relay that their track comes from: it may come back, or
    /// another one have a way to the track.
    pub relay_grace: Duration,
    /// The longest that a SUBSCRIBE may wait for its track to appear.
    pub max_rendezvous: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hop: HopId(0),
            max_namespaces: 20,
            max_published_tracks: 100,
            max_subscriptions: 200,
            max_prefixes: 20,
            cache_bytes: 256 << 20,
            track_cache_bytes: 8 << 20,
            cache_age: Duration::from_secs(30),
            small_group_bytes: 64 << 10,
            linger: Duration::from_secs(2),
            drain: Duration::from_millis(500),
            max_filter_ranges: 64,
            fill_pause: Duration::from_secs(5),
            relay_grace: Duration::from_secs(5),
            max_rendezvous: Duration::from_secs(10),
        }
    }
}
