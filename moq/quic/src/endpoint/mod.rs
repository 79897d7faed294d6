mod incoming;
mod options;
mod slots;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use parvis_session::Session;
use parvis_wire::SessionErrorCode;
use quinn_proto::{ConnectError, DatagramEvent};

pub use self::options::{
    ClientOptions, ConnectionEvent, ConnectionKey, EndpointConfig, OpenError, ResetKey,
};
use self::slots::Slot;
use crate::{
    Ecn, PathStats, QueueStats, Transmit,
    admission::{AttemptRate, HalfOpen},
    connection::WebOptions,
    connection_ids::PrefixedIds,
    deadlines::Deadlines,
    http3,
    tls::ServerTls,
};

/// QUIC connections with a MoQ session each, over one UDP socket that somebody else holds.
///
/// A turn: put in what came ([`handle_datagram`](Self::handle_datagram),
/// [`handle_timeout`](Self::handle_timeout)), drain [`poll`](Self::poll), use
/// [`session`](Self::session), drain [`poll_transmit`](Self::poll_transmit), wait until
/// [`poll_timeout`](Self::poll_timeout) or the next datagram. Only connections that something
/// happened to cost anything. Streams are read by `poll`: a user that stops calling it for a while
/// holds the peers back by flow control.
pub struct Endpoint {
    quic: quinn_proto::Endpoint,
    config: EndpointConfig,
    server_transport: Arc<quinn_proto::TransportConfig>,
    client_transport: Arc<quinn_proto::TransportConfig>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Our slot for each of quinn's, which it uses again before the user knows of the end.
    by_handle: Vec<usize>,
    open: usize,
    half_open: HalfOpen,
    web: Option<WebOptions>,
    attempts: AttemptRate,
    deadlines: Deadlines,
    to_poll: VecDeque<usize>,
    to_send: VecDeque<usize>,
    replies: VecDeque<(Transmit, Vec<u8>)>,
    scratch: Vec<u8>,
    now: Option<Instant>,
}

/// How long two resets are apart at least, where the key is kept.
const RESET_INTERVAL: Duration = Duration::from_millis(1);

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("connections", &self.open)
            .field("half_open", &self.half_open.all())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// An endpoint without connections.
    pub fn new(config: EndpointConfig) -> Self {
        let mut quic = quinn_proto::EndpointConfig::default();
        quic.rng_seed(config.seed);
        if let Some(prefix) = config.id_prefix {
            quic.cid_generator(move || Box::new(PrefixedIds::new(prefix)));
        }
        if let Some(key) = &config.reset_key {
            quic.reset_key(Arc::new(key.0.clone()));
            // All peers of the endpoint before come within a moment. A reset is smaller than what it answers.
            quic.min_reset_interval(RESET_INTERVAL);
        }
        let server_transport = config.limits.server();
        let web = config.webtransport.map(|default_draft| WebOptions {
            http3: Arc::new(http3::Options {
                drafts: config.drafts.clone(),
                default_draft,
            }),
            ping: config.limits.idle_timeout / 3,
        });
        let server = config
            .server
            .as_ref()
            .map(|tls| tls.quic(&server_alpn(&config), server_transport.clone()));
        Self {
            quic: quinn_proto::Endpoint::new(
                Arc::new(quic),
                server,
                config.limits.mtu_discovery,
                None,
            ),
            server_transport,
            client_transport: config.limits.client(),
            config,
            slots: Vec::new(),
            free: Vec::new(),
            by_handle: Vec::new(),
            open: 0,
            half_open: HalfOpen::default(),
            web,
            attempts: AttemptRate::new(),
            deadlines: Deadlines::default(),
            to_poll: VecDeque::new(),
            to_send: VecDeque::new(),
            replies: VecDeque::new(),
            scratch: Vec::new(),
            now: None,
        }
    }

    /// Opens a connection; [`ConnectionEvent::Connected`] or `Closed` follows.
    pub fn connect(
        &mut self,
        now: Instant,
        options: ClientOptions,
    ) -> Result<ConnectionKey, OpenError> {
        self.now = Some(now);
        if options.drafts.is_empty() {
            return Err(OpenError::NoDraft);
        }
        let protocols = match options.webtransport {
            Some(_) => vec![http3::ALPN],
            None => options.drafts.iter().map(|draft| draft.alpn()).collect(),
        };
        let config = options.tls.quic(&protocols, self.client_transport.clone());
        let (handle, quic) = self
            .quic
            .connect(now, config, options.addr, &options.server_name)
            .map_err(|error| match error {
                ConnectError::InvalidServerName(name) => OpenError::InvalidServerName(name),
                ConnectError::InvalidRemoteAddress(addr) => OpenError::InvalidAddress(addr),
                _ => OpenError::TooManyConnections,
            })?;
        let web = options.webtransport.is_some().then(|| WebOptions {
            http3: Arc::new(http3::Options {
                default_draft: options.drafts[0],
                drafts: options.drafts,
            }),
            ping: self.config.limits.keep_alive,
        });
        Ok(self.insert(handle, quic, options.session, web, options.webtransport))
    }

    /// Takes one UDP datagram.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        local_ip: Option<IpAddr>,
        ecn: Option<Ecn>,
        data: BytesMut,
    ) {
        self.now = Some(now);
        self.scratch.clear();
        let ecn = ecn.map(Ecn::to_quic);
        match self
            .quic
            .handle(now, from, local_ip, ecn, data, &mut self.scratch)
        {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                let index = self.by_handle[handle.0];
                if let Some(connection) = self.slots[index].connection.as_mut() {
                    connection.quic.handle_event(event);
                    connection.heard(now);
                    self.touch(index);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.admit(incoming, now),
            Some(DatagramEvent::Response(transmit)) => self.reply(transmit),
            None => {}
        }
    }

    /// The next event. Events of one connection come in order, `Closed` last.
    pub fn poll(&mut self) -> Option<(ConnectionKey, ConnectionEvent)> {
        while let Some(&index) = self.to_poll.front() {
            let now = self.now?;
            let slot = &mut self.slots[index];
            if let Some(connection) = slot.connection.as_mut()
                && let Some(event) = connection.poll(&mut self.quic, now)
            {
                let key = ConnectionKey {
                    index: index as u32,
                    generation: slot.generation,
                };
                self.mark_send(index);
                return Some((key, event));
            }
            self.to_poll.pop_front();
            self.slots[index].in_poll = false;
            self.mark_send(index);
        }
        None
    }

    /// The session of a connection that is open. What it has to say after what is done with it
    /// comes from [`poll`](Self::poll) once [`poll_transmit`](Self::poll_transmit) is drained.
    pub fn session(&mut self, key: ConnectionKey) -> Option<&mut Session> {
        let index = self.index(key)?;
        self.mark_send(index);
        self.slots[index].connection.as_mut()?.session()
    }

    /// The next datagram, or train of datagrams, to send; `buf` is overwritten.
    ///
    /// max_segments: how many datagrams a train may have; at least 1. It has fewer where 64 KiB would not hold them.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
        max_segments: usize,
    ) -> Option<Transmit> {
        self.now = Some(now);
        if let Some((transmit, bytes)) = self.replies.pop_front() {
            *buf = bytes;
            return Some(transmit);
        }
        while let Some(&index) = self.to_send.front() {
            let slot = &mut self.slots[index];
            if let Some(connection) = slot.connection.as_mut() {
                let sent = connection.poll_transmit(&mut self.quic, now, max_segments, buf);
                if let Some(transmit) = sent {
                    return Some(transmit.into());
                }
                self.deadlines.set(index, connection.timeout());
                if connection.has_news() && !slot.in_poll {
                    slot.in_poll = true;
                    self.to_poll.push_back(index);
                }
            }
            self.to_send.pop_front();
            self.slots[index].in_send = false;
            self.settle(index);
        }
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) and the rest of a turn are due, unless
    /// something happens before. Call it at the end of a turn; in the past: at once.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if !self.to_poll.is_empty() || !self.to_send.is_empty() || !self.replies.is_empty() {
            return self.now;
        }
        self.deadlines.next()
    }

    /// Like [`poll_timeout`](Self::poll_timeout), for a user that does not want events yet.
    pub fn poll_timeout_without_events(&mut self) -> Option<Instant> {
        if self.to_send.is_empty() && self.replies.is_empty() {
            self.deadlines.next()
        } else {
            self.now
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some(index) = self.deadlines.pop_due(now) {
            if let Some(connection) = self.slots[index].connection.as_mut() {
                connection.handle_timeout(now);
                self.touch(index);
            }
        }
    }

    /// Closes a connection at once, whatever its state; what was queued is lost.
    /// [`Session::close`] is the same for an open one.
    pub fn close(
        &mut self,
        now: Instant,
        key: ConnectionKey,
        code: SessionErrorCode,
        reason: &str,
    ) {
        self.now = Some(now);
        let Some(index) = self.index(key) else { return };
        if let Some(connection) = self.slots[index].connection.as_mut() {
            connection.close(code, reason.to_owned(), now);
            self.touch(index);
        }
    }

    /// Whether the peer has acknowledged all stream data that the session had to send. For closing
    /// in order: a close throws away what was not.
    pub fn is_flushed(&mut self, now: Instant, key: ConnectionKey) -> bool {
        self.now = Some(now);
        let Some(index) = self.index(key) else {
            return true;
        };
        self.touch(index);
        self.slots[index]
            .connection
            .as_mut()
            .is_none_or(|connection| connection.is_flushed(now))
    }

    /// What a connection measured; `None` once it is gone.
    pub fn stats(&mut self, key: ConnectionKey) -> Option<PathStats> {
        let index = self.index(key)?;
        Some(self.slots[index].connection.as_mut()?.stats())
    }

    /// What waits to be sent; `None` for a connection that is not open. Looks at every stream: for
    /// measuring now and then.
    pub fn queue(&self, key: ConnectionKey, now: Instant) -> Option<QueueStats> {
        self.slots[self.index(key)?].connection.as_ref()?.queue(now)
    }

    /// The peer's current address.
    pub fn remote_address(&self, key: ConnectionKey) -> Option<SocketAddr> {
        Some(self.slots[self.index(key)?].connection.as_ref()?.remote())
    }

    /// A client's socket is another one: what follows comes from another address.
    pub fn local_address_changed(&mut self, key: ConnectionKey) {
        let Some(index) = self.index(key) else { return };
        if let Some(connection) = self.slots[index].connection.as_mut() {
            connection.local_address_changed();
            self.touch(index);
        }
    }

    /// Lets a peer have so many streams open.
    pub fn allow_streams(&mut self, key: ConnectionKey, bidi: u32, uni: u32) {
        let Some(index) = self.index(key) else { return };
        if let Some(connection) = self.slots[index].connection.as_mut() {
            connection.allow_streams(bidi, uni);
            self.touch(index);
        }
    }

    /// Lets a peer have so many bytes in flight or unread, over all its streams.
    pub fn allow_bytes(&mut self, key: ConnectionKey, window: u32) {
        let Some(index) = self.index(key) else { return };
        if let Some(connection) = self.slots[index].connection.as_mut() {
            connection.quic.set_receive_window(window.into());
            self.touch(index);
        }
    }

    /// The addresses of all peers there are, half-open and closing connections included.
    pub fn remote_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let connections = self
            .slots
            .iter()
            .filter_map(|slot| slot.connection.as_ref());
        connections.map(|connection| connection.remote())
    }

    /// How many connections there are, closing ones included.
    pub const fn connections(&self) -> usize {
        self.open
    }

    /// How many incoming connections have not finished their handshake.
    pub const fn half_open(&self) -> usize {
        self.half_open.all()
    }

    /// Shows clients another certificate from now on; `None`: lets nobody in any more.
    pub fn set_server_tls(&mut self, tls: Option<ServerTls>) {
        let config = tls
            .as_ref()
            .map(|tls| tls.quic(&server_alpn(&self.config), self.server_transport.clone()));
        self.quic.set_server_config(config);
        self.config.server = tls;
    }
}

/// What a server offers in the handshake.
fn server_alpn(config: &EndpointConfig) -> Vec<&'static [u8]> {
    let drafts = config.drafts.iter().map(|draft| draft.alpn());
    let web = config.webtransport.map(|_| http3::ALPN);
    drafts.chain(web).collect()
}
