use bytes::Bytes;
use web_transport_proto::{Frame, StreamUni, VarInt};

/// What a stream is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// A stream of the WebTransport session whose request has this stream id.
    Session(u64),
    /// The peer's control stream.
    Control,
    /// A push, which nobody asked for.
    Push,
    /// Instructions for a table that we do not have.
    QpackEncoder,
    /// Acknowledgements of entries that we do not make.
    QpackDecoder,
    /// A unidirectional stream of a type that is to be ignored.
    Unknown(u64),
    /// A request: what was read is the type of its first frame.
    Request,
}

/// Reads the first bytes of a stream, and none beyond.
#[derive(Debug, Clone)]
pub struct HeaderReader {
    unidirectional: bool,
    len: u8,
    bytes: [u8; 2 * VarInt::MAX_SIZE],
}

impl HeaderReader {
    /// A reader for a stream that has just come.
    pub const fn new(unidirectional: bool) -> Self {
        Self {
            unidirectional,
            len: 0,
            bytes: [0; 2 * VarInt::MAX_SIZE],
        }
    }

    /// How many bytes it can take and be sure that they are all its own; at least 1 until
    /// [`push`](Self::push) has answered.
    pub fn wants(&self) -> usize {
        let bytes = self.bytes();
        match missing(bytes) {
            0 if self.names_a_session() => missing(&bytes[varint_len(bytes)..]),
            missing => missing,
        }
    }

    /// Takes at most [`wants`](Self::wants) bytes; says what the stream is once that is known.
    pub fn push(&mut self, data: &[u8]) -> Option<StreamKind> {
        let data = &data[..data.len().min(self.wants())];
        let start = usize::from(self.len);
        self.bytes[start..start + data.len()].copy_from_slice(data);
        self.len += data.len() as u8;
        if self.wants() > 0 {
            return None;
        }
        let mut bytes = self.bytes();
        let kind = VarInt::decode(&mut bytes).ok()?;
        if self.names_a_session() {
            return Some(StreamKind::Session(
                VarInt::decode(&mut bytes).ok()?.into_inner(),
            ));
        }
        Some(match StreamUni(kind) {
            _ if !self.unidirectional => StreamKind::Request,
            StreamUni::CONTROL => StreamKind::Control,
            StreamUni::PUSH => StreamKind::Push,
            StreamUni::QPACK_ENCODER => StreamKind::QpackEncoder,
            StreamUni::QPACK_DECODER => StreamKind::QpackDecoder,
            StreamUni(unknown) => StreamKind::Unknown(unknown.into_inner()),
        })
    }

    /// What was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn names_a_session(&self) -> bool {
        let kind = VarInt::decode(&mut self.bytes());
        let session = if self.unidirectional {
            StreamUni::WEBTRANSPORT.0
        } else {
            Frame::WEBTRANSPORT.0
        };
        kind.is_ok_and(|kind| kind == session)
    }
}

/// What a stream of a session begins with.
pub(crate) fn session_header(session: VarInt, unidirectional: bool) -> Bytes {
    let mut header = Vec::with_capacity(2 * VarInt::MAX_SIZE);
    if unidirectional {
        StreamUni::WEBTRANSPORT.encode(&mut header);
    } else {
        Frame::WEBTRANSPORT.encode(&mut header);
    }
    session.encode(&mut header);
    header.into()
}

/// The length that a variable-length integer has, by its first byte; RFC 9000, "Variable-Length
/// Integer Encoding".
fn varint_len(bytes: &[u8]) -> usize {
    bytes.first().map_or(1, |first| 1 << (first >> 6))
}

fn missing(bytes: &[u8]) -> usize {
    varint_len(bytes).saturating_sub(bytes.len())
}
