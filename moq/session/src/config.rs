use std::time::Duration;

use parvis_wire::{AuthToken, Draft, HopId};

use crate::Role;

/// How a [`Session`](crate::Session) introduces itself and what it lets the peer do.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which side of the connection this is.
    pub role: Role,
    /// The draft that was agreed when the connection was made.
    pub draft: Draft,
    /// The URI path, sent by a client on raw QUIC; on a server over WebTransport, the one that the
    /// client asked for.
    pub path: Option<String>,
    /// The URI authority, like the path.
    pub authority: Option<String>,
    /// Whether WebTransport carries the session: then its request, and not SETUP, says path and
    /// authority.
    pub over_webtransport: bool,
    /// How many bidirectional streams this side has opened for other purposes: the session's are
    /// numbered after them.
    pub reserved_bidi: u64,
    /// How many unidirectional streams this side has opened for other purposes.
    pub reserved_uni: u64,
    /// Name and version, sent to the peer; empty: not sent.
    pub implementation: String,
    /// Tokens for the whole session.
    pub auth_tokens: Vec<AuthToken>,
    /// This side's name among relays, offered to the peer; `None`: it is no relay, or does not
    /// want to be told of other relays' paths.
    pub relay_hops: Option<HopId>,
    /// Bounds of everything a peer can make grow.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Client,
            draft: Draft::D22,
            path: None,
            authority: None,
            over_webtransport: false,
            reserved_bidi: 0,
            reserved_uni: 0,
            implementation: concat!("parvis/", env!("CARGO_PKG_VERSION")).to_owned(),
            auth_tokens: Vec::new(),
            relay_hops: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds of everything that a peer, or a user of the session, can make grow.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests of the peer that may be open; further ones get EXCESSIVE_LOAD.
    pub max_peer_requests: usize,
    /// How often the peer may make or update a request; beyond, it gets EXCESSIVE_LOAD with the
    /// time to wait. `None`: as often as it likes.
    pub request_rate: Option<Rate>,
    /// Own requests that may be open.
    pub max_own_requests: usize,
    /// Updates of one request that may wait for an answer.
    pub max_pending_updates: usize,
    /// Ranges that the peer may filter one request by, told in SETUP; 0: it may not. The user
    /// applies them. Draft 22.
    pub max_filter_ranges: u64,
    /// Bytes of control messages that may wait on one stream, in or out.
    pub control_buffer: usize,
    /// Bytes of requests that have not come whole, or cannot be read before SETUP, on all streams together.
    pub request_buffers: usize,
    /// Namespaces that one SUBSCRIBE_NAMESPACE may have at a time.
    pub max_namespaces: usize,
    /// Bytes of tokens that the peer may register under an alias, counted as the draft does; 0: it
    /// may not.
    pub token_cache: u64,
    /// Bytes of an object's header, properties included.
    pub max_object_header: usize,
    /// Subgroup streams of unknown aliases that are held.
    pub max_held_streams: usize,
    /// Bytes of streams and datagrams of unknown aliases that are held.
    pub max_held_bytes: usize,
    /// How long they are held.
    pub held_for: Duration,
    /// How long after the opening the peer's SETUP may take.
    pub setup_timeout: Duration,
    /// How long a subscription waits for its last streams after PUBLISH_DONE, at least.
    pub linger: Duration,
    /// Bounds of sending.
    pub send: SendLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_peer_requests: 512,
            request_rate: None,
            max_own_requests: 4096,
            max_pending_updates: 16,
            max_filter_ranges: 0,
            control_buffer: 256 * 1024,
            request_buffers: 1024 * 1024,
            max_namespaces: 1024,
            token_cache: 0,
            max_object_header: 64 * 1024,
            max_held_streams: 32,
            max_held_bytes: 256 * 1024,
            held_for: Duration::from_secs(1),
            setup_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(2),
            send: SendLimits::default(),
        }
    }
}

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In the long run; at least 1.
    pub per_second: u32,
    /// At once, after a pause; at least 1.
    pub burst: u32,
}

/// Bounds of what waits to be sent.
#[derive(Debug, Clone)]
pub struct SendLimits {
    /// Bytes that wait for one subscription; beyond, its oldest groups are dropped.
    pub subscription_bytes: usize,
    /// Bytes that wait in all; beyond, the oldest group of the lowest priority is dropped.
    pub session_bytes: usize,
    /// How long bytes of a subscription wait at most.
    pub max_age: Duration,
    /// A subscription that kept dropping for this long ends with TOO_FAR_BEHIND.
    pub behind: Duration,
    /// When the round-trip time has grown by this much, or by half if that is more, the less
    /// important half of what is sent is slowed down: a queue in the network delays all of it.
    pub shed_above: Duration,
    /// Data streams that may be open or wait for stream credit, per session.
    pub max_streams: usize,
    /// Bytes of datagrams that wait.
    pub datagram_bytes: usize,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self {
            subscription_bytes: 1024 * 1024,
            session_bytes: 4 * 1024 * 1024,
            max_age: Duration::from_secs(2),
            behind: Duration::from_secs(5),
            shed_above: Duration::from_millis(80),
            max_streams: 1024,
            datagram_bytes: 64 * 1024,
        }
    }
}
