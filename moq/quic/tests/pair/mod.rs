//! Two endpoints in memory, with virtual time and a network that delays and loses packets.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use parvis_quic::{
    AdmissionPolicy, ClientOptions, ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig,
    Limits, RequestTarget,
    tls::{ClientTls, Fingerprint, ServerTls},
};
use parvis_session::{Config, Session};
use parvis_simnet::{Link, LinkOptions};
use parvis_wire::Draft;

pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;

pub struct Options {
    /// Both directions.
    pub link: LinkOptions,
    pub seed: u64,
    pub server_drafts: Vec<Draft>,
    pub client_drafts: Vec<Draft>,
    pub server_limits: Limits,
    pub client_limits: Limits,
    pub admission: AdmissionPolicy,
    /// `None`: the server's own certificate is pinned.
    pub client_tls: Option<ClientTls>,
    pub server_tls: Option<(ServerTls, Fingerprint)>,
    pub server_name: String,
    /// What the client asks for over WebTransport; `None`: raw QUIC.
    pub webtransport: Option<RequestTarget>,
    pub server_webtransport: Option<Draft>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            link: LinkOptions {
                delay: Duration::from_millis(20),
                ..LinkOptions::default()
            },
            seed: 1,
            server_drafts: Draft::ALL.to_vec(),
            client_drafts: Draft::ALL.to_vec(),
            server_limits: Limits::default(),
            client_limits: Limits::default(),
            admission: AdmissionPolicy::default(),
            client_tls: None,
            server_tls: None,
            server_name: "localhost".to_owned(),
            webtransport: None,
            server_webtransport: Some(Draft::D18),
        }
    }
}

pub struct Pair {
    pub now: Instant,
    pub start: Instant,
    pub endpoints: [Endpoint; 2],
    pub keys: [Option<ConnectionKey>; 2],
    pub events: [Vec<ConnectionEvent>; 2],
    /// Whether a side drains its events.
    pub polls: [bool; 2],
    /// Whether packets to a side arrive at all.
    pub reachable: [bool; 2],
    /// The link to each side.
    pub links: [Link<BytesMut>; 2],
    /// Bytes of the longest train of datagrams that a side sent.
    pub longest_train: usize,
}

impl Pair {
    pub fn new(options: Options) -> Self {
        let start = Instant::now();
        let (tls, fingerprint) = options
            .server_tls
            .unwrap_or_else(|| ServerTls::self_signed(&["localhost"]).unwrap());
        let server = Endpoint::new(EndpointConfig {
            server: Some(tls),
            drafts: options.server_drafts,
            webtransport: options.server_webtransport,
            limits: options.server_limits,
            admission: options.admission,
            seed: Some([options.seed as u8; 32]),
            ..EndpointConfig::default()
        });
        let mut client = Endpoint::new(EndpointConfig {
            limits: options.client_limits,
            seed: Some([options.seed as u8 ^ 0x55; 32]),
            ..EndpointConfig::default()
        });
        let key = client
            .connect(
                start,
                ClientOptions {
                    addr: address(SERVER),
                    server_name: options.server_name,
                    tls: options
                        .client_tls
                        .unwrap_or_else(|| ClientTls::pinned([fingerprint])),
                    drafts: options.client_drafts,
                    webtransport: options.webtransport,
                    session: Config::default(),
                },
            )
            .unwrap();
        Self {
            now: start,
            start,
            endpoints: [client, server],
            keys: [Some(key), None],
            events: [Vec::new(), Vec::new()],
            polls: [true; 2],
            reachable: [true; 2],
            links: [0, 1].map(|to| Link::new(options.link, options.seed * 2 + to, start)),
            longest_train: 0,
        }
    }

    /// A pair whose handshake is over.
    pub fn connected(options: Options) -> Self {
        let mut pair = Self::new(options);
        pair.run(Duration::from_secs(5), |pair| {
            (0..2).all(|side| {
                pair.events[side]
                    .iter()
                    .any(|e| matches!(e, ConnectionEvent::Connected { .. }))
            })
        });
        pair
    }

    pub fn session(&mut self, side: usize) -> &mut Session {
        let key = self.keys[side].expect("connected");
        self.endpoints[side].session(key).expect("open")
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Runs until `done`, panics after `limit` of virtual time.
    pub fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + limit;
        while !done(self) {
            let goes_on = self.step(end);
            assert!(
                goes_on || done(self),
                "not done after {limit:?}: {:?}",
                self.events
            );
        }
    }

    /// Runs for that long, or until nothing is left to do.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// One jump of time and one turn of both sides; `false`: nothing is left before `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.turns();
        let mut next = self.links.iter().filter_map(Link::poll_timeout).min();
        for side in 0..2 {
            let timeout = if self.polls[side] {
                self.endpoints[side].poll_timeout()
            } else {
                self.endpoints[side].poll_timeout_without_events()
            };
            next = next.into_iter().chain(timeout).min();
        }
        let Some(next) = next.filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        for to in 0..2 {
            while let Some(data) = self.links[to].poll(self.now) {
                self.endpoints[to].handle_datagram(self.now, address(1 - to), None, None, data);
            }
            self.endpoints[to].handle_timeout(self.now);
        }
        self.turns();
        true
    }

    fn turns(&mut self) {
        for side in 0..2 {
            if self.polls[side] {
                while let Some((key, event)) = self.endpoints[side].poll() {
                    self.keys[side].get_or_insert(key);
                    self.events[side].push(event);
                }
            }
            self.send(side);
        }
    }

    fn send(&mut self, side: usize) {
        let mut buf = Vec::new();
        while let Some(transmit) = self.endpoints[side].poll_transmit(self.now, &mut buf, 64) {
            assert_eq!(transmit.destination, address(1 - side));
            self.longest_train = self.longest_train.max(transmit.size);
            let segment = transmit.segment_size.unwrap_or(transmit.size);
            for datagram in buf[..transmit.size].chunks(segment) {
                if self.reachable[1 - side] {
                    self.links[1 - side].handle(BytesMut::from(datagram), self.now);
                }
            }
        }
    }
}

/// Raw QUIC, and what to ask for over WebTransport.
pub fn carriers() -> [Option<RequestTarget>; 2] {
    let target = RequestTarget {
        authority: "localhost:4443".to_owned(),
        path: "/room?x=1".to_owned(),
    };
    [None, Some(target)]
}

pub fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, side as u8 + 1], 4443))
}

pub fn drafts(events: &[ConnectionEvent]) -> Vec<Draft> {
    let draft = |event: &ConnectionEvent| match event {
        ConnectionEvent::Connected { draft, .. } => Some(*draft),
        _ => None,
    };
    events.iter().filter_map(draft).collect()
}

/// Why the connection ended, which must be its last event.
pub fn close_reason(events: &[ConnectionEvent]) -> Option<&parvis_quic::CloseReason> {
    match events.last()? {
        ConnectionEvent::Closed { reason } => Some(reason),
        _ => None,
    }
}

/// The session events that a side had, in order.
pub fn session_events(events: &[ConnectionEvent]) -> impl Iterator<Item = &parvis_session::Event> {
    events.iter().filter_map(|event| match event {
        ConnectionEvent::Session(event) => Some(event),
        _ => None,
    })
}
