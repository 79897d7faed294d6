use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use parvis_wire::{GroupId, Location, ObjectId};

use super::{Ordered, Placed};

/// Orders video: within a group object by object, from group to group at key frames.
///
/// A newer group waits until the current one ends, at most for the patience given; then the rest
/// of the current one is given up and the newest group that begins with a key frame goes on.
#[derive(Debug)]
pub struct VideoOrder<T> {
    patience: Duration,
    current: Option<Current>,
    pending: BTreeMap<GroupId, Pending<T>>,
    output: VecDeque<Ordered<T>>,
    asked_for_key: bool,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    group: GroupId,
    next: ObjectId,
    /// No further frame of this group will be shown.
    over: bool,
}

#[derive(Debug)]
struct Pending<T> {
    since: Instant,
    frames: VecDeque<Placed<T>>,
    ended: bool,
}

impl<T> VideoOrder<T> {
    /// Frames that wait at most; beyond, the newest key frame goes on at once.
    pub const MAX_PENDING: usize = 256;

    /// An order that waits that long for the rest of a group.
    pub const fn new(patience: Duration) -> Self {
        Self {
            patience,
            current: None,
            pending: BTreeMap::new(),
            output: VecDeque::new(),
            asked_for_key: false,
        }
    }

    /// Takes a frame.
    pub fn handle_frame(&mut self, frame: Placed<T>, now: Instant) {
        let Location { group, object } = frame.location;
        match self.current {
            Some(current) if group < current.group => self.output.push_back(Ordered::Dropped),
            Some(current) if group == current.group => {
                if current.over || object < current.next {
                    self.output.push_back(Ordered::Dropped);
                } else if object > current.next {
                    self.give_up((object.0 - current.next.0).saturating_add(1));
                } else {
                    self.emit(frame);
                }
            }
            _ => self.hold(frame, now),
        }
        self.advance(now);
    }

    /// Takes the end of a group's stream: no frame of the group follows. `complete`: none is
    /// missing.
    pub fn handle_group_end(&mut self, group: GroupId, complete: bool, now: Instant) {
        match &mut self.current {
            Some(current) if current.group == group => {
                let was_over = std::mem::replace(&mut current.over, true);
                if !complete && !was_over && self.pending.is_empty() {
                    self.need_key();
                }
            }
            _ => {
                if let Some(pending) = self.pending.get_mut(&group) {
                    pending.ended = true;
                }
            }
        }
        self.advance(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When [`VideoOrder::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pending
            .values()
            .map(|pending| pending.since)
            .min()
            .map(|since| since + self.patience)
    }

    /// The next frame or finding.
    pub fn poll(&mut self) -> Option<Ordered<T>> {
        self.output.pop_front()
    }

    fn hold(&mut self, frame: Placed<T>, now: Instant) {
        let group = frame.location.group;
        // Only a key frame opens a group; what comes before one cannot be decoded.
        let follows = match self.pending.get(&group).and_then(|p| p.frames.back()) {
            None => frame.key,
            Some(last) => last.location.object.0.checked_add(1) == Some(frame.location.object.0),
        };
        if follows {
            let pending = self.pending.entry(group).or_insert_with(|| Pending {
                since: now,
                frames: VecDeque::new(),
                ended: false,
            });
            pending.frames.push_back(frame);
        } else {
            self.output.push_back(Ordered::Dropped);
            if self.current.is_none_or(|current| current.over) {
                self.need_key();
            }
        }
    }

    fn advance(&mut self, now: Instant) {
        while let Some(next) = self.next_group(now) {
            self.enter(next);
        }
    }

    /// The group to go on with now, if it is time to.
    fn next_group(&self, now: Instant) -> Option<GroupId> {
        let newest = self.pending.last_key_value().map(|(group, _)| *group);
        let Some(current) = self.current else {
            return newest;
        };
        let (&first, pending) = self.pending.first_key_value()?;
        if current.over && current.group.0.checked_add(1) == Some(first.0) {
            return Some(first);
        }
        let waiting: usize = self
            .pending
            .values()
            .map(|pending| pending.frames.len())
            .sum();
        // Behind: what is newest is worth most.
        let behind = now >= pending.since + self.patience || waiting > Self::MAX_PENDING;
        newest.filter(|_| behind)
    }

    fn enter(&mut self, group: GroupId) {
        let skipped: usize = self
            .pending
            .range(..group)
            .map(|(_, p)| p.frames.len())
            .sum();
        if skipped > 0 {
            self.output.push_back(Ordered::Gap(skipped as u64));
        }
        self.pending = self.pending.split_off(&group);
        let Some(pending) = self.pending.remove(&group) else {
            return;
        };
        let first = pending
            .frames
            .front()
            .map_or(ObjectId(0), |frame| frame.location.object);
        self.current = Some(Current {
            group,
            next: first,
            over: pending.ended,
        });
        self.asked_for_key = false;
        for frame in pending.frames {
            self.emit(frame);
        }
    }

    fn emit(&mut self, frame: Placed<T>) {
        if let Some(current) = &mut self.current {
            current.next = ObjectId(frame.location.object.0.saturating_add(1));
        }
        self.output.push_back(Ordered::Frame(frame));
    }

    /// Leaves the current group for a hole in it.
    fn give_up(&mut self, lost: u64) {
        if let Some(current) = &mut self.current {
            current.over = true;
        }
        self.output.push_back(Ordered::Gap(lost));
        if self.pending.is_empty() {
            self.need_key();
        }
    }

    fn need_key(&mut self) {
        if !self.asked_for_key {
            self.asked_for_key = true;
            self.output.push_back(Ordered::NeedKey);
        }
    }
}
