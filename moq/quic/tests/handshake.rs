//! Who may connect, on which draft, and what the others are told.

mod pair;

use std::{net::SocketAddr, time::Duration};

use pair::{CLIENT, Options, Pair, SERVER, close_reason, drafts};
use parvis_quic::{
    Admission, AdmissionPolicy, ClientOptions, CloseReason, ConnectionEvent, Endpoint,
    EndpointConfig, OpenError,
    tls::{ClientTls, Fingerprint, ServerTls},
};
use parvis_session::Config;
use parvis_wire::Draft;

const LIMIT: Duration = Duration::from_secs(5);

fn run_to_failure(options: Options) -> [CloseReason; 2] {
    let mut pair = Pair::new(options);
    pair.run(LIMIT, |pair| {
        (0..2).all(|side| close_reason(&pair.events[side]).is_some())
    });
    [CLIENT, SERVER].map(|side| {
        assert_eq!(pair.events[side].len(), 1, "{:?}", pair.events[side]);
        close_reason(&pair.events[side]).unwrap().clone()
    })
}

#[test]
fn both_sides_prefer_the_newest_draft() {
    let pair = Pair::connected(Options::default());
    assert_eq!(drafts(&pair.events[CLIENT]), [Draft::D22]);
    assert_eq!(drafts(&pair.events[SERVER]), [Draft::D22]);
    // One round trip for the client; the server hears of the end half a round trip later.
    assert!(
        pair.elapsed() <= Duration::from_millis(70),
        "{:?}",
        pair.elapsed()
    );
}

#[test]
fn a_client_of_draft_18_gets_draft_18_and_its_name_is_told() {
    let pair = Pair::connected(Options {
        client_drafts: vec![Draft::D18],
        ..Options::default()
    });
    assert_eq!(drafts(&pair.events[CLIENT]), [Draft::D18]);
    let ConnectionEvent::Connected {
        draft,
        remote,
        server_name,
    } = &pair.events[SERVER][0]
    else {
        panic!("{:?}", pair.events[SERVER]);
    };
    assert_eq!(*draft, Draft::D18);
    assert_eq!(*remote, pair::address(CLIENT));
    assert_eq!(server_name.as_deref(), Some("localhost"));
}

#[test]
fn no_common_draft_is_told_apart_and_costs_the_server_nothing() {
    let mut pair = Pair::new(Options {
        client_drafts: vec![Draft::D18],
        server_drafts: vec![Draft::D22],
        ..Options::default()
    });
    pair.run(LIMIT, |pair| close_reason(&pair.events[CLIENT]).is_some());
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::NoCommonDraft)
    );
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
}

#[test]
fn a_certificate_with_another_fingerprint_is_rejected() {
    let other = ClientTls::pinned([Fingerprint([7; 32])]);
    let reasons = run_to_failure(Options {
        client_tls: Some(other),
        ..Options::default()
    });
    for reason in reasons {
        assert!(
            matches!(reason, CloseReason::CertificateRejected(_)),
            "{reason:?}"
        );
    }
}

#[test]
fn a_self_signed_certificate_is_rejected_by_the_public_roots() {
    let public = ClientTls::public_roots();
    let reasons = run_to_failure(Options {
        client_tls: Some(public),
        ..Options::default()
    });
    for reason in reasons {
        assert!(
            matches!(reason, CloseReason::CertificateRejected(_)),
            "{reason:?}"
        );
    }
}

#[test]
fn an_insecure_client_takes_any_certificate() {
    let insecure = ClientTls::insecure();
    let pair = Pair::connected(Options {
        client_tls: Some(insecure),
        server_name: "another.example".to_owned(),
        ..Options::default()
    });
    assert_eq!(drafts(&pair.events[CLIENT]), [Draft::D22]);
}

#[test]
fn a_certificate_of_an_own_authority_is_trusted_for_its_name_only() {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["relay.example".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let options = |name: &str| {
        let chain = pem("CERTIFICATE", leaf.der());
        let server = ServerTls::from_pem(
            chain.as_bytes(),
            pem("PRIVATE KEY", &key.serialize_der()).as_bytes(),
        )
        .unwrap();
        let roots = pem("CERTIFICATE", ca_certificate.der());
        Options {
            server_tls: Some((server.clone(), server.fingerprint())),
            client_tls: Some(ClientTls::with_roots_pem(roots.as_bytes()).unwrap()),
            server_name: name.to_owned(),
            ..Options::default()
        }
    };

    let pair = Pair::connected(options("relay.example"));
    assert_eq!(drafts(&pair.events[CLIENT]), [Draft::D22]);
    let reasons = run_to_failure(options("other.example"));
    assert!(
        matches!(reasons[CLIENT], CloseReason::CertificateRejected(_)),
        "{reasons:?}"
    );
}

#[test]
fn retry_costs_a_round_trip_and_lets_an_honest_client_in() {
    let admission = AdmissionPolicy::Custom(Box::new(|attempt| {
        if attempt.validated {
            Admission::Accept
        } else {
            Admission::Retry
        }
    }));
    let pair = Pair::connected(Options {
        admission,
        ..Options::default()
    });
    assert_eq!(drafts(&pair.events[SERVER]), [Draft::D22]);
    assert!(
        pair.elapsed() >= Duration::from_millis(100),
        "{:?}",
        pair.elapsed()
    );
}

#[test]
fn a_refused_client_is_told_and_leaves_nothing_behind() {
    let admission = AdmissionPolicy::Limits {
        half_open: 1,
        half_open_of_network: 1,
        from_network: 1,
        connections: 0,
    };
    let mut pair = Pair::new(Options {
        admission,
        ..Options::default()
    });
    pair.run(LIMIT, |pair| close_reason(&pair.events[CLIENT]).is_some());
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::Refused)
    );
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
}

#[test]
fn an_unfinished_handshake_counts_as_half_open_until_it_times_out() {
    let mut pair = Pair::new(Options::default());
    pair.reachable[CLIENT] = false;
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.endpoints[SERVER].half_open(), 1);
    pair.run_for(Duration::from_secs(45));
    assert_eq!(pair.endpoints[SERVER].half_open(), 0);
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
    assert_eq!(
        close_reason(&pair.events[SERVER]),
        Some(&CloseReason::TimedOut)
    );
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::TimedOut)
    );
}

/// half_open: handshakes before a proof of address is asked for.
fn server(half_open: usize) -> Endpoint {
    let (tls, _) = ServerTls::self_signed(&["localhost"]).unwrap();
    Endpoint::new(EndpointConfig {
        server: Some(tls),
        admission: AdmissionPolicy::Limits {
            half_open,
            half_open_of_network: 3,
            from_network: 1000,
            connections: 100,
        },
        ..EndpointConfig::default()
    })
}

#[test]
fn a_flood_of_half_open_handshakes_is_answered_with_retry() {
    let mut server = server(3);
    let now = std::time::Instant::now();
    let mut buf = Vec::new();
    for port in 1..=10 {
        let mut client = Endpoint::new(EndpointConfig::default());
        client.connect(now, options("localhost")).unwrap();
        let transmit = client.poll_transmit(now, &mut buf, 1).unwrap();
        let from = ([10, 0, 0, 9], port).into();
        server.handle_datagram(now, from, None, None, buf[..transmit.size].into());
    }
    while server.poll_transmit(now, &mut buf, 1).is_some() {}
    assert_eq!(server.half_open(), 3);
    // The flood is over: the handshakes time out and everybody is welcome again.
    server.handle_timeout(now + Duration::from_mins(1));
    while server.poll().is_some() {}
    while server
        .poll_transmit(now + Duration::from_mins(1), &mut buf, 1)
        .is_some()
    {}
    assert_eq!(server.half_open(), 0);
}

#[test]
fn a_network_of_proved_addresses_has_so_many_handshakes_open_and_each_is_over_in_time() {
    let mut server = server(0);
    let now = std::time::Instant::now();
    let (mut asked, mut answer) = (Vec::new(), Vec::new());
    let mut begin = |server: &mut Endpoint, from: SocketAddr| {
        let mut client = Endpoint::new(EndpointConfig::default());
        client.connect(now, options("localhost")).unwrap();
        let to = options("localhost").addr;
        // Initial, Retry, Initial with its token; then it is silent.
        for _ in 0..2 {
            let asking = client.poll_transmit(now, &mut asked, 1).unwrap();
            server.handle_datagram(now, from, None, None, asked[..asking.size].into());
            while let Some(reply) = server.poll_transmit(now, &mut answer, 1) {
                client.handle_datagram(now, to, None, None, answer[..reply.size].into());
            }
        }
        server.half_open()
    };
    let held: Vec<usize> = (1..=5)
        .map(|port| begin(&mut server, ([10, 0, 0, 9], port).into()))
        .collect();
    assert_eq!(held, [1, 2, 3, 3, 3]);
    // Others are not shut out.
    assert_eq!(begin(&mut server, ([10, 0, 1, 9], 1).into()), 4);
    for (seconds, held) in [(9, 4), (11, 0)] {
        let late = now + Duration::from_secs(seconds);
        server.handle_timeout(late);
        while server.poll().is_some() {}
        while server.poll_transmit(late, &mut answer, 1).is_some() {}
        assert_eq!(server.half_open(), held);
    }
}

#[test]
fn an_attempt_that_makes_no_sense_is_refused_at_once() {
    let mut endpoint = Endpoint::new(EndpointConfig::default());
    let now = std::time::Instant::now();
    let none = ClientOptions {
        drafts: Vec::new(),
        ..options("localhost")
    };
    assert_eq!(endpoint.connect(now, none), Err(OpenError::NoDraft));
    let name = "no server name";
    assert_eq!(
        endpoint.connect(now, options(name)),
        Err(OpenError::InvalidServerName(name.to_owned()))
    );
}

fn options(server_name: &str) -> ClientOptions {
    ClientOptions {
        addr: pair::address(SERVER),
        server_name: server_name.to_owned(),
        tls: ClientTls::insecure(),
        drafts: Draft::ALL.to_vec(),
        webtransport: None,
        session: Config::default(),
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let bytes = [
                group[0],
                *group.get(1).unwrap_or(&0),
                *group.get(2).unwrap_or(&0),
            ];
            let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
            for digit in 0..4 {
                let used = digit <= group.len();
                let value = (bits >> (18 - 6 * digit)) as usize & 63;
                text.push(if used { DIGITS[value] as char } else { '=' });
            }
        }
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

#[test]
fn attempts_are_counted_by_network() {
    let counts = |froms: &[&str]| {
        let (tls, _) = ServerTls::self_signed(&["localhost"]).unwrap();
        let (told, counts) = std::sync::mpsc::channel();
        let mut server = Endpoint::new(EndpointConfig {
            server: Some(tls),
            admission: AdmissionPolicy::Custom(Box::new(move |attempt| {
                told.send(attempt.from_network).unwrap();
                Admission::Ignore
            })),
            ..EndpointConfig::default()
        });
        let now = std::time::Instant::now();
        let mut buf = Vec::new();
        for from in froms {
            let mut client = Endpoint::new(EndpointConfig::default());
            client.connect(now, options("localhost")).unwrap();
            let transmit = client.poll_transmit(now, &mut buf, 1).unwrap();
            let from = from.parse().unwrap();
            server.handle_datagram(now, from, None, None, buf[..transmit.size].into());
        }
        counts.try_iter().collect::<Vec<_>>()
    };
    let froms = [
        "10.0.0.9:1",
        "10.0.0.200:2",
        "[::ffff:10.0.0.3]:3",
        "10.0.1.9:1",
        "[2001:db8::1]:1",
        "[2001:db8::ffff:1]:2",
        "[2001:db8:0:1::1]:1",
    ];
    // Two networks share a counter once in some thousand times: the least of a few is the truth.
    let runs = [counts(&froms), counts(&froms), counts(&froms)];
    let least = (0..froms.len()).map(|at| runs.iter().map(|run| run[at]).min().unwrap());
    assert_eq!(least.collect::<Vec<_>>(), [1, 2, 3, 1, 1, 2, 1]);
}
