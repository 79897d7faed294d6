//! Random input: bytes cut anywhere, bytes of no meaning, and calls in any order.

use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_session::{
    Config, DatagramOptions, Event, IncomingRequest, Input, PathState, RequestKey, Role, Session,
    StreamId,
};
use parvis_simnet::{LinkOptions, Random};
use parvis_wire::{
    Draft, FetchOk, FetchRange, GroupId, Location, Message, ObjectStatus, Parameters, Priority,
    Properties, PublishDoneCode, RequestError, RequestErrorCode, ResetCode, SessionErrorCode,
    Setup, SubgroupHeader, SubgroupIdMode, SubscribeOk, TrackAlias,
};
use proptest::prelude::*;

use crate::{
    pair::{End, Pair},
    support::{MS, group, header, namespace, received, track},
};

fn encode(draft: Draft, message: &Message) -> Bytes {
    let mut bytes = Vec::new();
    message
        .encode(draft, &mut bytes)
        .expect("a message encodes");
    bytes.into()
}

/// A client that is subscribed with alias 1.
fn subscribed(now: Instant) -> Session {
    let mut session = Session::new(Config::default(), now);
    session
        .handle(Input::StreamCredit { bidi: 9, uni: 9 }, now)
        .expect("credit is fine");
    let id = StreamId::new(Role::Server, true, 0);
    let data = encode(Draft::D22, &Message::Setup(Setup::default()));
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
    let key = session
        .subscribe(track("a"), Parameters::default(), now)
        .expect("it subscribes");
    let ok = Message::SubscribeOk(SubscribeOk {
        track_alias: TrackAlias(1),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
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
    while session.poll().is_some() {}
    session
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll()).collect()
}

proptest! {
    #[test]
    fn objects_are_the_same_however_their_bytes_are_cut(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        cuts in prop::collection::vec(1_usize..40, 1..20),
        properties: bool,
    ) {
        let now = Instant::now();
        let mut session = subscribed(now);
        let mut bytes = Vec::new();
        SubgroupHeader {
            track_alias: TrackAlias(1),
            group: GroupId(300),
            subgroup: SubgroupIdMode::Zero,
            priority: Some(Priority(1)),
            has_properties: properties,
            end_of_group: false,
            first_object: true,
        }
        .encode(&mut bytes);
        let mut previous = None;
        for (id, payload) in payloads.iter().enumerate() {
            let mut header = header(id as u64 * 3, payload);
            if properties {
                header.properties =
                    Properties::encode(vec![parvis_wire::Property::integer(0x10, id as u64)]);
            }
            header.encode(previous, properties, &mut bytes).expect("a header encodes");
            previous = Some(header.id);
            bytes.extend_from_slice(payload);
        }
        let whole = Bytes::from(bytes);
        let id = StreamId::new(Role::Server, true, 1);
        let mut rest = whole.clone();
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let data = rest.split_to(cuts.next().expect("it cycles").min(rest.len()));
            let fin = rest.is_empty();
            session.handle(Input::StreamData { id, data, fin }, now).expect("it is valid");
        }
        let events = events(&mut session);
        let expected: Vec<(u64, Vec<u8>)> =
            payloads.into_iter().enumerate().map(|(id, payload)| (id as u64 * 3, payload)).collect();
        prop_assert_eq!(&received(&events)[0].objects, &expected);
        // The raw bytes are the stream's, behind its header.
        let raw: Vec<u8> = events
            .iter()
            .flat_map(|event| match event {
                Event::Object { raw, .. } => raw.to_vec(),
                Event::ObjectData { data, .. } => data.to_vec(),
                _ => Vec::new(),
            })
            .collect();
        prop_assert!(whole.ends_with(&raw));
        prop_assert_eq!(session.open_requests(), (1, 0));
    }

    #[test]
    fn bytes_of_no_meaning_never_panic(
        inputs in prop::collection::vec(
            (0_u8..8, 0_u64..6, prop::collection::vec(any::<u8>(), 0..60), any::<bool>()),
            0..40,
        ),
        client: bool,
        latest: bool,
    ) {
        let now = Instant::now();
        let role = if client { Role::Client } else { Role::Server };
        let peer = if client { Role::Server } else { Role::Client };
        let draft = if latest { Draft::D22 } else { Draft::D18 };
        let mut session = Session::new(Config { role, draft, ..Config::default() }, now);
        let _ = session.handle(Input::StreamCredit { bidi: 3, uni: 3 }, now);
        let _ = session.subscribe(track("a"), Parameters::default(), now);
        let _ = session.fetch(
            FetchRange::Standalone {
                track: track("a"),
                start: Location::new(0, 0),
                end: (GroupId(1), None),
            },
            Parameters::default(),
            now,
        );
        let id = StreamId::new(peer, true, 0);
        let data = encode(draft, &Message::Setup(Setup::default()));
        session.handle(Input::StreamData { id, data, fin: false }, now).expect("it is fine");
        for (kind, index, data, fin) in inputs {
            let data = Bytes::from(data);
            let own = StreamId::new(role, index % 2 == 0, index / 2);
            let input = match kind {
                0 => Input::StreamData { id: StreamId::new(peer, false, index), data, fin },
                1 | 2 => Input::StreamData { id: StreamId::new(peer, true, index + 1), data, fin },
                3 => Input::StreamData { id: StreamId::new(role, false, index % 3), data, fin },
                4 => Input::StreamReset { id: StreamId::new(peer, fin, index + 1), code: index },
                5 => Input::StopSending { id: own, code: index },
                6 => Input::Datagram(data),
                _ => Input::Blocked { id: own, unsent: data },
            };
            let _ = session.handle(input, now);
            while session.poll_transmit(now).is_some() {}
        }
        session.handle_timeout(now + Duration::from_secs(20));
        while session.poll().is_some() {}
    }

    #[test]
    fn calls_in_any_order_keep_both_sides_in_step(
        calls in prop::collection::vec(any::<(u8, u8, u8)>(), 0..120),
        seed: u64,
        latest: bool,
        window in prop::option::of(100_usize..3000),
    ) {
        let draft = if latest { Draft::D22 } else { Draft::D18 };
        let client = Config { draft, ..Config::default() };
        let server = Config { draft, role: Role::Server, ..Config::default() };
        let options = LinkOptions {
            delay: 5 * MS,
            jitter: 20 * MS,
            reorder: true,
            loss: 0.05,
            ..LinkOptions::default()
        };
        let mut pair = Pair::with(client, server, options, seed);
        pair.client.window = window;
        pair.server.window = window;
        let mut users = [User::default(), User::default()];
        let mut random = Random::new(seed);
        for (call, which, value) in calls {
            let now = pair.now;
            let (end, user) = if which % 2 == 0 {
                (&mut pair.client, &mut users[0])
            } else {
                (&mut pair.server, &mut users[1])
            };
            if value.is_multiple_of(5) {
                let rtt = Duration::from_millis(u64::from(value) * 2 + 10);
                end.input(Input::Path(PathState { rtt, congestion_window: 10_000, ..PathState::default() }), now);
            }
            user.learn(&end.events());
            user.call(&mut end.session, call, value, now);
            pair.run(random.up_to(10 * MS));
            pair.client.grant(10_000, 10_000, pair.now);
            pair.server.grant(10_000, 10_000, pair.now);
        }
        pair.run(Duration::from_secs(30));
        prop_assert_eq!(&pair.client.closed, &None);
        prop_assert_eq!(&pair.server.closed, &None);
        // Whoever is left ends it; then nothing is open anywhere.
        let now = pair.now;
        for (end, user) in [&mut pair.client, &mut pair.server].into_iter().zip(&mut users) {
            user.learn(&end.events());
            for key in std::mem::take(&mut user.keys) {
                let _ = end.session.cancel(key, now);
            }
        }
        pair.run(Duration::from_secs(30));
        prop_assert_eq!(pair.client.session.open_requests(), (0, 0));
        prop_assert_eq!(pair.server.session.open_requests(), (0, 0));
        prop_assert_eq!(pair.client.session.total_queued_bytes(), 0);
        prop_assert_eq!(pair.server.session.total_queued_bytes(), 0);
        check_drops(&mut pair.client, &users[0]);
        check_drops(&mut pair.server, &users[1]);
    }
}

fn check_drops(end: &mut End, user: &User) {
    let told = user.dropped
        + end
            .events()
            .iter()
            .filter(|event| matches!(event, Event::Dropped(_)))
            .count() as u64;
    let drops = end.session.drops();
    let counted: u64 = parvis_session::DropReason::ALL
        .iter()
        .map(|reason| drops.drops(*reason))
        .sum();
    assert_eq!(told, counted);
}

/// Someone who calls a session without a plan.
#[derive(Default)]
struct User {
    keys: Vec<RequestKey>,
    requests: Vec<(RequestKey, IncomingRequest)>,
    streams: Vec<(StreamId, u64)>,
    inbound: Vec<StreamId>,
    dropped: u64,
    next_group: u64,
}

impl User {
    fn learn(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Request { key, request } => {
                    self.keys.push(*key);
                    self.requests.push((*key, request.clone()));
                }
                Event::Subgroup { stream, .. } => self.inbound.push(*stream),
                Event::Dropped(_) => self.dropped += 1,
                _ => {}
            }
        }
    }

    fn call(&mut self, session: &mut Session, call: u8, value: u8, now: Instant) {
        let parameters = Parameters::default();
        let key = self
            .keys
            .get(usize::from(value) % self.keys.len().max(1))
            .copied();
        let stream = usize::from(value) % self.streams.len().max(1);
        let name = ["a", "b", "c"][usize::from(value) % 3];
        let prefix = namespace(&[["x", "y", "z"][usize::from(value) % 3]]);
        let made = match call % 20 {
            0 => session.subscribe(track(name), parameters, now).ok(),
            1 => session
                .publish(track(name), parameters, Properties::EMPTY, now)
                .ok(),
            2 => session.publish_namespace(prefix, parameters, now).ok(),
            3 => session.subscribe_namespace(prefix, parameters, now).ok(),
            4 => session.subscribe_tracks(prefix, parameters, now).ok(),
            5 => session.track_status(track(name), parameters, now).ok(),
            6 => {
                let (start, end) = (Location::new(0, 0), (GroupId(u64::from(value)), None));
                let range = FetchRange::Standalone {
                    track: track(name),
                    start,
                    end,
                };
                session.fetch(range, parameters, now).ok()
            }
            _ => None,
        };
        self.keys.extend(made);
        let parameters = Parameters::default();
        match call % 20 {
            7..=10 => self.answer(session, value, now),
            11 => {
                if let Some(key) = key {
                    let _ = session.cancel(key, now);
                }
            }
            12 => {
                if let Some(key) = key {
                    let forward = Some(!value.is_multiple_of(3));
                    let _ = session.update(
                        key,
                        Parameters {
                            forward,
                            ..parameters
                        },
                        now,
                    );
                }
            }
            13 => {
                if let Some(key) = key {
                    let _ = if value.is_multiple_of(5) {
                        session.reject_update(key, refusal(), now)
                    } else {
                        session.accept_update(key, parameters, now)
                    };
                }
            }
            14 => {
                if let Some(key) = key {
                    let _ = session.publish_done(key, PublishDoneCode::TrackEnded, "", now);
                }
            }
            15 | 16 => {
                for key in &self.keys {
                    self.next_group += 1;
                    let opened = session
                        .open_subgroup(*key, &group(self.next_group), now)
                        .or_else(|_| session.open_fetch(*key, now));
                    self.streams.extend(opened.ok().map(|stream| (stream, 0)));
                }
            }
            17 => {
                for (stream, next) in &mut self.streams {
                    let payload = Bytes::from(vec![value; usize::from(value) * 4]);
                    let object = header(*next, &payload);
                    if session.write_object(*stream, &object, payload, now).is_ok() {
                        *next += 1;
                    }
                }
            }
            18 if !self.streams.is_empty() => {
                let (stream, _) = self.streams.swap_remove(stream);
                let _ = if value.is_multiple_of(3) {
                    session.reset_subgroup(stream, ResetCode::InternalError, now)
                } else {
                    session.finish_subgroup(stream, now)
                };
            }
            19 => {
                if let Some(key) = key {
                    let datagram = DatagramOptions {
                        location: Location::new(u64::from(value), 0),
                        priority: None,
                        end_of_group: false,
                        properties: Properties::EMPTY,
                        status: ObjectStatus::Normal,
                        payload: Bytes::from_static(b"datagram"),
                    };
                    let _ = session.send_datagram(key, datagram, now);
                }
                if let Some(stream) = self.inbound.pop() {
                    session.stop_stream(stream, ResetCode::Cancelled, now);
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, session: &mut Session, value: u8, now: Instant) {
        if self.requests.is_empty() {
            return;
        }
        let at = usize::from(value) % self.requests.len();
        let (key, request) = self.requests.swap_remove(at);
        if value.is_multiple_of(7) {
            let _ = session.reject(key, refusal(), now);
            return;
        }
        let parameters = Parameters::default();
        let _ = match request {
            IncomingRequest::Subscribe { .. } => {
                session.accept_subscribe(key, parameters, Properties::EMPTY, now)
            }
            IncomingRequest::Publish { .. } => {
                let forward = Some(value.is_multiple_of(2));
                session.accept_publish(
                    key,
                    Parameters {
                        forward,
                        ..parameters
                    },
                    now,
                )
            }
            IncomingRequest::TrackStatus { .. } => {
                session.accept_track_status(key, parameters, Properties::EMPTY, now)
            }
            IncomingRequest::Fetch { .. } => {
                let answer = FetchOk {
                    end_of_track: false,
                    end: Location::new(9, 9),
                    parameters,
                    track_properties: Properties::EMPTY,
                };
                session.accept_fetch(key, answer, now)
            }
            IncomingRequest::SubscribeNamespace { .. } => {
                let accepted = session.accept(key, parameters, now);
                let name = namespace(&["n"]);
                accepted
                    .and_then(|()| session.namespace(key, name.clone(), now))
                    .and_then(|()| session.namespace_done(key, name, now))
            }
            IncomingRequest::SubscribeTracks { .. } => {
                let accepted = session.accept(key, parameters, now);
                accepted
                    .and_then(|()| session.publish_skipped(key, namespace(&["n"]), "t".into(), now))
            }
            IncomingRequest::PublishNamespace { .. } => session.accept(key, parameters, now),
        };
    }
}

fn refusal() -> RequestError {
    RequestError {
        code: RequestErrorCode::Unauthorized,
        retry_interval: 0,
        reason: String::new(),
        redirect: None,
    }
}

#[test]
fn a_close_reaches_the_peer_with_everything_under_way() {
    let mut pair = Pair::established(Draft::D22);
    let now = pair.now;
    for _ in 0..5 {
        pair.client
            .session
            .subscribe(track("a"), Parameters::default(), now)
            .expect("it asks");
    }
    pair.client.session.close(SessionErrorCode::NoError, "bye");
    pair.client
        .session
        .close(SessionErrorCode::InternalError, "again");
    pair.run(50 * MS);
    assert_eq!(
        pair.client.closed,
        Some((SessionErrorCode::NoError, "bye".into()))
    );
    assert!(pair.server.closed.is_some());
    let reason = "bye".to_owned();
    assert_eq!(
        pair.client.events(),
        [Event::Closed {
            code: SessionErrorCode::NoError,
            reason
        }]
    );
}
