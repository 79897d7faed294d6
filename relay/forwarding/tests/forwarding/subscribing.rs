//! One subscriber, one publisher: routing and answers.

use std::time::Duration;

use parvis_forwarding::{PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    FetchRange, GroupId, LocationFilter, Parameters, Priority, Properties, Property, PropertyValue,
    Redirect, RequestError, RequestErrorCode, SubgroupIdMode,
};

use crate::support::{
    Publishing, Relay, at, namespace, publish, rejected, subscribe, subscribe_ok, subscribe_with,
    theirs, track,
};

/// A relay with a publisher of the namespace "room/ann".
pub fn with_namespace() -> (Relay, PeerId) {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(
        publisher,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("room/ann"),
        },
    );
    assert_eq!(relay.heard(publisher), [(theirs(0), Signal::Ok)]);
    (relay, publisher)
}

/// Asserts that a request was rejected with this code, and that nothing else was said.
fn assert_rejected(relay: &mut Relay, peer: PeerId, request: RequestRef, code: RequestErrorCode) {
    let (at, signal) = relay.heard_one(peer);
    assert_eq!(at, request);
    assert!(
        matches!(&signal, Signal::Reject(error) if error.code == code),
        "{signal:?}"
    );
}

#[test]
fn subscription_reaches_the_publisher_of_the_namespace_and_objects_come_back() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let (upstream, asked) = relay.heard_one(publisher);
    assert_eq!(asked, subscribe("room/ann/video"));
    assert!(
        relay.heard(subscriber).is_empty(),
        "the answer waits for the publisher's"
    );

    let properties = Properties::encode(vec![Property {
        kind: 0x30,
        value: PropertyValue::Integer(1),
    }]);
    let parameters = Parameters {
        largest: Some(at(3, 9)),
        ..Parameters::default()
    };
    let ok = Signal::SubscribeOk {
        parameters,
        properties,
    };
    relay.say(publisher, upstream, ok.clone());
    assert_eq!(
        relay.heard(subscriber),
        [(theirs(4), ok)],
        "properties pass byte for byte"
    );

    let mut stream = Publishing::open(
        &mut relay,
        (publisher, upstream),
        11,
        4,
        SubgroupIdMode::Zero,
    );
    stream.object(&mut relay, 0, 100);
    stream.object(&mut relay, 1, 3);
    stream.finish(&mut relay);
    let received = relay.received(subscriber, theirs(4));
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(4, 0), at(4, 1)]);
    assert_eq!(received.streams.len(), 1);
    assert!(received.streams[0].header.first_object);
    assert_eq!(received.streams[0].end, Some(SubgroupEnd::Finished));
}

#[test]
fn chunks_move_on_before_their_object_is_complete() {
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
    let (first, rest) = stream.encode(5, 2);
    relay.input(publisher, first);
    let before = relay.received(subscriber, theirs(4)).streams[0].bytes.len();
    assert!(before > 0);
    relay.input(publisher, rest[0].clone());
    assert_eq!(
        relay.received(subscriber, theirs(4)).streams[0].bytes.len(),
        before + 2
    );
}

#[test]
fn second_subscriber_shares_the_upstream_subscription() {
    let (mut relay, publisher) = with_namespace();
    let (first, second) = (relay.connect(), relay.connect());
    relay.say(first, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(Some(at(1, 2))));
    relay.heard(first);
    relay.say(second, theirs(8), subscribe("room/ann/video"));
    assert_eq!(
        relay.heard(second),
        [(theirs(8), subscribe_ok(Some(at(1, 2))))]
    );
    assert!(relay.heard(publisher).is_empty());
}

#[test]
fn unknown_track_does_not_exist() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/annabel/video"));
    assert_rejected(
        &mut relay,
        subscriber,
        theirs(4),
        RequestErrorCode::DoesNotExist,
    );
    assert!(relay.heard(publisher).is_empty());
}

#[test]
fn rendezvous_waits_for_the_publisher() {
    let mut relay = Relay::new();
    let subscriber = relay.connect();
    let parameters = Parameters {
        rendezvous_timeout: Some(5_000),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(4),
        subscribe_with("room/ann/video", parameters.clone()),
    );
    relay.say(
        subscriber,
        theirs(8),
        subscribe_with("room/bob/video", parameters),
    );
    assert!(relay.heard(subscriber).is_empty());

    relay.wait(Duration::from_secs(4));
    let publisher = relay.connect();
    relay.say(
        publisher,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("room/ann"),
        },
    );
    let upstream = relay.heard(publisher)[1].0;
    relay.say(publisher, upstream, subscribe_ok(None));
    assert_eq!(relay.heard(subscriber), [(theirs(4), subscribe_ok(None))]);

    relay.wait(Duration::from_secs(2));
    assert_rejected(&mut relay, subscriber, theirs(8), RequestErrorCode::Timeout);
}

#[test]
fn rejection_of_the_publisher_reaches_every_waiting_subscriber() {
    let (mut relay, publisher) = with_namespace();
    let subscribers = [relay.connect(), relay.connect()];
    for subscriber in subscribers {
        relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    }
    let upstream = relay.heard_one(publisher).0;
    let error = RequestError {
        code: RequestErrorCode::Unauthorized,
        retry_interval: 0,
        reason: "no".to_owned(),
        redirect: None,
    };
    relay.say(publisher, upstream, Signal::Reject(error.clone()));
    for subscriber in subscribers {
        assert_eq!(
            relay.heard(subscriber),
            [(theirs(4), Signal::Reject(error.clone()))]
        );
    }
}

#[test]
fn redirect_of_the_publisher_is_passed_on() {
    let (mut relay, publisher) = with_namespace();
    let (track, parameters) = (track("room/ann/video"), Parameters::default());
    let wanted = [
        subscribe("room/ann/video"),
        Signal::TrackStatus {
            track: track.clone(),
        },
        Signal::Fetch {
            range: FetchRange::Standalone {
                track,
                start: at(0, 0),
                end: (GroupId(1), None),
            },
            parameters,
            joining: None,
        },
    ];
    for signal in wanted {
        let subscriber = relay.connect();
        relay.say(subscriber, theirs(4), signal);
        let upstream = relay.heard_one(publisher).0;
        let error = RequestError {
            code: RequestErrorCode::Redirect,
            retry_interval: 1,
            reason: "moved".to_owned(),
            redirect: Some(Redirect {
                connect_uri: "moqt://elsewhere".to_owned(),
                namespace: namespace("hall"),
                name: "video".to_owned().into(),
            }),
        };
        relay.say(publisher, upstream, Signal::Reject(error.clone()));
        let heard = relay.heard_one(subscriber);
        assert_eq!(heard, (theirs(4), Signal::Reject(error)));
    }
}

#[test]
fn subscriptions_of_one_session_to_one_track_get_each_what_they_name() {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    for (request, filter) in [
        (4, None),
        (8, Some(LocationFilter::AbsoluteStart(at(1, 1)))),
        (12, Some(LocationFilter::AbsoluteStart(at(2, 0)))),
    ] {
        let parameters = Parameters {
            filter,
            ..Parameters::default()
        };
        relay.say(
            peer,
            theirs(request),
            subscribe_with("room/ann/video", parameters),
        );
    }
    let source = (publisher, theirs(0));
    for group in [1, 2] {
        let mut stream = Publishing::open(&mut relay, source, group, group, SubgroupIdMode::Zero);
        for id in 0..2 {
            stream.object(&mut relay, id, 9);
        }
        stream.finish(&mut relay);
        if group == 1 {
            relay.say(peer, theirs(4), Signal::Cancel);
        }
    }
    assert_eq!(relay.locations(peer, theirs(4)), [at(1, 0), at(1, 1)]);
    let all = [at(1, 1), at(2, 0), at(2, 1)];
    assert_eq!(relay.locations(peer, theirs(8)), all);
    assert_eq!(relay.locations(peer, theirs(12)), all[1..]);
}

#[test]
fn another_publisher_is_asked_after_a_rejection() {
    let (mut relay, first) = with_namespace();
    let second = relay.connect();
    relay.say(
        second,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("room"),
        },
    );
    relay.heard(second);
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(first).0;
    let error = RequestError {
        code: RequestErrorCode::DoesNotExist,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    relay.say(first, upstream, Signal::Reject(error));
    let upstream = relay.heard_one(second).0;
    relay.say(second, upstream, subscribe_ok(None));
    assert_eq!(relay.heard(subscriber), [(theirs(4), subscribe_ok(None))]);
}

#[test]
fn longest_namespace_is_asked() {
    let (mut relay, longer) = with_namespace();
    let shorter = relay.connect();
    relay.say(
        shorter,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("room"),
        },
    );
    relay.heard(shorter);
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    assert_eq!(relay.heard(longer).len(), 1);
    assert!(relay.heard(shorter).is_empty());
    relay.say(subscriber, theirs(8), subscribe("room/bob/video"));
    assert_eq!(relay.heard(shorter).len(), 1);
}

#[test]
fn track_status_is_answered_without_objects() {
    let (mut relay, publisher) = with_namespace();
    let asking = relay.connect();
    relay.say(
        asking,
        theirs(4),
        Signal::TrackStatus {
            track: track("room/ann/video"),
        },
    );
    let (upstream, asked) = relay.heard_one(publisher);
    let status = Signal::TrackStatus {
        track: track("room/ann/video"),
    };
    assert_eq!(asked, status);
    let parameters = Parameters {
        largest: Some(at(7, 1)),
        ..Parameters::default()
    };
    let answer = Signal::TrackStatusOk {
        parameters,
        properties: Properties::encode(vec![Property::integer(0x40, 7)]),
    };
    relay.say(publisher, upstream, answer.clone());
    assert_eq!(relay.heard(asking), [(theirs(4), answer)]);
    // What is known is not asked for.
    relay.say(publisher, theirs(8), publish("room/ann/screen"));
    relay.heard(publisher);
    let status = Signal::TrackStatus {
        track: track("room/ann/screen"),
    };
    relay.say(asking, theirs(12), status);
    let (_, answer) = relay.heard_one(asking);
    assert!(matches!(answer, Signal::TrackStatusOk { .. }), "{answer:?}");
    assert!(relay.heard(publisher).is_empty());
    relay.say(
        asking,
        theirs(8),
        Signal::TrackStatus {
            track: track("room/bob/video"),
        },
    );
    assert_rejected(
        &mut relay,
        asking,
        theirs(8),
        RequestErrorCode::DoesNotExist,
    );
}

#[test]
fn track_status_of_a_publisher_that_knows_none_comes_from_a_subscription() {
    let (mut relay, publisher) = with_namespace();
    let asking = relay.connect();
    let track = track("room/ann/video");
    relay.say(asking, theirs(4), Signal::TrackStatus { track });
    let upstream = relay.heard_one(publisher).0;
    relay.say(
        publisher,
        upstream,
        rejected(RequestErrorCode::NotSupported),
    );
    let (upstream, asked) = relay.heard_one(publisher);
    let parameters = Parameters {
        forward: Some(false),
        ..Parameters::default()
    };
    assert_eq!(asked, subscribe_with("room/ann/video", parameters));
    relay.say(publisher, upstream, subscribe_ok(Some(at(7, 1))));
    let parameters = Parameters {
        largest: Some(at(7, 1)),
        ..Parameters::default()
    };
    let answer = Signal::TrackStatusOk {
        parameters,
        properties: Properties::EMPTY,
    };
    assert_eq!(relay.heard(asking), [(theirs(4), answer)]);
}

#[test]
fn track_status_ends_with_who_asked_and_who_was_asked() {
    let mut relay = Relay::with(2, parvis_forwarding::Config::default());
    let (publisher, first) = (relay.connect_to(0), relay.connect_to(0));
    let far = relay.connect_to(1);
    let namespace = namespace("room");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    relay.heard(publisher);
    for peer in [first, far] {
        let track = track("room/ann/video");
        relay.say(peer, theirs(4), Signal::TrackStatus { track });
    }
    assert_eq!(relay.heard(publisher).len(), 2);
    relay.say(first, theirs(4), Signal::Cancel);
    let (_, said) = relay.heard_one(publisher);
    assert_eq!(said, Signal::Cancel);
    relay.disconnect(publisher);
    assert_rejected(&mut relay, far, theirs(4), RequestErrorCode::DoesNotExist);
    relay.assert_empty();
}

#[test]
fn upstream_filter_keeps_the_start_and_drops_the_end() {
    let (mut relay, publisher) = with_namespace();
    let subscriber = relay.connect();
    let filter = |filter| Parameters {
        filter: Some(filter),
        ..Parameters::default()
    };
    let cases = [
        (LocationFilter::NextObject, Some(LocationFilter::NextObject)),
        (LocationFilter::NextGroup, Some(LocationFilter::NextObject)),
        (LocationFilter::RelativeStart(1), None),
        (
            LocationFilter::AbsoluteGroups {
                start: at(3, 1),
                end: GroupId(9),
            },
            Some(LocationFilter::AbsoluteStart(at(3, 1))),
        ),
    ];
    for (n, (asked, expected)) in cases.into_iter().enumerate() {
        let name = format!("room/ann/{n}");
        relay.say(
            subscriber,
            theirs(n as u64),
            subscribe_with(&name, filter(asked)),
        );
        let parameters = Parameters {
            filter: expected,
            ..Parameters::default()
        };
        assert_eq!(
            relay.heard_one(publisher).1,
            subscribe_with(&name, parameters)
        );
    }
}

#[test]
fn priority_of_the_most_urgent_subscriber_goes_upstream() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.heard(publisher);
    let subscriber = relay.connect();
    let urgent = |priority| Parameters {
        subscriber_priority: Some(Priority(priority)),
        ..Parameters::default()
    };
    relay.say(
        subscriber,
        theirs(0),
        subscribe_with("room/ann/video", urgent(200)),
    );
    relay.say(
        subscriber,
        theirs(4),
        subscribe_with("room/ann/video", urgent(20)),
    );
    let told: Vec<_> = relay
        .heard(publisher)
        .into_iter()
        .map(|(_, signal)| match signal {
            Signal::Update(parameters) => (parameters.forward, parameters.subscriber_priority),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(true), Some(Priority(200))),
            (None, Some(Priority(20)))
        ]
    );
}
