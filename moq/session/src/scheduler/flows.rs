use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{GroupId, GroupOrder, Location, Priority};

use super::{
    Direct, FlowOptions, Note, SendOrder, SendScheduler,
    datagrams::{Waiting, lifetime},
    flow::{Flow, FlowKind},
    out_stream::{End, Gate},
};
use crate::{DropReason, RequestKey, SendRefused, StreamId, Transmit};

/// How far behind the base a stream may be before the base is looked up anew.
const DRIFT: u64 = 3;

impl Flow {
    pub(super) fn order(
        &self,
        group: GroupId,
        subgroup: u64,
        publisher: Option<Priority>,
    ) -> SendOrder {
        let publisher = publisher.unwrap_or(self.options.publisher_priority);
        let distance = self.distance(group.0);
        SendOrder::data(
            self.options.subscriber_priority,
            publisher,
            distance,
            subgroup,
        )
    }
}

/// Subscriptions and fetches.
impl SendScheduler {
    pub(crate) fn add_flow(&mut self, key: RequestKey, options: FlowOptions) {
        self.flows.insert(key, Flow::new(options));
    }

    pub(crate) fn has_flow(&self, key: RequestKey) -> bool {
        self.flows.get(&key).is_some_and(|flow| !flow.closing)
    }

    /// Changes priorities and timeouts, also of what waits.
    pub(crate) fn set_flow_options(&mut self, key: RequestKey, options: FlowOptions) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        let reversed = flow.options.group_order != options.group_order;
        flow.options = options;
        if reversed {
            self.look_up_base(key);
        }
        self.reorder(key);
        for id in self.stream_ids(key) {
            self.retime(id);
        }
    }

    /// Drops the streams of a flow that are not ended; what is ended is still delivered. Then
    /// [`Note::Drained`] follows.
    pub(crate) fn close_flow(&mut self, key: RequestKey, code: u64) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        flow.closing = true;
        // Counts as one more until the streams are looked through, so that the note comes last.
        flow.unfinished += 1;
        for id in self.stream_ids(key) {
            if self
                .streams
                .get(&id)
                .is_some_and(|stream| stream.end == End::Unknown)
            {
                self.drop_stream(id, code, DropReason::SubscriptionEnded);
            }
        }
        self.settle(key);
    }

    /// Drops every stream and datagram of a flow and forgets it.
    pub(crate) fn abort_flow(&mut self, key: RequestKey, code: u64, reason: DropReason) {
        for id in self.stream_ids(key) {
            self.drop_stream(id, code, reason);
        }
        self.drop_unsent(key, code, reason);
        self.flows.remove(&key);
    }

    /// Forgets a drained flow; its streams live until they are acknowledged.
    pub(crate) fn forget_flow(&mut self, key: RequestKey) {
        self.flows.remove(&key);
    }

    /// Drops every stream of a flow that is not handed over to its end, and every datagram.
    pub(crate) fn drop_unsent(&mut self, key: RequestKey, code: u64, reason: DropReason) {
        for id in self.stream_ids(key) {
            if self
                .streams
                .get(&id)
                .is_some_and(|stream| stream.end != End::HandedOver)
            {
                self.drop_stream(id, code, reason);
            }
        }
        self.direct.retain(|direct| match direct {
            Direct::Datagram(datagram) if datagram.key == key => {
                self.notes
                    .push_back(Note::Dropped(datagram.dropped(reason)));
                false
            }
            _ => true,
        });
        while let Some(datagram) = self.datagrams.pop_of(key) {
            self.notes
                .push_back(Note::Dropped(datagram.dropped(reason)));
            self.settle(key);
        }
    }

    /// Sends a datagram of a flow.
    pub(crate) fn send_datagram(
        &mut self,
        key: RequestKey,
        location: Location,
        publisher: Option<Priority>,
        data: Bytes,
        now: Instant,
    ) -> Result<(), SendRefused> {
        let passes =
            self.passes_by() && self.datagrams.first().is_none() && !self.datagrams.blocked;
        let max_age = self.limits.max_age;
        let flow = self.flows.get_mut(&key).filter(|flow| !flow.closing);
        let flow = flow.ok_or(SendRefused::NotPublished(key))?;
        let FlowOptions {
            object_timeout,
            subgroup_timeout,
            ..
        } = flow.options;
        let lifetime = lifetime([object_timeout, subgroup_timeout, Some(max_age)]);
        let datagram = Waiting {
            key,
            group: location.group,
            // Before the streams of the same priority.
            order: SendOrder::data(
                flow.options.subscriber_priority,
                publisher.unwrap_or(flow.options.publisher_priority),
                0,
                0,
            ),
            data,
            due: now + lifetime.unwrap_or(max_age),
        };
        if passes {
            self.direct_bytes += datagram.data.len();
            self.shedding
                .count(datagram.order.importance(), datagram.data.len() as u64);
            self.direct.push_back(Direct::Datagram(datagram));
        } else {
            flow.unfinished += 1;
            self.datagrams.push_back(datagram);
            self.trim_datagrams();
        }
        Ok(())
    }

    pub(super) fn stream_ids(&self, key: RequestKey) -> Vec<StreamId> {
        self.flows
            .get(&key)
            .map(|flow| flow.streams.clone())
            .unwrap_or_default()
    }

    /// Keeps the distances of a flow's groups true after a stream of `group` was opened.
    pub(super) fn rebase(&mut self, key: RequestKey, group: GroupId) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        if flow.precedes_base(group.0) {
            flow.base = group.0;
        } else if flow.distance(group.0) > DRIFT {
            if !self.look_up_base(key) {
                return;
            }
        } else {
            return;
        }
        self.reorder(key);
    }

    /// Sets the base to the most urgent open group; returns whether it changed.
    fn look_up_base(&mut self, key: RequestKey) -> bool {
        let Some(flow) = self.flows.get_mut(&key) else {
            return false;
        };
        let groups = flow
            .streams
            .iter()
            .filter_map(|id| self.streams.get(id))
            .map(|s| s.group.0);
        let base = match flow.options.group_order {
            GroupOrder::Ascending => groups.min(),
            GroupOrder::Descending => groups.max(),
        };
        let base = base.unwrap_or(flow.base);
        std::mem::replace(&mut flow.base, base) != base
    }

    /// Gives each stream of a flow its place anew.
    fn reorder(&mut self, key: RequestKey) {
        for id in self.stream_ids(key) {
            let Some((stream, flow)) = self.streams.get_mut(&id).zip(self.flows.get(&key)) else {
                continue;
            };
            let order = flow.order(stream.group, stream.subgroup, stream.publisher_priority);
            if order == stream.order {
                continue;
            }
            let priority = order.transport_priority();
            let changed = std::mem::replace(&mut stream.priority, priority) != priority;
            if changed && stream.gate != Gate::Unopened {
                self.urgent
                    .push_back(Transmit::SetPriority { id, priority });
            }
            self.make_unready(id);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.order = order;
            }
            self.make_ready(id);
        }
    }

    /// Whether bytes of a flow grow too old.
    pub(super) fn is_live(flow: &Flow) -> bool {
        flow.options.kind == FlowKind::Subscription
    }
}
