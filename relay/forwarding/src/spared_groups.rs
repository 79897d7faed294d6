use std::collections::{BTreeMap, BTreeSet};

use parvis_wire::{GroupId, TrackNamespace};

use crate::{PeerId, keys::TrackKey};

/// Who published a group: the session, or, where it came from another thread or relay, whose namespace it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Session(PeerId),
    Namespace(TrackNamespace),
}

/// Small newest groups, which are evicted only when there is nothing else: then from whoever has
/// the most of them, so that nobody's many tracks evict another's one catalog.
#[derive(Debug, Default)]
pub(crate) struct SparedGroups {
    groups: BTreeMap<u64, Spared>,
    /// By who published them, those cached longest first.
    places: BTreeMap<Owner, BTreeSet<u64>>,
    /// How many each has.
    counts: BTreeSet<(usize, Owner)>,
}

#[derive(Debug, Clone)]
struct Spared {
    group: (TrackKey, GroupId),
    owner: Owner,
}

impl SparedGroups {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// place: the group's among all that are cached.
    pub(crate) fn insert(&mut self, place: u64, group: (TrackKey, GroupId), owner: Owner) {
        let spared = Spared {
            group,
            owner: owner.clone(),
        };
        self.groups.insert(place, spared);
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

    fn change(&mut self, owner: Owner, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let places = self.places.entry(owner.clone()).or_default();
        let before = (places.len(), owner);
        self.counts.remove(&before);
        change(places);
        let (_, owner) = before;
        if places.is_empty() {
            self.places.remove(&owner);
        } else {
            self.counts.insert((places.len(), owner));
        }
    }
}
