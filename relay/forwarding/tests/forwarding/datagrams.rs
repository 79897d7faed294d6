//! Objects in datagrams.

use bytes::Bytes;
use parvis_forwarding::{Config, DropReason, Input, PeerId, RequestRef, Signal};
use parvis_wire::{
    Datagram, Location, LocationFilter, ObjectStatus, Parameters, Properties, TrackAlias,
};

use crate::support::{Relay, at, publish, subscribe, subscribe_with, theirs, track};

const PATH: &str = "room/ann/microphone";

fn send(relay: &mut Relay, (peer, request): (PeerId, RequestRef), location: Location) -> Datagram {
    let datagram = Datagram {
        track_alias: TrackAlias(3),
        location,
        priority: None,
        end_of_group: false,
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload: Bytes::from_static(b"voice"),
    };
    let boxed = Box::new(datagram.clone());
    relay.input(
        peer,
        Input::Datagram {
            peer,
            request,
            datagram: boxed,
        },
    );
    datagram
}

fn locations(relay: &Relay, peer: PeerId) -> Vec<Location> {
    relay
        .received(peer, theirs(4))
        .datagrams
        .iter()
        .map(|d| d.location)
        .collect()
}

#[test]
fn datagram_reaches_every_subscription_whose_filter_names_it() {
    let mut relay = Relay::with(2, Config::default());
    let (publisher, first) = (relay.connect_to(0), relay.connect_to(1));
    relay.say(publisher, theirs(0), publish(PATH));
    relay.say(first, theirs(4), subscribe(PATH));
    let source = (publisher, theirs(0));
    let sent = send(&mut relay, source, at(3, 0));
    assert_eq!(relay.received(first, theirs(4)).datagrams, [sent]);

    let next = relay.connect_to(0);
    let filter = Some(LocationFilter::NextGroup);
    let parameters = Parameters {
        filter,
        ..Parameters::default()
    };
    relay.say(next, theirs(4), subscribe_with(PATH, parameters));
    for location in [at(3, 1), at(4, 0), at(4, 1)] {
        send(&mut relay, source, location);
    }
    assert_eq!(
        locations(&relay, first),
        [at(3, 0), at(3, 1), at(4, 0), at(4, 1)]
    );
    assert_eq!(locations(&relay, next), [at(4, 0), at(4, 1)]);
}

#[test]
fn datagram_moves_the_largest_object() {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish(PATH));
    send(&mut relay, (publisher, theirs(0)), at(3, 7));
    relay.say(peer, theirs(0), Signal::TrackStatus { track: track(PATH) });
    let (_, answer) = relay.heard_one(peer);
    assert!(
        matches!(&answer, Signal::TrackStatusOk { parameters, .. }
            if parameters.largest == Some(at(3, 7))),
        "{answer:?}"
    );
}

#[test]
fn datagram_that_a_replaced_source_repeats_is_dropped() {
    let mut relay = Relay::new();
    let (old, new, peer) = (relay.connect(), relay.connect(), relay.connect());
    relay.say(old, theirs(0), publish(PATH));
    relay.say(peer, theirs(4), subscribe(PATH));
    send(&mut relay, (old, theirs(0)), at(3, 0));
    let parameters = Parameters {
        largest: Some(at(3, 1)),
        ..Parameters::default()
    };
    let properties = Properties::EMPTY;
    relay.say(
        new,
        theirs(0),
        Signal::Publish {
            track: track(PATH),
            parameters,
            properties,
        },
    );
    for location in [at(3, 0), at(3, 1)] {
        send(&mut relay, (new, theirs(0)), location);
    }
    send(&mut relay, (old, theirs(0)), at(3, 2));
    assert_eq!(locations(&relay, peer), [at(3, 0), at(3, 1)]);
    let stats = relay.shards[0].stats();
    assert_eq!(stats.dropped(DropReason::Duplicate), 1);
    assert_eq!(stats.dropped(DropReason::UnknownStream), 1);
}
