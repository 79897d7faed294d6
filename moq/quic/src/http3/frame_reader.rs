use bytes::{Buf, Bytes, BytesMut};
use web_transport_proto::{Frame, VarInt};

/// The payload of a frame that is kept whole: a field section, or settings.
const MAX_KEPT: u64 = 16 * 1024;

/// GOAWAY, RFC 9114.
pub(super) const GOAWAY: Frame = Frame(VarInt::from_u32(0x07));

/// Takes a stream of HTTP/3 frames apart.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    buffer: BytesMut,
    rest: Rest,
}

/// What is left of the current frame.
#[derive(Debug, Default, Clone, Copy)]
enum Rest {
    #[default]
    Nothing,
    Data(u64),
    Skipped(u64),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A frame that is kept, its type and length included.
    Whole(Frame, Bytes),
    /// A frame begins whose payload comes in pieces, or not at all.
    Begin(Frame),
    /// A piece of a DATA frame.
    Data(Bytes),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct FrameTooLarge(pub(super) Frame);

impl FrameReader {
    /// Adds what the stream brought; all of it is to be taken out by [`next`](Self::next) before
    /// more is added.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>, FrameTooLarge> {
        loop {
            match self.rest {
                Rest::Data(0) | Rest::Skipped(0) => self.rest = Rest::Nothing,
                Rest::Data(_) | Rest::Skipped(_) if self.buffer.is_empty() => return Ok(None),
                Rest::Data(left) => {
                    let piece = self.take(left);
                    self.rest = Rest::Data(left - piece.len() as u64);
                    return Ok(Some(Piece::Data(piece)));
                }
                Rest::Skipped(left) => {
                    let piece = self.take(left);
                    self.rest = Rest::Skipped(left - piece.len() as u64);
                }
                Rest::Nothing => return self.begin(),
            }
        }
    }

    /// Whether nothing of a frame is missing.
    pub(super) fn is_between_frames(&self) -> bool {
        self.buffer.is_empty() && !matches!(self.rest, Rest::Data(1..) | Rest::Skipped(1..))
    }

    fn begin(&mut self) -> Result<Option<Piece>, FrameTooLarge> {
        let mut bytes = &self.buffer[..];
        let (Ok(frame), Ok(len)) = (Frame::decode(&mut bytes), VarInt::decode(&mut bytes)) else {
            return Ok(None);
        };
        let len = len.into_inner();
        let header = self.buffer.len() - bytes.len();
        if let Frame::HEADERS | Frame::SETTINGS | GOAWAY = frame {
            if len > MAX_KEPT {
                return Err(FrameTooLarge(frame));
            }
            if (bytes.len() as u64) < len {
                return Ok(None);
            }
            let whole = self.take(header as u64 + len);
            return Ok(Some(Piece::Whole(frame, whole)));
        }
        self.buffer.advance(header);
        self.rest = if frame == Frame::DATA {
            Rest::Data(len)
        } else {
            Rest::Skipped(len)
        };
        Ok(Some(Piece::Begin(frame)))
    }

    fn take(&mut self, most: u64) -> Bytes {
        let len = most.min(self.buffer.len() as u64) as usize;
        self.buffer.split_to(len).freeze()
    }
}
