use std::time::Instant;

use super::{
    Direct, Note, SendOrder, SendScheduler,
    out_stream::{End, Owner},
};
use crate::{RequestKey, StreamId, Transmit};

/// Handing over to the driver.
impl SendScheduler {
    /// The next thing for the driver.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(urgent) = self.urgent.pop_front() {
            if matches!(urgent, Transmit::Datagram(_)) {
                // A repair, which nobody puts back.
                self.last_datagram = None;
            }
            return Some(urgent);
        }
        if let Some(direct) = self.direct.pop_front() {
            return Some(match direct {
                Direct::Write { id, data } => {
                    self.direct_bytes -= data.len();
                    Transmit::Write { id, data }
                }
                Direct::Finish { id } => Transmit::Finish { id },
                Direct::Datagram(datagram) => {
                    let data = datagram.data.clone();
                    self.last_datagram = Some(datagram);
                    Transmit::Datagram(data)
                }
            });
        }
        if self.ready.is_empty() && self.datagrams.first().is_none() {
            return None;
        }
        self.expire(now);
        // What comes first is the most important: if it has to wait, everything has.
        let mut admits = |order: &SendOrder| self.shedding.admits(order.importance(), now);
        let stream = self.ready.first().copied();
        let stream = stream.filter(|(order, ..)| admits(order));
        let datagram = self.datagrams.first().filter(|order| admits(order));
        match (datagram, stream) {
            (Some(datagram), Some((order, ..))) if datagram <= order => self.hand_over_datagram(),
            (Some(_), None) => self.hand_over_datagram(),
            (_, Some((_, _, id))) => self.hand_over(id),
            (None, None) => self.urgent.pop_front(),
        }
    }

    fn hand_over_datagram(&mut self) -> Option<Transmit> {
        let datagram = self.datagrams.pop()?;
        self.settle(datagram.key);
        let (importance, len) = (datagram.order.importance(), datagram.data.len());
        self.shedding.count(importance, len as u64);
        self.shedding.spend(importance, len as f64);
        let data = datagram.data.clone();
        self.last_datagram = Some(datagram);
        Some(Transmit::Datagram(data))
    }

    fn hand_over(&mut self, id: StreamId) -> Option<Transmit> {
        self.make_unready(id);
        let stream = self.streams.get_mut(&id)?;
        let Some(chunk) = stream.queue.pop_front() else {
            stream.end = End::HandedOver;
            if let Owner::Flow(key) = stream.owner {
                if let Some(flow) = self.flows.get_mut(&key) {
                    // A whole subgroup has made it.
                    flow.streak = None;
                }
                self.settle(key);
            }
            return Some(Transmit::Finish { id });
        };
        let len = chunk.data.len();
        stream.queued -= len;
        stream.handed_over = Some(chunk.at);
        let (owner, order) = (stream.owner, stream.order);
        if let Owner::Flow(key) = owner {
            stream.sent += len as u64;
            self.shedding.spend(order.importance(), len as f64);
            self.queued -= len;
            self.hand_over_of_flow(key, len);
            self.retime(id);
        }
        self.make_ready(id);
        Some(Transmit::Write {
            id,
            data: chunk.data,
        })
    }

    fn hand_over_of_flow(&mut self, key: RequestKey, len: usize) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        flow.queued -= len;
        if flow.queued == 0 {
            flow.streak = None;
        }
        if flow.queued <= self.limits.subscription_bytes / 2
            && let Some(refused) = flow.refused.take()
        {
            self.notes.push_back(Note::SendReady(refused));
        }
    }

    /// One of a flow's streams or datagrams is handed over.
    pub(super) fn settle(&mut self, key: RequestKey) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        flow.unfinished = flow.unfinished.saturating_sub(1);
        if flow.unfinished == 0 && flow.closing {
            self.notes.push_back(Note::Drained(key));
        }
    }
}
