//! Which groups stay in memory: the two newest of each track, within budgets of bytes and time.

use std::time::{Duration, Instant};

use parvis_wire::{GroupId, ResetCode};

use crate::{
    DropReason, Forwarder, PeerKind, SubgroupEnd,
    keys::{SubgroupKey, Timer, TrackKey},
    spared_groups::Owner,
    subgroup::{PIECE_OVERHEAD, Piece, SUBGROUP_OVERHEAD},
    track::{Group, Source},
};

const CACHED_GROUPS: usize = 2;
/// The cache is looked at for what is old at most this often.
const LOOK: Duration = Duration::from_millis(100);

impl Forwarder {
    /// Adds a subgroup to its group, now that it has an object.
    pub(crate) fn start_subgroup(&mut self, key: SubgroupKey, now: Instant) {
        let subgroup = &mut self.subgroups[key.0];
        subgroup.started = true;
        let (track_key, id) = (subgroup.track, subgroup.group());
        let track = &mut self.tracks[track_key.0];
        if !track.groups.contains_key(&id) {
            let newer = track.groups.range(id..).take(CACHED_GROUPS).count();
            let cached = (newer < CACHED_GROUPS).then_some(self.next_cached);
            let group = Group {
                subgroups: Vec::new(),
                cached,
                bytes: 0,
                touched: now,
            };
            track.groups.insert(id, group);
            if let Some(place) = cached {
                self.next_cached += 1;
                self.cached_groups.insert(place, (track_key, id));
                self.retire_groups(track_key);
                if !self.spared_groups.is_empty() {
                    self.stop_sparing_old(track_key);
                }
            }
        }
        let Some(group) = self.tracks[track_key.0].groups.get_mut(&id) else {
            return;
        };
        group.subgroups.push(key);
        if group.cached.is_some() {
            self.subgroups[key.0].cached = true;
            self.charge(key, SUBGROUP_OVERHEAD);
        }
        if self.cache_look.is_none() && !self.cached_groups.is_empty() {
            self.schedule_look(now);
        }
    }

    /// Keeps a piece of a subgroup that is cached.
    pub(crate) fn cache(&mut self, key: SubgroupKey, piece: Piece, now: Instant) {
        let subgroup = &mut self.subgroups[key.0];
        if !subgroup.cached {
            return;
        }
        let bytes = piece.len() + PIECE_OVERHEAD;
        subgroup.pieces.push(piece);
        let (track_key, id) = (subgroup.track, subgroup.group());
        self.charge(key, bytes);
        if let Some(group) = self.tracks[track_key.0].groups.get_mut(&id) {
            group.touched = now;
        }
        if !self.tracks[track_key.0].past.is_empty() {
            self.trim_past(track_key);
        }
        while self.tracks[track_key.0].cache_bytes > self.config.track_cache_bytes {
            let mut groups = self.tracks[track_key.0].groups.iter();
            let Some((&oldest, _)) = groups.find(|(_, group)| group.cached.is_some()) else {
                break;
            };
            self.stats.count_drop(DropReason::TrackCacheFull);
            self.uncache(track_key, oldest);
        }
        self.evict_excess();
    }

    /// Evicts groups until all tracks together are within the budget: small newest ones only when
    /// there is nothing else.
    pub(crate) fn evict_excess(&mut self) {
        while self.stats.cache_bytes > self.config.cache_bytes {
            if let Some((_, &(track, group))) = self.past_groups.first_key_value() {
                self.stats.count_drop(DropReason::CacheFull);
                self.evict_past(track, group);
                continue;
            }
            let (track, group) = match self.cached_groups.pop_first() {
                Some((place, (track, group))) if self.is_small_and_newest(track, group) => {
                    let owner = self.owner(track);
                    self.spared_groups.insert(place, (track, group), owner);
                    continue;
                }
                Some((_, group)) => group,
                None => match self.spared_groups.pop() {
                    Some(group) => group,
                    None => break,
                },
            };
            self.stats.count_drop(DropReason::CacheFull);
            self.uncache(track, group);
        }
    }

    fn owner(&self, track: TrackKey) -> Owner {
        let track = &self.tracks[track.0];
        let publisher = track.upstream().map(|upstream| upstream.peer);
        let session = publisher.filter(|peer| {
            let peer = self.peers.get(peer);
            peer.is_some_and(|peer| peer.kind == PeerKind::Session)
        });
        session.map_or_else(
            || Owner::Namespace(track.name.namespace().clone()),
            Owner::Session,
        )
    }

    /// A newer group has come.
    fn stop_sparing_old(&mut self, track: TrackKey) {
        let older = self.tracks[track.0].groups.keys().rev().skip(1);
        for group in older.copied().collect::<Vec<_>>() {
            self.stop_sparing(track, group);
        }
    }

    /// Gives up the reason to spare a group that is not the newest any more, or not small.
    fn stop_sparing(&mut self, track: TrackKey, id: GroupId) {
        let group = self.tracks[track.0].groups.get(&id);
        let place = group.and_then(|group| group.cached);
        if let Some(place) = place
            && let Some(group) = self.spared_groups.remove(place)
        {
            self.cached_groups.insert(place, group);
        }
    }

    /// Evicts the groups of tracks that are silent.
    pub(crate) fn evict_old(&mut self, now: Instant) {
        self.cache_look = None;
        self.evict_old_past(now);
        let old: Vec<(TrackKey, GroupId)> = self
            .cached_groups
            .values()
            .copied()
            .chain(self.spared_groups.values())
            .filter(|&(track, id)| {
                let touched = self.tracks[track.0]
                    .groups
                    .get(&id)
                    .map(|group| group.touched);
                touched.is_some_and(|touched| touched + self.config.cache_age <= now)
                    && !self.is_small_and_newest(track, id)
            })
            .collect();
        for (track, group) in old {
            self.stats.count_drop(DropReason::CacheAge);
            self.uncache(track, group);
        }
        let is_empty = self.cached_groups.is_empty()
            && self.spared_groups.is_empty()
            && self.past_groups.is_empty();
        if !is_empty {
            self.schedule_look(now);
        }
    }

    /// Leaves only the newest group, if it is small: what comes next comes after a gap.
    pub(crate) fn trim_cache(&mut self, key: TrackKey) {
        let groups: Vec<GroupId> = self.tracks[key.0].groups.keys().copied().collect();
        for group in groups {
            if !self.is_small_and_newest(key, group) {
                self.uncache(key, group);
            }
        }
    }

    /// Forgets every object of a track.
    pub(crate) fn clear_objects(&mut self, key: TrackKey) {
        self.abandon_live(key, SubgroupEnd::Reset(ResetCode::Cancelled));
        let groups: Vec<GroupId> = self.tracks[key.0].groups.keys().copied().collect();
        for group in groups {
            self.uncache(key, group);
        }
        self.forget_past(key);
        let track = &mut self.tracks[key.0];
        track.groups.clear();
        track.largest = None;
        track.end = None;
        track.floor = None;
    }

    /// Forgets a subgroup that has ended.
    pub(crate) fn remove_subgroup(&mut self, key: SubgroupKey) {
        let subgroup = self.subgroups.remove(key.0);
        let track = &mut self.tracks[subgroup.track.0];
        let id = subgroup.group();
        let Some(group) = track.groups.get_mut(&id) else {
            return;
        };
        group.subgroups.retain(|other| *other != key);
        if group.subgroups.is_empty() && group.cached.is_none() {
            let newer = track.groups.range(id..).take(CACHED_GROUPS + 1).count();
            // A recent group is remembered as not cached: its rest alone is no place to join.
            if newer > CACHED_GROUPS {
                track.groups.remove(&id);
            }
        }
    }

    /// Forgets the objects of a group; what streams goes on streaming.
    fn uncache(&mut self, key: TrackKey, id: GroupId) {
        let track = &mut self.tracks[key.0];
        let Some(group) = track.groups.get_mut(&id) else {
            return;
        };
        let Some(place) = group.cached.take() else {
            return;
        };
        self.cached_groups.remove(&place);
        self.spared_groups.remove(place);
        self.stats.cache_bytes -= group.bytes;
        track.cache_bytes -= group.bytes;
        group.bytes = 0;
        for subgroup in group.subgroups.clone() {
            let state = &mut self.subgroups[subgroup.0];
            state.cached = false;
            state.cached_bytes = 0;
            state.pieces = Vec::new();
            if state.end.is_some() {
                self.remove_subgroup(subgroup);
            }
        }
    }

    /// Uncaches the groups that are no longer among the newest.
    fn retire_groups(&mut self, key: TrackKey) {
        let groups = self.tracks[key.0].groups.keys().rev().skip(CACHED_GROUPS);
        for group in groups.copied().collect::<Vec<_>>() {
            self.uncache(key, group);
            let groups = &mut self.tracks[key.0].groups;
            if groups
                .get(&group)
                .is_some_and(|state| state.subgroups.is_empty())
            {
                groups.remove(&group);
            }
        }
    }

    fn is_small_and_newest(&self, key: TrackKey, id: GroupId) -> bool {
        let track = &self.tracks[key.0];
        let bytes = track.groups.get(&id).map_or(0, |group| group.bytes);
        track.is_newest(id)
            && bytes <= self.config.small_group_bytes
            && track.source != Source::Nobody
    }

    fn charge(&mut self, key: SubgroupKey, bytes: usize) {
        let subgroup = &mut self.subgroups[key.0];
        subgroup.cached_bytes += bytes;
        let track = &mut self.tracks[subgroup.track.0];
        track.cache_bytes += bytes;
        self.stats.cache_bytes += bytes;
        let (track, id) = (subgroup.track, subgroup.group());
        if let Some(group) = self.tracks[track.0].groups.get_mut(&id) {
            group.bytes += bytes;
            if group.bytes > self.config.small_group_bytes && !self.spared_groups.is_empty() {
                self.stop_sparing(track, id);
            }
        }
    }

    pub(crate) fn schedule_look(&mut self, now: Instant) {
        let at = now + (self.config.cache_age / 2).max(LOOK);
        self.cache_look = Some(at);
        self.schedule(at, Timer::Cache);
    }
}
