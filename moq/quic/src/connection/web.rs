use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use parvis_session::{Role, Session, StreamId};
use parvis_wire::{Draft, SessionErrorCode};
use quinn_proto::{Dir, ReadError, WriteError};
use web_transport_proto::VarInt;

use super::{Connection, Stage, own, quic, reading::ReadQueue, sending::OwnStreams, varint};
use crate::{
    CloseReason, ConnectionEvent, RequestTarget,
    http3::{Code, DatagramPrefix, Http3, Options, Output, session_header},
};

/// How the sessions of an endpoint are carried by HTTP/3.
#[derive(Debug, Clone)]
pub(crate) struct WebOptions {
    pub(crate) http3: Arc<Options>,
    /// A server pings as often: browsers do not.
    pub(crate) ping: Duration,
}

/// What a connection over HTTP/3 has besides.
pub(super) struct Web {
    http3: Http3,
    ping: Duration,
    readable: ReadQueue,
    /// Bytes that flow control held back: HTTP/3's own and the headers of the session's streams.
    held: HashMap<StreamId, Held>,
    session: Option<Carried>,
    server_name: Option<String>,
    /// When there must be a session, or when its end has lasted long enough.
    deadline: Option<Instant>,
    ping_at: Option<Instant>,
}

#[derive(Default)]
struct Held {
    data: BytesMut,
    fin: bool,
}

/// The session that the connection carries.
struct Carried {
    request: StreamId,
    headers: [Bytes; 2],
    prefix: DatagramPrefix,
}

/// How long the peer may take to close the connection after the session.
const LINGER: Duration = Duration::from_secs(1);

impl Connection {
    /// Begins with HTTP/3; a session follows when it was asked for.
    pub(super) fn start_web(&mut self, server_name: Option<String>, now: Instant) {
        let Some(options) = self.web_options.take() else {
            return self.fail_web(Code::NO_ERROR, "HTTP/3 was not offered".to_owned(), now);
        };
        let http3 = match self.target.take() {
            Some(target) => Http3::client(options.http3, target),
            None => Http3::server(options.http3),
        };
        let mut own_streams = vec![Dir::Uni];
        if self.role == Role::Client {
            own_streams.push(Dir::Bi);
        }
        for dir in own_streams {
            if self.quic.streams().open(dir).is_none() {
                let reason = "the peer leaves no stream for HTTP/3".to_owned();
                return self.fail_web(Code::NO_ERROR, reason, now);
            }
            self.own_streams[dir as usize] = OwnStreams::reserved(1);
        }
        let patience = self
            .config
            .as_ref()
            .map(|config| config.limits.setup_timeout);
        let mut web = Box::new(Web {
            http3,
            ping: options.ping,
            readable: ReadQueue::default(),
            held: HashMap::new(),
            session: None,
            server_name,
            deadline: patience.map(|patience| now + patience),
            ping_at: None,
        });
        // Streams may have come before the end of the handshake was seen.
        while let Some(id) = self.readable.pop() {
            web.http3.opened(own(id));
            web.readable.push(id);
        }
        self.web = Some(web);
        self.run_web(now);
    }

    /// Whether a stream of the peer is not known to be the session's.
    pub(super) fn web_reads(&mut self, id: quinn_proto::StreamId, new: bool) -> bool {
        let Some(web) = &mut self.web else {
            return false;
        };
        if new {
            web.http3.opened(own(id));
        }
        let reads = web.http3.wants(own(id)).is_some();
        if reads {
            web.readable.push(id);
        }
        reads
    }

    /// Reads from one stream that is not the session's; whether there was one.
    pub(super) fn read_web(&mut self, now: Instant) -> bool {
        let Some(web) = &mut self.web else {
            return false;
        };
        let Some(id) = web.readable.pop() else {
            return false;
        };
        let here = own(id);
        let mut stream = self.quic.recv_stream(id);
        if let Ok(mut chunks) = stream.read(true) {
            while let Some(most) = web.http3.wants(here) {
                match chunks.next(most) {
                    Ok(Some(chunk)) => web.http3.data(here, &chunk.bytes),
                    Ok(None) => web.http3.ended(here, None),
                    Err(ReadError::Reset(code)) => {
                        web.http3.ended(here, Some(code.into_inner()));
                    }
                    Err(ReadError::Blocked) => break,
                }
            }
        }
        self.run_web(now);
        true
    }

    /// The part of a datagram that is the session's.
    pub(super) fn take_datagram(&mut self, datagram: Bytes, now: Instant) -> Option<Bytes> {
        let Some(web) = &self.web else {
            return Some(datagram);
        };
        let stripped = web.session.as_ref()?.prefix.strip(datagram);
        stripped.unwrap_or_else(|_| {
            let reason = "a malformed datagram".to_owned();
            self.fail_web(Code::DATAGRAM_ERROR, reason, now);
            None
        })
    }

    /// What the session's datagrams begin with; `None`: nothing.
    pub(super) fn datagram_prefix(&self) -> Option<DatagramPrefix> {
        Some(self.web.as_ref()?.session.as_ref()?.prefix)
    }

    /// Begins a stream that the session opens.
    pub(super) fn write_header(&mut self, id: StreamId) {
        if let Some(web) = &mut self.web
            && let Some(session) = &web.session
        {
            let header = &session.headers[usize::from(id.is_unidirectional())];
            let held = web.held.entry(id).or_default();
            held.data.extend_from_slice(header);
            self.flush_held(id);
        }
    }

    /// Writes what was held back of a stream; whether nothing is left of it.
    pub(super) fn flush_held(&mut self, id: StreamId) -> bool {
        let Some(web) = &mut self.web else {
            return true;
        };
        let Some(held) = web.held.get_mut(&id) else {
            return true;
        };
        let mut stream = self.quic.send_stream(quic(id));
        while !held.data.is_empty() {
            match stream.write(&held.data) {
                Ok(written) => held.data.advance(written),
                Err(WriteError::Blocked) => return false,
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => held.data.clear(),
            }
        }
        if held.fin {
            let _ = stream.finish();
        }
        web.held.remove(&id);
        true
    }

    /// Whether the end of a stream waits for what was held back of it.
    pub(super) fn finish_held(&mut self, id: StreamId) -> bool {
        let held = self.web.as_mut().and_then(|web| web.held.get_mut(&id));
        held.map(|held| held.fin = true).is_some()
    }

    pub(super) fn forget_held(&mut self, id: StreamId) {
        if let Some(web) = &mut self.web {
            web.held.remove(&id);
        }
    }

    /// Whether a stream that this side writes is HTTP/3's, not the session's.
    pub(super) fn is_webs(&self, id: StreamId) -> bool {
        let Some(web) = &self.web else { return false };
        id == StreamId::new(self.role, true, 0)
            || web
                .session
                .as_ref()
                .is_some_and(|session| session.request == id)
    }

    /// The peer has all of a stream of HTTP/3: of the session's, its end is known.
    pub(super) fn web_finished(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Closing(..) | Stage::Closed) {
            self.quic.close(now, varint(Code::NO_ERROR.0), Bytes::new());
        }
    }

    pub(super) fn web_stopped(&mut self, id: StreamId, now: Instant) {
        if let Some(web) = &mut self.web {
            web.http3.stopped(id);
            self.run_web(now);
        }
    }

    /// Closes the session with its code, and the connection a little later.
    pub(super) fn close_web(&mut self, code: SessionErrorCode, reason: &str, now: Instant) {
        if let Some(web) = &mut self.web
            && let Stage::Open(_) = self.stage
        {
            let code = u32::try_from(code.to_u64()).unwrap_or(u32::MAX);
            web.http3.close(code, reason);
            web.deadline = Some(now + LINGER);
            self.run_web(now);
        } else {
            let reason = Bytes::copy_from_slice(reason.as_bytes());
            self.quic.close(now, varint(Code::NO_ERROR.0), reason);
        }
    }

    pub(super) fn web_timeout(&self) -> Option<Instant> {
        let web = self.web.as_ref()?;
        web.deadline.into_iter().chain(web.ping_at).min()
    }

    pub(super) fn handle_web_timeout(&mut self, now: Instant) {
        let Some(web) = &mut self.web else { return };
        if let Some(at) = web.ping_at
            && at <= now
        {
            web.ping_at = Some(now + web.ping);
            self.quic.ping();
        }
        if web.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        web.deadline = None;
        if let Stage::Handshake = self.stage {
            let reason = "no WebTransport session within the time for it".to_owned();
            self.fail_web(Code::NO_ERROR, reason, now);
        } else {
            self.quic.close(now, varint(Code::NO_ERROR.0), Bytes::new());
        }
    }

    fn run_web(&mut self, now: Instant) {
        while let Some(output) = self.web.as_mut().and_then(|web| web.http3.poll()) {
            match output {
                Output::Write { id, data, fin } => {
                    if let Some(web) = &mut self.web {
                        let held = web.held.entry(id).or_default();
                        held.data.extend_from_slice(&data);
                        held.fin |= fin;
                    }
                    self.flush_held(id);
                }
                Output::Reset { id, code } => {
                    self.forget_held(id);
                    let _ = self.quic.send_stream(quic(id)).reset(varint(code.0));
                }
                Output::Stop { id, code } => {
                    let _ = self.quic.recv_stream(quic(id)).stop(varint(code.0));
                }
                Output::Open { id, draft, target } => self.carry(id, draft, target, now),
                Output::Adopt { id } => self.readable.push(quic(id)),
                Output::Closed { code, reason } => {
                    if let Some(web) = &mut self.web {
                        web.deadline = Some(now + LINGER);
                        web.ping_at = None;
                    }
                    let code = SessionErrorCode::from_u64(code.into());
                    self.end(CloseReason::PeerClosed { code, reason });
                }
                Output::Refused { status } => {
                    self.quic.close(now, varint(Code::NO_ERROR.0), Bytes::new());
                    self.end(CloseReason::WebTransportRefused { status });
                }
                Output::Fail { code, reason } => self.fail_web(code, reason, now),
            }
        }
    }

    /// Opens the session in its WebTransport session.
    fn carry(&mut self, request: StreamId, draft: Draft, target: RequestTarget, now: Instant) {
        let (Some(web), Some(mut config)) = (&mut self.web, self.config.take()) else {
            return;
        };
        // The id of a stream always fits.
        let id = VarInt::try_from(request.0).unwrap_or_default();
        web.session = Some(Carried {
            request,
            headers: [false, true].map(|unidirectional| session_header(id, unidirectional)),
            prefix: DatagramPrefix::new(id),
        });
        web.deadline = None;
        web.ping_at = (self.role == Role::Server).then(|| now + web.ping);
        config.role = self.role;
        config.draft = draft;
        config.over_webtransport = true;
        config.path = Some(target.path);
        config.authority = Some(target.authority);
        config.reserved_bidi = u64::from(self.role == Role::Client);
        config.reserved_uni = 1;
        let server_name = web.server_name.take();
        self.stage = Stage::Open(Box::new(Session::new(config, now)));
        self.session_active = true;
        self.announcement = Some(ConnectionEvent::Connected {
            draft,
            remote: self.remote(),
            server_name,
        });
        self.open_ahead(now);
    }

    fn fail_web(&mut self, code: Code, reason: String, now: Instant) {
        self.quic
            .close(now, varint(code.0), Bytes::from(reason.clone()));
        self.end(CloseReason::Http3 {
            code: code.0,
            reason,
        });
    }
}
