use std::collections::{BTreeMap, BTreeSet};

use parvis_wire::GroupId;

use crate::{PeerId, keys::TrackKey};

/// Small newest groups, which are evicted only when there is nothing else: then from whoever has
/// the most of them, so that nobody's many tracks evict another's one catalog.
#[derive(Debug, Default)]
pub(crate) struct SparedGroups {
    groups: BTreeMap<u64, Spared>,
    /// By who published them, those cached longest first.
    places: BTreeMap<PeerId, BTreeSet<u64>>,
    /// How many each has.
    counts: BTreeSet<(usize, PeerId)>,
}

#[derive(Debug, Clone, Copy)]
struct Spared {
    group: (TrackKey, GroupId),
    owner: PeerId,
}

impl SparedGroups {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// place: the group's among all that are cached.
    pub(crate) fn insert(&mut self, place: u64, group: (TrackKey, GroupId), owner: PeerId) {
        self.groups.insert(place, Spared { group, owner });
        self.change(owner, |places| places.insert(place));
    }

    pub(crate) fn remove(&mut self, place: u64) -> Option<(TrackKey, GroupId)> {
        let spared = self.groups.remove(&place)?;
        self.change(spared.owner, |places| places.remove(&place));
        Some(spared.group)
    }

    /// Takes the group that was cached longest of whoever has the most.
    pub(crate) fn pop(&mut self) -> Option<(TrackKey, GroupId)> {
        let (_, owner) = self.counts.last()?;
        let place = *self.places.get(owner)?.first()?;
        self.remove(place)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (TrackKey, GroupId)> {
        self.groups.values().map(|spared| spared.group)
    }

    fn change(&mut self, owner: PeerId, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let places = self.places.entry(owner).or_default();
        self.counts.remove(&(places.len(), owner));
        change(places);
        if places.is_empty() {
            self.places.remove(&owner);
        } else {
            self.counts.insert((places.len(), owner));
        }
    }
}
