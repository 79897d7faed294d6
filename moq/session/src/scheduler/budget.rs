use std::time::Instant;

use parvis_wire::{GroupId, ResetCode};

use super::{
    Direct, Note, SendOrder, SendScheduler,
    out_stream::{End, Gate, OutStream, Owner},
};
use crate::{DropReason, Dropped, RequestKey, StreamId, Transmit};

/// Bounds of what waits, and what is dropped beyond them.
impl SendScheduler {
    /// Drops groups until a flow and the session are within their bounds.
    pub(super) fn enforce_budgets(&mut self, key: RequestKey, now: Instant) {
        let over = |scheduler: &Self| {
            scheduler.flows.get(&key).is_some_and(|flow| {
                Self::is_live(flow) && flow.queued > scheduler.limits.subscription_bytes
            })
        };
        while over(self) {
            let Some(group) = self.victim(Some(key)) else {
                break;
            };
            self.drop_group(group.0, group.1, DropReason::SubscriptionBytes, now);
        }
        while self.queued > self.limits.session_bytes {
            let Some(group) = self.victim(None) else {
                break;
            };
            self.drop_group(group.0, group.1, DropReason::SessionBytes, now);
        }
    }

    pub(super) fn enforce_all_budgets(&mut self, now: Instant) {
        let limit = self.limits.subscription_bytes;
        let over: Vec<RequestKey> = self
            .flows
            .iter()
            .filter(|(_, flow)| flow.queued > limit)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.enforce_budgets(key, now);
        }
        while self.queued > self.limits.session_bytes {
            let Some(group) = self.victim(None) else {
                break;
            };
            self.drop_group(group.0, group.1, DropReason::SessionBytes, now);
        }
    }

    /// The oldest group of the lowest priority that has bytes waiting.
    fn victim(&self, key: Option<RequestKey>) -> Option<(RequestKey, GroupId)> {
        self.streams
            .values()
            .filter_map(|stream| {
                let Owner::Flow(owner) = stream.owner else {
                    return None;
                };
                let live = self.flows.get(&owner).is_some_and(Self::is_live);
                let head = stream.queue.front()?;
                (live && key.is_none_or(|key| key == owner)).then_some((
                    stream.order.importance(),
                    head.at,
                    stream.group,
                    owner,
                ))
            })
            .min_by(
                |(importance, at, group, owner), (importance2, at2, group2, owner2)| {
                    importance2
                        .cmp(importance)
                        .then(if owner == owner2 {
                            group.cmp(group2)
                        } else {
                            at.cmp(at2)
                        })
                        .then(at.cmp(at2))
                        .then(owner.cmp(owner2))
                },
            )
            .map(|(_, _, group, owner)| (owner, group))
    }

    /// Drops every stream of a group that has bytes waiting.
    pub(super) fn drop_group(
        &mut self,
        key: RequestKey,
        group: GroupId,
        reason: DropReason,
        now: Instant,
    ) {
        for id in self.stream_ids(key) {
            let waits = |s: &OutStream| s.group == group && !s.queue.is_empty();
            if self.streams.get(&id).is_some_and(waits) {
                self.drop_stream(id, ResetCode::TooFarBehind.to_u64(), reason);
            }
        }
        // Pauses shorter than twice the longest wait belong to one streak.
        let pause = self.limits.max_age * 2;
        if let Some(flow) = self.flows.get_mut(&key)
            && !flow.closing
            && flow.fell_behind(now, pause) >= self.limits.behind
        {
            self.notes.push_back(Note::TooFarBehind(key));
        }
    }

    /// Gives up a stream: what waits on it is dropped, the transport resets it.
    pub(crate) fn drop_stream(&mut self, id: StreamId, code: u64, reason: DropReason) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if stream.doomed.is_some() {
            return;
        }
        let (owner, gate, group, end) = (stream.owner, stream.gate, stream.group, stream.end);
        let bytes = stream.queued + self.take_direct(id);
        if let Owner::Flow(key) = owner {
            // What was handed over whole is lost only if it was late.
            if end != End::HandedOver || bytes > 0 || reason == DropReason::SubgroupTimeout {
                self.notes.push_back(Note::Dropped(Dropped {
                    key: Some(key),
                    stream: Some(id),
                    group: Some(group),
                    bytes,
                    reason,
                }));
            }
        }
        self.remove(id);
        if gate == Gate::Unopened {
            // Numbers follow each other: it is opened in its turn, to be reset.
            let order = SendOrder::REQUEST;
            let mut doomed = OutStream::new(owner, order);
            doomed.doomed = Some(code);
            self.streams.insert(id, doomed);
            if matches!(owner, Owner::Flow(_)) {
                self.data_streams += 1;
            }
        } else {
            self.urgent.push_back(Transmit::Reset { id, code });
        }
    }

    /// The peer reads no further from a stream.
    pub(crate) fn stopped(&mut self, id: StreamId) {
        self.drop_stream(id, ResetCode::Cancelled.to_u64(), DropReason::StoppedByPeer);
    }

    /// Gives up our direction of a request's stream, unless it is ended already.
    pub(crate) fn abort_request(&mut self, id: StreamId, code: u64) {
        let ended = |stream: &OutStream| stream.end == End::HandedOver;
        if !self.streams.get(&id).is_some_and(ended) {
            self.drop_stream(id, code, DropReason::SubscriptionEnded);
        }
    }

    /// Removes what is on the direct way for a stream; returns its bytes.
    fn take_direct(&mut self, id: StreamId) -> usize {
        let mut bytes = 0;
        self.direct.retain(|direct| match direct {
            Direct::Write { id: other, data } if *other == id => {
                bytes += data.len();
                false
            }
            Direct::Finish { id: other } => *other != id,
            _ => true,
        });
        self.direct_bytes -= bytes;
        bytes
    }

    /// Forgets a stream.
    pub(super) fn remove(&mut self, id: StreamId) {
        self.make_unready(id);
        if self.repairs.is_active() {
            self.repairs.forget(id);
        }
        let Some(stream) = self.streams.remove(&id) else {
            return;
        };
        if let Some(deadline) = stream.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if stream.gate == Gate::Blocked {
            self.blocked.retain(|other| *other != id);
        }
        let Owner::Flow(key) = stream.owner else {
            return;
        };
        self.shedding.count(stream.order.importance(), stream.sent);
        self.data_streams -= 1;
        self.queued -= stream.queued;
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.queued -= stream.queued;
            if let Some(at) = flow.streams.iter().position(|other| *other == id) {
                flow.streams.swap_remove(at);
            }
            if stream.end != End::HandedOver {
                self.settle(key);
            }
        }
    }

    /// Drops datagrams until they are within their bound.
    pub(super) fn trim_datagrams(&mut self) {
        while let Some(datagram) = self.datagrams.pop_excess(self.limits.datagram_bytes) {
            self.notes
                .push_back(Note::Dropped(datagram.dropped(DropReason::DatagramBytes)));
            self.settle(datagram.key);
        }
    }
}
