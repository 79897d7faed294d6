use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::{ObuError, SequenceHeader, find_sequence_header};

/// What a container says of an AV1 track: the content of the box `av1C`.
///
/// AV1 Codec ISO Media File Format Binding, "AV1 Codec Configuration Box".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Av1Config {
    /// 0 main, 1 high, 2 professional.
    pub profile: u8,
    /// Level index (4 is level 3.0).
    pub level: u8,
    /// Whether it is of the high tier.
    pub high_tier: bool,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    /// Whether there is no colour.
    pub monochrome: bool,
    /// Whether chroma has half of the columns.
    pub subsampling_x: bool,
    /// Whether chroma has half of the rows.
    pub subsampling_y: bool,
    /// Where chroma samples lie: 0 unknown, 1 vertical, 2 colocated.
    pub chroma_sample_position: u8,
    /// The sequence header OBU; empty: it is in the samples only.
    pub sequence_header: Bytes,
}

/// Why bytes are no `av1C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Fewer than four bytes.
    #[error("av1C has {0} bytes, 4 are the least")]
    Short(usize),
    /// A version other than 1.
    #[error("av1C starts with {0:#04x}, expected 0x81")]
    Version(u8),
}

impl Av1Config {
    /// Main profile, 8 bits, 4:2:0, for a track of which no sequence header is known.
    pub fn assumed(width: u32, height: u32) -> Self {
        Self {
            profile: 0,
            level: level_for(width, height),
            high_tier: false,
            bit_depth: 8,
            monochrome: false,
            subsampling_x: true,
            subsampling_y: true,
            chroma_sample_position: 0,
            sequence_header: Bytes::new(),
        }
    }

    /// From the sequence header of a key frame; with it the most width and height.
    pub fn from_key_frame(unit: &[u8]) -> Result<(Self, SequenceHeader), ObuError> {
        let (header, obu) = find_sequence_header(unit)?;
        let config = Self {
            profile: header.profile,
            level: header.level,
            high_tier: header.high_tier,
            bit_depth: header.bit_depth,
            monochrome: header.monochrome,
            subsampling_x: header.subsampling_x,
            subsampling_y: header.subsampling_y,
            chroma_sample_position: header.chroma_sample_position,
            sequence_header: Bytes::copy_from_slice(obu),
        };
        Ok((config, header))
    }

    /// Decodes the body of an `av1C` box.
    pub fn decode(body: &[u8]) -> Result<Self, ConfigError> {
        let [version, profile_level, format, _delay, obus @ ..] = body else {
            return Err(ConfigError::Short(body.len()));
        };
        if *version != 0x81 {
            return Err(ConfigError::Version(*version));
        }
        let bit = |n: u8| format >> n & 1 == 1;
        Ok(Self {
            profile: profile_level >> 5,
            level: profile_level & 0x1F,
            high_tier: bit(7),
            bit_depth: match (bit(6), bit(5)) {
                (false, _) => 8,
                (true, false) => 10,
                (true, true) => 12,
            },
            monochrome: bit(4),
            subsampling_x: bit(3),
            subsampling_y: bit(2),
            chroma_sample_position: format & 3,
            sequence_header: Bytes::copy_from_slice(obus),
        })
    }

    /// Encodes the body of an `av1C` box.
    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::with_capacity(4 + self.sequence_header.len());
        body.put_u8(0x81);
        body.put_u8(self.profile << 5 | self.level & 0x1F);
        body.put_u8(
            u8::from(self.high_tier) << 7
                | u8::from(self.bit_depth > 8) << 6
                | u8::from(self.bit_depth > 10) << 5
                | u8::from(self.monochrome) << 4
                | u8::from(self.subsampling_x) << 3
                | u8::from(self.subsampling_y) << 2
                | self.chroma_sample_position & 3,
        );
        body.put_u8(0);
        body.extend_from_slice(&self.sequence_header);
        body.freeze()
    }

    /// The codec string of WebCodecs and MSF, e.g. `av01.0.04M.08`.
    pub fn codec_string(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        format!(
            "av01.{}.{:02}{tier}.{:02}",
            self.profile, self.level, self.bit_depth
        )
    }
}

/// The lowest level index that allows pictures of this size. AV1 specification, "Levels".
pub fn level_for(width: u32, height: u32) -> u8 {
    const LEVELS: &[(u8, u64, u32, u32)] = &[
        (0, 147_456, 2_048, 1_152),
        (1, 278_784, 2_816, 1_584),
        (4, 665_856, 4_352, 2_448),
        (5, 1_065_024, 5_504, 3_096),
        (8, 2_359_296, 6_144, 3_456),
        (12, 8_912_896, 8_192, 4_352),
        (16, 35_651_584, 16_384, 8_704),
    ];
    let area = u64::from(width) * u64::from(height);
    LEVELS
        .iter()
        .find(|(_, most, across, down)| area <= *most && width <= *across && height <= *down)
        // 31: "maximum parameters", no constraint.
        .map_or(31, |(level, ..)| *level)
}
