use bytes::Bytes;

use super::{Packaging, Role};
use crate::{AudioParams, VideoParams};

/// One track of a catalog. draft-ietf-moq-msf-01, "Track Object Fields".
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The track's name, unique in its namespace.
    pub name: String,
    /// Its namespace, where it is not the catalog's.
    pub namespace: Option<String>,
    /// How its payload is encapsulated.
    pub packaging: Packaging,
    /// Whether new objects will come.
    pub is_live: bool,
    /// What it is for.
    pub role: Option<Role>,
    /// A label for people.
    pub label: Option<String>,
    /// The dominant language, e.g. `fr`.
    pub lang: Option<String>,
    /// Tracks with the same number are shown together.
    pub render_group: Option<u64>,
    /// Tracks with the same number are alternatives to each other.
    pub alt_group: Option<u64>,
    /// Milliseconds from capture to display that the publisher aims at.
    pub target_latency: Option<u64>,
    /// Tracks that decoding this one needs.
    pub depends: Vec<String>,
    /// Temporal layer.
    pub temporal_id: Option<u64>,
    /// Spatial layer.
    pub spatial_id: Option<u64>,
    /// Codec string of WebCodecs.
    pub codec: Option<String>,
    /// MIME type.
    pub mime_type: Option<String>,
    /// Frames per second.
    pub framerate: Option<f64>,
    /// Bits per second at most.
    pub bitrate: Option<u64>,
    /// Pixels across at most.
    pub width: Option<u32>,
    /// Pixels down at most.
    pub height: Option<u32>,
    /// Audio samples per second.
    pub samplerate: Option<u32>,
    /// Channels: a number, or a name of the codec's own.
    pub channel_config: Option<String>,
    /// The codec's configuration.
    pub init_data: Option<Bytes>,
}

impl Track {
    /// A live track of which nothing else is said.
    pub fn new(name: impl Into<String>, packaging: Packaging) -> Self {
        Self {
            name: name.into(),
            namespace: None,
            packaging,
            is_live: true,
            role: None,
            label: None,
            lang: None,
            render_group: None,
            alt_group: None,
            target_latency: None,
            depends: Vec::new(),
            temporal_id: None,
            spatial_id: None,
            codec: None,
            mime_type: None,
            framerate: None,
            bitrate: None,
            width: None,
            height: None,
            samplerate: None,
            channel_config: None,
            init_data: None,
        }
    }

    /// A live LOC video track.
    pub fn video(name: impl Into<String>, params: &VideoParams) -> Self {
        Self {
            role: Some(Role::Video),
            codec: Some(params.codec.clone()),
            width: Some(params.width),
            height: Some(params.height),
            framerate: params.framerate,
            bitrate: params.bitrate,
            init_data: params.config.clone(),
            ..Self::new(name, Packaging::Loc)
        }
    }

    /// A live LOC audio track.
    pub fn audio(name: impl Into<String>, params: &AudioParams) -> Self {
        Self {
            role: Some(Role::Audio),
            codec: Some(params.codec.clone()),
            samplerate: Some(params.sample_rate),
            channel_config: Some(params.channels.to_string()),
            bitrate: params.bitrate,
            init_data: params.config.clone(),
            ..Self::new(name, Packaging::Loc)
        }
    }

    /// What a decoder needs; `None` without codec or size.
    pub fn video_params(&self) -> Option<VideoParams> {
        Some(VideoParams {
            codec: self.codec.clone()?,
            width: self.width?,
            height: self.height?,
            framerate: self.framerate,
            bitrate: self.bitrate,
            config: self.init_data.clone(),
        })
    }

    /// What a decoder needs; `None` without codec, sample rate or a number of channels.
    pub fn audio_params(&self) -> Option<AudioParams> {
        Some(AudioParams {
            codec: self.codec.clone()?,
            sample_rate: self.samplerate?,
            channels: channels(self.channel_config.as_deref()?)?,
            pre_skip: AudioParams::OPUS_PRE_SKIP,
            bitrate: self.bitrate,
            config: self.init_data.clone(),
        })
    }
}

fn channels(config: &str) -> Option<u8> {
    match config {
        "mono" => Some(1),
        "stereo" => Some(2),
        number => number.parse().ok().filter(|&channels| channels > 0),
    }
}
