use bytes::Bytes;

/// Whether a track is seen or heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Seen.
    Video,
    /// Heard.
    Audio,
}

/// What a decoder needs to know of a video track.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoParams {
    /// The codec string of WebCodecs and MSF, e.g. `av01.0.04M.08`.
    pub codec: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames per second, where known.
    pub framerate: Option<f64>,
    /// Bits per second, where known.
    pub bitrate: Option<u64>,
    /// The codec's out-of-band configuration; for AV1 the body of `av1C`.
    pub config: Option<Bytes>,
}

impl VideoParams {
    /// AV1, main profile, 8 bits; the level is the lowest that holds this size at 30 per second.
    pub fn av1(width: u32, height: u32) -> Self {
        let level = crate::av1::level_for(width, height);
        Self {
            codec: format!("av01.0.{level:02}M.08"),
            width,
            height,
            framerate: None,
            bitrate: None,
            config: None,
        }
    }

    /// The codec named by the codec string.
    pub fn family(&self) -> VideoCodec {
        VideoCodec::of(&self.codec)
    }
}

/// What a decoder needs to know of an audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioParams {
    /// The codec string of WebCodecs and MSF, e.g. `opus`.
    pub codec: String,
    /// Samples per second of each channel.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder yields before the first captured one (Opus pre-skip).
    pub pre_skip: u16,
    /// Bits per second, where known.
    pub bitrate: Option<u64>,
    /// The codec's out-of-band configuration; none for Opus of one or two channels.
    pub config: Option<Bytes>,
}

impl AudioParams {
    /// libopus's delay at 48 kHz in its default mode.
    pub const OPUS_PRE_SKIP: u16 = 312;

    /// Opus at 48 kHz. channels: 1 or 2.
    pub fn opus(channels: u8) -> Self {
        Self {
            codec: "opus".to_owned(),
            sample_rate: 48_000,
            channels,
            pre_skip: Self::OPUS_PRE_SKIP,
            bitrate: None,
            config: None,
        }
    }

    /// The codec named by the codec string.
    pub fn family(&self) -> AudioCodec {
        AudioCodec::of(&self.codec)
    }
}

/// A video codec, whatever its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// AV1.
    Av1,
    /// H.264 (AVC).
    H264,
    /// H.265 (HEVC).
    H265,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// A codec without a name here.
    Other,
}

impl VideoCodec {
    /// The codec that a WebCodecs codec string names.
    pub fn of(codec: &str) -> Self {
        match codec.split('.').next().unwrap_or_default() {
            "av01" => Self::Av1,
            "avc1" | "avc3" => Self::H264,
            "hvc1" | "hev1" => Self::H265,
            "vp8" | "vp08" => Self::Vp8,
            "vp09" | "vp9" => Self::Vp9,
            _ => Self::Other,
        }
    }
}

/// An audio codec, whatever its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// Opus.
    Opus,
    /// AAC.
    Aac,
    /// A codec without a name here.
    Other,
}

impl AudioCodec {
    /// The codec that a WebCodecs codec string names.
    pub fn of(codec: &str) -> Self {
        match codec.split('.').next().unwrap_or_default() {
            "opus" | "Opus" => Self::Opus,
            "mp4a" => Self::Aac,
            _ => Self::Other,
        }
    }
}
