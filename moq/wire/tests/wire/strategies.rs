//! Random values that have an encoding.

use bytes::Bytes;
use parvis_wire::{
    AuthToken, Draft, FullTrackName, GroupId, GroupOrder, Location, LocationFilter, MessageType,
    Parameters, Priority, Properties, Property, TrackName, TrackNamespace,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Integers of every encoded length.
pub fn int() -> BoxedStrategy<u64> {
    prop_oneof![
        4 => 0_u64..128,
        2 => 128_u64..20_000,
        2 => (0_u32..64).prop_flat_map(|shift| (0..=u64::MAX >> shift).boxed()),
        1 => Just(u64::MAX),
    ]
    .boxed()
}

pub fn bytes(max: usize) -> BoxedStrategy<Bytes> {
    vec(any::<u8>(), 0..=max).prop_map(Bytes::from).boxed()
}

pub fn namespace() -> BoxedStrategy<TrackNamespace> {
    let field = |max| vec(any::<u8>(), 1..=max).prop_map(Bytes::from);
    prop_oneof![
        6 => vec(field(12), 0..5),
        1 => vec(field(100), 0..=32),
        1 => vec(field(2000), 1..3),
    ]
    .prop_map(|fields| TrackNamespace::new(fields).expect("fields within limits"))
    .boxed()
}

pub fn track() -> BoxedStrategy<FullTrackName> {
    (namespace(), bytes(90))
        .prop_map(|(namespace, name)| {
            FullTrackName::new(namespace, TrackName(name)).expect("a name within limits")
        })
        .boxed()
}

pub fn location() -> BoxedStrategy<Location> {
    (int(), int())
        .prop_map(|(group, object)| Location::new(group, object))
        .boxed()
}

pub fn text(max: usize) -> BoxedStrategy<String> {
    vec(any::<char>(), 0..=max)
        .prop_map(|chars| chars.into_iter().collect())
        .boxed()
}

pub fn token() -> BoxedStrategy<AuthToken> {
    prop_oneof![
        int().prop_map(|alias| AuthToken::Delete { alias }),
        int().prop_map(|alias| AuthToken::UseAlias { alias }),
        (int(), int(), bytes(40)).prop_map(|(alias, kind, value)| AuthToken::Register {
            alias,
            kind,
            value
        }),
        (int(), bytes(40)).prop_map(|(kind, value)| AuthToken::UseValue { kind, value }),
    ]
    .boxed()
}

/// Properties that are valid for a track and for an object.
pub fn properties() -> BoxedStrategy<Properties> {
    vec(property(true), 0..6)
        .prop_map(Properties::encode)
        .boxed()
}

fn property(outer: bool) -> BoxedStrategy<Property> {
    let plain = (int(), int(), bytes(20)).prop_map(|(kind, integer, bytes)| match kind {
        0x22 => Property::integer(kind, 1 + integer % 2),
        0x30 => Property::integer(kind, integer % 2),
        0x0B => Property::bytes(0x0D, bytes),
        kind if kind % 2 == 0 => Property::integer(kind, integer),
        kind => Property::bytes(kind, bytes),
    });
    if !outer {
        return plain.boxed();
    }
    let immutable = vec(property(false), 0..4)
        .prop_map(|inner| Property::bytes(0x0B, Properties::encode(inner).as_bytes().clone()));
    prop_oneof![8 => plain, 1 => immutable].boxed()
}

pub fn filter(draft: Draft) -> BoxedStrategy<LocationFilter> {
    let groups = (location(), int()).prop_map(|(start, more)| {
        let end = GroupId(start.group.0.saturating_add(more));
        LocationFilter::AbsoluteGroups { start, end }
    });
    let common = prop_oneof![
        Just(LocationFilter::NextObject),
        Just(LocationFilter::NextGroup),
        location().prop_map(LocationFilter::AbsoluteStart),
        groups,
    ];
    match draft {
        Draft::D18 => common.boxed(),
        Draft::D22 => prop_oneof![
            4 => common,
            1 => Just(LocationFilter::Unfiltered),
            1 => int().prop_map(|groups| LocationFilter::RelativeStart(groups.max(1))),
            1 => (location(), int(), int()).prop_map(|(start, more, object)| {
                let end = Location::new(start.group.0.saturating_add(more), object);
                LocationFilter::AbsoluteRange { start, end }
            }),
        ]
        .boxed(),
    }
}

fn range_filters() -> BoxedStrategy<Vec<(u64, Bytes)>> {
    vec((0x25_u64..=0x29, bytes(12)), 0..4)
        .prop_map(|mut filters| {
            filters.sort_by_key(|(kind, _)| *kind);
            filters
        })
        .boxed()
}

fn group_order() -> BoxedStrategy<GroupOrder> {
    prop_oneof![Just(GroupOrder::Ascending), Just(GroupOrder::Descending)].boxed()
}

fn fill() -> BoxedStrategy<Parameters> {
    let fields = (
        option::of(int()),
        option::of(any::<u8>().prop_map(Priority)),
        option::of(filter(Draft::D22)),
        option::of(group_order()),
        range_filters(),
    );
    fields
        .prop_map(
            |(fill_timeout, subscriber_priority, filter, group_order, range_filters)| {
                let range_filters = range_filters.into_iter().filter(|(kind, _)| *kind < 0x29);
                Parameters {
                    fill_timeout,
                    subscriber_priority,
                    filter,
                    group_order,
                    range_filters: range_filters.collect(),
                    ..Parameters::default()
                }
            },
        )
        .boxed()
}

/// Parameters that `message` may carry.
pub fn parameters(message: MessageType, draft: Draft) -> BoxedStrategy<Parameters> {
    let first = (
        option::of(int()),
        vec(token(), 0..3),
        option::of(int()),
        option::of(int()),
        option::of(int()),
        option::of(location()),
        option::of(int()),
        option::of(any::<bool>()),
    );
    let second = (
        option::of(any::<u8>().prop_map(Priority)),
        option::of(filter(draft)),
        option::of(group_order()),
        option::of(fill().prop_map(Box::new)),
        range_filters(),
        option::of(int()),
        option::of(namespace()),
        option::of(any::<bool>()),
    );
    (first, second)
        .prop_map(move |(first, second)| {
            let mut parameters = Parameters {
                object_delivery_timeout: first.0,
                auth_tokens: first.1,
                rendezvous_timeout: first.2,
                subgroup_delivery_timeout: first.3,
                expires: first.4,
                largest: first.5,
                fill_timeout: first.6,
                forward: first.7,
                subscriber_priority: second.0,
                filter: second.1,
                group_order: second.2,
                fill: second.3,
                range_filters: second.4,
                new_group_request: second.5,
                namespace_prefix: second.6,
                include_properties: second.7,
                hop_path: None,
                route_cost: None,
            };
            parameters.retain_allowed(message, draft);
            parameters
        })
        .boxed()
}
