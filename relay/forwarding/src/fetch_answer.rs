//! What is known of a track's past: the objects that are cached, and where there are none.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, btree_map::Entry as Slot},
    rc::Rc,
};

use bytes::Bytes;
use parvis_wire::{FetchObject, GroupId, GroupOrder, Location, ObjectStatus, Priority};
use rustc_hash::FxHashMap;

use crate::{
    Forwarder, SubgroupEnd,
    keys::{SubgroupKey, TrackKey},
    subgroup::{Piece, Subgroup},
    track::Group,
    window::Window,
};

/// What a pass over an answer has found out about cached groups, none of which changes meanwhile: each is
/// looked through once, however many parts of it are known.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    ids: RefCell<FxHashMap<GroupId, Ids>>,
    pieces: RefCell<FxHashMap<GroupId, Pieces>>,
}

/// Ranges of object ids.
type Ids = Rc<[(u64, u64)]>;
/// Where objects begin, in order of their ids.
type Pieces = Rc<[(u64, SubgroupKey, usize)]>;

/// Objects of an answer.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) entries: Vec<(FetchObject, Bytes)>,
    /// The last of them, if there are more.
    pub(crate) cut: Option<Location>,
}

impl Forwarder {
    /// The objects of a range in which every object is known, in the order of a FETCH.
    ///
    /// most: how many at most.
    pub(crate) fn known_objects(
        &self,
        key: TrackKey,
        order: GroupOrder,
        window: Window,
        most: usize,
        looked: &Looked,
    ) -> Objects {
        let track = &self.tracks[key.0];
        let range = window.start.group..=window.end.group;
        let live = track.groups.range(range);
        let live = live.filter(|(_, group)| group.cached.is_some());
        let mut groups: BTreeSet<GroupId> = live.map(|(id, _)| *id).collect();
        groups.extend(track.past.groups_in(window));
        let mut groups: Vec<GroupId> = groups.into_iter().collect();
        if order == GroupOrder::Descending {
            groups.reverse();
        }
        let mut entries = Vec::new();
        for group in groups {
            // One more tells whether there are more.
            let wanted = most + 1 - entries.len();
            self.collect_group(key, group, window, wanted, looked, &mut entries);
            if entries.len() > most {
                entries.truncate(most);
                let cut = entries.last().map(|(object, _)| object.location());
                return Objects { entries, cut };
            }
        }
        Objects { entries, cut: None }
    }

    /// The objects of a group inside a window, in order of id whatever their subgroup.
    fn collect_group(
        &self,
        key: TrackKey,
        id: GroupId,
        window: Window,
        most: usize,
        looked: &Looked,
        entries: &mut Vec<(FetchObject, Bytes)>,
    ) {
        let track = &self.tracks[key.0];
        let priority = track.default_priority();
        let past = track.past.objects_of(id, window).take(most);
        let mut found: BTreeMap<u64, (FetchObject, Bytes)> = past
            .map(|(at, (object, payload))| (at.object.0, (object.clone(), payload.clone())))
            .collect();
        let pieces = looked.pieces(self, key, id);
        let location = |object: u64| Location::new(id.0, object);
        let first = pieces.partition_point(|(object, ..)| location(*object) < window.start);
        let mut live = 0;
        for (object, subgroup, index) in &pieces[first..] {
            if live == most || location(*object) > window.end {
                break;
            }
            if let Slot::Vacant(vacant) = found.entry(*object)
                && let Some(entry) = entry(&self.subgroups[subgroup.0], *index, priority)
            {
                vacant.insert(entry);
                live += 1;
            }
        }
        entries.extend(found.into_values().take(most));
    }

    /// Where the objects of a group begin.
    fn pieces_of(&self, group: Option<&Group>) -> Vec<(u64, SubgroupKey, usize)> {
        let subgroups = group.into_iter().flat_map(|group| &group.subgroups);
        let pieces = subgroups.flat_map(|key| {
            let pieces = self.subgroups[key.0].pieces.iter().enumerate();
            pieces.filter_map(move |(index, piece)| match piece {
                Piece::Object { header, .. } => Some((header.id.0, *key, index)),
                Piece::Data(_) => None,
            })
        });
        let mut pieces: Vec<_> = pieces.collect();
        pieces.sort_by_key(|(object, ..)| *object);
        pieces
    }

    /// The ranges of object ids of a cached group in which everything is known, in order.
    fn known_ids(&self, key: TrackKey, id: GroupId) -> Vec<(u64, u64)> {
        let group = self.tracks[key.0].groups.get(&id);
        let Some(group) = group.filter(|group| group.cached.is_some()) else {
            return Vec::new();
        };
        let subgroups = || group.subgroups.iter().map(|key| &self.subgroups[key.0]);
        let is_over = |s: &Subgroup| s.header.first_object && s.end == Some(SubgroupEnd::Finished);
        if !group.subgroups.is_empty() && subgroups().all(is_over) {
            return vec![(0, u64::MAX)];
        }
        let mut known: Vec<(u64, u64)> = Vec::new();
        for subgroup in subgroups() {
            known.extend(subgroup.known_ids());
        }
        known.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (first, last) in known {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        merged
    }
}

impl Looked {
    /// The ranges of object ids of a cached group in which everything is known, in order.
    pub(crate) fn known_ids(&self, forwarder: &Forwarder, key: TrackKey, id: GroupId) -> Ids {
        let mut all = self.ids.borrow_mut();
        let ids = all.entry(id);
        Rc::clone(ids.or_insert_with(|| forwarder.known_ids(key, id).into()))
    }

    fn pieces(&self, forwarder: &Forwarder, key: TrackKey, id: GroupId) -> Pieces {
        let mut all = self.pieces.borrow_mut();
        let pieces = all.entry(id).or_insert_with(|| {
            let group = forwarder.tracks[key.0].groups.get(&id);
            let group = group.filter(|group| group.cached.is_some());
            forwarder.pieces_of(group).into()
        });
        Rc::clone(pieces)
    }
}

impl Subgroup {
    /// The objects that are cached whole, and what is behind the end of the group.
    fn known_ids(&self) -> Vec<(u64, u64)> {
        let mut known = Vec::new();
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            let Piece::Object {
                header,
                raw,
                header_len,
            } = piece
            else {
                continue;
            };
            let mut len = raw.len().saturating_sub(*header_len);
            while let Some(Piece::Data(data)) = pieces.peek() {
                len += data.len();
                pieces.next();
            }
            let is_whole = len as u64 == header.payload_len;
            match header.status {
                ObjectStatus::Normal if is_whole => known.push((header.id.0, header.id.0)),
                ObjectStatus::Normal => {}
                // There is no object of this id or a larger one.
                _ => known.push((header.id.0, u64::MAX)),
            }
        }
        if self.header.end_of_group
            && self.end == Some(SubgroupEnd::Finished)
            && let Some(last) = self.last
        {
            known.push((last.0.saturating_add(1), u64::MAX));
        }
        known
    }
}

/// The object that begins with this piece; `None` if it is no content or not whole.
///
/// priority: what the track's subgroups have that name none.
fn entry(subgroup: &Subgroup, index: usize, priority: Priority) -> Option<(FetchObject, Bytes)> {
    let Piece::Object {
        header,
        raw,
        header_len,
    } = subgroup.pieces.get(index)?
    else {
        return None;
    };
    let first = raw.slice(*header_len..);
    let rest: Vec<&Bytes> = subgroup.pieces[index + 1..]
        .iter()
        .map_while(|piece| match piece {
            Piece::Data(data) => Some(data),
            Piece::Object { .. } => None,
        })
        .collect();
    let payload = if rest.is_empty() {
        first
    } else {
        std::iter::once(&first)
            .chain(rest)
            .flatten()
            .copied()
            .collect()
    };
    if header.status != ObjectStatus::Normal || payload.len() as u64 != header.payload_len {
        return None;
    }
    let object = FetchObject::Object {
        location: subgroup.location(header.id),
        subgroup: Some(subgroup.id()),
        priority: subgroup.header.priority.unwrap_or(priority),
        properties: subgroup
            .header
            .has_properties
            .then(|| header.properties.clone()),
        payload_len: header.payload_len,
    };
    Some((object, payload))
}
