use super::*;

/// What a peer does wrong, on a connection with or without a session.
struct Case {
    name: &'static str,
    session: bool,
    wrong: fn(&mut Http3),
    code: Code,
}

const fn case(name: &'static str, code: Code, wrong: fn(&mut Http3)) -> Case {
    Case {
        name,
        session: false,
        wrong,
        code,
    }
}

const fn in_session(name: &'static str, code: Code, wrong: fn(&mut Http3)) -> Case {
    Case {
        name,
        session: true,
        wrong,
        code,
    }
}

/// Adds to the control stream.
fn more(side: &mut Http3, bytes: &[u8]) {
    bring(side, uni(0), bytes, usize::MAX);
}

fn on_request(side: &mut Http3, bytes: &[u8]) {
    bring(side, REQUEST, bytes, usize::MAX);
}

const CASES: &[Case] = &[
    case(
        "a second control stream",
        Code::STREAM_CREATION_ERROR,
        |s| {
            open(s, uni(1), &[0]);
        },
    ),
    case(
        "a second encoder stream",
        Code::STREAM_CREATION_ERROR,
        |s| {
            open(s, uni(1), &[2]);
            open(s, uni(2), &[2]);
        },
    ),
    case(
        "a second decoder stream",
        Code::STREAM_CREATION_ERROR,
        |s| {
            open(s, uni(1), &[3]);
            open(s, uni(2), &[3]);
        },
    ),
    case("a push", Code::STREAM_CREATION_ERROR, |s| {
        open(s, uni(1), &[1]);
    }),
    case(
        "the control stream ends",
        Code::CLOSED_CRITICAL_STREAM,
        |s| {
            s.ended(uni(0), None);
        },
    ),
    case(
        "the control stream is reset",
        Code::CLOSED_CRITICAL_STREAM,
        |s| {
            s.ended(uni(0), Some(0));
        },
    ),
    case(
        "our control stream is stopped",
        Code::CLOSED_CRITICAL_STREAM,
        |s| {
            s.stopped(StreamId::new(Role::Server, true, 0));
        },
    ),
    case(
        "the encoder stream ends",
        Code::CLOSED_CRITICAL_STREAM,
        |s| {
            open(s, uni(1), &[2]);
            s.ended(uni(1), None);
        },
    ),
    case("SETTINGS twice", Code::FRAME_UNEXPECTED, |s| {
        more(s, &frame(4, &[]));
    }),
    case("DATA on the control stream", Code::FRAME_UNEXPECTED, |s| {
        more(s, &frame(0, &[1]));
    }),
    case(
        "HEADERS on the control stream",
        Code::FRAME_UNEXPECTED,
        |s| {
            more(s, &frame(1, &[0, 0]));
        },
    ),
    case("a frame of HTTP/2", Code::FRAME_UNEXPECTED, |s| {
        more(s, &frame(6, &[]));
    }),
    case("an empty GOAWAY", Code::FRAME_ERROR, |s| {
        more(s, &frame(7, &[]));
    }),
    case("a GOAWAY that is too long", Code::FRAME_ERROR, |s| {
        more(s, &frame(7, &[0, 0]));
    }),
    case("a GOAWAY of a megabyte", Code::EXCESSIVE_LOAD, |s| {
        more(s, &[7, 0x80, 0x10, 0, 0]);
    }),
    case("a session that is no request", Code::ID_ERROR, |s| {
        open(s, uni(1), &[0x40, 0x54, 3]);
    }),
    case("DATA before HEADERS", Code::FRAME_UNEXPECTED, |s| {
        open(s, REQUEST, &frame(0, &[]));
    }),
    case("SETTINGS on a request", Code::FRAME_UNEXPECTED, |s| {
        open(s, REQUEST, &frame(4, &[]));
    }),
    case(
        "a reference to the dynamic table",
        Code::QPACK_DECOMPRESSION_FAILED,
        |s| {
            open(s, REQUEST, &frame(1, &[0, 0, 0x80]));
        },
    ),
    case(
        "a field section that ends early",
        Code::QPACK_DECOMPRESSION_FAILED,
        |s| {
            open(s, REQUEST, &frame(1, &[0, 0, 0x51, 9, b'/']));
        },
    ),
    in_session("HEADERS twice", Code::FRAME_UNEXPECTED, |s| {
        on_request(s, &request(&[]));
    }),
    in_session(
        "a closing capsule without a code",
        Code::MESSAGE_ERROR,
        |s| {
            on_request(s, &frame(0, &[0x68, 0x43, 3, 0, 0, 0]));
        },
    ),
    in_session(
        "a closing reason that is no text",
        Code::MESSAGE_ERROR,
        |s| {
            on_request(s, &frame(0, &[0x68, 0x43, 5, 0, 0, 0, 0, 0xff]));
        },
    ),
    in_session("a closing reason of 1025 bytes", Code::MESSAGE_ERROR, |s| {
        on_request(s, &frame(0, &close_capsule(0, &"x".repeat(1025))));
    }),
    in_session("a capsule of a megabyte", Code::MESSAGE_ERROR, |s| {
        on_request(s, &frame(0, &[0x29, 0x80, 0x10, 0, 0]));
    }),
    in_session("a capsule that is cut off", Code::MESSAGE_ERROR, |s| {
        on_request(s, &frame(0, &[0x68, 0x43, 9, 0]));
        s.ended(REQUEST, None);
    }),
    in_session("a DATA frame that is cut off", Code::MESSAGE_ERROR, |s| {
        on_request(s, &frame(0, &[0x17, 0])[..3]);
        s.ended(REQUEST, None);
    }),
];

#[test]
fn what_a_client_does_wrong_ends_the_connection_with_its_code() {
    for case in CASES {
        let mut server = if case.session {
            with_session()
        } else {
            settled()
        };
        (case.wrong)(&mut server);
        let outputs = outputs(&mut server);
        let Some(Output::Fail { code, reason }) = outputs.last() else {
            panic!("{}: {outputs:?}", case.name);
        };
        assert_eq!(*code, case.code, "{}: {reason}", case.name);
        assert!(!reason.is_empty());
        // Nothing comes of anything after it.
        open(&mut server, uni(9), &[0x40, 0x54, 0]);
        server.close(0, "");
        assert!(
            super::outputs(&mut server)
                .iter()
                .all(|output| matches!(output, Output::Stop { .. })),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_control_stream_begins_with_sound_settings() {
    let cases: [(&[u8], Code); 6] = [
        (&frame(0x21, &[]), Code::MISSING_SETTINGS),
        (&frame(7, &[0]), Code::MISSING_SETTINGS),
        (&frame(0, &[]), Code::MISSING_SETTINGS),
        (&frame(4, &[0x33]), Code::SETTINGS_ERROR),
        (&frame(4, &[2, 0]), Code::SETTINGS_ERROR),
        (&frame(4, &vec![0; 17 << 10])[..8], Code::EXCESSIVE_LOAD),
    ];
    for (bytes, expected) in cases {
        for step in [1, usize::MAX] {
            let mut server = server();
            server.opened(uni(0));
            bring(&mut server, uni(0), &[&[0], bytes].concat(), step);
            let outputs = outputs(&mut server);
            let [Output::Fail { code, .. }] = &outputs[..] else {
                panic!("{bytes:x?}: {outputs:?}");
            };
            assert_eq!(*code, expected, "{bytes:x?}");
        }
    }
}

#[test]
fn requests_that_end_early_are_reset_and_forgotten() {
    let whole = request(&[]);
    for cut in 0..whole.len() {
        let mut server = settled();
        open(&mut server, REQUEST, &whole[..cut]);
        server.ended(REQUEST, None);
        let code = Code::REQUEST_INCOMPLETE;
        assert_eq!(
            outputs(&mut server),
            [Output::Reset { id: REQUEST, code }],
            "{cut}"
        );
        open(&mut server, bidi(1), &whole);
        assert!(matches!(outputs(&mut server)[..], [_, Output::Open { .. }]));
    }
}

#[test]
fn what_a_server_does_wrong_ends_the_connection() {
    let asked = || {
        let mut client = Http3::client(options(), target());
        let control = StreamId::new(Role::Server, true, 0);
        client.opened(control);
        bring(&mut client, control, &control_stream(), usize::MAX);
        outputs(&mut client);
        client
    };
    let mut unasked = ConnectResponse::OK.with_protocol("moqt-20");
    let mut bytes = Vec::new();
    unasked.encode(&mut bytes).unwrap();
    unasked.protocol = None;
    for (wrong, code) in [
        (bytes, Code::MESSAGE_ERROR),
        (frame(1, &[0, 0, 0x80]), Code::QPACK_DECOMPRESSION_FAILED),
        (frame(0, &[1]), Code::FRAME_UNEXPECTED),
    ] {
        let mut client = asked();
        bring(&mut client, REQUEST, &wrong, usize::MAX);
        let outputs = outputs(&mut client);
        assert!(
            matches!(&outputs[..], [Output::Fail { code: got, .. }] if *got == code),
            "{outputs:?}"
        );
    }
    let mut client = asked();
    client.ended(REQUEST, None);
    assert!(matches!(outputs(&mut client)[..], [Output::Fail { .. }]));
    let mut client = asked();
    open(&mut client, StreamId::new(Role::Server, false, 0), &[1]);
    assert!(matches!(outputs(&mut client)[..], [Output::Fail { .. }]));
}

fn control_stream() -> Vec<u8> {
    control()
}

/// Random bytes on random streams: nothing panics, and what is kept is bounded by what is wanted.
#[test]
fn random_streams_do_no_harm() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let mut server = if random() % 2 == 0 {
            with_session()
        } else {
            settled()
        };
        for _ in 0..4 {
            let id = StreamId((random() % 24) & !1);
            if server.wants(id).is_none() {
                server.opened(id);
            }
            let mut bytes = match random() % 5 {
                0 => request(&["moqt-22"]),
                1 => frame(0, &close_capsule(random() as u32, "x")),
                2 => vec![0x40, 0x54, random() as u8],
                3 => vec![0x40, 0x41, random() as u8],
                _ => (0..random() % 40).map(|_| random() as u8 & 0x4f).collect(),
            };
            if random() % 2 == 0 && !bytes.is_empty() {
                let at = random() as usize % bytes.len();
                bytes[at] ^= 1 << (random() % 8);
            }
            bring(&mut server, id, &bytes, 1 + random() as usize % 9);
            if random() % 4 == 0 {
                server.ended(id, (random() % 2 == 0).then(|| random() >> 2));
            }
        }
        let outputs = outputs(&mut server);
        assert!(outputs.len() < 40, "{outputs:?}");
    }
}
