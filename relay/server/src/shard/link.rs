use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parvis_forwarding::{Input, PeerId, RequestRef, SubgroupEnd, UpstreamStream};
use parvis_quic::{ConnectionKey, udp::Received};
use rtrb::{Consumer, Producer, RingBuffer};
use rustc_hash::FxHashSet;

use super::waker::Waker;

/// What one shard has for another after a turn.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) inputs: Vec<Input>,
    pub(super) packets: Vec<Received>,
    /// Sessions that are too many of their participants.
    pub(super) surplus: Vec<ConnectionKey>,
    bytes: usize,
}

impl Batch {
    const fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.packets.is_empty() && self.surplus.is_empty()
    }
}

/// Batches on their way from one shard to another.
const BATCHES: usize = 64;
/// Bytes of objects and packets on their way; beyond, streams are cut off until it is less.
const BYTES: usize = 16 << 20;
/// What an input counts beside its payload.
const OVERHEAD: usize = 128;

/// The way to another shard: bounded, and one message a turn.
#[derive(Debug)]
pub(super) struct LinkSender {
    ring: Producer<Batch>,
    waker: Waker,
    pending: Batch,
    on_the_way: Arc<AtomicUsize>,
    /// Streams that were dropped for want of room; what follows on them is dropped too.
    cut_off: FxHashSet<UpstreamStream>,
    /// Answers to FETCH that were dropped so.
    cut_answers: FxHashSet<RequestRef>,
    pub(super) dropped: u64,
}

/// The way from another shard.
#[derive(Debug)]
pub(super) struct LinkReceiver {
    ring: Consumer<Batch>,
    on_the_way: Arc<AtomicUsize>,
}

/// waker: of the receiving shard.
pub(super) fn link(waker: Waker) -> (LinkSender, LinkReceiver) {
    let (producer, consumer) = RingBuffer::new(BATCHES);
    let on_the_way = Arc::new(AtomicUsize::new(0));
    let sender = LinkSender {
        ring: producer,
        waker,
        pending: Batch::default(),
        on_the_way: on_the_way.clone(),
        cut_off: FxHashSet::default(),
        cut_answers: FxHashSet::default(),
        dropped: 0,
    };
    let receiver = LinkReceiver {
        ring: consumer,
        on_the_way,
    };
    (sender, receiver)
}

impl LinkSender {
    /// Adds what the other shard's forwarder is to hear. Signals always fit: their number is
    /// bounded by the sessions' limits.
    pub(super) fn input(&mut self, input: Input) {
        let bytes = match &input {
            Input::Subgroup { stream, .. } => {
                // The number may have been another stream's.
                self.cut_off.remove(stream);
                if self.is_full() {
                    self.cut_off.insert(*stream);
                    self.dropped += 1;
                    return;
                }
                0
            }
            Input::Object {
                peer, stream, raw, ..
            } => {
                let (peer, stream, bytes) = (*peer, *stream, raw.len());
                if self.is_cut_off(peer, stream) {
                    return;
                }
                bytes
            }
            Input::Data { peer, stream, data } => {
                let (peer, stream, bytes) = (*peer, *stream, data.len());
                if self.is_cut_off(peer, stream) {
                    return;
                }
                bytes
            }
            Input::SubgroupEnd { stream, .. } if self.cut_off.remove(stream) => return,
            Input::FetchObject {
                peer,
                request,
                payload: data,
                ..
            }
            | Input::FetchData {
                peer,
                request,
                data,
            } => {
                let (peer, request, bytes) = (*peer, *request, data.len());
                if self.is_answer_cut_off(peer, request) {
                    return;
                }
                bytes
            }
            Input::FetchEnd { request, .. } if self.cut_answers.remove(request) => return,
            Input::Datagram { datagram, .. } => {
                if self.is_full() {
                    self.dropped += 1;
                    return;
                }
                datagram.payload.len()
            }
            _ => 0,
        };
        self.pending.bytes += bytes + OVERHEAD;
        self.pending.inputs.push(input);
    }

    /// Adds a packet of a connection that the other shard has.
    pub(super) fn packet(&mut self, packet: Received) {
        if self.is_full() {
            self.dropped += 1;
            return;
        }
        self.pending.bytes += packet.data.len() + OVERHEAD;
        self.pending.packets.push(packet);
    }

    /// Adds a session that the other shard has and that has to go. There are no more of them than
    /// sessions come.
    pub(super) fn surplus(&mut self, session: ConnectionKey) {
        self.pending.surplus.push(session);
    }

    /// Sends what was added. Without room it stays for the next turn.
    pub(super) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        if self.ring.is_abandoned() {
            // The other shard has stopped.
            self.pending = Batch::default();
        } else if !self.ring.is_full() {
            let batch = std::mem::take(&mut self.pending);
            self.on_the_way.fetch_add(batch.bytes, Ordering::Relaxed);
            // There is one producer, so that the room is still there.
            let _ = self.ring.push(batch);
        }
        self.waker.wake();
    }

    /// Whether something waits for room.
    pub(super) fn is_stuck(&self) -> bool {
        !self.pending.is_empty()
    }

    fn is_full(&self) -> bool {
        self.pending.bytes + self.on_the_way.load(Ordering::Relaxed) > BYTES
    }

    /// Whether the stream is given up, which it is from now on if there is no room.
    fn is_cut_off(&mut self, peer: PeerId, stream: UpstreamStream) -> bool {
        if self.cut_off.contains(&stream) {
            return true;
        }
        if !self.is_full() {
            return false;
        }
        self.cut_off.insert(stream);
        self.dropped += 1;
        let end = SubgroupEnd::Reset(parvis_wire::ResetCode::TooFarBehind);
        self.pending
            .inputs
            .push(Input::SubgroupEnd { peer, stream, end });
        true
    }
}

impl LinkSender {
    /// Whether an answer to FETCH is given up, which it is from now on if there is no room.
    fn is_answer_cut_off(&mut self, peer: PeerId, request: RequestRef) -> bool {
        if self.cut_answers.contains(&request) {
            return true;
        }
        if !self.is_full() {
            return false;
        }
        self.cut_answers.insert(request);
        self.dropped += 1;
        let end = SubgroupEnd::Reset(parvis_wire::ResetCode::TooFarBehind);
        self.pending
            .inputs
            .push(Input::FetchEnd { peer, request, end });
        true
    }
}

impl LinkReceiver {
    /// The next batch.
    pub(super) fn receive(&mut self) -> Option<Batch> {
        let batch = self.ring.pop().ok()?;
        self.on_the_way.fetch_sub(batch.bytes, Ordering::Relaxed);
        Some(batch)
    }
}

/// The ways from one shard to all others and back.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// By shard; `None`: this one.
    senders: Vec<Option<LinkSender>>,
    receivers: Vec<LinkReceiver>,
}

impl Links {
    /// Joins shards with each other, each with a waker: the links of each.
    pub(crate) fn mesh(wakers: &[Waker]) -> Vec<Self> {
        let mut all: Vec<Self> = wakers.iter().map(|_| Self::default()).collect();
        for from in 0..wakers.len() {
            for (to, waker) in wakers.iter().enumerate() {
                if from == to {
                    all[from].senders.push(None);
                } else {
                    let (sender, receiver) = link(waker.clone());
                    all[from].senders.push(Some(sender));
                    all[to].receivers.push(receiver);
                }
            }
        }
        all
    }

    /// How many shards there are, this one included.
    pub(super) const fn count(&self) -> usize {
        self.senders.len()
    }

    /// The numbers of the other shards.
    pub(super) fn others(&self) -> Vec<usize> {
        let numbered = self.senders.iter().enumerate();
        numbered
            .filter(|(_, sender)| sender.is_some())
            .map(|(number, _)| number)
            .collect()
    }

    /// The way to a shard; `None`: there is no such one, or it is this one.
    pub(super) fn to(&mut self, shard: usize) -> Option<&mut LinkSender> {
        self.senders.get_mut(shard)?.as_mut()
    }

    /// Every batch that has come. Those that come meanwhile bring a wake-up of their own.
    pub(super) fn receive(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        for receiver in &mut self.receivers {
            for _ in 0..receiver.ring.slots() {
                batches.extend(receiver.receive());
            }
        }
        batches
    }

    /// Sends what was added to each link.
    pub(super) fn flush(&mut self) {
        self.senders
            .iter_mut()
            .flatten()
            .for_each(LinkSender::flush);
    }

    /// Whether a link is out of room.
    pub(super) fn is_stuck(&self) -> bool {
        self.senders.iter().flatten().any(LinkSender::is_stuck)
    }

    /// What was dropped for want of room.
    pub(super) fn dropped(&self) -> u64 {
        self.senders.iter().flatten().map(|link| link.dropped).sum()
    }
}
