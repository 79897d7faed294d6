//! How subscriptions, tracks and streams end.

use std::time::Duration;

use parvis_forwarding::{Input, Signal, SubgroupEnd};
use parvis_wire::{PublishDoneCode, ResetCode, SubgroupIdMode};

use crate::{
    subscribing::with_namespace,
    support::{Publishing, Relay, at, publish, subscribe, subscribe_ok, theirs},
};

#[test]
fn upstream_subscription_ends_a_while_after_the_last_subscriber() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.say(subscriber, theirs(4), Signal::Cancel);
    relay.wait(Duration::from_millis(1_900));
    assert!(relay.heard(publisher).is_empty());
    relay.wait(Duration::from_millis(200));
    assert_eq!(relay.heard(publisher), [(upstream, Signal::Cancel)]);
    relay.disconnect(publisher);
    relay.assert_empty();
}

#[test]
fn subscriber_within_the_linger_finds_the_subscription() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.say(subscriber, theirs(4), Signal::Cancel);
    relay.wait(Duration::from_secs(1));
    relay.heard(subscriber);
    relay.say(subscriber, theirs(8), subscribe("room/ann/video"));
    assert_eq!(relay.heard(subscriber), [(theirs(8), subscribe_ok(None))]);
    relay.wait(Duration::from_secs(10));
    assert!(relay.heard(publisher).is_empty());
}

#[test]
fn cancelled_subscription_has_its_streams_reset() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    relay.say(subscriber, theirs(4), Signal::Cancel);
    stream.object(&mut relay, 1, 100);
    let received = relay.received(subscriber, theirs(4));
    assert_eq!(
        received.streams[0].end,
        Some(SubgroupEnd::Reset(ResetCode::Cancelled))
    );
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(0, 0)]);
}

#[test]
fn end_of_the_track_waits_for_its_last_stream() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.heard(subscriber);
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    let done = Signal::Done {
        code: PublishDoneCode::TrackEnded,
        reason: "over".to_owned(),
    };
    relay.say(publisher, upstream, done.clone());
    assert!(relay.heard(subscriber).is_empty());
    stream.object(&mut relay, 1, 100);
    stream.finish(&mut relay);
    assert_eq!(relay.heard(subscriber), [(theirs(4), done)]);
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(0, 0), at(0, 1)]);
}

#[test]
fn stream_that_never_ends_does_not_hold_the_end_of_the_track() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.heard(subscriber);
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    let done = Signal::Done {
        code: PublishDoneCode::TrackEnded,
        reason: "over".to_owned(),
    };
    relay.say(publisher, upstream, done.clone());
    relay.wait(Duration::from_secs(1));
    assert_eq!(relay.heard(subscriber), [(theirs(4), done)]);
    let received = relay.received(subscriber, theirs(4));
    assert!(matches!(
        received.streams[0].end,
        Some(SubgroupEnd::Reset(_))
    ));
}

#[test]
fn publisher_that_disconnects_ends_its_subscriptions() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.heard(subscriber);
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    relay.disconnect(publisher);
    let (request, signal) = relay.heard_one(subscriber);
    assert_eq!(request, theirs(4));
    assert!(matches!(
        signal,
        Signal::Done {
            code: PublishDoneCode::TrackEnded,
            ..
        }
    ));
    let received = relay.received(subscriber, theirs(4));
    assert!(matches!(
        received.streams[0].end,
        Some(SubgroupEnd::Reset(_))
    ));
    relay.assert_empty();
}

#[test]
fn subgroup_finished_in_mid_object_is_a_reset_downstream() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    let (first, _) = stream.encode(5, 2);
    relay.input(publisher, first);
    stream.finish(&mut relay);
    let received = relay.received(subscriber, theirs(4));
    let end = SubgroupEnd::Reset(ResetCode::InternalError);
    assert_eq!(received.streams[0].end, Some(end));
}

#[test]
fn stopped_stream_gets_nothing_more_and_others_do() {
    let (mut relay, publisher) = with_namespace();
    let (stops, stays) = (relay.connect(), relay.connect());
    relay.say(stops, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    relay.say(stays, theirs(4), subscribe("room/ann/video"));
    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        0,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    let key = relay.received(stops, theirs(4)).streams[0].key;
    relay.stop(stops, key);
    stream.object(&mut relay, 1, 100);
    stream.finish(&mut relay);
    assert_eq!(relay.locations(stops, theirs(4)), [at(0, 0)]);
    assert_eq!(relay.locations(stays, theirs(4)), [at(0, 0), at(0, 1)]);
    let mut next = Publishing::open(
        &mut relay,
        (publisher, upstream),
        12,
        1,
        SubgroupIdMode::Zero,
    );
    next.object(&mut relay, 0, 100);
    assert_eq!(relay.locations(stops, theirs(4)), [at(0, 0), at(1, 0)]);
}

#[test]
fn peer_that_watches_itself_disconnects_without_an_output_for_it() {
    let mut relay = Relay::new();
    let peer = relay.connect();
    relay.say(peer, theirs(0), publish("room/ann/video"));
    relay.say(peer, theirs(4), subscribe("room/ann/video"));
    let mut stream = Publishing::open(&mut relay, (peer, theirs(0)), 1, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.locations(peer, theirs(4)), [at(0, 0)]);
    relay.disconnect(peer);
    relay.assert_empty();
}

#[test]
fn late_word_of_a_stopped_stream_does_not_hit_the_next_one() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(None));
    let source = (publisher, upstream);
    let mut first = Publishing::open(&mut relay, source, 1, 0, SubgroupIdMode::Zero);
    first.object(&mut relay, 0, 100);
    let stale = relay.received(subscriber, theirs(4)).streams[0].key;
    first.finish(&mut relay);
    let mut second = Publishing::open(&mut relay, source, 2, 1, SubgroupIdMode::Zero);
    second.object(&mut relay, 0, 100);
    let key = relay.received(subscriber, theirs(4)).streams[1].key;
    assert_eq!(key.index(), stale.index());
    relay.input(subscriber, Input::StreamStopped { stream: stale });
    second.object(&mut relay, 1, 100);
    assert_eq!(
        relay.locations(subscriber, theirs(4)),
        [at(0, 0), at(1, 0), at(1, 1)]
    );
}
