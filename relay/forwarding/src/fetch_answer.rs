//! The answer to a FETCH: the cached objects of a range, and what is not known of it.

use bytes::Bytes;
use parvis_wire::{
    FetchObject, FetchOk, GroupId, GroupOrder, Location, ObjectId, ObjectStatus, Parameters,
    Priority, Properties,
};

use crate::{
    Forwarder, Output, Receiver, Signal, SubgroupEnd,
    fetch::Fetch,
    keys::{SubgroupKey, TrackKey},
    subgroup::{Piece, Subgroup},
    track::Group,
    window::Window,
};

impl Forwarder {
    pub(crate) fn serve(&mut self, key: TrackKey, fetch: &Fetch, window: Window) {
        let track = &self.tracks[key.0];
        let properties = if fetch.include_properties {
            track.properties.clone()
        } else {
            Properties::EMPTY
        };
        let answer = FetchOk {
            end_of_track: false,
            end: window.end,
            parameters: Parameters::default(),
            track_properties: properties,
        };
        self.say(fetch.receiver, Signal::FetchOk(answer));
        let entries = self.collect(key, fetch.order, window);
        let Receiver { peer, request } = fetch.receiver;
        for (object, payload) in entries {
            if let FetchObject::Object { .. } = object {
                self.stats.objects_out += 1;
                self.stats.bytes_out += payload.len() as u64;
            }
            let object = Box::new(object);
            self.outputs.push_back(Output::FetchObject {
                peer,
                request,
                object,
                payload,
            });
        }
        self.outputs.push_back(Output::FetchEnd { peer, request });
        self.forget(fetch.receiver);
    }

    /// The entries of an answer: the cached objects of a range, and what is not known of it.
    fn collect(
        &self,
        key: TrackKey,
        order: GroupOrder,
        window: Window,
    ) -> Vec<(FetchObject, Bytes)> {
        let track = &self.tracks[key.0];
        let range = track.groups.range(window.start.group..=window.end.group);
        let cached: Vec<(GroupId, &Group)> = range
            .filter(|(_, g)| g.cached.is_some())
            .map(|(id, group)| (*id, group))
            .collect();
        let mut entries = Vec::new();
        let unknown = |to| (FetchObject::EndOfUnknownRange(to), Bytes::new());
        let Some(oldest) = cached.first().map(|(id, _)| *id) else {
            let to = match order {
                GroupOrder::Ascending => window.end,
                GroupOrder::Descending => Location {
                    group: window.start.group,
                    ..window.end
                },
            };
            return vec![unknown(to)];
        };
        let has_lost_groups = window.start.group < oldest;
        if has_lost_groups && order == GroupOrder::Ascending {
            entries.push(unknown(Location::new(oldest.0 - 1, u64::MAX)));
        }
        let mut collect = |group: &(GroupId, &Group)| {
            self.collect_group(key, *group, window, &mut entries);
        };
        match order {
            GroupOrder::Ascending => cached.iter().for_each(&mut collect),
            GroupOrder::Descending => cached.iter().rev().for_each(&mut collect),
        }
        if has_lost_groups && order == GroupOrder::Descending {
            entries.push(unknown(window.start));
        }
        entries
    }

    /// The objects of a group inside a window, in order of id whatever their subgroup.
    fn collect_group(
        &self,
        track: TrackKey,
        (id, group): (GroupId, &Group),
        window: Window,
        entries: &mut Vec<(FetchObject, Bytes)>,
    ) {
        let is_whole = group.subgroups.iter().all(|key| {
            let subgroup = &self.subgroups[key.0];
            subgroup.header.first_object && subgroup.end == Some(SubgroupEnd::Finished)
        });
        let priority = self.tracks[track.0].default_priority();
        let mut objects: Vec<(ObjectId, SubgroupKey, usize)> = Vec::new();
        for key in &group.subgroups {
            let subgroup = &self.subgroups[key.0];
            for (index, piece) in subgroup.pieces.iter().enumerate() {
                if let Piece::Object { header, .. } = piece
                    && window.contains(subgroup.location(header.id))
                {
                    objects.push((header.id, *key, index));
                }
            }
        }
        objects.sort_unstable_by_key(|(object, ..)| *object);
        let unknown = |object| {
            let to = Location {
                group: id,
                object: ObjectId(object),
            };
            (FetchObject::EndOfUnknownRange(to), Bytes::new())
        };
        let mut next = if id == window.start.group {
            window.start.object.0
        } else {
            0
        };
        for (object, key, index) in objects {
            let Some(entry) = entry(&self.subgroups[key.0], index, priority) else {
                continue;
            };
            if object.0 > next && !is_whole {
                entries.push(unknown(object.0 - 1));
            }
            next = object.0.saturating_add(1);
            entries.push(entry);
        }
        let last = if id == window.end.group {
            window.end.object.0
        } else {
            u64::MAX
        };
        if next <= last && !is_whole {
            entries.push(unknown(last));
        }
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
