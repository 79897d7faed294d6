//! What FETCHes upstream brought: objects of the past, and where there are none.

use std::{collections::BTreeMap, time::Instant};

use bytes::Bytes;
use parvis_wire::{FetchObject, GroupId, Location};

use crate::{DropReason, Forwarder, keys::TrackKey, location_set::LocationSet, window::Window};

/// The memory that an object of the past is taken to need beside its bytes.
const OBJECT_OVERHEAD: usize = 256;
/// The most ranges that are remembered of one track.
const MAX_RANGES: usize = 256;

/// The past of a track, as far as it was fetched.
#[derive(Debug, Default)]
pub(crate) struct Past {
    objects: BTreeMap<Location, (FetchObject, Bytes)>,
    /// Where every object that exists is in `objects`.
    pub(crate) known: LocationSet,
    groups: BTreeMap<GroupId, PastGroup>,
    /// Its groups, first to evict first.
    places: BTreeMap<u64, GroupId>,
    bytes: usize,
}

#[derive(Debug)]
struct PastGroup {
    /// Its place in the order of eviction.
    place: u64,
    bytes: usize,
    touched: Instant,
}

impl Past {
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects of a group, in order.
    pub(crate) fn objects_of(
        &self,
        group: GroupId,
        window: Window,
    ) -> impl Iterator<Item = (Location, &(FetchObject, Bytes))> {
        let start = Location::new(group.0, 0).max(window.start);
        let end = Location::new(group.0, u64::MAX).min(window.end);
        let range = (start <= end).then(|| self.objects.range(start..=end));
        range
            .into_iter()
            .flatten()
            .map(|(at, object)| (*at, object))
    }

    /// The groups of which there are objects, in order.
    pub(crate) fn groups_in(&self, window: Window) -> impl Iterator<Item = GroupId> + '_ {
        let range = window.start.group..=window.end.group;
        self.groups.range(range).map(|(group, _)| *group)
    }
}

impl Forwarder {
    /// Remembers that nothing is missing of a range.
    pub(crate) fn learn_past(&mut self, key: TrackKey, window: Window) {
        let past = &mut self.tracks[key.0].past;
        past.known.insert(window);
        if past.known.len() > MAX_RANGES {
            self.stats.count_drop(DropReason::TrackCacheFull);
            self.forget_past(key);
        }
    }

    /// Whether an object of this size is kept at all.
    pub(crate) fn keeps_past(&self, payload_len: u64) -> bool {
        let budget = self.config.track_cache_bytes.min(self.config.cache_bytes) / 2;
        payload_len <= budget as u64
    }

    /// Keeps an object that a FETCH brought.
    pub(crate) fn keep_past(
        &mut self,
        key: TrackKey,
        object: FetchObject,
        payload: Bytes,
        now: Instant,
    ) {
        let at = object.location();
        let bytes = payload.len() + OBJECT_OVERHEAD;
        let past = &mut self.tracks[key.0].past;
        if past.objects.insert(at, (object, payload)).is_some() {
            // The same object again; it was counted.
            return;
        }
        let next_place = &mut self.next_cached;
        let (past_groups, places) = (&mut self.past_groups, &mut past.places);
        let group = past.groups.entry(at.group).or_insert_with(|| {
            let place = *next_place;
            *next_place += 1;
            past_groups.insert(place, (key, at.group));
            places.insert(place, at.group);
            PastGroup {
                place,
                bytes: 0,
                touched: now,
            }
        });
        group.bytes += bytes;
        group.touched = now;
        past.bytes += bytes;
        self.stats.cache_bytes += bytes;
        self.learn_past(key, Window { start: at, end: at });
        self.trim_past(key);
        self.evict_excess();
        if self.cache_look.is_none() {
            self.schedule_look(now);
        }
    }

    /// Evicts groups of the past until the track is within its budget.
    pub(crate) fn trim_past(&mut self, key: TrackKey) {
        loop {
            let track = &self.tracks[key.0];
            let excess = track.cache_bytes + track.past.bytes > self.config.track_cache_bytes;
            let oldest = track.past.places.first_key_value().map(|(_, id)| *id);
            let Some(oldest) = oldest.filter(|_| excess) else {
                return;
            };
            self.stats.count_drop(DropReason::TrackCacheFull);
            self.evict_past(key, oldest);
        }
    }

    /// Evicts a group of the past.
    pub(crate) fn evict_past(&mut self, key: TrackKey, id: GroupId) {
        let past = &mut self.tracks[key.0].past;
        let Some(group) = past.groups.remove(&id) else {
            return;
        };
        let window = Window {
            start: Location::new(id.0, 0),
            end: Location::new(id.0, u64::MAX),
        };
        let gone: Vec<Location> = past.objects_of(id, window).map(|(at, _)| at).collect();
        for at in gone {
            past.objects.remove(&at);
        }
        past.known.remove(window);
        past.bytes -= group.bytes;
        self.stats.cache_bytes -= group.bytes;
        past.places.remove(&group.place);
        self.past_groups.remove(&group.place);
    }

    /// Forgets everything that was fetched of a track.
    pub(crate) fn forget_past(&mut self, key: TrackKey) {
        let groups: Vec<GroupId> = self.tracks[key.0].past.groups.keys().copied().collect();
        for group in groups {
            self.evict_past(key, group);
        }
        self.tracks[key.0].past.known.clear();
    }

    /// Evicts the groups of the past that are old.
    pub(crate) fn evict_old_past(&mut self, now: Instant) {
        let age = self.config.cache_age;
        let is_old = |key: TrackKey, id: GroupId| {
            let group = self.tracks[key.0].past.groups.get(&id);
            group.is_some_and(|group| group.touched + age <= now)
        };
        let groups = self.past_groups.values().copied();
        let old: Vec<(TrackKey, GroupId)> = groups.filter(|&(key, id)| is_old(key, id)).collect();
        for (key, id) in old {
            self.stats.count_drop(DropReason::CacheAge);
            self.evict_past(key, id);
        }
    }
}
