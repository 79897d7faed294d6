use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_wire::GroupId;

use super::SendOrder;
use crate::{DropReason, Dropped, RequestKey};

/// Datagrams that wait, bounded in bytes and age.
#[derive(Debug)]
pub(super) struct Datagrams {
    waiting: BTreeMap<(SendOrder, u64), Waiting>,
    deadlines: BTreeSet<(Instant, SendOrder, u64)>,
    /// Turns of the next datagram at the back and of the last one put to the front.
    back: u64,
    front: u64,
    pub(super) bytes: usize,
    pub(super) blocked: bool,
}

impl Default for Datagrams {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            back: u64::MAX / 2,
            front: u64::MAX / 2,
            bytes: 0,
            blocked: false,
        }
    }
}

/// A datagram and what decides its fate.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) key: RequestKey,
    pub(super) group: GroupId,
    pub(super) order: SendOrder,
    pub(super) data: Bytes,
    pub(super) due: Instant,
}

impl Waiting {
    pub(super) fn dropped(&self, reason: DropReason) -> Dropped {
        Dropped {
            key: Some(self.key),
            stream: None,
            group: Some(self.group),
            bytes: self.data.len(),
            reason,
        }
    }
}

impl Datagrams {
    pub(super) fn push_back(&mut self, datagram: Waiting) {
        let turn = self.back;
        self.back += 1;
        self.insert(turn, datagram);
    }

    pub(super) fn push_front(&mut self, datagram: Waiting) {
        self.front -= 1;
        self.insert(self.front, datagram);
    }

    fn insert(&mut self, turn: u64, datagram: Waiting) {
        self.bytes += datagram.data.len();
        self.deadlines.insert((datagram.due, datagram.order, turn));
        self.waiting.insert((datagram.order, turn), datagram);
    }

    /// The order of the first datagram that can be sent.
    pub(super) fn first(&self) -> Option<SendOrder> {
        if self.blocked {
            return None;
        }
        self.waiting.first_key_value().map(|((order, _), _)| *order)
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let (&(order, turn), _) = self.waiting.first_key_value()?;
        self.remove(order, turn)
    }

    /// Removes the oldest datagram of the lowest priority if there are more than `limit` bytes.
    pub(super) fn pop_excess(&mut self, limit: usize) -> Option<Waiting> {
        if self.bytes <= limit {
            return None;
        }
        let (&(lowest, _), _) = self.waiting.last_key_value()?;
        let (&(order, turn), _) = self.waiting.range((lowest, 0)..).next()?;
        self.remove(order, turn)
    }

    /// Removes a datagram whose time is over.
    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<Waiting> {
        let &(due, order, turn) = self.deadlines.first()?;
        if due > now {
            return None;
        }
        self.remove(order, turn)
    }

    /// Removes a datagram of a flow.
    pub(super) fn pop_of(&mut self, key: RequestKey) -> Option<Waiting> {
        let (&(order, turn), _) = self
            .waiting
            .iter()
            .find(|(_, waiting)| waiting.key == key)?;
        self.remove(order, turn)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(due, ..)| *due)
    }

    fn remove(&mut self, order: SendOrder, turn: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&(order, turn))?;
        self.deadlines.remove(&(waiting.due, order, turn));
        self.bytes -= waiting.data.len();
        Some(waiting)
    }
}

/// When a datagram is too late: a subgroup timeout acts like an object timeout.
pub(super) fn lifetime(limits: [Option<Duration>; 3]) -> Option<Duration> {
    limits.into_iter().flatten().min()
}
