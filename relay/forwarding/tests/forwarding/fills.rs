//! Fills: objects of the past on a stream beside a subscription, in draft 22.

use parvis_forwarding::{PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    FetchObject, GroupOrder, Location, LocationFilter, Parameters, RequestErrorCode, RequestId,
    ResetCode,
};

use crate::{
    answering::Answering,
    fetch::{PATH, with_groups},
    support::{Relay, at, subscribe_with, theirs},
};

/// A subscription from the next object on that is filled.
fn filled(filter: Option<LocationFilter>, group_order: Option<GroupOrder>) -> Parameters {
    let fill = Parameters {
        filter,
        group_order,
        ..Parameters::default()
    };
    Parameters {
        filter: Some(LocationFilter::NextObject),
        fill: Some(Box::new(fill)),
        ..Parameters::default()
    }
}

/// The fills that were opened for a session since the last time: name and update.
fn opened(relay: &mut Relay, peer: PeerId) -> Vec<(RequestRef, Option<RequestId>)> {
    let heard = relay.heard(peer).into_iter();
    heard
        .filter_map(|(request, signal)| match signal {
            Signal::Fill {
                subscription,
                update,
                ..
            } => {
                assert_eq!(subscription, theirs(0));
                Some((request, update))
            }
            _ => None,
        })
        .collect()
}

fn came(relay: &Relay, peer: PeerId, fill: RequestRef) -> (Vec<Location>, Option<SubgroupEnd>) {
    let received = relay.received(peer, fill);
    let entries = received.fetched.iter();
    let objects = entries.filter_map(|(entry, _)| match entry {
        FetchObject::Object { location, .. } => Some(*location),
        _ => None,
    });
    (objects.collect(), received.fetch_end)
}

const FINISHED: Option<SubgroupEnd> = Some(SubgroupEnd::Finished);

#[test]
fn fill_and_subscription_are_contiguous() {
    for (order, expected) in [
        (None, [at(4, 0), at(4, 1), at(5, 0), at(5, 1)]),
        (
            Some(GroupOrder::Descending),
            [at(5, 0), at(5, 1), at(4, 0), at(4, 1)],
        ),
    ] {
        let (mut relay, _, mut stream) = with_groups();
        let peer = relay.connect();
        let parameters = filled(Some(LocationFilter::RelativeStart(2)), order);
        relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
        let [(fill, None)] = opened(&mut relay, peer)[..] else {
            panic!("one fill")
        };
        assert_eq!(came(&relay, peer, fill), (expected.to_vec(), FINISHED));
        stream.object(&mut relay, 2, 9);
        assert_eq!(relay.locations(peer, theirs(0)), [at(5, 2)]);
    }
}

#[test]
fn range_of_a_fill_is_that_of_the_subscription_unless_it_names_one() {
    let (mut relay, _, _) = with_groups();
    let ranges = [
        (None, Some(LocationFilter::AbsoluteStart(at(5, 1))), 1),
        (Some(LocationFilter::AbsoluteStart(at(4, 1))), None, 3),
        (
            Some(LocationFilter::AbsoluteRange {
                start: at(4, 0),
                end: at(5, 0),
            }),
            None,
            3,
        ),
    ];
    for (fill, subscription, count) in ranges {
        let peer = relay.connect();
        let parameters = Parameters {
            filter: subscription,
            ..filled(fill, None)
        };
        relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
        let [(fill, None)] = opened(&mut relay, peer)[..] else {
            panic!("one fill")
        };
        let (objects, end) = came(&relay, peer, fill);
        assert_eq!((objects.len(), end), (count, FINISHED), "{objects:?}");
    }
}

#[test]
fn nothing_is_opened_where_nothing_is_to_fill() {
    let (mut relay, _, _) = with_groups();
    let nothing = [
        filled(Some(LocationFilter::NextObject), None),
        filled(Some(LocationFilter::NextGroup), None),
        filled(None, None),
        Parameters {
            forward: Some(false),
            ..filled(Some(LocationFilter::RelativeStart(1)), None)
        },
    ];
    for parameters in nothing {
        let peer = relay.connect();
        relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
        assert_eq!(opened(&mut relay, peer), []);
    }
}

#[test]
fn update_opens_a_fill_of_its_own_name() {
    let (mut relay, _, _) = with_groups();
    let peer = relay.connect();
    let parameters = Parameters {
        filter: Some(LocationFilter::NextGroup),
        forward: Some(false),
        ..Parameters::default()
    };
    relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
    let id = RequestId(6);
    let mut parameters = filled(Some(LocationFilter::RelativeStart(1)), None);
    relay.say(
        peer,
        theirs(0),
        Signal::FillUpdate {
            id,
            parameters: parameters.clone(),
        },
    );
    assert_eq!(opened(&mut relay, peer), [], "it does not forward");
    parameters.forward = Some(true);
    relay.say(peer, theirs(0), Signal::FillUpdate { id, parameters });
    let [(fill, Some(RequestId(6)))] = opened(&mut relay, peer)[..] else {
        panic!("one fill")
    };
    let expected = (vec![at(5, 0), at(5, 1)], FINISHED);
    assert_eq!(came(&relay, peer, fill), expected);
}

#[test]
fn hole_of_a_fill_is_asked_for_upstream() {
    let (mut relay, publisher, _) = with_groups();
    let (peer, other) = (relay.connect(), relay.connect());
    let parameters = filled(Some(LocationFilter::AbsoluteStart(at(2, 0))), None);
    for peer in [peer, other] {
        relay.say(peer, theirs(0), subscribe_with(PATH, parameters.clone()));
    }
    let [(fill, None)] = opened(&mut relay, peer)[..] else {
        panic!("one fill")
    };
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(asked.window(), (at(2, 0), at(3, u64::MAX)));
    assert_eq!(
        asked.parameters.subscriber_priority,
        Some(parvis_wire::Priority(128))
    );
    relay.say(other, theirs(0), Signal::Cancel);
    asked.accept(&mut relay, at(3, 1));
    asked.object(&mut relay, at(3, 1), 5);
    asked.finish(&mut relay);
    let expected = [at(3, 1), at(4, 0), at(4, 1), at(5, 0), at(5, 1)];
    assert_eq!(came(&relay, peer, fill), (expected.to_vec(), FINISHED));
}

#[test]
fn fill_that_fails_is_reset_and_the_subscription_goes_on() {
    let (mut relay, publisher, mut stream) = with_groups();
    let peer = relay.connect();
    let range = LocationFilter::AbsoluteRange {
        start: at(1, 0),
        end: at(2, 0),
    };
    let parameters = filled(Some(range), None);
    relay.say(peer, theirs(0), subscribe_with(PATH, parameters));
    let [(fill, None)] = opened(&mut relay, peer)[..] else {
        panic!("one fill")
    };
    let asked = Answering::to_one(&mut relay, publisher);
    asked.reject(&mut relay, RequestErrorCode::NotSupported);
    let code = ResetCode::UnknownObjectStatus;
    let end = Some(SubgroupEnd::Reset(code));
    assert_eq!(came(&relay, peer, fill), (Vec::new(), end));
    stream.object(&mut relay, 2, 9);
    assert_eq!(relay.locations(peer, theirs(0)), [at(5, 2)]);
}

#[test]
fn fills_end_with_their_subscription_or_alone() {
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    let parameters = filled(Some(LocationFilter::AbsoluteStart(at(1, 0))), None);
    relay.say(peer, theirs(0), subscribe_with(PATH, parameters.clone()));
    let [(first, None)] = opened(&mut relay, peer)[..] else {
        panic!("one fill")
    };
    Answering::to_one(&mut relay, publisher);
    relay.say(peer, first, Signal::Cancel);
    let heard = relay.heard(publisher);
    assert!(
        matches!(heard.as_slice(), [(_, Signal::Cancel)]),
        "{heard:?}"
    );
    let id = RequestId(9);
    relay.say(peer, theirs(0), Signal::FillUpdate { id, parameters });
    let [(second, Some(_))] = opened(&mut relay, peer)[..] else {
        panic!("one fill")
    };
    relay.say(peer, theirs(0), Signal::Cancel);
    let end = Some(SubgroupEnd::Reset(ResetCode::Cancelled));
    assert_eq!(came(&relay, peer, second), (Vec::new(), end));
    let stats = relay.shards[0].stats();
    assert_eq!((stats.fetches, stats.asks), (0, 0));
}
