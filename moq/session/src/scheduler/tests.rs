mod bounds;
mod drops;
mod order;
mod shedding;

use crate::scheduler::Encoder;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_wire::{GroupId, GroupOrder, Location, Priority, ResetCode};

use super::{FlowKind, FlowOptions, Note, SendOrder, SendScheduler, SubgroupTimeouts};
use crate::{
    DropReason, Dropped, PathState, RequestKey, Role, SendLimits, SendRefused, StreamId, Transmit,
};

const MS: Duration = Duration::from_millis(1);

/// A scheduler whose transport takes nothing until it is told to.
struct Harness {
    scheduler: SendScheduler,
    now: Instant,
    next_key: u64,
}

impl Harness {
    fn new(limits: SendLimits) -> Self {
        let mut scheduler = SendScheduler::new(Role::Server, limits, 1000);
        scheduler.credit(1000, 1000);
        Self {
            scheduler,
            now: Instant::now(),
            next_key: 0,
        }
    }

    fn flow(&mut self, options: FlowOptions) -> RequestKey {
        self.next_key += 1;
        let key = RequestKey(StreamId::new(Role::Client, false, self.next_key));
        self.scheduler.add_flow(key, options);
        key
    }

    fn subscriber(&mut self, priority: u8) -> RequestKey {
        let subscriber_priority = Priority(priority);
        self.flow(FlowOptions {
            subscriber_priority,
            ..FlowOptions::default()
        })
    }

    fn open(&mut self, key: RequestKey, group: u64, subgroup: u64, publisher: u8) -> StreamId {
        let publisher = Some(Priority(publisher));
        self.scheduler
            .open_data(key, GroupId(group), subgroup, publisher, Encoder::None)
            .expect("it opens")
    }

    fn write(&mut self, stream: StreamId, len: usize) -> Result<(), SendRefused> {
        self.scheduler
            .write(stream, Bytes::from(vec![0; len]), self.now)
    }

    fn drain(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.scheduler.poll(self.now)).collect()
    }

    /// Blocks a stream of the lowest priority, so that everything else waits in order.
    fn block(&mut self) -> StreamId {
        let key = self.subscriber(255);
        let stream = self.open(key, 0, 0, 255);
        self.write(stream, 1).expect("it takes a byte");
        self.drain();
        self.scheduler
            .blocked(stream, Bytes::from_static(b"x"), self.now);
        stream
    }

    /// The streams written to, in order.
    fn written(&mut self) -> Vec<StreamId> {
        let writes = self
            .drain()
            .into_iter()
            .filter_map(|transmit| match transmit {
                Transmit::Write { id, .. } => Some(id),
                _ => None,
            });
        writes.collect()
    }

    fn notes(&mut self) -> Vec<Note> {
        std::iter::from_fn(|| self.scheduler.poll_note()).collect()
    }

    fn drops(&mut self) -> Vec<(Option<StreamId>, DropReason, usize)> {
        let drops = self.notes().into_iter().filter_map(|note| match note {
            Note::Dropped(Dropped {
                stream,
                reason,
                bytes,
                ..
            }) => Some((stream, reason, bytes)),
            _ => None,
        });
        drops.collect()
    }
}

fn write(id: StreamId, data: &'static [u8]) -> Transmit {
    Transmit::Write {
        id,
        data: Bytes::from_static(data),
    }
}
