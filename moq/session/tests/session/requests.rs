//! Each kind of request, from both sides: accepted, rejected, cancelled, ended.

use parvis_session::{
    Answer, ApiMisuse, EndReason, Event, IncomingRequest, RequestKey, Role, Session, StreamEnd,
};
use parvis_wire::{
    Draft, FetchOk, FetchRange, GroupId, Location, Parameters, Properties, Property,
    PublishDoneCode, RequestError, RequestErrorCode, ResetCode,
};

use crate::{
    pair::{End, Pair},
    support::{MS, group, namespace, open, request, subscribe, track, write},
};

/// What a request is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Subscribe,
    Publish,
    PublishNamespace,
    SubscribeNamespace,
    SubscribeTracks,
    TrackStatus,
    Fetch,
}

const KINDS: [Kind; 7] = [
    Kind::Subscribe,
    Kind::Publish,
    Kind::PublishNamespace,
    Kind::SubscribeNamespace,
    Kind::SubscribeTracks,
    Kind::TrackStatus,
    Kind::Fetch,
];

/// Every draft, kind and side that asks.
fn each(mut test: impl FnMut(Draft, Kind, Role)) {
    for draft in Draft::ALL {
        for kind in KINDS {
            for role in [Role::Client, Role::Server] {
                test(draft, kind, role);
            }
        }
    }
}

/// The side that asks, and the other one.
fn sides(pair: &mut Pair, asker: Role) -> (&mut End, &mut End) {
    match asker {
        Role::Client => (&mut pair.client, &mut pair.server),
        Role::Server => (&mut pair.server, &mut pair.client),
    }
}

fn range() -> FetchRange {
    FetchRange::Standalone {
        track: track("a"),
        start: Location::new(1, 0),
        end: (GroupId(3), None),
    }
}

fn ask(session: &mut Session, kind: Kind, now: std::time::Instant) -> RequestKey {
    let parameters = Parameters::default();
    let prefix = namespace(&["room"]);
    let asked = match kind {
        Kind::Subscribe => session.subscribe(track("a"), parameters, now),
        Kind::Publish => session.publish(track("a"), parameters, Properties::EMPTY, now),
        Kind::PublishNamespace => session.publish_namespace(prefix, parameters, now),
        Kind::SubscribeNamespace => session.subscribe_namespace(prefix, parameters, now),
        Kind::SubscribeTracks => session.subscribe_tracks(prefix, parameters, now),
        Kind::TrackStatus => session.track_status(track("a"), parameters, now),
        Kind::Fetch => session.fetch(range(), parameters, now),
    };
    asked.unwrap_or_else(|error| panic!("{kind:?}: {error}"))
}

fn expected(kind: Kind) -> fn(&IncomingRequest) -> bool {
    match kind {
        Kind::Subscribe => |r| matches!(r, IncomingRequest::Subscribe { .. }),
        Kind::Publish => |r| matches!(r, IncomingRequest::Publish { .. }),
        Kind::PublishNamespace => |r| matches!(r, IncomingRequest::PublishNamespace { .. }),
        Kind::SubscribeNamespace => |r| matches!(r, IncomingRequest::SubscribeNamespace { .. }),
        Kind::SubscribeTracks => |r| matches!(r, IncomingRequest::SubscribeTracks { .. }),
        Kind::TrackStatus => |r| matches!(r, IncomingRequest::TrackStatus { .. }),
        Kind::Fetch => |r| matches!(r, IncomingRequest::Fetch { .. }),
    }
}

/// Asks and waits for the request to arrive.
fn asked(pair: &mut Pair, kind: Kind, asker: Role) -> RequestKey {
    let now = pair.now;
    let key = ask(&mut sides(pair, asker).0.session, kind, now);
    pair.run(20 * MS);
    let (theirs, incoming) = request(&sides(pair, asker).1.events());
    assert_eq!(theirs, key);
    assert!(expected(kind)(&incoming), "{incoming:?}");
    key
}

fn fetch_ok() -> FetchOk {
    FetchOk {
        end_of_track: false,
        end: Location::new(3, 9),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    }
}

fn accept(session: &mut Session, kind: Kind, key: RequestKey, now: std::time::Instant) {
    let parameters = Parameters::default();
    let accepted = match kind {
        Kind::Subscribe => session.accept_subscribe(key, parameters, Properties::EMPTY, now),
        Kind::Publish => session.accept_publish(key, parameters, now),
        Kind::PublishNamespace | Kind::SubscribeNamespace | Kind::SubscribeTracks => {
            session.accept(key, parameters, now)
        }
        Kind::TrackStatus => session.accept_track_status(key, parameters, Properties::EMPTY, now),
        Kind::Fetch => session.accept_fetch(key, fetch_ok(), now),
    };
    accepted.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
}

fn answer(kind: Kind, draft: Draft) -> Answer {
    let (mut parameters, track_properties) = (Parameters::default(), Properties::EMPTY);
    if kind == Kind::Publish && draft == Draft::D18 {
        // What it means where it is left out.
        parameters.forward = Some(true);
    }
    match kind {
        Kind::Subscribe => Answer::Subscribe {
            parameters,
            track_properties,
        },
        Kind::Fetch => Answer::Fetch(fetch_ok()),
        _ => Answer::Ok {
            parameters,
            track_properties,
        },
    }
}

/// Asks and has it accepted.
fn accepted(pair: &mut Pair, kind: Kind, asker: Role) -> RequestKey {
    let key = asked(pair, kind, asker);
    let now = pair.now;
    accept(&mut sides(pair, asker).1.session, kind, key, now);
    pair.run(20 * MS);
    let side = sides(pair, asker).0;
    let (events, draft) = (side.events(), side.session.draft());
    assert_eq!(
        events,
        [Event::Accepted {
            key,
            answer: answer(kind, draft)
        }]
    );
    key
}

fn refusal() -> RequestError {
    RequestError {
        code: RequestErrorCode::Unauthorized,
        retry_interval: 5,
        reason: "no".into(),
        redirect: None,
    }
}

fn assert_nothing_open(pair: &Pair) {
    assert_eq!(pair.client.session.open_requests(), (0, 0));
    assert_eq!(pair.server.session.open_requests(), (0, 0));
    assert_eq!((&pair.client.closed, &pair.server.closed), (&None, &None));
}

#[test]
fn an_accepted_request_is_answered_once() {
    each(|draft, kind, asker| {
        let mut pair = Pair::established(draft);
        let key = accepted(&mut pair, kind, asker);
        let now = pair.now;
        let other = &mut sides(&mut pair, asker).1.session;
        let again = other.reject(key, refusal(), now);
        match kind {
            Kind::TrackStatus => assert_eq!(again, Err(ApiMisuse::UnknownRequest(key))),
            _ => assert!(
                matches!(again, Err(ApiMisuse::NotAllowed { .. })),
                "{again:?}"
            ),
        }
        if kind == Kind::TrackStatus {
            assert_nothing_open(&pair);
        }
    });
}

#[test]
fn a_rejected_request_is_over_on_both_sides() {
    each(|draft, kind, asker| {
        let mut pair = Pair::established(draft);
        let key = asked(&mut pair, kind, asker);
        let now = pair.now;
        let other = &mut sides(&mut pair, asker).1.session;
        other.reject(key, refusal(), now).expect("it rejects");
        pair.run(30 * MS);
        let (ours, theirs) = sides(&mut pair, asker);
        assert_eq!(
            ours.events(),
            [Event::Rejected {
                key,
                error: refusal()
            }]
        );
        assert_eq!(theirs.events(), []);
        assert_nothing_open(&pair);
    });
}

#[test]
fn a_request_cancelled_before_its_answer_is_over_on_both_sides() {
    each(|draft, kind, asker| {
        let mut pair = Pair::established(draft);
        let key = asked(&mut pair, kind, asker);
        let now = pair.now;
        sides(&mut pair, asker)
            .0
            .session
            .cancel(key, now)
            .expect("it cancels");
        pair.run(30 * MS);
        let (ours, theirs) = sides(&mut pair, asker);
        assert_eq!(ours.events(), []);
        let reason = EndReason::Cancelled(ResetCode::Cancelled.to_u64());
        assert_eq!(theirs.events(), [Event::Ended { key, reason }]);
        assert_nothing_open(&pair);
    });
}

#[test]
fn an_accepted_request_can_be_cancelled_by_either_side() {
    each(|draft, kind, asker| {
        for by_asker in [true, false] {
            if kind == Kind::TrackStatus {
                continue;
            }
            let mut pair = Pair::established(draft);
            let key = accepted(&mut pair, kind, asker);
            let now = pair.now;
            let (ours, theirs) = sides(&mut pair, asker);
            let session = if by_asker {
                &mut ours.session
            } else {
                &mut theirs.session
            };
            session.cancel(key, now).expect("it cancels");
            assert_eq!(
                session.cancel(key, now),
                Err(ApiMisuse::UnknownRequest(key))
            );
            pair.run(30 * MS);
            let (ours, theirs) = sides(&mut pair, asker);
            let (quiet, told) = if by_asker {
                (ours, theirs)
            } else {
                (theirs, ours)
            };
            assert_eq!(quiet.events(), []);
            let reason = EndReason::Cancelled(ResetCode::Cancelled.to_u64());
            assert_eq!(told.events(), [Event::Ended { key, reason }]);
            assert_nothing_open(&pair);
        }
    });
}

#[test]
fn cancelling_a_subscription_resets_its_streams() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let stream = open(&mut pair, key, &group(0));
        write(&mut pair, stream, 0, b"one");
        pair.run(20 * MS);
        pair.client.events();
        let now = pair.now;
        pair.client.session.cancel(key, now).expect("it cancels");
        pair.run(30 * MS);
        let events = pair.server.events();
        assert!(
            events.iter().any(|e| matches!(e, Event::Ended { .. })),
            "{events:?}"
        );
        assert_eq!(pair.client.events(), []);
        assert_nothing_open(&pair);
    }
}

#[test]
fn a_publisher_that_cancels_ends_the_streams_of_its_subscriber() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let stream = open(&mut pair, key, &group(0));
    write(&mut pair, stream, 0, b"one");
    pair.run(20 * MS);
    pair.client.events();
    let now = pair.now;
    pair.server.session.cancel(key, now).expect("it cancels");
    pair.run(30 * MS);
    let code = ResetCode::Cancelled.to_u64();
    let events = pair.client.events();
    let ended = Event::Ended {
        key,
        reason: EndReason::Cancelled(code),
    };
    let ends = [StreamEnd::Abandoned, StreamEnd::Reset(code)];
    assert_eq!(events.last(), Some(&ended));
    assert!(
        ends.iter()
            .any(|end| events[0] == Event::SubgroupEnd { stream, end: *end })
    );
}

#[test]
fn namespaces_come_and_go() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = accepted(&mut pair, Kind::SubscribeNamespace, Role::Client);
        let now = pair.now;
        let (ann, bob) = (namespace(&["ann"]), namespace(&["bob"]));
        let server = &mut pair.server.session;
        server
            .namespace(key, ann.clone(), now)
            .expect("it announces");
        server
            .namespace(key, bob.clone(), now)
            .expect("it announces");
        server
            .namespace_done(key, ann.clone(), now)
            .expect("it withdraws");
        pair.run(20 * MS);
        let expected = [
            Event::Namespace {
                key,
                suffix: ann.clone(),
                path: None,
            },
            Event::Namespace {
                key,
                suffix: bob,
                path: None,
            },
            Event::NamespaceDone { key, suffix: ann },
        ];
        assert_eq!(pair.client.events(), expected);
    }
}

#[test]
fn skipped_tracks_are_told() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = accepted(&mut pair, Kind::SubscribeTracks, Role::Client);
        let now = pair.now;
        let (suffix, name) = (namespace(&["ann"]), "camera".into());
        let server = &mut pair.server.session;
        server
            .publish_skipped(key, suffix.clone(), name, now)
            .expect("it skips");
        pair.run(20 * MS);
        let name = "camera".into();
        assert_eq!(
            pair.client.events(),
            [Event::PublishSkipped { key, suffix, name }]
        );
    }
}

#[test]
fn a_track_status_brings_the_tracks_properties() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = asked(&mut pair, Kind::TrackStatus, Role::Client);
        let now = pair.now;
        let properties = Properties::encode(vec![Property::integer(0x02, 400)]);
        let parameters = Parameters {
            largest: Some(Location::new(8, 1)),
            ..Default::default()
        };
        let server = &mut pair.server.session;
        server
            .accept_track_status(key, parameters.clone(), properties.clone(), now)
            .expect("it answers");
        pair.run(20 * MS);
        let answer = Answer::Ok {
            parameters,
            track_properties: properties,
        };
        assert_eq!(pair.client.events(), [Event::Accepted { key, answer }]);
        assert_nothing_open(&pair);
    }
}

#[test]
fn a_second_subscription_to_a_track_is_refused_in_18_and_taken_in_22() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        subscribe(&mut pair, "a", Parameters::default());
        let now = pair.now;
        let second = pair
            .client
            .session
            .subscribe(track("a"), Parameters::default(), now);
        let second = second.expect("it subscribes");
        pair.run(30 * MS);
        let (client, server) = (pair.client.events(), pair.server.events());
        match draft {
            Draft::D18 => {
                let [Event::Rejected { key, error }] = client.as_slice() else {
                    panic!("{client:?}")
                };
                assert_eq!(*key, second);
                assert_eq!(error.code, RequestErrorCode::DuplicateSubscription);
                let refused = Event::Refused(RequestErrorCode::DuplicateSubscription);
                assert_eq!(server, [refused]);
            }
            Draft::D22 => assert_eq!(request(&server).0, second),
        }
    }
}

#[test]
fn overlapping_prefixes_are_refused_by_kind() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        accepted(&mut pair, Kind::SubscribeNamespace, Role::Client);
        let now = pair.now;
        let client = &mut pair.client.session;
        let longer = namespace(&["room", "x"]);
        let same = client.subscribe_namespace(longer.clone(), Parameters::default(), now);
        let other = client.subscribe_tracks(longer, Parameters::default(), now);
        pair.run(30 * MS);
        let events = pair.client.events();
        let [Event::Rejected { key, error }] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(Ok(*key), same);
        assert_eq!(error.code, RequestErrorCode::PrefixOverlap);
        assert_eq!(Ok(request(&pair.server.events()).0), other);
    }
}

#[test]
fn what_the_draft_cannot_say_is_misuse() {
    let mut pair = Pair::established(Draft::D18);
    let now = pair.now;
    let parameters = Parameters {
        include_properties: Some(false),
        ..Parameters::default()
    };
    let error = pair.client.session.subscribe(track("a"), parameters, now);
    assert!(matches!(error, Err(ApiMisuse::Unencodable(_))), "{error:?}");
    assert_eq!(pair.client.session.open_requests(), (0, 0));
    let missing = RequestKey(parvis_session::StreamId::new(Role::Client, false, 5));
    let error = pair.client.session.cancel(missing, now);
    assert_eq!(error, Err(ApiMisuse::UnknownRequest(missing)));
    let key = asked(&mut pair, Kind::Fetch, Role::Client);
    let now = pair.now;
    let server = &mut pair.server.session;
    let error = server.publish_done(key, PublishDoneCode::TrackEnded, "", now);
    assert!(
        matches!(error, Err(ApiMisuse::NotAllowed { .. })),
        "{error:?}"
    );
    let error = server.accept(key, Parameters::default(), now);
    assert!(
        matches!(error, Err(ApiMisuse::NotAllowed { .. })),
        "{error:?}"
    );
}
