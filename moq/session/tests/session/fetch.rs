//! FETCH and its stream of objects.

use bytes::Bytes;
use parvis_session::{
    Config, Event, IncomingRequest, RequestKey, Role, SendLimits, SendRefused, StreamEnd, StreamId,
};
use parvis_simnet::LinkOptions;
use parvis_wire::{
    Draft, FetchObject, FetchOk, FetchRange, GroupId, GroupOrder, Location, Parameters, Priority,
    Properties, RequestError, RequestErrorCode, ResetCode, SubgroupId,
};

use crate::{
    pair::Pair,
    support::{MS, request, subscribe, track},
};

fn range() -> FetchRange {
    let (start, end) = (Location::new(0, 0), (GroupId(9), None));
    FetchRange::Standalone {
        track: track("a"),
        start,
        end,
    }
}

fn object(location: Location, payload: &[u8]) -> FetchObject {
    FetchObject::Object {
        location,
        subgroup: Some(SubgroupId(0)),
        priority: Priority(5),
        properties: None,
        payload_len: payload.len() as u64,
    }
}

fn fetch_ok() -> FetchOk {
    FetchOk {
        end_of_track: false,
        end: Location::new(3, 9),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    }
}

/// The client fetches; the request has arrived.
fn fetching(pair: &mut Pair, parameters: Parameters) -> RequestKey {
    let now = pair.now;
    let key = pair
        .client
        .session
        .fetch(range(), parameters, now)
        .expect("it fetches");
    pair.run(20 * MS);
    assert_eq!(request(&pair.server.events()).0, key);
    key
}

/// The entries of the fetch streams, with their payload.
fn fetched(events: &[Event]) -> Vec<(FetchObject, Vec<u8>)> {
    let mut fetched: Vec<(FetchObject, Vec<u8>)> = Vec::new();
    for event in events {
        match event {
            Event::FetchObject {
                object, payload, ..
            } => {
                fetched.push((object.clone(), payload.to_vec()));
            }
            Event::ObjectData { data, .. } => {
                fetched
                    .last_mut()
                    .expect("an entry began")
                    .1
                    .extend_from_slice(data);
            }
            _ => {}
        }
    }
    fetched
}

#[test]
fn fetched_objects_come_before_or_after_the_answer() {
    for draft in Draft::ALL {
        for answer_first in [true, false] {
            for order in [GroupOrder::Ascending, GroupOrder::Descending] {
                let mut pair = Pair::established(draft);
                let parameters = Parameters {
                    group_order: Some(order),
                    ..Parameters::default()
                };
                let key = fetching(&mut pair, parameters);
                let now = pair.now;
                let server = &mut pair.server.session;
                if answer_first {
                    server
                        .accept_fetch(key, fetch_ok(), now)
                        .expect("it accepts");
                }
                let stream = server.open_fetch(key, now).expect("it opens");
                let again = server.open_fetch(key, now);
                assert_eq!(again, Err(SendRefused::NotPublished(key)));
                let mut groups = [3, 4];
                if order == GroupOrder::Descending {
                    groups.reverse();
                }
                let mut expected = Vec::new();
                for group in groups {
                    for (id, payload) in [(0, &b"small"[..]), (1, &[9; 2000])] {
                        let object = object(Location::new(group, id), payload);
                        let bytes = Bytes::copy_from_slice(payload);
                        server
                            .write_fetch_object(stream, &object, bytes, now)
                            .expect("it writes");
                        expected.push((object, payload.to_vec()));
                    }
                }
                let gap = FetchObject::EndOfUnknownRange(Location::new(groups[1] * 2 % 7, 0));
                let gap_fits = server
                    .write_fetch_object(stream, &gap, Bytes::new(), now)
                    .is_ok();
                if gap_fits {
                    expected.push((gap, Vec::new()));
                }
                server.finish_subgroup(stream, now).expect("it ends");
                pair.run(20 * MS);
                if !answer_first {
                    let now = pair.now;
                    let server = &mut pair.server.session;
                    server
                        .accept_fetch(key, fetch_ok(), now)
                        .expect("it accepts");
                    pair.run(20 * MS);
                }
                let events = pair.client.events();
                assert_eq!(fetched(&events), expected);
                let end = StreamEnd::Finished;
                assert!(
                    events.contains(&Event::FetchEnd { stream, key, end }),
                    "{events:?}"
                );
                pair.run(20 * MS);
                assert_eq!(pair.client.session.open_requests(), (0, 0));
                assert_eq!(pair.server.session.open_requests(), (0, 0));
            }
        }
    }
}

#[test]
fn a_fetch_that_is_cancelled_ends_its_stream() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = fetching(&mut pair, Parameters::default());
        let now = pair.now;
        let server = &mut pair.server.session;
        let stream = server.open_fetch(key, now).expect("it opens");
        server
            .accept_fetch(key, fetch_ok(), now)
            .expect("it accepts");
        pair.run(20 * MS);
        pair.client.events();
        let now = pair.now;
        pair.client.session.cancel(key, now).expect("it cancels");
        pair.run(30 * MS);
        assert_eq!(pair.client.events(), []);
        let ended = pair
            .server
            .events()
            .iter()
            .any(|e| matches!(e, Event::Ended { .. }));
        assert!(ended);
        let now = pair.now;
        let refused = pair
            .server
            .session
            .write_raw(stream, Bytes::from_static(b"x"), now);
        assert_eq!(refused, Err(SendRefused::StreamGone(stream)));
    }
}

#[test]
fn a_fetch_that_is_reset_ends_the_request() {
    let mut pair = Pair::established(Draft::D22);
    let key = fetching(&mut pair, Parameters::default());
    let now = pair.now;
    let server = &mut pair.server.session;
    let stream = server.open_fetch(key, now).expect("it opens");
    server
        .accept_fetch(key, fetch_ok(), now)
        .expect("it accepts");
    pair.run(20 * MS);
    let now = pair.now;
    let code = ResetCode::UnknownObjectStatus;
    pair.server
        .session
        .reset_subgroup(stream, code, now)
        .expect("it resets");
    pair.run(30 * MS);
    let end = StreamEnd::Reset(code.to_u64());
    assert!(
        pair.client
            .events()
            .contains(&Event::FetchEnd { stream, key, end })
    );
    assert_eq!(pair.client.session.open_requests(), (0, 0));
    assert_eq!(pair.server.session.open_requests(), (0, 0));
}

#[test]
fn a_fetch_that_fails_after_objects_came_ends_its_stream_for_the_user() {
    let mut pair = Pair::established(Draft::D18);
    let key = fetching(&mut pair, Parameters::default());
    let now = pair.now;
    let stream = pair.server.session.open_fetch(key, now).expect("it opens");
    pair.run(20 * MS);
    pair.client.events();
    let now = pair.now;
    let error = RequestError {
        code: RequestErrorCode::InternalError,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    };
    pair.server
        .session
        .reject(key, error.clone(), now)
        .expect("it rejects");
    pair.run(30 * MS);
    let events = pair.client.events();
    assert!(
        matches!(events[0], Event::FetchEnd { stream: s, .. } if s == stream),
        "{events:?}"
    );
    assert_eq!(events[1..], [Event::Rejected { key, error }]);
}

#[test]
fn a_joining_fetch_names_the_subscription_it_joins() {
    let mut pair = Pair::established(Draft::D18);
    let subscription = subscribe(&mut pair, "a", Parameters::default());
    let now = pair.now;
    let request_id = parvis_wire::RequestId(0);
    let range = FetchRange::RelativeJoining {
        request_id,
        groups: 2,
    };
    pair.client
        .session
        .fetch(range, Parameters::default(), now)
        .expect("it fetches");
    let missing = FetchRange::RelativeJoining {
        request_id: parvis_wire::RequestId(50),
        groups: 2,
    };
    let missing = pair
        .client
        .session
        .fetch(missing, Parameters::default(), now);
    pair.run(30 * MS);
    let (_, incoming) = request(&pair.server.events());
    let IncomingRequest::Fetch { joining, .. } = incoming else {
        panic!("{incoming:?}")
    };
    assert_eq!(joining, Some(subscription));
    let events = pair.client.events();
    let [Event::Rejected { key, error }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(Ok(*key), missing);
    assert_eq!(error.code, RequestErrorCode::InvalidJoiningRequestId);
}

#[test]
fn a_fetch_waits_for_a_slow_reader() {
    let mut server = Config {
        role: Role::Server,
        ..Config::default()
    };
    server.limits.send = SendLimits {
        subscription_bytes: 10_000,
        ..SendLimits::default()
    };
    let options = LinkOptions {
        delay: 10 * MS,
        ..LinkOptions::default()
    };
    let mut pair = Pair::with(Config::default(), server, options, 7);
    pair.run(30 * MS);
    pair.client.events();
    pair.server.events();
    let key = fetching(&mut pair, Parameters::default());
    pair.server.window = Some(3000);
    let now = pair.now;
    let server = &mut pair.server.session;
    let stream: StreamId = server.open_fetch(key, now).expect("it opens");
    let mut written = 0;
    let mut rounds = 0;
    let payload = Bytes::from(vec![1; 1000]);
    while written < 100 {
        let now = pair.now;
        let object = object(Location::new(0, written), &payload);
        let server = &mut pair.server.session;
        match server.write_fetch_object(stream, &object, payload.clone(), now) {
            Ok(()) => written += 1,
            Err(SendRefused::QueueFull(waiting)) => {
                assert!(waiting < 12_000, "{waiting} bytes wait");
                loop {
                    pair.run(MS);
                    rounds += 1;
                    assert!(rounds < 10_000, "it never goes on");
                    if pair.server.events().contains(&Event::SendReady { stream }) {
                        break;
                    }
                }
            }
            Err(error) => panic!("{error}"),
        }
        pair.settle();
    }
    let now = pair.now;
    pair.server
        .session
        .finish_subgroup(stream, now)
        .expect("it ends");
    pair.run(2000 * MS);
    assert_eq!(fetched(&pair.client.events()).len(), 100);
    assert!(rounds > 100);
}
