//! Late joins and filters: which objects a subscription receives.

use parvis_forwarding::{PeerId, RequestRef, SubgroupEnd, Timeouts};
use parvis_wire::{
    GroupId, Location, LocationFilter, Parameters, Properties, Property, SubgroupId, SubgroupIdMode,
};

use crate::support::{Publishing, Relay, at, payload, publish, subscribe, subscribe_with, theirs};

const PATH: &str = "room/ann/video";

/// A published track with a subscriber that keeps objects coming.
pub struct Track {
    pub relay: Relay,
    source: (PeerId, RequestRef),
    watcher: PeerId,
}

impl Track {
    pub fn new() -> Self {
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

    pub fn open(&mut self, stream: u64, group: u64) -> Publishing {
        Publishing::open(
            &mut self.relay,
            self.source,
            stream,
            group,
            SubgroupIdMode::Zero,
        )
    }

    /// Objects 0 to `count` of a group on an open stream.
    pub fn group(&mut self, group: u64, count: u64) -> Publishing {
        let mut stream = self.open(100 + group, group);
        for id in 0..count {
            stream.object(&mut self.relay, id, 4);
        }
        stream
    }

    pub fn join(&mut self, filter: LocationFilter) -> PeerId {
        let peer = self.relay.connect();
        let parameters = Parameters {
            filter: Some(filter),
            ..Parameters::default()
        };
        self.relay
            .say(peer, theirs(4), subscribe_with(PATH, parameters));
        peer
    }

    pub fn locations(&self, peer: PeerId) -> Vec<Location> {
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
fn timeouts_of_the_first_object_hold_for_the_whole_subgroup() {
    let mut relay = Relay::new();
    let (publisher, first, late) = (relay.connect(), relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish(PATH));
    relay.say(first, theirs(0), subscribe(PATH));
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 1, 3, SubgroupIdMode::Zero);
    for (id, object) in [(0, 250), (1, 900)] {
        let properties = [(0x02, object), (0x06, 0)].map(|(k, v)| Property::integer(k, v));
        stream.properties = Properties::encode(properties.to_vec());
        stream.object(&mut relay, id, 9);
    }
    let parameters = Parameters {
        filter: Some(LocationFilter::AbsoluteStart(at(3, 1))),
        ..Parameters::default()
    };
    relay.say(late, theirs(0), subscribe_with(PATH, parameters));
    let expected = Timeouts {
        object: Some(250),
        subgroup: Some(0),
    };
    for peer in [first, late] {
        let streams = relay.received(peer, theirs(0)).streams;
        assert_eq!(streams[0].timeouts, expected);
    }
}
