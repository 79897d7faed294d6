//! Late joins, filters, ranges, forward state: which objects a subscription receives.

use std::time::Duration;

use parvis_forwarding::{PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{
    GroupId, Location, LocationFilter, Parameters, PublishDoneCode, RequestErrorCode, ResetCode,
    SubgroupId, SubgroupIdMode,
};

use crate::support::{Publishing, Relay, at, payload, publish, subscribe, subscribe_with, theirs};

const PATH: &str = "room/ann/video";

/// A published track with a subscriber that keeps objects coming.
struct Track {
    relay: Relay,
    source: (PeerId, RequestRef),
    watcher: PeerId,
}

impl Track {
    fn new() -> Self {
        let mut relay = Relay::new();
        let (publisher, watcher) = (relay.connect(), relay.connect());
        relay.say(publisher, theirs(0), publish(PATH));
        relay.say(watcher, theirs(0), subscribe(PATH));
        Self {
            relay,
            source: (publisher, theirs(0)),
            watcher,
        }
    }

    fn open(&mut self, stream: u64, group: u64) -> Publishing {
        Publishing::open(
            &mut self.relay,
            self.source,
            stream,
            group,
            SubgroupIdMode::Zero,
        )
    }

    /// Objects 0 to `count` of a group on an open stream.
    fn group(&mut self, group: u64, count: u64) -> Publishing {
        let mut stream = self.open(100 + group, group);
        for id in 0..count {
            stream.object(&mut self.relay, id, 4);
        }
        stream
    }

    fn join(&mut self, filter: LocationFilter) -> PeerId {
        let peer = self.relay.connect();
        let parameters = Parameters {
            filter: Some(filter),
            ..Parameters::default()
        };
        self.relay
            .say(peer, theirs(4), subscribe_with(PATH, parameters));
        peer
    }

    fn locations(&self, peer: PeerId) -> Vec<Location> {
        self.relay.locations(peer, theirs(4))
    }
}

#[test]
fn joiner_in_mid_group_gets_the_objects_after_the_largest() {
    let mut track = Track::new();
    let mut stream = track.group(5, 3);
    let joiner = track.join(LocationFilter::NextObject);
    stream.object(&mut track.relay, 3, 4);
    stream.object(&mut track.relay, 6, 4);
    assert_eq!(track.locations(joiner), [at(5, 3), at(5, 6)]);
    let received = track.relay.received(joiner, theirs(4));
    assert!(!received.streams[0].header.first_object);
    assert_eq!(
        track.relay.objects(joiner, theirs(4))[1].1,
        payload(GroupId(5), 6)
    );
}

#[test]
fn joiner_in_mid_object_gets_the_next_one() {
    let mut track = Track::new();
    let mut stream = track.group(5, 1);
    let (first, rest) = stream.encode(1, 2);
    let publisher = track.source.0;
    track.relay.input(publisher, first);
    let joiner = track.join(LocationFilter::NextObject);
    for input in rest {
        track.relay.input(publisher, input);
    }
    stream.object(&mut track.relay, 2, 4);
    assert_eq!(track.locations(joiner), [at(5, 2)]);
}

#[test]
fn joiner_at_the_start_of_the_group_is_served_from_the_cache_then_live() {
    for filter in [
        LocationFilter::RelativeStart(1),
        LocationFilter::AbsoluteStart(at(5, 0)),
    ] {
        let mut track = Track::new();
        track.group(4, 2).finish(&mut track.relay);
        let mut stream = track.group(5, 2);
        let (first, rest) = stream.encode(2, 2);
        let publisher = track.source.0;
        track.relay.input(publisher, first);
        let joiner = track.join(filter);
        for input in rest {
            track.relay.input(publisher, input);
        }
        stream.object(&mut track.relay, 3, 4);
        stream.finish(&mut track.relay);
        let expected = [at(5, 0), at(5, 1), at(5, 2), at(5, 3)];
        assert_eq!(track.locations(joiner), expected, "{filter:?}");
        let streams = track.relay.received(joiner, theirs(4)).streams;
        assert!(streams[0].header.first_object);
        assert_eq!(streams[0].end, Some(SubgroupEnd::Finished));
        let watched = track.relay.received(track.watcher, theirs(0)).streams;
        assert_eq!(
            streams[0].bytes, watched[1].bytes,
            "the same bytes for everyone"
        );
    }
}

#[test]
fn joiner_one_group_back_gets_two_groups() {
    let mut track = Track::new();
    track.group(3, 2).finish(&mut track.relay);
    track.group(4, 2).finish(&mut track.relay);
    track.group(5, 1);
    let joiner = track.join(LocationFilter::RelativeStart(2));
    assert_eq!(track.locations(joiner), [at(4, 0), at(4, 1), at(5, 0)]);
    let joiner = track.join(LocationFilter::AbsoluteStart(at(3, 0)));
    assert_eq!(
        track.locations(joiner),
        [at(4, 0), at(4, 1), at(5, 0)],
        "two groups are cached"
    );
}

#[test]
fn unfiltered_joiner_begins_with_the_current_group() {
    let mut track = Track::new();
    let mut before = track.group(4, 2);
    track.group(5, 1);
    let joiner = track.join(LocationFilter::Unfiltered);
    before.object(&mut track.relay, 2, 4);
    assert_eq!(
        track.locations(joiner),
        [at(5, 0), at(4, 2)],
        "what is late is not foreign"
    );
}

#[test]
fn next_group_joiner_waits_for_it() {
    let mut track = Track::new();
    let mut stream = track.group(5, 2);
    let joiner = track.join(LocationFilter::NextGroup);
    stream.object(&mut track.relay, 2, 4);
    assert!(track.locations(joiner).is_empty());
    track.group(6, 1);
    assert_eq!(track.locations(joiner), [at(6, 0)]);
}

#[test]
fn absolute_start_inside_a_group_is_exact() {
    let mut track = Track::new();
    track.group(5, 4).finish(&mut track.relay);
    let joiner = track.join(LocationFilter::AbsoluteStart(at(5, 2)));
    let ahead = track.join(LocationFilter::AbsoluteStart(at(6, 2)));
    track.group(6, 4);
    assert_eq!(track.locations(joiner)[..2], [at(5, 2), at(5, 3)]);
    assert_eq!(track.locations(ahead), [at(6, 2), at(6, 3)]);
    assert!(
        !track.relay.received(ahead, theirs(4)).streams[0]
            .header
            .first_object
    );
}

#[test]
fn subgroup_named_by_its_first_object_is_named_outright_for_a_late_joiner() {
    let mut track = Track::new();
    let mode = SubgroupIdMode::FirstObject;
    let mut stream = Publishing::open(&mut track.relay, track.source, 9, 5, mode);
    stream.object(&mut track.relay, 3, 4);
    let joiner = track.join(LocationFilter::NextObject);
    stream.object(&mut track.relay, 4, 4);
    let header = track.relay.received(joiner, theirs(4)).streams[0].header;
    assert_eq!(header.subgroup, SubgroupIdMode::Explicit(SubgroupId(3)));
    let watched = track.relay.received(track.watcher, theirs(0)).streams[0].header;
    assert_eq!(watched.subgroup, mode);
}

#[test]
fn joiner_gets_every_subgroup_of_the_group() {
    let mut track = Track::new();
    let explicit = |id| SubgroupIdMode::Explicit(SubgroupId(id));
    let mut base = Publishing::open(&mut track.relay, track.source, 1, 5, explicit(0));
    let mut layer = Publishing::open(&mut track.relay, track.source, 2, 5, explicit(1));
    base.object(&mut track.relay, 0, 4);
    layer.object(&mut track.relay, 1, 4);
    base.object(&mut track.relay, 2, 4);
    layer.finish(&mut track.relay);
    let joiner = track.join(LocationFilter::RelativeStart(1));
    base.object(&mut track.relay, 4, 4);
    assert_eq!(
        track.locations(joiner),
        [at(5, 0), at(5, 2), at(5, 4), at(5, 1)]
    );
}

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
