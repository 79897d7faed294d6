//! What a peer must not do, and the code it is told.

use std::time::Instant;

use bytes::Bytes;
use parvis_session::{
    Config, EndReason, Event, Input, RequestKey, Role, Session, SessionError, StreamId, Transmit,
};
use parvis_wire::{
    AuthToken, Draft, FetchHeader, FetchOk, FetchRange, GoAway, GroupId, Location, Message,
    Namespace, NamespaceDone, Parameters, Properties, Property, Publish, PublishDone,
    PublishDoneCode, PublishNamespace, PublishSkipped, PublishStateNotify, Redirect, RequestError,
    RequestErrorCode, RequestId, RequestOk, RequestUpdate, SessionErrorCode, Setup, SubgroupHeader,
    SubgroupIdMode, Subscribe, SubscribeOk, TrackAlias, TrackStatus,
};

use crate::support::{header, namespace, track};

/// A session against hand-made bytes.
struct Victim {
    session: Session,
    draft: Draft,
    now: Instant,
    peer: Role,
}

type Outcome = Result<(), SessionError>;

impl Victim {
    fn new(role: Role, draft: Draft) -> Self {
        let now = Instant::now();
        let mut session = Session::new(
            Config {
                role,
                draft,
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
        let peer = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        Self {
            session,
            draft,
            now,
            peer,
        }
    }

    fn established(role: Role, draft: Draft) -> Self {
        let mut victim = Self::new(role, draft);
        victim
            .control(&Message::Setup(Setup::default()))
            .expect("a SETUP is fine");
        victim
    }

    fn handle(&mut self, input: Input) -> Outcome {
        self.session.handle(input, self.now)
    }

    fn bytes(&mut self, id: StreamId, data: impl Into<Bytes>, fin: bool) -> Outcome {
        self.handle(Input::StreamData {
            id,
            data: data.into(),
            fin,
        })
    }

    fn encode(&self, message: &Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        message
            .encode(self.draft, &mut bytes)
            .expect("a message encodes");
        bytes
    }

    fn control(&mut self, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(self.uni(0), bytes, false)
    }

    fn uni(&self, index: u64) -> StreamId {
        StreamId::new(self.peer, true, index)
    }

    fn bidi(&self, index: u64) -> StreamId {
        StreamId::new(self.peer, false, index)
    }

    /// The peer's request ids.
    fn id(&self, number: u64) -> RequestId {
        RequestId(number * 2 + u64::from(self.peer == Role::Server))
    }

    fn on_request(&mut self, index: u64, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(self.bidi(index), bytes, false)
    }

    fn answer(&mut self, key: RequestKey, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(key.0, bytes, false)
    }

    fn subscribe(&mut self) -> RequestKey {
        let now = self.now;
        self.session
            .subscribe(track("a"), Parameters::default(), now)
            .expect("it subscribes")
    }

    fn subscribed(&mut self) -> RequestKey {
        let key = self.subscribe();
        self.answer(key, &subscribe_ok(5))
            .expect("an answer is fine");
        key
    }

    fn subgroup() -> Vec<u8> {
        let mut bytes = Vec::new();
        SubgroupHeader {
            track_alias: TrackAlias(5),
            group: GroupId(0),
            subgroup: SubgroupIdMode::Zero,
            priority: None,
            has_properties: true,
            end_of_group: false,
            first_object: true,
        }
        .encode(&mut bytes);
        bytes
    }
}

fn subscribe_ok(alias: u64) -> Message {
    Message::SubscribeOk(SubscribeOk {
        track_alias: TrackAlias(alias),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    })
}

fn subscribe(request_id: RequestId) -> Message {
    let (track, parameters) = (track("a"), Parameters::default());
    Message::Subscribe(Subscribe {
        request_id,
        track,
        parameters,
    })
}

fn publish(request_id: RequestId, name: &'static str, alias: u64) -> Message {
    Message::Publish(Publish {
        request_id,
        track: track(name),
        track_alias: TrackAlias(alias),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    })
}

fn ok() -> Message {
    Message::RequestOk(RequestOk::default())
}

fn done() -> Message {
    let (code, reason) = (PublishDoneCode::TrackEnded, String::new());
    Message::PublishDone(PublishDone {
        code,
        stream_count: 0,
        reason,
    })
}

fn goaway(uri: &str) -> Message {
    let new_session_uri = uri.to_owned();
    Message::GoAway(GoAway {
        new_session_uri,
        timeout_ms: 0,
        request_id: None,
    })
}

/// A name, who is attacked, and the attack.
type Case = (
    &'static str,
    Role,
    SessionErrorCode,
    fn(&mut Victim) -> Outcome,
);

const VIOLATION: SessionErrorCode = SessionErrorCode::ProtocolViolation;
const CLIENT: Role = Role::Client;
const SERVER: Role = Role::Server;

/// Against an established session, in both drafts.
const CASES: &[Case] = &[
    ("second SETUP", SERVER, VIOLATION, |v| {
        v.control(&Message::Setup(Setup::default()))
    }),
    ("request on control", SERVER, VIOLATION, |v| {
        v.control(&subscribe(v.id(0)))
    }),
    ("answer on control", SERVER, VIOLATION, |v| v.control(&ok())),
    ("unknown message on control", SERVER, VIOLATION, |v| {
        v.bytes(v.uni(0), vec![0x3F, 0, 0], false)
    }),
    ("former message on control", SERVER, VIOLATION, |v| {
        v.bytes(v.uni(0), vec![0x0A, 0, 0], false)
    }),
    ("control ends", SERVER, VIOLATION, |v| {
        v.bytes(v.uni(0), vec![], true)
    }),
    ("control is reset", SERVER, VIOLATION, |v| {
        v.handle(Input::StreamReset {
            id: v.uni(0),
            code: 0,
        })
    }),
    ("control is stopped", SERVER, VIOLATION, |v| {
        v.handle(Input::StopSending {
            id: StreamId::new(SERVER, true, 0),
            code: 0,
        })
    }),
    ("second control stream", SERVER, VIOLATION, |v| {
        let setup = v.encode(&Message::Setup(Setup::default()));
        v.bytes(v.uni(1), setup, false)
    }),
    ("second GOAWAY", CLIENT, VIOLATION, |v| {
        v.control(&goaway("moqt://x"))?;
        v.control(&goaway("moqt://x"))
    }),
    ("GOAWAY with URI from a client", SERVER, VIOLATION, |v| {
        v.control(&goaway("moqt://x"))
    }),
    ("second GOAWAY of a request", CLIENT, VIOLATION, |v| {
        let key = v.subscribe();
        v.answer(key, &goaway(""))?;
        v.answer(key, &goaway(""))
    }),
    (
        "message cut by the end of a request",
        SERVER,
        VIOLATION,
        |v| {
            let bytes = v.encode(&subscribe(v.id(0)));
            v.bytes(v.bidi(0), bytes[..5].to_vec(), true)
        },
    ),
    ("message longer than its body", SERVER, VIOLATION, |v| {
        let mut bytes = v.encode(&subscribe(v.id(0)));
        bytes[2] += 1;
        bytes.push(0);
        v.bytes(v.bidi(0), bytes, false)
    }),
    ("request began with an answer", SERVER, VIOLATION, |v| {
        v.on_request(0, &ok())
    }),
    ("request began with an update", SERVER, VIOLATION, |v| {
        let (request_id, parameters) = (v.id(0), Parameters::default());
        v.on_request(
            0,
            &Message::RequestUpdate(RequestUpdate {
                request_id,
                parameters,
            }),
        )
    }),
    ("request began with GOAWAY", SERVER, VIOLATION, |v| {
        v.on_request(0, &goaway(""))
    }),
    ("request began with SETUP", SERVER, VIOLATION, |v| {
        v.on_request(0, &Message::Setup(Setup::default()))
    }),
    (
        "request began with a former message",
        SERVER,
        VIOLATION,
        |v| v.bytes(v.bidi(0), vec![0x0A, 0, 0], false),
    ),
    (
        "odd request id from a client",
        SERVER,
        SessionErrorCode::InvalidRequestId,
        |v| v.on_request(0, &subscribe(RequestId(1))),
    ),
    (
        "even request id from a server",
        CLIENT,
        SessionErrorCode::InvalidRequestId,
        |v| v.on_request(0, &subscribe(RequestId(0))),
    ),
    (
        "repeated request id",
        SERVER,
        SessionErrorCode::InvalidRequestId,
        |v| {
            v.on_request(0, &subscribe(v.id(3)))?;
            v.on_request(1, &publish(v.id(3), "b", 9))
        },
    ),
    (
        "repeated request id in an update",
        SERVER,
        SessionErrorCode::InvalidRequestId,
        |v| {
            v.on_request(0, &subscribe(v.id(3)))?;
            let (request_id, parameters) = (v.id(3), Parameters::default());
            v.on_request(
                0,
                &Message::RequestUpdate(RequestUpdate {
                    request_id,
                    parameters,
                }),
            )
        },
    ),
    ("second request on a stream", SERVER, VIOLATION, |v| {
        v.on_request(0, &subscribe(v.id(0)))?;
        v.on_request(0, &subscribe(v.id(1)))
    }),
    (
        "alias of another track",
        CLIENT,
        SessionErrorCode::DuplicateTrackAlias,
        |v| {
            v.subscribed();
            v.on_request(0, &publish(v.id(0), "b", 5))
        },
    ),
    (
        "alias of another track in SUBSCRIBE_OK",
        CLIENT,
        SessionErrorCode::DuplicateTrackAlias,
        |v| {
            v.on_request(0, &publish(v.id(0), "b", 5))?;
            let key = v.subscribe();
            v.answer(key, &subscribe_ok(5))
        },
    ),
    ("two answers", CLIENT, VIOLATION, |v| {
        let key = v.subscribed();
        v.answer(key, &subscribe_ok(5))
    }),
    ("answer of another kind", CLIENT, VIOLATION, |v| {
        let key = v.subscribe();
        v.answer(key, &ok())
    }),
    ("FETCH_OK for a SUBSCRIBE", CLIENT, VIOLATION, |v| {
        let key = v.subscribe();
        v.answer(
            key,
            &Message::FetchOk(FetchOk {
                end_of_track: false,
                end: Location::new(0, 0),
                parameters: Parameters::default(),
                track_properties: Properties::EMPTY,
            }),
        )
    }),
    ("answer to no update", CLIENT, VIOLATION, |v| {
        let key = v.subscribed();
        v.answer(key, &ok())
    }),
    ("error after the answer", CLIENT, VIOLATION, |v| {
        let key = v.subscribed();
        v.answer(
            key,
            &Message::RequestError(RequestError {
                code: RequestErrorCode::InternalError,
                retry_interval: 0,
                reason: String::new(),
                redirect: None,
            }),
        )
    }),
    ("PUBLISH_DONE before the answer", CLIENT, VIOLATION, |v| {
        let key = v.subscribe();
        v.answer(key, &done())
    }),
    ("PUBLISH_DONE from a subscriber", SERVER, VIOLATION, |v| {
        v.on_request(0, &subscribe(v.id(0)))?;
        v.on_request(0, &done())
    }),
    ("two PUBLISH_DONE", CLIENT, VIOLATION, |v| {
        let key = v.subscribed();
        let (code, reason) = (PublishDoneCode::TrackEnded, String::new());
        let done = Message::PublishDone(PublishDone {
            code,
            stream_count: 3,
            reason,
        });
        v.answer(key, &done)?;
        v.answer(key, &done)
    }),
    (
        "update from the publisher of a SUBSCRIBE",
        CLIENT,
        VIOLATION,
        |v| {
            let key = v.subscribed();
            let (request_id, parameters) = (v.id(0), Parameters::default());
            v.answer(
                key,
                &Message::RequestUpdate(RequestUpdate {
                    request_id,
                    parameters,
                }),
            )
        },
    ),
    ("update of a TRACK_STATUS", SERVER, VIOLATION, |v| {
        let (request_id, parameters) = (v.id(0), Parameters::default());
        v.on_request(
            0,
            &Message::TrackStatus(TrackStatus {
                request_id,
                track: track("a"),
                parameters: parameters.clone(),
            }),
        )?;
        let request_id = v.id(1);
        v.on_request(
            0,
            &Message::RequestUpdate(RequestUpdate {
                request_id,
                parameters,
            }),
        )
    }),
    ("NAMESPACE before the answer", CLIENT, VIOLATION, |v| {
        let now = v.now;
        let prefix = namespace(&["x"]);
        let key = v
            .session
            .subscribe_namespace(prefix, Parameters::default(), now)
            .unwrap();
        v.answer(
            key,
            &Message::Namespace(Namespace {
                suffix: namespace(&["y"]),
            }),
        )
    }),
    (
        "NAMESPACE_DONE before its NAMESPACE",
        CLIENT,
        VIOLATION,
        |v| {
            let now = v.now;
            let prefix = namespace(&["x"]);
            let key = v
                .session
                .subscribe_namespace(prefix, Parameters::default(), now)
                .unwrap();
            v.answer(key, &ok())?;
            v.answer(
                key,
                &Message::NamespaceDone(NamespaceDone {
                    suffix: namespace(&["y"]),
                }),
            )
        },
    ),
    ("NAMESPACE for a SUBSCRIBE", CLIENT, VIOLATION, |v| {
        let key = v.subscribed();
        v.answer(
            key,
            &Message::Namespace(Namespace {
                suffix: namespace(&["y"]),
            }),
        )
    }),
    (
        "PUBLISH_SKIPPED for a SUBSCRIBE_NAMESPACE",
        CLIENT,
        VIOLATION,
        |v| {
            let now = v.now;
            let prefix = namespace(&["x"]);
            let key = v
                .session
                .subscribe_namespace(prefix, Parameters::default(), now)
                .unwrap();
            v.answer(key, &ok())?;
            let (suffix, name) = (namespace(&["y"]), "z".into());
            v.answer(
                key,
                &Message::PublishSkipped(PublishSkipped { suffix, name }),
            )
        },
    ),
    ("track properties for a namespace", CLIENT, VIOLATION, |v| {
        let now = v.now;
        let prefix = namespace(&["x"]);
        let key = v
            .session
            .subscribe_namespace(prefix, Parameters::default(), now)
            .unwrap();
        v.answer(
            key,
            &Message::RequestOk(RequestOk {
                parameters: Parameters::default(),
                track_properties: Properties::encode(vec![Property::integer(0x02, 1)]),
            }),
        )
    }),
    (
        "redirect of a namespace to a track",
        CLIENT,
        VIOLATION,
        |v| {
            let now = v.now;
            let parameters = Parameters::default();
            let key = v
                .session
                .publish_namespace(namespace(&["x"]), parameters, now)
                .unwrap();
            v.answer(
                key,
                &Message::RequestError(RequestError {
                    code: RequestErrorCode::Redirect,
                    retry_interval: 0,
                    reason: String::new(),
                    redirect: Some(Redirect {
                        connect_uri: String::new(),
                        namespace: namespace(&["x"]),
                        name: "track".into(),
                    }),
                }),
            )
        },
    ),
    ("unknown stream type", SERVER, VIOLATION, |v| {
        v.bytes(v.uni(1), vec![0x07, 0, 0, 0], false)
    }),
    ("stream ends inside its header", SERVER, VIOLATION, |v| {
        let bytes = Victim::subgroup();
        v.bytes(v.uni(1), bytes[..2].to_vec(), true)
    }),
    (
        "stream ends inside an object header",
        CLIENT,
        VIOLATION,
        |v| {
            v.subscribed();
            let mut bytes = Victim::subgroup();
            bytes.push(0);
            v.bytes(v.uni(1), bytes, true)
        },
    ),
    ("stream ends inside a payload", CLIENT, VIOLATION, |v| {
        v.subscribed();
        let mut bytes = Victim::subgroup();
        header(0, b"four").encode(None, true, &mut bytes).unwrap();
        bytes.extend_from_slice(b"fou");
        v.bytes(v.uni(1), bytes, true)
    }),
    ("unknown object status", CLIENT, VIOLATION, |v| {
        v.subscribed();
        let mut bytes = Victim::subgroup();
        bytes.extend_from_slice(&[0, 0, 0, 0x21]);
        v.bytes(v.uni(1), bytes, false)
    }),
    (
        "object properties beyond any limit",
        CLIENT,
        VIOLATION,
        |v| {
            v.subscribed();
            let mut bytes = Victim::subgroup();
            bytes.push(0);
            parvis_wire::encode_varint(u64::MAX, &mut bytes);
            v.bytes(v.uni(1), bytes, false)
        },
    ),
    (
        "fetch stream for no request",
        CLIENT,
        SessionErrorCode::InvalidRequestId,
        |v| {
            let mut bytes = Vec::new();
            FetchHeader {
                request_id: RequestId(0),
            }
            .encode(&mut bytes);
            v.bytes(v.uni(1), bytes, false)
        },
    ),
    (
        "fetch stream for the peer's request",
        CLIENT,
        SessionErrorCode::InvalidRequestId,
        |v| {
            let mut bytes = Vec::new();
            FetchHeader {
                request_id: RequestId(1),
            }
            .encode(&mut bytes);
            v.bytes(v.uni(1), bytes, false)
        },
    ),
    ("fetch stream for a PUBLISH", CLIENT, VIOLATION, |v| {
        let now = v.now;
        let parameters = Parameters::default();
        v.session
            .publish(track("a"), parameters, Properties::EMPTY, now)
            .unwrap();
        let mut bytes = Vec::new();
        FetchHeader {
            request_id: RequestId(0),
        }
        .encode(&mut bytes);
        v.bytes(v.uni(1), bytes, false)
    }),
    ("two streams for one FETCH", CLIENT, VIOLATION, |v| {
        let now = v.now;
        let range = FetchRange::Standalone {
            track: track("a"),
            start: Location::new(0, 0),
            end: (GroupId(1), None),
        };
        v.session.fetch(range, Parameters::default(), now).unwrap();
        let mut bytes = Vec::new();
        FetchHeader {
            request_id: RequestId(0),
        }
        .encode(&mut bytes);
        v.bytes(v.uni(1), bytes.clone(), false)?;
        v.bytes(v.uni(2), bytes, false)
    }),
    ("unknown datagram type", CLIENT, VIOLATION, |v| {
        v.handle(Input::Datagram(Bytes::from_static(&[0x10, 5, 0, 0])))
    }),
    ("empty datagram", CLIENT, VIOLATION, |v| {
        v.handle(Input::Datagram(Bytes::new()))
    }),
    (
        "token alias that was not offered",
        SERVER,
        SessionErrorCode::AuthTokenCacheOverflow,
        |v| {
            let token = AuthToken::Register {
                alias: 1,
                kind: 0,
                value: Bytes::from_static(b"t"),
            };
            v.on_request(0, &publish_namespace(v.id(0), token))
        },
    ),
    (
        "token alias that is unknown",
        SERVER,
        SessionErrorCode::UnknownAuthTokenAlias,
        |v| {
            v.on_request(
                0,
                &publish_namespace(v.id(0), AuthToken::UseAlias { alias: 1 }),
            )
        },
    ),
];

fn publish_namespace(request_id: RequestId, token: AuthToken) -> Message {
    let parameters = Parameters {
        auth_tokens: vec![token],
        ..Parameters::default()
    };
    Message::PublishNamespace(PublishNamespace {
        request_id,
        namespace: namespace(&["x"]),
        parameters,
    })
}

#[test]
fn misbehaviour_closes_the_session_with_its_code() {
    for draft in Draft::ALL {
        for (name, role, code, attack) in CASES {
            let mut victim = Victim::established(*role, draft);
            let error = attack(&mut victim).expect_err(name);
            assert_eq!(error.code(), *code, "{name} in {draft:?}: {error}");
            assert_closed(&mut victim, *code, name);
        }
    }
}

fn assert_closed(victim: &mut Victim, code: SessionErrorCode, name: &str) {
    assert!(victim.session.is_closed(), "{name}");
    let transmits: Vec<Transmit> =
        std::iter::from_fn(|| victim.session.poll_transmit(victim.now)).collect();
    match transmits.as_slice() {
        [Transmit::Close { code: sent, .. }] => assert_eq!(*sent, code, "{name}"),
        transmits => panic!("{name}: one Close among {transmits:?}"),
    }
    let events: Vec<Event> = std::iter::from_fn(|| victim.session.poll()).collect();
    assert!(
        matches!(events.last(), Some(Event::Closed { .. })),
        "{name}: {events:?}"
    );
    assert_eq!(victim.session.poll_timeout(), None, "{name}");
    // Whatever comes later is ignored.
    assert_eq!(
        victim.bytes(victim.uni(9), vec![0xFF; 9], false),
        Ok(()),
        "{name}"
    );
    assert_eq!(victim.session.poll(), None, "{name}");
}

#[test]
fn a_servers_setup_has_no_path_and_no_authority() {
    for draft in Draft::ALL {
        let path = Setup {
            path: Some("/".into()),
            ..Setup::default()
        };
        let authority = Setup {
            authority: Some("x".into()),
            ..Setup::default()
        };
        let cases = [
            (path, SessionErrorCode::InvalidPath),
            (authority, SessionErrorCode::InvalidAuthority),
        ];
        for (setup, code) in cases {
            let mut victim = Victim::new(Role::Client, draft);
            let error = victim
                .control(&Message::Setup(setup))
                .expect_err("it is refused");
            assert_eq!(error.code(), code);
            assert_closed(&mut victim, code, "SETUP");
        }
    }
}

#[test]
fn a_goaway_of_18_names_a_request_of_the_receiver() {
    for (id, fine) in [(0, true), (1, false)] {
        let mut victim = Victim::established(Role::Client, Draft::D18);
        let request_id = Some(RequestId(id));
        let goaway = GoAway {
            new_session_uri: String::new(),
            timeout_ms: 0,
            request_id,
        };
        let outcome = victim.control(&Message::GoAway(goaway));
        let code = outcome.map_err(|error| error.code());
        assert_eq!(
            code,
            if fine {
                Ok(())
            } else {
                Err(SessionErrorCode::InvalidRequestId)
            }
        );
    }
}

#[test]
fn a_state_notification_comes_from_a_publisher() {
    let mut victim = Victim::established(Role::Server, Draft::D22);
    victim
        .on_request(0, &subscribe(victim.id(0)))
        .expect("a SUBSCRIBE is fine");
    let notify = Message::PublishStateNotify(PublishStateNotify::default());
    let error = victim.on_request(0, &notify).expect_err("it is refused");
    assert_eq!(error.code(), VIOLATION);
    // Draft 18 does not know the message at all.
    let bytes = victim.encode(&notify);
    let mut victim = Victim::established(Role::Client, Draft::D18);
    let key = victim.subscribed();
    assert_eq!(
        victim.bytes(key.0, bytes, false).map_err(|e| e.code()),
        Err(VIOLATION)
    );
}

#[test]
fn endings_of_former_drafts_cancel_a_request_of_18() {
    for kind in [0x09, 0x0A, 0x0C, 0x17] {
        let mut victim = Victim::established(Role::Server, Draft::D18);
        victim
            .on_request(0, &subscribe(victim.id(0)))
            .expect("a SUBSCRIBE is fine");
        victim
            .bytes(victim.bidi(0), vec![kind, 0, 0], true)
            .expect("it ends the request");
        let events: Vec<Event> = std::iter::from_fn(|| victim.session.poll()).collect();
        let key = RequestKey(victim.bidi(0));
        let reason = EndReason::Cancelled(1);
        assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
        assert_eq!(victim.session.open_requests(), (0, 0));

        let mut victim = Victim::established(Role::Server, Draft::D22);
        victim
            .on_request(0, &subscribe(victim.id(0)))
            .expect("a SUBSCRIBE is fine");
        let outcome = victim.bytes(victim.bidi(0), vec![kind, 0, 0], true);
        assert_eq!(outcome.map_err(|error| error.code()), Err(VIOLATION));
    }
}
