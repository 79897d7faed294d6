use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::{SequenceHeader, bits::Bits};

/// Why bytes are no OBUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ObuError {
    /// The forbidden bit is set.
    #[error(
        "the forbidden bit of the OBU at byte {0} is set: this is no AV1 in low-overhead format"
    )]
    Forbidden(usize),
    /// The OBU says it is longer than what is there.
    #[error("the OBU at byte {at} needs {needed} bytes, {available} are there")]
    Truncated {
        /// Where it starts.
        at: usize,
        /// Its length.
        needed: u64,
        /// What is left.
        available: usize,
    },
    /// Its size field is no number below 2^32.
    #[error("the size of the OBU at byte {0} is malformed")]
    Size(usize),
    /// A sequence header ends early or holds a reserved value.
    #[error("the sequence header is malformed")]
    SequenceHeader,
    /// There is no sequence header.
    #[error("there is no sequence header")]
    NoSequenceHeader,
}

/// What an OBU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObuKind {
    /// The parameters of the frames that follow.
    SequenceHeader,
    /// Starts a temporal unit.
    TemporalDelimiter,
    /// A frame header alone.
    FrameHeader,
    /// Tiles.
    TileGroup,
    /// HDR, timecode and the like.
    Metadata,
    /// A frame header and its tiles.
    Frame,
    /// The same frame header again.
    RedundantFrameHeader,
    /// Tiles for large-scale decoding.
    TileList,
    /// Padding.
    Padding,
    /// A reserved type.
    Reserved(u8),
}

impl ObuKind {
    const fn of(number: u8) -> Self {
        match number {
            1 => Self::SequenceHeader,
            2 => Self::TemporalDelimiter,
            3 => Self::FrameHeader,
            4 => Self::TileGroup,
            5 => Self::Metadata,
            6 => Self::Frame,
            7 => Self::RedundantFrameHeader,
            8 => Self::TileList,
            15 => Self::Padding,
            other => Self::Reserved(other),
        }
    }
}

/// One OBU of a temporal unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obu<'a> {
    /// What it is.
    pub kind: ObuKind,
    /// Its temporal layer.
    pub temporal_id: u8,
    /// Its spatial layer.
    pub spatial_id: u8,
    /// Its content, without header.
    pub body: &'a [u8],
    /// All of it.
    pub bytes: &'a [u8],
}

/// Walks over the OBUs of a temporal unit; ends after the first error.
pub fn obus(unit: &[u8]) -> Obus<'_> {
    Obus { unit, position: 0 }
}

/// The walk of [`obus`].
#[derive(Debug, Clone)]
pub struct Obus<'a> {
    unit: &'a [u8],
    position: usize,
}

impl<'a> Iterator for Obus<'a> {
    type Item = Result<Obu<'a>, ObuError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.unit.len() {
            return None;
        }
        let found = parse(self.unit, self.position);
        match &found {
            Ok(obu) => self.position += obu.bytes.len(),
            Err(_) => self.position = self.unit.len(),
        }
        Some(found)
    }
}

fn parse(unit: &[u8], at: usize) -> Result<Obu<'_>, ObuError> {
    let rest = &unit[at..];
    let truncated = |needed: u64| ObuError::Truncated {
        at,
        needed,
        available: rest.len(),
    };
    let first = rest[0];
    if first & 0x80 != 0 {
        return Err(ObuError::Forbidden(at));
    }
    let mut header = 1;
    let (mut temporal_id, mut spatial_id) = (0, 0);
    if first & 0x04 != 0 {
        let extension = *rest.get(1).ok_or_else(|| truncated(2))?;
        (temporal_id, spatial_id) = (extension >> 5, extension >> 3 & 3);
        header = 2;
    }
    let end = if first & 0x02 != 0 {
        let (size, length) = leb128(&rest[header..]).ok_or(ObuError::Size(at))?;
        header += length;
        header + size as usize
    } else {
        rest.len()
    };
    let bytes = rest.get(..end).ok_or_else(|| truncated(end as u64))?;
    let kind = ObuKind::of(first >> 3 & 0x0F);
    Ok(Obu {
        kind,
        temporal_id,
        spatial_id,
        body: &bytes[header..],
        bytes,
    })
}

/// The number and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0_u64;
    for (i, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, i + 1));
        }
    }
    None
}

/// The first sequence header of a temporal unit: parsed, and the OBU whole.
pub fn find_sequence_header(unit: &[u8]) -> Result<(SequenceHeader, &[u8]), ObuError> {
    for obu in obus(unit) {
        let obu = obu?;
        if obu.kind == ObuKind::SequenceHeader {
            return Ok((SequenceHeader::parse(obu.body)?, obu.bytes));
        }
    }
    Err(ObuError::NoSequenceHeader)
}

/// Whether decoding may start with this temporal unit: it has a sequence header, and its first
/// frame is a key frame that is shown.
pub fn contains_key_frame(unit: &[u8]) -> Result<bool, ObuError> {
    let mut reduced = None;
    for obu in obus(unit) {
        let obu = obu?;
        match obu.kind {
            ObuKind::SequenceHeader => {
                reduced = Some(SequenceHeader::parse(obu.body)?.reduced_still_picture);
            }
            ObuKind::Frame | ObuKind::FrameHeader => {
                let mut bits = Bits::new(obu.body);
                return Ok(match reduced {
                    None => false,
                    Some(true) => true,
                    // show_existing_frame 0, frame_type KEY_FRAME (0), show_frame 1
                    Some(false) => bits.bits(4) == Some(0b0001),
                });
            }
            _ => {}
        }
    }
    Ok(false)
}

/// Takes the temporal delimiters out, as MP4 wants it. Copies only when one is not at the start.
pub fn strip_temporal_delimiters(unit: &Bytes) -> Result<Bytes, ObuError> {
    let mut start = 0;
    let mut later = 0;
    for obu in obus(unit) {
        let obu = obu?;
        if obu.kind != ObuKind::TemporalDelimiter {
            later += obu.bytes.len();
        } else if later == 0 {
            start += obu.bytes.len();
        }
    }
    if start + later == unit.len() {
        return Ok(unit.slice(start..));
    }
    let mut kept = BytesMut::with_capacity(later);
    for obu in obus(unit) {
        let obu = obu?;
        if obu.kind != ObuKind::TemporalDelimiter {
            kept.extend_from_slice(obu.bytes);
        }
    }
    Ok(kept.freeze())
}
