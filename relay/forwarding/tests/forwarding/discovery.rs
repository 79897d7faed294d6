//! PUBLISH_NAMESPACE and SUBSCRIBE_NAMESPACE.

use parvis_forwarding::{PeerId, RequestRef, Signal};
use parvis_wire::Parameters;

use crate::support::{Publishing, Relay, at, namespace, subscribe, subscribe_ok, theirs};

fn publish_namespace(path: &str) -> Signal {
    Signal::PublishNamespace {
        namespace: namespace(path),
    }
}

fn subscribe_namespace(path: &str) -> Signal {
    Signal::SubscribeNamespace {
        prefix: namespace(path),
    }
}

fn found(path: &str) -> (RequestRef, Signal) {
    (theirs(0), Signal::Namespace(namespace(path)))
}

fn gone(path: &str) -> (RequestRef, Signal) {
    (theirs(0), Signal::NamespaceDone(namespace(path)))
}

fn interested(relay: &mut Relay, prefix: &str) -> PeerId {
    let peer = relay.connect();
    relay.say(peer, theirs(0), subscribe_namespace(prefix));
    peer
}

#[test]
fn subscriber_hears_of_namespaces_there_are_and_come_and_go() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish_namespace("room/ann"));
    relay.say(publisher, theirs(4), publish_namespace("roomy/ann"));
    let peer = interested(&mut relay, "room");
    assert_eq!(relay.heard(peer), [(theirs(0), Signal::Ok), found("ann")]);
    relay.say(publisher, theirs(8), publish_namespace("room/bob"));
    relay.say(publisher, theirs(0), Signal::Cancel);
    assert_eq!(relay.heard(peer), [found("bob"), gone("ann")]);
    relay.disconnect(publisher);
    assert_eq!(relay.heard(peer), [gone("bob")]);
    relay.disconnect(peer);
    relay.assert_empty();
}

#[test]
fn empty_prefix_is_everything_and_own_namespaces_are_echoed() {
    let mut relay = Relay::new();
    let peer = interested(&mut relay, "");
    relay.say(peer, theirs(4), publish_namespace("a/b"));
    let heard = relay.heard(peer);
    assert_eq!(
        heard,
        [
            (theirs(0), Signal::Ok),
            (theirs(4), Signal::Ok),
            found("a/b")
        ]
    );
}

#[test]
fn namespace_of_two_publishers_is_told_once_and_gone_with_the_last() {
    let mut relay = Relay::new();
    let peer = interested(&mut relay, "room");
    relay.heard(peer);
    let (first, second) = (relay.connect(), relay.connect());
    relay.say(first, theirs(0), publish_namespace("room/ann"));
    relay.say(second, theirs(0), publish_namespace("room/ann"));
    assert_eq!(relay.heard(peer), [found("ann")]);
    relay.disconnect(first);
    assert!(relay.heard(peer).is_empty());
    relay.disconnect(second);
    assert_eq!(relay.heard(peer), [gone("ann")]);
}

#[test]
fn cancelled_interest_hears_no_more() {
    let mut relay = Relay::new();
    let peer = interested(&mut relay, "room");
    relay.say(peer, theirs(0), Signal::Cancel);
    relay.heard(peer);
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish_namespace("room/ann"));
    assert!(relay.heard(peer).is_empty());
}

#[test]
fn moved_prefix_hears_of_the_new_place() {
    let mut relay = Relay::new();
    let publisher = relay.connect();
    relay.say(publisher, theirs(0), publish_namespace("hall/ann"));
    let peer = interested(&mut relay, "room");
    relay.heard(peer);
    let parameters = Parameters {
        namespace_prefix: Some(namespace("hall")),
        ..Parameters::default()
    };
    relay.say(peer, theirs(0), Signal::Update(parameters));
    let ok = (theirs(0), Signal::UpdateOk(Parameters::default()));
    assert_eq!(relay.heard(peer), [ok, found("ann")]);
    relay.say(publisher, theirs(4), publish_namespace("room/bob"));
    assert!(relay.heard(peer).is_empty());
}

#[test]
fn publisher_that_reconnects_is_asked_and_takes_over_when_it_accepts() {
    let mut relay = Relay::new();
    let (old, subscriber) = (relay.connect(), relay.connect());
    relay.say(old, theirs(0), publish_namespace("room/ann"));
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard(old)[1].0;
    relay.say(old, upstream, subscribe_ok(None));
    let mode = parvis_wire::SubgroupIdMode::Zero;
    let mut stream = Publishing::open(&mut relay, (old, upstream), 11, 0, mode);
    stream.object(&mut relay, 0, 100);
    relay.heard(subscriber);

    let new = relay.connect();
    relay.say(new, theirs(0), publish_namespace("room/ann"));
    let asked = relay.heard(new)[1].0;
    stream.object(&mut relay, 1, 100);
    assert!(
        relay.heard(old).is_empty(),
        "the old one serves until the new one accepts"
    );
    relay.say(new, asked, subscribe_ok(Some(at(0, 1))));
    assert_eq!(relay.heard(old), [(upstream, Signal::Cancel)]);
    let mut stream = Publishing::open(&mut relay, (new, asked), 11, 1, mode);
    stream.object(&mut relay, 0, 100);
    relay.disconnect(old);
    assert!(relay.heard(subscriber).is_empty());
    assert_eq!(
        relay.locations(subscriber, theirs(4)),
        [at(0, 0), at(0, 1), at(1, 0)]
    );
}

#[test]
fn other_publisher_of_the_namespace_takes_over_from_one_that_disconnects() {
    let mut relay = Relay::new();
    let (other, first, subscriber) = (relay.connect(), relay.connect(), relay.connect());
    relay.say(other, theirs(0), publish_namespace("room"));
    relay.say(first, theirs(0), publish_namespace("room/ann"));
    relay.heard(other);
    relay.say(subscriber, theirs(4), subscribe("room/ann/video"));
    let upstream = relay.heard(first)[1].0;
    relay.say(first, upstream, subscribe_ok(None));
    relay.heard(subscriber);
    relay.disconnect(first);
    let upstream = relay.heard_one(other).0;
    relay.say(other, upstream, subscribe_ok(None));
    assert!(relay.heard(subscriber).is_empty());
    let mode = parvis_wire::SubgroupIdMode::Zero;
    let mut stream = Publishing::open(&mut relay, (other, upstream), 11, 1, mode);
    stream.object(&mut relay, 0, 100);
    assert_eq!(relay.locations(subscriber, theirs(4)), [at(1, 0)]);
}
