use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use parvis_wire::Location;

use super::{Ordered, Placed};

/// Orders audio, where every frame stands alone: a missing frame is waited for a little, then
/// left out; one that comes after its turn is dropped.
#[derive(Debug)]
pub struct AudioOrder<T> {
    patience: Duration,
    last: Option<Location>,
    pending: BTreeMap<Location, (Instant, Placed<T>)>,
    output: VecDeque<Ordered<T>>,
}

impl<T> AudioOrder<T> {
    /// Frames that wait at most; beyond, the missing ones are left out at once.
    pub const MAX_PENDING: usize = 64;

    /// An order that waits that long for a missing frame.
    pub const fn new(patience: Duration) -> Self {
        Self {
            patience,
            last: None,
            pending: BTreeMap::new(),
            output: VecDeque::new(),
        }
    }

    /// Takes a frame.
    pub fn handle_frame(&mut self, frame: Placed<T>, now: Instant) {
        if self.last.is_some_and(|last| frame.location <= last) {
            self.output.push_back(Ordered::Dropped);
        } else {
            self.pending.entry(frame.location).or_insert((now, frame));
        }
        self.advance(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When [`AudioOrder::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pending
            .values()
            .map(|(since, _)| *since + self.patience)
            .min()
    }

    /// The next frame or finding.
    pub fn poll(&mut self) -> Option<Ordered<T>> {
        self.output.pop_front()
    }

    fn advance(&mut self, now: Instant) {
        while let Some((&location, &(_, _))) = self.pending.first_key_value() {
            let follows = self.last.is_none_or(|last| {
                let Location { group, object } = location;
                let next = |last: u64, this: u64| last.checked_add(1) == Some(this);
                group == last.group && next(last.object.0, object.0)
                    || next(last.group.0, group.0) && object.0 == 0
            });
            let waited = self
                .pending
                .values()
                .any(|(since, _)| now >= *since + self.patience);
            if !follows && !waited && self.pending.len() <= Self::MAX_PENDING {
                return;
            }
            let Some((_, (_, frame))) = self.pending.pop_first() else {
                return;
            };
            if let Some(last) = self.last.filter(|_| !follows) {
                let groups = (location.group.0 - last.group.0).saturating_sub(1);
                self.output.push_back(Ordered::Gap(groups.max(1)));
            }
            self.last = Some(location);
            self.output.push_back(Ordered::Frame(frame));
        }
    }
}
