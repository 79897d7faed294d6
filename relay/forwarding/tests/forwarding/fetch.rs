//! FETCH: objects of the past, out of the cache.

use std::time::Duration;

use parvis_forwarding::{Config, PeerId, Signal, SubgroupEnd};
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, GroupId, GroupOrder, Location, LocationFilter, ObjectId,
    Parameters, Properties, RequestErrorCode, RequestId, SubgroupId, SubgroupIdMode,
};

use crate::support::{Publishing, Relay, at, payload, publish, rejected, subscribe, theirs, track};

pub const PATH: &str = "room/ann/video";

/// A track with groups 3 (whole), 4 (whole) and 5 (open), of which two are cached.
pub fn with_groups() -> (Relay, PeerId, Publishing) {
    let mut relay = Relay::new();
    let (publisher, watcher) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish(PATH));
    relay.say(watcher, theirs(0), subscribe(PATH));
    let mut open = |group| {
        let source = (publisher, theirs(0));
        Publishing::open(&mut relay, source, group, group, SubgroupIdMode::Zero)
    };
    let mut streams: Vec<Publishing> = (3..6).map(&mut open).collect();
    for stream in &mut streams {
        for id in 0..2 {
            stream.object(&mut relay, id, 3);
        }
    }
    let last = streams.pop().expect("there are three");
    for stream in streams {
        stream.finish(&mut relay);
    }
    (relay, publisher, last)
}

pub fn standalone(start: Location, end: (u64, Option<u64>), parameters: Parameters) -> Signal {
    let end = (GroupId(end.0), end.1.map(ObjectId));
    let range = FetchRange::Standalone {
        track: track(PATH),
        start,
        end,
    };
    Signal::Fetch {
        range,
        parameters,
        joining: None,
    }
}

/// Fetches of a publisher that knows no FETCH, and says what came: objects as `Ok`, ends of
/// unknown ranges as `Err`.
fn fetch(
    relay: &mut Relay,
    publisher: PeerId,
    signal: Signal,
) -> (Location, Vec<Result<Location, Location>>) {
    let peer = relay.connect();
    relay.say(peer, theirs(0), signal);
    for (request, signal) in relay.heard(publisher) {
        if let Signal::Fetch { .. } = signal {
            relay.say(publisher, request, rejected(RequestErrorCode::NotSupported));
        }
    }
    let (_, answer) = relay.heard_one(peer);
    let Signal::FetchOk(FetchOk { end, .. }) = answer else {
        panic!("{answer:?}")
    };
    (end, fetched(relay, peer, 0))
}

pub fn fetched(relay: &Relay, peer: PeerId, request: u64) -> Vec<Result<Location, Location>> {
    let received = relay.received(peer, theirs(request));
    assert_eq!(received.fetch_end, Some(SubgroupEnd::Finished));
    let entries = received.fetched.into_iter();
    entries
        .map(|(object, bytes)| match object {
            FetchObject::Object {
                location,
                payload_len,
                ..
            } => {
                assert_eq!(bytes.len() as u64, payload_len);
                assert_eq!(bytes, payload(location.group, location.object.0));
                Ok(location)
            }
            FetchObject::EndOfUnknownRange(to) => Err(to),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn assert_refused(relay: &mut Relay, signal: Signal, code: RequestErrorCode) {
    let peer = relay.connect();
    relay.say(peer, theirs(0), signal);
    let (_, answer) = relay.heard_one(peer);
    assert!(
        matches!(&answer, Signal::Reject(error) if error.code == code),
        "{answer:?}"
    );
}

#[test]
fn range_is_served_up_to_the_largest_object() {
    let (mut relay, publisher, _) = with_groups();
    let (end, came) = fetch(
        &mut relay,
        publisher,
        standalone(at(4, 1), (9, None), Parameters::default()),
    );
    assert_eq!(end, at(5, 1));
    assert_eq!(came, [Ok(at(4, 1)), Ok(at(5, 0)), Ok(at(5, 1))]);
}

#[test]
fn range_is_exact_and_what_is_not_known_is_said() {
    let (mut relay, publisher, _) = with_groups();
    let (end, came) = fetch(
        &mut relay,
        publisher,
        standalone(at(1, 0), (5, Some(0)), Parameters::default()),
    );
    assert_eq!(end, at(5, 0));
    let lost = Err(at(3, u64::MAX));
    assert_eq!(came, [lost, Ok(at(4, 0)), Ok(at(4, 1)), Ok(at(5, 0))]);
}

#[test]
fn descending_order_has_the_newest_group_first() {
    let (mut relay, publisher, _) = with_groups();
    let group_order = Some(GroupOrder::Descending);
    let parameters = Parameters {
        group_order,
        ..Parameters::default()
    };
    let (_, came) = fetch(
        &mut relay,
        publisher,
        standalone(at(3, 0), (5, None), parameters),
    );
    let expected = [
        Ok(at(5, 0)),
        Ok(at(5, 1)),
        Ok(at(4, 0)),
        Ok(at(4, 1)),
        Err(at(3, 0)),
    ];
    assert_eq!(came, expected);
}

#[test]
fn objects_of_a_group_are_in_order_whatever_their_subgroup() {
    let (mut relay, publisher, _) = with_groups();
    let source = (publisher, theirs(0));
    let explicit = SubgroupIdMode::Explicit(SubgroupId(9));
    let mut first = Publishing::open(&mut relay, source, 61, 6, SubgroupIdMode::Zero);
    let mut second = Publishing::open(&mut relay, source, 62, 6, explicit);
    for id in [0, 3] {
        second.object(&mut relay, id, 100);
        first.object(&mut relay, id + 1, 100);
    }
    let (_, came) = fetch(
        &mut relay,
        publisher,
        standalone(at(6, 0), (6, None), Parameters::default()),
    );
    let expected = [
        Ok(at(6, 0)),
        Ok(at(6, 1)),
        Err(at(6, 2)),
        Ok(at(6, 3)),
        Ok(at(6, 4)),
    ];
    assert_eq!(came, expected, "object 2 may be on its way");
}

#[test]
fn filtered_fetch_resolves_its_filter() {
    let (mut relay, publisher, _) = with_groups();
    let parameters = Parameters {
        filter: Some(LocationFilter::RelativeStart(1)),
        ..Parameters::default()
    };
    let range = FetchRange::Filtered { track: track(PATH) };
    let (_, came) = fetch(
        &mut relay,
        publisher,
        Signal::Fetch {
            range,
            parameters,
            joining: None,
        },
    );
    assert_eq!(came, [Ok(at(5, 0)), Ok(at(5, 1))]);
}

#[test]
fn impossible_fetches_are_refused() {
    let (mut relay, publisher, _) = with_groups();
    relay.say(publisher, theirs(4), publish("room/ann/silent"));
    let refused = [
        (PATH, at(6, 0), RequestErrorCode::InvalidRange),
        (PATH, at(5, 2), RequestErrorCode::InvalidRange),
        ("room/ann/silent", at(0, 0), RequestErrorCode::InvalidRange),
        ("hall/ann/video", at(0, 0), RequestErrorCode::DoesNotExist),
    ];
    for (path, start, code) in refused {
        let end = (GroupId(9), None);
        let range = FetchRange::Standalone {
            track: track(path),
            start,
            end,
        };
        let (parameters, joining) = (Parameters::default(), None);
        assert_refused(
            &mut relay,
            Signal::Fetch {
                range,
                parameters,
                joining,
            },
            code,
        );
    }
    let range = FetchRange::RelativeJoining {
        request_id: RequestId(0),
        groups: 1,
    };
    let (parameters, joining) = (Parameters::default(), None);
    let signal = Signal::Fetch {
        range,
        parameters,
        joining,
    };
    assert_refused(
        &mut relay,
        signal,
        RequestErrorCode::InvalidJoiningRequestId,
    );
}

#[test]
fn entries_tell_subgroup_priority_and_properties() {
    let (mut relay, publisher, _) = with_groups();
    let explicit = SubgroupIdMode::Explicit(SubgroupId(9));
    let mut stream = Publishing::open(&mut relay, (publisher, theirs(0)), 62, 6, explicit);
    stream.object(&mut relay, 0, 100);
    let peer = relay.connect();
    relay.say(
        peer,
        theirs(0),
        standalone(at(6, 0), (6, None), Parameters::default()),
    );
    let (object, _) = relay.received(peer, theirs(0)).fetched.remove(0);
    let expected = FetchObject::Object {
        location: at(6, 0),
        subgroup: Some(SubgroupId(9)),
        priority: parvis_wire::Priority(128),
        properties: Some(Properties::EMPTY),
        payload_len: payload(GroupId(6), 0).len() as u64,
    };
    assert_eq!(object, expected);
}

/// A group with a gap behind each object, and a FETCH of it that no publisher is waited for.
fn full_of_gaps(count: u64) -> (Relay, PeerId) {
    let config = Config {
        track_cache_bytes: 64 << 20,
        ..Config::default()
    };
    let mut relay = Relay::with(1, config);
    let (publisher, watcher) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish(PATH));
    relay.say(watcher, theirs(0), subscribe(PATH));
    let source = (publisher, theirs(0));
    let mut stream = Publishing::open(&mut relay, source, 0, 0, SubgroupIdMode::Zero);
    for id in 0..count {
        stream.object(&mut relay, 2 * id, 1);
    }
    let peer = relay.connect();
    let parameters = Parameters {
        fill_timeout: Some(0),
        ..Parameters::default()
    };
    relay.say(peer, theirs(0), standalone(at(0, 0), (0, None), parameters));
    (relay, peer)
}

#[test]
fn a_long_past_comes_over_many_turns_so_that_others_have_theirs() {
    const COUNT: u64 = 20_000;
    let (mut relay, peer) = full_of_gaps(COUNT);
    let first = relay.received(peer, theirs(0));
    assert!(first.fetched.len() <= 2048, "{}", first.fetched.len());
    assert_eq!(first.fetch_end, None);
    relay.wait(Duration::from_millis(1));
    let whole = relay.received(peer, theirs(0));
    assert_eq!(whole.fetch_end, Some(SubgroupEnd::Finished));
    let objects = whole.fetched.iter().filter_map(|(entry, _)| match entry {
        FetchObject::Object { location, .. } => Some(location.object.0),
        _ => None,
    });
    assert!(objects.eq((0..COUNT).map(|id| 2 * id)));
    // All but the last have a gap behind them.
    assert_eq!(whole.fetched.len() as u64, 2 * COUNT - 1);
}

#[test]
fn a_turn_has_an_end_however_many_ask() {
    let (mut relay, peer) = full_of_gaps(3000);
    relay.wait(Duration::from_millis(1));
    let readers: Vec<u64> = (1..=20).map(|number| 4 * number).collect();
    for request in &readers {
        let parameters = Parameters {
            fill_timeout: Some(0),
            ..Parameters::default()
        };
        relay.say(
            peer,
            theirs(*request),
            standalone(at(0, 0), (0, None), parameters),
        );
    }
    let came = |relay: &Relay| -> usize {
        let all = readers.iter();
        all.map(|request| relay.received(peer, theirs(*request)).fetched.len())
            .sum()
    };
    assert!(came(&relay) <= 2048 + 512, "{}", came(&relay));
    relay.wait(Duration::from_millis(1));
    assert_eq!(came(&relay), 20 * 5999);
}
