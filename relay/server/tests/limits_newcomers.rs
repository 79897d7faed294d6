//! Floods of newcomers: a call goes on, and whoever is honest still gets in.

mod support;

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use parvis_quic::{ClientOptions, Endpoint, EndpointConfig, tls::ClientTls};
use parvis_relay::{Config, HandshakeFailure, Limit, Relay, Running};
use parvis_wire::Draft;

use support::{Client, call::Call, config, http::metrics, until};

/// One that begins handshakes and never answers.
struct Flood {
    socket: UdpSocket,
    relay: SocketAddr,
    endpoint: Endpoint,
}

impl Flood {
    fn new(relay: &Running) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self {
            socket,
            relay: relay.local_addr(),
            endpoint: Endpoint::new(EndpointConfig::default()),
        }
    }

    /// Begins some handshakes; returns how many of them were answered by a Retry.
    fn begin(&mut self, count: usize) -> usize {
        let now = Instant::now();
        for _ in 0..count {
            let options = ClientOptions {
                addr: self.relay,
                server_name: "localhost".to_owned(),
                tls: ClientTls::pinned([]),
                drafts: Draft::ALL.to_vec(),
                webtransport: None,
                session: parvis_session::Config::default(),
            };
            self.endpoint.connect(now, options).unwrap();
        }
        let mut packet = Vec::new();
        while self.endpoint.poll_transmit(now, &mut packet, 1).is_some() {
            self.socket.send_to(&packet, self.relay).unwrap();
        }
        let mut answered = std::collections::HashSet::new();
        let mut retries = 0;
        let mut buffer = [0; 2048];
        while answered.len() < count {
            let (length, _) = self.socket.recv_from(&mut buffer).unwrap();
            let packet = &buffer[..length];
            // RFC 9000, "Long Header Packets": a destination id of ours, the packet's type.
            let id = packet[6..6 + usize::from(packet[5])].to_vec();
            if answered.insert(id) && packet[0] & 0xf0 == 0xf0 {
                retries += 1;
            }
        }
        retries
    }
}

#[tokio::test]
async fn half_open_handshakes() {
    let relay = Relay::start(Config {
        max_half_open: 10,
        max_attempts: 10_000,
        ..config(1)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut flood = Flood::new(&relay);
    let retries = flood.begin(25);
    call.goes_on().await;
    assert_eq!(retries, 15);
    let stats = relay.stats();
    assert_eq!((stats.half_open, stats.limit(Limit::HalfOpen)), (10, 15));

    // Whoever is where it says gets in all the same, by a Retry.
    Client::connect(&relay, Draft::D22).await.close().await;
    assert_eq!(relay.stats().limit(Limit::HalfOpen), 16);
    call.goes_on().await;
}

#[tokio::test]
async fn attempts_from_one_network() {
    let relay = Relay::start(Config {
        max_half_open: 10_000,
        max_attempts: 20,
        ..config(1)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let mut flood = Flood::new(&relay);
    // A new second may begin in the middle.
    let retries = flood.begin(60);
    call.goes_on().await;
    assert!((20..=42).contains(&retries), "{retries}");
    assert_eq!(relay.stats().limit(Limit::Attempts), retries as u64);
    Client::connect(&relay, Draft::D22).await.close().await;
    call.goes_on().await;
}

#[tokio::test]
async fn sessions() {
    let relay = Relay::start(Config {
        max_sessions: 3,
        ..config(2)
    })
    .unwrap();
    let mut call = Call::start(&relay).await;
    let third = Client::connect(&relay, Draft::D22).await;
    let error = Client::try_connect(&relay, Draft::D22).await.unwrap_err();
    assert!(error.contains("refused"), "{error}");
    call.goes_on().await;
    assert_eq!(relay.stats().limit(Limit::Sessions), 1);

    third.close().await;
    until("two sessions", || relay.stats().sessions == 2).await;
    Client::connect(&relay, Draft::D22).await.close().await;
    call.goes_on().await;
}

#[tokio::test]
async fn handshakes_that_stay_open_end_by_themselves() {
    let relay = Relay::start(Config {
        idle_timeout: Duration::from_secs(1),
        http: Some("127.0.0.1:0".parse().unwrap()),
        ..config(1)
    })
    .unwrap();
    Flood::new(&relay).begin(5);
    let given_up = || relay.stats().handshakes_failed(HandshakeFailure::TimedOut) == 5;
    until("the end of handshakes", given_up).await;
    let now = metrics(relay.http_addr().unwrap()).await;
    assert!(now["half_open"] < 1.0, "{now:?}");
}
