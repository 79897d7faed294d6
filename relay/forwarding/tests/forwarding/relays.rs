//! Peers that are relays: who is told of which way, and who is asked.

use parvis_forwarding::{Config, PeerId, PeerKind, RequestRef, Signal};
use parvis_wire::{HopId, HopPath};

use crate::support::{Relay, namespace, subscribe, subscribe_ok, theirs, track};

pub const US: u64 = 9;

fn relay(shards: usize) -> Relay {
    let config = Config {
        hop: HopId(US),
        ..Config::default()
    };
    Relay::with(shards, config)
}

fn path(hops: &[u64]) -> HopPath {
    HopPath::new(hops.iter().copied().map(HopId)).unwrap()
}

/// A relay that has asked for our namespaces; what we asked it is returned too.
pub fn neighbour(relay: &mut Relay, shard: usize, hop: u64) -> (PeerId, RequestRef) {
    let kind = PeerKind::Relay {
        hop: HopId(hop),
        tells_paths: true,
    };
    let peer = relay.connect_as(shard, kind);
    let heard = relay.heard(peer);
    let everything = Signal::SubscribeNamespace {
        prefix: namespace(""),
    };
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].1, everything);
    relay.say(peer, theirs(0), everything);
    relay.say(peer, heard[0].0, Signal::Ok);
    (peer, heard[0].0)
}

pub fn route(suffix: &str, hops: &[u64]) -> Signal {
    Signal::Route {
        suffix: namespace(suffix),
        path: path(hops),
    }
}

pub fn gone(suffix: &str) -> Signal {
    Signal::NamespaceDone(namespace(suffix))
}

pub fn told(relay: &mut Relay, peer: PeerId) -> Vec<Signal> {
    let heard = relay.heard(peer).into_iter();
    heard
        .map(|(_, signal)| signal)
        .filter(|signal| *signal != Signal::Ok)
        .collect()
}

fn publish(relay: &mut Relay, shard: usize) -> PeerId {
    let publisher = relay.connect_to(shard);
    let namespace = namespace("room/ann");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    publisher
}

#[test]
fn a_relay_is_told_of_our_publishers_with_our_name() {
    for shard in [0, 1] {
        let mut relay = relay(2);
        let (early, _) = neighbour(&mut relay, 0, 1);
        let publisher = publish(&mut relay, shard);
        assert_eq!(told(&mut relay, early), [route("room/ann", &[0, US])]);
        let (late, _) = neighbour(&mut relay, 0, 2);
        assert_eq!(told(&mut relay, late), [route("room/ann", &[0, US])]);
        relay.disconnect(publisher);
        assert_eq!(told(&mut relay, early), [gone("room/ann")]);
    }
}

#[test]
fn word_goes_on_to_other_relays_but_not_to_where_it_has_been() {
    let mut relay = relay(2);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    let (two, _) = neighbour(&mut relay, 1, 2);
    let (three, _) = neighbour(&mut relay, 1, 3);
    relay.say(one, asked, route("room/ann", &[0, 3, 1]));
    assert_eq!(told(&mut relay, one), []);
    assert_eq!(told(&mut relay, two), [route("room/ann", &[0, 3, 1, US])]);
    assert_eq!(told(&mut relay, three), []);
    relay.say(one, asked, gone("room/ann"));
    assert_eq!(told(&mut relay, two), [gone("room/ann")]);
}

#[test]
fn word_that_has_come_around_is_not_taken() {
    let mut relay = relay(1);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    relay.say(one, asked, route("room/ann", &[0, US, 2, 1]));
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(0), subscribe("room/ann/camera"));
    assert_eq!(told(&mut relay, one), []);
    let answer = relay.heard(subscriber);
    assert!(
        matches!(&answer[..], [(_, Signal::Reject(_))]),
        "{answer:?}"
    );
}

#[test]
fn the_shortest_way_is_asked_and_the_next_one_when_it_breaks() {
    let mut relay = relay(1);
    let (far, asked) = neighbour(&mut relay, 0, 1);
    relay.say(far, asked, route("room/ann", &[0, 5, 1]));
    let (near, asked) = neighbour(&mut relay, 0, 2);
    relay.say(near, asked, route("room/ann", &[0, 2]));
    told(&mut relay, far);
    told(&mut relay, near);

    let subscriber = relay.connect();
    relay.say(subscriber, theirs(0), subscribe("room/ann/camera"));
    let asked = relay.heard(near);
    let [(request, Signal::Subscribe { track: name, .. })] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(*name, track("room/ann/camera"));
    relay.say(near, *request, subscribe_ok(None));
    assert_eq!(relay.heard(subscriber).len(), 1, "it is accepted");

    relay.disconnect(near);
    let asked = told(&mut relay, far);
    assert!(
        asked
            .iter()
            .any(|signal| matches!(signal, Signal::Subscribe { .. })),
        "{asked:?}"
    );
    assert_eq!(relay.heard(subscriber), [], "it notices nothing");
}

#[test]
fn a_relay_is_not_asked_for_what_it_asks_for() {
    let mut relay = relay(1);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    relay.say(one, asked, route("room/ann", &[0, 1]));
    relay.say(one, theirs(4), subscribe("room/ann/camera"));
    let heard = told(&mut relay, one);
    assert!(matches!(&heard[..], [Signal::Reject(_)]), "{heard:?}");
}

#[test]
fn a_relay_that_tells_no_paths_is_told_by_publish_namespace() {
    let mut relay = relay(1);
    let kind = PeerKind::Relay {
        hop: HopId(0),
        tells_paths: false,
    };
    let upstream = relay.connect_as(0, kind);
    let asked = relay.heard(upstream);
    let publisher = publish(&mut relay, 0);
    let namespace = namespace("room/ann");
    assert_eq!(
        told(&mut relay, upstream),
        [Signal::PublishNamespace {
            namespace: namespace.clone()
        }]
    );
    // It echoes, as relays do.
    relay.say(upstream, asked[0].0, Signal::Namespace(namespace));
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(0), subscribe("room/ann/camera"));
    assert_eq!(told(&mut relay, upstream), []);
    assert_eq!(
        relay.heard(publisher).len(),
        2,
        "the answer, and the SUBSCRIBE"
    );
    relay.disconnect(publisher);
    assert_eq!(told(&mut relay, upstream)[0], Signal::Cancel);
}

#[test]
fn subscriptions_outlive_a_relay_that_comes_back() {
    let mut relay = relay(1);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    relay.say(one, asked, route("room/ann", &[0, 1]));
    let subscriber = relay.connect();
    relay.say(subscriber, theirs(0), subscribe("room/ann/camera"));
    let (request, _) = relay.heard(one).pop().unwrap();
    relay.say(one, request, subscribe_ok(None));
    relay.heard(subscriber);
    relay.disconnect(one);
    assert_eq!(relay.heard(subscriber), []);

    let (again, asked) = neighbour(&mut relay, 0, 1);
    relay.say(again, asked, route("room/ann", &[0, 1]));
    let (request, signal) = relay.heard(again).pop().unwrap();
    assert!(matches!(signal, Signal::Subscribe { .. }), "{signal:?}");
    relay.say(again, request, subscribe_ok(None));
    assert_eq!(relay.heard(subscriber), []);

    relay.disconnect(again);
    relay.wait(Config::default().relay_grace);
    let heard = relay.heard(subscriber);
    assert!(
        matches!(&heard[..], [(_, Signal::Done { .. })]),
        "{heard:?}"
    );
}
