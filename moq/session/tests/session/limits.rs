//! Nothing a peer sends grows memory without a bound.

use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_session::{
    ApiMisuse, Config, EndReason, Event, Input, Limits, PeerLimit, Rate, RequestKey, Role, Session,
    StreamId, Transmit,
};
use parvis_wire::{
    Draft, Message, Namespace, Parameters, PublishNamespace, RequestErrorCode, RequestId,
    RequestOk, RequestUpdate, SessionErrorCode, Setup, Subscribe,
};

use crate::support::{namespace, track};

fn session(role: Role, draft: Draft, limits: Limits) -> (Session, Instant) {
    let now = Instant::now();
    let mut session = Session::new(
        Config {
            role,
            draft,
            limits,
            ..Config::default()
        },
        now,
    );
    session
        .handle(
            Input::StreamCredit {
                bidi: 100,
                uni: 100,
            },
            now,
        )
        .expect("credit is fine");
    (session, now)
}

fn established(role: Role, draft: Draft, limits: Limits) -> (Session, Instant) {
    let (mut session, now) = session(role, draft, limits);
    let peer = if role == Role::Client {
        Role::Server
    } else {
        Role::Client
    };
    let setup = encode(draft, &Message::Setup(Setup::default()));
    let id = StreamId::new(peer, true, 0);
    session
        .handle(
            Input::StreamData {
                id,
                data: setup,
                fin: false,
            },
            now,
        )
        .expect("it is fine");
    while session.poll().is_some() {}
    while session.poll_transmit(now).is_some() {}
    (session, now)
}

fn encode(draft: Draft, message: &Message) -> Bytes {
    let mut bytes = Vec::new();
    message
        .encode(draft, &mut bytes)
        .expect("a message encodes");
    bytes.into()
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll()).collect()
}

/// Messages that were written to a stream, and whether it was finished.
fn written(session: &mut Session, stream: StreamId, now: Instant) -> (Vec<Message>, bool) {
    let mut bytes = Vec::new();
    let mut finished = false;
    while let Some(transmit) = session.poll_transmit(now) {
        match transmit {
            Transmit::Write { id, data } if id == stream => bytes.extend_from_slice(&data),
            Transmit::Finish { id } if id == stream => finished = true,
            _ => {}
        }
    }
    let mut bytes = Bytes::from(bytes);
    let mut messages = Vec::new();
    while let Some((message, len)) =
        Message::decode(session.draft(), &bytes).expect("the session sends valid messages")
    {
        messages.push(message);
        drop(bytes.split_to(len));
    }
    (messages, finished)
}

fn subscribe(number: u64) -> Message {
    let track = track(if number.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    });
    let parameters = Parameters::default();
    Message::Subscribe(Subscribe {
        request_id: RequestId(number * 2),
        track,
        parameters,
    })
}

#[test]
fn too_many_requests_get_excessive_load() {
    for draft in Draft::ALL {
        let limits = Limits {
            max_peer_requests: 2,
            ..Limits::default()
        };
        let (mut session, now) = established(Role::Server, draft, limits);
        for number in 0..3 {
            let id = StreamId::new(Role::Client, false, number);
            let data = encode(draft, &subscribe(number));
            session
                .handle(
                    Input::StreamData {
                        id,
                        data,
                        fin: false,
                    },
                    now,
                )
                .expect("it is fine");
        }
        assert_eq!(session.open_requests(), (0, 2));
        let told = events(&mut session);
        assert_eq!(told.len(), 2 + 2);
        assert_eq!(told[2], Event::LimitExceeded(PeerLimit::OpenRequests));
        assert_eq!(told[3], Event::Refused(RequestErrorCode::ExcessiveLoad));
        let third = StreamId::new(Role::Client, false, 2);
        let (messages, finished) = written(&mut session, third, now);
        let [Message::RequestError(error)] = messages.as_slice() else {
            panic!("{messages:?}")
        };
        assert_eq!(error.code, RequestErrorCode::ExcessiveLoad);
        assert!(finished);
        // When one is over there is room for the next.
        let first = StreamId::new(Role::Client, false, 0);
        session
            .handle(Input::StreamReset { id: first, code: 1 }, now)
            .expect("it is fine");
        let id = StreamId::new(Role::Client, false, 3);
        let data = encode(draft, &subscribe(4));
        session
            .handle(
                Input::StreamData {
                    id,
                    data,
                    fin: false,
                },
                now,
            )
            .expect("it is fine");
        assert_eq!(session.open_requests(), (0, 2));
    }
}

#[test]
fn own_requests_are_bounded_also_without_credit() {
    let limits = Limits {
        max_own_requests: 3,
        ..Limits::default()
    };
    let now = Instant::now();
    let mut session = Session::new(
        Config {
            limits,
            ..Config::default()
        },
        now,
    );
    let make = |session: &mut Session| {
        session.subscribe_namespace(namespace(&["x"]), Parameters::default(), now)
    };
    for _ in 0..3 {
        // Its number is taken although it is over before it began.
        let key = make(&mut session).expect("it asks");
        session.cancel(key, now).expect("it cancels");
    }
    assert_eq!(make(&mut session), Err(ApiMisuse::TooManyRequests(3)));
    session
        .handle(Input::StreamCredit { bidi: 2, uni: 1 }, now)
        .expect("credit is fine");
    assert!(make(&mut session).is_ok());
}

#[test]
fn bytes_before_setup_are_bounded() {
    let limits = Limits {
        control_buffer: 1000,
        ..Limits::default()
    };
    let (mut session, now) = session(Role::Server, Draft::D22, limits);
    let id = StreamId::new(Role::Client, false, 0);
    let half = Input::StreamData {
        id,
        data: Bytes::from(vec![3; 600]),
        fin: false,
    };
    session.handle(half.clone(), now).expect("it waits");
    assert_eq!(session.open_requests(), (0, 1));
    session.handle(half, now).expect("it is given up");
    assert_eq!(session.open_requests(), (0, 0));
    let mut transmits = std::iter::from_fn(|| session.poll_transmit(now));
    assert!(
        transmits.any(|t| matches!(t, Transmit::StopSending { id: stopped, .. } if stopped == id))
    );
}

#[test]
fn bytes_of_all_requests_together_are_bounded() {
    let limits = Limits {
        request_buffers: 100_000,
        ..Limits::default()
    };
    let (mut before, now) = session(Role::Server, Draft::D22, limits.clone());
    let (mut after, _) = established(Role::Server, Draft::D22, limits);
    for session in [&mut before, &mut after] {
        for number in 0..20 {
            let mut data = encode(Draft::D22, &subscribe(number * 2)).to_vec();
            // Its length says that more is to come.
            data[1..3].copy_from_slice(&[0xff, 0xff]);
            data.resize(30_000, 0);
            let id = StreamId::new(Role::Client, false, number);
            let input = Input::StreamData {
                id,
                data: data.into(),
                fin: false,
            };
            session
                .handle(input, now)
                .expect("it waits, or is given up");
            assert!(session.open_requests().1 <= 3);
        }
        assert_eq!(session.open_requests().1, 3);
    }
}

#[test]
fn updates_without_an_answer_are_bounded() {
    for draft in Draft::ALL {
        let limits = Limits {
            max_pending_updates: 3,
            ..Limits::default()
        };
        let (mut session, now) = established(Role::Server, draft, limits);
        let id = StreamId::new(Role::Client, false, 0);
        let data = encode(draft, &subscribe(0));
        session
            .handle(
                Input::StreamData {
                    id,
                    data,
                    fin: false,
                },
                now,
            )
            .expect("it is fine");
        let update = |number: u64| {
            let (request_id, parameters) = (RequestId(number * 2), Parameters::default());
            let update = Message::RequestUpdate(RequestUpdate {
                request_id,
                parameters,
            });
            Input::StreamData {
                id,
                data: encode(draft, &update),
                fin: false,
            }
        };
        for number in 1..4 {
            session.handle(update(number), now).expect("it is fine");
        }
        assert_eq!(events(&mut session).len(), 4);
        let outcome = session.handle(update(4), now);
        match draft {
            Draft::D22 => {
                let code = outcome.map_err(|error| error.code());
                assert_eq!(code, Err(SessionErrorCode::TooManyRequestUpdates));
            }
            Draft::D18 => {
                assert_eq!(outcome, Ok(()));
                let (key, reason) = (RequestKey(id), EndReason::LimitExceeded);
                let told = [
                    Event::LimitExceeded(PeerLimit::PendingUpdates),
                    Event::Refused(RequestErrorCode::ExcessiveLoad),
                    Event::Ended { key, reason },
                ];
                assert_eq!(events(&mut session), told);
                assert_eq!(session.open_requests(), (0, 0));
            }
        }
    }
}

#[test]
fn namespaces_of_one_prefix_are_bounded() {
    let limits = Limits {
        max_namespaces: 5,
        ..Limits::default()
    };
    let (mut session, now) = established(Role::Client, Draft::D22, limits);
    let key = session.subscribe_namespace(namespace(&[]), Parameters::default(), now);
    let key = key.expect("it asks");
    let say = |session: &mut Session, message: &Message| {
        let data = encode(Draft::D22, message);
        session
            .handle(
                Input::StreamData {
                    id: key.0,
                    data,
                    fin: false,
                },
                now,
            )
            .expect("it is fine");
    };
    say(&mut session, &Message::RequestOk(RequestOk::default()));
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    for name in names {
        say(
            &mut session,
            &Message::Namespace(Namespace {
                suffix: namespace(&[name]),
                parameters: Parameters::default(),
            }),
        );
    }
    let events = events(&mut session);
    assert_eq!(events.len(), 1 + 5 + 2);
    let limit = Event::LimitExceeded(PeerLimit::Namespaces);
    assert_eq!(events[6], limit);
    let reason = EndReason::LimitExceeded;
    assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
    assert!(!session.is_closed());
}

#[test]
fn object_headers_are_bounded_however_they_are_cut() {
    let limits = Limits {
        max_object_header: 100,
        ..Limits::default()
    };
    let (mut session, now) = established(Role::Client, Draft::D22, limits);
    let key = session
        .subscribe(track("a"), Parameters::default(), now)
        .expect("it subscribes");
    let ok = Message::SubscribeOk(parvis_wire::SubscribeOk {
        track_alias: parvis_wire::TrackAlias(1),
        parameters: Parameters::default(),
        track_properties: parvis_wire::Properties::EMPTY,
    });
    let data = encode(Draft::D22, &ok);
    session
        .handle(
            Input::StreamData {
                id: key.0,
                data,
                fin: false,
            },
            now,
        )
        .expect("it is fine");
    let id = StreamId::new(Role::Server, true, 1);
    // A subgroup with properties, then an object whose properties have 50,000 bytes.
    let mut bytes = vec![0x11 | 0x20, 1, 0, 0];
    parvis_wire::encode_varint(50_000, &mut bytes);
    session
        .handle(
            Input::StreamData {
                id,
                data: bytes.into(),
                fin: false,
            },
            now,
        )
        .expect("it waits");
    let mut taken = 0;
    let code = loop {
        let data = Bytes::from_static(&[0]);
        match session.handle(
            Input::StreamData {
                id,
                data,
                fin: false,
            },
            now,
        ) {
            Ok(()) => taken += 1,
            Err(error) => break error.code(),
        }
        assert!(taken < 200, "the header grows without a bound");
    };
    assert_eq!(code, SessionErrorCode::ProtocolViolation);
}

#[test]
fn a_peer_that_reads_nothing_loses_the_request() {
    let limits = Limits {
        control_buffer: 2000,
        ..Limits::default()
    };
    let (mut session, now) = established(Role::Server, Draft::D22, limits);
    let id = StreamId::new(Role::Client, false, 0);
    let ask = Message::SubscribeNamespace(parvis_wire::SubscribeNamespace {
        request_id: RequestId(0),
        prefix: namespace(&[]),
        parameters: Parameters::default(),
    });
    let data = encode(Draft::D22, &ask);
    session
        .handle(
            Input::StreamData {
                id,
                data,
                fin: false,
            },
            now,
        )
        .expect("it is fine");
    let key = RequestKey(id);
    session
        .accept(key, Parameters::default(), now)
        .expect("it accepts");
    while let Some(transmit) = session.poll_transmit(now) {
        if let Transmit::Write { id, data } = transmit {
            session
                .handle(Input::Blocked { id, unsent: data }, now)
                .expect("it waits");
        }
    }
    events(&mut session);
    let mut said = 0;
    while session
        .namespace(key, namespace(&["some namespace"]), now)
        .is_ok()
    {
        said += 1;
        assert!(said < 1000, "the queue grows without a bound");
    }
    let reason = EndReason::LimitExceeded;
    let told = [
        Event::LimitExceeded(PeerLimit::ControlBuffer),
        Event::Ended { key, reason },
    ];
    assert_eq!(events(&mut session), told);
    assert!(!session.is_closed());
}

#[test]
fn requests_that_are_over_but_open_at_the_peer_are_stopped_from_some_number_on() {
    let (mut session, now) = established(Role::Server, Draft::D22, Limits::default());
    let mut stopped = 0;
    for number in 0..200 {
        let id = StreamId::new(Role::Client, false, number);
        let data = encode(Draft::D22, &subscribe(number));
        session
            .handle(
                Input::StreamData {
                    id,
                    data,
                    fin: false,
                },
                now,
            )
            .expect("it is fine");
        let error = parvis_wire::RequestError {
            code: RequestErrorCode::Unauthorized,
            retry_interval: 0,
            reason: String::new(),
            redirect: None,
        };
        session
            .reject(RequestKey(id), error, now)
            .expect("it rejects");
        while let Some(transmit) = session.poll_transmit(now) {
            stopped += u64::from(matches!(transmit, Transmit::StopSending { .. }));
        }
    }
    assert_eq!(stopped, 200 - 64);
}

fn namespace_request(number: u64) -> Message {
    Message::PublishNamespace(PublishNamespace {
        request_id: RequestId(number * 2),
        namespace: namespace(&["room"]),
        parameters: Parameters::default(),
    })
}

fn update(number: u64) -> Message {
    Message::RequestUpdate(RequestUpdate {
        request_id: RequestId(number * 2),
        parameters: Parameters::default(),
    })
}

#[test]
fn requests_that_come_too_fast_get_excessive_load_until_some_time_has_passed() {
    for draft in Draft::ALL {
        let limits = Limits {
            request_rate: Some(Rate {
                per_second: 10,
                burst: 3,
            }),
            ..Limits::default()
        };
        let (mut session, now) = established(Role::Server, draft, limits);
        let ask = |session: &mut Session, number: u64, now: Instant| {
            let id = StreamId::new(Role::Client, false, number);
            let data = encode(draft, &namespace_request(number));
            let input = Input::StreamData {
                id,
                data,
                fin: false,
            };
            session.handle(input, now).expect("it is fine");
            let (messages, _) = written(session, id, now);
            messages
        };
        for number in 0..3 {
            assert!(ask(&mut session, number, now).is_empty());
        }
        events(&mut session);
        let refused = ask(&mut session, 3, now);
        let [Message::RequestError(error)] = refused.as_slice() else {
            panic!("{refused:?}")
        };
        assert_eq!(error.code, RequestErrorCode::ExcessiveLoad);
        assert_eq!(error.retry_interval, 102);
        let seen = events(&mut session);
        assert_eq!(
            seen,
            [
                Event::LimitExceeded(PeerLimit::RequestRate),
                Event::Refused(RequestErrorCode::ExcessiveLoad)
            ]
        );
        let wait = Duration::from_millis(error.retry_interval - 1);
        assert!(ask(&mut session, 4, now + wait).is_empty());
        assert_eq!(ask(&mut session, 5, now + wait).len(), 1);
        // After a pause there is room for a burst again.
        let later = now + Duration::from_mins(1);
        for number in 6..9 {
            assert!(ask(&mut session, number, later).is_empty());
        }
        assert_eq!(ask(&mut session, 9, later).len(), 1);
    }
}

#[test]
fn updates_count_as_requests() {
    let limits = Limits {
        request_rate: Some(Rate {
            per_second: 1,
            burst: 3,
        }),
        ..Limits::default()
    };
    let (mut session, now) = established(Role::Server, Draft::D22, limits);
    let id = StreamId::new(Role::Client, false, 0);
    let send = |session: &mut Session, message: &Message| {
        let data = encode(Draft::D22, message);
        let input = Input::StreamData {
            id,
            data,
            fin: false,
        };
        session.handle(input, now).expect("it is fine");
    };
    send(&mut session, &subscribe(0));
    for number in 1..3 {
        send(&mut session, &update(number));
    }
    let updated = events(&mut session).into_iter();
    let updated = updated.filter(|event| matches!(event, Event::Updated { .. }));
    assert_eq!(updated.count(), 2);
    send(&mut session, &update(3));
    assert!(events(&mut session).contains(&Event::LimitExceeded(PeerLimit::RequestRate)));
}
