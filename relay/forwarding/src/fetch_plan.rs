//! Which part of an answer comes next, and whether it is known here.

use parvis_wire::{GroupId, GroupOrder, Location};

use crate::{
    Forwarder,
    fetch_answer::Looked,
    keys::TrackKey,
    location_set::previous_object,
    progress::Progress,
    window::{Window, next_object},
};

/// The next part of an answer: a range inside a group, or of whole groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) window: Window,
    /// Whether every object in it is known here.
    pub(crate) known: bool,
}

impl Forwarder {
    /// The next part of an answer that is not through.
    ///
    /// precise: holes end where something is known; else at the end of a group, so that one
    /// question to a publisher fills many small ones. knows_end: else a publisher must be asked
    /// up to the end. looked: what was found out already.
    pub(crate) fn segment(
        &self,
        key: TrackKey,
        progress: &Progress,
        precise: bool,
        knows_end: bool,
        looked: &Looked,
    ) -> Segment {
        let next = progress.next().unwrap_or(progress.window.start);
        if !knows_end && !precise {
            let is_known = |part: &Window| {
                let until = self.known_until(key, part.start, part.end, looked);
                until.is_some_and(|until| part.end <= until)
            };
            if !progress.rest().iter().all(is_known) {
                let rest = progress.hull().unwrap_or(progress.window);
                return hole(rest.start, rest.end);
            }
        }
        match progress.order {
            GroupOrder::Ascending => self.ascending_segment(key, progress, next, precise, looked),
            GroupOrder::Descending => self.descending_segment(key, progress, next, precise, looked),
        }
    }

    fn ascending_segment(
        &self,
        key: TrackKey,
        progress: &Progress,
        next: Location,
        precise: bool,
        looked: &Looked,
    ) -> Segment {
        let end = progress.window.end;
        if let Some(until) = self.known_until(key, next, end, looked) {
            return known(next, until.min(end));
        }
        let behind = if precise {
            self.next_known(key, next, looked)
        } else {
            let full = self.first_full_group(key, progress, next, looked);
            full.map(|group| Location::new(group.0, 0))
        };
        let last = behind.and_then(previous_object);
        hole(next, last.map_or(end, |last| last.min(end)))
    }

    fn descending_segment(
        &self,
        key: TrackKey,
        progress: &Progress,
        next: Location,
        precise: bool,
        looked: &Looked,
    ) -> Segment {
        let first = progress.first_of(next.group);
        let last = progress.last_of(next.group);
        if let Some(until) = self.known_until(key, next, last, looked) {
            if until < last || next != first {
                return known(next, until.min(last));
            }
            let range = self.tracks[key.0].past.known.range_of(first);
            let lowest = range.map_or(next.group, |range| lowest_full(range, progress));
            let lowest = lowest.min(next.group).max(progress.window.start.group);
            return known(progress.first_of(lowest), last);
        }
        let in_group = self
            .next_known(key, next, looked)
            .filter(|at| precise && *at <= last);
        if let Some(before) = in_group.and_then(previous_object) {
            return hole(next, before);
        }
        if next != first {
            return hole(next, last);
        }
        let below = if precise {
            self.highest_known_group(key, next.group, looked)
        } else {
            self.highest_full_group(key, progress, next.group, looked)
        };
        let lowest = below.map_or(0, |group| group.0.saturating_add(1));
        let lowest = GroupId(lowest.max(progress.window.start.group.0));
        hole(progress.first_of(lowest), last)
    }

    /// The end of what is known without a gap from here on; `None`: this location is not known.
    fn known_until(
        &self,
        key: TrackKey,
        from: Location,
        end: Location,
        looked: &Looked,
    ) -> Option<Location> {
        let mut until = None;
        let mut at = from;
        loop {
            let past = self.tracks[key.0].past.known.range_of(at);
            let ids = looked.known_ids(self, key, at.group);
            let range = ids.get(ids.partition_point(|(_, last)| *last < at.object.0));
            let live = range
                .filter(|(first, _)| *first <= at.object.0)
                .map(|(_, last)| Location::new(at.group.0, *last));
            let Some(last) = past.map(|range| range.end).max(live) else {
                return until;
            };
            until = Some(last);
            if end <= last {
                return until;
            }
            at = next_object(last);
        }
    }

    /// The next location behind this one of which something is known.
    fn next_known(&self, key: TrackKey, at: Location, looked: &Looked) -> Option<Location> {
        let track = &self.tracks[key.0];
        let past = track.past.known.ranges_after(at).next();
        let live = track.groups.range(at.group..).find_map(|(id, _)| {
            let ids = looked.known_ids(self, key, *id);
            let start = |first: u64| Location::new(id.0, first);
            let next = ids.partition_point(|(first, _)| start(*first) <= at);
            ids.get(next).map(|(first, _)| start(*first))
        });
        past.map(|range| range.start).into_iter().chain(live).min()
    }

    fn is_full(&self, key: TrackKey, progress: &Progress, group: GroupId, looked: &Looked) -> bool {
        let (first, last) = (progress.first_of(group), progress.last_of(group));
        let until = self.known_until(key, first, last, looked);
        until.is_some_and(|until| last <= until)
    }

    /// The first group behind the one of this location that is known as a whole.
    fn first_full_group(
        &self,
        key: TrackKey,
        progress: &Progress,
        at: Location,
        looked: &Looked,
    ) -> Option<GroupId> {
        let track = &self.tracks[key.0];
        let last = progress.window.end.group;
        let behind = GroupId(at.group.0.checked_add(1).filter(|next| *next <= last.0)?);
        let live = track.groups.range(behind..=last).map(|(id, _)| *id);
        let live = live
            .filter(|id| self.is_full(key, progress, *id, looked))
            .min();
        let ranges = track.past.known.ranges_after(at);
        let past = ranges
            .map(|range| lowest_full(range, progress).max(behind))
            .take_while(|id| *id <= last)
            .find(|id| self.is_full(key, progress, *id, looked));
        live.into_iter().chain(past).min()
    }

    /// The last group before this one that is known as a whole.
    fn highest_full_group(
        &self,
        key: TrackKey,
        progress: &Progress,
        group: GroupId,
        looked: &Looked,
    ) -> Option<GroupId> {
        let track = &self.tracks[key.0];
        let lowest = progress.window.start.group;
        let live = track.groups.range(..group).rev().map(|(id, _)| *id);
        let live = live
            .filter(|id| self.is_full(key, progress, *id, looked))
            .max();
        let ranges = track.past.known.ranges_before(Location::new(group.0, 0));
        let before = GroupId(group.0.checked_sub(1)?);
        let past = ranges
            .take_while(|range| lowest <= range.end.group)
            .filter_map(|range| {
                let is_cut = range.end < progress.last_of(range.end.group);
                let top = range.end.group.0.checked_sub(u64::from(is_cut))?;
                Some(GroupId(top).min(before))
            })
            .find(|id| self.is_full(key, progress, *id, looked));
        live.into_iter().chain(past).max()
    }

    /// The last group before this one of which something is known.
    fn highest_known_group(
        &self,
        key: TrackKey,
        group: GroupId,
        looked: &Looked,
    ) -> Option<GroupId> {
        let track = &self.tracks[key.0];
        let live = track.groups.range(..group).rev().map(|(id, _)| *id);
        let live = live
            .filter(|id| !looked.known_ids(self, key, *id).is_empty())
            .max();
        let before = group.0.checked_sub(1).map(GroupId)?;
        let mut ranges = track.past.known.ranges_before(Location::new(group.0, 0));
        let past = ranges.next().map(|range| range.end.group.min(before));
        live.into_iter().chain(past).max()
    }
}

/// The first group that begins in a range.
fn lowest_full(range: Window, progress: &Progress) -> GroupId {
    if range.start <= progress.first_of(range.start.group) {
        range.start.group
    } else {
        GroupId(range.start.group.0.saturating_add(1))
    }
}

const fn known(start: Location, end: Location) -> Segment {
    Segment {
        window: Window { start, end },
        known: true,
    }
}

const fn hole(start: Location, end: Location) -> Segment {
    Segment {
        window: Window { start, end },
        known: false,
    }
}
