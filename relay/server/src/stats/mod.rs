mod histogram;
mod reasons;

use std::{fmt::Debug, iter::Sum};

use parvis_forwarding::DropReason as ForwardingDrop;
use parvis_quic::Blocked;
use parvis_session::DropReason as SessionDrop;
use parvis_wire::RequestErrorCode;

pub(crate) use self::histogram::Histogram;
pub use self::reasons::{ClosedBy, HandshakeFailure, Limit};

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
    pub(crate) limits: [u64; Limit::ALL.len()],
    pub(crate) handshakes_failed: [u64; HandshakeFailure::ALL.len()],
    pub(crate) closed: [u64; ClosedBy::ALL.len()],
    /// By the place of the code in `RequestErrorCode::ALL`; the last: other codes.
    pub(crate) refused: [u64; RequestErrorCode::ALL.len() + 1],
}

impl Stats {
    /// How often a limit was run into.
    pub const fn limit(&self, limit: Limit) -> u64 {
        self.limits[limit as usize]
    }

    /// Handshakes that failed for this reason.
    pub const fn handshakes_failed(&self, failure: HandshakeFailure) -> u64 {
        self.handshakes_failed[failure as usize]
    }

    /// Sessions that ended so.
    pub const fn closed_by(&self, by: ClosedBy) -> u64 {
        self.closed[by as usize]
    }

    /// Requests, and updates of them, that were refused with this code.
    pub fn refused(&self, code: RequestErrorCode) -> u64 {
        self.refused[place(code)]
    }

    pub(crate) const fn count_limit(&mut self, limit: Limit) {
        self.limits[limit as usize] += 1;
    }

    /// Adds what a peer has said of flow control since `before`.
    pub(crate) const fn count_blocked(&mut self, before: Blocked, now: Blocked) {
        let limits = &mut self.limits;
        limits[Limit::ReceiveWindow as usize] += now.connection.saturating_sub(before.connection);
        limits[Limit::StreamWindow as usize] += now.stream.saturating_sub(before.stream);
        limits[Limit::Streams as usize] += now.streams.saturating_sub(before.streams);
    }

    pub(crate) fn count_refusal(&mut self, code: RequestErrorCode) {
        self.refused[place(code)] += 1;
    }
}

fn place(code: RequestErrorCode) -> usize {
    let mut codes = RequestErrorCode::ALL.iter();
    codes
        .position(|known| *known == code)
        .unwrap_or(RequestErrorCode::ALL.len())
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
            add(&mut sum.drops.session, thread.drops.session);
            add(&mut sum.drops.forwarding, thread.drops.forwarding);
            sum.drops.link += thread.drops.link;
            add(&mut sum.limits, thread.limits);
            add(&mut sum.handshakes_failed, thread.handshakes_failed);
            add(&mut sum.closed, thread.closed);
            add(&mut sum.refused, thread.refused);
            sum
        })
    }
}

/// How metrics and logs name a reason: `ExcessiveLoad` is `excessive_load`.
pub(crate) fn label(value: impl Debug) -> String {
    let mut label = String::new();
    for letter in format!("{value:?}").chars() {
        if letter.is_uppercase() && !label.is_empty() {
            label.push('_');
        }
        label.extend(letter.to_lowercase());
    }
    label
}

fn add<const N: usize>(sum: &mut [u64; N], counts: [u64; N]) {
    for (total, count) in sum.iter_mut().zip(counts) {
        *total += count;
    }
}
