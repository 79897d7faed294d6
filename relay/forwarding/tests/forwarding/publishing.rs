//! PUBLISH: registration, forward state, replacement.

use std::time::Duration;

use parvis_forwarding::{PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    Parameters, Priority, Properties, Property, PropertyValue, PublishDoneCode, SubgroupIdMode,
};

use crate::support::{
    Publishing, Relay, at, namespace, publish, subscribe, subscribe_ok, subscribe_with, theirs,
    track,
};

pub fn publish_ok(forward: bool) -> Signal {
    let parameters = Parameters {
        forward: Some(forward),
        ..Parameters::default()
    };
    Signal::PublishOk { parameters }
}

pub fn update_forward(forward: bool) -> Signal {
    Signal::Update(Parameters {
        forward: Some(forward),
        ..Parameters::default()
    })
}

pub fn subscribe_tracks(prefix: &str, parameters: Parameters) -> Signal {
    Signal::SubscribeTracks {
        prefix: namespace(prefix),
        parameters,
    }
}

/// A peer that is offered every track of "room", and its offer of `path`.
pub fn with_offer(relay: &mut Relay, path: &str) -> (PeerId, RequestRef) {
    let viewer = relay.connect();
    relay.say(
        viewer,
        theirs(0),
        subscribe_tracks("room", Parameters::default()),
    );
    let heard = relay.heard(viewer);
    assert_eq!(heard[0], (theirs(0), Signal::Ok));
    assert_eq!(heard[1].1, publish(path));
    (viewer, heard[1].0)
}

#[test]
fn publish_that_nobody_wants_does_not_forward() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    assert_eq!(relay.heard(publisher), [(theirs(0), publish_ok(false))]);
}

#[test]
fn published_track_forwards_from_the_first_subscriber_to_a_while_after_the_last() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.heard(publisher);
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    assert_eq!(relay.heard(subscriber), [(theirs(4), subscribe_ok(None))]);
    assert_eq!(relay.heard(publisher), [(theirs(0), update_forward(true))]);
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 11, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(0, 0)]);
    relay.say(subscriber, theirs(4), Signal::Cancel);
    relay.wait(Duration::from_secs(1));
    assert!(relay.heard(publisher).is_empty());
    relay.wait(Duration::from_secs(2));
    assert_eq!(relay.heard(publisher), [(theirs(0), update_forward(false))]);
}

#[test]
fn forward_upstream_is_on_while_some_subscriber_forwards() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.heard(publisher);
    let subscriber = relay.connect();
    let paused = Parameters {
        forward: Some(false),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(4),
        subscribe_with("room/ann/video", paused.clone()),
    );
    relay.say(
        subscriber,
        theirs(8),
        subscribe_with("room/ann/video", paused),
    );
    assert!(relay.heard(publisher).is_empty());
    relay.say(subscriber, theirs(4), update_forward(true));
    relay.say(subscriber, theirs(8), update_forward(true));
    assert_eq!(relay.heard(publisher), [(theirs(0), update_forward(true))]);
    relay.say(subscriber, theirs(4), update_forward(false));
    assert!(relay.heard(publisher).is_empty());
    relay.say(subscriber, theirs(8), update_forward(false));
    assert_eq!(relay.heard(publisher), [(theirs(0), update_forward(false))]);
}

#[test]
fn done_of_the_publisher_reaches_offers_and_subscriptions() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let (viewer, offer) = with_offer(&mut relay, "room/ann/video");
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    relay.heard(subscriber);
    let done = Signal::Done {
        code: PublishDoneCode::TrackEnded,
        reason: "bye".to_owned(),
    };
    relay.say(publisher, theirs(0), done.clone());
    assert_eq!(relay.heard(viewer), [(offer, done.clone())]);
    assert_eq!(relay.heard(subscriber), [(theirs(4), done)]);
    assert_eq!(relay.shards[0].stats().tracks, 0);
}

#[test]
fn publisher_that_comes_back_takes_over_without_a_word_to_subscribers() {
    let mut relay = Relay::new();
    let old = relay.connect();
    relay.say(old, theirs(0), publish("room/ann/video"));
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let mut stream = Publishing::open(&mut relay, (old, theirs(0)), 11, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    stream.object(&mut relay, 1, 100);
    relay.heard(old);
    relay.heard(subscriber);

    let new = relay.connect();
    let parameters = Parameters {
        largest: Some(at(0, 2)),
        ..Parameters::default()
    };
    let properties = Properties::EMPTY;
    let offer = Signal::Publish {
        track: track("room/ann/video"),
        parameters,
        properties,
    };
    relay.say(new, theirs(0), offer);
    assert_eq!(relay.heard(old), [(theirs(0), Signal::Cancel)]);
    assert_eq!(relay.heard(new), [(theirs(0), publish_ok(true))]);
    let mut again = Publishing::open(&mut relay, (new, theirs(0)), 11, 0, SubgroupIdMode::Zero);
    again.object(&mut relay, 1, 100);
    again.object(&mut relay, 2, 100);
    stream.object(&mut relay, 5, 100);
    relay.disconnect(old);
    assert!(relay.heard(subscriber).is_empty());
    assert_eq!(
        relay.locations(subscriber, theirs(4)),
        [at(0, 0), at(0, 1), at(0, 2)]
    );
    let streams = relay.received(subscriber, theirs(4)).streams;
    assert!(matches!(streams[0].end, Some(SubgroupEnd::Reset(_))));
    assert!(!streams[1].header.first_object);
}

#[test]
fn publisher_that_starts_over_ends_the_old_subscriptions() {
    let mut relay = Relay::new();
    let old = relay.connect();
    relay.say(old, theirs(0), publish("room/ann/video"));
    let (viewer, offer) = with_offer(&mut relay, "room/ann/video");
    relay.say(viewer, offer, publish_ok(true));
    let mut stream = Publishing::open(&mut relay, (old, theirs(0)), 11, 9, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);

    let new = relay.connect();
    relay.say(new, theirs(0), publish("room/ann/video"));
    let heard = relay.heard(viewer);
    assert_eq!(heard[0].0, offer);
    assert!(matches!(
        heard[0].1,
        Signal::Done {
            code: PublishDoneCode::TrackEnded,
            ..
        }
    ));
    assert_eq!(heard[1].1, publish("room/ann/video"));
    relay.say(viewer, heard[1].0, publish_ok(true));
    let mut stream = Publishing::open(&mut relay, (new, theirs(0)), 11, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.locations(viewer, heard[1].0), [at(0, 0)]);
}

/// What a track says that can begin a group when it is asked to.
fn dynamic_groups() -> Properties {
    Properties::encode(vec![Property {
        kind: 0x30,
        value: PropertyValue::Integer(1),
    }])
}

#[test]
fn new_group_request_goes_to_a_publisher_that_can() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    let parameters = Parameters {
        largest: Some(at(3, 0)),
        ..Parameters::default()
    };
    let offer = Signal::Publish {
        track: track("room/ann/video"),
        parameters,
        properties: dynamic_groups(),
    };
    relay.say(publisher, theirs(0), offer);
    relay.say(publisher, theirs(4), publish("room/ann/fixed"));
    relay.heard(publisher);
    let subscriber = relay.connect();
    let asks = |value| Parameters {
        new_group_request: Some(value),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(0),
        subscribe_with("room/ann/video", asks(0)),
    );
    relay.say(
        subscriber,
        theirs(4),
        subscribe_with("room/ann/fixed", asks(0)),
    );
    let heard = relay.heard(publisher);
    let requests: Vec<_> = heard
        .iter()
        .filter_map(|(request, signal)| match signal {
            Signal::Update(p) => p.new_group_request.map(|value| (*request, value)),
            _ => None,
        })
        .collect();
    assert_eq!(requests, [(theirs(0), 0)]);
    relay.say(subscriber, theirs(0), Signal::Update(asks(3)));
    assert!(relay.heard(publisher).is_empty(), "group 3 is there");
    relay.say(subscriber, theirs(0), Signal::Update(asks(4)));
    relay.say(subscriber, theirs(0), Signal::Update(asks(4)));
    assert_eq!(
        relay.heard(publisher),
        [(theirs(0), Signal::Update(asks(4)))]
    );
}

#[test]
fn change_of_state_at_the_publisher_is_told_to_subscribers() {
    let mut relay = Relay::with(2, parvis_forwarding::Config::default());
    let (publisher, near) = (relay.connect_to(0), relay.connect_to(0));
    let far = relay.connect_to(1);
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    for peer in [near, far] {
        relay.say(peer, theirs(0), subscribe("room/ann/video"));
        relay.heard(peer);
    }
    let state = |largest, forward| {
        Signal::Notify(Parameters {
            largest,
            forward,
            ..Parameters::default()
        })
    };
    relay.say(publisher, theirs(0), state(None, Some(true)));
    relay.say(publisher, theirs(0), state(Some(at(4, 2)), Some(true)));
    for peer in [near, far] {
        let told = (theirs(0), state(Some(at(4, 2)), None));
        assert_eq!(relay.heard(peer), [told]);
    }
}

#[test]
fn what_is_wanted_of_a_publisher_waits_for_its_answers() {
    let mut relay = Relay::new();
    relay.answers_updates = false;
    let publisher = relay.connect();
    let offer = Signal::Publish {
        track: track("room/ann/video"),
        parameters: Parameters::default(),
        properties: dynamic_groups(),
    };
    relay.say(publisher, theirs(0), offer);
    relay.heard(publisher);
    let subscriber = relay.connect();
    let urgent = |priority| Parameters {
        subscriber_priority: Some(Priority(priority)),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(0),
        subscribe_with("room/ann/video", urgent(100)),
    );
    let first = Parameters {
        forward: Some(true),
        ..urgent(100)
    };
    assert_eq!(relay.heard_one(publisher).1, Signal::Update(first));
    for priority in 1..100 {
        let asks = Parameters {
            new_group_request: Some(u64::from(priority)),
            ..urgent(priority)
        };
        relay.say(subscriber, theirs(0), Signal::Update(asks));
    }
    assert_eq!(relay.heard(publisher).len(), 3);
    assert!(relay.answer_update());
    let last = Parameters {
        new_group_request: Some(99),
        ..urgent(99)
    };
    assert_eq!(relay.heard_one(publisher).1, Signal::Update(last));
    while relay.answer_update() {}
    assert!(relay.heard(publisher).is_empty(), "nothing else is wanted");
    relay.say(subscriber, theirs(0), Signal::Update(urgent(7)));
    assert_eq!(relay.heard_one(publisher).1, Signal::Update(urgent(7)));
}
