use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use parvis_wire::{FetchCursor, GroupId, ObjectId, Priority};

use super::{SendOrder, SubgroupTimeouts};
use crate::{DropReason, RequestKey};

/// Who writes to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Control,
    Request,
    Flow(RequestKey),
}

/// Whether the transport takes bytes of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// The stream waits for stream credit.
    Unopened,
    Open,
    Blocked,
}

/// How far the end of a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Unknown,
    /// Known, behind the bytes that wait.
    Queued,
    /// Handed to the transport, not acknowledged.
    HandedOver,
}

/// What encoding the next object depends on.
#[derive(Debug, Default)]
pub(crate) enum Encoder {
    #[default]
    None,
    Subgroup {
        has_properties: bool,
        previous: Option<ObjectId>,
    },
    Fetch(FetchCursor),
}

/// Bytes of a piece of an answer to FETCH that waits.
const PIECE: usize = 4096;

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) data: Bytes,
    pub(super) at: Instant,
}

#[derive(Debug)]
pub(super) struct OutStream {
    pub(super) owner: Owner,
    pub(super) group: GroupId,
    pub(super) subgroup: u64,
    pub(super) publisher_priority: Option<Priority>,
    pub(super) timeouts: SubgroupTimeouts,
    pub(super) order: SendOrder,
    /// The priority that the transport knows.
    pub(super) priority: i32,
    pub(super) gate: Gate,
    pub(super) end: End,
    /// To be reset as soon as it is opened, with this code.
    pub(super) doomed: Option<u64>,
    pub(super) encoder: Encoder,
    pub(super) queue: VecDeque<Chunk>,
    pub(super) queued: usize,
    /// Bytes handed over since they were last counted for shedding.
    pub(super) sent: u64,
    /// When the first bytes came, and the last ones.
    pub(super) written: Option<(Instant, Instant)>,
    /// When the chunk was queued that was handed over last, should it come back.
    pub(super) handed_over: Option<Instant>,
    /// Its key in the ready set, if it is there.
    pub(super) turn: Option<u64>,
    /// When the subgroup must be acknowledged.
    pub(super) end_by: Option<Instant>,
    /// Its key in the set of deadlines, if it is there.
    pub(super) deadline: Option<Instant>,
}

impl OutStream {
    pub(super) fn new(owner: Owner, order: SendOrder) -> Self {
        Self {
            owner,
            group: GroupId(0),
            subgroup: 0,
            publisher_priority: None,
            timeouts: SubgroupTimeouts::default(),
            order,
            priority: order.transport_priority(),
            gate: Gate::Unopened,
            end: End::Unknown,
            doomed: None,
            encoder: Encoder::None,
            queue: VecDeque::new(),
            queued: 0,
            sent: 0,
            written: None,
            handed_over: None,
            turn: None,
            end_by: None,
            deadline: None,
        }
    }

    /// Puts data behind what waits. Small entries of an answer to FETCH become one piece: they are many, and
    /// would need far more memory than they have bytes.
    pub(super) fn queue_up(&mut self, data: Bytes, now: Instant) {
        match self.queue.back_mut() {
            Some(last)
                if matches!(self.encoder, Encoder::Fetch(_))
                    && last.data.len() + data.len() <= PIECE =>
            {
                let head = std::mem::take(&mut last.data);
                let mut piece = head.try_into_mut().unwrap_or_else(|shared| {
                    let mut piece = BytesMut::with_capacity(PIECE);
                    piece.extend_from_slice(&shared);
                    piece
                });
                piece.extend_from_slice(&data);
                last.data = piece.freeze();
            }
            _ => self.queue.push_back(Chunk { data, at: now }),
        }
    }

    /// Whether bytes may pass the queue by.
    pub(super) fn is_clear(&self) -> bool {
        self.gate == Gate::Open && self.queue.is_empty()
    }

    pub(super) fn takes_data(&self) -> bool {
        self.end == End::Unknown && self.doomed.is_none()
    }

    /// Whether there is something to hand over, were the gate open.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.end == End::Queued
    }

    /// When it must be dropped, and why, given the limits for bytes that wait.
    pub(super) fn due(
        &self,
        object_timeout: Option<Duration>,
        max_age: Option<Duration>,
    ) -> Option<(Instant, DropReason)> {
        let head = self.queue.front().map(|chunk| chunk.at);
        let after = |limit: Option<Duration>, reason| {
            head.zip(limit).map(|(at, limit)| (at + limit, reason))
        };
        let end = self.end_by.map(|at| (at, DropReason::SubgroupTimeout));
        [
            after(object_timeout, DropReason::ObjectTimeout),
            end,
            after(max_age, DropReason::QueueAge),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }
}
