use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;
use bytes::BytesMut;
use parvis_quic::{
    ClientOptions, ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig, PathStats,
    tls::{ClientTls, Fingerprint, ServerTls},
};
use parvis_relay::{Config, SimulatedRelay};
use parvis_session::Session;
use parvis_simnet::{Link, LinkOptions, LinkStats};
use parvis_wire::Draft;

use crate::{publisher::Publisher, subscriber::Subscriber};

/// A client's way to the relay and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// The publisher's.
    Publisher,
    /// The subscriber's.
    Subscriber,
}

/// A publisher, a relay and a subscriber.
pub struct Call {
    now: Instant,
    /// When the first frame was made.
    start: Instant,
    relay: SimulatedRelay,
    pub(crate) publisher: Publisher,
    pub(crate) subscriber: Subscriber,
    clients: [Client; 2],
}

struct Client {
    endpoint: Endpoint,
    /// Its connection, once it has one.
    key: Option<ConnectionKey>,
    addr: SocketAddr,
    to_relay: Link<BytesMut>,
    from_relay: Link<BytesMut>,
    buffer: Vec<u8>,
    /// Bytes that the relay sent it.
    bytes: u64,
}

impl Call {
    /// A call whose subscriptions stand. An error says that they never did.
    ///
    /// hops: what the publisher's and the subscriber's do to packets, both ways.
    pub fn connected(seed: u64, hops: [LinkOptions; 2]) -> anyhow::Result<Self> {
        let now = Instant::now();
        let (tls, fingerprint) = ServerTls::self_signed(&["localhost"])?;
        let relay = SimulatedRelay::new(&Config::default(), tls, seed as u8, now)?;
        let clients = [
            Client::new(Hop::Publisher, hops[0], seed, now),
            Client::new(Hop::Subscriber, hops[1], seed, now),
        ];
        let mut call = Self {
            now,
            start: now,
            relay,
            publisher: Publisher::new(),
            subscriber: Subscriber::new(),
            clients,
        };
        call.clients[Hop::Publisher as usize].connect(fingerprint, now)?;
        call.run_until(|call| call.publisher.announced)?;
        call.clients[Hop::Subscriber as usize].connect(fingerprint, call.now)?;
        call.run_until(|call| call.subscriber.accepted == 2)?;
        call.start = call.now;
        call.publisher.start(call.now);
        Ok(call)
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let end = self.now + Duration::from_secs(5);
        while !done(self) {
            ensure!(self.step(end), "the call does not come about");
        }
        Ok(())
    }

    /// Goes on for that long.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Changes a hop: what it does to packets to the relay, and to those from it.
    pub fn set_links(&mut self, hop: Hop, to_relay: LinkOptions, from_relay: LinkOptions) {
        let now = self.now;
        let client = &mut self.clients[hop as usize];
        client.to_relay.set_options(to_relay, now);
        client.from_relay.set_options(from_relay, now);
    }

    /// Gives the subscriber another address, as a router does that forgot it. What is under way
    /// at the time is lost.
    pub fn rebind(&mut self) {
        let client = &mut self.clients[Hop::Subscriber as usize];
        client.to_relay.lose_all();
        client.from_relay.lose_all();
        client.addr.set_port(client.addr.port() + 1);
    }

    /// The time since the first frame.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// The time of the first frame.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// What became of the packets to a client.
    pub fn received(&self, hop: Hop) -> LinkStats {
        self.clients[hop as usize].from_relay.stats()
    }

    /// UDP payload bytes that the relay sent to a client.
    pub fn bytes(&self, hop: Hop) -> u64 {
        self.clients[hop as usize].bytes
    }

    /// What a client measured.
    pub fn path(&mut self, hop: Hop) -> Option<PathStats> {
        let client = &mut self.clients[hop as usize];
        client.endpoint.stats(client.key?)
    }

    /// Why the subscriber's connection is over.
    pub fn closed(&self) -> Option<&str> {
        self.subscriber.closed.as_deref()
    }

    /// Jumps to the next thing that happens; `false`: nothing is left before `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.turns();
        let timeouts = [
            self.relay.poll_timeout(),
            self.publisher.poll_timeout(),
            self.subscriber.poll_timeout(),
        ];
        let mut next = timeouts.into_iter().flatten().min();
        for client in &mut self.clients {
            next = next.into_iter().chain(client.poll_timeout()).min();
        }
        let Some(next) = next.filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        let now = self.now;
        for client in &mut self.clients {
            while let Some(data) = client.to_relay.poll(now) {
                self.relay.handle_datagram(now, client.addr, data);
            }
            while let Some(data) = client.from_relay.poll(now) {
                client
                    .endpoint
                    .handle_datagram(now, RELAY, None, None, data);
            }
            client.endpoint.handle_timeout(now);
        }
        self.turns();
        true
    }

    fn turns(&mut self) {
        let now = self.now;
        let [publisher, subscriber] = &mut self.clients;
        while let Some((key, event)) = publisher.endpoint.poll() {
            if let Some(session) = publisher.endpoint.session(key) {
                self.publisher.handle(event, session, now);
            }
        }
        if let Some(session) = publisher.session() {
            self.publisher.handle_timeout(session, now);
        }
        while let Some((key, event)) = subscriber.endpoint.poll() {
            if let ConnectionEvent::Closed { reason } = &event {
                self.subscriber.closed = Some(reason.to_string());
            }
            if let Some(session) = subscriber.endpoint.session(key) {
                self.subscriber.handle(event, session, now);
            }
        }
        if let Some(session) = subscriber.session() {
            self.subscriber.handle_timeout(session, now);
        }
        for client in &mut self.clients {
            client.send(now);
        }
        self.relay.handle_timeout(now);
        self.send_from_relay();
    }

    fn send_from_relay(&mut self) {
        let mut buffer = std::mem::take(&mut self.clients[0].buffer);
        while let Some(transmit) = self.relay.poll_transmit(self.now, &mut buffer) {
            let to = transmit.destination;
            // To an address that nobody has any more.
            let Some(client) = self.clients.iter_mut().find(|client| client.addr == to) else {
                continue;
            };
            let segment = transmit.segment_size.unwrap_or(transmit.size);
            client.bytes += transmit.size as u64;
            for datagram in buffer[..transmit.size].chunks(segment) {
                client.from_relay.handle(datagram.into(), self.now);
            }
        }
        self.clients[0].buffer = buffer;
    }
}

const RELAY: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
    443,
);

impl Client {
    fn new(hop: Hop, options: LinkOptions, seed: u64, now: Instant) -> Self {
        let index = hop as u8;
        let endpoint = Endpoint::new(EndpointConfig {
            seed: Some([seed as u8 ^ (0x40 << index); 32]),
            ..EndpointConfig::default()
        });
        let link = |to| Link::new(options, seed * 4 + u64::from(index) * 2 + to, now);
        Self {
            endpoint,
            key: None,
            addr: SocketAddr::from(([10, 0, 0, 2 + index], 5000)),
            to_relay: link(0),
            from_relay: link(1),
            buffer: Vec::new(),
            bytes: 0,
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let timeouts = [
            self.endpoint.poll_timeout(),
            self.to_relay.poll_timeout(),
            self.from_relay.poll_timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }

    fn connect(&mut self, fingerprint: Fingerprint, now: Instant) -> anyhow::Result<()> {
        self.key = Some(self.endpoint.connect(now, options(fingerprint))?);
        Ok(())
    }

    fn session(&mut self) -> Option<&mut Session> {
        self.endpoint.session(self.key?)
    }

    fn send(&mut self, now: Instant) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(transmit) = self.endpoint.poll_transmit(now, &mut buffer, 10) {
            let segment = transmit.segment_size.unwrap_or(transmit.size);
            for datagram in buffer[..transmit.size].chunks(segment) {
                self.to_relay.handle(datagram.into(), now);
            }
        }
        self.buffer = buffer;
    }
}

fn options(fingerprint: Fingerprint) -> ClientOptions {
    ClientOptions {
        addr: RELAY,
        server_name: "localhost".to_owned(),
        tls: ClientTls::pinned([fingerprint]),
        drafts: vec![Draft::D22],
        webtransport: None,
        session: parvis_session::Config::default(),
    }
}
