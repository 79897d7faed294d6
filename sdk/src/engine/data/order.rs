use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_wire::{GroupId, Location, ObjectId};

use crate::data::{DataObject, Grouping};

/// Puts a data track's objects in their order, each once, whichever way it came.
#[derive(Debug)]
pub(super) struct DataOrder {
    grouping: Grouping,
    /// The place after the last object that was given out.
    next: Option<Location>,
    held: BTreeMap<Location, Held>,
    held_bytes: usize,
    /// Objects of the past are under way: what is live waits behind them.
    filling: Option<Instant>,
    /// What is given out next does not follow what was given out last.
    gap: bool,
}

#[derive(Debug)]
struct Held {
    payload: Bytes,
    since: Instant,
}

/// How long a missing object is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long objects of the past are waited for.
const FILL_PATIENCE: Duration = Duration::from_secs(5);
/// What waits for its turn, at most; beyond, what is missing is given up.
const MAX_HELD: usize = 1024;
const MAX_HELD_BYTES: usize = 4 << 20;

impl DataOrder {
    pub(super) const fn new(grouping: Grouping) -> Self {
        Self {
            grouping,
            next: None,
            held: BTreeMap::new(),
            held_bytes: 0,
            filling: None,
            gap: false,
        }
    }

    /// Where what was given out so far ends.
    pub(super) const fn next(&self) -> Option<Location> {
        self.next
    }

    /// Objects of the past follow.
    pub(super) fn begin_fill(&mut self, now: Instant) {
        self.filling = Some(now + FILL_PATIENCE);
    }

    /// No more objects of the past follow.
    pub(super) const fn end_fill(&mut self) {
        self.filling = None;
    }

    pub(super) fn insert(&mut self, location: Location, payload: Bytes, now: Instant) {
        if self.next.is_some_and(|next| location < next) {
            return;
        }
        let bytes = payload.len();
        let held = Held {
            payload,
            since: now,
        };
        if self.held.insert(location, held).is_none() {
            self.held_bytes += bytes;
        }
        if self.held.len() > MAX_HELD || self.held_bytes > MAX_HELD_BYTES {
            // Whoever sends so much out of order waits for nothing.
            self.filling = None;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.filling.is_some() {
            return self.filling;
        }
        self.held.first_key_value().map(|(_, h)| h.since + PATIENCE)
    }

    /// The next object, if it is known to be the next or was waited for long enough.
    pub(super) fn poll(&mut self, now: Instant) -> Option<DataObject> {
        if self.filling.is_some_and(|until| now < until) {
            return None;
        }
        self.filling = None;
        self.skip_replaced();
        let (&first, held) = self.held.first_key_value()?;
        let location = self.next_in(first);
        let follows = location == Some(first) || self.next.is_none();
        let full = self.held.len() > MAX_HELD || self.held_bytes > MAX_HELD_BYTES;
        if !follows && !full && now < held.since + PATIENCE {
            return None;
        }
        let held = self.held.remove(&first)?;
        self.held_bytes -= held.payload.len();
        let gap = std::mem::take(&mut self.gap) || !follows;
        self.next = Some(Location {
            group: first.group,
            object: ObjectId(first.object.0.saturating_add(1)),
        });
        Some(DataObject {
            location: first,
            payload: held.payload,
            gap,
        })
    }

    /// What was given out last could not be passed on: the next one says so.
    pub(super) const fn note_gap(&mut self) {
        self.gap = true;
    }

    /// Drops what the start of a newer group has made irrelevant.
    fn skip_replaced(&mut self) {
        if self.grouping != Grouping::Replacing {
            return;
        }
        let starts = self.held.keys().rev().find(|place| place.object.0 == 0);
        let Some(start) = starts.copied() else {
            return;
        };
        let kept = self.held.split_off(&start);
        let dropped = std::mem::replace(&mut self.held, kept);
        self.held_bytes -= dropped
            .values()
            .map(|held| held.payload.len())
            .sum::<usize>();
        if !dropped.is_empty() {
            self.gap = false;
        }
    }

    /// The place that follows what was given out, if `candidate` may be it.
    fn next_in(&self, candidate: Location) -> Option<Location> {
        let next = self.next?;
        match self.grouping {
            // The start of a newer group makes what came before it irrelevant.
            Grouping::Replacing if candidate.group > next.group => {
                Some(Location::new(candidate.group.0, 0))
            }
            Grouping::Sequence(length) if next.object.0 >= length => {
                let group = GroupId(next.group.0.saturating_add(1));
                Some(Location::new(group.0, 0))
            }
            Grouping::Replacing | Grouping::Sequence(_) => Some(next),
        }
    }
}

#[cfg(test)]
mod tests;
