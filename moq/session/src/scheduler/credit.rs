use std::collections::VecDeque;

use crate::{Role, StreamId};

/// The streams of one direction that this side opens, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Credit {
    role: Role,
    unidirectional: bool,
    next: u64,
    allowed: u64,
    waiting: VecDeque<StreamId>,
}

impl Credit {
    pub(super) const fn new(role: Role, unidirectional: bool) -> Self {
        Self {
            role,
            unidirectional,
            next: 0,
            allowed: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Leaves out the first streams.
    pub(super) const fn reserve(&mut self, count: u64) {
        self.next = count;
    }

    /// The number of the next stream, and whether it can be opened at once.
    pub(super) fn allocate(&mut self) -> (StreamId, bool) {
        let id = StreamId::new(self.role, self.unidirectional, self.next);
        self.next += 1;
        let now = self.waiting.is_empty() && id.index() < self.allowed;
        if !now {
            self.waiting.push_back(id);
        }
        (id, now)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a new total; it never shrinks.
    pub(super) fn grant(&mut self, allowed: u64) {
        self.allowed = self.allowed.max(allowed);
    }

    /// The next stream that waited and can be opened.
    pub(super) fn openable(&mut self) -> Option<StreamId> {
        let id = *self.waiting.front()?;
        if id.index() >= self.allowed {
            return None;
        }
        self.waiting.pop_front()
    }
}
