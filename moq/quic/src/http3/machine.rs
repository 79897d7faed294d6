use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use parvis_session::{Role, StreamId};
use web_transport_proto::{Frame, VarInt, http::StatusCode};

use super::{
    Code, HeaderReader, Options, Output, RequestTarget, StreamKind,
    capsules::{Capsules, closing_frame},
    frame_reader::{FrameReader, FrameTooLarge, GOAWAY},
    settings,
};

/// One side of an HTTP/3 connection with at most one WebTransport session.
///
/// Tell it of each stream of the peer ([`opened`](Self::opened)), give it what
/// [`wants`](Self::wants) says it wants to read, and do what [`poll`](Self::poll) says.
#[derive(Debug)]
pub struct Http3 {
    pub(super) role: Role,
    pub(super) options: Arc<Options>,
    /// Streams that are not the session's, or not known to be.
    pub(super) streams: HashMap<StreamId, Reader>,
    seen: Seen,
    /// Whether the peer's SETTINGS have come.
    pub(super) settings: bool,
    pub(super) stage: Stage,
    /// Streams of a session that may yet be opened, with its id.
    pub(super) early: Vec<(StreamId, u64)>,
    pub(super) refused: u32,
    pub(super) outputs: VecDeque<Output>,
}

#[derive(Debug)]
pub(super) enum Reader {
    Header(HeaderReader),
    Control(FrameReader),
    Qpack,
    Request(FrameReader),
}

#[derive(Debug, Default)]
struct Seen {
    control: bool,
    encoder: bool,
    decoder: bool,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// A server without a session.
    Idle,
    /// A server whose request waits for the client's SETTINGS.
    Asked {
        id: StreamId,
        headers: Bytes,
    },
    /// A client that waits for the server's SETTINGS, and then for the answer.
    Asking {
        target: RequestTarget,
    },
    Open {
        id: StreamId,
        capsules: Capsules,
    },
    /// The session is over, or the connection is to be closed.
    Over,
}

/// The first streams that each side opens.
const CONTROL: u64 = 0;
pub(super) const REQUEST: StreamId = StreamId::new(Role::Client, false, 0);
/// Streams that may come before the session they belong to.
const MAX_EARLY: usize = 64;
/// How much is read at a time of a stream that is not the session's.
const READ: usize = 4096;
/// Frames of HTTP/2 that HTTP/3 forbids; RFC 9114, "Reserved Frame Types".
const FORBIDDEN: [u32; 4] = [0x02, 0x06, 0x08, 0x09];

impl Http3 {
    /// A server's side; its SETTINGS are to be written at once.
    pub fn server(options: Arc<Options>) -> Self {
        Self::new(Role::Server, options, Stage::Idle)
    }

    /// A client's side, which asks for a session as soon as the server's SETTINGS are there.
    pub fn client(options: Arc<Options>, target: RequestTarget) -> Self {
        let mut client = Self::new(Role::Client, options, Stage::Asking { target });
        let answer = Reader::Request(FrameReader::default());
        client.streams.insert(REQUEST, answer);
        client
    }

    fn new(role: Role, options: Arc<Options>, stage: Stage) -> Self {
        let id = StreamId::new(role, true, CONTROL);
        let data = settings::control_stream();
        Self {
            role,
            options,
            streams: HashMap::new(),
            seen: Seen::default(),
            settings: false,
            stage,
            early: Vec::new(),
            refused: 0,
            outputs: VecDeque::from([Output::Write {
                id,
                data,
                fin: false,
            }]),
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Says that the peer has opened a stream.
    pub fn opened(&mut self, id: StreamId) {
        let reader = HeaderReader::new(id.is_unidirectional());
        self.streams.insert(id, Reader::Header(reader));
    }

    /// How many bytes of a stream are to be read next, at most; `None`: it is the session's, or
    /// nobody's.
    pub fn wants(&self, id: StreamId) -> Option<usize> {
        match self.streams.get(&id)? {
            Reader::Header(header) => Some(header.wants()),
            Reader::Control(_) | Reader::Qpack | Reader::Request(_) => Some(READ),
        }
    }

    /// Takes what a stream brought, no more than it [`wants`](Self::wants).
    pub fn data(&mut self, id: StreamId, data: &[u8]) {
        match self.streams.get_mut(&id) {
            None | Some(Reader::Qpack) => {}
            Some(Reader::Header(header)) => {
                if let Some(kind) = header.push(data) {
                    let bytes = Bytes::copy_from_slice(header.bytes());
                    self.streams.remove(&id);
                    self.sort(id, kind, &bytes);
                }
            }
            Some(Reader::Control(frames) | Reader::Request(frames)) => {
                frames.push(data);
                self.read_frames(id);
            }
        }
    }

    /// Says that a stream has ended, or was reset.
    pub fn ended(&mut self, id: StreamId, reset: Option<u64>) {
        match self.streams.remove(&id) {
            None => {}
            Some(Reader::Header(_)) if id.is_unidirectional() => {}
            Some(Reader::Header(_)) => self.reset(id, Code::REQUEST_INCOMPLETE),
            Some(Reader::Control(_) | Reader::Qpack) => {
                self.fail(Code::CLOSED_CRITICAL_STREAM, "a critical stream was closed");
            }
            Some(Reader::Request(frames)) => self.request_ended(id, reset, &frames),
        }
    }

    /// Says that the peer does not read a stream any more.
    pub fn stopped(&mut self, id: StreamId) {
        if id == StreamId::new(self.role, true, CONTROL) {
            self.fail(
                Code::CLOSED_CRITICAL_STREAM,
                "the control stream was stopped",
            );
        } else if self.is_session(id) {
            self.close_by_peer(0, String::new());
        }
    }

    /// Closes the session; nothing comes of it if there is none.
    pub fn close(&mut self, code: u32, reason: &str) {
        let Stage::Open { id, .. } = self.stage else {
            return;
        };
        self.stage = Stage::Over;
        self.streams.remove(&id);
        if self.role == Role::Server {
            let next = id.0.saturating_add(4);
            let mut goaway = Vec::new();
            GOAWAY.encode(&mut goaway);
            if let Ok(next) = VarInt::try_from(next) {
                VarInt::from_u32(next.size() as u32).encode(&mut goaway);
                next.encode(&mut goaway);
                self.write(
                    StreamId::new(self.role, true, CONTROL),
                    goaway.into(),
                    false,
                );
            }
        }
        self.write(id, closing_frame(code, reason).into(), true);
    }

    /// Whether the stream is that of the open session's request.
    pub fn is_session(&self, stream: StreamId) -> bool {
        matches!(self.stage, Stage::Open { id, .. } if id == stream)
    }

    fn sort(&mut self, id: StreamId, kind: StreamKind, header: &[u8]) {
        let critical = match kind {
            StreamKind::Session(session) => return self.sort_session_stream(id, session),
            StreamKind::Request => return self.sort_request(id, header),
            StreamKind::Unknown(_) => return self.stop(id, Code::STREAM_CREATION_ERROR),
            StreamKind::Push => {
                return self.fail(Code::STREAM_CREATION_ERROR, "a push that nobody asked for");
            }
            StreamKind::Control => &mut self.seen.control,
            StreamKind::QpackEncoder => &mut self.seen.encoder,
            StreamKind::QpackDecoder => &mut self.seen.decoder,
        };
        if std::mem::replace(critical, true) {
            return self.fail(Code::STREAM_CREATION_ERROR, "a second critical stream");
        }
        let reader = match kind {
            StreamKind::Control => Reader::Control(FrameReader::default()),
            _ => Reader::Qpack,
        };
        self.streams.insert(id, reader);
    }

    pub(super) fn sort_session_stream(&mut self, id: StreamId, session: u64) {
        if !session.is_multiple_of(4) {
            return self.fail(Code::ID_ERROR, "a session that is no request of the client");
        }
        match &self.stage {
            Stage::Open { id: open, .. } if open.0 == session => {
                self.outputs.push_back(Output::Adopt { id });
            }
            Stage::Idle | Stage::Asked { .. } | Stage::Asking { .. }
                if self.early.len() < MAX_EARLY =>
            {
                self.early.push((id, session));
            }
            Stage::Over => self.reject(id, Code::SESSION_GONE),
            _ => self.reject(id, Code::BUFFERED_STREAM_REJECTED),
        }
    }

    fn read_frames(&mut self, id: StreamId) {
        loop {
            let piece = match self.streams.get_mut(&id) {
                Some(Reader::Control(frames) | Reader::Request(frames)) => frames.next(),
                _ => return,
            };
            let control = id.is_unidirectional();
            match piece {
                Ok(None) => return,
                Ok(Some(piece)) if control => self.on_control(piece),
                Ok(Some(piece)) => self.on_request(id, piece),
                Err(FrameTooLarge(Frame::HEADERS)) if !control && self.role == Role::Server => {
                    self.refuse(id, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
                }
                Err(FrameTooLarge(_)) => self.fail(Code::EXCESSIVE_LOAD, "a frame is too large"),
            }
        }
    }

    fn reject(&mut self, id: StreamId, code: Code) {
        if !id.is_unidirectional() {
            self.reset(id, code);
        }
        self.stop(id, code);
    }

    pub(super) fn fail(&mut self, code: Code, reason: &str) {
        self.stage = Stage::Over;
        self.streams.clear();
        self.early.clear();
        let reason = reason.to_owned();
        self.outputs.push_back(Output::Fail { code, reason });
    }

    pub(super) fn write(&mut self, id: StreamId, data: Bytes, fin: bool) {
        self.outputs.push_back(Output::Write { id, data, fin });
    }

    pub(super) fn reset(&mut self, id: StreamId, code: Code) {
        self.outputs.push_back(Output::Reset { id, code });
    }

    pub(super) fn stop(&mut self, id: StreamId, code: Code) {
        self.outputs.push_back(Output::Stop { id, code });
    }
}

pub(super) fn is_forbidden(frame: Frame) -> bool {
    FORBIDDEN
        .into_iter()
        .any(|id| frame == Frame(VarInt::from_u32(id)))
}
