mod reading;
mod sending;
mod silence;
mod web;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_session::{Config, Input, PathState, Role, Session, StreamId};
use parvis_wire::{Draft, SessionErrorCode};
use quinn_proto::{ConnectionHandle, Side, StreamEvent, VarInt, crypto::rustls::HandshakeData};

pub(crate) use self::web::WebOptions;
use self::{reading::ReadQueue, sending::OwnStreams, silence::Silence, web::Web};
use crate::{
    CloseReason, ConnectionEvent, PathStats, QueueStats, RequestTarget, http3,
    packet::MAX_TRAIN_BYTES,
};

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
    web_options: Option<WebOptions>,
    /// What a client asks a WebTransport session for.
    target: Option<RequestTarget>,
    /// Present where the session is carried by HTTP/3.
    web: Option<Box<Web>>,
    announcement: Option<ConnectionEvent>,
    readable: ReadQueue,
    datagrams: bool,
    own_streams: [OwnStreams; 2],
    session_active: bool,
    path_told: Option<Instant>,
    max_send_window: u64,
    send_window: u64,
    oversized_datagrams: u64,
    silence: Silence,
    /// A server's: when the handshake is to be over.
    handshake_until: Option<Instant>,
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
        web_options: Option<WebOptions>,
        target: Option<RequestTarget>,
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
            web_options,
            target,
            web: None,
            announcement: None,
            readable: ReadQueue::default(),
            datagrams: false,
            own_streams: [OwnStreams::default(); 2],
            session_active: false,
            path_told: None,
            max_send_window,
            send_window: max_send_window,
            oversized_datagrams: 0,
            silence: Silence::default(),
            handshake_until: None,
            drained: false,
        }
    }

    /// The handshake is to be over then.
    pub(crate) const fn expect_handshake(&mut self, by: Instant) {
        self.handshake_until = Some(by);
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

    pub(crate) fn local_address_changed(&mut self) {
        self.quic.local_address_changed();
    }

    pub(crate) fn allow_streams(&mut self, bidi: u32, uni: u32) {
        self.quic
            .set_max_concurrent_streams(quinn_proto::Dir::Bi, bidi.into());
        self.quic
            .set_max_concurrent_streams(quinn_proto::Dir::Uni, uni.into());
    }

    pub(crate) fn stats(&mut self) -> PathStats {
        PathStats {
            max_datagram: self.max_datagram(),
            oversized_datagrams: self.oversized_datagrams,
            is_webtransport: self.web.is_some(),
            ..PathStats::new(&self.quic.stats())
        }
    }

    fn max_datagram(&mut self) -> Option<usize> {
        let prefix = self.datagram_prefix().map_or(0, http3::DatagramPrefix::len);
        self.quic.datagrams().max_size()?.checked_sub(prefix)
    }

    pub(crate) fn queue(&self, now: Instant) -> Option<QueueStats> {
        let Stage::Open(session) = &self.stage else {
            return None;
        };
        let oldest = session.oldest_queued();
        Some(QueueStats {
            bytes: session.total_queued_bytes(),
            age: oldest.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)),
        })
    }

    pub(crate) fn timeout(&mut self) -> Option<Instant> {
        let quic = self.quic.poll_timeout();
        let session = match &self.stage {
            Stage::Open(session) => session.poll_timeout(),
            _ => None,
        };
        quic.into_iter()
            .chain(session)
            .chain(self.web_timeout())
            .chain(self.silence_timeout())
            .chain(self.handshake_until)
            .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self
            .quic
            .poll_timeout()
            .is_some_and(|timeout| timeout <= now)
        {
            self.quic.handle_timeout(now);
        }
        if self
            .handshake_until
            .take_if(|until| *until <= now)
            .is_some()
        {
            let code = varint(SessionErrorCode::ControlMessageTimeout.to_u64());
            self.quic.close(now, code, Bytes::new());
            self.end(CloseReason::TimedOut);
        }
        self.handle_web_timeout(now);
        self.handle_silence(now);
        if let Stage::Open(session) = &mut self.stage
            && session.poll_timeout().is_some_and(|timeout| timeout <= now)
        {
            session.handle_timeout(now);
            self.session_active = true;
        }
    }

    pub(crate) fn close(&mut self, code: SessionErrorCode, reason: String, now: Instant) {
        if matches!(self.stage, Stage::Handshake | Stage::Open(_)) {
            if self.web.is_some() {
                self.close_web(code, &reason, now);
            } else {
                let reason = Bytes::from(reason.clone());
                self.quic.close(now, varint(code.to_u64()), reason);
            }
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
            // A longer train is refused whole, and each time that it is sent again.
            let fitting = MAX_TRAIN_BYTES / usize::from(self.quic.current_mtu()).max(1);
            let segments = max_segments.min(fitting).max(1);
            if let Some(transmit) = self.quic.poll_transmit(now, segments, buf) {
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
                    self.end(CloseReason::from_quic(reason, self.web.is_some()));
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
        self.handshake_until = None;
        let data = self.quic.crypto_session().handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        let protocol = data.as_ref().and_then(|data| data.protocol.as_deref());
        if protocol == Some(http3::ALPN) {
            return self.start_web(data.and_then(|data| data.server_name), now);
        }
        let draft = protocol.and_then(Draft::from_alpn);
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
        self.handshake_until = None;
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
                    if !self.web_reads(id, true) {
                        self.readable.push(id);
                    }
                }
            }
            StreamEvent::Readable { id } => {
                if !self.web_reads(id, false) {
                    self.readable.push(id);
                }
            }
            StreamEvent::Writable { id } => {
                if self.flush_held(own(id)) && !self.is_webs(own(id)) {
                    self.input(Input::Writable { id: own(id) }, now);
                }
            }
            StreamEvent::Finished { id } if self.is_webs(own(id)) => self.web_finished(now),
            StreamEvent::Finished { id } => self.input(Input::StreamFinished { id: own(id) }, now),
            StreamEvent::Stopped { id, error_code } => {
                // RFC 9000 wants an answer in any case; a session that resets too does no harm.
                let _ = self.quic.send_stream(id).reset(error_code);
                self.forget_held(own(id));
                if self.is_webs(own(id)) {
                    return self.web_stopped(own(id), now);
                }
                let code = peers_code(error_code, self.web.is_some());
                self.input(Input::StopSending { id: own(id), code }, now);
            }
            StreamEvent::Available { .. } => self.open_ahead(now),
        }
    }

    /// The code for the peer that stands for one of the session.
    fn own_code(&self, code: u64) -> VarInt {
        varint(if self.web.is_some() {
            http3::to_http3(code)
        } else {
            code
        })
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
        let counted = self.quic.stats().path;
        self.input(
            Input::Path(PathState {
                rtt,
                congestion_window,
                sent_packets: counted.sent_packets,
                lost_packets: counted.lost_packets,
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

/// The session's code in one that the peer sent.
///
/// web: whether HTTP/3 carries the session.
fn peers_code(code: VarInt, web: bool) -> u64 {
    if web {
        http3::from_http3(code.into_inner())
    } else {
        code.into_inner()
    }
}

/// Codes that do not fit become the largest one that does.
fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}
