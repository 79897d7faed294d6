//! Ranges, forward state and updates: when a subscription receives objects.

use std::time::Duration;

use parvis_forwarding::{Signal, SubgroupEnd};
use parvis_wire::{
    GroupId, LocationFilter, Parameters, PublishDoneCode, RequestErrorCode, ResetCode,
};

use crate::{
    joining::Track,
    support::{at, theirs},
};

#[test]
fn range_ends_with_subscription_ended() {
    let mut track = Track::new();
    let (start, end) = (at(5, 1), GroupId(5));
    let joiner = track.join(LocationFilter::AbsoluteGroups { start, end });
    track.relay.heard(joiner);
    track.group(5, 3).finish(&mut track.relay);
    track.group(6, 1);
    track.relay.wait(Duration::from_secs(1));
    assert_eq!(track.locations(joiner), [at(5, 1), at(5, 2)]);
    let (request, signal) = track.relay.heard_one(joiner);
    assert_eq!(request, theirs(4));
    assert!(matches!(
        signal,
        Signal::Done {
            code: PublishDoneCode::SubscriptionEnded,
            ..
        }
    ));
}

#[test]
fn range_waits_for_its_open_streams() {
    let mut track = Track::new();
    let (start, end) = (at(5, 0), GroupId(5));
    let joiner = track.join(LocationFilter::AbsoluteGroups { start, end });
    track.relay.heard(joiner);
    let mut stream = track.group(5, 1);
    track.group(6, 1);
    track.relay.wait(Duration::from_secs(3));
    assert!(track.relay.heard(joiner).is_empty());
    stream.object(&mut track.relay, 1, 4);
    stream.finish(&mut track.relay);
    track.relay.wait(Duration::from_secs(1));
    assert_eq!(track.locations(joiner), [at(5, 0), at(5, 1)]);
    assert_eq!(track.relay.heard(joiner).len(), 1);
}

#[test]
fn range_that_ends_inside_a_group_is_exact() {
    let mut track = Track::new();
    let range = LocationFilter::AbsoluteRange {
        start: at(5, 1),
        end: at(5, 2),
    };
    let live = track.join(range);
    let mut stream = track.group(5, 2);
    let late = track.join(range);
    for id in 2..5 {
        stream.object(&mut track.relay, id, 4);
    }
    let later = track.join(range);
    for joiner in [live, late, later] {
        assert_eq!(track.locations(joiner), [at(5, 1), at(5, 2)]);
        let streams = track.relay.received(joiner, theirs(4)).streams;
        assert_eq!(streams[0].end, Some(SubgroupEnd::Finished));
    }
}

#[test]
fn range_that_is_over_is_invalid() {
    let mut track = Track::new();
    track.group(5, 1).finish(&mut track.relay);
    for filter in [
        LocationFilter::AbsoluteGroups {
            start: at(1, 0),
            end: GroupId(2),
        },
        LocationFilter::AbsoluteRange {
            start: at(7, 3),
            end: at(7, 2),
        },
    ] {
        let joiner = track.join(filter);
        let (_, signal) = track.relay.heard_one(joiner);
        let code = RequestErrorCode::InvalidRange;
        assert!(
            matches!(&signal, Signal::Reject(error) if error.code == code),
            "{signal:?}"
        );
    }
}

#[test]
fn paused_subscription_goes_on_behind_the_largest_object() {
    let mut track = Track::new();
    let joiner = track.join(LocationFilter::RelativeStart(1));
    let mut stream = track.group(5, 2);
    let forward = |on| {
        Signal::Update(Parameters {
            forward: Some(on),
            ..Parameters::default()
        })
    };
    track.relay.say(joiner, theirs(4), forward(false));
    stream.object(&mut track.relay, 2, 4);
    track.relay.heard(joiner);
    track.relay.say(joiner, theirs(4), forward(true));
    let largest = Some(at(5, 2));
    let ok = Signal::UpdateOk(Parameters {
        largest,
        ..Parameters::default()
    });
    assert_eq!(track.relay.heard(joiner), [(theirs(4), ok)]);
    stream.object(&mut track.relay, 3, 4);
    assert_eq!(track.locations(joiner), [at(5, 0), at(5, 1), at(5, 3)]);
    let streams = track.relay.received(joiner, theirs(4)).streams;
    assert_eq!(
        streams[0].end,
        Some(SubgroupEnd::Reset(ResetCode::Cancelled))
    );
}

#[test]
fn narrowed_window_resets_what_is_outside_and_widened_one_joins_the_next_object() {
    let mut track = Track::new();
    let joiner = track.join(LocationFilter::RelativeStart(1));
    let mut stream = track.group(5, 1);
    let filter = |f| {
        Signal::Update(Parameters {
            filter: Some(f),
            ..Parameters::default()
        })
    };
    let narrow = filter(LocationFilter::AbsoluteStart(at(6, 0)));
    track.relay.say(joiner, theirs(4), narrow);
    stream.object(&mut track.relay, 1, 4);
    assert_eq!(track.locations(joiner), [at(5, 0)]);
    let streams = track.relay.received(joiner, theirs(4)).streams;
    assert_eq!(
        streams[0].end,
        Some(SubgroupEnd::Reset(ResetCode::Cancelled))
    );
    track.relay.say(
        joiner,
        theirs(4),
        filter(LocationFilter::AbsoluteStart(at(5, 0))),
    );
    stream.object(&mut track.relay, 2, 4);
    track.group(6, 1);
    assert_eq!(track.locations(joiner), [at(5, 0), at(5, 2), at(6, 0)]);
}

#[test]
fn impossible_update_ends_the_subscription() {
    let mut track = Track::new();
    let joiner = track.join(LocationFilter::NextObject);
    track.relay.heard(joiner);
    let filter = Some(LocationFilter::AbsoluteRange {
        start: at(2, 0),
        end: at(1, 0),
    });
    let update = Signal::Update(Parameters {
        filter,
        ..Parameters::default()
    });
    track.relay.say(joiner, theirs(4), update);
    assert!(matches!(
        track.relay.heard_one(joiner).1,
        Signal::UpdateReject(_)
    ));
    assert_eq!(track.relay.shards[0].stats().subscriptions, 1);
}
