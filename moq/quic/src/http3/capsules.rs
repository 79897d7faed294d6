use bytes::{Buf, BufMut, BytesMut};
use web_transport_proto::{Capsule, CapsuleError, Frame, VarInt};

/// Bytes of a closing reason; draft-ietf-webtrans-http3, "Session Termination".
const MAX_REASON: usize = 1024;
/// An unknown capsule of the largest size that is read, with its header.
const MAX_BUFFERED: usize = 64 * 1024 + 2 * VarInt::MAX_SIZE;

/// The capsules on a session's stream.
#[derive(Debug, Default)]
pub(super) struct Capsules {
    buffer: BytesMut,
}

/// The peer closes the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) code: u32,
    pub(super) reason: String,
}

impl Capsules {
    /// Adds what a DATA frame brought; the first capsule that closes the session ends all.
    pub(super) fn push(&mut self, data: &[u8]) -> Result<Option<Closing>, &'static str> {
        self.buffer.extend_from_slice(data);
        loop {
            let mut rest = &self.buffer[..];
            match Capsule::decode(&mut rest) {
                Ok(Capsule::CloseWebTransportSession { code, reason }) => {
                    if reason.len() > MAX_REASON {
                        return Err("a closing reason of more than 1024 bytes");
                    }
                    return Ok(Some(Closing { code, reason }));
                }
                // Draining asks for nothing that MoQ's own GOAWAY does not; limits were not
                // negotiated.
                Ok(Capsule::Grease { .. } | Capsule::Unknown { .. }) => {
                    let read = self.buffer.len() - rest.len();
                    self.buffer.advance(read);
                }
                Err(CapsuleError::UnexpectedEnd | CapsuleError::VarInt(_))
                    if is_whole(&self.buffer) =>
                {
                    return Err("a closing capsule without a code");
                }
                Err(CapsuleError::UnexpectedEnd | CapsuleError::VarInt(_))
                    if self.buffer.len() < MAX_BUFFERED =>
                {
                    return Ok(None);
                }
                Err(CapsuleError::InvalidUtf8) => return Err("a closing reason that is no text"),
                Err(_) => return Err("a capsule that is too large"),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// Whether the buffer has all the bytes that the capsule at its start says it has.
fn is_whole(buffer: &[u8]) -> bool {
    let mut rest = buffer;
    let (Ok(_), Ok(len)) = (VarInt::decode(&mut rest), VarInt::decode(&mut rest)) else {
        return false;
    };
    rest.len() as u64 >= len.into_inner()
}

/// The DATA frame with the capsule that closes a session.
pub(super) fn closing_frame(code: u32, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let capsule = Capsule::CloseWebTransportSession {
        code,
        reason: reason[..end].to_owned(),
    };
    let mut payload = Vec::new();
    capsule.encode(&mut payload);
    let mut frame = Vec::with_capacity(payload.len() + 4);
    Frame::DATA.encode(&mut frame);
    VarInt::from_u32(payload.len() as u32).encode(&mut frame);
    frame.put_slice(&payload);
    frame
}
