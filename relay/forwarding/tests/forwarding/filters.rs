//! Range filters of draft 22: on subscriptions, fetches, and the tracks of a prefix.

use bytes::Bytes;
use parvis_forwarding::{Config, Input, PeerId, Signal};
use parvis_wire::{
    Datagram, FilterSubject, FullTrackName, ObjectStatus, Parameters, Properties, Property,
    RangeFilter, RequestErrorCode, SubgroupId, SubgroupIdMode, TrackAlias,
};

use crate::{
    answering::Answering,
    fetch::{PATH, fetched, standalone, with_groups},
    support::{Publishing, Relay, at, namespace, publish, subscribe_with, theirs, track},
};

fn filtered(filters: &[(FilterSubject, &[(u64, u64)])]) -> Parameters {
    let filters = filters.iter().map(|(subject, ranges)| {
        RangeFilter {
            set: 0,
            subject: *subject,
            ranges: ranges.to_vec(),
        }
        .encode()
    });
    Parameters {
        range_filters: filters.collect(),
        ..Parameters::default()
    }
}

/// A publisher by PUBLISH, and a subscriber with filters.
fn filtering(relay: &mut Relay, parameters: Parameters) -> (PeerId, PeerId) {
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish(PATH));
    relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
    (publisher, peer)
}

const EVEN: &[(u64, u64)] = &[(0, 0), (2, 2), (4, 4)];

#[test]
fn objects_that_pass_come_on_streams_of_their_own_encoding() {
    let mut relay = Relay::new();
    let parameters = filtered(&[(FilterSubject::Object, EVEN)]);
    let (publisher, peer) = filtering(&mut relay, parameters.clone());
    let other = relay.connect();
    relay.say(
        other,
        theirs(0),
        subscribe_with(PATH, Parameters::default()),
    );
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 1, 3, SubgroupIdMode::FirstObject);
    for id in 0..6 {
        stream.object(&mut relay, id, 4);
        if id == 3 {
            // One that joins from the cache.
            let late = relay.connect();
            relay.say(late, theirs(0), subscribe_with(PATH, parameters.clone()));
            assert_eq!(relay.locations(late, theirs(0)), [at(3, 0), at(3, 2)]);
        }
    }
    stream.finish(&mut relay);
    assert_eq!(
        relay.locations(peer, theirs(0)),
        [at(3, 0), at(3, 2), at(3, 4)]
    );
    assert_eq!(relay.locations(other, theirs(0)).len(), 6);
    let streams = relay.received(peer, theirs(0)).streams;
    assert_eq!(streams.len(), 1);
    assert!(streams[0].end.is_some() && !streams[0].header.end_of_group);
}

#[test]
fn subgroup_that_does_not_pass_opens_no_stream() {
    let mut relay = Relay::new();
    let parameters = filtered(&[(FilterSubject::Subgroup, &[(1, u64::MAX)])]);
    let (publisher, peer) = filtering(&mut relay, parameters);
    let source = (publisher, theirs(0));
    let explicit = SubgroupIdMode::Explicit(SubgroupId(1));
    let mut base = Publishing::open(&mut relay, source, 1, 3, SubgroupIdMode::Zero);
    let mut layer = Publishing::open(&mut relay, source, 2, 3, explicit);
    base.object(&mut relay, 0, 9);
    layer.object(&mut relay, 1, 9);
    base.object(&mut relay, 2, 9);
    layer.object(&mut relay, 3, 9);
    assert_eq!(relay.locations(peer, theirs(0)), [at(3, 1), at(3, 3)]);
    assert_eq!(relay.received(peer, theirs(0)).streams.len(), 1);
    relay.say(peer, theirs(0), Signal::Cancel);
    layer.object(&mut relay, 5, 9);
    relay.disconnect(publisher);
    relay.disconnect(peer);
    relay.assert_empty();
}

#[test]
fn update_replaces_filters_from_the_next_object_on() {
    let mut relay = Relay::new();
    let parameters = filtered(&[(FilterSubject::Object, &[(0, 1)])]);
    let (publisher, peer) = filtering(&mut relay, parameters);
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 1, 3, SubgroupIdMode::Zero);
    for id in 0..3 {
        stream.object(&mut relay, id, 9);
    }
    let none = Parameters {
        range_filters: vec![(0x26, Bytes::new())],
        ..Parameters::default()
    };
    relay.say(peer, theirs(0), Signal::Update(none));
    stream.object(&mut relay, 3, 9);
    let locations = relay.locations(peer, theirs(0));
    assert_eq!(locations, [at(3, 0), at(3, 1), at(3, 3)]);
    let only = filtered(&[(FilterSubject::Object, &[(5, 5)])]);
    relay.say(peer, theirs(0), Signal::Update(only));
    for id in 4..7 {
        stream.object(&mut relay, id, 9);
    }
    assert_eq!(relay.locations(peer, theirs(0))[3..], [at(3, 5)]);
    let odd = Parameters {
        range_filters: vec![(0x28, Bytes::from_static(&[0, 1, 1]))],
        ..Parameters::default()
    };
    relay.heard(peer);
    relay.say(peer, theirs(0), Signal::Update(odd));
    let (_, answer) = relay.heard_one(peer);
    assert!(
        matches!(&answer, Signal::UpdateReject(error)
            if error.code == RequestErrorCode::InvalidFilter),
        "{answer:?}"
    );
}

#[test]
fn fetched_objects_are_filtered_and_kept_all_the_same() {
    let (mut relay, publisher, _) = with_groups();
    let (first, second) = (relay.connect(), relay.connect());
    let odd = filtered(&[(FilterSubject::Object, &[(1, 1)])]);
    relay.say(first, theirs(0), standalone(at(2, 0), (4, None), odd));
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert!(
        asked.parameters.range_filters.is_empty(),
        "the cache wants all"
    );
    asked.accept(&mut relay, at(3, u64::MAX));
    for object in [at(2, 0), at(2, 1), at(3, 0)] {
        asked.object(&mut relay, object, 6);
    }
    asked.finish(&mut relay);
    assert_eq!(fetched(&relay, first, 0), [Ok(at(2, 1)), Ok(at(4, 1))]);
    let all = standalone(at(2, 0), (3, None), Parameters::default());
    relay.say(second, theirs(0), all);
    let expected = [at(2, 0), at(2, 1), at(3, 0)].map(Ok);
    assert_eq!(fetched(&relay, second, 0), expected);
}

#[test]
fn datagrams_are_filtered_by_what_they_have() {
    let mut relay = Relay::new();
    let parameters = filtered(&[(FilterSubject::ObjectProperty(0x40), &[(7, 9)])]);
    let (publisher, peer) = filtering(&mut relay, parameters);
    for (object, value) in [(0, 6), (1, 7), (2, 9), (3, 10)] {
        let datagram = Datagram {
            track_alias: TrackAlias(0),
            location: at(1, object),
            priority: None,
            end_of_group: false,
            properties: Properties::encode(vec![Property::integer(0x40, value)]),
            status: ObjectStatus::Normal,
            payload: Bytes::from_static(b"x"),
        };
        relay.input(
            publisher,
            Input::Datagram {
                peer: publisher,
                request: theirs(0),
                datagram: Box::new(datagram),
            },
        );
    }
    let datagrams = relay.received(peer, theirs(0)).datagrams;
    let locations: Vec<_> = datagrams.iter().map(|d| d.location).collect();
    assert_eq!(locations, [at(1, 1), at(1, 2)]);
}

#[test]
fn tracks_of_a_prefix_are_offered_by_their_properties() {
    let mut relay = Relay::with(1, Config::default());
    let (publisher, peer) = (relay.connect(), relay.connect());
    let parameters = filtered(&[(FilterSubject::TrackProperty(0x40), &[(2, 3)])]);
    let prefix = namespace("room");
    relay.say(
        peer,
        theirs(0),
        Signal::SubscribeTracks { prefix, parameters },
    );
    relay.heard(peer);
    for (number, value) in [(0, 1), (4, 2)] {
        let signal = Signal::Publish {
            track: track(&format!("room/ann/track{value}")),
            parameters: Parameters::default(),
            properties: Properties::encode(vec![Property::integer(0x40, value)]),
        };
        relay.say(publisher, theirs(number), signal);
    }
    let offered: Vec<FullTrackName> = relay
        .heard(peer)
        .into_iter()
        .filter_map(|(_, signal)| match signal {
            Signal::Publish { track, .. } => Some(track),
            _ => None,
        })
        .collect();
    assert_eq!(offered, [track("room/ann/track2")]);
}
