//! One thread of the relay: its sessions and its forwarder, and its turn with its socket.

mod answers;
mod busy;
mod control;
mod drain;
mod fetches;
mod guard;
mod identity;
mod inbound;
mod link;
mod outbound;
mod pace;
mod peer;
mod permits;
mod report;
mod sessions;
mod shared;
mod signals;
mod simulated;
mod strangers;
mod subjects;
mod turn;
mod upstream;
mod waker;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, VecDeque},
    os::fd::AsFd,
    sync::{Arc, atomic::AtomicUsize, mpsc},
    time::{Duration, Instant},
};

use parvis_forwarding::{Forwarder, Input, PeerId, PeerKind, Quota};
use parvis_quic::{ConnectionKey, Endpoint, EndpointConfig, udp::BatchSocket};

pub use self::simulated::SimulatedRelay;
use self::{
    busy::Busy,
    drain::Phase,
    pace::Pace,
    peer::{Peers, Streams},
};
pub(crate) use self::{
    control::{Ask, SessionInfo},
    drain::{Command, Leaving},
    link::Links,
    report::Report,
    shared::Shared,
    strangers::Strangers,
    subjects::{SubjectLimits, Subjects},
    upstream::{Relations, Upstream, UpstreamTarget, random_hop},
    waker::{Waker, Wakeups, waker},
};
use crate::{
    RelayError, Stats,
    access::{Denials, Gate},
    placement::Placement,
};

/// How long a link that is full is left alone.
const STUCK: Duration = Duration::from_millis(1);

/// What a shard is made of.
pub(crate) struct Parts {
    pub(crate) index: u8,
    pub(crate) endpoint: EndpointConfig,
    pub(crate) forwarder: parvis_forwarding::Config,
    pub(crate) links: Links,
    pub(crate) wakeups: Wakeups,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) shared: Arc<Shared>,
    /// Sessions of the whole relay.
    pub(crate) sessions: Arc<AtomicUsize>,
    pub(crate) coalesce: Duration,
    /// `None`: the kernel chooses a thread for each client.
    pub(crate) placement: Option<Arc<Placement>>,
    pub(crate) leaving: Leaving,
    pub(crate) gate: Gate,
    /// How long a session may be without a token, where tokens are asked for.
    pub(crate) token_deadline: Duration,
    /// Bytes of answers to FETCH that wait in front of a session.
    pub(crate) fetch_queue: usize,
    /// Bytes in flight or unread of a session that has shown a token.
    pub(crate) receive_window: u32,
    /// Sessions that are without a token, on all threads.
    pub(crate) strangers: Strangers,
    /// The sessions of each participant on all threads.
    pub(crate) subjects: Arc<Subjects>,
    pub(crate) relations: Relations,
}

/// One thread's part of the relay. Only this thread touches it.
pub(crate) struct Shard {
    index: u8,
    now: Instant,
    endpoint: Endpoint,
    forwarder: Forwarder,
    peers: Peers,
    streams: Streams,
    links: Links,
    /// What the forwarder is still to hear.
    inputs: VecDeque<Input>,
    wakeups: Wakeups,
    commands: mpsc::Receiver<Command>,
    phase: Phase,
    leaving: Leaving,
    relations: Relations,
    stats: Stats,
    shared: Arc<Shared>,
    sessions: Arc<AtomicUsize>,
    pace: Pace,
    placement: Option<Arc<Placement>>,
    busy: Busy,
    report: Report,
    gate: Gate,
    token_deadline: Duration,
    /// Bytes of answers to FETCH that wait in front of a session.
    fetch_queue: usize,
    /// Sessions that have shown no token, those there for longest first, and some that have meanwhile.
    newcomers: VecDeque<ConnectionKey>,
    receive_window: u32,
    strangers: Strangers,
    subjects: Arc<Subjects>,
    /// Requests beyond what a participant may have in all its sessions, by the numbers of the quotas.
    subject_refusals: [u64; Quota::ALL.len()],
    denials: Denials,
    /// When the first token of a connection expires, one entry each.
    expiries: BTreeSet<(Instant, u64)>,
}

/// The peer that stands for a shard. Those of sessions are larger.
const fn shard_peer(index: usize) -> PeerId {
    PeerId(index as u64)
}

/// The shard that a peer stands for.
fn shard_of(peer: PeerId) -> Option<usize> {
    u8::try_from(peer.0).ok().map(usize::from)
}

impl Shard {
    pub(crate) fn new(parts: Parts, now: Instant) -> Self {
        let mut shard = Self {
            index: parts.index,
            now,
            endpoint: Endpoint::new(parts.endpoint),
            forwarder: Forwarder::new(parts.forwarder),
            peers: Peers::default(),
            streams: Streams::default(),
            links: parts.links,
            inputs: VecDeque::new(),
            wakeups: parts.wakeups,
            commands: parts.commands,
            phase: Phase::Running,
            leaving: parts.leaving,
            relations: parts.relations,
            stats: Stats::default(),
            shared: parts.shared,
            sessions: parts.sessions,
            pace: Pace::new(parts.coalesce),
            placement: parts.placement,
            busy: Busy::new(now),
            report: Report::default(),
            gate: parts.gate,
            token_deadline: parts.token_deadline,
            fetch_queue: parts.fetch_queue,
            newcomers: VecDeque::new(),
            receive_window: parts.receive_window,
            strangers: parts.strangers,
            subjects: parts.subjects,
            subject_refusals: [0; Quota::ALL.len()],
            denials: Denials::default(),
            expiries: BTreeSet::new(),
        };
        for other in shard.links.others() {
            shard.feed(Input::PeerConnected {
                peer: shard_peer(other),
                kind: PeerKind::Shard,
            });
        }
        shard
    }

    /// Runs until the relay is stopped.
    pub(crate) fn run(mut self, mut socket: BatchSocket) -> Result<(), RelayError> {
        loop {
            let wait = self
                .poll_timeout()
                .map(|at| at.saturating_duration_since(Instant::now()));
            let woken = socket
                .wait(wait, Some(self.wakeups.as_fd()))
                .map_err(RelayError::Socket)?;
            self.now = Instant::now();
            if woken {
                self.wakeups.clear();
                self.take_commands(&mut socket);
            }
            self.turn(&mut socket).map_err(RelayError::Socket)?;
            if self.is_over() {
                return Ok(());
            }
            self.account(&socket, self.now.elapsed());
            self.pace.rest(self.now);
        }
    }

    /// When the next turn is due, if nothing happens before.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let stuck = self.links.is_stuck().then(|| self.now + STUCK);
        [
            self.endpoint.poll_timeout(),
            self.forwarder.poll_timeout(),
            self.deadline(),
            self.next_expiry(),
            self.upstream_timeout(),
            stuck,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
