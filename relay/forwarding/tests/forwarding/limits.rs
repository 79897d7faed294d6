//! What one session may not exceed, and what is counted.

use std::time::Duration;

use parvis_forwarding::{Config, DropReason, RequestRef, Signal};
use parvis_wire::{LocationFilter, Parameters, RequestErrorCode, SubgroupIdMode};

use crate::support::{Publishing, Relay, namespace, publish, subscribe, subscribe_with, theirs};

fn small() -> Relay {
    let config = Config {
        max_namespaces: 2,
        max_published_tracks: 2,
        max_subscriptions: 2,
        max_prefixes: 2,
        ..Config::default()
    };
    Relay::with(1, config)
}

fn is_overload(said: &(RequestRef, Signal)) -> bool {
    matches!(&said.1, Signal::Reject(error) if error.code == RequestErrorCode::ExcessiveLoad)
}

/// Makes three requests of which the third is too many, ends one and makes it again.
fn assert_limit(request: impl Fn(u64) -> Signal) {
    let mut relay = small();
    let publisher = relay.connect();
    relay.say(
        publisher,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("other"),
        },
    );
    let peer = relay.connect();
    for n in 0..3 {
        relay.say(peer, theirs(n), request(n));
    }
    let rejected: Vec<_> = relay.heard(peer).into_iter().filter(is_overload).collect();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].0, theirs(2));
    assert_eq!(
        relay.shards[0].stats().dropped(DropReason::LimitExceeded),
        1
    );
    relay.say(peer, theirs(0), Signal::Cancel);
    relay.say(peer, theirs(3), request(3));
    assert!(!relay.heard(peer).iter().any(is_overload));
}

#[test]
fn namespaces_are_limited() {
    assert_limit(|n| Signal::PublishNamespace {
        namespace: namespace(&format!("room/{n}")),
    });
}

#[test]
fn published_tracks_are_limited() {
    assert_limit(|n| publish(&format!("room/{n}")));
}

#[test]
fn subscriptions_are_limited_while_they_wait_too() {
    assert_limit(|n| subscribe(&format!("other/{n}")));
    let parameters = Parameters {
        rendezvous_timeout: Some(9_000),
        ..Parameters::default()
    };
    assert_limit(|n| subscribe_with(&format!("nobody/{n}"), parameters.clone()));
}

#[test]
fn prefixes_are_limited() {
    assert_limit(|n| Signal::SubscribeNamespace {
        prefix: namespace(&format!("room/{n}")),
    });
    assert_limit(|n| Signal::SubscribeTracks {
        prefix: namespace(&format!("room/{n}")),
        parameters: Parameters::default(),
    });
}

#[test]
fn offers_over_the_limit_are_skipped_by_name() {
    let mut relay = small();
    let viewer = relay.connect();
    let parameters = Parameters::default();
    relay.say(
        viewer,
        theirs(0),
        Signal::SubscribeTracks {
            prefix: namespace("room"),
            parameters,
        },
    );
    relay.heard(viewer);
    for n in 0..3 {
        let publisher = relay.connect();
        relay.say(publisher, theirs(0), publish(&format!("room/ann/{n}")));
    }
    let heard = relay.heard(viewer);
    let skipped = Signal::Skipped {
        suffix: namespace("ann"),
        name: "2".into(),
    };
    assert_eq!(heard[2], (theirs(0), skipped));
}

#[test]
fn rapid_subscribing_and_cancelling_leaves_nothing() {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 1, 0, SubgroupIdMode::Zero);
    let filter = Some(LocationFilter::NextObject);
    let next = Parameters {
        filter,
        ..Parameters::default()
    };
    for n in 0..1_000 {
        relay.say(
            peer,
            theirs(n),
            subscribe_with("room/ann/video", next.clone()),
        );
        stream.object(&mut relay, n, 100);
        relay.say(peer, theirs(n), Signal::Cancel);
    }
    let stats = relay.shards[0].stats();
    assert_eq!((stats.subscriptions, stats.streams), (0, 0));
    assert_eq!((stats.objects_in, stats.objects_out), (1_000, 1_000));
    relay.disconnect(publisher);
    relay.disconnect(peer);
    relay.assert_empty();
}

#[test]
fn rendezvous_is_capped() {
    let mut relay = Relay::new();
    let peer = relay.connect();
    let parameters = Parameters {
        rendezvous_timeout: Some(u64::MAX),
        ..Parameters::default()
    };
    relay.say(
        peer,
        theirs(0),
        subscribe_with("room/ann/video", parameters),
    );
    relay.wait(Duration::from_secs(11));
    assert!(matches!(relay.heard_one(peer).1, Signal::Reject(_)));
    relay.assert_empty();
}

#[test]
fn objects_on_a_stream_of_nobody_are_counted() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 1, 0, SubgroupIdMode::Zero);
    stream.object(&mut relay, 0, 100);
    assert_eq!(
        relay.shards[0].stats().dropped(DropReason::UnknownStream),
        2
    );
    stream.finish(&mut relay);
    relay.assert_empty();
}

#[test]
fn impossible_range_filters_are_refused() {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let range_filters = vec![(0x26, bytes::Bytes::from_static(&[0, 0x80]))];
    let parameters = Parameters {
        range_filters,
        ..Parameters::default()
    };
    relay.say(
        peer,
        theirs(0),
        subscribe_with("room/ann/video", parameters),
    );
    let (_, signal) = relay.heard_one(peer);
    assert!(matches!(signal, Signal::Reject(e) if e.code == RequestErrorCode::InvalidFilter));
}
