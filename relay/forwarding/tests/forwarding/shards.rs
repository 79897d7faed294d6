//! Several threads of one relay: links, loops, reconnection from one to another.

use std::time::Duration;

use parvis_forwarding::{Config, Input, PeerId, RequestRef, Signal};
use parvis_wire::{LocationFilter, Parameters, Properties, SubgroupIdMode};

use crate::support::{
    Publishing, Relay, at, namespace, publish, subscribe, subscribe_ok, subscribe_with, theirs,
    track,
};

fn relay() -> Relay {
    Relay::with(3, Config::default())
}

fn open(relay: &mut Relay, source: (PeerId, RequestRef), stream: u64, group: u64) -> Publishing {
    Publishing::open(relay, source, stream, group, SubgroupIdMode::Zero)
}

fn publish_namespace() -> Signal {
    Signal::PublishNamespace {
        namespace: namespace("room/ann"),
    }
}

#[test]
fn subscriber_on_another_shard_is_served() {
    let mut relay = relay();
    let (publisher, subscriber) = (relay.connect_to(0), relay.connect_to(1));
    relay.say(publisher, theirs(0), publish_namespace());
    relay.heard(publisher);
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard_one(publisher).0;
    relay.say(publisher, upstream, subscribe_ok(Some(at(2, 2))));
    assert_eq!(
        relay.heard(subscriber),
        [(theirs(4), subscribe_ok(Some(at(2, 2))))]
    );
    let mut stream = open(&mut relay, (publisher, upstream), 1, 3);
    stream.object(&mut relay, 0, 3);
    stream.object(&mut relay, 1, 3);
    stream.finish(&mut relay);
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(3, 0), at(3, 1)]);
    relay.disconnect(subscriber);
    relay.disconnect(publisher);
    relay.wait(Duration::from_secs(10));
    relay.assert_empty();
}

#[test]
fn link_between_shards_carries_each_object_once() {
    let mut relay = relay();
    let publisher = relay.connect_to(0);
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    let subscribers: Vec<PeerId> = (0..10).map(|_| relay.connect_to(1)).collect();
    for subscriber in &subscribers {
        relay.say(*subscriber, theirs(4), subscribe("room/ann/video"));
    }
    let mut stream = open(&mut relay, (publisher, theirs(0)), 1, 0);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.shards[0].stats().objects_out, 1);
    assert_eq!(relay.shards[1].stats().objects_out, 10);
    assert_eq!(relay.shards[2].stats().objects_in, 0);
}

#[test]
fn joiner_on_another_shard_is_served_from_the_cache_of_the_publishers_shard() {
    let mut relay = relay();
    let (publisher, near) = (relay.connect_to(0), relay.connect_to(0));
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.say(near, theirs(0), subscribe("room/ann/video"));
    let mut stream = open(&mut relay, (publisher, theirs(0)), 1, 0);
    stream.object(&mut relay, 0, 100);
    stream.object(&mut relay, 1, 100);
    let filter = Some(LocationFilter::RelativeStart(1));
    let parameters = Parameters {
        filter,
        ..Parameters::default()
    };
    for _ in 0..2 {
        let far = relay.connect_to(1);
        relay.say(
            far,
            theirs(0),
            subscribe_with("room/ann/video", parameters.clone()),
        );
        let before = relay.locations(far, theirs(0)).len();
        assert!(before >= 2, "{before}");
    }
    let far = relay.connect_to(1);
    relay.say(far, theirs(0), subscribe_with("room/ann/video", parameters));
    stream.object(&mut relay, 2, 100);
    assert_eq!(
        relay.locations(far, theirs(0)),
        [at(0, 0), at(0, 1), at(0, 2)]
    );
}

#[test]
fn namespaces_and_tracks_of_one_shard_are_known_on_all() {
    let mut relay = relay();
    let (far, publisher) = (relay.connect_to(2), relay.connect_to(0));
    relay.say(
        far,
        theirs(0),
        Signal::SubscribeNamespace {
            prefix: namespace("room"),
        },
    );
    let parameters = Parameters::default();
    relay.say(
        far,
        theirs(4),
        Signal::SubscribeTracks {
            prefix: namespace("room"),
            parameters,
        },
    );
    relay.heard(far);
    relay.say(publisher, theirs(0), publish_namespace());
    assert_eq!(
        relay.heard(far),
        [(theirs(0), Signal::Namespace(namespace("ann")))]
    );
    relay.say(publisher, theirs(4), publish("room/ann/video"));
    let offer = relay.heard_one(far);
    assert_eq!(offer.1, publish("room/ann/video"));
    relay.disconnect(publisher);
    let heard = relay.heard(far);
    assert!(
        heard
            .iter()
            .any(|(r, s)| *r == offer.0 && matches!(s, Signal::Done { .. }))
    );
    let gone = (theirs(0), Signal::NamespaceDone(namespace("ann")));
    assert!(heard.contains(&gone));
    relay.disconnect(far);
    relay.wait(Duration::from_secs(10));
    relay.assert_empty();
}

#[test]
fn forward_state_crosses_the_link() {
    let mut relay = relay();
    let (publisher, far) = (relay.connect_to(0), relay.connect_to(1));
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.heard(publisher);
    relay.say(far, theirs(0), subscribe("room/ann/video"));
    let forward = |on| {
        Signal::Update(Parameters {
            forward: Some(on),
            ..Parameters::default()
        })
    };
    assert_eq!(relay.heard(publisher), [(theirs(0), forward(true))]);
    relay.say(far, theirs(0), Signal::Cancel);
    relay.wait(Duration::from_secs(10));
    assert_eq!(relay.heard(publisher), [(theirs(0), forward(false))]);
}

#[test]
fn new_shard_is_told_what_there_is() {
    let mut relay = relay();
    let publisher = relay.connect_to(0);
    relay.say(publisher, theirs(0), publish_namespace());
    relay.say(publisher, theirs(4), publish("room/ann/video"));
    let peer = PeerId(2_000_000);
    let kind = parvis_forwarding::PeerKind::Shard;
    relay.shards[0].handle(Input::PeerConnected { peer, kind }, relay.now);
    let told = std::iter::from_fn(|| relay.shards[0].poll()).count();
    assert_eq!(told, 2);
}

#[test]
fn publisher_that_comes_back_on_another_shard_takes_over() {
    for by_namespace in [true, false] {
        let mut relay = relay();
        let (old, subscriber) = (relay.connect_to(0), relay.connect_to(0));
        let introduce = |relay: &mut Relay, peer, largest| {
            if by_namespace {
                relay.say(peer, theirs(0), publish_namespace());
            } else {
                let parameters = Parameters {
                    largest,
                    ..Parameters::default()
                };
                let track = track("room/ann/video");
                let properties = Properties::EMPTY;
                relay.say(
                    peer,
                    theirs(0),
                    Signal::Publish {
                        track,
                        parameters,
                        properties,
                    },
                );
            }
        };
        // Whoever is asked for the track accepts.
        let source = |relay: &mut Relay, peer, largest| {
            let asked = relay.heard(peer).into_iter().find_map(|(request, signal)| {
                matches!(signal, Signal::Subscribe { .. }).then_some(request)
            });
            if let Some(request) = asked {
                relay.say(peer, request, subscribe_ok(largest));
            }
            (peer, asked.unwrap_or(theirs(0)))
        };
        introduce(&mut relay, old, None);
        relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
        let from = source(&mut relay, old, None);
        let mut stream = open(&mut relay, from, 1, 0);
        stream.object(&mut relay, 0, 100);
        relay.heard(subscriber);

        let new = relay.connect_to(1);
        introduce(&mut relay, new, Some(at(0, 0)));
        let from = source(&mut relay, new, Some(at(0, 0)));
        let mut stream = open(&mut relay, from, 1, 1);
        stream.object(&mut relay, 0, 100);
        assert_eq!(
            relay.locations(subscriber, theirs(4)),
            [at(0, 0), at(1, 0)],
            "{by_namespace}"
        );
        relay.disconnect(old);
        stream.object(&mut relay, 1, 100);
        assert!(relay.heard(subscriber).is_empty());
        assert_eq!(relay.locations(subscriber, theirs(4))[2..], [at(1, 1)]);
        relay.disconnect(new);
        relay.disconnect(subscriber);
        relay.wait(Duration::from_secs(10));
        relay.assert_empty();
    }
}

#[test]
fn publishers_that_come_to_two_shards_at_once_both_stay() {
    for by_namespace in [true, false] {
        let mut relay = relay();
        let peers = [relay.connect_to(0), relay.connect_to(1)];
        for shard in 0..2 {
            let subscriber = relay.connect_to(shard);
            let wait = Parameters {
                rendezvous_timeout: Some(5_000),
                ..Parameters::default()
            };
            relay.say(
                subscriber,
                theirs(4),
                subscribe_with("room/ann/video", wait),
            );
        }
        for peer in peers {
            let signal = if by_namespace {
                publish_namespace()
            } else {
                publish("room/ann/video")
            };
            let signal = Box::new(signal);
            relay.input_unrun(
                peer,
                Input::Signal {
                    peer,
                    request: theirs(0),
                    signal,
                },
            );
        }
        relay.run();
        for peer in peers {
            let heard = relay.heard(peer);
            assert!(
                heard.iter().all(|(_, signal)| *signal != Signal::Cancel),
                "{heard:?}"
            );
        }
        relay.wait(Duration::from_secs(20));
        for peer in peers {
            relay.disconnect(peer);
        }
        relay.wait(Duration::from_secs(20));
        assert_eq!(relay.shards[2].stats().tracks, 0);
    }
}

#[test]
fn shard_does_not_subscribe_through_a_third_one() {
    let mut relay = relay();
    let (publisher, subscriber) = (relay.connect_to(0), relay.connect_to(1));
    relay.say(publisher, theirs(0), publish("room/ann/video"));
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let far = relay.connect_to(2);
    relay.say(far, theirs(4), subscribe("room/ann/video"));
    let mut stream = open(&mut relay, (publisher, theirs(0)), 1, 0);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.shards[0].stats().objects_out, 2);
    assert_eq!(relay.shards[1].stats().objects_out, 1);
    assert_eq!(relay.locations(far, theirs(4)), [at(0, 0)]);
}
