use std::time::Instant;

use bytes::Bytes;

use super::{
    Direct, Note, SendScheduler,
    datagrams::Waiting,
    out_stream::{Chunk, End, Gate, Owner},
};
use crate::{DropReason, StreamId, Transmit};

/// What to do when the transport takes no more.
impl SendScheduler {
    /// A write came back, in part or whole.
    pub(crate) fn blocked(&mut self, id: StreamId, unsent: Bytes, now: Instant) {
        let spilled = self.spill(now);
        self.spill_urgent(id, now);
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.doomed.is_some() {
            return;
        }
        let at = stream.handed_over.take().unwrap_or(now);
        self.put_back(id, unsent, at);
        self.make_unready(id);
        if let Some(stream) = self.streams.get_mut(&id)
            && stream.gate == Gate::Open
        {
            stream.gate = Gate::Blocked;
            self.blocked.push(id);
        }
        if spilled {
            self.enforce_all_budgets(now);
        } else if let Some(key) = self.flow_of(id) {
            self.enforce_budgets(key, now);
        }
    }

    /// A blocked stream takes bytes again. What is more urgent is tried again too: a transport
    /// that ran out of room for the whole connection may wake the least urgent stream first.
    pub(crate) fn writable(&mut self, id: StreamId) {
        let Some(order) = self.streams.get(&id).map(|stream| stream.order) else {
            return;
        };
        let mut blocked = std::mem::take(&mut self.blocked);
        blocked.retain(|&other| {
            let Some(stream) = self.streams.get_mut(&other) else {
                return false;
            };
            let stays = stream.order > order;
            if !stays {
                stream.gate = Gate::Open;
                self.make_ready(other);
            }
            stays
        });
        self.blocked = blocked;
    }

    /// A datagram came back.
    pub(crate) fn datagram_blocked(&mut self, unsent: Bytes, now: Instant) {
        self.spill(now);
        self.datagrams.blocked = true;
        let Some(mut datagram) = self.last_datagram.take() else {
            return;
        };
        datagram.data = unsent;
        self.put_back_datagram(datagram);
        self.trim_datagrams();
    }

    /// A datagram will never be taken.
    pub(crate) fn datagram_too_large(&mut self) {
        if let Some(datagram) = self.last_datagram.take() {
            let dropped = datagram.dropped(DropReason::DatagramTooLarge);
            self.notes.push_back(Note::Dropped(dropped));
        }
    }

    fn put_back_datagram(&mut self, datagram: Waiting) {
        if let Some(flow) = self.flows.get_mut(&datagram.key) {
            flow.unfinished += 1;
            self.datagrams.push_front(datagram);
        } else {
            self.notes.push_back(Note::Dropped(
                datagram.dropped(DropReason::SubscriptionEnded),
            ));
        }
    }

    pub(crate) const fn datagram_writable(&mut self) {
        self.datagrams.blocked = false;
    }

    /// Moves data that passed the queues by into them, where the order of priorities rules;
    /// returns whether there was any.
    fn spill(&mut self, now: Instant) -> bool {
        let any = !self.direct.is_empty();
        self.direct_bytes = 0;
        while let Some(direct) = self.direct.pop_back() {
            match direct {
                Direct::Write { id, data } => {
                    self.put_back(id, data, now);
                    self.make_ready(id);
                }
                Direct::Finish { id } => {
                    let Some(stream) = self.streams.get_mut(&id) else {
                        continue;
                    };
                    stream.end = End::Queued;
                    if let Owner::Flow(key) = stream.owner
                        && let Some(flow) = self.flows.get_mut(&key)
                    {
                        flow.unfinished += 1;
                    }
                    self.make_ready(id);
                }
                Direct::Datagram(datagram) => self.put_back_datagram(datagram),
            }
        }
        any
    }

    /// Moves what is urgent on a stream that blocked into its queue.
    fn spill_urgent(&mut self, id: StreamId, now: Instant) {
        let of_stream = |transmit: &Transmit| match transmit {
            Transmit::Write { id: other, .. } | Transmit::Finish { id: other } => *other == id,
            _ => false,
        };
        while let Some(at) = self.urgent.iter().rposition(of_stream) {
            match self.urgent.remove(at) {
                Some(Transmit::Write { data, .. }) => self.put_back(id, data, now),
                _ => {
                    if let Some(stream) = self.streams.get_mut(&id) {
                        stream.end = End::Queued;
                    }
                }
            }
        }
    }

    fn put_back(&mut self, id: StreamId, data: Bytes, at: Instant) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let len = data.len();
        stream.queued += len;
        stream.sent = stream.sent.saturating_sub(len as u64);
        let importance = stream.order.importance();
        stream.queue.push_front(Chunk { data, at });
        if let Owner::Flow(key) = stream.owner {
            self.queued += len;
            self.shedding.spend(importance, -(len as f64));
            if let Some(flow) = self.flows.get_mut(&key) {
                flow.queued += len;
            }
            self.retime(id);
        }
    }
}
