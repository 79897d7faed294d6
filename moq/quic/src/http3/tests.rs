use std::{collections::HashSet, sync::Arc};

use parvis_session::{Role, StreamId};
use parvis_wire::Draft::{self, D18, D22};
use web_transport_proto::{
    Capsule, ConnectRequest, ConnectResponse, Frame, Setting, Settings, StreamUni, VarInt,
};

use super::{
    Code, DatagramPrefix, Http3, Options, Output, RequestTarget, datagram::MalformedDatagram,
};

mod malformed;

const REQUEST: StreamId = StreamId::new(Role::Client, false, 0);

fn options() -> Arc<Options> {
    Arc::new(Options {
        drafts: Draft::ALL.to_vec(),
        default_draft: D18,
    })
}

fn target() -> RequestTarget {
    RequestTarget {
        authority: "relay.example:4433".into(),
        path: "/room?x=1".into(),
    }
}

/// The peer's unidirectional stream with this index.
fn uni(index: u64) -> StreamId {
    StreamId::new(Role::Client, true, index)
}

fn bidi(index: u64) -> StreamId {
    StreamId::new(Role::Client, false, index)
}

/// Gives `side` what a stream brings, as a driver does, `step` bytes at a time at most; returns
/// what it did not want.
fn bring(side: &mut Http3, id: StreamId, data: &[u8], step: usize) -> usize {
    let mut rest = data;
    while !rest.is_empty()
        && let Some(most) = side.wants(id)
    {
        assert!(
            most > 0,
            "a stream that wants nothing is never read to its end"
        );
        let (now, later) = rest.split_at(most.min(step).min(rest.len()));
        side.data(id, now);
        rest = later;
    }
    rest.len()
}

fn open(side: &mut Http3, id: StreamId, data: &[u8]) -> usize {
    side.opened(id);
    bring(side, id, data, usize::MAX)
}

fn outputs(side: &mut Http3) -> Vec<Output> {
    std::iter::from_fn(|| side.poll()).collect()
}

/// A server whose own SETTINGS are on their way.
fn server() -> Http3 {
    let mut server = Http3::server(options());
    outputs(&mut server);
    server
}

/// A server that has the client's SETTINGS.
fn settled() -> Http3 {
    let mut server = server();
    assert_eq!(open(&mut server, uni(0), &control()), 0);
    assert_eq!(outputs(&mut server), []);
    server
}

/// A server with a session.
fn with_session() -> Http3 {
    let mut server = settled();
    open(&mut server, REQUEST, &request(&["moqt-22"]));
    assert!(matches!(
        outputs(&mut server)[..],
        [
            Output::Write { .. },
            Output::Open {
                id: REQUEST,
                draft: D22,
                ..
            }
        ]
    ));
    server
}

fn control() -> Vec<u8> {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut out = Vec::new();
    settings.encode(&mut out);
    out
}

fn request(protocols: &[&str]) -> Vec<u8> {
    let url: url::Url = "https://relay.example:4433/room?x=1".parse().unwrap();
    let request =
        ConnectRequest::new(url).with_protocols(protocols.iter().map(|p| (*p).to_owned()));
    let mut out = Vec::new();
    request.encode(&mut out).unwrap();
    out
}

fn frame(kind: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    VarInt::from_u32(kind).encode(&mut out);
    VarInt::from_u32(payload.len() as u32).encode(&mut out);
    out.extend_from_slice(payload);
    out
}

fn close_capsule(code: u32, reason: &str) -> Vec<u8> {
    let capsule = Capsule::CloseWebTransportSession {
        code,
        reason: reason.to_owned(),
    };
    let mut out = Vec::new();
    capsule.encode(&mut out);
    out
}

/// The protocol that a server's response names.
fn chosen(outputs: &[Output]) -> Option<String> {
    let Output::Write { data, .. } = &outputs[0] else {
        panic!("{outputs:?}");
    };
    ConnectResponse::decode(&mut &data[..]).unwrap().protocol
}

/// The status of a refusal, which ends the stream in both directions.
fn status(outputs: &[Output], id: StreamId) -> u16 {
    let [
        Output::Write {
            id: written,
            data,
            fin: true,
        },
        Output::Stop { id: stopped, .. },
    ] = outputs
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((*written, *stopped), (id, id));
    match ConnectResponse::decode(&mut &data[..]) {
        Err(web_transport_proto::ConnectError::WrongStatus(Some(status))) => status.as_u16(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_have_the_switches_of_every_browser() {
    for mut side in [
        Http3::server(options()),
        Http3::client(options(), RequestTarget::default()),
    ] {
        let outputs = outputs(&mut side);
        let [
            Output::Write {
                id,
                data,
                fin: false,
            },
        ] = &outputs[..]
        else {
            panic!("{outputs:?}");
        };
        assert!(id.is_unidirectional() && id.index() == 0);
        let settings = Settings::decode(&mut &data[..]).unwrap();
        let value = |id: u64| {
            let id = Setting(VarInt::from_u64(id).unwrap());
            settings.get(&id).map(|value| value.into_inner())
        };
        assert_eq!(value(0x08), Some(1), "extended CONNECT");
        assert_eq!(value(0x33), Some(1), "datagrams");
        assert_eq!(value(0x2b60_3742), Some(1), "draft 2, Chromium");
        assert_eq!(value(0xc671_706a), Some(1), "draft 7, Safari");
        assert_eq!(value(0x01).unwrap_or(0), 0, "no dynamic table");
    }
}

#[test]
fn a_client_and_a_server_open_a_session_and_close_it() {
    for step in [1, 2, 7, usize::MAX] {
        for closer in [Role::Client, Role::Server] {
            let target = target();
            let mut client = Http3::client(options(), target.clone());
            let mut server = Http3::server(options());
            let mut seen = HashSet::new();
            let mut exchange =
                |client: &mut Http3, server: &mut Http3| exchange(client, server, step, &mut seen);
            let opened = exchange(&mut client, &mut server);
            let expected = [D22, D22].map(|draft| Output::Open {
                id: REQUEST,
                draft,
                target: target.clone(),
            });
            assert_eq!(opened, expected, "{step}");
            match closer {
                Role::Client => client.close(7, "bye"),
                Role::Server => server.close(7, "bye"),
            }
            let closed = Output::Closed {
                code: 7,
                reason: "bye".into(),
            };
            assert_eq!(exchange(&mut client, &mut server), [closed]);
            client.close(8, "again");
            server.close(8, "again");
            assert_eq!(exchange(&mut client, &mut server), []);
        }
    }
}

/// Carries writes over until nothing is left; returns the other outputs.
fn exchange(
    client: &mut Http3,
    server: &mut Http3,
    step: usize,
    opened: &mut HashSet<StreamId>,
) -> Vec<Output> {
    let mut others = Vec::new();
    loop {
        let mut quiet = true;
        for from_client in [true, false] {
            let (from, to, role) = if from_client {
                (&mut *client, &mut *server, Role::Client)
            } else {
                (&mut *server, &mut *client, Role::Server)
            };
            for output in outputs(from) {
                quiet = false;
                match output {
                    Output::Write { id, data, fin } => {
                        if id.opener() == role && opened.insert(id) {
                            to.opened(id);
                        }
                        assert_eq!(bring(to, id, &data, step), 0);
                        if fin {
                            to.ended(id, None);
                        }
                    }
                    other => others.push(other),
                }
            }
        }
        if quiet {
            return others;
        }
    }
}

#[test]
fn the_preferred_common_draft_is_chosen() {
    for (offered, draft, named) in [
        (&["moqt-18", "moqt-22"][..], D22, Some("moqt-22")),
        (&["moq-lite-04", "moqt-20", "moqt-18"], D18, Some("moqt-18")),
        (&[], D18, None),
    ] {
        let mut server = settled();
        open(&mut server, REQUEST, &request(offered));
        let outputs = outputs(&mut server);
        assert_eq!(chosen(&outputs).as_deref(), named, "{offered:?}");
        let [
            _,
            Output::Open {
                draft: opened,
                target,
                ..
            },
        ] = &outputs[..]
        else {
            panic!("{outputs:?}");
        };
        assert_eq!(*opened, draft);
        assert_eq!(target.authority, "relay.example:4433");
        assert_eq!(target.path, "/room?x=1");
    }
}

#[test]
fn a_request_waits_for_settings() {
    let mut server = server();
    open(&mut server, REQUEST, &request(&[]));
    assert_eq!(outputs(&mut server), []);
    open(&mut server, uni(0), &control());
    assert!(matches!(outputs(&mut server)[..], [_, Output::Open { .. }]));
}

#[test]
fn streams_of_the_session_are_handed_over_with_every_byte_of_theirs() {
    for step in [1, 3, usize::MAX] {
        let mut server = with_session();
        for (id, header) in [(uni(3), &[0x40, 0x54, 0][..]), (bidi(1), &[0x40, 0x41, 0])] {
            let bytes = [header, b"object"].concat();
            server.opened(id);
            assert_eq!(bring(&mut server, id, &bytes, step), b"object".len());
            assert_eq!(outputs(&mut server), [Output::Adopt { id }]);
            assert_eq!(server.wants(id), None);
        }
    }
}

#[test]
fn streams_may_come_before_their_session() {
    let mut server = settled();
    open(&mut server, uni(3), &[0x40, 0x54, 0]);
    open(&mut server, uni(4), &[0x40, 0x54, 4]);
    assert_eq!(outputs(&mut server), []);
    open(&mut server, REQUEST, &request(&[]));
    let outputs = outputs(&mut server);
    let code = Code::BUFFERED_STREAM_REJECTED;
    assert_eq!(
        outputs[2..],
        [
            Output::Adopt { id: uni(3) },
            Output::Stop { id: uni(4), code }
        ]
    );
}

#[test]
fn streams_before_their_session_are_bounded() {
    let mut server = settled();
    for index in 0..64 {
        open(&mut server, uni(3 + index), &[0x40, 0x54, 0]);
    }
    assert_eq!(outputs(&mut server), []);
    open(&mut server, bidi(9), &[0x40, 0x41, 0]);
    let code = Code::BUFFERED_STREAM_REJECTED;
    let id = bidi(9);
    assert_eq!(
        outputs(&mut server),
        [Output::Reset { id, code }, Output::Stop { id, code }]
    );
}

#[test]
fn a_stream_of_a_session_that_is_over_is_turned_away() {
    let mut server = with_session();
    server.close(0, "");
    outputs(&mut server);
    open(&mut server, uni(5), &[0x40, 0x54, 0]);
    let code = Code::SESSION_GONE;
    assert_eq!(outputs(&mut server), [Output::Stop { id: uni(5), code }]);
}

#[test]
fn a_second_session_is_refused() {
    let mut server = with_session();
    open(&mut server, bidi(1), &request(&["moqt-22"]));
    assert_eq!(status(&outputs(&mut server), bidi(1)), 429);
    assert!(server.is_session(REQUEST));
}

#[test]
fn requests_that_are_not_for_a_session_get_a_status_and_may_be_followed_by_one() {
    let field = |name: u8, value: &[u8]| [&[0x50 | name, value.len() as u8][..], value].concat();
    // Entries of the static table: GET, CONNECT, https, /.
    let [get, connect, https, root] = [0xd1, 0xcf, 0xd7, 0xc1];
    let no_authority = [0, 0, connect, https, root];
    let get = [&[0, 0, get, https, root][..], &field(0, b"a")].concat();
    let connect = [&no_authority[..], &field(0, b"a")].concat();
    let cases: [(&str, Vec<u8>, u16); 5] = [
        ("GET", frame(1, &get), 405),
        ("CONNECT without a protocol", frame(1, &connect), 501),
        ("no authority", frame(1, &no_authority), 400),
        (
            "no draft in common",
            request(&["moqt-20", "moq-lite-04"]),
            406,
        ),
        (
            "a field section of 17 KiB",
            frame(1, &vec![0; 17 << 10])[..8].to_vec(),
            431,
        ),
    ];
    for (name, headers, expected) in cases {
        let mut server = settled();
        open(&mut server, REQUEST, &headers);
        assert_eq!(status(&outputs(&mut server), REQUEST), expected, "{name}");
        open(&mut server, bidi(1), &request(&["moqt-18"]));
        assert!(
            matches!(
                outputs(&mut server)[..],
                [_, Output::Open { draft: D18, .. }]
            ),
            "{name}"
        );
    }
}

#[test]
fn refused_requests_are_counted() {
    let mut server = settled();
    for index in 0..9 {
        open(&mut server, bidi(index), &request(&["moqt-20"]));
    }
    let outputs = outputs(&mut server);
    let Some(Output::Fail { code, .. }) = outputs.last() else {
        panic!("{outputs:?}");
    };
    assert_eq!(*code, Code::EXCESSIVE_LOAD);
}

#[test]
fn a_client_learns_that_it_is_refused() {
    let mut client = Http3::client(options(), RequestTarget::default());
    let mut answer = Vec::new();
    ConnectResponse::new(web_transport_proto::http::StatusCode::NOT_FOUND)
        .encode(&mut answer)
        .unwrap();
    outputs(&mut client);
    bring(&mut client, REQUEST, &answer, usize::MAX);
    assert_eq!(outputs(&mut client), [Output::Refused { status: 404 }]);
}

#[test]
fn capsules_close_the_session_however_they_are_cut() {
    let capsules = [frame(0x17, b"grease"), close_capsule(0x1234, "that is all")].concat();
    for cut in 1..capsules.len() {
        let (one, two) = capsules.split_at(cut);
        let stream = [
            frame(0, one),
            frame(0x21, b"grease"),
            frame(0, b""),
            frame(0, two),
        ]
        .concat();
        for step in [1, usize::MAX] {
            let mut server = with_session();
            bring(&mut server, REQUEST, &stream, step);
            let outputs = outputs(&mut server);
            let closed = Output::Closed {
                code: 0x1234,
                reason: "that is all".into(),
            };
            assert_eq!(outputs.last(), Some(&closed), "{cut}");
            assert!(matches!(
                outputs[0],
                Output::Write {
                    id: REQUEST,
                    fin: true,
                    ..
                }
            ));
        }
    }
}

#[test]
fn the_end_of_its_stream_is_the_end_of_the_session() {
    let code = web_transport_proto::error_to_http3(99);
    for (reset, expected) in [(None, 0), (Some(code), 99), (Some(0x10c), 0)] {
        let mut server = with_session();
        server.ended(REQUEST, reset);
        let outputs = outputs(&mut server);
        let Some(Output::Closed { code, .. }) = outputs.last() else {
            panic!("{outputs:?}");
        };
        assert_eq!(*code, expected);
    }
}

#[test]
fn streams_of_unknown_types_and_empty_ones_do_no_harm() {
    let mut server = with_session();
    let code = Code::STREAM_CREATION_ERROR;
    open(&mut server, uni(5), &[0x21, 1, 2]);
    assert_eq!(outputs(&mut server), [Output::Stop { id: uni(5), code }]);
    server.opened(uni(6));
    server.ended(uni(6), None);
    open(&mut server, uni(7), &[0x40]);
    server.ended(uni(7), Some(3));
    open(&mut server, uni(1), &[2, 0x20]);
    open(&mut server, uni(2), &[3]);
    bring(&mut server, uni(0), &frame(7, &[0]), 1);
    bring(&mut server, uni(0), &frame(0x21, &[9; 3000]), 100);
    bring(&mut server, REQUEST, &frame(0x40, &[9; 3000]), 100);
    assert_eq!(outputs(&mut server), []);
    assert!(server.is_session(REQUEST));
}

#[test]
fn a_long_closing_reason_is_cut_at_a_character() {
    let mut server = with_session();
    server.close(1, &format!("x{}", "ä".repeat(2000)));
    let outputs = outputs(&mut server);
    let Some(Output::Write {
        data, fin: true, ..
    }) = outputs.last()
    else {
        panic!("{outputs:?}");
    };
    let mut data = &data[..];
    let (kind, mut payload) = Frame::read(&mut data).unwrap();
    assert_eq!(kind, Frame::DATA);
    let capsule = Capsule::decode(&mut payload).unwrap();
    let reason = format!("x{}", "ä".repeat(511));
    assert_eq!(
        capsule,
        Capsule::CloseWebTransportSession { code: 1, reason }
    );
}

#[test]
fn datagrams_bear_their_session() {
    for session in [0u64, 4, 400, 1 << 40] {
        let prefix = DatagramPrefix::new(VarInt::try_from(session).unwrap());
        let raw = prefix.add(b"object");
        assert_eq!(raw.len(), prefix.len() + 6);
        assert_eq!(prefix.strip(raw).unwrap().unwrap(), &b"object"[..]);
    }
    let prefix = DatagramPrefix::new(VarInt::from_u32(0));
    assert_eq!(prefix.strip(vec![1, 2].into()), Ok(None));
    assert_eq!(prefix.strip(vec![].into()), Err(MalformedDatagram));
    assert_eq!(prefix.strip(vec![0x40].into()), Err(MalformedDatagram));
    assert_eq!(prefix.strip(vec![0xff; 8].into()), Err(MalformedDatagram));
    assert_eq!(StreamUni::WEBTRANSPORT.0.into_inner(), 0x54);
}
