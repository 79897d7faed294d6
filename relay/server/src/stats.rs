use std::iter::Sum;

use parvis_forwarding::DropReason as ForwardingDrop;
use parvis_session::DropReason as SessionDrop;

/// Counters and gauges of a relay, all its threads together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Sessions there are.
    pub sessions: usize,
    /// Sessions there have been, those of now among them.
    pub sessions_opened: u64,
    /// Handshakes under way.
    pub half_open: usize,
    /// Namespaces that sessions publish.
    pub namespaces: usize,
    /// Tracks that sessions publish.
    pub tracks: usize,
    /// Subscriptions, those of threads to each other among them.
    pub subscriptions: usize,
    /// Open streams to subscribers, those of threads to each other among them.
    pub streams: usize,
    /// Bytes of cached objects.
    pub cache_bytes: usize,
    /// Objects that publishers sent.
    pub objects_in: u64,
    /// Objects that went to subscribers.
    pub objects_out: u64,
    /// Bytes of objects that publishers sent, headers included.
    pub bytes_in: u64,
    /// Bytes of objects that went to subscribers, headers included.
    pub bytes_out: u64,
    /// UDP datagrams that came.
    pub datagrams_in: u64,
    /// UDP datagrams that came to another thread than the one that has their connection.
    pub datagrams_moved: u64,
    /// How often a thread woke up.
    pub turns: u64,
    /// What was dropped.
    pub drops: Drops,
}

/// How often something was dropped, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    pub(crate) session: [u64; SessionDrop::ALL.len()],
    pub(crate) forwarding: [u64; ForwardingDrop::ALL.len()],
    pub(crate) link: u64,
}

impl Drops {
    /// Drops by sessions: too late, too much.
    pub const fn by_session(&self, reason: SessionDrop) -> u64 {
        self.session[reason as usize]
    }

    /// Drops by forwarding: limits, cache.
    pub const fn by_forwarding(&self, reason: ForwardingDrop) -> u64 {
        self.forwarding[reason as usize]
    }

    /// Streams, datagrams and packets dropped because a thread did not keep up with another.
    pub const fn between_threads(&self) -> u64 {
        self.link
    }

    /// Every reason there was, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (String, u64)> {
        let sessions =
            SessionDrop::ALL.map(|reason| (format!("{reason:?}"), self.by_session(reason)));
        let forwarding =
            ForwardingDrop::ALL.map(|reason| (format!("{reason:?}"), self.by_forwarding(reason)));
        sessions
            .into_iter()
            .chain(forwarding)
            .chain([("ThreadBehind".to_owned(), self.link)])
            .filter(|(_, count)| *count > 0)
    }
}

impl Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(threads: I) -> Self {
        threads.fold(Self::default(), |mut sum, thread| {
            sum.sessions += thread.sessions;
            sum.sessions_opened += thread.sessions_opened;
            sum.half_open += thread.half_open;
            // Each thread knows what the sessions of the others publish.
            sum.namespaces = sum.namespaces.max(thread.namespaces);
            sum.tracks = sum.tracks.max(thread.tracks);
            sum.subscriptions += thread.subscriptions;
            sum.streams += thread.streams;
            sum.cache_bytes += thread.cache_bytes;
            sum.objects_in += thread.objects_in;
            sum.objects_out += thread.objects_out;
            sum.bytes_in += thread.bytes_in;
            sum.bytes_out += thread.bytes_out;
            sum.datagrams_in += thread.datagrams_in;
            sum.datagrams_moved += thread.datagrams_moved;
            sum.turns += thread.turns;
            for (total, count) in sum.drops.session.iter_mut().zip(thread.drops.session) {
                *total += count;
            }
            for (total, count) in sum.drops.forwarding.iter_mut().zip(thread.drops.forwarding) {
                *total += count;
            }
            sum.drops.link += thread.drops.link;
            sum
        })
    }
}
