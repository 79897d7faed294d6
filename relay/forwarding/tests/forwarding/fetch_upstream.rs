//! FETCH of what is not cached: a publisher is asked, and what it says is passed on and kept.

use std::time::Duration;

use parvis_forwarding::{Config, Input, PeerId, Signal, SubgroupEnd};
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, GroupOrder, Location, LocationFilter, Parameters, Properties,
    Property, RequestErrorCode, ResetCode,
};

use crate::{
    answering::Answering,
    fetch::{PATH, fetched, standalone, with_groups},
    support::{Relay, at, namespace, subscribe, subscribe_ok, theirs, track},
};

fn whole(start: Location, group: u64) -> Signal {
    standalone(start, (group, None), Parameters::default())
}

/// The end that a fetch was told, if it was accepted.
fn accepted(relay: &mut Relay, peer: PeerId) -> Location {
    let (_, answer) = relay.heard_one(peer);
    let Signal::FetchOk(FetchOk { end, .. }) = answer else {
        panic!("{answer:?}")
    };
    end
}

fn refused(relay: &mut Relay, peer: PeerId) -> RequestErrorCode {
    let (_, answer) = relay.heard_one(peer);
    let Signal::Reject(error) = answer else {
        panic!("{answer:?}")
    };
    error.code
}

/// A publisher of a namespace, and one who fetches.
fn with_namespace() -> (Relay, PeerId, PeerId) {
    let mut relay = Relay::new();
    let (publisher, peer) = (relay.connect(), relay.connect());
    let namespace = namespace("room");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    (relay, publisher, peer)
}

#[test]
fn hole_is_asked_for_and_what_comes_is_passed_on_at_once() {
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    relay.say(peer, theirs(0), whole(at(2, 0), 4));
    assert!(
        relay.heard(peer).is_empty(),
        "the publisher may know nothing"
    );
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(asked.track, track(PATH));
    assert_eq!(asked.window(), (at(2, 0), at(3, u64::MAX)));
    asked.accept(&mut relay, at(3, 1));
    asked.object(&mut relay, at(2, 0), 100);
    let inputs = asked.encode(at(3, 0), 5);
    relay.input(publisher, inputs[0].clone());
    let received = relay.received(peer, theirs(0));
    assert_eq!(received.fetched.len(), 2, "the object is not whole yet");
    assert_eq!(received.fetched[1].1.len(), 5);
    for input in &inputs[1..] {
        relay.input(publisher, input.clone());
    }
    asked.object(&mut relay, at(3, 1), 5);
    asked.finish(&mut relay);
    assert_eq!(accepted(&mut relay, peer), at(4, u64::MAX));
    let expected = [at(2, 0), at(3, 0), at(3, 1), at(4, 0), at(4, 1)].map(Ok);
    assert_eq!(fetched(&relay, peer, 0), expected);
}

#[test]
fn answer_is_kept_and_not_asked_for_again() {
    let (mut relay, publisher, _) = with_groups();
    let (first, second) = (relay.connect(), relay.connect());
    relay.say(first, theirs(0), whole(at(1, 0), 3));
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(3, u64::MAX));
    asked.object(&mut relay, at(1, 1), 8);
    asked.object(&mut relay, at(3, 0), 8);
    asked.finish(&mut relay);
    relay.say(second, theirs(0), whole(at(1, 0), 4));
    assert!(relay.heard(publisher).is_empty());
    let expected = [at(1, 1), at(3, 0), at(4, 0), at(4, 1)].map(Ok);
    assert_eq!(fetched(&relay, second, 0), expected);
    let descending = Parameters {
        group_order: Some(GroupOrder::Descending),
        ..Parameters::default()
    };
    relay.say(
        second,
        theirs(4),
        standalone(at(1, 1), (4, Some(0)), descending),
    );
    let expected = [at(4, 0), at(3, 0), at(1, 1)].map(Ok);
    assert_eq!(fetched(&relay, second, 4), expected);
    assert!(relay.heard(publisher).is_empty());
}

#[test]
fn those_who_want_the_same_share_one_question() {
    let (mut relay, publisher, _) = with_groups();
    let (first, second, third) = (relay.connect(), relay.connect(), relay.connect());
    relay.say(first, theirs(0), whole(at(2, 0), 3));
    let mut asked = Answering::to_one(&mut relay, publisher);
    relay.say(second, theirs(0), whole(at(2, 0), 2));
    asked.accept(&mut relay, at(3, u64::MAX));
    asked.object(&mut relay, at(2, 0), 8);
    let inputs = asked.encode(at(2, 1), 3);
    for input in &inputs[..2] {
        relay.input(publisher, input.clone());
    }
    relay.say(third, theirs(0), whole(at(2, 0), 3));
    for input in &inputs[2..] {
        relay.input(publisher, input.clone());
    }
    asked.object(&mut relay, at(3, 0), 8);
    asked.finish(&mut relay);
    assert!(relay.heard(publisher).is_empty(), "one question for all");
    let all = [at(2, 0), at(2, 1), at(3, 0)].map(Ok);
    assert_eq!(fetched(&relay, first, 0), all);
    assert_eq!(fetched(&relay, second, 0), all[..2]);
    assert_eq!(
        fetched(&relay, third, 0),
        all,
        "with what had come of the object"
    );
}

#[test]
fn track_without_subscription_is_fetched_from_the_publisher_of_its_namespace() {
    let (mut relay, publisher, peer) = with_namespace();
    relay.say(peer, theirs(0), whole(at(0, 0), 9));
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(asked.window(), (at(0, 0), at(9, u64::MAX)));
    asked.object(&mut relay, at(0, 0), 9);
    assert!(relay.heard(peer).is_empty(), "the publisher knows the end");
    assert_eq!(relay.received(peer, theirs(0)).fetched.len(), 1);
    let properties = Properties::encode(vec![Property::integer(0x40, 7)]);
    asked.accept_with(&mut relay, at(4, 2), properties.clone());
    let (_, answer) = relay.heard_one(peer);
    assert!(
        matches!(&answer, Signal::FetchOk(ok)
            if ok.end == at(4, 2) && ok.track_properties == properties),
        "{answer:?}"
    );
    asked.object(&mut relay, at(4, 2), 9);
    asked.finish(&mut relay);
    assert_eq!(fetched(&relay, peer, 0), [Ok(at(0, 0)), Ok(at(4, 2))]);
    relay.say(peer, theirs(4), whole(at(0, 0), 3));
    assert_eq!(accepted(&mut relay, peer), at(3, u64::MAX));
    assert_eq!(fetched(&relay, peer, 4), [Ok(at(0, 0))]);
    assert!(relay.heard(publisher).is_empty(), "it is kept");
    relay.disconnect(publisher);
    relay.wait(Duration::from_secs(50));
    relay.assert_empty();
}

#[test]
fn what_the_publisher_says_of_a_fetch_is_said_by_name() {
    for code in [
        RequestErrorCode::NotSupported,
        RequestErrorCode::InvalidRange,
        RequestErrorCode::Unauthorized,
    ] {
        let (mut relay, publisher, peer) = with_namespace();
        relay.say(peer, theirs(0), whole(at(0, 0), 9));
        Answering::to_one(&mut relay, publisher).reject(&mut relay, code);
        assert_eq!(refused(&mut relay, peer), code);
    }
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    relay.say(peer, theirs(0), whole(at(1, 0), 2));
    let asked = Answering::to_one(&mut relay, publisher);
    asked.reject(&mut relay, RequestErrorCode::NotSupported);
    assert_eq!(refused(&mut relay, peer), RequestErrorCode::NotSupported);
}

#[test]
fn another_publisher_is_asked_when_one_cannot_answer() {
    let (mut relay, first, peer) = with_namespace();
    let second = relay.connect();
    let namespace = namespace("room/ann");
    relay.say(second, theirs(0), Signal::PublishNamespace { namespace });
    relay.say(peer, theirs(0), whole(at(0, 0), 1));
    let mut asked = Answering::to_one(&mut relay, second);
    asked.object(&mut relay, at(0, 0), 9);
    asked.reject(&mut relay, RequestErrorCode::InternalError);
    let mut other = Answering::to_one(&mut relay, first);
    assert_eq!(other.window(), (at(0, 1), at(1, u64::MAX)), "only the rest");
    other.accept(&mut relay, at(1, 0));
    other.object(&mut relay, at(1, 0), 9);
    other.finish(&mut relay);
    assert_eq!(accepted(&mut relay, peer), at(1, 0));
    assert_eq!(fetched(&relay, peer, 0), [Ok(at(0, 0)), Ok(at(1, 0))]);
}

#[test]
fn what_the_publisher_does_not_know_is_passed_on() {
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    relay.say(peer, theirs(0), whole(at(1, 0), 3));
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(3, u64::MAX));
    asked.entry(&mut relay, FetchObject::EndOfUnknownRange(at(1, 5)));
    asked.object(&mut relay, at(2, 0), 9);
    asked.entry(
        &mut relay,
        FetchObject::EndOfNonExistentRange(at(2, u64::MAX)),
    );
    asked.finish(&mut relay);
    assert_eq!(fetched(&relay, peer, 0), [Err(at(1, 5)), Ok(at(2, 0))]);
    relay.say(peer, theirs(4), whole(at(1, 0), 2));
    let asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(
        asked.window(),
        (at(1, 0), at(1, u64::MAX)),
        "only the hole is asked for again"
    );
}

#[test]
fn broken_answer_leaves_an_unknown_range() {
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    relay.say(peer, theirs(0), whole(at(3, 0), 4));
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(3, 1));
    asked.object(&mut relay, at(3, 0), 9);
    asked.end(&mut relay, SubgroupEnd::Reset(ResetCode::InternalError));
    let expected = [
        Ok(at(3, 0)),
        Err(at(3, u64::MAX)),
        Ok(at(4, 0)),
        Ok(at(4, 1)),
    ];
    assert_eq!(fetched(&relay, peer, 0), expected);
}

#[test]
fn answer_that_breaks_inside_an_object_is_reset() {
    let (mut relay, publisher, _) = with_groups();
    let peer = relay.connect();
    relay.say(peer, theirs(0), whole(at(3, 0), 4));
    let asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(3, 1));
    let inputs = asked.encode(at(3, 0), 3);
    relay.input(publisher, inputs[0].clone());
    asked.end(&mut relay, SubgroupEnd::Reset(ResetCode::InternalError));
    let end = relay.received(peer, theirs(0)).fetch_end;
    let code = ResetCode::UnknownObjectStatus;
    assert_eq!(end, Some(SubgroupEnd::Reset(code)));
}

#[test]
fn impossible_answers_are_not_passed_on() {
    let wrong: [fn(&Answering) -> Vec<Input>; 3] = [
        // Behind the range, in front of it, and twice.
        |asked| asked.encode(at(4, 0), 90),
        |asked| asked.encode(at(0, 0), 90),
        |asked| [asked.encode(at(2, 1), 90), asked.encode(at(2, 0), 90)].concat(),
    ];
    for wrong in wrong {
        let (mut relay, publisher, _) = with_groups();
        let peer = relay.connect();
        relay.say(peer, theirs(0), whole(at(2, 0), 3));
        let asked = Answering::to_one(&mut relay, publisher);
        asked.accept(&mut relay, at(3, u64::MAX));
        for input in wrong(&asked) {
            relay.input(publisher, input);
        }
        let heard = relay.heard(publisher);
        assert!(
            matches!(heard.as_slice(), [(_, Signal::Cancel)]),
            "{heard:?}"
        );
        let came = fetched(&relay, peer, 0);
        assert_eq!(came.last(), Some(&Err(at(3, u64::MAX))));
        assert!(came[..came.len() - 1].iter().all(|c| *c == Ok(at(2, 1))));
    }
}

#[test]
fn silent_publisher_is_not_waited_for_longer_than_the_requester_likes() {
    let (mut relay, publisher, _) = with_groups();
    let (patient, hasty, idle) = (relay.connect(), relay.connect(), relay.connect());
    let within = |fill_timeout| Parameters {
        fill_timeout,
        ..Parameters::default()
    };
    let range = |parameters| standalone(at(3, 0), (4, Some(0)), parameters);
    relay.say(hasty, theirs(0), range(within(Some(0))));
    relay.say(patient, theirs(0), range(within(Some(900))));
    relay.say(idle, theirs(0), range(within(None)));
    let asked = Answering::to_one(&mut relay, publisher);
    let gap = |relay: &Relay, peer| {
        let received = relay.received(peer, theirs(0));
        let entries: Vec<FetchObject> = received.fetched.into_iter().map(|e| e.0).collect();
        let to = FetchObject::EndOfTimedOutRange(at(3, u64::MAX));
        received.fetch_end.is_some() && entries.len() == 2 && entries[0] == to
    };
    assert!(gap(&relay, hasty) && !gap(&relay, patient));
    relay.wait(Duration::from_millis(899));
    assert!(!gap(&relay, patient));
    relay.wait(Duration::from_millis(1));
    assert!(gap(&relay, patient) && !gap(&relay, idle));
    relay.wait(Config::default().fill_pause);
    assert!(gap(&relay, idle));
    let heard = relay.heard(publisher);
    assert!(
        matches!(heard.as_slice(), [(_, Signal::Cancel)]),
        "{heard:?}"
    );
    asked.finish(&mut relay);
}

#[test]
fn cancelled_fetch_cancels_what_nobody_else_waits_for() {
    let (mut relay, publisher, _) = with_groups();
    let (first, second) = (relay.connect(), relay.connect());
    for peer in [first, second] {
        relay.say(peer, theirs(0), whole(at(1, 0), 2));
    }
    Answering::to_one(&mut relay, publisher);
    relay.say(first, theirs(0), Signal::Cancel);
    assert!(relay.heard(publisher).is_empty());
    relay.disconnect(second);
    let heard = relay.heard(publisher);
    assert!(
        matches!(heard.as_slice(), [(_, Signal::Cancel)]),
        "{heard:?}"
    );
    relay.say(first, theirs(4), whole(at(1, 0), 2));
    Answering::to_one(&mut relay, publisher);
    relay.disconnect(publisher);
    let code = refused(&mut relay, first);
    assert_eq!(code, RequestErrorCode::DoesNotExist);
}

#[test]
fn relative_range_of_a_track_that_nobody_subscribed_to_asks_for_its_end_first() {
    let (mut relay, publisher, peer) = with_namespace();
    let parameters = Parameters {
        filter: Some(LocationFilter::RelativeStart(2)),
        ..Parameters::default()
    };
    let range = FetchRange::Filtered { track: track(PATH) };
    let joining = None;
    relay.say(
        peer,
        theirs(0),
        Signal::Fetch {
            range,
            parameters,
            joining,
        },
    );
    let (request, signal) = relay.heard(publisher).remove(1);
    assert!(
        matches!(&signal, Signal::Subscribe { parameters, .. } if parameters.forward == Some(false)),
        "{signal:?}"
    );
    relay.say(publisher, request, subscribe_ok(Some(at(7, 3))));
    let mut asked = Answering::to_one(&mut relay, publisher);
    assert_eq!(asked.window(), (at(6, 0), at(7, 3)));
    asked.accept(&mut relay, at(7, 3));
    asked.object(&mut relay, at(7, 3), 50);
    asked.finish(&mut relay);
    assert_eq!(fetched(&relay, peer, 0), [Ok(at(7, 3))]);
    relay.wait(Duration::from_secs(40));
    let heard = relay.heard(publisher);
    assert!(
        matches!(heard.as_slice(), [(_, Signal::Cancel)]),
        "{heard:?}"
    );
}

#[test]
fn shard_fetches_from_the_shard_of_the_publisher() {
    let mut relay = Relay::with(2, Config::default());
    let (publisher, peer) = (relay.connect_to(0), relay.connect_to(1));
    let namespace = namespace("room");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    relay.heard(publisher);
    relay.say(peer, theirs(0), whole(at(0, 0), 1));
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(1, 0));
    asked.object(&mut relay, at(0, 3), 4);
    asked.object(&mut relay, at(1, 0), 4);
    asked.finish(&mut relay);
    assert_eq!(accepted(&mut relay, peer), at(1, 0));
    assert_eq!(fetched(&relay, peer, 0), [Ok(at(0, 3)), Ok(at(1, 0))]);
    relay.say(peer, theirs(4), subscribe(PATH));
    relay.say(peer, theirs(4), Signal::Cancel);
    relay.disconnect(publisher);
    relay.disconnect(peer);
    relay.wait(Duration::from_mins(1));
    relay.assert_empty();
}

#[test]
fn small_cache_keeps_the_newest_of_the_past() {
    let config = Config {
        track_cache_bytes: 1500,
        ..Config::default()
    };
    let mut relay = Relay::with(1, config);
    let (publisher, peer) = (relay.connect(), relay.connect());
    let namespace = namespace("room");
    relay.say(publisher, theirs(0), Signal::PublishNamespace { namespace });
    relay.heard(publisher);
    relay.say(peer, theirs(0), whole(at(0, 0), 9));
    let mut asked = Answering::to_one(&mut relay, publisher);
    asked.accept(&mut relay, at(9, 0));
    for group in 0..10 {
        asked.object(&mut relay, at(group, 0), 7);
        let cached = relay.shards[0].stats().cache_bytes;
        assert!(cached <= config.track_cache_bytes, "{cached}");
    }
    asked.finish(&mut relay);
    assert_eq!(fetched(&relay, peer, 0).len(), 10);
    let newest = standalone(at(9, 0), (9, Some(0)), Parameters::default());
    relay.say(peer, theirs(4), newest);
    assert_eq!(fetched(&relay, peer, 4), [Ok(at(9, 0))]);
    assert!(relay.heard(publisher).is_empty());
}
