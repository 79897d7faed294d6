//! LOC: one encoded frame to one object, its times and flags as object properties.
//!
//! draft-ietf-moq-loc-04. The payload of the object is that of the frame, untouched.
//!
//! ```
//! use parvis_format::{EncodedFrame, MediaKind, MediaTime, loc};
//!
//! let frame = EncodedFrame::video(MediaTime::from_millis(1_700_000_000_000), true, "obus".into());
//! let properties = loc::pack(MediaKind::Video, &frame, &loc::Options::default())?;
//! let unpacked = loc::unpack(MediaKind::Video, &properties, frame.payload.clone(), true)?;
//! assert_eq!(unpacked.frame, frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::Bytes;
use parvis_wire::{DecodeError, Properties, Property, PropertyValue};
use thiserror::Error;

use crate::{AudioLevel, EncodedFrame, MediaKind, MediaTime, Timescale};

/// What the times of a track count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Clock {
    /// The Unix epoch: a receiver with a good clock can tell the latency. Timescale is left out.
    #[default]
    Wall,
    /// An origin of the application's own. Timescale is in every object.
    Media,
}

/// What [`pack`] adds to what the frame says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the frame's time counts from.
    pub clock: Clock,
    /// The codec's configuration, where the decoder needs it before this frame.
    pub config: Option<Bytes>,
    /// Properties that LOC does not define.
    pub extra: Vec<Property>,
}

/// Why a frame cannot be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PackError {
    /// Timestamps have no sign.
    #[error("the frame's time is {0}, before the origin")]
    NegativeTime(MediaTime),
    /// A temporal layer has three bits.
    #[error("the temporal layer is {0}, 7 is the highest")]
    TemporalId(u8),
    /// The length of a property has a limit.
    #[error("the codec configuration has {0} bytes, 65535 is the most")]
    LongConfig(usize),
}

/// Why an object is no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnpackError {
    /// The properties do not parse.
    #[error("the object's properties: {0}")]
    Properties(#[from] DecodeError),
    /// A frame without time cannot be played.
    #[error("the object has no timestamp")]
    NoTimestamp,
    /// A timestamp that no 64-bit signed number holds.
    #[error("the timestamp {0} is out of range")]
    TimestampRange(u64),
    /// No ticks a second.
    #[error("the timescale is zero")]
    ZeroTimescale,
    /// RFC 9626 has one to three octets, LOC up to four.
    #[error("the video frame marking has {0} bytes, expected 1 to 4")]
    FrameMarking(usize),
}

/// What [`unpack`] finds in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The frame; its duration is not known.
    pub frame: EncodedFrame,
    /// What its time counts from.
    pub clock: Clock,
    /// The codec's configuration, where the object has it.
    pub config: Option<Bytes>,
    /// Properties that LOC does not define.
    pub extra: Vec<Property>,
}

/// The properties of the object that carries `frame`; its payload is `frame.payload`.
pub fn pack(
    kind: MediaKind,
    frame: &EncodedFrame,
    options: &Options,
) -> Result<Properties, PackError> {
    let timestamp =
        u64::try_from(frame.time.as_micros()).map_err(|_| PackError::NegativeTime(frame.time))?;
    let mut properties = options.extra.clone();
    properties.push(Property::integer(TIMESTAMP, timestamp));
    if options.clock == Clock::Media {
        properties.push(Property::integer(TIMESCALE, Timescale::MICROS.get()));
    }
    if let Some(config) = &options.config {
        if config.len() > usize::from(u16::MAX) {
            return Err(PackError::LongConfig(config.len()));
        }
        let property = match kind {
            MediaKind::Video => VIDEO_CONFIG,
            MediaKind::Audio => AUDIO_CONFIG,
        };
        properties.push(Property::bytes(property, config.clone()));
    }
    match kind {
        MediaKind::Video => {
            let marking = FrameMarking::of(frame)?.encode();
            properties.push(Property::bytes(VIDEO_FRAME_MARKING, marking));
        }
        MediaKind::Audio => {
            if let Some(level) = frame.audio_level {
                properties.push(Property::integer(AUDIO_LEVEL, u64::from(level.to_octet())));
            }
        }
    }
    Ok(Properties::encode(properties))
}

/// The frame that an object carries.
///
/// first_of_group: whether the object is the first of its group; it decides whether a video frame
/// without Video Frame Marking is a key frame.
pub fn unpack(
    kind: MediaKind,
    properties: &Properties,
    payload: Bytes,
    first_of_group: bool,
) -> Result<Unpacked, UnpackError> {
    let mut timestamp = None;
    let mut timescale = None;
    let mut config = None;
    let mut marking = FrameMarking {
        independent: first_of_group,
        temporal_id: 0,
        spatial_id: 0,
    };
    let mut audio_level = None;
    let mut extra = Vec::new();
    for property in properties.iter() {
        let property = property?;
        match (property.kind, &property.value) {
            (TIMESTAMP, PropertyValue::Integer(value)) => timestamp = Some(*value),
            (TIMESCALE, PropertyValue::Integer(value)) => {
                timescale = Some(Timescale::new(*value).ok_or(UnpackError::ZeroTimescale)?);
            }
            (VIDEO_CONFIG | AUDIO_CONFIG, PropertyValue::Bytes(value)) => {
                config = Some(value.clone());
            }
            (VIDEO_FRAME_MARKING, PropertyValue::Bytes(value)) => {
                marking = FrameMarking::decode(value)?;
            }
            // The level is in the low eight bits; the rest is reserved.
            (AUDIO_LEVEL, PropertyValue::Integer(value)) => {
                audio_level = Some(AudioLevel::from_octet((value & 0xFF) as u8));
            }
            _ => extra.push(property),
        }
    }
    let timestamp = timestamp.ok_or(UnpackError::NoTimestamp)?;
    let ticks = i64::try_from(timestamp).map_err(|_| UnpackError::TimestampRange(timestamp))?;
    let frame = EncodedFrame {
        time: MediaTime::from_ticks(ticks, timescale.unwrap_or(Timescale::MICROS)),
        duration: None,
        key: kind == MediaKind::Audio || marking.independent,
        temporal_id: marking.temporal_id,
        spatial_id: marking.spatial_id,
        audio_level,
        payload,
    };
    let clock = if timescale.is_some() {
        Clock::Media
    } else {
        Clock::Wall
    };
    Ok(Unpacked {
        frame,
        clock,
        config,
        extra,
    })
}

/// RFC 9626, "Frame Marking RTP Header Extension", as far as a frame is one object.
struct FrameMarking {
    independent: bool,
    temporal_id: u8,
    spatial_id: u8,
}

impl FrameMarking {
    const fn of(frame: &EncodedFrame) -> Result<Self, PackError> {
        if frame.temporal_id > 7 {
            return Err(PackError::TemporalId(frame.temporal_id));
        }
        Ok(Self {
            independent: frame.key,
            temporal_id: frame.temporal_id,
            spatial_id: frame.spatial_id,
        })
    }

    fn encode(&self) -> Bytes {
        // Start and end of frame: an object holds all of it.
        let flags = 0xC0 | u8::from(self.independent) << 5 | self.temporal_id;
        if self.spatial_id == 0 {
            Bytes::copy_from_slice(&[flags])
        } else {
            Bytes::copy_from_slice(&[flags, self.spatial_id])
        }
    }

    fn decode(octets: &[u8]) -> Result<Self, UnpackError> {
        let (Some(flags), 1..=4) = (octets.first(), octets.len()) else {
            return Err(UnpackError::FrameMarking(octets.len()));
        };
        Ok(Self {
            independent: flags & 0x20 != 0,
            temporal_id: flags & 0x07,
            spatial_id: octets.get(1).copied().unwrap_or(0),
        })
    }
}

const TIMESCALE: u64 = 0x08;
const VIDEO_FRAME_MARKING: u64 = 0x09;
const AUDIO_LEVEL: u64 = 0x0C;
const VIDEO_CONFIG: u64 = 0x0D;
const AUDIO_CONFIG: u64 = 0x0F;
const TIMESTAMP: u64 = 0x10;

#[cfg(test)]
mod tests;
