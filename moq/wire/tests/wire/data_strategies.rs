//! Random data headers and streams of objects that have an encoding.

use parvis_wire::{
    Datagram, Draft, FetchObject, GroupId, GroupOrder, Location, ObjectHeader, ObjectId,
    ObjectStatus, Priority, Properties, SubgroupHeader, SubgroupId, SubgroupIdMode, TrackAlias,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::strategies::{bytes, int, location, properties};

pub fn subgroup_header() -> BoxedStrategy<SubgroupHeader> {
    let mode = prop_oneof![
        Just(SubgroupIdMode::Zero),
        Just(SubgroupIdMode::FirstObject),
        int().prop_map(|id| SubgroupIdMode::Explicit(SubgroupId(id))),
    ];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (int(), int(), mode, priority(), flags)
        .prop_map(|(alias, group, subgroup, priority, flags)| SubgroupHeader {
            track_alias: TrackAlias(alias),
            group: GroupId(group),
            subgroup,
            priority,
            has_properties: flags.0,
            end_of_group: flags.1,
            first_object: flags.2,
        })
        .boxed()
}

fn priority() -> BoxedStrategy<Option<Priority>> {
    option::of(any::<u8>().prop_map(Priority)).boxed()
}

fn status() -> BoxedStrategy<ObjectStatus> {
    prop_oneof![
        4 => Just(ObjectStatus::Normal),
        1 => Just(ObjectStatus::EndOfGroup),
        1 => Just(ObjectStatus::EndOfTrack),
    ]
    .boxed()
}

/// Objects in the order of their ids, each with its payload.
pub fn objects(has_properties: bool) -> BoxedStrategy<Vec<(ObjectHeader, Vec<u8>)>> {
    // The oracle keeps object ids below 2^62.
    let step = int().prop_map(|step| step >> 6);
    let object = (step, properties(), status(), vec(any::<u8>(), 0..40));
    vec(object, 0..6)
        .prop_map(move |objects| {
            let mut id = 0_u64;
            let objects = objects.into_iter().enumerate().map(|(index, object)| {
                let (step, properties, status, payload) = object;
                id = if index == 0 { step } else { id + 1 + step };
                let status = if payload.is_empty() {
                    status
                } else {
                    ObjectStatus::Normal
                };
                let carries = has_properties && status == ObjectStatus::Normal;
                let properties = if carries {
                    properties
                } else {
                    Properties::EMPTY
                };
                let payload_len = payload.len() as u64;
                (
                    ObjectHeader {
                        id: ObjectId(id),
                        properties,
                        status,
                        payload_len,
                    },
                    payload,
                )
            });
            objects
                .filter(|(header, _)| header.id.0 < 1 << 62)
                .collect()
        })
        .boxed()
}

pub fn datagram() -> BoxedStrategy<Datagram> {
    let contents = (any::<bool>(), properties(), status(), bytes(60));
    (int(), location(), any::<bool>(), priority(), contents)
        .prop_map(|(alias, location, at_zero, priority, contents)| {
            let (end_of_group, properties, status, payload) = contents;
            let object = if at_zero { 0 } else { location.object.0 };
            let location = Location::new(location.group.0, object);
            let track_alias = TrackAlias(alias);
            let (end_of_group, properties, payload) = match status {
                ObjectStatus::Normal => (end_of_group, properties, payload),
                _ => (false, Properties::EMPTY, bytes::Bytes::new()),
            };
            Datagram {
                track_alias,
                location,
                priority,
                end_of_group,
                properties,
                status,
                payload,
            }
        })
        .boxed()
}

/// The entries of a fetch stream, in order, with the payload of each.
pub fn fetch_stream(draft: Draft, order: GroupOrder) -> BoxedStrategy<Vec<(FetchObject, Vec<u8>)>> {
    let entry = (
        (0_u64..3, int().prop_map(|step| step >> 8), any::<u8>()),
        option::of(prop_oneof![0_u64..4, int().prop_map(|id| id >> 4)]),
        prop_oneof![Just(128), any::<u8>()].prop_map(Priority),
        option::of(properties()),
        vec(any::<u8>(), 0..20),
    );
    vec(entry, 0..12)
        .prop_map(move |entries| {
            let mut place = Location::new(1 << 40, 0);
            let mut is_first = true;
            let mut stream = Vec::new();
            for ((groups, step, kind), subgroup, priority, properties, payload) in entries {
                let is_end = kind < 40;
                // The end of a range has to be in another group in draft 22.
                let groups = if is_end && draft == Draft::D22 {
                    groups.max(1)
                } else {
                    groups
                };
                let group = match order {
                    GroupOrder::Ascending => place.group.0 + groups,
                    GroupOrder::Descending => place.group.0 - groups,
                };
                let object = if groups == 0 && !is_first {
                    place.object.0 + 1 + step
                } else {
                    step
                };
                place = Location::new(group, object);
                is_first = false;
                let entry = match kind {
                    0..15 => FetchObject::EndOfNonExistentRange(place),
                    30..40 if draft == Draft::D22 => FetchObject::EndOfTimedOutRange(place),
                    15..40 => FetchObject::EndOfUnknownRange(place),
                    _ => FetchObject::Object {
                        location: place,
                        subgroup: subgroup.map(SubgroupId),
                        priority,
                        properties,
                        payload_len: payload.len() as u64,
                    },
                };
                let payload = if is_end { Vec::new() } else { payload };
                stream.push((entry, payload));
            }
            stream
        })
        .boxed()
}
