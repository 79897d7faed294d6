use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{GroupId, Priority};

use super::{
    DIRECT_BYTES, Direct, FlowKind, Note, SMALL, SendOrder, SendScheduler, SubgroupTimeouts,
    out_stream::{Chunk, Encoder, End, Gate, OutStream, Owner},
};
use crate::{RequestKey, SendRefused, StreamId, Transmit};

/// Opening, writing and ending streams.
impl SendScheduler {
    /// Opens the control stream.
    pub(crate) fn open_control(&mut self) -> StreamId {
        self.open(true, OutStream::new(Owner::Control, SendOrder::CONTROL))
    }

    /// Opens a stream for a request of our own.
    pub(crate) fn open_request(&mut self) -> StreamId {
        self.open(false, OutStream::new(Owner::Request, SendOrder::REQUEST))
    }

    /// Takes the sending half of a request stream that the peer opened.
    pub(crate) fn adopt_request(&mut self, id: StreamId) {
        let mut stream = OutStream::new(Owner::Request, SendOrder::REQUEST);
        stream.gate = Gate::Open;
        let priority = stream.priority;
        self.streams.insert(id, stream);
        self.urgent
            .push_back(Transmit::SetPriority { id, priority });
    }

    /// Opens a data stream of a flow.
    pub(crate) fn open_data(
        &mut self,
        key: RequestKey,
        group: GroupId,
        subgroup: u64,
        publisher_priority: Option<Priority>,
        encoder: Encoder,
    ) -> Result<StreamId, SendRefused> {
        if self.data_streams >= self.limits.max_streams {
            return Err(SendRefused::TooManyStreams(self.data_streams));
        }
        let flow = self
            .flows
            .get_mut(&key)
            .ok_or(SendRefused::NotPublished(key))?;
        if flow.closing {
            return Err(SendRefused::NotPublished(key));
        }
        if flow.streams.is_empty() {
            flow.base = group.0;
        }
        flow.unfinished += 1;
        let order = flow.order(group, subgroup, publisher_priority);
        let is_repaired = self.repairs.is_active() && flow.options.kind != FlowKind::Fetch;
        let mut stream = OutStream::new(Owner::Flow(key), order);
        stream.group = group;
        stream.subgroup = subgroup;
        stream.publisher_priority = publisher_priority;
        stream.encoder = encoder;
        self.data_streams += 1;
        let id = self.open(true, stream);
        if is_repaired {
            self.repairs.open(id);
        }
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.streams.push(id);
        }
        self.rebase(key, group);
        Ok(id)
    }

    /// Gives a stream timeouts of its own.
    pub(crate) fn set_timeouts(&mut self, id: StreamId, timeouts: SubgroupTimeouts) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.timeouts = timeouts;
            self.retime(id);
        }
    }

    fn open(&mut self, unidirectional: bool, mut stream: OutStream) -> StreamId {
        let credit = if unidirectional {
            &mut self.uni
        } else {
            &mut self.bidi
        };
        let (id, at_once) = credit.allocate();
        if at_once {
            stream.gate = Gate::Open;
            self.urgent.push_back(Transmit::Open {
                id,
                priority: stream.priority,
            });
        }
        self.streams.insert(id, stream);
        id
    }

    /// Takes the total numbers of streams that may be opened.
    pub(crate) fn credit(&mut self, bidi: u64, uni: u64) {
        self.bidi.grant(bidi);
        self.uni.grant(uni);
        while let Some(id) = self.bidi.openable().or_else(|| self.uni.openable()) {
            let Some(stream) = self.streams.get_mut(&id) else {
                continue;
            };
            stream.gate = Gate::Open;
            stream.priority = stream.order.transport_priority();
            self.urgent.push_back(Transmit::Open {
                id,
                priority: stream.priority,
            });
            if let Some(code) = stream.doomed {
                if matches!(stream.owner, Owner::Flow(_)) {
                    self.data_streams -= 1;
                }
                self.streams.remove(&id);
                self.urgent.push_back(Transmit::Reset { id, code });
                if !id.is_unidirectional() {
                    self.urgent.push_back(Transmit::StopSending { id, code });
                }
            } else {
                self.make_ready(id);
            }
        }
    }

    /// Own requests that wait for stream credit.
    pub(crate) fn unopened_requests(&self) -> usize {
        self.bidi.waiting()
    }

    /// Writes a control message; such bytes are never dropped alone.
    pub(crate) fn write_control(&mut self, id: StreamId, data: Bytes, now: Instant) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if !stream.takes_data() {
            return;
        }
        if stream.is_clear() {
            self.urgent.push_back(Transmit::Write { id, data });
            return;
        }
        stream.queued += data.len();
        stream.queue.push_back(Chunk { data, at: now });
        let overflow = stream.queued > self.control_buffer;
        self.make_ready(id);
        if overflow {
            self.notes.push_back(Note::Overflow(id));
        }
    }

    /// Writes to a data stream.
    pub(crate) fn write(
        &mut self,
        id: StreamId,
        data: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        self.write_part(id, data, now, true)
    }

    /// Writes to a data stream; `is_first`: what is refused may be written again later, and so
    /// a fetch that has enough waiting is.
    pub(crate) fn write_part(
        &mut self,
        id: StreamId,
        data: Bytes,
        now: Instant,
        is_first: bool,
    ) -> Result<(), SendRefused> {
        let passes = self.passes_by();
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(SendRefused::StreamGone(id));
        };
        let Owner::Flow(key) = stream.owner else {
            return Err(SendRefused::StreamGone(id));
        };
        if !stream.takes_data() {
            return Err(SendRefused::StreamGone(id));
        }
        if data.is_empty() {
            return Ok(());
        }
        if self.repairs.is_active() {
            self.repairs.write(id, &data);
        }
        let first = stream.written.map_or(now, |(first, _)| first);
        stream.written = Some((first, now));
        if passes && stream.is_clear() {
            stream.handed_over = None;
            stream.sent += data.len() as u64;
            self.pass_by(id, data);
            return Ok(());
        }
        if is_first {
            self.is_full(id)?;
        }
        self.enqueue(id, key, data, now)
    }

    /// Hands data over at once. A header and a small object behind it make one piece.
    fn pass_by(&mut self, id: StreamId, data: Bytes) {
        self.direct_bytes += data.len();
        if let Some(Direct::Write {
            id: last,
            data: head,
        }) = self.direct.back_mut()
            && *last == id
            && head.len() + data.len() <= SMALL
        {
            *head = [&head[..], &data[..]].concat().into();
        } else {
            self.direct.push_back(Direct::Write { id, data });
        }
    }

    /// Whether nothing waits that could claim to go first.
    pub(super) fn passes_by(&self) -> bool {
        self.blocked.is_empty()
            && self.ready.is_empty()
            && self.direct_bytes < DIRECT_BYTES
            && !self.shedding.is_active()
    }

    fn enqueue(
        &mut self,
        id: StreamId,
        key: RequestKey,
        data: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let Some((stream, flow)) = self.streams.get_mut(&id).zip(self.flows.get_mut(&key)) else {
            return Err(SendRefused::StreamGone(id));
        };
        stream.queued += data.len();
        flow.queued += data.len();
        self.queued += data.len();
        stream.queue_up(data, now);
        self.retime(id);
        self.make_ready(id);
        self.enforce_budgets(key, now);
        if self.streams.get(&id).is_some_and(OutStream::takes_data) {
            Ok(())
        } else {
            Err(SendRefused::StreamGone(id))
        }
    }

    /// Refuses a fetch stream that has enough waiting; [`Note::SendReady`] follows.
    pub(crate) fn is_full(&mut self, id: StreamId) -> Result<(), SendRefused> {
        let Some(key) = self.flow_of(id) else {
            return Err(SendRefused::StreamGone(id));
        };
        let Some(flow) = self.flows.get_mut(&key) else {
            return Err(SendRefused::StreamGone(id));
        };
        let waiting = flow.queued;
        let full = waiting >= self.limits.subscription_bytes
            || waiting > 0 && self.queued >= self.limits.session_bytes / 2;
        if flow.options.kind == FlowKind::Fetch && full {
            flow.refused = Some(id);
            return Err(SendRefused::QueueFull(waiting));
        }
        Ok(())
    }

    /// Ends a stream behind what waits on it.
    pub(crate) fn finish(&mut self, id: StreamId, now: Instant) -> Result<(), SendRefused> {
        let passes = self.passes_by();
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(SendRefused::StreamGone(id));
        };
        if !stream.takes_data() {
            return Err(SendRefused::StreamGone(id));
        }
        if let Owner::Flow(key) = stream.owner {
            if self.repairs.is_active() {
                self.repairs.finish(id, now);
            }
            let flow = self.flows.get(&key);
            let timeout = flow.and_then(|flow| flow.options.subgroup_timeout_of(&stream.timeouts));
            stream.end_by = timeout.map(|timeout| now + timeout);
            let is_timed = stream.end_by.is_some() || stream.deadline.is_some();
            if stream.is_clear() && passes {
                stream.end = End::HandedOver;
                self.direct.push_back(Direct::Finish { id });
                self.settle(key);
            } else {
                stream.end = End::Queued;
                self.make_ready(id);
            }
            if is_timed {
                self.retime(id);
            }
        } else if stream.is_clear() {
            stream.end = End::HandedOver;
            self.urgent.push_back(Transmit::Finish { id });
        } else {
            stream.end = End::Queued;
            self.make_ready(id);
        }
        Ok(())
    }

    /// Every byte of a stream is acknowledged.
    pub(crate) fn acknowledged(&mut self, id: StreamId) {
        if self
            .streams
            .get(&id)
            .is_some_and(|stream| stream.end == End::HandedOver)
        {
            self.remove(id);
        }
    }

    /// Whether the sending half of a stream is still in use.
    pub(crate) fn is_sending(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_some_and(OutStream::takes_data)
    }

    /// Whether the driver was told to open a stream, or the peer opened it.
    pub(crate) fn is_opened(&self, id: StreamId) -> bool {
        self.streams
            .get(&id)
            .is_none_or(|stream| stream.gate != Gate::Unopened)
    }

    /// What encoding the next object of a stream depends on.
    pub(crate) fn encoder(&mut self, id: StreamId) -> Option<&mut Encoder> {
        let stream = self
            .streams
            .get_mut(&id)
            .filter(|stream| stream.takes_data())?;
        Some(&mut stream.encoder)
    }

    /// Who a data stream belongs to.
    pub(crate) fn flow_of(&self, id: StreamId) -> Option<RequestKey> {
        match self.streams.get(&id)?.owner {
            Owner::Flow(key) => Some(key),
            Owner::Control | Owner::Request => None,
        }
    }

    /// Puts a stream among those that want to send, if it does.
    pub(super) fn make_ready(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.gate == Gate::Open && stream.turn.is_none() && stream.has_work() {
            self.next_turn += 1;
            stream.turn = Some(self.next_turn);
            self.ready.insert((stream.order, self.next_turn, id));
        }
    }

    pub(super) fn make_unready(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if let Some(turn) = stream.turn.take() {
            self.ready.remove(&(stream.order, turn, id));
        }
    }
}
