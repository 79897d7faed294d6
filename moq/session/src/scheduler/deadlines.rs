use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_wire::ResetCode;

use super::{
    Note, SendScheduler,
    out_stream::{End, OutStream, Owner},
};
use crate::{DropReason, StreamId, Transmit};

/// What is late.
impl SendScheduler {
    /// When [`SendScheduler::expire`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let stream = self.deadlines.first().map(|(at, _)| *at);
        let timeouts = [
            stream,
            self.datagrams.poll_timeout(),
            self.shedding.poll_timeout(),
            self.repairs.poll_timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// Drops what is late at `now`.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.shedding.expire(now);
        while let Some((id, data)) = self.repairs.pop_due(now) {
            self.repair_stream(id, data);
        }
        while let Some(&(at, id)) = self.deadlines.first()
            && at <= now
        {
            self.expire_stream(id, now);
        }
        while let Some(datagram) = self.datagrams.pop_expired(now) {
            self.notes
                .push_back(Note::Dropped(datagram.dropped(DropReason::ObjectTimeout)));
            self.settle(datagram.key);
        }
    }

    /// Sends a repair, unless what delays the stream is a queue, in the network or here: more would
    /// make it longer.
    fn repair_stream(&mut self, id: StreamId, data: Bytes) {
        let is_sent = |stream: &OutStream| stream.end == End::HandedOver;
        let is_queued = self.shedding.is_active() || self.datagrams.blocked;
        if !is_queued && self.streams.get(&id).is_some_and(is_sent) {
            self.urgent.push_back(Transmit::Datagram(data));
        }
    }

    /// Gives up what became late in a silence of the peer, though it was handed over: the transport
    /// would send it again before anything new.
    ///
    /// rtt: what was sent for so long before the silence was not acknowledged either.
    pub(crate) fn returned(&mut self, silent_since: Instant, rtt: Duration, now: Instant) {
        let is_lost = |last: Instant| last + rtt >= silent_since;
        let mut late = Vec::new();
        for (id, stream) in &self.streams {
            let Owner::Flow(key) = stream.owner else {
                continue;
            };
            let live = self.flows.get(&key).filter(|flow| Self::is_live(flow));
            let timeout = live.and_then(|flow| flow.options.object_timeout_of(&stream.timeouts));
            let is_late = |first: Instant| timeout.is_some_and(|timeout| first + timeout <= now);
            if let Some((first, last)) = stream.written
                && is_late(first)
                && is_lost(last)
            {
                late.push((*id, stream.end));
            }
        }
        late.sort_unstable_by_key(|(id, _)| *id);
        for (id, end) in late {
            let reason = match end {
                End::HandedOver => DropReason::SubgroupTimeout,
                End::Unknown | End::Queued => DropReason::ObjectTimeout,
            };
            self.drop_stream(id, ResetCode::DeliveryTimeout.to_u64(), reason);
        }
    }

    fn expire_stream(&mut self, id: StreamId, now: Instant) {
        let due = self.due(id);
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        let (owner, group) = (stream.owner, stream.group);
        match (due, owner) {
            (Some((due, _)), _) if due > now => self.retime(id),
            (Some((_, DropReason::QueueAge)), Owner::Flow(key)) => {
                self.drop_group(key, group, DropReason::QueueAge, now);
            }
            (Some((_, reason)), _) => {
                self.drop_stream(id, ResetCode::DeliveryTimeout.to_u64(), reason);
            }
            (None, _) => self.retime(id),
        }
    }

    fn due(&self, id: StreamId) -> Option<(Instant, DropReason)> {
        let stream = self.streams.get(&id)?;
        let Owner::Flow(key) = stream.owner else {
            return None;
        };
        // A flow that is forgotten had all of its bytes handed over.
        let flow = self.flows.get(&key).filter(|flow| Self::is_live(flow));
        let object_timeout = flow.and_then(|flow| flow.options.object_timeout_of(&stream.timeouts));
        stream.due(object_timeout, flow.map(|_| self.limits.max_age))
    }

    /// Keeps a stream's deadline true after its queue, end or limits changed.
    pub(super) fn retime(&mut self, id: StreamId) {
        let due = self.due(id).map(|(at, _)| at);
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let before = std::mem::replace(&mut stream.deadline, due);
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove(&(before, id));
        }
        if let Some(due) = due {
            self.deadlines.insert((due, id));
        }
    }
}
