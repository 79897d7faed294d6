//! FETCHes that wait: for a subscription, or for an object on its way.

use parvis_forwarding::Signal;
use parvis_wire::{FetchRange, GroupId, LocationFilter, Parameters, RequestId};

use crate::{
    answering::Answering,
    fetch::{PATH, fetched, standalone, with_groups},
    support::{Relay, at, namespace, subscribe, subscribe_ok, subscribe_with, theirs},
};

#[test]
fn joining_fetch_and_its_subscription_are_contiguous() {
    let (mut relay, _, mut stream) = with_groups();
    let peer = relay.connect();
    let filter = Some(LocationFilter::NextObject);
    let parameters = Parameters {
        filter,
        ..Parameters::default()
    };
    relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
    stream.object(&mut relay, 2, 100);
    let range = FetchRange::RelativeJoining {
        request_id: RequestId(0),
        groups: 1,
    };
    let joining = Some(theirs(0));
    relay.say(
        peer,
        theirs(4),
        Signal::Fetch {
            range,
            parameters: Parameters::default(),
            joining,
        },
    );
    let expected = [Ok(at(4, 0)), Ok(at(4, 1)), Ok(at(5, 0)), Ok(at(5, 1))];
    assert_eq!(fetched(&relay, peer, 4), expected);
    assert_eq!(relay.locations(peer, theirs(0)), [at(5, 2)]);
    let range = FetchRange::AbsoluteJoining {
        request_id: RequestId(0),
        group: GroupId(5),
    };
    relay.say(
        peer,
        theirs(8),
        Signal::Fetch {
            range,
            parameters: Parameters::default(),
            joining,
        },
    );
    assert_eq!(fetched(&relay, peer, 8), [Ok(at(5, 0)), Ok(at(5, 1))]);
}

#[test]
fn joining_fetch_waits_for_its_subscription() {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(
        publisher,
        theirs(0),
        Signal::PublishNamespace {
            namespace: namespace("room"),
        },
    );
    relay.say(peer, theirs(0), subscribe(PATH));
    let range = FetchRange::RelativeJoining {
        request_id: RequestId(0),
        groups: 0,
    };
    let joining = Some(theirs(0));
    relay.say(
        peer,
        theirs(4),
        Signal::Fetch {
            range,
            parameters: Parameters::default(),
            joining,
        },
    );
    assert!(relay.heard(peer).is_empty());
    let upstream = relay.heard(publisher)[1].0;
    relay.say(publisher, upstream, subscribe_ok(Some(at(5, 3))));
    relay.heard(peer);
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(
        asked.window(),
        (at(5, 0), at(5, 3)),
        "nothing of it came by here"
    );
    asked.accept(&mut relay, at(5, 3));
    asked.object(&mut relay, at(5, 0), 4);
    asked.object(&mut relay, at(5, 3), 4);
    asked.finish(&mut relay);
    let (_, answer) = relay.heard_one(peer);
    assert!(
        matches!(&answer, Signal::FetchOk(ok) if ok.end == at(5, 3)),
        "{answer:?}"
    );
    assert_eq!(fetched(&relay, peer, 4), [Ok(at(5, 0)), Ok(at(5, 3))]);
}

#[test]
fn fetch_waits_for_an_object_on_its_way() {
    let (mut relay, publisher, mut stream) = with_groups();
    let (first, rest) = stream.encode(2, 2);
    relay.input(publisher, first);
    let peer = relay.connect();
    relay.say(
        peer,
        theirs(0),
        standalone(at(5, 0), (5, None), Parameters::default()),
    );
    assert!(relay.heard(peer).is_empty());
    for input in rest {
        relay.input(publisher, input);
    }
    assert_eq!(relay.heard(peer).len(), 1);
    assert_eq!(
        fetched(&relay, peer, 0),
        [Ok(at(5, 0)), Ok(at(5, 1)), Ok(at(5, 2))]
    );
}

#[test]
fn cancelled_fetch_is_not_answered() {
    let (mut relay, publisher, mut stream) = with_groups();
    let (first, rest) = stream.encode(2, 2);
    relay.input(publisher, first);
    let peer = relay.connect();
    relay.say(
        peer,
        theirs(0),
        standalone(at(5, 0), (5, None), Parameters::default()),
    );
    relay.say(peer, theirs(0), Signal::Cancel);
    for input in rest {
        relay.input(publisher, input);
    }
    assert!(relay.heard(peer).is_empty());
}

#[test]
fn fetch_that_waits_is_rejected_when_the_publisher_leaves() {
    let (mut relay, publisher, mut stream) = with_groups();
    let (first, _) = stream.encode(2, 2);
    relay.input(publisher, first);
    let peer = relay.connect();
    relay.say(
        peer,
        theirs(0),
        standalone(at(5, 0), (5, None), Parameters::default()),
    );
    relay.disconnect(publisher);
    assert!(matches!(relay.heard_one(peer).1, Signal::Reject(_)));
    relay.assert_empty();
}
