//! What is sent when, or dropped.

mod blocking;
mod budget;
mod credit;
mod datagrams;
mod deadlines;
mod flow;
mod flows;
mod handover;
mod order;
mod out_stream;
mod repairs;
mod shedding;
mod streams;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use rustc_hash::FxHashMap;

pub use self::flow::SubgroupTimeouts;
use self::{
    credit::Credit,
    datagrams::{Datagrams, Waiting},
    flow::Flow,
    out_stream::{OutStream, Owner},
    repairs::Repairs,
    shedding::Shedding,
};
pub(crate) use self::{
    flow::{FlowKind, FlowOptions},
    order::SendOrder,
    out_stream::Encoder,
};
use crate::{Dropped, PathState, RequestKey, Role, SendLimits, StreamId, Transmit};

/// Orders what a session sends, bounds what waits, and drops what is late.
///
/// Nothing that is blocked: bytes go straight to the driver. Otherwise they wait by stream, and
/// the driver gets them in [`SendOrder`].
#[derive(Debug)]
pub(crate) struct SendScheduler {
    limits: SendLimits,
    /// Bytes of control messages that may wait on one stream.
    control_buffer: usize,
    streams: FxHashMap<StreamId, OutStream>,
    flows: FxHashMap<RequestKey, Flow>,
    bidi: Credit,
    uni: Credit,
    /// What goes before any data: openings, resets, control messages.
    urgent: VecDeque<Transmit>,
    /// Data that passes the queues by.
    direct: VecDeque<Direct>,
    direct_bytes: usize,
    ready: BTreeSet<(SendOrder, u64, StreamId)>,
    next_turn: u64,
    blocked: Vec<StreamId>,
    deadlines: BTreeSet<(Instant, StreamId)>,
    datagrams: Datagrams,
    shedding: Shedding,
    repairs: Repairs,
    /// The datagram that was handed over last, should it come back.
    last_datagram: Option<Waiting>,
    /// Bytes of data that wait, datagrams apart.
    queued: usize,
    data_streams: usize,
    notes: VecDeque<Note>,
}

/// Data on its way to the driver.
#[derive(Debug)]
enum Direct {
    Write { id: StreamId, data: Bytes },
    Finish { id: StreamId },
    Datagram(Waiting),
}

/// What the session must know of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    Dropped(Dropped),
    /// Every stream of a closing flow is handed over.
    Drained(RequestKey),
    /// A flow kept dropping for too long.
    TooFarBehind(RequestKey),
    /// A fetch stream takes data again.
    SendReady(StreamId),
    /// The peer does not read a control or request stream.
    Overflow(StreamId),
}

/// Bytes that pass the queues by before the order of priorities rules.
const DIRECT_BYTES: usize = 64 * 1024;
/// Up to this length copying is cheaper than handing over twice.
const SMALL: usize = 512;

impl SendScheduler {
    /// Leaves the first streams of each direction to others; only before the first is opened.
    pub(crate) const fn reserve(&mut self, bidi: u64, uni: u64) {
        self.bidi.reserve(bidi);
        self.uni.reserve(uni);
    }

    pub(crate) fn new(role: Role, limits: SendLimits, control_buffer: usize) -> Self {
        let shedding = Shedding::new(limits.shed_above);
        Self {
            limits,
            control_buffer,
            streams: FxHashMap::default(),
            flows: FxHashMap::default(),
            bidi: Credit::new(role, false),
            uni: Credit::new(role, true),
            urgent: VecDeque::new(),
            direct: VecDeque::new(),
            direct_bytes: 0,
            ready: BTreeSet::new(),
            next_turn: 0,
            blocked: Vec::new(),
            deadlines: BTreeSet::new(),
            datagrams: Datagrams::default(),
            shedding,
            repairs: Repairs::default(),
            last_datagram: None,
            queued: 0,
            data_streams: 0,
            notes: VecDeque::new(),
        }
    }

    /// The next note for the session.
    pub(crate) fn poll_note(&mut self) -> Option<Note> {
        self.notes.pop_front()
    }

    pub(crate) fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// Bytes of data that wait, of all flows.
    pub(crate) const fn queued(&self) -> usize {
        self.queued + self.datagrams.bytes
    }

    /// Bytes of a flow's streams that wait.
    pub(crate) fn flow_queued(&self, key: RequestKey) -> usize {
        self.flows.get(&key).map_or(0, |flow| flow.queued)
    }

    /// When the oldest bytes of data that wait on a stream were queued. Looks at every stream.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let waiting = self.streams.values().filter_map(|stream| {
            let data = matches!(stream.owner, Owner::Flow(_));
            stream.queue.front().filter(|_| data).map(|chunk| chunk.at)
        });
        waiting.min()
    }

    /// Takes what the transport measures of the path.
    pub(crate) fn measure(&mut self, path: PathState, now: Instant) {
        if self.shedding.is_count_due(path.rtt, now) {
            for stream in self.streams.values_mut() {
                if matches!(stream.owner, Owner::Flow(_)) {
                    let sent = std::mem::take(&mut stream.sent);
                    self.shedding.count(stream.order.importance(), sent);
                }
            }
            self.shedding.counted(now);
        }
        self.shedding.measure(path.rtt, now);
        self.repairs.measure(path, now);
    }

    /// The peer takes repairs.
    pub(crate) const fn repair(&mut self) {
        self.repairs.offer();
    }

    /// Queues a demand on the transport that concerns no stream of this scheduler.
    pub(crate) fn demand(&mut self, transmit: Transmit) {
        self.urgent.push_back(transmit);
    }

    /// Forgets everything that waits; only `last` is still handed over.
    pub(crate) fn shut(&mut self, last: Transmit) {
        self.urgent.clear();
        self.urgent.push_back(last);
        self.direct.clear();
        self.direct_bytes = 0;
        self.streams.clear();
        self.flows.clear();
        self.ready.clear();
        self.blocked.clear();
        self.deadlines.clear();
        self.datagrams = Datagrams::default();
        self.repairs = Repairs::default();
        self.last_datagram = None;
        self.queued = 0;
        self.data_streams = 0;
        self.notes.clear();
    }
}
