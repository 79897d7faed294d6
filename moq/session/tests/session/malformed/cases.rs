use super::*;

/// A name, who is attacked, and the attack.
pub type Case = (
    &'static str,
    Role,
    SessionErrorCode,
    fn(&mut Victim) -> Outcome,
);

pub const VIOLATION: SessionErrorCode = SessionErrorCode::ProtocolViolation;
const CLIENT: Role = Role::Client;
const SERVER: Role = Role::Server;

/// Against an established session, in both drafts.
pub const CASES: &[Case] = &[
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
                parameters: Parameters::default(),
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
                parameters: Parameters::default(),
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
