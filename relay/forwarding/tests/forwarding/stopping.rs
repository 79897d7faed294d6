//! Tracks that the operator stops and allows again.

use std::time::Duration;

use parvis_forwarding::{Config, Input, PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    FullTrackName, Parameters, PublishDoneCode, RequestErrorCode, ResetCode, SubgroupIdMode,
};

use crate::{
    answering::Answering,
    fetch::{PATH, standalone, with_groups},
    support::{Publishing, Relay, at, namespace, publish, subscribe, subscribe_ok, theirs, track},
};

const VIDEO: &str = "room/ann/video";

fn stop(relay: &mut Relay, shards: &[PeerId]) {
    for peer in shards {
        let track = track(VIDEO);
        relay.input_unrun(*peer, Input::StopTrack { track });
    }
    relay.run();
}

fn allow(relay: &mut Relay, shards: &[PeerId]) {
    for peer in shards {
        let track = track(VIDEO);
        relay.input(*peer, Input::AllowTrack { track });
    }
}

fn done() -> Signal {
    Signal::Done {
        code: PublishDoneCode::Unauthorized,
        reason: "the track was stopped".to_owned(),
    }
}

fn assert_refused(relay: &mut Relay, peer: PeerId, request: RequestRef) {
    match relay.heard_one(peer) {
        (at, Signal::Reject(error)) if at == request => {
            assert_eq!(error.code, RequestErrorCode::Unauthorized);
        }
        other => panic!("{other:?}"),
    }
}

/// Two shards, the publisher on the first, a subscriber on each.
fn joined(published: Signal) -> (Relay, PeerId, RequestRef, [PeerId; 2]) {
    let mut relay = Relay::with(2, Config::default());
    let publisher = relay.connect_to(0);
    let by_publish = matches!(published, Signal::Publish { .. });
    relay.say(publisher, theirs(0), published);
    relay.heard(publisher);
    let subscribers = [relay.connect_to(0), relay.connect_to(1)];
    let mut source = theirs(0);
    for (index, subscriber) in subscribers.into_iter().enumerate() {
        relay.say(subscriber, theirs(4), subscribe(VIDEO));
        if index == 0 && !by_publish {
            source = relay.heard_one(publisher).0;
            relay.say(publisher, source, subscribe_ok(None));
        }
        relay.heard(subscriber);
    }
    relay.heard(publisher);
    (relay, publisher, source, subscribers)
}

#[test]
fn a_stopped_track_ends_at_once_for_everybody() {
    let namespace = Signal::PublishNamespace {
        namespace: namespace("room/ann"),
    };
    for published in [publish(VIDEO), namespace] {
        let (mut relay, publisher, source, subscribers) = joined(published);
        let mut stream =
            Publishing::open(&mut relay, (publisher, source), 1, 0, SubgroupIdMode::Zero);
        stream.object(&mut relay, 0, 100);
        relay.heard(publisher);

        stop(&mut relay, &subscribers);
        stream.object(&mut relay, 1, 100);
        for subscriber in subscribers {
            assert_eq!(relay.heard(subscriber), [(theirs(4), done())]);
            assert_eq!(relay.locations(subscriber, theirs(4)), [at(0, 0)]);
            let received = relay.received(subscriber, theirs(4));
            assert!(
                matches!(
                    received.streams[0].end,
                    Some(SubgroupEnd::Reset(ResetCode::Cancelled))
                ),
                "{received:?}"
            );
        }
        assert_eq!(relay.heard(publisher), [(source, Signal::Cancel)]);
        relay.disconnect(publisher);
        relay.wait(Duration::from_secs(10));
        relay.assert_empty();
    }
}

#[test]
fn a_stopped_track_is_refused_until_it_is_allowed() {
    let (mut relay, publisher, _, subscribers) = joined(publish(VIDEO));
    stop(&mut relay, &subscribers);
    relay.heard(publisher);
    for subscriber in subscribers {
        relay.heard(subscriber);
        relay.say(subscriber, theirs(8), subscribe(VIDEO));
        assert_refused(&mut relay, subscriber, theirs(8));
    }
    relay.say(publisher, theirs(12), publish(VIDEO));
    assert_refused(&mut relay, publisher, theirs(12));
    relay.say(publisher, theirs(16), publish("room/ann/audio"));
    assert!(matches!(
        relay.heard_one(publisher).1,
        Signal::PublishOk { .. }
    ));

    allow(&mut relay, &subscribers);
    relay.say(publisher, theirs(20), publish(VIDEO));
    for subscriber in subscribers {
        relay.say(subscriber, theirs(12), subscribe(VIDEO));
        assert_eq!(relay.heard(subscriber), [(theirs(12), subscribe_ok(None))]);
    }
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, theirs(20)),
        2,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    for subscriber in subscribers {
        assert_eq!(relay.locations(subscriber, theirs(12)), [at(0, 0)]);
    }
}

#[test]
fn subscribers_that_wait_for_a_track_are_refused_when_it_is_stopped() {
    let mut relay = Relay::new();
    let subscriber = relay.connect();
    let parameters = Parameters {
        rendezvous_timeout: Some(5_000),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(4),
        crate::support::subscribe_with(VIDEO, parameters),
    );
    assert!(relay.heard(subscriber).is_empty());
    stop(&mut relay, &[subscriber]);
    assert_refused(&mut relay, subscriber, theirs(4));
    relay.assert_empty();
}

#[test]
fn fetches_of_a_stopped_track_end_and_are_refused() {
    let (mut relay, publisher, _) = with_groups();
    let (first, second) = (relay.connect(), relay.connect());
    for peer in [first, second] {
        let all = standalone(at(1, 0), (5, None), Parameters::default());
        relay.say(peer, theirs(0), all);
    }
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.object(&mut relay, at(1, 0), 9);
    relay.say(
        second,
        theirs(4),
        standalone(at(0, 0), (0, None), Parameters::default()),
    );
    relay.input(publisher, Input::StopTrack { track: track(PATH) });
    let end = SubgroupEnd::Reset(ResetCode::Cancelled);
    for peer in [first, second] {
        assert_eq!(relay.received(peer, theirs(0)).fetch_end, Some(end));
    }
    assert_refused(&mut relay, second, theirs(4));
    let again = standalone(at(5, 0), (5, None), Parameters::default());
    relay.say(first, theirs(4), again);
    assert_refused(&mut relay, first, theirs(4));
    let stats = relay.shards[0].stats();
    assert_eq!((stats.fetches, stats.asks, stats.cache_bytes), (0, 0, 0));
}

#[test]
fn the_tracks_whose_names_go_on_behind_a_slash_are_stopped_too() {
    let named = |name: &'static str| {
        FullTrackName::new(namespace("room/ann"), name.into()).expect("it is a name")
    };
    let subscribe = |name| Signal::Subscribe {
        track: named(name),
        parameters: Parameters::default(),
    };
    let mut relay = Relay::with(1, Config::default());
    let publisher = relay.connect();
    let namespace = namespace("room/ann");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    relay.heard(publisher);
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("video/low"));
    let (low, _) = relay.heard_one(publisher);
    relay.say(publisher, low, subscribe_ok(None));
    relay.say(subscriber, theirs(6), subscribe("videos/low"));
    let (other, _) = relay.heard_one(publisher);
    relay.say(publisher, other, subscribe_ok(None));
    relay.heard(subscriber);

    stop(&mut relay, &[subscriber]);
    assert_eq!(relay.heard(subscriber), [(theirs(4), done())]);
    assert_eq!(relay.heard(publisher), [(low, Signal::Cancel)]);
    relay.say(subscriber, theirs(8), subscribe("video/full/new"));
    assert_refused(&mut relay, subscriber, theirs(8));
    allow(&mut relay, &[subscriber]);
    relay.say(subscriber, theirs(12), subscribe("video/low"));
    let (low, _) = relay.heard_one(publisher);
    relay.say(publisher, low, subscribe_ok(None));
    assert_eq!(relay.heard(subscriber), [(theirs(12), subscribe_ok(None))]);
}
