//! What is known of a track's past: the objects that are cached, and where there are none.

use std::collections::BTreeSet;

use bytes::Bytes;
use parvis_wire::{FetchObject, GroupId, GroupOrder, ObjectId, ObjectStatus, Priority};

use crate::{
    Forwarder, SubgroupEnd,
    keys::{SubgroupKey, TrackKey},
    subgroup::{Piece, Subgroup},
    track::Group,
    window::Window,
};

impl Forwarder {
    /// The objects of a range in which every object is known, in the order of a FETCH.
    pub(crate) fn known_objects(
        &self,
        key: TrackKey,
        order: GroupOrder,
        window: Window,
    ) -> Vec<(FetchObject, Bytes)> {
        let track = &self.tracks[key.0];
        let range = window.start.group..=window.end.group;
        let live = track.groups.range(range);
        let live = live.filter(|(_, group)| group.cached.is_some());
        let mut groups: BTreeSet<GroupId> = live.map(|(id, _)| *id).collect();
        groups.extend(track.past.groups_in(window));
        let mut objects = Vec::new();
        let mut collect = |id: &GroupId| self.collect_group(key, *id, window, &mut objects);
        match order {
            GroupOrder::Ascending => groups.iter().for_each(&mut collect),
            GroupOrder::Descending => groups.iter().rev().for_each(&mut collect),
        }
        objects
    }

    /// The objects of a group inside a window, in order of id whatever their subgroup.
    fn collect_group(
        &self,
        key: TrackKey,
        id: GroupId,
        window: Window,
        objects: &mut Vec<(FetchObject, Bytes)>,
    ) {
        let track = &self.tracks[key.0];
        let priority = track.default_priority();
        let first = objects.len();
        let past = track.past.objects_of(id, window);
        objects.extend(past.map(|(_, (object, payload))| (object.clone(), payload.clone())));
        let group = track.groups.get(&id).filter(|group| group.cached.is_some());
        for (subgroup, index, object) in self.pieces_of(group) {
            let subgroup = &self.subgroups[subgroup.0];
            let is_new = || {
                objects[first..]
                    .iter()
                    .all(|(o, _)| o.location().object != object)
            };
            if window.contains(subgroup.location(object))
                && (first == objects.len() || is_new())
                && let Some(entry) = entry(subgroup, index, priority)
            {
                objects.push(entry);
            }
        }
        objects[first..].sort_by_key(|(object, _)| object.location());
    }

    /// Where the objects of a group begin.
    fn pieces_of<'a>(
        &'a self,
        group: Option<&'a Group>,
    ) -> impl Iterator<Item = (SubgroupKey, usize, ObjectId)> + 'a {
        let subgroups = group.into_iter().flat_map(|group| &group.subgroups);
        subgroups.flat_map(|key| {
            let pieces = self.subgroups[key.0].pieces.iter().enumerate();
            pieces.filter_map(move |(index, piece)| match piece {
                Piece::Object { header, .. } => Some((*key, index, header.id)),
                Piece::Data(_) => None,
            })
        })
    }

    /// The ranges of object ids of a cached group in which everything is known, in order.
    pub(crate) fn known_ids(&self, key: TrackKey, id: GroupId) -> Vec<(u64, u64)> {
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
