mod reading;
mod sending;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_session::{Config, Input, PathState, Role, Session, StreamId};
use parvis_wire::{Draft, SessionErrorCode};
use quinn_proto::{ConnectionHandle, Side, StreamEvent, VarInt, crypto::rustls::HandshakeData};

use self::{reading::ReadQueue, sending::OwnStreams};
use crate::{CloseReason, ConnectionEvent, PathStats};

/// How often the session hears of the path.
const PATH_INTERVAL: Duration = Duration::from_millis(25);
/// The send window follows the congestion window down to here, so that the session's scheduler
/// keeps what the path cannot take, and can still drop it.
const MIN_SEND_WINDOW: u64 = 64 * 1024;

/// One QUIC connection and its session.
pub(crate) struct Connection {
    pub(crate) quic: quinn_proto::Connection,
    handle: ConnectionHandle,
    role: Role,
    stage: Stage,
    config: Option<Config>,
    announcement: Option<ConnectionEvent>,
    readable: ReadQueue,
    datagrams: bool,
    own_streams: [OwnStreams; 2],
    session_active: bool,
    path_told: Option<Instant>,
    max_send_window: u64,
    send_window: u64,
    oversized_datagrams: u64,
    drained: bool,
}

enum Stage {
    Handshake,
    Open(Box<Session>),
    /// Closed, by either side. What came before the end is still read.
    Closing(Option<Box<Session>>, CloseReason),
    /// The user knows.
    Closed,
}

impl Connection {
    pub(crate) fn new(
        handle: ConnectionHandle,
        quic: quinn_proto::Connection,
        config: Config,
        max_send_window: u64,
    ) -> Self {
        let role = match quic.side() {
            Side::Client => Role::Client,
            Side::Server => Role::Server,
        };
        Self {
            quic,
            handle,
            role,
            stage: Stage::Handshake,
            config: Some(config),
            announcement: None,
            readable: ReadQueue::default(),
            datagrams: false,
            own_streams: [OwnStreams::default(); 2],
            session_active: false,
            path_told: None,
            max_send_window,
            send_window: max_send_window,
            oversized_datagrams: 0,
            drained: false,
        }
    }

    /// Whether the handshake goes on.
    pub(crate) const fn is_half_open(&self) -> bool {
        matches!(self.stage, Stage::Handshake)
    }

    /// Whether nothing is left of the connection.
    pub(crate) const fn is_over(&self) -> bool {
        self.drained && matches!(self.stage, Stage::Closed)
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        self.quic.remote_address()
    }

    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(session) => {
                self.session_active = true;
                Some(session)
            }
            _ => None,
        }
    }

    pub(crate) fn stats(&mut self) -> PathStats {
        PathStats {
            max_datagram: self.quic.datagrams().max_size(),
            oversized_datagrams: self.oversized_datagrams,
            ..PathStats::new(&self.quic.stats())
        }
    }

    pub(crate) fn timeout(&mut self) -> Option<Instant> {
        let quic = self.quic.poll_timeout();
        let session = match &self.stage {
            Stage::Open(session) => session.poll_timeout(),
            _ => None,
        };
        quic.into_iter().chain(session).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self
            .quic
            .poll_timeout()
            .is_some_and(|timeout| timeout <= now)
        {
            self.quic.handle_timeout(now);
        }
        if let Stage::Open(session) = &mut self.stage
            && session.poll_timeout().is_some_and(|timeout| timeout <= now)
        {
            session.handle_timeout(now);
            self.session_active = true;
        }
    }

    pub(crate) fn close(&mut self, code: SessionErrorCode, reason: String, now: Instant) {
        if matches!(self.stage, Stage::Handshake | Stage::Open(_)) {
            self.quic
                .close(now, varint(code.to_u64()), Bytes::from(reason.clone()));
            self.end(CloseReason::Local { code, reason });
        }
    }

    /// The next event, reading from streams as far as it must to have one.
    pub(crate) fn poll(
        &mut self,
        endpoint: &mut quinn_proto::Endpoint,
        now: Instant,
    ) -> Option<ConnectionEvent> {
        self.take_transport_events(endpoint, now);
        loop {
            if let Some(event) = self.announcement.take() {
                return Some(event);
            }
            if let Stage::Open(session) | Stage::Closing(Some(session), _) = &mut self.stage
                && let Some(event) = session.poll()
            {
                return Some(ConnectionEvent::Session(event));
            }
            if self.read(now) {
                continue;
            }
            if let Stage::Closing(..) = self.stage {
                let Stage::Closing(_, reason) = std::mem::replace(&mut self.stage, Stage::Closed)
                else {
                    return None;
                };
                return Some(ConnectionEvent::Closed { reason });
            }
            return None;
        }
    }

    /// The next packets, after doing what the session wants done.
    pub(crate) fn poll_transmit(
        &mut self,
        endpoint: &mut quinn_proto::Endpoint,
        now: Instant,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<quinn_proto::Transmit> {
        loop {
            self.take_transport_events(endpoint, now);
            self.tell_path(now);
            self.run_session(now);
            buf.clear();
            if let Some(transmit) = self.quic.poll_transmit(now, max_segments, buf) {
                return Some(transmit);
            }
            // Sending may have made room for datagrams.
            self.take_transport_events(endpoint, now);
            if !self.session_active {
                return None;
            }
        }
    }

    /// Whether `poll` has something to say that did not come from an input.
    pub(crate) fn has_news(&self) -> bool {
        self.announcement.is_some()
            || match &self.stage {
                Stage::Open(session) => session.has_events(),
                Stage::Closing(..) => true,
                Stage::Handshake | Stage::Closed => false,
            }
    }

    fn take_transport_events(&mut self, endpoint: &mut quinn_proto::Endpoint, now: Instant) {
        while let Some(event) = self.quic.poll_endpoint_events() {
            self.drained |= event.is_drained();
            if let Some(event) = endpoint.handle_event(self.handle, event) {
                self.quic.handle_event(event);
            }
        }
        while let Some(event) = self.quic.poll() {
            match event {
                quinn_proto::Event::HandshakeDataReady => {}
                quinn_proto::Event::Connected => self.connected(now),
                quinn_proto::Event::ConnectionLost { reason } => {
                    self.end(CloseReason::from_quic(reason));
                }
                quinn_proto::Event::Stream(event) => self.stream_event(&event, now),
                quinn_proto::Event::DatagramReceived => self.datagrams = true,
                quinn_proto::Event::DatagramsUnblocked => {
                    self.input(Input::DatagramWritable, now);
                }
            }
        }
    }

    fn connected(&mut self, now: Instant) {
        let data = self.quic.crypto_session().handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        let draft = data
            .as_ref()
            .and_then(|data| Draft::from_alpn(data.protocol.as_deref()?));
        let (Some(draft), Some(mut config)) = (draft, self.config.take()) else {
            self.close(
                SessionErrorCode::VersionNegotiationFailed,
                String::new(),
                now,
            );
            return;
        };
        config.role = self.role;
        config.draft = draft;
        self.stage = Stage::Open(Box::new(Session::new(config, now)));
        self.session_active = true;
        self.announcement = Some(ConnectionEvent::Connected {
            draft,
            remote: self.remote(),
            server_name: data.and_then(|data| data.server_name),
        });
        self.open_ahead(now);
    }

    fn end(&mut self, reason: CloseReason) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Closed) {
            Stage::Handshake => Stage::Closing(None, reason),
            Stage::Open(session) => Stage::Closing(Some(session), reason),
            // Our own close comes back as a loss; the first reason is the one that counts.
            ended @ (Stage::Closing(..) | Stage::Closed) => ended,
        };
        self.session_active = false;
    }

    fn stream_event(&mut self, event: &StreamEvent, now: Instant) {
        match *event {
            StreamEvent::Opened { dir } => {
                while let Some(id) = self.quic.streams().accept(dir) {
                    self.readable.push(id);
                }
            }
            StreamEvent::Readable { id } => self.readable.push(id),
            StreamEvent::Writable { id } => self.input(Input::Writable { id: own(id) }, now),
            StreamEvent::Finished { id } => self.input(Input::StreamFinished { id: own(id) }, now),
            StreamEvent::Stopped { id, error_code } => {
                // RFC 9000 wants an answer in any case; a session that resets too does no harm.
                let _ = self.quic.send_stream(id).reset(error_code);
                let code = error_code.into_inner();
                self.input(Input::StopSending { id: own(id), code }, now);
            }
            StreamEvent::Available { .. } => self.open_ahead(now),
        }
    }

    fn input(&mut self, input: Input, now: Instant) {
        if let Stage::Open(session) | Stage::Closing(Some(session), _) = &mut self.stage {
            // An error is followed by `Transmit::Close`.
            let _ = session.handle(input, now);
            self.session_active = true;
        }
    }

    fn tell_path(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Open(_))
            || self
                .path_told
                .is_some_and(|told| now < told + PATH_INTERVAL)
        {
            return;
        }
        self.path_told = Some(now);
        let congestion_window = self.quic.congestion_state().window();
        let window = congestion_window.saturating_mul(2).max(MIN_SEND_WINDOW);
        self.send_window = window.min(self.max_send_window);
        self.quic.set_send_window(self.send_window);
        let rtt = self.quic.rtt();
        self.input(
            Input::Path(PathState {
                rtt,
                congestion_window,
            }),
            now,
        );
    }
}

fn own(id: quinn_proto::StreamId) -> StreamId {
    StreamId(id.into())
}

fn quic(id: StreamId) -> quinn_proto::StreamId {
    varint(id.0).into()
}

/// Codes that do not fit become the largest one that does.
fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}
