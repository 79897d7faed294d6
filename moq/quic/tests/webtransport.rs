//! Sessions over WebTransport: how they begin, what a client that is not ours may do, and what it
//! is told when it may not.

mod pair;
mod raw_client;

use std::time::Duration;

use pair::{CLIENT, Options, Pair, SERVER, carriers, close_reason, drafts, session_events};
use parvis_quic::{CloseReason, ConnectionEvent, EndpointConfig, Limits};
use parvis_session::Event;
use parvis_wire::{Draft, SessionErrorCode};
use quinn_proto::{Dir, TransportConfig};
use raw_client::RawClient;
use web_transport_proto::{Capsule, ConnectRequest, ConnectResponse, Frame, Settings, VarInt};

const LIMIT: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(100);

#[test]
fn the_preferred_draft_is_agreed_on_and_the_server_learns_what_was_asked_for() {
    let [_, webtransport] = carriers();
    for (client_drafts, expected) in [
        (Draft::ALL.to_vec(), Draft::D22),
        (vec![Draft::D18], Draft::D18),
        (vec![Draft::D22], Draft::D22),
    ] {
        let mut pair = Pair::connected(Options {
            client_drafts,
            webtransport: webtransport.clone(),
            ..Options::default()
        });
        for side in [CLIENT, SERVER] {
            assert_eq!(drafts(&pair.events[side]), [expected]);
        }
        pair.run(LIMIT, |pair| {
            [CLIENT, SERVER].iter().all(|side| {
                session_events(&pair.events[*side]).any(|e| matches!(e, Event::Established { .. }))
            })
        });
        let targets = [CLIENT, SERVER].map(|side| {
            session_events(&pair.events[side]).find_map(|event| match event {
                Event::Established { peer } => Some((peer.path.clone(), peer.authority.clone())),
                _ => None,
            })
        });
        let asked = (
            Some("/room?x=1".to_owned()),
            Some("localhost:4443".to_owned()),
        );
        assert_eq!(targets, [Some((None, None)), Some(asked)]);
        assert_eq!(pair.endpoints[SERVER].half_open(), 0);
        let named = pair.events[SERVER].iter().any(|event| {
            matches!(event, ConnectionEvent::Connected { server_name: Some(name), .. } if name == "localhost")
        });
        assert!(named);
    }
}

#[test]
fn no_draft_in_common_is_said_so() {
    let [_, webtransport] = carriers();
    let mut pair = Pair::new(Options {
        server_drafts: vec![Draft::D22],
        client_drafts: vec![Draft::D18],
        webtransport,
        ..Options::default()
    });
    pair.run(LIMIT, |pair| close_reason(&pair.events[CLIENT]).is_some());
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::WebTransportRefused { status: 406 })
    );
    pair.run_for(LIMIT);
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
}

#[test]
fn a_server_without_webtransport_does_not_offer_it() {
    let [_, webtransport] = carriers();
    let mut pair = Pair::new(Options {
        server_webtransport: None,
        webtransport,
        ..Options::default()
    });
    pair.run(LIMIT, |pair| close_reason(&pair.events[CLIENT]).is_some());
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::NoCommonDraft)
    );
}

#[test]
fn an_idle_session_is_kept_open_by_the_server() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-22"]);
    client.run(Duration::from_secs(9));
    assert!(matches!(
        client.events[..],
        [ConnectionEvent::Connected { .. }]
    ));
    // The session's own time for SETUP is over; a browser that was sent one answers it.
    client.run(Duration::from_secs(3));
    assert!(client.lost.is_some());
}

fn transport() -> TransportConfig {
    TransportConfig::default()
}

fn control() -> Vec<u8> {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut out = Vec::new();
    settings.encode(&mut out);
    out
}

fn request(protocols: &[&str]) -> Vec<u8> {
    let url: url::Url = "https://localhost:4443/x".parse().unwrap();
    let protocols = protocols.iter().map(|name| (*name).to_owned());
    let request = ConnectRequest::new(url).with_protocols(protocols);
    let mut out = Vec::new();
    request.encode(&mut out).unwrap();
    out
}

/// A client that has sent its SETTINGS and asked for a session on its first stream.
fn asked(config: EndpointConfig, transport: TransportConfig, protocols: &[&str]) -> RawClient {
    let mut client = RawClient::connected(config, transport);
    client.open(Dir::Uni, &control(), false);
    client.open(Dir::Bi, &request(protocols), false);
    client.run(MOMENT);
    client
}

/// What the server wrote on the first stream.
fn answer(client: &mut RawClient) -> ConnectResponse {
    let request = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
    let (bytes, _) = client.read(request);
    ConnectResponse::decode(&mut &bytes[..]).unwrap()
}

fn agreed(client: &RawClient) -> Option<Draft> {
    drafts(&client.events).first().copied()
}

#[test]
fn a_client_that_names_no_draft_gets_the_default_one() {
    for default in Draft::ALL {
        let config = EndpointConfig {
            webtransport: Some(default),
            ..EndpointConfig::default()
        };
        let mut client = asked(config, transport(), &[]);
        assert_eq!(answer(&mut client).protocol, None);
        assert_eq!(agreed(&client), Some(default));
    }
    let mut client = asked(
        EndpointConfig::default(),
        transport(),
        &["moq-lite-04", "moqt-20", "moqt-18"],
    );
    assert_eq!(answer(&mut client).protocol.as_deref(), Some("moqt-18"));
    assert_eq!(agreed(&client), Some(Draft::D18));
}

#[test]
fn a_client_that_asks_for_nothing_is_closed_in_time_and_was_half_open_until_then() {
    for greeting in [&[][..], &control()] {
        let mut client = RawClient::connected(EndpointConfig::default(), transport());
        client.open(Dir::Uni, greeting, false);
        // It is no idle connection.
        for _ in 0..9 {
            client.quic.ping();
            client.run(Duration::from_secs(1));
            assert_eq!(client.server.half_open(), 1);
        }
        client.quic.ping();
        client.run(Duration::from_secs(1));
        let (code, reason) = client.closed_with().expect("closed");
        assert_eq!(code, 0x100);
        assert!(reason.contains("no WebTransport session"), "{reason}");
        assert_eq!(client.server.half_open(), 0);
        let [ConnectionEvent::Closed { reason }] = &client.events[..] else {
            panic!("{:?}", client.events);
        };
        assert!(matches!(reason, CloseReason::Http3 { .. }), "{reason}");
    }
}

#[test]
fn violations_close_the_connection_with_the_code_of_http3() {
    type Wrong = fn(&mut RawClient);
    let cases: [(&str, Wrong, u64); 5] = [
        (
            "a second control stream",
            |client| _ = client.open(Dir::Uni, &control(), false),
            0x103,
        ),
        (
            "the end of the encoder stream",
            |client| _ = client.open(Dir::Uni, &[2], true),
            0x104,
        ),
        (
            "DATA as the first frame",
            |client| _ = client.open(Dir::Bi, &[0, 1, 0], false),
            0x105,
        ),
        (
            "a session that is no request",
            |client| _ = client.open(Dir::Uni, &[0x40, 0x54, 2], false),
            0x108,
        ),
        (
            "a header that QPACK does not know",
            |client| _ = client.open(Dir::Bi, &[1, 3, 0, 0, 0x80], false),
            0x200,
        ),
    ];
    for (name, wrong, code) in cases {
        let mut client = RawClient::connected(EndpointConfig::default(), transport());
        client.open(Dir::Uni, &control(), false);
        wrong(&mut client);
        client.run(MOMENT);
        let (got, reason) = client.closed_with().expect(name);
        assert_eq!(got, code, "{name}: {reason}");
        client.run(LIMIT);
        assert_eq!(client.server.connections(), 0, "{name}");
    }
}

#[test]
fn a_malformed_datagram_is_a_violation() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-18"]);
    client
        .quic
        .datagrams()
        .send(vec![0x40].into(), true)
        .unwrap();
    client.run(MOMENT);
    assert_eq!(client.closed_with().expect("closed").0, 0x33);
}

#[test]
fn a_datagram_of_another_session_is_nobodys() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-18"]);
    for datagram in [vec![9, 0, 0], vec![1]] {
        client.quic.datagrams().send(datagram.into(), true).unwrap();
    }
    client.run(MOMENT);
    assert_eq!(client.lost, None);
    assert_eq!(client.events.len(), 1, "{:?}", client.events);
}

#[test]
fn a_second_request_is_refused_and_the_session_stays() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-18"]);
    let second = client.open(Dir::Bi, &request(&["moqt-18"]), false);
    client.run(MOMENT);
    let (bytes, ended) = client.read(second);
    let refusal = ConnectResponse::decode(&mut &bytes[..]).unwrap_err();
    assert!(refusal.to_string().contains("429"), "{refusal}");
    assert!(ended);
    assert_eq!(client.lost, None);
}

#[test]
fn the_streams_of_the_session_begin_with_its_header() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-18"]);
    assert!(
        client.quic.streams().accept(Dir::Uni).is_some(),
        "HTTP/3's control stream"
    );
    let stream = client
        .quic
        .streams()
        .accept(Dir::Uni)
        .expect("MoQ's control stream");
    let (bytes, _) = client.read(stream);
    assert_eq!(bytes[..3], [0x40, 0x54, 0]);
    // The stream type of SETUP, 0x2f00, as drafts 17 and later write integers.
    assert_eq!(bytes[3..5], [0xaf, 0x00]);
}

#[test]
fn headers_wait_for_flow_control_like_everything_else() {
    let mut narrow = TransportConfig::default();
    narrow
        .stream_receive_window(1u8.into())
        .receive_window(4u8.into());
    let mut client = asked(EndpointConfig::default(), narrow, &["moqt-22"]);
    let mut control = Vec::new();
    let mut setup = Vec::new();
    for _ in 0..2000 {
        for (index, into) in [(0, &mut control), (1, &mut setup)] {
            let id = quinn_proto::StreamId::new(quinn_proto::Side::Server, Dir::Uni, index);
            into.extend(client.read(id).0);
        }
        let request = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
        client.read(request);
        client.run(Duration::from_millis(10));
    }
    assert!(Settings::decode(&mut &control[..]).is_ok(), "{control:x?}");
    assert_eq!(setup[..3], [0x40, 0x54, 0]);
    assert_eq!(setup[3..5], [0xaf, 0x00]);
}

#[test]
fn a_browser_that_closes_gives_code_and_reason() {
    let capsule = Capsule::CloseWebTransportSession {
        code: 3,
        reason: "tab closed".to_owned(),
    };
    let mut payload = Vec::new();
    capsule.encode(&mut payload);
    let mut frame = Vec::new();
    Frame::DATA.encode(&mut frame);
    VarInt::from_u32(payload.len() as u32).encode(&mut frame);
    frame.extend_from_slice(&payload);

    let request = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-22"]);
    client.write(request, &frame, true);
    client.run(MOMENT);
    let closed = CloseReason::PeerClosed {
        code: SessionErrorCode::from_u64(3),
        reason: "tab closed".to_owned(),
    };
    assert_eq!(close_reason(&client.events), Some(&closed));
    assert!(client.read(request).1, "the server ends its side too");
    client.run(Duration::from_secs(2));
    assert_eq!(client.closed_with().expect("closed").0, 0x100);
    client.run(LIMIT);
    assert_eq!(client.server.connections(), 0);
}

#[test]
fn a_browser_that_goes_away_is_gone() {
    for (code, expected) in [(0x100u32, Some(0)), (0x101, None)] {
        let mut client = asked(EndpointConfig::default(), transport(), &["moqt-22"]);
        let now = client.now;
        client.quic.close(now, code.into(), bytes::Bytes::new());
        client.run(MOMENT);
        match (close_reason(&client.events), expected) {
            (Some(CloseReason::PeerClosed { code, .. }), Some(expected)) => {
                assert_eq!(code.to_u64(), expected);
            }
            (Some(CloseReason::Http3 { code, .. }), None) => assert_eq!(*code, 0x101),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_server_that_closes_gives_code_and_reason_and_then_ends_the_connection() {
    let mut client = asked(EndpointConfig::default(), transport(), &["moqt-22"]);
    let (key, now) = (client.key.unwrap(), client.now);
    let request = quinn_proto::StreamId::new(quinn_proto::Side::Client, Dir::Bi, 0);
    client.read(request);
    client
        .server
        .close(now, key, SessionErrorCode::Unauthorized, "no ticket");
    // The bytes are there before the connection is gone.
    client.run(Duration::from_millis(10));
    let (bytes, ended) = client.read(request);
    let mut bytes = &bytes[..];
    let (kind, mut payload) = Frame::read(&mut bytes).unwrap();
    assert_eq!(kind, Frame::DATA);
    let capsule = Capsule::CloseWebTransportSession {
        code: SessionErrorCode::Unauthorized.to_u64() as u32,
        reason: "no ticket".to_owned(),
    };
    assert_eq!(Capsule::decode(&mut payload).unwrap(), capsule);
    assert!(ended);
    client.run(LIMIT);
    assert_eq!(client.closed_with().expect("closed").0, 0x100);
    assert_eq!(client.server.connections(), 0);
}

#[test]
fn partial_headers_cost_no_more_than_the_streams_that_are_allowed() {
    let limits = Limits {
        max_uni_streams: 32,
        ..Limits::default()
    };
    let config = EndpointConfig {
        limits,
        ..EndpointConfig::default()
    };
    let mut client = asked(config, transport(), &["moqt-22"]);
    let mut opened = 0;
    while let Some(id) = client.quic.streams().open(Dir::Uni) {
        client.write(id, &[0x40], false);
        opened += 1;
        client.run(Duration::from_millis(10));
        assert!(opened <= 32);
    }
    client.run(MOMENT);
    assert_eq!(client.lost, None);
    assert_eq!(opened, 31);
}
