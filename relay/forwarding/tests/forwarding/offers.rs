//! Tracks offered to those that want every track of a namespace.

use std::time::Duration;

use parvis_forwarding::Signal;
use parvis_wire::{LocationFilter, Parameters, Properties, RequestErrorCode, SubgroupIdMode};

use crate::{
    publishing::{publish_ok, subscribe_tracks, update_forward, with_offer},
    support::{
        Publishing, Relay, at, publish, subscribe, subscribe_ok, subscribe_with, theirs, track,
    },
};

#[test]
fn track_is_offered_under_the_prefix_before_and_after() {
    let mut relay = Relay::new();
    let (before, elsewhere) = (relay.connect(), relay.connect());
    relay.say(
        before,
        theirs(0),
        subscribe_tracks("room", Parameters::default()),
    );
    relay.say(
        elsewhere,
        theirs(0),
        subscribe_tracks("roomful", Parameters::default()),
    );
    relay.heard(before);
    relay.heard(elsewhere);
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    assert_eq!(
        relay.heard(publisher),
        [(theirs(0), publish_ok(true))],
        "an offer is a wish"
    );
    let offer = relay.heard_one(before);
    assert_eq!(offer.1, publish("room/ann/video"));
    assert!(relay.heard(elsewhere).is_empty());
    with_offer(&mut relay, "room/ann/video");
}

#[test]
fn accepted_offer_gets_what_came_since_the_offer() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let (viewer, offer) = with_offer(&mut relay, "room/ann/video");
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 11, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert!(relay.locations(viewer, offer).is_empty());
    relay.say(viewer, offer, publish_ok(true));
    stream.object(&mut relay, 1, 100);
    assert_eq!(relay.locations(viewer, offer), [at(0, 0), at(0, 1)]);
}

#[test]
fn rejected_offer_is_over() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let (viewer, offer) = with_offer(&mut relay, "room/ann/video");
    relay.heard(publisher);
    let error = parvis_wire::RequestError {
        code: RequestErrorCode::Uninterested,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    relay.say(viewer, offer, Signal::Reject(error));
    relay.wait(Duration::from_secs(3));
    assert_eq!(relay.heard(publisher), [(theirs(0), update_forward(false))]);
    assert_eq!(relay.shards[0].stats().subscriptions, 0);
}

#[test]
fn offers_have_the_parameters_of_the_prefix() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let viewer = relay.connect();
    let parameters = Parameters {
        forward: Some(false),
        filter: Some(LocationFilter::NextGroup),
        ..Parameters::default()
    };
    relay.say(
        viewer,
        theirs(0),
        subscribe_tracks("room", parameters.clone()),
    );
    let offer = relay.heard(viewer).remove(1);
    let properties = Properties::EMPTY;
    let expected = Signal::Publish {
        track: track("room/ann/video"),
        parameters,
        properties,
    };
    assert_eq!(offer.1, expected);
    relay.say(
        viewer,
        offer.0,
        Signal::PublishOk {
            parameters: Parameters::default(),
        },
    );
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 11, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert!(relay.locations(viewer, offer.0).is_empty());
}

#[test]
fn own_track_and_subscribed_track_are_not_offered() {
    let mut relay = Relay::new();
    let peer = relay.connect();
    relay.say(
        peer,
        theirs(0),
        subscribe_tracks("room", Parameters::default()),
    );
    relay.say(peer, theirs(4), publish("room/ann/video"));
    assert_eq!(relay.heard(peer).len(), 2);
    let other = relay.connect();
    relay.say(other, theirs(0), subscribe("room/ann/video"));
    relay.say(
        other,
        theirs(4),
        subscribe_tracks("room", Parameters::default()),
    );
    assert_eq!(
        relay.heard(other),
        [(theirs(0), subscribe_ok(None)), (theirs(4), Signal::Ok)]
    );
}

#[test]
fn publish_serves_a_subscriber_that_waits_without_an_offer() {
    let mut relay = Relay::new();
    let subscriber = relay.connect();
    relay.say(
        subscriber,
        theirs(0),
        subscribe_tracks("room", Parameters::default()),
    );
    let parameters = Parameters {
        rendezvous_timeout: Some(5_000),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(4),
        subscribe_with("room/ann/video", parameters),
    );
    relay.heard(subscriber);
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    assert_eq!(relay.heard(subscriber), [(theirs(4), subscribe_ok(None))]);
    assert_eq!(relay.heard(publisher), [(theirs(0), publish_ok(true))]);
    relay.wait(Duration::from_secs(10));
    assert!(relay.heard(subscriber).is_empty());
}
